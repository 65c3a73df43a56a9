/* Empty records, unknown fields forgotten, presence, names of enum values, sizes of element types. */
#include "support.h"

#include <string.h>

#include "codec/field.h"

static void
an_initialised_record_is_empty(void **state)
{
    (void)state;
    struct lab_sample sample;
    struct lab_sample expected = LAB_SAMPLE_INIT;
    memset(&sample, 0x5A, sizeof sample);
    varve_record_init(&lab_sample_record, &sample);
    assert_true(varve_record_equal(&lab_sample_record, &sample, &expected));
    assert_string_equal(sample.name, "");
    assert_null(sample.note);
}

static void
unknown_fields_are_forgotten_at_every_level(void **state)
{
    (void)state;
    void *record;
    /* in the record, root, root.children[0], nodes[0], nodes[0].value */
    assert_int_equal(
        UNPACK(
            "\xE8\x01\x01\x62\x07\x30\x01\x22\x03\xA0\x06\x01\x92\x01\x06\x18\x01\x12\x02\x30\x01",
            &record),
        VARVE_OK);
    struct lab_sample *sample = record;
    assert_int_equal(sample->nodes.data[0]->base.n_unknown_fields, 1);
    varve_record_clear_unknown(&lab_sample_record, record);
    assert_int_equal(sample->base.n_unknown_fields, 0);
    assert_int_equal(sample->root->base.n_unknown_fields, 0);
    assert_int_equal(sample->root->children.data[0]->base.n_unknown_fields, 0);
    assert_int_equal(sample->nodes.data[0]->base.n_unknown_fields, 0);
    assert_int_equal(sample->nodes.data[0]->value->base.n_unknown_fields, 0);
    varve_record_free(record);
}

static bool
has(const struct lab_sample *sample, uint32_t number)
{
    return varve__is_present(&lab_sample_descriptor.fields[number - 1], sample);
}

static void
what_cannot_be_absent_is_always_present(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    uint32_t fields[] = {1, 2, 4, 5, 7, 9, 11, 16, 18}; /* numbers, text, bytes, lists, maps */
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        assert_true(has(&sample, fields[i]));
    assert_true(varve__is_present(
        &lab_sample_metadata_entry_descriptor.fields[0],
        &(struct lab_sample_metadata_entry)LAB_SAMPLE_METADATA_ENTRY_INIT));
}

static void
optional_fields_are_present_when_they_are_set(void **state)
{
    (void)state;
    struct lab_node node = LAB_NODE_INIT;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.rank = 1; /* without has_rank */
    assert_false(has(&sample, 3) || has(&sample, 6) || has(&sample, 12) || has(&sample, 20));
    sample.note = "";
    assert_true(has(&sample, 3));
    sample.has_rank = 1;
    assert_true(has(&sample, 6));
    sample.root = &node;
    assert_true(has(&sample, 12));
    sample.has_raw = 2;
    assert_true(has(&sample, 20));
}

static void
of_a_oneof_the_chosen_member_is_present(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.text = "not chosen";
    assert_false(has(&sample, 13) || has(&sample, 14) || has(&sample, 15));
    sample.choice_case = LAB_SAMPLE_CHOICE_NUMBER;
    sample.number = 0;
    assert_true(has(&sample, 13));
    assert_false(has(&sample, 14) || has(&sample, 15));
}

static void
enum_values_have_names(void **state)
{
    (void)state;
    int value = 42;
    assert_string_equal(varve_enum_name(&lab_mode_descriptor, -1), "STOP");
    assert_string_equal(varve_enum_name(&lab_mode_descriptor, 1), "RUN");
    assert_null(varve_enum_name(&lab_mode_descriptor, 2));
    assert_true(varve_enum_parse(&lab_mode_descriptor, "STOP", &value));
    assert_int_equal(value, -1);
    assert_false(varve_enum_parse(&lab_mode_descriptor, "stop", &value));
    assert_false(varve_enum_parse(&lab_mode_descriptor, NULL, &value));
    assert_int_equal(value, -1);
}

static void
element_types_have_sizes(void **state)
{
    (void)state;
    assert_int_equal(varve_dtype_size(VARVE_DTYPE_FLOAT64), 8);
    assert_int_equal(varve_dtype_size(VARVE_DTYPE_FLOAT16), 2);
    assert_int_equal(varve_dtype_size(VARVE_DTYPE_INT8), 1);
    for (int i = VARVE_DTYPE_FLOAT32; i <= VARVE_DTYPE_FLOAT16; i++)
        assert_true(varve_dtype_size((enum varve_dtype)i) > 0);
    assert_int_equal(varve_dtype_size((enum varve_dtype)0), 0);
    assert_int_equal(varve_dtype_size((enum varve_dtype)12), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_initialised_record_is_empty),
        cmocka_unit_test(unknown_fields_are_forgotten_at_every_level),
        cmocka_unit_test(what_cannot_be_absent_is_always_present),
        cmocka_unit_test(optional_fields_are_present_when_they_are_set),
        cmocka_unit_test(of_a_oneof_the_chosen_member_is_present),
        cmocka_unit_test(enum_values_have_names),
        cmocka_unit_test(element_types_have_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
