/* Clones and comparisons. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "codec/field.h"

static void
a_clone_is_equal_and_its_own(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    void *copy;
    assert_int_equal(varve_record_clone(&lab_sample_record, &sample, &copy), VARVE_OK);
    struct lab_sample *clone = copy;
    assert_true(varve_record_equal(&lab_sample_record, clone, &sample));
    assert_ptr_not_equal(clone->tags.data, sample.tags.data);
    assert_ptr_not_equal(clone->root->children.data[1], sample.root->children.data[1]);
    assert_ptr_not_equal(clone->metadata.data[0]->key, sample.metadata.data[0]->key);
    varve_record_free(copy);
}

static void
a_clone_is_one_allocation(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    void *copy;
    count_allocations(0);
    assert_int_equal(varve_record_clone(&lab_sample_record, &sample, &copy), VARVE_OK);
    varve_record_free(copy);
    assert_int_equal(stop_counting(), 1);
}

static void
a_clone_has_the_unknown_fields(void **state)
{
    (void)state;
    void *record;
    void *copy;
    assert_int_equal(UNPACK("\xE8\x01\xAC\x02\x62\x03\xA0\x06\x01", &record), VARVE_OK);
    assert_int_equal(varve_record_clone(&lab_sample_record, record, &copy), VARVE_OK);
    assert_true(varve_record_equal(&lab_sample_record, record, copy));
    varve_record_free(record);
    struct lab_sample *clone = copy;
    assert_int_equal(clone->base.n_unknown_fields, 1);
    assert_int_equal(clone->root->base.unknown_fields[0].tag, 100);
    clone->base.n_unknown_fields = 0;
    assert_false(varve_record_equal(&lab_sample_record, lab_sample_record.initial, copy));
    varve_record_free(copy);
}

static void
a_tensor_that_is_not_loaded_stays_so(void **state)
{
    (void)state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    void *copy;
    sample.weights.count = 9;
    assert_int_equal(varve_record_clone(&lab_sample_record, &sample, &copy), VARVE_OK);
    struct lab_sample *clone = copy;
    assert_int_equal(clone->weights.count, 9);
    assert_null(clone->weights.data);
    assert_true(varve_record_equal(&lab_sample_record, &sample, clone));
    varve_record_free(copy);
}

static void
a_dtype_tensor_is_copied_whole(void **state)
{
    (void)state;
    int16_t samples[] = {1, -2, 300};
    struct lab_trace trace = LAB_TRACE_INIT;
    void *copy;
    trace.length = 3;
    trace.samples = (struct varve_int16s){3, samples};
    assert_int_equal(varve_record_clone(&lab_trace_record, &trace, &copy), VARVE_OK);
    assert_true(varve_record_equal(&lab_trace_record, &trace, copy));
    ((struct lab_trace *)copy)->samples.data[2] = 301;
    assert_false(varve_record_equal(&lab_trace_record, &trace, copy));
    varve_record_free(copy);
}

static void
each_field_makes_a_difference(void **state)
{
    (void)state;
    struct lab_sample full = full_sample();
    for (unsigned i = 0; i < lab_sample_descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &lab_sample_descriptor.fields[i];
        struct lab_sample other = full;
        bool quantified = field->quantifier_offset != 0;
        size_t size = quantified ? sizeof(uint32_t) : varve__element_size(field->type);
        memset((char *)&other + (quantified ? field->quantifier_offset : field->offset), 0, size);
        if (field->id == 13 || field->id == 15)
            continue; /* the choice is tried with its text, 14 */
        if (varve_record_equal(&lab_sample_record, &full, &other))
            fail_msg("%s makes no difference", field->name);
    }
}

static void
nan_equals_nan_and_zero_equals_minus_zero(void **state)
{
    (void)state;
    struct lab_sample a = LAB_SAMPLE_INIT;
    struct lab_sample b = LAB_SAMPLE_INIT;
    float first[] = {NAN, 0.0f};
    float second[] = {-NAN, -0.0f};
    a.score = b.score = NAN;
    a.ratios = (struct varve_floats){2, first};
    b.ratios = (struct varve_floats){2, second};
    assert_true(varve_record_equal(&lab_sample_record, &a, &b));
    second[1] = 1;
    assert_false(varve_record_equal(&lab_sample_record, &a, &b));
}

static void
maps_are_equal_in_any_order(void **state)
{
    (void)state;
    struct lab_sample a = full_sample();
    struct lab_sample b = a;
    struct lab_sample_metadata_entry *turned[] = {a.metadata.data[1], a.metadata.data[0]};
    struct lab_sample_metadata_entry *twice[] = {a.metadata.data[0], a.metadata.data[0]};
    b.metadata.data = turned;
    assert_true(varve_record_equal(&lab_sample_record, &a, &b));
    b.metadata.data = twice;
    assert_false(varve_record_equal(&lab_sample_record, &a, &b));
    assert_false(varve_record_equal(&lab_sample_record, &b, &a));
}

static void
a_map_value_that_is_null_equals_an_empty_one(void **state)
{
    (void)state;
    struct lab_node empty = LAB_NODE_INIT;
    struct lab_sample_nodes_entry with = LAB_SAMPLE_NODES_ENTRY_INIT;
    struct lab_sample_nodes_entry without = LAB_SAMPLE_NODES_ENTRY_INIT;
    with.value = &empty;
    assert_true(varve_record_equal(&lab_sample_nodes_entry_record, &with, &without));
    empty.value = 1;
    assert_false(varve_record_equal(&lab_sample_nodes_entry_record, &with, &without));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clone_is_equal_and_its_own),
        cmocka_unit_test(a_clone_is_one_allocation),
        cmocka_unit_test(a_clone_has_the_unknown_fields),
        cmocka_unit_test(a_tensor_that_is_not_loaded_stays_so),
        cmocka_unit_test(a_dtype_tensor_is_copied_whole),
        cmocka_unit_test(each_field_makes_a_difference),
        cmocka_unit_test(nan_equals_nan_and_zero_equals_minus_zero),
        cmocka_unit_test(maps_are_equal_in_any_order),
        cmocka_unit_test(a_map_value_that_is_null_equals_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
