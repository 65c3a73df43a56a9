/* Keys of the cache: what they look like, which are equal, and the two functions for programs. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cache_key.h"
#include "key_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct spot empty = SPOT_INIT;

static const char *
key_of(enum spot_key key, const struct spot *spot)
{
    static char text[VARVE_KEY_SIZE];
    assert_int_equal(varve_record_key(&spot_records[key], spot, text, sizeof text), VARVE_OK);
    return text;
}

static const char *
key_of_region(enum spot_key key, const char *region)
{
    struct spot spot = empty;
    spot.region = region;
    return key_of(key, &spot);
}

static const char *
key_of_int64(int64_t value)
{
    struct spot spot = empty;
    spot.int64 = value;
    return key_of(SPOT_BINS, &spot);
}

/* ------------------------------------------------------------------ encoding */

static void
strings_stand_as_they_are_but_for_escapes(void **state)
{
    (void)state;
    assert_string_equal(key_of_region(SPOT_TEXT, "a7f3"), "wm:a7f3");
    assert_string_equal(key_of_region(SPOT_TEXT, ""), "wm:");
    assert_string_equal(key_of_region(SPOT_TEXT, "V1:left"), "wm:V1%3Aleft");
    assert_string_equal(key_of_region(SPOT_TEXT, "{a}%"), "wm:%7Ba%7D%25");
    assert_string_equal(key_of_region(SPOT_TEXT, "\x01\x1F \x7E\x7F"), "wm:%01%1F ~%7F");
    assert_string_equal(
        key_of_region(SPOT_TEXT, "\xC3\xA4\xF0\x9F\xA7\xA0"), "wm:\xC3\xA4\xF0\x9F\xA7\xA0");
}

static void
numbers_say_how_many_digits_they_have(void **state)
{
    (void)state;
    assert_string_equal(key_of_int64(0), "spikes::a0");
    assert_string_equal(key_of_int64(7), "spikes::a7");
    assert_string_equal(key_of_int64(42), "spikes::b42");
    assert_string_equal(key_of_int64(117), "spikes::c117");
    assert_string_equal(key_of_int64(INT64_MAX), "spikes::s9223372036854775807");
    assert_string_equal(key_of_int64(-1), "spikes::Z8");
    assert_string_equal(key_of_int64(-42), "spikes::Y57");
    assert_string_equal(key_of_int64(-100), "spikes::X899");
    assert_string_equal(key_of_int64(INT64_MIN), "spikes::H0776627963145224191");
    struct spot spot = empty;
    spot.uint64 = UINT64_MAX;
    assert_string_equal(key_of(SPOT_WHOLE, &spot), "n:t18446744073709551615");
}

static void
every_type_has_its_edges(void **state)
{
    (void)state;
    struct spot spot = empty;
    assert_string_equal(key_of(SPOT_NUMBERS, &spot), "a0:a0:a0:a0:a0:a0:a0:a0:a0:a0:0:a0");
    spot.int32 = spot.sint32 = spot.sfixed32 = INT32_MIN;
    spot.int64 = spot.sint64 = spot.sfixed64 = -10;
    spot.uint32 = spot.fixed32 = UINT32_MAX;
    spot.uint64 = spot.fixed64 = 10;
    spot.ready = 1;
    spot.mode = (enum spot_mode) - 2; /* that the schema does not name */
    assert_string_equal(
        key_of(SPOT_NUMBERS, &spot), "Q7852516351:Q7852516351:Q7852516351:Y89:Y89:Y89:"
                                     "j4294967295:j4294967295:b10:b10:1:Z7");
}

static void
a_bool_is_one_whatever_its_byte_says(void **state)
{
    (void)state;
    struct spot spot = empty;
    spot.mode = SPOT_RUN;
    spot.ready = 2;
    assert_string_equal(key_of(SPOT_BOOL, &spot), "1:ba1:end");
    spot.ready = 0;
    assert_string_equal(key_of(SPOT_BOOL, &spot), "0:ba1:end");
}

static void
fixed_text_stands_around_a_value(void **state)
{
    (void)state;
    struct spot spot = empty;
    assert_string_equal(key_of(SPOT_AROUND, &spot), "a--z:na0m:z");
    spot.region = "-z";
    spot.int32 = -3;
    spot.name = "z";
    assert_string_equal(key_of(SPOT_AROUND, &spot), "a--z-z:nZ6m:zz");
}

static void
a_hash_tag_stands_in_braces(void **state)
{
    (void)state;
    assert_string_equal(key_of_region(SPOT_TAG, "V1"), "tag:{V1}:a0");
    assert_string_equal(key_of_region(SPOT_TAG, "}{"), "tag:{%7D%7B}:a0");
    assert_string_equal(key_of_region(SPOT_TAG, ""), "tag:{%00}:a0");
    assert_string_equal(key_of_region(SPOT_TAG_AROUND, "a"), "<{a}>:");
    struct spot spot = empty;
    spot.int64 = -42;
    assert_string_equal(key_of(SPOT_TAG_NUMBER, &spot), "tags::i{Y57}");
}

static void
the_longest_key_fits_and_one_more_byte_does_not(void **state)
{
    (void)state;
    char region[VARVE__KEY_MAX_SIZE];
    char buffer[VARVE_KEY_SIZE];
    struct spot spot = empty;
    spot.region = region;
    memset(region, 'x', sizeof region);
    region[VARVE__KEY_MAX_SIZE - 3] = '\0'; /* behind "wm:" */
    assert_int_equal(strlen(key_of(SPOT_TEXT, &spot)), VARVE__KEY_MAX_SIZE);
    region[VARVE__KEY_MAX_SIZE - 3] = 'x';
    region[VARVE__KEY_MAX_SIZE - 2] = '\0';
    memset(buffer, '?', sizeof buffer);
    assert_int_equal(
        varve_record_key(&spot_records[SPOT_TEXT], &spot, buffer, sizeof buffer), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_SIZE, "lab.Spot.region has 1022 bytes, and makes the key");
    assert_string_equal(buffer, "");
}

/* Each byte of room is tried with escapes at the end, which need three. */
static void
escapes_count_three_times(void **state)
{
    (void)state;
    for (size_t escapes = 1; escapes <= 341; escapes++) {
        char region[VARVE__KEY_MAX_SIZE + 2] = {0};
        char key[VARVE__KEY_MAX_SIZE + 1];
        struct spot spot = empty;
        size_t size = 99;
        size_t plain = VARVE__KEY_MAX_SIZE - 3 - 3 * (escapes < 340 ? escapes : 340);
        spot.region = region;
        key[VARVE__KEY_MAX_SIZE] = '?';
        memset(region, 'x', plain);
        memset(region + plain, ':', escapes);
        enum varve_status status =
            varve__cache_key_encode(&spot_records[SPOT_TEXT], &spot, key, &size);
        assert_int_equal(status, escapes <= 340 ? VARVE_OK : VARVE_INVALID);
        assert_int_equal(size, escapes <= 340 ? VARVE__KEY_MAX_SIZE : 0);
        assert_int_equal(key[VARVE__KEY_MAX_SIZE], '?');
    }
}

/* Wherever in the key the room ends: in fixed text, braces, numbers, an empty tag. */
static void
no_part_writes_beyond_the_longest_key(void **state)
{
    (void)state;
    static const enum spot_key keys[] = {
        SPOT_TEXTS, SPOT_AROUND, SPOT_TAG, SPOT_TAG_AROUND, SPOT_TAG_NUMBER};
    for (size_t i = 0; i < COUNT(keys); i++) {
        for (size_t length = VARVE__KEY_MAX_SIZE - 40; length <= VARVE__KEY_MAX_SIZE; length++) {
            char filler[VARVE__KEY_MAX_SIZE + 1] = {0};
            char *key = test_malloc(VARVE__KEY_MAX_SIZE); /* its end is guarded */
            struct spot spot = empty;
            size_t size = 99;
            memset(filler, 'x', length);
            spot.region = keys[i] == SPOT_TAG_NUMBER ? "" : filler;
            spot.name = keys[i] == SPOT_TAG_NUMBER ? filler : "\x01";
            spot.int64 = -123456789;
            enum varve_status status =
                varve__cache_key_encode(&spot_records[keys[i]], &spot, key, &size);
            assert_true(status == VARVE_OK ? size > length : size == 0);
            assert_true(status == VARVE_OK || status == VARVE_INVALID);
            test_free(key);
        }
    }
}

static void
a_string_that_is_none_is_refused_by_name(void **state)
{
    (void)state;
    char buffer[VARVE_KEY_SIZE];
    struct spot spot = empty;
    spot.name = NULL;
    enum varve_status status =
        varve_record_key(&spot_records[SPOT_TEXTS], &spot, buffer, sizeof buffer);
    assert_int_equal(status, VARVE_INVALID);
    assert_failure(VARVE_FAILURE_NOT_NULL, "lab.Spot.name is NULL");
    spot.name = "ab\xFFg";
    status = varve_record_key(&spot_records[SPOT_TEXTS], &spot, buffer, sizeof buffer);
    assert_int_equal(status, VARVE_INVALID);
    assert_failure(VARVE_FAILURE_UTF8, "lab.Spot.name is no UTF-8 (byte 2)");
    status = varve_record_key(&spot_records[SPOT_TEXT], &spot, buffer, sizeof buffer);
    assert_int_equal(status, VARVE_OK); /* the name is not in this key */
}

/* ------------------------------------------------------------------ comparing */

static void
keys_are_equal_when_their_fields_are(void **state)
{
    (void)state;
    struct spot a = empty;
    struct spot b = empty;
    char region[] = "V1";
    a.region = "V1";
    b.region = region;
    b.name = "in no key";
    b.uint64 = 5;
    assert_true(varve__cache_key_equal(&spot_records[SPOT_BINS], &a, &b));
    b.int64 = 1;
    assert_false(varve__cache_key_equal(&spot_records[SPOT_BINS], &a, &b));
    a.int64 = -1;
    assert_false(varve__cache_key_equal(&spot_records[SPOT_BINS], &a, &b));
    assert_true(varve__cache_key_equal(&spot_records[SPOT_TEXT], &a, &b));
    region[1] = '2';
    assert_false(varve__cache_key_equal(&spot_records[SPOT_TEXT], &a, &b));
    b.region = NULL;
    assert_false(varve__cache_key_equal(&spot_records[SPOT_TEXT], &a, &b));
}

static void
every_field_of_a_key_makes_a_difference(void **state)
{
    (void)state;
    const struct varve_record *table = &spot_records[SPOT_NUMBERS];
    for (size_t i = 0; i < table->cache->part_count; i++) {
        struct spot a = empty;
        struct spot b = empty;
        ((char *)&b)[table->cache->parts[i].field->offset] = 1;
        assert_false(varve__cache_key_equal(table, &a, &b));
        assert_true(varve__cache_key_equal(table, &b, &b));
    }
    struct spot a = empty;
    struct spot b = empty;
    a.ready = 1;
    b.ready = 2; /* true all the same */
    assert_true(varve__cache_key_equal(table, &a, &b));
}

/* ------------------------------------------------------------------ for programs */

static void
a_parsed_key_is_a_record_in_one_block(void **state)
{
    (void)state;
    const struct varve_record *table = &spot_records[SPOT_BINS];
    void *record;
    count_allocations(0);
    assert_int_equal(varve_record_key_parse(table, "spikes:V1%3A:b42", &record), VARVE_OK);
    struct spot *spot = record;
    assert_string_equal(spot->region, "V1:");
    assert_int_equal(spot->int64, 42);
    assert_string_equal(spot->name, ""); /* what is in no key is as in an empty record */
    assert_string_equal(key_of(SPOT_BINS, spot), "spikes:V1%3A:b42");
    varve_record_free(record);
    assert_int_equal(stop_counting(), 1);
}

static void
a_text_that_is_no_key_is_refused_with_its_byte(void **state)
{
    (void)state;
    const struct varve_record *table = &spot_records[SPOT_BINS];
    void *record = &record;
    count_allocations(0);
    assert_int_equal(varve_record_key_parse(table, "spikes:V1:42", &record), VARVE_INVALID);
    assert_failure(
        VARVE_FAILURE_OTHER, "no key of lab.Spot, \"spikes:{region}:{int64}\" (byte 10)");
    assert_null(record);
    stop_counting();
}

static void
a_text_without_an_end_costs_no_memory(void **state)
{
    (void)state;
    size_t size = 100 << 20;
    char *text = test_malloc(size);
    void *record;
    memset(text, 'x', size);
    memcpy(text, "wm:", 3);
    text[size - 1] = '\0';
    assert_int_equal(
        varve_record_key_parse(&spot_records[SPOT_TEXT], text, &record), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_OTHER, "(byte 1024)");
    test_free(text);
}

static void
parsing_without_memory_says_so(void **state)
{
    (void)state;
    void *record = &record;
    count_allocations(1);
    assert_int_equal(
        varve_record_key_parse(&spot_records[SPOT_TEXT], "wm:a", &record), VARVE_NO_MEMORY);
    stop_counting();
    assert_null(record);
    assert_failure(VARVE_FAILURE_OTHER, "out of memory");
}

static void
a_buffer_must_hold_the_key_and_its_end(void **state)
{
    (void)state;
    const struct varve_record *table = &spot_records[SPOT_TEXT];
    struct spot spot = empty;
    char buffer[9] = "????????";
    spot.region = "abcd";
    assert_int_equal(varve_record_key(table, &spot, buffer, 7), VARVE_INVALID);
    assert_failure(VARVE_FAILURE_SIZE, "needs a buffer of 8 bytes, and this one has 7");
    assert_string_equal(buffer, "");
    assert_int_equal(varve_record_key(table, &spot, buffer, 0), VARVE_INVALID);
    assert_int_equal(varve_record_key(table, &spot, buffer, 8), VARVE_OK);
    assert_memory_equal(buffer, "wm:abcd\0", 9);
}

static void
arguments_that_are_none_are_misuse(void **state)
{
    (void)state;
    const struct varve_record *table = &spot_records[SPOT_TEXT];
    struct spot bare = {.region = "a"};
    char buffer[VARVE_KEY_SIZE] = "?";
    void *record = &record;
    assert_int_equal(varve_record_key(NULL, &empty, buffer, sizeof buffer), VARVE_MISUSE);
    assert_int_equal(varve_record_key(table, NULL, buffer, sizeof buffer), VARVE_MISUSE);
    assert_int_equal(varve_record_key(table, &bare, buffer, sizeof buffer), VARVE_MISUSE);
    assert_string_equal(buffer, "");
    assert_int_equal(varve_record_key(table, &empty, NULL, 0), VARVE_MISUSE);
    assert_int_equal(varve_record_key_parse(NULL, "wm:a", &record), VARVE_MISUSE);
    assert_int_equal(varve_record_key_parse(table, NULL, &record), VARVE_MISUSE);
    assert_null(record);
    assert_int_equal(varve_record_key_parse(table, "wm:a", NULL), VARVE_MISUSE);
}

static void
a_message_without_a_cache_has_no_key(void **state)
{
    (void)state;
    struct lab_sample sample = full_sample();
    char buffer[VARVE_KEY_SIZE];
    void *record;
    assert_int_equal(
        varve_record_key(&lab_sample_record, &sample, buffer, sizeof buffer), VARVE_MISUSE);
    assert_failure(VARVE_FAILURE_OTHER, "lab.Sample is not cached");
    assert_int_equal(varve_record_key_parse(&lab_sample_record, "wm:a", &record), VARVE_MISUSE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_stand_as_they_are_but_for_escapes),
        cmocka_unit_test(numbers_say_how_many_digits_they_have),
        cmocka_unit_test(every_type_has_its_edges),
        cmocka_unit_test(a_bool_is_one_whatever_its_byte_says),
        cmocka_unit_test(fixed_text_stands_around_a_value),
        cmocka_unit_test(a_hash_tag_stands_in_braces),
        cmocka_unit_test(the_longest_key_fits_and_one_more_byte_does_not),
        cmocka_unit_test(escapes_count_three_times),
        cmocka_unit_test(no_part_writes_beyond_the_longest_key),
        cmocka_unit_test(a_string_that_is_none_is_refused_by_name),
        cmocka_unit_test(keys_are_equal_when_their_fields_are),
        cmocka_unit_test(every_field_of_a_key_makes_a_difference),
        cmocka_unit_test(a_parsed_key_is_a_record_in_one_block),
        cmocka_unit_test(a_text_that_is_no_key_is_refused_with_its_byte),
        cmocka_unit_test(a_text_without_an_end_costs_no_memory),
        cmocka_unit_test(parsing_without_memory_says_so),
        cmocka_unit_test(a_buffer_must_hold_the_key_and_its_end),
        cmocka_unit_test(arguments_that_are_none_are_misuse),
        cmocka_unit_test(a_message_without_a_cache_has_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
