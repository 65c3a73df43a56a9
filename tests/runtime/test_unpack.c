/* Packing and unpacking of good records. */
#include "support.h"

#include <string.h>

#include "codec/pack.h"

static void
every_field_comes_back(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    struct varve_bytes bytes;
    struct varve_bytes again;
    void *record;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_OK);
    assert_int_equal(bytes.size, protobuf_c_message_get_packed_size(&sample.base));
    assert_int_equal(
        varve_record_unpack(&lab_sample_record, bytes.data, bytes.size, &record), VARVE_OK);
    assert_true(varve_record_equal(&lab_sample_record, record, &sample));
    assert_int_equal(varve_record_pack(&lab_sample_record, record, &again), VARVE_OK);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    varve_record_free(record);
    varve_bytes_free(&bytes);
    varve_bytes_free(&again);
}

static void
a_record_is_one_allocation(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    struct varve_bytes bytes;
    void *record;
    assert_int_equal(varve_record_pack(&lab_sample_record, &sample, &bytes), VARVE_OK);
    count_allocations(0);
    assert_int_equal(
        varve_record_unpack(&lab_sample_record, bytes.data, bytes.size, &record), VARVE_OK);
    varve_record_free(record);
    assert_int_equal(stop_counting(), 1);
    varve_bytes_free(&bytes);
}

static void
nothing_is_an_empty_record(void **state)
{
    (void)state;
    void *record;
    assert_int_equal(varve_record_unpack(&lab_sample_record, NULL, 0, &record), VARVE_OK);
    assert_true(varve_record_equal(&lab_sample_record, record, lab_sample_record.initial));
    assert_string_equal(((struct lab_sample *)record)->name, "");
    assert_null(((struct lab_sample *)record)->note);
    varve_record_free(record);
}

static void
unknown_fields_are_kept(void **state)
{
    (void)state;
    static const char wire[] = "\x08\x05\xE8\x01\xAC\x02\xF2\x01\x02hi\xF9\x01"
                               "12345678\xFD\x01"
                               "1234"
                               "\x62\x03\xA0\x06\x01";
    struct lab_sample *sample;
    struct varve_bytes bytes;
    void *record;
    assert_int_equal(UNPACK(wire, &record), VARVE_OK);
    sample = record;
    assert_int_equal(sample->base.n_unknown_fields, 4);
    assert_int_equal(sample->root->base.n_unknown_fields, 1);
    assert_int_equal(varve_record_pack(&lab_sample_record, record, &bytes), VARVE_OK);
    assert_int_equal(bytes.size, sizeof wire - 1);
    varve_bytes_free(&bytes);
    varve_record_clear_unknown(&lab_sample_record, record);
    assert_int_equal(varve_record_pack(&lab_sample_record, record, &bytes), VARVE_OK);
    assert_int_equal(bytes.size, 4);
    varve_bytes_free(&bytes);
    varve_record_free(record);
}

static void
repeated_numbers_come_packed_or_not(void **state)
{
    (void)state;
    void *record;
    assert_int_equal(
        UNPACK("\x50\x01\x52\x02\x02\x03\x50\x04\x08\x07\x50\x05\x52\x00", &record), VARVE_OK);
    struct lab_sample *sample = record;
    assert_int_equal(sample->counts.count, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(sample->counts.data[i], i + 1);
    varve_record_free(record);
}

static void
a_message_in_two_parts_is_one(void **state)
{
    (void)state;
    void *record;
    /* root { value: 5 children {} } root { label: "x" children {} } */
    assert_int_equal(
        UNPACK("\x62\x04\x08\x05\x22\x00\x62\x05\x2A\x01x\x22\x00", &record), VARVE_OK);
    struct lab_sample *sample = record;
    assert_int_equal(sample->root->value, 5);
    assert_string_equal(sample->root->label, "x");
    assert_int_equal(sample->root->children.count, 2);
    varve_record_free(record);
}

static void
the_last_member_of_a_oneof_wins(void **state)
{
    (void)state;
    void *record;
    /* node { value: 5 } text: "t" node { label: "x" } */
    assert_int_equal(UNPACK("\x7A\x02\x08\x05\x72\x01t\x7A\x03\x2A\x01x", &record), VARVE_OK);
    struct lab_sample *sample = record;
    assert_int_equal(sample->choice_case, LAB_SAMPLE_CHOICE_NODE);
    assert_int_equal(sample->node->value, 0);
    assert_string_equal(sample->node->label, "x");
    varve_record_free(record);
}

static void
the_last_of_a_plain_field_wins(void **state)
{
    (void)state;
    void *record;
    assert_int_equal(UNPACK("\x08\x01\x12\x01y\x08\x02\x12\x01z", &record), VARVE_OK);
    struct lab_sample *sample = record;
    assert_int_equal(sample->id, 2);
    assert_string_equal(sample->name, "z");
    varve_record_free(record);
}

static void
numbers_of_a_wider_type_are_cut(void **state)
{
    (void)state;
    void *record;
    /* rank: 2^32 + 7, mode: -1 in 64 bits, ready: 2 */
    assert_int_equal(
        UNPACK(
            "\x30\x87\x80\x80\x80\x10\x38\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x40\x02",
            &record),
        VARVE_OK);
    struct lab_sample *sample = record;
    assert_int_equal(sample->rank, 7);
    assert_true(sample->has_rank);
    assert_int_equal(sample->mode, LAB_STOP);
    assert_int_equal(sample->ready, 1);
    varve_record_free(record);
}

static void
elements_in_many_runs_stay_cheap(void **state)
{
    (void)state;
    enum {
        RUNS = 20000
    };
    char *wire = test_malloc(RUNS * 4);
    void *record;
    for (size_t i = 0; i < RUNS; i++)
        memcpy(wire + i * 4, "\x4A\x00\x50\x07", 4);
    count_allocations(0);
    assert_int_equal(
        varve_record_unpack(&lab_sample_record, wire, (size_t)RUNS * 4, &record), VARVE_OK);
    assert_int_equal(((struct lab_sample *)record)->tags.count, RUNS);
    assert_int_equal(((struct lab_sample *)record)->counts.count, RUNS);
    varve_record_free(record);
    assert_in_range(stop_counting(), 1, 12);
    test_free(wire);
}

static void
dtype_tensors_count_elements_in_memory_and_bytes_on_the_wire(void **state)
{
    (void)state;
    int16_t samples[] = {1, -2, 300};
    struct lab_trace trace = LAB_TRACE_INIT;
    struct varve_bytes bytes;
    void *record;
    trace.length = 3;
    trace.samples = (struct varve_int16s){3, samples};
    assert_int_equal(varve_record_pack(&lab_trace_record, &trace, &bytes), VARVE_OK);
    assert_int_equal(trace.samples.count, 3);
    assert_int_equal(bytes.size, 10);
    assert_memory_equal(bytes.data, "\x08\x03\x12\x06\x01\x00\xFE\xFF\x2C\x01", 10);
    assert_int_equal(
        varve_record_unpack(&lab_trace_record, bytes.data, bytes.size, &record), VARVE_OK);
    assert_int_equal(((struct lab_trace *)record)->samples.count, 3);
    assert_true(varve_record_equal(&lab_trace_record, record, &trace));
    varve_record_free(record);
    varve_bytes_free(&bytes);
}

static void
a_part_of_a_checked_record_is_packed_without_its_dims(void **state)
{
    (void)state;
    struct lab_trace trace = LAB_TRACE_INIT;
    struct varve_bytes bytes;
    trace.length = 3; /* three samples would be expected */
    assert_int_equal(varve__record_pack_checked(&lab_trace_record, &trace, &bytes), VARVE_OK);
    assert_int_equal(bytes.size, 2);
    varve_bytes_free(&bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(a_record_is_one_allocation),
        cmocka_unit_test(nothing_is_an_empty_record),
        cmocka_unit_test(unknown_fields_are_kept),
        cmocka_unit_test(repeated_numbers_come_packed_or_not),
        cmocka_unit_test(a_message_in_two_parts_is_one),
        cmocka_unit_test(the_last_member_of_a_oneof_wins),
        cmocka_unit_test(the_last_of_a_plain_field_wins),
        cmocka_unit_test(numbers_of_a_wider_type_are_cut),
        cmocka_unit_test(elements_in_many_runs_stay_cheap),
        cmocka_unit_test(dtype_tensors_count_elements_in_memory_and_bytes_on_the_wire),
        cmocka_unit_test(a_part_of_a_checked_record_is_packed_without_its_dims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
