/* Empty records, unknown fields forgotten, names of enum values, sizes of element types. */
#include "support.h"

#include <string.h>

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
        cmocka_unit_test(enum_values_have_names),
        cmocka_unit_test(element_types_have_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
