/* Repeated keys of maps. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "codec/map.h"

static void
the_last_of_a_repeated_key_wins(void **state)
{
    (void)state;
    void *record;
    assert_int_equal(
        UNPACK(
            "\x5A\x06\x0A\x01"
            "a\x12\x01"
            "1\x5A\x06\x0A\x01"
            "b\x12\x01"
            "2"
            "\x5A\x06\x0A\x01"
            "a\x12\x01"
            "3\x5A\x06\x0A\x01"
            "c\x12\x01"
            "4",
            &record),
        VARVE_OK);
    struct lab_sample *sample = record;
    assert_int_equal(sample->metadata.count, 3);
    assert_string_equal(sample->metadata.data[0]->key, "b");
    assert_string_equal(sample->metadata.data[1]->key, "a");
    assert_string_equal(sample->metadata.data[1]->value, "3");
    assert_string_equal(sample->metadata.data[2]->key, "c");
    varve_record_free(record);
}

static void
key_and_value_that_are_missing_are_empty(void **state)
{
    (void)state;
    void *record;
    assert_int_equal(UNPACK("\x5A\x00\x92\x01\x00", &record), VARVE_OK);
    struct lab_sample *sample = record;
    assert_string_equal(sample->metadata.data[0]->key, "");
    assert_string_equal(sample->metadata.data[0]->value, "");
    assert_int_equal(sample->nodes.data[0]->key, 0);
    assert_null(sample->nodes.data[0]->value);
    varve_record_free(record);
}

static void
many_repeated_keys_stay_cheap(void **state)
{
    (void)state;
    enum {
        ENTRIES = 200000,
        KEYS = 1000
    };
    uint8_t *wire = test_malloc(ENTRIES * 6);
    uint8_t *at = wire;
    void *record;
    for (size_t i = 0; i < ENTRIES; i++) {
        size_t key = i % KEYS;
        uint8_t entry[6] = {0x92, 1, 3, 8, (uint8_t)(key | 0x80), (uint8_t)(key >> 7)};
        memcpy(at, entry, sizeof entry);
        at += sizeof entry;
    }
    assert_int_equal(
        varve_record_unpack(&lab_sample_record, wire, (size_t)(at - wire), &record), VARVE_OK);
    struct lab_sample *sample = record;
    assert_int_equal(sample->nodes.count, KEYS);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(sample->nodes.data[i]->key, i);
    varve_record_free(record);
    test_free(wire);
}

static void
entries_are_sorted_by_key_and_place(void **state)
{
    (void)state;
    struct lab_sample_nodes_entry entries[50];
    struct varve__entry sorted[50];
    const ProtobufCFieldDescriptor *key = varve__entry_key(&lab_sample_nodes_entry_record);
    for (size_t count = 0; count <= 50; count++) {
        for (size_t i = 0; i < count; i++) {
            entries[i].key = (int32_t)(i * 7919 % 13) - 6;
            sorted[i] = (struct varve__entry){&entries[i], i};
        }
        varve__entries_sort(key, sorted, count);
        for (size_t i = 1; i < count; i++) {
            int order = varve__key_compare(key, sorted[i - 1].entry, sorted[i].entry);
            assert_true(order < 0 || (order == 0 && sorted[i - 1].place < sorted[i].place));
        }
    }
}

static void
large_maps_are_compared_by_key(void **state)
{
    (void)state;
    static struct lab_sample_nodes_entry entries[100];
    struct lab_sample_nodes_entry *forwards[100];
    struct lab_sample_nodes_entry *backwards[100];
    struct lab_sample a = LAB_SAMPLE_INIT;
    struct lab_sample b = LAB_SAMPLE_INIT;
    for (int i = 0; i < 100; i++) {
        varve_record_init(&lab_sample_nodes_entry_record, &entries[i]);
        entries[i].key = i;
        forwards[i] = backwards[99 - i] = &entries[i];
    }
    a.nodes.count = b.nodes.count = 100;
    a.nodes.data = forwards;
    b.nodes.data = backwards;
    assert_true(varve_record_equal(&lab_sample_record, &a, &b));
    count_allocations(1); /* without memory the answer is the same */
    assert_true(varve_record_equal(&lab_sample_record, &a, &b));
    stop_counting();
    backwards[7] = &entries[0];
    assert_false(varve_record_equal(&lab_sample_record, &a, &b));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_of_a_repeated_key_wins),
        cmocka_unit_test(key_and_value_that_are_missing_are_empty),
        cmocka_unit_test(many_repeated_keys_stay_cheap),
        cmocka_unit_test(entries_are_sorted_by_key_and_place),
        cmocka_unit_test(large_maps_are_compared_by_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
