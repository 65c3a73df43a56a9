/* Reading JSON columns: numbers in any spelling, escapes, repeated keys; in any locale; what Python
 * writes. What is refused is in test_json_refuse.c. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, popen, setenv */

#include "json_fixture.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
integers_are_read_from_any_number_that_is_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"[12]", 12},
        {"[\"12\"]", 12},
        {"[-0]", 0},
        {"[5.0]", 5},
        {"[\"5.0\"]", 5},
        {"[1e3]", 1000},
        {"[-1E+3]", -1000},
        {"[1200e-2]", 12},
        {"[0.05e2]", 5},
        {"[1.50e1]", 15},
        {"[0e99999999999999999999]", 0},
        {"[0.000]", 0},
        {"[9223372036854775807]", INT64_MAX},
        {"[-9223372036854775808]", INT64_MIN},
        {"[922337203685477580.7e1]", INT64_MAX},
        {"[9223372036854775807.000000000000000000000]", INT64_MAX},
        {"[1000000000000000000000000000e-27]", 1},
        {"[0.000000000000000000000000000001e30]", 1},
    };
    use(NO_KEY, PROTOBUF_C_TYPE_INT64);
    for (size_t i = 0; i < COUNT(cases); i++) {
        decode(cases[i].text);
        assert_int_equal(sample.list.count, 1);
        assert_int_equal(*(int64_t *)sample.list.data, cases[i].value);
    }
    use(NO_KEY, PROTOBUF_C_TYPE_UINT64);
    decode("[18446744073709551615.0]");
    assert_true(*(uint64_t *)sample.list.data == UINT64_MAX);
}

static void
integers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        ProtobufCType type;
        const char *text;
    } cases[] = {
        {PROTOBUF_C_TYPE_INT32, "[2147483648]"},
        {PROTOBUF_C_TYPE_SINT32, "[-2147483649]"},
        {PROTOBUF_C_TYPE_SFIXED32, "[\"2147483648\"]"},
        {PROTOBUF_C_TYPE_ENUM, "[1e10]"},
        {PROTOBUF_C_TYPE_UINT32, "[4294967296]"},
        {PROTOBUF_C_TYPE_UINT32, "[-1]"},
        {PROTOBUF_C_TYPE_FIXED32, "[42949672950e-1,4294967296]"},
        {PROTOBUF_C_TYPE_INT64, "[9223372036854775808]"},
        {PROTOBUF_C_TYPE_SINT64, "[\"-9223372036854775809\"]"},
        {PROTOBUF_C_TYPE_SFIXED64, "[1e19]"},
        {PROTOBUF_C_TYPE_UINT64, "[18446744073709551616]"},
        {PROTOBUF_C_TYPE_UINT64, "[-1]"},
        {PROTOBUF_C_TYPE_FIXED64, "[1e999999999999999999999]"},
        {PROTOBUF_C_TYPE_INT64, "[1e-1]"},
        {PROTOBUF_C_TYPE_INT64, "[0.5]"},
        {PROTOBUF_C_TYPE_INT64, "[1e-99999999999999999999]"},
        {PROTOBUF_C_TYPE_INT64, "[10000000000000000000000000000001]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        use(NO_KEY, cases[i].type);
        assert_refused(cases[i].text, "expected an integer from ");
    }
}

static void
long_numbers_are_read_exactly(void **state)
{
    (void)state;
    char text[3000] = "[0.1";
    use(NO_KEY, PROTOBUF_C_TYPE_DOUBLE);
    memset(text + 4, '0', 2000);
    strcpy(text + 2004, "1e1]");
    decode(text);
    assert_true(*(double *)sample.list.data == 1.0);
    /* Halfway between 1 and the next double: a later digit decides. */
    decode("[1.00000000000000011102230246251565404236316680908203125]");
    assert_true(*(double *)sample.list.data == 1.0);
    decode("[1.00000000000000011102230246251565404236316680908203125000000000000000000001]");
    assert_true(*(double *)sample.list.data == 1.0 + DBL_EPSILON);
    char *zeros = text + sprintf(text, "[1.00000000000000011102230246251565404236316680908203125");
    memset(zeros, '0', 2000); /* more digits than are converted, and still the last one decides */
    strcpy(zeros + 2000, "]");
    decode(text);
    assert_true(*(double *)sample.list.data == 1.0);
    strcpy(zeros + 2000, "1]");
    decode(text);
    assert_true(*(double *)sample.list.data == 1.0 + DBL_EPSILON);
    char digits[24003];
    memset(digits, '9', sizeof digits);
    digits[0] = '[';
    memcpy(digits + 24001, "]", 2);
    decode(digits);
    assert_true(*(double *)sample.list.data == INFINITY);
    use(NO_KEY, PROTOBUF_C_TYPE_FLOAT);
    decode("[1.000000059604644775390625000000000000000000000000000001]"); /* not rounded twice */
    assert_true(*(float *)sample.list.data == 1.0f + FLT_EPSILON);
}

static void
numbers_beyond_a_double_are_infinities(void **state)
{
    (void)state;
    use(NO_KEY, PROTOBUF_C_TYPE_DOUBLE);
    decode("[9e999,-9.0e+999,1e-999]");
    const double *doubles = sample.list.data;
    assert_true(doubles[0] == INFINITY && doubles[1] == -INFINITY && doubles[2] == 0);
    use(NO_KEY, PROTOBUF_C_TYPE_FLOAT);
    decode("[9e999,-9e999]");
    const float *floats = sample.list.data;
    assert_true(floats[0] == INFINITY && floats[1] == -INFINITY);
    assert_refused("[1,1e39]", "at byte 3: expected a number in the range of a 32-bit float");
}

static void
every_escape_is_read(void **state)
{
    (void)state;
    use(NO_KEY, PROTOBUF_C_TYPE_STRING);
    decode("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\u00e9\\u4E2d\\uD83D\\uDE00\\uDBFF\\uDFFFz\","
           "\"a\\u000Ab\\u0001\"]");
    assert_int_equal(sample.list.count, 3);
    assert_string_equal(string_at(0), "\"\\/\b\f\n\r\t");
    assert_string_equal(string_at(1), "A\u00E9\u4E2D\U0001F600\U0010FFFFz");
    assert_string_equal(string_at(2), "a\nb\x01");
}

static void
commas_and_brackets_in_strings_are_text(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING);
    decode("{\",\\\",]}\":\"{[,\\\\\",\"\":\"\"}");
    assert_int_equal(sample.list.count, 2);
    assert_string_equal(entry_at(0)->key.string, ",\",]}");
    assert_string_equal(entry_at(0)->value.string, "{[,\\");
    assert_string_equal(entry_at(1)->key.string, "");
}

static void
commas_in_strings_take_no_elements(void **state)
{
    (void)state;
    char text[305];
    snprintf(text, sizeof text, "[\"%0300d\"]", 0);
    memset(text + 2, ',', 300);
    use(NO_KEY, PROTOBUF_C_TYPE_STRING);
    const uint8_t *before = arena->next;
    decode(text);
    assert_int_equal(strlen(string_at(0)), 300);
    assert_in_range(arena->next - before, 300, 320);
}

static void
of_repeated_keys_the_last_is_read(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_STRING);
    decode("{\"1\":\"a\",\"2\":\"b\",\"1.0\":\"c\"}");
    assert_int_equal(sample.list.count, 2);
    assert_int_equal(entry_at(0)->key.int32, 2);
    assert_string_equal(entry_at(1)->value.string, "c");
}

/* Descending keys with each twice; comparing pair by pair would take minutes. */
static void
large_maps_are_unique_in_good_time(void **state)
{
    (void)state;
    enum {
        KEYS = 200000
    };
    use(PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_BOOL);
    char *text = malloc(2 * KEYS * 20 + 3);
    size_t length = 0;
    for (int i = 0; i < 2 * KEYS; i++)
        length += (size_t)sprintf(
            text + length, "%c\"%d\":%s", i > 0 ? ',' : '{', KEYS - i % KEYS,
            i < KEYS ? "false" : "true");
    strcpy(text + length, "}");
    decode(text);
    free(text);
    assert_int_equal(sample.list.count, KEYS);
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(entry_at((size_t)i)->key.int64, KEYS - i);
        assert_true(entry_at((size_t)i)->value.boolean);
    }
    const char *again = encode();
    assert_memory_equal(again, "{\"200000\":true,\"199999\":true,", 29);
}

static void
repeated_neighbours_in_a_large_map_count_once(void **state)
{
    (void)state;
    use(PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_INT32);
    for (size_t i = 0; i < 40; i++) {
        add_entry()->key.uint32 = (uint32_t)i / 2;
        entry_at(i)->value.int32 = (int32_t)i;
    }
    decode(encode());
    assert_int_equal(sample.list.count, 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(entry_at(i)->value.int32, 2 * i + 1);
}

static void
without_memory_nothing_is_changed(void **state)
{
    (void)state;
    char text[20 * 80];
    size_t length = 0;
    enum varve_status status = VARVE_NO_MEMORY;
    for (int i = 20; i > 0; i--)
        length += (size_t)sprintf(text + length, "%c\"%070d\":\"\"", i < 20 ? ',' : '{', i);
    text[length++] = '}';
    use_shape(TEXTS);
    varve__arena_release(arena);
    for (size_t fail_at = 2; status != VARVE_OK; fail_at++) {
        count_allocations(fail_at);
        arena = varve__arena_create(0);
        status = decode_bytes(text, length);
        varve__arena_release(arena);
        bool failed = stop_counting() >= fail_at;
        assert_int_equal(status, failed ? VARVE_NO_MEMORY : VARVE_OK);
        assert_int_equal(sample.list.count, failed ? 0 : 20);
        assert_in_range(fail_at, 2, 10);
    }
    arena = NULL;
}

/* ------------------------------------------------------------------ machines */

static void
the_locale_changes_nothing(void **state)
{
    (void)state;
    static const char text[] = "[0.5,-1.25e-07,0.3333333333333333]";
    char probe[8];
    if (!set_comma_locale()) {
        missing_on_this_machine("a locale with a decimal comma, or localedef");
        return;
    }
    snprintf(probe, sizeof probe, "%.1f", 0.5);
    use_shape(DOUBLES);
    enum varve_status status = decode_bytes(text, strlen(text));
    const char *again = encode();
    use(NO_KEY, PROTOBUF_C_TYPE_FLOAT);
    enum varve_status float_status = decode_bytes("[0.1]", 5);
    const char *float_again = encode();
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(probe, "0,5");
    assert_int_equal(status, VARVE_OK);
    assert_string_equal(again, text);
    assert_int_equal(float_status, VARVE_OK);
    assert_string_equal(float_again, "[0.1]");
}

/* Python's json reads what we write, writes it its own way, and we read that. */
static void
python_agrees(void **state)
{
    (void)state;
    char file[] = "/tmp/varve-json-XXXXXX";
    char command[200];
    char back[1000] = "";
    if (system("python3 -c 'import json' 2>/dev/null") != 0) {
        missing_on_this_machine("python3");
        return;
    }
    use_shape(TEXTS);
    decode("{\"\\u00e9\\\"\":\"\\ud83d\\ude00\\n\\u001f\x7F/\",\"\":\"\\\\\"}");
    const char *text = encode();
    int descriptor = mkstemp(file);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    close(descriptor);
    snprintf(
        command, sizeof command,
        "python3 -c 'import json; print(json.dumps(json.load(open(\"%s\")), indent=2))'", file);
    FILE *python = popen(command, "r");
    size_t size = fread(back, 1, sizeof back - 1, python);
    int exit_status = pclose(python);
    unlink(file);
    assert_int_equal(exit_status, 0);
    assert_non_null(strstr(back, "\\ud83d\\ude00\\n\\u001f\\u007f/"));
    assert_int_equal(decode_bytes(back, size), VARVE_OK);
    assert_string_equal(encode(), text);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(integers_are_read_from_any_number_that_is_whole),
        TEST(integers_out_of_range_are_refused),
        TEST(long_numbers_are_read_exactly),
        TEST(numbers_beyond_a_double_are_infinities),
        TEST(every_escape_is_read),
        TEST(commas_and_brackets_in_strings_are_text),
        TEST(commas_in_strings_take_no_elements),
        TEST(of_repeated_keys_the_last_is_read),
        TEST(large_maps_are_unique_in_good_time),
        TEST(repeated_neighbours_in_a_large_map_count_once),
        TEST(without_memory_nothing_is_changed),
        TEST(the_locale_changes_nothing),
        TEST(python_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
