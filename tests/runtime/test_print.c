/* Text format. */
#include "support.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char full_text[] = "id: 1234567890123\n"
                                "name: \"name \\\"quoted\\\"\\n\\001\"\n"
                                "note: \"\"\n"
                                "blob: \"\\000\\001\\377\\\"\\\\\"\n"
                                "score: 0.1\n"
                                "rank: 0\n"
                                "mode: STOP\n"
                                "ready: true\n"
                                "tags: \"\"\n"
                                "tags: \"two\"\n"
                                "tags: \"dr\xC3\xA9i\"\n"
                                "counts: [0, -1, 300, -2147483648]\n"
                                "metadata {\n"
                                "  key: \"source\"\n"
                                "  value: \"sensor\"\n"
                                "}\n"
                                "metadata {\n"
                                "  key: \"empty\"\n"
                                "  value: \"\"\n"
                                "}\n"
                                "root {\n"
                                "  value: 1\n"
                                "  left {\n"
                                "    value: -7\n"
                                "    label: \"leaf\"\n"
                                "  }\n"
                                "  children {\n"
                                "    value: -7\n"
                                "    label: \"leaf\"\n"
                                "  }\n"
                                "  children {\n"
                                "    value: -7\n"
                                "    label: \"leaf\"\n"
                                "  }\n"
                                "}\n"
                                "text: \"chosen\"\n"
                                "weights: [0.5, -0.25, 1e+300, 0, 5, 6]\n"
                                "rows: 2\n"
                                "nodes {\n"
                                "  key: -5\n"
                                "  value {\n"
                                "    value: -7\n"
                                "    label: \"leaf\"\n"
                                "  }\n"
                                "}\n"
                                "nodes {\n"
                                "  key: 6\n"
                                "  value {\n"
                                "  }\n"
                                "}\n"
                                "blobs: \"\\000\\001\"\n"
                                "blobs: \"\"\n"
                                "raw: \"\"\n"
                                "ratio: 0.1\n"
                                "shift: -64\n"
                                "hash: 18446744073709551615\n"
                                "flags: [true, false, true]\n"
                                "modes: [RUN, STOP, 77]\n"
                                "offsets: [-9223372036854775808, -1, 9223372036854775807]\n"
                                "ratios: [0.1, -3.5]\n"
                                "columns: 3\n";

static const char *
print(const struct varve_record *table, const void *record)
{
    static char buffer[4096];
    assert_int_equal(varve_record_print(table, record, buffer, sizeof buffer), VARVE_OK);
    return buffer;
}

static void
every_field_is_printed(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    assert_string_equal(print(&lab_sample_record, &sample), full_text);
}

static void
an_empty_record_is_an_empty_text(void **state)
{
    (void)state;
    assert_string_equal(print(&lab_sample_record, lab_sample_record.initial), "");
}

static void
numbers_are_short_and_exact(void **state)
{
    (void)state;
    double weights[] = {NAN, INFINITY, -INFINITY, -0.0, 0.1 + 0.2, 5e-324};
    float ratios[] = {16777216.0f, 0.3f, 1e-45f, 3.4028235e38f};
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.weights = (struct varve_doubles){6, weights};
    sample.ratios = (struct varve_floats){4, ratios};
    assert_string_equal(
        print(&lab_sample_record, &sample),
        "weights: [nan, inf, -inf, -0, 0.30000000000000004, 4.94065645841247e-324]\n"
        "ratios: [16777216, 0.3, 1.4013e-45, 3.4028235e+38]\n");
}

static void
the_point_is_a_point_where_the_locale_has_a_comma(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    char probe[8];
    sample.score = 0.5;
    if (!set_comma_locale())
        missing_on_this_machine("a locale with a decimal comma (Debian: locales)");
    snprintf(probe, sizeof probe, "%.1f", 0.5);
    const char *printed = print(&lab_sample_record, &sample);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(probe, "0,5");
    assert_string_equal(printed, "score: 0.5\n");
}

static void
unknown_fields_are_printed_by_number(void **state)
{
    (void)state;
    void *record;
    assert_int_equal(
        UNPACK(
            "\xE8\x01\xAC\x02\xF2\x01\x02hi\xF9\x01\x02\0\0\0\0\0\0\0\xFD\x01\x03\0\0\0", &record),
        VARVE_OK);
    assert_string_equal(print(&lab_sample_record, record), "29: 300\n30: \"hi\"\n31: 2\n31: 3\n");
    varve_record_free(record);
}

static void
a_tensor_that_is_not_loaded_is_a_comment(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_trace trace = LAB_TRACE_INIT;
    sample.weights.count = 16;
    trace.samples.count = 3;
    assert_string_equal(print(&lab_sample_record, &sample), "# weights: 16 elements, not loaded\n");
    assert_string_equal(print(&lab_trace_record, &trace), "# samples: 3 elements, not loaded\n");
}

static void
a_dtype_tensor_is_printed_as_its_bytes(void **state)
{
    (void)state;
    int16_t samples[] = {0x4142, -1};
    struct lab_trace trace = LAB_TRACE_INIT;
    trace.samples = (struct varve_int16s){2, samples};
    assert_string_equal(print(&lab_trace_record, &trace), "samples: \"BA\\377\\377\"\n");
}

static void
text_that_is_no_utf8_is_escaped(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.name = "\xC3\xA9\xFF";
    assert_string_equal(print(&lab_sample_record, &sample), "name: \"\\303\\251\\377\"\n");
}

static void
a_small_buffer_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    char buffer[32];
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.name = "a\xE2\x82\xACz"; /* name: "a€z" and a newline are 14 bytes */
    for (size_t size = 0; size <= 14; size++) {
        memset(buffer, 'X', sizeof buffer);
        assert_int_equal(
            varve_record_print(&lab_sample_record, &sample, buffer, size), VARVE_INVALID);
        assert_failure(VARVE_FAILURE_SIZE, "lab.Sample needs a buffer of 15 bytes");
        size_t length = size == 0 ? 0 : size - 1;
        if (length >= 9 && length < 11)
            length = 8;
        if (size > 0)
            assert_int_equal(strlen(buffer), length);
        assert_int_equal(buffer[size], 'X');
    }
    assert_int_equal(varve_record_print(&lab_sample_record, &sample, buffer, 15), VARVE_OK);
    assert_int_equal(varve_record_print(&lab_sample_record, &sample, NULL, 0), VARVE_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_printed),
        cmocka_unit_test(an_empty_record_is_an_empty_text),
        cmocka_unit_test(numbers_are_short_and_exact),
        cmocka_unit_test(the_point_is_a_point_where_the_locale_has_a_comma),
        cmocka_unit_test(unknown_fields_are_printed_by_number),
        cmocka_unit_test(a_tensor_that_is_not_loaded_is_a_comment),
        cmocka_unit_test(a_dtype_tensor_is_printed_as_its_bytes),
        cmocka_unit_test(text_that_is_no_utf8_is_escaped),
        cmocka_unit_test(a_small_buffer_is_cut_at_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
