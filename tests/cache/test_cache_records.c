/* What a value of the cache holds: every kind of field, every codec, and what is no value. */
#include "api_support.h"

#include <string.h>

static struct varve_session *
session_of(void **state)
{
    return ((struct api *)*state)->session;
}

/* -------------------------------------------------------------------- every kind of field */

static struct cache_lab_place place = CACHE_LAB_PLACE_INIT;
static struct cache_lab_place empty_place = CACHE_LAB_PLACE_INIT;
static struct cache_lab_sample_counts_entry counts_entry = CACHE_LAB_SAMPLE_COUNTS_ENTRY_INIT;
static struct cache_lab_sample_rooms_entry rooms_entry = CACHE_LAB_SAMPLE_ROOMS_ENTRY_INIT;

static void
fill_numbers(struct cache_lab_sample *sample)
{
    static uint8_t blob[] = {0, 1, 255, '\n'};
    sample->score = -0.1;
    sample->ratio = 1e-40f; /* not normalised */
    sample->big = UINT64_MAX;
    sample->small = INT32_MIN;
    sample->hash = UINT64_C(0x8000000000000001);
    sample->flag = true;
    sample->mood = (enum cache_lab_mood)17;
    sample->blob = (struct varve_bytes){sizeof blob, blob};
    sample->has_maybe = true;
    sample->note = "";
    sample->result_case = CACHE_LAB_SAMPLE_RESULT_CASE_WORD;
    sample->word = "";
}

static void
fill_nested(struct cache_lab_sample *sample)
{
    static int32_t shelf[] = {-1, 0, 7};
    static int64_t numbers[] = {INT64_MIN, 0, INT64_MAX};
    static const char *words[] = {"", "gr\xc3\xbc\xc3\x9f", "x"};
    static struct cache_lab_place *places[] = {&place, &empty_place};
    static struct cache_lab_sample_counts_entry *counts[] = {&counts_entry};
    static struct cache_lab_sample_rooms_entry *rooms[] = {&rooms_entry};
    place.room = "V1";
    place.shelf = (struct varve_int32s){3, shelf};
    counts_entry.key = "";
    counts_entry.value = -1;
    rooms_entry.key = -3;
    rooms_entry.value = &place;
    sample->place = &empty_place;
    sample->places.count = 2;
    sample->places.data = places;
    sample->counts.count = 1;
    sample->counts.data = counts;
    sample->rooms.count = 1;
    sample->rooms.data = rooms;
    sample->numbers = (struct varve_int64s){3, numbers};
    sample->words = (struct varve_strings){3, words};
}

static void
fill_tensors(struct cache_lab_sample *sample)
{
    static float trace[] = {0.0f, -1.5f, 3.0e38f, 1.0f, 2.0f, 3.0f};
    static uint8_t mask[] = {255, 0};
    static uint16_t halves[] = {0x3c00, 0x7e01}; /* 1, a NaN */
    static int64_t times[] = {INT64_MIN, 0, INT64_MAX};
    sample->rows = 2;
    sample->columns = 3;
    sample->trace = (struct varve_floats){6, trace};
    sample->mask = (struct varve_uint8s){2, mask};
    sample->halves = (struct varve_uint16s){2, halves};
    sample->times = (struct varve_int64s){3, times};
}

static void
expect_round_trip(struct varve_session *session, const struct cache_lab_sample *sample)
{
    struct cache_lab_sample key = CACHE_LAB_SAMPLE_INIT;
    struct cache_lab_sample *found;
    key.name = sample->name;
    expect_ok(session, cache_lab_sample_cache_put(session, sample));
    expect_ok(session, cache_lab_sample_cache_get(session, &key, &found));
    assert_true(cache_lab_sample_equal(sample, found));
    cache_lab_sample_free(found);
}

static void
test_every_kind_of_field_comes_back(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_sample sample = CACHE_LAB_SAMPLE_INIT;
    sample.name = "empty";
    expect_round_trip(session, &sample);
    sample.name = "full";
    fill_numbers(&sample);
    expect_round_trip(session, &sample);
    fill_nested(&sample);
    expect_round_trip(session, &sample);
    fill_tensors(&sample);
    expect_round_trip(session, &sample);
    sample.result_case = CACHE_LAB_SAMPLE_RESULT_CASE_WHERE;
    sample.where = &place;
    expect_round_trip(session, &sample);
    sample.halves = (struct varve_uint16s){0, NULL};
    expect_round_trip(session, &sample);
}

static void
test_fields_of_a_newer_writer_are_kept(void **state)
{
    struct varve_session *session = session_of(state);
    static int32_t more[] = {4, 5};
    struct cache_lab_newer_sample newer = CACHE_LAB_NEWER_SAMPLE_INIT;
    struct cache_lab_newer_sample *seen;
    struct cache_lab_sample *sample;
    struct varve_bytes bytes;
    newer.name = "a";
    newer.added = "later";
    newer.more = (struct varve_int32s){2, more};
    expect_ok(NULL, cache_lab_newer_sample_pack(&newer, &bytes));
    expect_ok(NULL, cache_lab_sample_unpack(bytes.data, bytes.size, &sample));
    varve_bytes_free(&bytes);
    expect_round_trip(session, sample);
    cache_lab_sample_free(sample);
    struct cache_lab_sample key = CACHE_LAB_SAMPLE_INIT;
    key.name = "a";
    expect_ok(session, cache_lab_sample_cache_get(session, &key, &sample));
    expect_ok(NULL, cache_lab_sample_pack(sample, &bytes));
    expect_ok(NULL, cache_lab_newer_sample_unpack(bytes.data, bytes.size, &seen));
    assert_true(cache_lab_newer_sample_equal(&newer, seen));
    cache_lab_newer_sample_free(seen);
    varve_bytes_free(&bytes);
    cache_lab_sample_free(sample);
}

/* -------------------------------------------------------------------- what is refused */

static void
expect_field(const struct varve_session *session, enum varve_failure_kind kind, uint32_t field)
{
    const struct varve_failure *failure = varve_session_failure(session);
    assert_int_equal(failure->kind, kind);
    assert_int_equal(failure->field_count, 1);
    assert_int_equal(failure->fields[0], field);
}

static void
test_dims_that_do_not_match_are_invalid(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_sample samples[] = {CACHE_LAB_SAMPLE_INIT, CACHE_LAB_SAMPLE_INIT};
    struct cache_lab_sample *found;
    samples[0].name = "a";
    samples[1].name = "b";
    fill_tensors(&samples[1]);
    samples[1].rows = 3;
    samples[1].mask.count = 0;
    enum varve_status status = cache_lab_sample_cache_put_many(session, samples, 2);
    expect_failure(session, status, VARVE_INVALID, "trace");
    expect_field(session, VARVE_FAILURE_DIMS, CACHE_LAB_SAMPLE_FIELD_TRACE);
    assert_int_equal(varve_session_failure(session)->index, 1);
    assert_int_equal(cache_lab_sample_cache_get(session, samples, &found), VARVE_NOT_FOUND);
    expect_failure(
        session, cache_lab_sample_cache_put(session, &samples[1]), VARVE_INVALID, "trace");
    assert_int_equal(varve_session_failure(session)->index, -1);
}

static void
test_a_tensor_that_is_not_loaded_is_invalid(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_sample sample = CACHE_LAB_SAMPLE_INIT;
    fill_tensors(&sample);
    sample.times.data = NULL;
    expect_failure(session, cache_lab_sample_cache_put(session, &sample), VARVE_INVALID, "times");
    expect_field(session, VARVE_FAILURE_NOT_LOADED, CACHE_LAB_SAMPLE_FIELD_TIMES);
}

static void
test_text_that_is_none_is_invalid(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_sample sample = CACHE_LAB_SAMPLE_INIT;
    sample.note = "\xc3\x28";
    expect_failure(session, cache_lab_sample_cache_put(session, &sample), VARVE_INVALID, "note");
    expect_field(session, VARVE_FAILURE_UTF8, CACHE_LAB_SAMPLE_FIELD_NOTE);
}

/* Text of `size` bytes that no codec makes smaller, or that all do. */
static const char *
text_of(size_t size, bool compressible)
{
    static char text[100001];
    uint64_t random = 88172645463325252u;
    for (size_t i = 0; i < size; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        text[i] = compressible ? 'x' : (char)(0x20 + random % 95);
    }
    text[size] = '\0';
    return text;
}

static void
test_a_value_over_the_limit_is_refused(void **state)
{
    struct api *api = *state;
    api_open_with(api, (struct varve_config){.cache_value_bytes = 1000});
    struct cache_lab_zstd record = CACHE_LAB_ZSTD_INIT;
    struct cache_lab_zstd *found;
    record.name = "a";
    record.text = text_of(990, true); /* and 3 for each of the two fields' beginnings, and "a" */
    expect_ok(api->session, cache_lab_zstd_cache_put(api->session, &record));
    record.text = text_of(995, true);
    expect_failure(
        api->session, cache_lab_zstd_cache_put(api->session, &record), VARVE_INVALID,
        "cache_value_bytes");
    assert_int_equal(varve_session_failure(api->session)->kind, VARVE_FAILURE_SIZE);
    expect_ok(api->session, cache_lab_zstd_cache_get(api->session, &record, &found));
    assert_int_equal(strlen(found->text), 990);
    cache_lab_zstd_free(found);
}

/* -------------------------------------------------------------------- codecs */

/* Puts a record of a message with `name` and `text` and expects it back. Every such message has the layout of
 * Stored, as it has its fields. */
static void
expect_text_back(struct varve_session *session, const struct varve_record *table, const char *text)
{
    struct cache_lab_stored record;
    void *found;
    assert_int_equal(table->descriptor->sizeof_message, sizeof record);
    varve_record_init(table, &record);
    record.name = "a";
    record.text = text;
    expect_ok(session, varve_cache_put(session, table, &record, NULL));
    expect_ok(session, varve_cache_get(session, table, &record, &found, NULL));
    assert_true(varve_record_equal(table, &record, found));
    varve_record_free(found);
}

static const struct varve_record *const codecs[] = {
    &cache_lab_stored_record, &cache_lab_zstd_record, &cache_lab_lz4_record,
    &cache_lab_deflate_record};

static void
test_values_of_any_size_come_back_from_every_codec(void **state)
{
    struct varve_session *session = session_of(state);
    static const size_t sizes[] = {0, 1, 10, 11, 12, 100, 5000, 100000};
    for (size_t codec = 0; codec < 4; codec++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            expect_text_back(session, codecs[codec], text_of(sizes[i], true));
            expect_text_back(session, codecs[codec], text_of(sizes[i], false));
        }
    }
}

static int64_t
stored_bytes(struct api *api, const struct varve_record *table)
{
    struct varve_health_report health;
    int64_t bytes = -1;
    expect_ok(NULL, varve_health(api->store, &health));
    for (size_t i = 0; i < health.cache.message_count; i++) {
        if (strcmp(health.cache.messages[i].record, table->descriptor->name) == 0)
            bytes = health.cache.messages[i].bytes;
    }
    varve_health_free(&health);
    return bytes;
}

static void
test_values_are_compressed_above_their_size(void **state)
{
    struct api *api = *state;
    api_open_with(api, (struct varve_config){.compress_above_bytes = 2000});
    for (size_t codec = 0; codec < 4; codec++)
        expect_text_back(api->session, codecs[codec], text_of(1000, true));
    expect_text_back(api->session, &cache_lab_long_record, text_of(1000, true));
    assert_true(stored_bytes(api, &cache_lab_stored_record) > 1000);
    assert_true(stored_bytes(api, &cache_lab_zstd_record) < 100);
    assert_true(stored_bytes(api, &cache_lab_lz4_record) < 100);
    assert_true(stored_bytes(api, &cache_lab_deflate_record) < 100);
    assert_true(stored_bytes(api, &cache_lab_long_record) > 1000); /* as the store says */
    api_open_with(api, (struct varve_config){.compress_above_bytes = 500});
    expect_text_back(api->session, &cache_lab_long_record, text_of(1000, true));
    assert_true(stored_bytes(api, &cache_lab_long_record) < 100);
}

static void
test_compression_can_be_turned_off(void **state)
{
    struct api *api = *state;
    api_open_with(api, (struct varve_config){.compress_above_bytes = -1});
    expect_text_back(api->session, &cache_lab_long_record, text_of(50000, true));
    assert_true(stored_bytes(api, &cache_lab_long_record) > 50000);
    expect_text_back(api->session, &cache_lab_zstd_record, text_of(50000, true)); /* its own word */
    assert_true(stored_bytes(api, &cache_lab_zstd_record) < 500);
}

/* -------------------------------------------------------------------- values that are none */

static void
set_by_hand(struct api *api, const struct varve_record *table, const void *value, size_t size)
{
    struct cache_lab_stored key;
    varve_record_init(table, &key);
    key.name = "a";
    server_command(api->server, "SET %s %b", redis_key(table, &key), value, size);
}

static void
expect_corrupt(struct api *api, const struct varve_record *table, const char *part)
{
    struct cache_lab_stored key;
    void *found = &key;
    void **many = &found;
    varve_record_init(table, &key);
    key.name = "a";
    enum varve_status status = varve_cache_get(api->session, table, &key, &found, NULL);
    expect_failure(api->session, status, VARVE_CORRUPT, part);
    assert_null(found);
    status = varve_cache_get_many(api->session, table, &key, 1, &many, NULL);
    expect_failure(api->session, status, VARVE_CORRUPT, part);
    assert_null(many);
    assert_int_equal(varve_session_failure(api->session)->index, 0);
}

static void
test_a_damaged_value_is_corrupt_and_a_put_mends_it(void **state)
{
    struct api *api = *state;
    static const char *const values[] = {"",     "\x09",    "\x05hello", "\x01no frame",
                                         "\x02", "\x03\x01"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        set_by_hand(api, &cache_lab_stored_record, values[i], strlen(values[i]));
        expect_corrupt(api, &cache_lab_stored_record, "cache_lab.Stored");
    }
    set_by_hand(
        api, &cache_lab_stored_record,
        "\0\x0a\x05"
        "a",
        4); /* ends in its first field */
    expect_corrupt(api, &cache_lab_stored_record, "put the record anew");
    put_stored(api->session, "a", "mended");
    expect_stored(api->session, "a", "mended");
    set_by_hand(api, &cache_lab_stored_record, "\0\x0a\x01\xff", 4);
    expect_corrupt(api, &cache_lab_stored_record, "UTF-8");
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    key.name = "a";
    expect_ok(api->session, cache_lab_stored_cache_delete(api->session, &key));
    expect_stored(api->session, "a", NULL);
}

static void
test_a_value_of_another_key_is_corrupt(void **state)
{
    struct api *api = *state;
    set_by_hand(
        api, &cache_lab_stored_record,
        "\0\x0a\x01"
        "b\x12\x01"
        "x",
        7);
    expect_corrupt(api, &cache_lab_stored_record, "another key");
    set_by_hand(
        api, &cache_lab_stored_record,
        "\0\x12\x01"
        "x",
        4); /* no name at all */
    expect_corrupt(api, &cache_lab_stored_record, "another key");
    set_by_hand(
        api, &cache_lab_stored_record,
        "\0\x0a\x01"
        "a\x12\x01"
        "x",
        7);
    expect_stored(api->session, "a", "x");
}

static void
test_a_key_of_another_type_is_corrupt(void **state)
{
    struct api *api = *state;
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    struct cache_lab_stored *found;
    key.name = "a";
    server_command(api->server, "LPUSH %s x", redis_key(&cache_lab_stored_record, &key));
    enum varve_status status = cache_lab_stored_cache_get(api->session, &key, &found);
    expect_failure(api->session, status, VARVE_CORRUPT, "another program");
    put_stored(api->session, "a", "mended");
    expect_stored(api->session, "a", "mended");
}

static void
test_a_value_that_says_it_explodes_is_not_unpacked(void **state)
{
    struct api *api = *state;
    static const uint8_t lz4[] = {2, 0xff, 0xff, 0xff, 0x7f, 0x1f, 'x', 1, 0, 0xff};
    static const uint8_t deflate[] = {3, 0xff, 0xff, 0xff, 0xff, 0x78, 0x9c, 3, 0, 0, 0, 0, 1};
    /* a frame of one segment, whose size is in eight bytes */
    static const uint8_t zstd[] = {1, 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0,
                                   0, 0,    1,    0,    0,    1,    0, 0};
    set_by_hand(api, &cache_lab_stored_record, lz4, sizeof lz4);
    expect_corrupt(api, &cache_lab_stored_record, "cache_value_bytes");
    set_by_hand(api, &cache_lab_stored_record, deflate, sizeof deflate);
    expect_corrupt(api, &cache_lab_stored_record, "cache_value_bytes");
    set_by_hand(api, &cache_lab_stored_record, zstd, sizeof zstd);
    expect_corrupt(api, &cache_lab_stored_record, "cache_value_bytes");
    put_stored(api->session, "a", "mended");
    expect_stored(api->session, "a", "mended");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_every_kind_of_field_comes_back),
        API_TEST(test_fields_of_a_newer_writer_are_kept),
        API_TEST(test_dims_that_do_not_match_are_invalid),
        API_TEST(test_a_tensor_that_is_not_loaded_is_invalid),
        API_TEST(test_text_that_is_none_is_invalid),
        API_TEST(test_a_value_over_the_limit_is_refused),
        API_TEST(test_values_of_any_size_come_back_from_every_codec),
        API_TEST(test_values_are_compressed_above_their_size),
        API_TEST(test_compression_can_be_turned_off),
    };
    const struct CMUnitTest by_hand[] = {
        API_TEST(test_a_damaged_value_is_corrupt_and_a_put_mends_it),
        API_TEST(test_a_value_of_another_key_is_corrupt),
        API_TEST(test_a_key_of_another_type_is_corrupt),
        API_TEST(test_a_value_that_says_it_explodes_is_not_unpacked),
    };
    return API_RUN("cache_records", tests) + API_RUN_REDIS("cache_records_by_hand", by_hand);
}
