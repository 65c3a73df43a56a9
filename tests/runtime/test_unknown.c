/* Unknown fields: the merge of what a table holds with what a record brings, and records that were
 * cleared. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/check.h"
#include "codec/unknown.h"

struct run {
    const char *bytes;
    size_t size;
};

/* clang-format off */
#define RUN(literal) { literal, sizeof(literal) - 1 }
/* clang-format on */

/* Merges copies that have nothing behind them, so that no byte too many is read unseen. */
static enum varve_status
merge(const struct run *stored, const struct run *given, uint8_t **merged, size_t *size)
{
    uint8_t *copies[2] = {malloc(stored->size), malloc(given->size)};
    memcpy(copies[0], stored->bytes, stored->size);
    memcpy(copies[1], given->bytes, given->size);
    enum varve_status status =
        varve__unknown_merge(copies[0], stored->size, copies[1], given->size, merged, size);
    free(copies[0]);
    free(copies[1]);
    return status;
}

/* ------------------------------------------------------------------ merging */

static void
given_fields_replace_those_of_their_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct run stored, given, merged;
    } rows[] = {
        {"nothing at all", RUN(""), RUN(""), RUN("")},
        {"nothing stored", RUN(""), RUN("\x08\x01"), RUN("\x08\x01")},
        {"nothing given", RUN("\x08\x01\x10\x02"), RUN(""), RUN("\x08\x01\x10\x02")},
        {"other numbers", RUN("\x18\x03\x08\x01"), RUN("\x10\x02"),
         RUN("\x18\x03\x08\x01\x10\x02")},
        {"the same number", RUN("\x08\x01\x10\x02\x18\x03"), RUN("\x10\x09"),
         RUN("\x08\x01\x18\x03\x10\x09")},
        {"a number that repeats in what is stored", RUN("\x08\x01\x10\x02\x08\x03\x18\x04"),
         RUN("\x08\x09"), RUN("\x10\x02\x18\x04\x08\x09")},
        {"a number that repeats in what is given", RUN("\x10\x05\x10\x06\x18\x04"),
         RUN("\x10\x01\x08\x02\x10\x03"), RUN("\x18\x04\x10\x01\x08\x02\x10\x03")},
        {"every number", RUN("\x08\x01\x10\x02"), RUN("\x10\x03\x08\x04"), RUN("\x10\x03\x08\x04")},
        {"another wire type", RUN("\x08\x01\x10\x02"), RUN("\x0A\x02hi"),
         RUN("\x10\x02\x0A\x02hi")},
        {"every wire type",
         RUN("\x08\x96\x01\x11"
             "12345678\x1A\x03\x08\x01\x10\x25"
             "1234"),
         RUN("\x1A\x00"),
         RUN("\x08\x96\x01\x11"
             "12345678\x25"
             "1234\x1A\x00")},
        {"large numbers", RUN("\xF8\xFF\xFF\xFF\x0F\x01\xF0\xFF\xFF\xFF\x0F\x02"),
         RUN("\xF8\xFF\xFF\xFF\x0F\x03"), RUN("\xF0\xFF\xFF\xFF\x0F\x02\xF8\xFF\xFF\xFF\x0F\x03")},
        {"a tag in more bytes than it needs", RUN("\x88\x00\x01\x10\x02"), RUN("\x08\x03"),
         RUN("\x10\x02\x08\x03")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t *merged;
        size_t size;
        if (merge(&rows[i].stored, &rows[i].given, &merged, &size) != VARVE_OK)
            fail_msg("%s: %s", rows[i].what, varve__thread_error());
        if (size != rows[i].merged.size || memcmp(merged, rows[i].merged.bytes, size) != 0)
            fail_msg("%s: not merged so", rows[i].what);
        varve__release(merged);
    }
}

static void
empty_runs_may_be_null(void **state)
{
    (void)state;
    uint8_t *merged;
    size_t size;
    assert_int_equal(varve__unknown_merge(NULL, 0, NULL, 0, &merged, &size), VARVE_OK);
    assert_non_null(merged);
    assert_int_equal(size, 0);
    varve__release(merged);
}

static const struct {
    struct run bytes;
    size_t good; /* bytes before the damage */
} damaged[] = {
    {RUN("\x08"), 0},                                             /* no value */
    {RUN("\x08\x01\x10\x80"), 2},                                 /* a varint cut */
    {RUN("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), 0}, /* of eleven bytes */
    {RUN("\x08\x01\x00\x01"), 2},                                 /* number 0 */
    {RUN("\x80"), 0},                                             /* a tag cut */
    {RUN("\xF8\xFF\xFF\xFF\x1F\x01"), 0},                         /* of more than 32 bits */
    {RUN("\x09"
         "1234567"),
     0},
    {RUN("\x0D"
         "123"),
     0},
    {RUN("\x0A\x02x"), 0},
    {RUN("\x0A\xFF\xFF\xFF\xFF\x0Fx"), 0},
    {RUN("\x0A"), 0},
    {RUN("\x08\x01\x0B\x0C"), 2}, /* a group */
    {RUN("\x0C"), 0},             /* its end alone */
    {RUN("\x0E\x01"), 0},         /* wire types that do not exist */
    {RUN("\x0F\x01"), 0},
};

static void
damage_is_refused_on_either_side(void **state)
{
    (void)state;
    static const struct run fine = RUN("\x08\x01");
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        uint8_t *merged = NULL;
        size_t size = 1;
        char words[40];
        snprintf(words, sizeof words, "no fields (byte %zu", damaged[i].good);
        assert_int_equal(merge(&damaged[i].bytes, &fine, &merged, &size), VARVE_TYPE);
        assert_failure(VARVE_FAILURE_WIRE, words);
        assert_failure(VARVE_FAILURE_WIRE, "the column varve_unknown");
        assert_int_equal(varve__thread_failure()->tier, VARVE_TIER_TABLE);
        assert_null(merged);
        assert_int_equal(size, 0);
        assert_int_equal(merge(&fine, &damaged[i].bytes, &merged, &size), VARVE_INVALID);
        assert_failure(VARVE_FAILURE_WIRE, words);
        assert_failure(VARVE_FAILURE_WIRE, "the record's unknown fields");
        assert_null(merged);
    }
}

/* One field of random number and type with a little content; its size. */
static size_t
random_field(uint8_t *at)
{
    static const unsigned types[] = {0, 1, 2, 5};
    unsigned type = types[rand() % 4];
    size_t size = type == 0 ? 1 : type == 1 ? 8 : type == 5 ? 4 : (size_t)rand() % 3;
    uint8_t *start = at;
    *at++ = (uint8_t)((unsigned)(1 + rand() % 8) << 3 | type);
    if (type == 2)
        *at++ = (uint8_t)size;
    for (size_t i = 0; i < size; i++)
        *at++ = (uint8_t)(rand() & 0x7F);
    return (size_t)(at - start);
}

/* The same by the definition: each stored field against each given one. */
static size_t
merge_slowly(
    const uint8_t *stored,
    const size_t *stored_sizes,
    size_t stored_count,
    const uint8_t *given,
    const size_t *given_sizes,
    size_t given_count,
    uint8_t *merged)
{
    size_t size = 0;
    for (size_t i = 0; i < stored_count; stored += stored_sizes[i++]) {
        bool replaced = false;
        const uint8_t *at = given;
        for (size_t k = 0; k < given_count; at += given_sizes[k++])
            replaced = replaced || *at >> 3 == *stored >> 3;
        if (replaced)
            continue;
        memcpy(merged + size, stored, stored_sizes[i]);
        size += stored_sizes[i];
    }
    for (size_t k = 0; k < given_count; given += given_sizes[k++]) {
        memcpy(merged + size, given, given_sizes[k]);
        size += given_sizes[k];
    }
    return size;
}

static void
random_runs_merge_as_the_definition_says(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[2][64];
        size_t sizes[2][6];
        size_t counts[2];
        size_t used[2] = {0, 0};
        uint8_t expected[128];
        uint8_t *merged;
        size_t size;
        for (int side = 0; side < 2; side++) {
            counts[side] = (size_t)rand() % 6;
            for (size_t i = 0; i < counts[side]; i++) {
                sizes[side][i] = random_field(bytes[side] + used[side]);
                used[side] += sizes[side][i];
            }
        }
        size_t expected_size =
            merge_slowly(bytes[0], sizes[0], counts[0], bytes[1], sizes[1], counts[1], expected);
        assert_int_equal(
            varve__unknown_merge(bytes[0], used[0], bytes[1], used[1], &merged, &size), VARVE_OK);
        assert_int_equal(size, expected_size);
        assert_memory_equal(merged, expected, size);
        varve__release(merged);
    }
}

/* Four bytes each, numbers from `first` on in steps of two, the last one first. */
static uint8_t *
many_fields(uint32_t count, uint32_t first)
{
    uint8_t *bytes = malloc((size_t)count * 4);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t tag = (first + 2 * (count - 1 - i)) << 3;
        bytes[4 * i] = (uint8_t)(tag | 0x80);
        bytes[4 * i + 1] = (uint8_t)(tag >> 7 | 0x80);
        bytes[4 * i + 2] = (uint8_t)(tag >> 14);
        bytes[4 * i + 3] = 1;
    }
    return bytes;
}

/* Would take minutes if it compared each with each. */
static void
many_fields_merge_soon(void **state)
{
    (void)state;
    enum {
        FIELDS = 120000
    };
    uint8_t *odd = many_fields(FIELDS, 1025);
    uint8_t *even = many_fields(FIELDS, 1024);
    uint8_t *merged;
    size_t size;
    size_t side = (size_t)FIELDS * 4;
    assert_int_equal(varve__unknown_merge(odd, side, even, side, &merged, &size), VARVE_OK);
    assert_int_equal(size, 2 * side);
    assert_memory_equal(merged, odd, side);
    assert_memory_equal(merged + side, even, side);
    varve__release(merged);
    assert_int_equal(varve__unknown_merge(odd, side, odd, side, &merged, &size), VARVE_OK);
    assert_int_equal(size, side);
    varve__release(merged);
    free(odd);
    free(even);
}

static void
merging_without_memory_is_a_failure(void **state)
{
    (void)state;
    static const struct run fine = RUN("\x08\x01");
    uint8_t *merged = NULL;
    size_t size = 1;
    count_allocations(1);
    assert_int_equal(merge(&fine, &fine, &merged, &size), VARVE_NO_MEMORY);
    assert_int_equal(stop_counting(), 1);
    assert_null(merged);
    assert_int_equal(size, 0);
}

/* ------------------------------------------------------------------ cleared records */

static void
only_a_record_that_was_cleared_is(void **state)
{
    (void)state;
    struct lab_sample fresh = LAB_SAMPLE_INIT;
    struct lab_sample *sample;
    void *record;
    assert_false(varve__unknown_is_cleared(&fresh.base));
    assert_int_equal(UNPACK("\x08\x05\x62\x00", &record), VARVE_OK);
    sample = record;
    assert_false(varve__unknown_is_cleared(&sample->base));
    varve_record_clear_unknown(&lab_sample_record, record);
    assert_true(varve__unknown_is_cleared(&sample->base));
    assert_false(varve__unknown_is_cleared(&sample->root->base));
    assert_null(sample->root->base.unknown_fields);
    varve_record_init(&lab_sample_record, &fresh);
    assert_false(varve__unknown_is_cleared(&fresh.base));
    varve_record_free(record);
}

static void
a_cleared_record_may_be_given_fields_again(void **state)
{
    (void)state;
    uint8_t one = 1;
    ProtobufCMessageUnknownField unknown = {100, PROTOBUF_C_WIRE_TYPE_VARINT, 1, &one};
    struct lab_sample sample = LAB_SAMPLE_INIT;
    varve_record_clear_unknown(&lab_sample_record, &sample);
    sample.base.n_unknown_fields = 1;
    sample.base.unknown_fields = &unknown;
    assert_false(varve__unknown_is_cleared(&sample.base));
}

static void
a_copy_is_cleared_as_its_original_is(void **state)
{
    (void)state;
    void *record;
    void *copy;
    assert_int_equal(UNPACK("\x08\x05\xE8\x01\x01", &record), VARVE_OK);
    assert_int_equal(varve_record_clone(&lab_sample_record, record, &copy), VARVE_OK);
    assert_false(varve__unknown_is_cleared(copy));
    varve_record_free(copy);
    varve_record_clear_unknown(&lab_sample_record, record);
    assert_int_equal(varve_record_clone(&lab_sample_record, record, &copy), VARVE_OK);
    assert_true(varve__unknown_is_cleared(copy));
    assert_true(varve_record_equal(&lab_sample_record, record, copy));
    varve_record_free(copy);
    varve_record_free(record);
}

/* Packs and prints as a record that never had any, and is equal to it. */
static void
a_cleared_record_is_otherwise_a_record_without(void **state)
{
    (void)state;
    struct lab_sample plain = full_sample();
    struct lab_sample cleared = plain;
    struct varve_bytes bytes[2];
    char texts[2][4096];
    varve_record_clear_unknown(&lab_sample_record, &cleared);
    assert_int_equal(
        varve__record_check(&lab_sample_record, &cleared, VARVE__CHECK_LOADED, NULL), VARVE_OK);
    assert_true(varve_record_equal(&lab_sample_record, &plain, &cleared));
    assert_int_equal(varve_record_pack(&lab_sample_record, &plain, &bytes[0]), VARVE_OK);
    assert_int_equal(varve_record_pack(&lab_sample_record, &cleared, &bytes[1]), VARVE_OK);
    assert_int_equal(bytes[0].size, bytes[1].size);
    assert_memory_equal(bytes[0].data, bytes[1].data, bytes[0].size);
    assert_int_equal(
        varve_record_print(&lab_sample_record, &plain, texts[0], sizeof texts[0]), VARVE_OK);
    assert_int_equal(
        varve_record_print(&lab_sample_record, &cleared, texts[1], sizeof texts[1]), VARVE_OK);
    assert_string_equal(texts[0], texts[1]);
    varve_bytes_free(&bytes[0]);
    varve_bytes_free(&bytes[1]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_fields_replace_those_of_their_numbers),
        cmocka_unit_test(empty_runs_may_be_null),
        cmocka_unit_test(damage_is_refused_on_either_side),
        cmocka_unit_test(random_runs_merge_as_the_definition_says),
        cmocka_unit_test(many_fields_merge_soon),
        cmocka_unit_test(merging_without_memory_is_a_failure),
        cmocka_unit_test(only_a_record_that_was_cleared_is),
        cmocka_unit_test(a_cleared_record_may_be_given_fields_again),
        cmocka_unit_test(a_copy_is_cleared_as_its_original_is),
        cmocka_unit_test(a_cleared_record_is_otherwise_a_record_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
