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

static void
of_repeated_keys_the_last_is_compared(void **state)
{
    (void)state;
    struct lab_sample_metadata_entry old = LAB_SAMPLE_METADATA_ENTRY_INIT;
    struct lab_sample_metadata_entry new = LAB_SAMPLE_METADATA_ENTRY_INIT;
    struct lab_sample_metadata_entry *both[] = {&old, &new};
    struct lab_sample_metadata_entry *turned[] = {&new, &old};
    struct lab_sample_metadata_entry *last[] = {&new};
    struct lab_sample a = LAB_SAMPLE_INIT;
    struct lab_sample b = LAB_SAMPLE_INIT;
    old.value = "old";
    new.value = "new";
    a.metadata.count = 2;
    a.metadata.data = both;
    b.metadata.count = 1;
    b.metadata.data = last;
    assert_true(varve_record_equal(&lab_sample_record, &a, &b));
    assert_true(varve_record_equal(&lab_sample_record, &b, &a));
    a.metadata.data = turned;
    assert_false(varve_record_equal(&lab_sample_record, &a, &b));
    assert_false(varve_record_equal(&lab_sample_record, &b, &a));
}

static void
repeated_keys_without_memory(void **state)
{
    (void)state;
    static struct lab_sample_nodes_entry entries[50];
    struct lab_sample_nodes_entry *once[50];
    struct lab_sample_nodes_entry *twice[100];
    struct lab_sample a = LAB_SAMPLE_INIT;
    struct lab_sample b = LAB_SAMPLE_INIT;
    for (int i = 0; i < 50; i++) {
        varve_record_init(&lab_sample_nodes_entry_record, &entries[i]);
        entries[i].key = i;
        once[i] = twice[i] = twice[99 - i] = &entries[i];
    }
    a.nodes.count = 50;
    a.nodes.data = once;
    b.nodes.count = 100;
    b.nodes.data = twice;
    for (size_t fail_at = 0; fail_at < 2; fail_at++) {
        count_allocations(fail_at);
        assert_true(varve_record_equal(&lab_sample_record, &a, &b));
        assert_true(varve_record_equal(&lab_sample_record, &b, &a));
        a.nodes.count = 49;
        assert_false(varve_record_equal(&lab_sample_record, &a, &b));
        assert_false(varve_record_equal(&lab_sample_record, &b, &a));
        a.nodes.count = 50;
        stop_counting();
    }
}

static void
a_map_with_a_null_entry_equals_nothing(void **state)
{
    (void)state;
    struct lab_sample_metadata_entry entry = LAB_SAMPLE_METADATA_ENTRY_INIT;
    struct lab_sample_metadata_entry *first[] = {&entry, NULL};
    struct lab_sample_metadata_entry *second[] = {&entry, NULL};
    struct lab_sample a = LAB_SAMPLE_INIT;
    struct lab_sample b = LAB_SAMPLE_INIT;
    a.metadata.count = b.metadata.count = 2;
    a.metadata.data = first;
    b.metadata.data = second;
    assert_false(varve_record_equal(&lab_sample_record, &a, &b));
    b.metadata.data = NULL;
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
        cmocka_unit_test(of_repeated_keys_the_last_is_compared),
        cmocka_unit_test(repeated_keys_without_memory),
        cmocka_unit_test(a_map_with_a_null_entry_equals_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
