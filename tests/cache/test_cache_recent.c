/* The newest values first: order, bounds, pages, and what happens to a cursor. */
#include "api_support.h"

#include <stdio.h>
#include <string.h>

enum {
    PAGES = 200 /* rows: more than three pages */
};

static struct varve_session *
session_of(void **state)
{
    return ((struct api *)*state)->session;
}

static struct varve_cursor *
recent(struct varve_session *session, int64_t since, int64_t limit)
{
    struct varve_cursor *cursor;
    expect_ok(session, cache_lab_reading_cache_recent(session, since, limit, &cursor));
    return cursor;
}

static void
test_the_newest_come_first(void **state)
{
    struct varve_session *session = session_of(state);
    static const int64_t order[] = {4, 2, 1, 3, 5};
    put_reading(session, 1, 0);
    put_reading(session, 2, INT64_C(1700000000000000001));
    put_reading(session, 3, -1);
    put_reading(session, 4, INT64_C(1700000000000000002)); /* a nanosecond later */
    put_reading(session, 5, INT64_MIN);
    expect_readings(recent(session, INT64_MIN, 0), order, 5);
    expect_readings(recent(session, INT64_MIN, 2), order, 2);
    expect_readings(recent(session, 0, 0), order, 3);
    expect_readings(recent(session, 1, 0), order, 2);
    expect_readings(recent(session, INT64_C(1700000000000000002), 0), order, 1);
    expect_readings(recent(session, INT64_C(1700000000000000003), 0), order, 0);
    expect_readings(recent(session, INT64_MIN, 6), order, 5);
}

static void
test_at_the_ends_of_time_nothing_is_lost(void **state)
{
    struct varve_session *session = session_of(state);
    static const int64_t order[] = {2, 4, 3, 1};
    put_reading(session, 1, INT64_MIN);
    put_reading(session, 2, INT64_MAX);
    put_reading(session, 3, INT64_MIN + 1);
    put_reading(session, 4, INT64_MAX - 1);
    expect_readings(recent(session, INT64_MIN, 0), order, 4);
    expect_readings(recent(session, INT64_MAX, 0), order, 1);
    expect_readings(recent(session, INT64_MIN + 1, 0), order, 3);
}

static void
test_nothing_is_recent_at_first(void **state)
{
    expect_readings(recent(session_of(state), INT64_MIN, 0), NULL, 0);
    expect_readings(recent(session_of(state), 0, 10), NULL, 0);
}

static void
test_rows_come_over_many_pages(void **state)
{
    struct varve_session *session = session_of(state);
    int64_t order[PAGES];
    for (int64_t i = 0; i < PAGES; i++) {
        put_reading(session, i * 7 % PAGES, 1000 + i * 7 % PAGES);
        order[i] = PAGES - 1 - i;
    }
    expect_readings(recent(session, 0, 0), order, PAGES);
    expect_readings(recent(session, 0, 64), order, 64);
    expect_readings(recent(session, 0, 65), order, 65);
    expect_readings(recent(session, 1000 + 10, 0), order, PAGES - 10);
    expect_readings(recent(session, 0, PAGES + 1), order, PAGES);
}

static void
test_many_of_one_time_all_come(void **state)
{
    struct varve_session *session = session_of(state);
    const struct cache_lab_reading *row;
    bool seen[PAGES] = {false};
    for (int64_t i = 0; i < PAGES; i++)
        put_reading(session, i, 5);
    struct varve_cursor *cursor = recent(session, 0, 0);
    for (int64_t i = 0; i < PAGES; i++) {
        assert_int_equal(cache_lab_reading_next(cursor, &row), VARVE_ROW);
        assert_false(seen[row->id]);
        seen[row->id] = true;
    }
    assert_int_equal(cache_lab_reading_next(cursor, &row), VARVE_DONE);
    assert_int_equal(cache_lab_reading_next(cursor, &row), VARVE_DONE); /* and stays so */
    varve_cursor_close(cursor);
}

static void
test_a_value_that_is_put_again_moves(void **state)
{
    struct varve_session *session = session_of(state);
    static const int64_t order[] = {1, 3, 2};
    for (int64_t id = 1; id <= 3; id++)
        put_reading(session, id, id);
    put_reading(session, 1, 10);
    put_reading(session, 3, 2);
    put_reading(session, 2, 1);
    expect_readings(recent(session, 0, 0), order, 3);
    expect_readings(recent(session, 3, 0), order, 1);
}

static void
test_a_deleted_value_does_not_come(void **state)
{
    struct varve_session *session = session_of(state);
    static const int64_t order[] = {3, 1};
    struct cache_lab_reading key = CACHE_LAB_READING_INIT;
    for (int64_t id = 1; id <= 3; id++)
        put_reading(session, id, id);
    key.id = 2;
    expect_ok(session, cache_lab_reading_cache_delete(session, &key));
    expect_readings(recent(session, 0, 0), order, 2);
}

static void
test_what_others_change_meanwhile_does_no_harm(void **state)
{
    struct varve_session *session = session_of(state);
    const struct cache_lab_reading *row;
    struct cache_lab_reading key = CACHE_LAB_READING_INIT;
    bool seen[PAGES] = {false};
    int rows = 0;
    for (int64_t i = 0; i < PAGES; i++)
        put_reading(session, i, i);
    struct varve_cursor *cursor = recent(session, 0, 0);
    while (cache_lab_reading_next(cursor, &row) == VARVE_ROW) {
        assert_false(seen[row->id]);
        seen[row->id] = true;
        key.id = row->id; /* what was given goes, or comes again as newer */
        if (rows++ % 2)
            expect_ok(session, cache_lab_reading_cache_delete(session, &key));
        else
            put_reading(session, key.id, INT64_C(1000000) + key.id);
    }
    varve_cursor_close(cursor);
    assert_int_equal(rows, PAGES); /* none is passed over for those that went */
}

/* -------------------------------------------------------------------- lives */

static void
put_flash(struct varve_session *session, const char *name, int64_t seen_at, int64_t ttl_seconds)
{
    struct cache_lab_flash flash = CACHE_LAB_FLASH_INIT;
    flash.name = name;
    flash.seen_at = seen_at;
    expect_ok(
        session, cache_lab_flash_cache_put_with(
                     session, &flash, &(struct varve_cache_options){ttl_seconds}));
}

/* Asserts that recent gives flashes of these names, each a letter. */
static void
expect_flashes(
    struct varve_session *session, const char *names, const struct varve_cache_options *options)
{
    struct varve_cursor *cursor;
    const struct cache_lab_flash *row;
    expect_ok(session, cache_lab_flash_cache_recent_with(session, 0, 0, &cursor, options));
    for (; *names; names++) {
        assert_int_equal(cache_lab_flash_next(cursor, &row), VARVE_ROW);
        assert_int_equal(row->name[0], *names);
    }
    assert_int_equal(cache_lab_flash_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
}

static void
test_what_has_expired_does_not_come(void **state)
{
    struct api *api = *state;
    put_flash(api->session, "a", 1, 60);
    put_flash(api->session, "b", 2, 0); /* a second, as the message says */
    put_flash(api->session, "c", 3, -1);
    expect_flashes(api->session, "cba", NULL);
    api_pass_time(api, 1050);
    expect_flashes(api->session, "ca", NULL);
}

static void
test_recent_gives_a_new_life_when_it_is_asked_to(void **state)
{
    struct api *api = *state;
    put_flash(api->session, "a", 1, 0);
    put_flash(api->session, "b", 2, 0);
    expect_flashes(api->session, "ba", &(struct varve_cache_options){.ttl_seconds = 60});
    put_flash(api->session, "c", 3, 0);
    expect_flashes(api->session, "cba", NULL); /* and none when not */
    api_pass_time(api, 1050);
    expect_flashes(api->session, "ba", NULL);
}

/* -------------------------------------------------------------------- cursors */

static void
test_a_row_is_borrowed_until_the_next(void **state)
{
    struct varve_session *session = session_of(state);
    const struct cache_lab_reading *row;
    put_reading(session, 1, 1);
    put_reading(session, 2, 2);
    struct varve_cursor *cursor = recent(session, 0, 0);
    assert_int_equal(cache_lab_reading_next(cursor, &row), VARVE_ROW);
    put_reading(session, 2, 20); /* other calls leave it alone */
    put_reading(session, 3, 30);
    expect_readings(recent(session, 30, 0), (int64_t[]){3}, 1);
    assert_int_equal(row->taken_at, 2);
    varve_cursor_close(cursor); /* before its end */
    varve_cursor_close(NULL);
}

static void
test_cursors_work_side_by_side(void **state)
{
    struct varve_session *session = session_of(state);
    const struct cache_lab_reading *row;
    struct varve_cursor *cursors[3];
    for (int64_t i = 0; i < PAGES; i++)
        put_reading(session, i, i);
    for (size_t k = 0; k < 3; k++)
        cursors[k] = recent(session, 0, 0);
    for (int64_t i = 0; i < PAGES; i++) {
        for (size_t k = 0; k < 3; k++) {
            if (k == 1 && i > 70)
                continue;
            assert_int_equal(cache_lab_reading_next(cursors[k], &row), VARVE_ROW);
            assert_int_equal(row->id, PAGES - 1 - i);
        }
        if (i == 70)
            varve_cursor_close(cursors[1]);
    }
    varve_cursor_close(cursors[2]);
    varve_cursor_close(cursors[0]);
}

static void
test_a_cursor_is_at_its_end_when_its_session_is_closed(void **state)
{
    struct api *api = *state;
    const struct cache_lab_reading *row;
    put_reading(api->session, 1, 1);
    put_reading(api->session, 2, 2);
    struct varve_session *session = api_second_session(api);
    struct varve_cursor *cursor = recent(session, 0, 0);
    struct varve_cursor *begun = recent(session, 0, 0);
    assert_int_equal(cache_lab_reading_next(begun, &row), VARVE_ROW);
    varve_session_close(session);
    api->second = NULL;
    assert_int_not_equal(cache_lab_reading_next(cursor, &row), VARVE_ROW);
    assert_null(row);
    assert_int_not_equal(cache_lab_reading_next(begun, &row), VARVE_ROW);
    assert_null(row);
    varve_cursor_close(cursor);
    varve_cursor_close(begun);
}

static void
test_a_cursor_of_another_message_is_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    const struct cache_lab_flash *row;
    put_reading(session, 1, 1);
    struct varve_cursor *cursor = recent(session, 0, 0);
    assert_int_equal(cache_lab_flash_next(cursor, &row), VARVE_MISUSE);
    assert_null(row);
    expect_readings(cursor, (int64_t[]){1}, 1); /* it goes on */
}

static void
test_what_recent_cannot_do_is_misuse(void **state)
{
    struct varve_session *session = session_of(state);
    const struct varve_record *readings = &cache_lab_reading_record;
    const struct varve_cache_options bad = {.ttl_seconds = -2};
    struct varve_cursor *cursor = (void *)state;
    enum varve_status status =
        varve_cache_recent(session, &cache_lab_stored_record, 0, 0, &cursor, NULL);
    expect_failure(session, status, VARVE_MISUSE, "index_by");
    assert_null(cursor);
    status = varve_cache_recent(session, readings, 0, -1, &cursor, NULL);
    expect_failure(session, status, VARVE_MISUSE, "the limit is -1");
    status = varve_cache_recent(session, readings, 0, 0, NULL, NULL);
    expect_failure(session, status, VARVE_MISUSE, "result is NULL");
    status = varve_cache_recent(session, readings, 0, 0, &cursor, &bad);
    expect_failure(session, status, VARVE_MISUSE, "ttl_seconds");
    status = varve_cache_recent(session, NULL, 0, 0, &cursor, NULL);
    expect_failure(session, status, VARVE_MISUSE, "table is NULL");
    assert_null(cursor);
}

/* -------------------------------------------------------------------- READ_THROUGH */

static void
add_city(struct varve_session *session, const char *code, int64_t founded_at)
{
    struct cache_lab_city city = CACHE_LAB_CITY_INIT;
    city.code = code;
    city.founded_at = founded_at;
    expect_ok(session, cache_lab_city_insert(session, &city));
}

static void
test_of_a_table_record_the_table_answers(void **state)
{
    struct varve_session *session = session_of(state);
    struct varve_cursor *cursor;
    const struct cache_lab_city *row;
    add_city(session, "rome", -753);
    add_city(session, "jena", 1182);
    add_city(session, "oslo", 1040);
    expect_ok(session, varve_begin(session));
    add_city(session, "bern", 1191); /* the transaction's own too */
    expect_ok(session, cache_lab_city_cache_recent(session, 0, 2, &cursor));
    assert_int_equal(cache_lab_city_next(cursor, &row), VARVE_ROW);
    assert_string_equal(row->code, "bern");
    assert_int_equal(cache_lab_city_next(cursor, &row), VARVE_ROW);
    assert_string_equal(row->code, "jena");
    assert_int_equal(cache_lab_city_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
    expect_ok(session, varve_rollback(session));
}

/* -------------------------------------------------------------------- the server */

static void
test_a_row_under_the_key_of_another_is_corrupt(void **state)
{
    struct api *api = *state;
    char first[128];
    const struct cache_lab_reading *row;
    struct varve_cursor *cursor;
    struct cache_lab_reading reading = CACHE_LAB_READING_INIT;
    put_reading(api->session, 1, 10);
    put_reading(api->session, 2, 20);
    reading.id = 1;
    snprintf(first, sizeof first, "%s", redis_key(&cache_lab_reading_record, &reading));
    reading.id = 2;
    server_command(
        api->server, "COPY %s %s REPLACE", first, redis_key(&cache_lab_reading_record, &reading));
    expect_ok(api->session, cache_lab_reading_cache_recent(api->session, 0, 0, &cursor));
    expect_failure(
        api->session, cache_lab_reading_next(cursor, &row), VARVE_CORRUPT, "another key");
    varve_cursor_close(cursor);
}

static void
test_a_damaged_row_ends_the_cursor(void **state)
{
    struct api *api = *state;
    const struct cache_lab_reading *row;
    struct cache_lab_reading key = CACHE_LAB_READING_INIT;
    key.id = 1;
    put_reading(api->session, 1, 1);
    server_command(api->server, "SET %s %s", redis_key(&cache_lab_reading_record, &key), "\x09");
    struct varve_cursor *cursor = recent(api->session, 0, 0);
    enum varve_status status = cache_lab_reading_next(cursor, &row);
    expect_failure(api->session, status, VARVE_CORRUPT, "cache_lab.Reading");
    assert_null(row);
    status = cache_lab_reading_next(cursor, &row);
    expect_failure(api->session, status, VARVE_MISUSE, "VARVE_CORRUPT");
    varve_cursor_close(cursor);
}

static void
test_a_value_that_was_put_again_as_older_does_not_come(void **state)
{
    struct api *api = *state;
    struct cache_lab_reading reading = CACHE_LAB_READING_INIT;
    struct varve_bytes bytes;
    char value[64] = {0}; /* not compressed */
    reading.id = 1;
    reading.taken_at = 5;
    put_reading(api->session, 1, 100);
    put_reading(api->session, 2, 90);
    expect_ok(NULL, cache_lab_reading_pack(&reading, &bytes));
    memcpy(value + 1, bytes.data, bytes.size);
    server_command(
        api->server, "SET %s %b", redis_key(&cache_lab_reading_record, &reading), value,
        bytes.size + 1);
    varve_bytes_free(&bytes);
    expect_readings(recent(api->session, 50, 1), (int64_t[]){2}, 1);
}

static void
test_a_server_that_goes_ends_the_cursor(void **state)
{
    struct api *api = *state;
    const struct cache_lab_reading *row;
    api_open_with(api, (struct varve_config){.redis_retries = -1});
    for (int64_t i = 0; i < PAGES; i++)
        put_reading(api->session, i, i);
    struct varve_cursor *cursor = recent(api->session, 0, 0);
    assert_int_equal(cache_lab_reading_next(cursor, &row), VARVE_ROW);
    api_kill_server(api);
    enum varve_status status = VARVE_ROW;
    for (int i = 0; i < PAGES && status == VARVE_ROW; i++)
        status = cache_lab_reading_next(cursor, &row);
    expect_failure(api->session, status, VARVE_UNAVAILABLE, server_socket(api->server));
    assert_null(row);
    varve_cursor_close(cursor);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_the_newest_come_first),
        API_TEST(test_at_the_ends_of_time_nothing_is_lost),
        API_TEST(test_nothing_is_recent_at_first),
        API_TEST(test_rows_come_over_many_pages),
        API_TEST(test_many_of_one_time_all_come),
        API_TEST(test_a_value_that_is_put_again_moves),
        API_TEST(test_a_deleted_value_does_not_come),
        API_TEST(test_what_others_change_meanwhile_does_no_harm),
        API_TEST(test_what_has_expired_does_not_come),
        API_TEST(test_recent_gives_a_new_life_when_it_is_asked_to),
        API_TEST(test_a_row_is_borrowed_until_the_next),
        API_TEST(test_cursors_work_side_by_side),
        API_TEST(test_a_cursor_is_at_its_end_when_its_session_is_closed),
        API_TEST(test_a_cursor_of_another_message_is_misuse),
        API_TEST(test_what_recent_cannot_do_is_misuse),
        API_TEST(test_of_a_table_record_the_table_answers),
    };
    const struct CMUnitTest with_server[] = {
        API_TEST(test_a_row_under_the_key_of_another_is_corrupt),
        API_TEST(test_a_damaged_row_ends_the_cursor),
        API_TEST(test_a_value_that_was_put_again_as_older_does_not_come),
        API_TEST(test_a_server_that_goes_ends_the_cursor),
    };
    return API_RUN("cache_recent", tests) + API_RUN_REDIS("cache_recent_server", with_server);
}
