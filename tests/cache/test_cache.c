/* The calls that put, get, touch and delete values of the cache: what they do, and what they refuse. */
#include "api_support.h"

#include <string.h>

static struct varve_session *
session_of(void **state)
{
    return ((struct api *)*state)->session;
}

/* Asserts that the sentence names the call's mistake, and that the record it is about is `record`. */
static void
expect_misuse(const struct varve_session *session, enum varve_status status, const char *part)
{
    expect_failure(session, status, VARVE_MISUSE, part);
    assert_false(varve_session_failure(session)->retryable);
}

/* -------------------------------------------------------------------- one value */

static void
test_a_value_is_found_by_its_key(void **state)
{
    struct varve_session *session = session_of(state);
    expect_stored(session, "a", NULL);
    put_stored(session, "a", "one");
    put_stored(session, "b", "two");
    expect_stored(session, "a", "one");
    expect_stored(session, "b", "two");
    expect_stored(session, "A", NULL);
    expect_stored(session, "", NULL);
}

static void
test_a_put_takes_the_place_of_what_is_there(void **state)
{
    struct varve_session *session = session_of(state);
    put_stored(session, "a", "a much longer text than the next one");
    put_stored(session, "a", "short");
    expect_stored(session, "a", "short");
    put_stored(session, "a", "");
    expect_stored(session, "a", "");
}

static void
test_a_miss_names_the_message_and_the_key(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    struct cache_lab_stored *found = &key;
    key.name = "no:such";
    expect_failure(
        session, cache_lab_stored_cache_get(session, &key, &found), VARVE_NOT_FOUND,
        "no cache_lab.Stored with the key stored:no%3Asuch");
    assert_null(found);
    assert_string_equal(varve_session_failure(session)->record, "cache_lab.Stored");
    expect_failure(
        session, cache_lab_stored_cache_touch(session, &key), VARVE_NOT_FOUND, "stored:no%3Asuch");
    expect_failure(
        session, cache_lab_stored_cache_delete(session, &key), VARVE_NOT_FOUND, "stored:no%3Asuch");
}

static void
test_a_deleted_value_is_gone(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    put_stored(session, "a", "one");
    put_stored(session, "b", "two");
    key.name = "a";
    expect_ok(session, cache_lab_stored_cache_delete(session, &key));
    expect_stored(session, "a", NULL);
    expect_stored(session, "b", "two");
    put_stored(session, "a", "again");
    expect_stored(session, "a", "again");
}

static void
test_sessions_and_stores_see_each_other(void **state)
{
    struct api *api = *state;
    struct varve_session *second = api_second_session(api);
    put_stored(api->session, "a", "one");
    expect_stored(second, "a", "one");
    put_stored(second, "a", "two");
    expect_stored(api->session, "a", "two");
    api_open_with(api, (struct varve_config){0});
    expect_stored(
        api->session, "a", api->server ? "two" : NULL); /* embedded: gone with the store */
}

/* -------------------------------------------------------------------- keys */

static struct cache_lab_event
event(int64_t moment, int32_t electrode)
{
    struct cache_lab_event event = CACHE_LAB_EVENT_INIT;
    event.lobe = "V1:{left}";
    event.moment = moment;
    event.serial = UINT64_MAX;
    event.electrode = electrode;
    event.valid = true;
    event.mood = (enum cache_lab_mood) - 5; /* a newer one */
    return event;
}

static void
test_keys_of_many_fields_are_told_apart(void **state)
{
    struct varve_session *session = session_of(state);
    static const int64_t moments[] = {INT64_MIN, -100, -1, 0, 1, 99, 100, INT64_MAX};
    enum {
        COUNT = sizeof moments / sizeof *moments
    };
    struct cache_lab_event *found;
    for (size_t i = 0; i < COUNT; i++) {
        struct cache_lab_event record = event(moments[i], i % 2 ? INT32_MIN : INT32_MAX);
        char text[] = {(char)('a' + i), '\0'};
        record.text = text;
        expect_ok(session, cache_lab_event_cache_put(session, &record));
    }
    for (size_t i = 0; i < COUNT; i++) {
        struct cache_lab_event key = event(moments[i], i % 2 ? INT32_MIN : INT32_MAX);
        expect_ok(session, cache_lab_event_cache_get(session, &key, &found));
        assert_int_equal(found->text[0], 'a' + i);
        assert_int_equal(found->moment, moments[i]);
        cache_lab_event_free(found);
    }
    struct cache_lab_event other = event(-1, INT32_MIN);
    assert_int_equal(cache_lab_event_cache_get(session, &other, &found), VARVE_NOT_FOUND);
}

static void
test_a_key_is_written_and_parsed(void **state)
{
    (void)state;
    char key[VARVE_KEY_SIZE];
    struct cache_lab_event *parsed;
    struct cache_lab_event record = event(-42, 7);
    assert_int_equal(cache_lab_event_key(&record, key, sizeof key), VARVE_OK);
    assert_string_equal(key, "event:{V1%3A%7Bleft%7D}:atY57:t18446744073709551615:a7:1:Z4");
    assert_int_equal(cache_lab_event_key_parse(key, &parsed), VARVE_OK);
    assert_true(cache_lab_event_equal(&record, parsed));
    cache_lab_event_free(parsed);
    assert_int_equal(cache_lab_event_key(&record, key, 10), VARVE_INVALID);
    assert_string_equal(key, "");
    assert_int_equal(cache_lab_event_key_parse("event:{V1}:at7", &parsed), VARVE_INVALID);
    assert_null(parsed);
    assert_non_null(strstr(varve_session_error(NULL), "byte"));
}

/* -------------------------------------------------------------------- many */

enum {
    MANY = 300 /* more than a batch of any engine */
};

static void
fill_readings(struct cache_lab_reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        readings[i] = (struct cache_lab_reading)CACHE_LAB_READING_INIT;
        readings[i].id = (int64_t)i - 20;
        readings[i].taken_at = (int64_t)i * 1000;
        readings[i].value = 0.5 * (double)i;
    }
}

static void
test_many_are_put_and_got_together(void **state)
{
    struct varve_session *session = session_of(state);
    static struct cache_lab_reading readings[MANY];
    struct cache_lab_reading **found;
    fill_readings(readings, MANY);
    expect_ok(session, cache_lab_reading_cache_put_many(session, readings, MANY));
    expect_ok(session, cache_lab_reading_cache_get_many(session, readings, MANY, &found));
    for (size_t i = 0; i < MANY; i++)
        assert_true(found[i] && cache_lab_reading_equal(found[i], &readings[i]));
    cache_lab_reading_free_many(found);
}

static void
test_get_many_has_misses_and_repeats_in_their_places(void **state)
{
    struct varve_session *session = session_of(state);
    static const int64_t ids[] = {3, 99, 1, 3, -7, 1};
    struct cache_lab_reading keys[6];
    struct cache_lab_reading **found;
    put_reading(session, 1, 10);
    put_reading(session, 3, 30);
    for (size_t i = 0; i < 6; i++) {
        keys[i] = (struct cache_lab_reading)CACHE_LAB_READING_INIT;
        keys[i].id = ids[i];
    }
    expect_ok(session, cache_lab_reading_cache_get_many(session, keys, 6, &found));
    for (size_t i = 0; i < 6; i++) {
        bool stored = ids[i] == 1 || ids[i] == 3;
        assert_int_equal(found[i] != NULL, stored);
        assert_true(!stored || found[i]->taken_at == 10 * ids[i]);
    }
    assert_ptr_not_equal(found[0], found[3]);
    cache_lab_reading_free_many(found);
}

static void
test_of_a_key_that_is_put_twice_the_later_value_stays(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored records[] = {
        CACHE_LAB_STORED_INIT, CACHE_LAB_STORED_INIT, CACHE_LAB_STORED_INIT};
    records[0].name = records[2].name = "a";
    records[0].text = "first";
    records[1].name = "b";
    records[2].text = "last";
    expect_ok(session, cache_lab_stored_cache_put_many(session, records, 3));
    expect_stored(session, "a", "last");
    expect_stored(session, "b", "");
}

static void
test_none_are_put_and_got(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored **found = NULL;
    expect_ok(session, cache_lab_stored_cache_put_many(session, NULL, 0));
    expect_ok(session, cache_lab_stored_cache_get_many(session, NULL, 0, &found));
    assert_non_null(found);
    cache_lab_stored_free_many(found);
    cache_lab_stored_free_many(NULL);
}

static void
test_a_record_that_breaks_a_rule_has_none_stored(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored records[] = {
        CACHE_LAB_STORED_INIT, CACHE_LAB_STORED_INIT, CACHE_LAB_STORED_INIT};
    records[0].name = "a";
    records[1].name = "b";
    records[1].text = "\xff";
    records[2].name = "c";
    enum varve_status status = cache_lab_stored_cache_put_many(session, records, 3);
    expect_failure(session, status, VARVE_INVALID, "UTF-8");
    const struct varve_failure *failure = varve_session_failure(session);
    assert_int_equal(failure->index, 1);
    assert_int_equal(failure->kind, VARVE_FAILURE_UTF8);
    assert_int_equal(failure->fields[0], CACHE_LAB_STORED_FIELD_TEXT);
    expect_stored(session, "a", NULL);
    expect_stored(session, "c", NULL);
}

/* -------------------------------------------------------------------- what is refused */

static void
test_missing_arguments_are_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    const struct varve_record *table = &cache_lab_stored_record;
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    void **many;
    void *one;
    expect_misuse(session, varve_cache_put(session, table, NULL, NULL), "NULL");
    expect_misuse(session, varve_cache_put(session, NULL, &record, NULL), "table is NULL");
    expect_misuse(session, varve_cache_get(session, table, NULL, &one, NULL), "NULL");
    assert_null(one);
    expect_misuse(session, varve_cache_get(session, table, &record, NULL, NULL), "result is NULL");
    expect_misuse(
        session, varve_cache_get_many(session, table, &record, 1, NULL, NULL), "result is NULL");
    expect_misuse(session, varve_cache_get_many(session, table, NULL, 1, &many, NULL), "array");
    assert_null(many);
    expect_misuse(session, varve_cache_put_many(session, table, NULL, 2, NULL), "array is NULL");
    expect_misuse(session, varve_cache_touch(session, table, NULL, NULL), "NULL");
    expect_misuse(session, varve_cache_delete(session, table, NULL, NULL), "NULL");
    assert_int_equal(varve_cache_put(NULL, table, &record, NULL), VARVE_MISUSE);
    assert_non_null(strstr(varve_session_error(NULL), "session is NULL"));
}

static void
test_negative_counts_are_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    struct cache_lab_stored **found;
    expect_misuse(
        session, cache_lab_stored_cache_put_many(session, &record, -1), "count is negative");
    expect_misuse(
        session, cache_lab_stored_cache_get_many(session, &record, INT64_MIN, &found),
        "count is negative");
    assert_null(found);
}

static void
test_a_struct_that_is_no_such_record_is_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored record;
    struct cache_lab_zstd other = CACHE_LAB_ZSTD_INIT;
    struct cache_lab_stored *found;
    memset(&record, 0, sizeof record);
    expect_misuse(session, cache_lab_stored_cache_put(session, &record), "initialise");
    expect_misuse(session, cache_lab_stored_cache_get(session, &record, &found), "initialise");
    expect_misuse(session, cache_lab_stored_cache_touch(session, &record), "initialise");
    expect_misuse(session, cache_lab_stored_cache_delete(session, &record), "initialise");
    expect_misuse(
        session, varve_cache_put(session, &cache_lab_stored_record, &other, NULL),
        "of another message");
}

static void
test_a_message_that_is_not_cached_is_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_loose record = CACHE_LAB_LOOSE_INIT;
    struct varve_cursor *cursor;
    void *found;
    const struct varve_record *table = &cache_lab_loose_record;
    expect_misuse(session, varve_cache_put(session, table, &record, NULL), "(varve.cache)");
    expect_misuse(session, varve_cache_get(session, table, &record, &found, NULL), "not cached");
    expect_misuse(session, varve_cache_touch(session, table, &record, NULL), "not cached");
    expect_misuse(session, varve_cache_delete(session, table, &record, NULL), "not cached");
    expect_misuse(session, varve_cache_recent(session, table, 0, 0, &cursor, NULL), "not cached");
    assert_null(cursor);
}

static void
test_a_key_that_is_too_long_is_invalid(void **state)
{
    struct varve_session *session = session_of(state);
    char name[VARVE_KEY_SIZE - sizeof "stored:" + 1];
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    struct cache_lab_stored *found;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    put_stored(session, name, "the longest"); /* 1024 bytes with its beginning */
    expect_stored(session, name, "the longest");
    name[3] = ':'; /* needs three bytes */
    record.name = name;
    expect_failure(
        session, cache_lab_stored_cache_put(session, &record), VARVE_INVALID, "store a hash");
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_SIZE);
    assert_int_equal(varve_session_failure(session)->fields[0], CACHE_LAB_STORED_FIELD_NAME);
    expect_failure(
        session, cache_lab_stored_cache_get(session, &record, &found), VARVE_INVALID, "1024");
}

static void
test_a_key_that_is_no_text_is_invalid(void **state)
{
    struct varve_session *session = session_of(state);
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    record.name = NULL;
    expect_failure(
        session, cache_lab_stored_cache_put(session, &record), VARVE_INVALID, "name is NULL");
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_NOT_NULL);
    record.name = "a\x80";
    expect_failure(
        session, cache_lab_stored_cache_delete(session, &record), VARVE_INVALID, "no UTF-8");
    assert_int_equal(varve_session_failure(session)->kind, VARVE_FAILURE_UTF8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_a_value_is_found_by_its_key),
        API_TEST(test_a_put_takes_the_place_of_what_is_there),
        API_TEST(test_a_miss_names_the_message_and_the_key),
        API_TEST(test_a_deleted_value_is_gone),
        API_TEST(test_sessions_and_stores_see_each_other),
        API_TEST(test_keys_of_many_fields_are_told_apart),
        API_TEST(test_a_key_is_written_and_parsed),
        API_TEST(test_many_are_put_and_got_together),
        API_TEST(test_get_many_has_misses_and_repeats_in_their_places),
        API_TEST(test_of_a_key_that_is_put_twice_the_later_value_stays),
        API_TEST(test_none_are_put_and_got),
        API_TEST(test_a_record_that_breaks_a_rule_has_none_stored),
        API_TEST(test_missing_arguments_are_misuse),
        API_TEST(test_negative_counts_are_misuse),
        API_TEST(test_a_struct_that_is_no_such_record_is_misuse),
        API_TEST(test_a_message_that_is_not_cached_is_misuse),
        API_TEST(test_a_key_that_is_too_long_is_invalid),
        API_TEST(test_a_key_that_is_no_text_is_invalid),
    };
    return API_RUN("cache", tests);
}
