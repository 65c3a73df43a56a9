/* What the log is told of slow calls. */
#define _POSIX_C_SOURCE 200809L /* setenv */

#include "observe_support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "her pass phrase 4711"

/* Everything is slow, finds above all: their statements are prepared anew each time. */
static void
open_slow(struct watched *watched)
{
    watched_open(watched, (struct varve_config){.slow_call_us = 1, .cached_statements = -1});
}

/* That one line was told, of a call that begins and goes on so. */
static void
expect_slow(struct watched *watched, const char *call, const char *rows, const char *sql)
{
    char beginning[100];
    snprintf(beginning, sizeof beginning, "slow call: %s took ", call);
    assert_int_equal(watched->heard.count, 1);
    const char *line = one_line(watched, beginning, rows);
    if (!strstr(line, sql))
        fail_msg("\"%s\" does not say \"%s\"", line, sql);
    assert_null(strstr(line, "4711"));
    assert_non_null(strstr(line, " ms"));
    watched_forget(watched);
}

/* -------------------------------------------------------------------- slow calls */

/* Within a transaction, and for the second time, each is one statement; which of several takes longest is up to
 * the machine. */
static void
write_all(struct watched *watched, bool told)
{
    struct shop_maker maker = SHOP_MAKER_INIT, many[2] = {SHOP_MAKER_INIT, SHOP_MAKER_INIT};
    struct varve_session *session = watched->session;
    maker.name = SECRET;
    many[0].name = "x " SECRET;
    many[1].name = "y " SECRET;
    must(watched, shop_maker_insert(session, &maker));
    if (told)
        expect_slow(watched, "record_insert of shop.Maker", ", 1 row: ", "INSERT INTO \"maker\"");
    must(watched, shop_maker_update(session, &maker));
    if (told)
        expect_slow(watched, "record_update of shop.Maker", ", 1 row: ", "UPDATE \"maker\"");
    must(watched, shop_maker_upsert(session, &maker));
    if (told)
        expect_slow(watched, "record_upsert of shop.Maker", ", 1 row: ", "ON CONFLICT");
    must(watched, shop_maker_delete(session, maker.id));
    if (told)
        expect_slow(watched, "record_delete of shop.Maker", ", 1 row: ", "DELETE FROM \"maker\"");
    watched_forget(watched);
    must(watched, shop_maker_insert_many(session, many, 2));
    if (told)
        expect_slow(watched, "record_insert_many of shop.Maker", ", 2 rows; the longest of ", ": ");
    watched_forget(watched);
    must(watched, shop_maker_delete_where(session, NULL));
    if (told)
        expect_slow(watched, "record_delete of shop.Maker", ", 2 rows", "");
}

static void
test_writes_are_told_with_their_statement(void **state)
{
    struct watched *watched = *state;
    open_slow(watched);
    must(watched, varve_begin(watched->session));
    write_all(watched, false);
    watched_forget(watched);
    write_all(watched, true);
    must(watched, varve_commit(watched->session));
    assert_int_equal(watched->heard.tiers[0], VARVE_TIER_TABLE);
}

static void
read_all(struct watched *watched, int64_t id, bool told)
{
    struct shop_maker *maker, **makers;
    const int64_t ids[2] = {id, -1};
    struct varve_session *session = watched->session;
    must(watched, shop_maker_get(session, id, &maker));
    shop_maker_free(maker);
    if (told)
        expect_slow(
            watched, "record_get of shop.Maker", ", 1 row: ", "FROM \"maker\" WHERE \"id\" = ?");
    assert_int_equal(shop_maker_get(session, -1, &maker), VARVE_NOT_FOUND);
    if (told)
        expect_slow(
            watched, "record_get of shop.Maker", ", nothing was found: ", "WHERE \"id\" = ?");
    must(watched, shop_maker_get_many(session, ids, 2, &makers));
    shop_maker_free_many(makers);
    if (told)
        expect_slow(watched, "record_get_many of shop.Maker", ", 1 row; the longest of ", ": ");
}

static void
test_reads_are_told_with_their_statement(void **state)
{
    struct watched *watched = *state;
    struct shop_maker *maker;
    int64_t count;
    const struct shop_maker_filter filter = {.name = varve_text_equals(SECRET)};
    open_slow(watched);
    int64_t id = add_maker(watched, SECRET, 4711);
    read_all(watched, id, false);
    watched_forget(watched);
    read_all(watched, id, true);
    must(watched, shop_maker_get_by_name(watched->session, SECRET, &maker));
    shop_maker_free(maker);
    expect_slow(watched, "record_get of shop.Maker", ", 1 row", ": ");
    must(watched, shop_maker_find_one(watched->session, &filter, &maker));
    shop_maker_free(maker);
    expect_slow(watched, "record_find of shop.Maker", ", 1 row", ": ");
    must(watched, shop_maker_count(watched->session, &filter, &count));
    expect_slow(watched, "record_count of shop.Maker", "", ": ");
}

static void
test_transactions_are_told(void **state)
{
    struct watched *watched = *state;
    open_slow(watched);
    for (int i = 0; i < 2; i++) {
        watched_forget(watched);
        must(watched, varve_begin(watched->session));
        expect_slow(watched, "begin", "", ": ");
        add_maker(watched, (const char *[]){"a", "b"}[i], 1);
        watched_forget(watched);
        must(watched, varve_commit(watched->session));
        expect_slow(watched, "commit", " ms: ", "COMMIT");
    }
}

static void
test_calls_of_the_archive_are_told(void **state)
{
    struct watched *watched = *state;
    float image[6] = {0};
    struct varve_tensor_writer *writer;
    const int64_t dims[] = {2, 3};
    open_slow(watched);
    int64_t id = add_scan(watched, SECRET);
    struct varve_session *session = watched->session;
    watched_forget(watched);
    must(watched, shop_scan_read_image(session, id, NULL, image, sizeof image));
    assert_int_equal(watched->heard.tiers[0], VARVE_TIER_ARCHIVE);
    expect_slow(watched, "tensor_read of shop.Scan", "", "SELECT");
    must(watched, shop_scan_write_image_begin(session, id, dims, &writer));
    must(watched, shop_scan_write_image_rows(writer, image, 2));
    assert_int_equal(watched->heard.count, 0); /* it is not at its end */
    must(watched, shop_scan_write_image_finish(writer));
    expect_slow(watched, "tensor_write of shop.Scan", ", 2 rows", "statements took");
    must(watched, varve_flush(watched->store));
    expect_slow(watched, "flush", "", "statement");
    must(watched, varve_maintain(watched->store, NULL));
    expect_slow(watched, "compact", "", "statement");
}

static void
test_failed_calls_are_told_and_keep_their_failure(void **state)
{
    struct watched *watched = *state;
    struct shop_maker maker = SHOP_MAKER_INIT;
    open_slow(watched);
    add_maker(watched, SECRET, 1);
    watched_forget(watched);
    maker.name = SECRET;
    assert_int_equal(shop_maker_insert(watched->session, &maker), VARVE_CONFLICT);
    assert_int_equal(varve_session_failure(watched->session)->kind, VARVE_FAILURE_UNIQUE);
    assert_int_equal(varve_session_failure(NULL)->kind, VARVE_FAILURE_UNIQUE);
    expect_slow(watched, "record_insert of shop.Maker", " and failed with VARVE_CONFLICT", ": ");
}

static void
test_a_scan_without_an_index_is_told(void **state)
{
    struct watched *watched = *state;
    int64_t count;
    const struct shop_maker_filter by_year = {.founded = varve_int64_equals(4711)};
    const struct shop_maker_filter by_name = {.name = varve_text_equals("a")};
    watched_open(watched, (struct varve_config){.slow_call_us = 1});
    must(watched, varve_begin(watched->session));
    for (int32_t i = 0; i < 40; i++) {
        char name[20];
        snprintf(name, sizeof name, "maker %d", (int)i);
        add_maker(watched, name, i);
    }
    must(watched, varve_commit(watched->session));
    must(watched, shop_maker_count(watched->session, &by_year, &count)); /* prepares it */
    for (int i = 0; i < 2; i++) {                                        /* counted anew by each */
        watched_forget(watched);
        must(watched, shop_maker_count(watched->session, &by_year, &count));
        expect_slow(
            watched, "record_count of shop.Maker",
            "; its statement scanned 39 rows without an index: ", "\"founded\"");
    }
    must(watched, shop_maker_count(watched->session, &by_name, &count));
    assert_int_equal(count_lines(watched, "slow call: record_count", "without an index"), 0);
    assert_int_equal(count_lines(watched, "slow call: record_count", ""), 1);
}

static void
test_long_statements_are_cut(void **state)
{
    struct watched *watched = *state;
    struct shop_item item = SHOP_ITEM_INIT;
    open_slow(watched);
    must(watched, varve_begin(watched->session));
    for (int i = 0; i < 2; i++) {
        watched_forget(watched);
        item.id = 0;
        item.code = (const char *[]){SECRET, "x " SECRET}[i];
        must(watched, shop_item_insert(watched->session, &item));
    }
    must(watched, varve_rollback(watched->session));
    const char *line = one_line(watched, "slow call: record_insert of shop.Item", "INSERT INTO");
    const char *sql = strstr(line, "INSERT INTO");
    assert_in_range(strlen(sql), 290, 300);
    assert_null(strstr(line, "4711"));
}

static void
test_nothing_is_told_unless_it_is_asked_for(void **state)
{
    struct watched *watched = *state;
    static const int64_t limits[] = {0, -1, INT32_MAX};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct varve_cursor *cursor;
        const struct shop_maker *row;
        watched_open(watched, (struct varve_config){.slow_call_us = limits[i]});
        must(watched, varve_begin(watched->session));
        add_maker(watched, (const char *[]){"a", "b", "c"}[i], 1);
        must(watched, varve_commit(watched->session));
        must(watched, shop_maker_find(watched->session, NULL, &cursor));
        while (shop_maker_next(cursor, &row) == VARVE_ROW)
            continue;
        varve_cursor_close(cursor);
        must(watched, varve_flush(watched->store));
        must(watched, varve_maintain(watched->store, NULL));
        assert_int_equal(watched->heard.count, 0);
    }
}

/* -------------------------------------------------------------------- slow finds */

static void
add_three(struct watched *watched)
{
    add_maker(watched, "a " SECRET, 1);
    add_maker(watched, "b " SECRET, 2);
    add_maker(watched, "c " SECRET, 3);
    watched_forget(watched);
}

static struct varve_cursor *
find_all(const struct watched *watched, int rows)
{
    struct varve_cursor *cursor;
    const struct shop_maker *row;
    const struct shop_maker_filter filter = {.name = varve_text_at_least("a " SECRET)};
    must(watched, shop_maker_find(watched->session, &filter, &cursor));
    for (int i = 0; i < rows; i++)
        assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    return cursor;
}

static void
test_a_find_is_told_at_its_end(void **state)
{
    struct watched *watched = *state;
    const struct shop_maker *row;
    open_slow(watched);
    add_three(watched);
    struct varve_cursor *cursor = find_all(watched, 3);
    assert_int_equal(watched->heard.count, 0);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_DONE);
    expect_slow(watched, "record_find of shop.Maker", ", 3 rows", "FROM \"maker\"");
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
    assert_int_equal(watched->heard.count, 0); /* once */
}

static void
test_a_find_that_is_left_is_told_by_who_closes_it(void **state)
{
    struct watched *watched = *state;
    open_slow(watched);
    add_three(watched);
    varve_cursor_close(find_all(watched, 2));
    expect_slow(watched, "record_find of shop.Maker", ", 2 rows", "FROM \"maker\"");
    varve_cursor_close(find_all(watched, 0));
    expect_slow(watched, "record_find of shop.Maker", ", 0 rows", "FROM \"maker\"");
    struct varve_cursor *cursor = find_all(watched, 1);
    varve_session_close(watched->session);
    expect_slow(watched, "record_find of shop.Maker", ", 1 row", "FROM \"maker\"");
    varve_cursor_close(cursor);
    must(watched, varve_session_open(watched->store, &watched->session));
    assert_int_equal(watched->heard.count, 0);
    must(watched, varve_begin_read(watched->session));
    cursor = find_all(watched, 2);
    must(watched, varve_rollback(watched->session));
    varve_cursor_close(cursor);
    expect_slow(watched, "record_find of shop.Maker", ", 2 rows", "FROM \"maker\"");
}

static void
test_statements_between_rows_are_told_apart(void **state)
{
    struct watched *watched = *state;
    struct shop_maker *maker;
    const struct shop_maker *row;
    open_slow(watched);
    add_three(watched);
    struct varve_cursor *cursor = find_all(watched, 1);
    must(watched, shop_maker_get_by_name(watched->session, "b " SECRET, &maker));
    expect_slow(watched, "record_get of shop.Maker", ", 1 row", ": ");
    shop_maker_free(maker);
    const struct shop_maker_filter by_year = {.founded = varve_int64_equals(2)};
    struct varve_cursor *scan;
    must(watched, shop_maker_find(watched->session, &by_year, &scan));
    assert_int_equal(shop_maker_next(scan, &row), VARVE_ROW);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    varve_cursor_close(cursor);
    expect_slow(watched, "record_find of shop.Maker", ", 2 rows: ", "\"name\" >= ?");
    assert_int_equal(shop_maker_next(scan, &row), VARVE_DONE);
    varve_cursor_close(scan);
    expect_slow(
        watched, "record_find of shop.Maker", ", 1 row; its statement scanned 2 rows",
        "\"founded\"");
}

/* -------------------------------------------------------------------- configuration */

static void
test_without_a_log_nothing_is_told(void **state)
{
    struct watched *watched = *state;
    struct varve_store *store;
    struct varve_session *session;
    struct varve_cursor *cursor;
    struct varve_health_report health;
    struct shop_maker *maker;
    const struct shop_maker *row;
    const struct varve_config config = {
        .data_dir = watched->folder, .slow_call_us = 1, .cursor_warn_ms = 1};
    add_three(watched);
    assert_int_equal(varve_open(&shop_schema, &config, &store, NULL), VARVE_OK);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    assert_int_equal(shop_maker_find(session, NULL, &cursor), VARVE_OK);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    wait_a_moment();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(shop_maker_get(session, row->id, &maker), VARVE_OK);
        shop_maker_free(maker);
    }
    assert_int_equal(varve_health(store, &health), VARVE_OK);
    assert_int_equal(health.table.open_cursors, 1);
    assert_int_equal(health.latency[VARVE_OPERATION_RECORD_GET].timed, 1); /* it is as if off */
    varve_health_free(&health);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    varve_cursor_close(cursor);
    varve_session_close(session);
    varve_close(store);
}

static void
test_odd_members_are_refused(void **state)
{
    struct watched *watched = *state;
    static const struct {
        struct varve_config config;
        const char *text;
    } odd[] = {
        {{.slow_call_us = -2}, "config.slow_call_us is -2; 0 is its default, else it is -1 to "},
        {{.slow_call_us = INT64_C(1) << 31}, "config.slow_call_us is 2147483648; "},
        {{.cursor_warn_ms = -2}, "config.cursor_warn_ms is -2; "},
        {{.cursor_warn_ms = INT64_MIN}, "config.cursor_warn_ms is -9223372036854775808; "},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct varve_error error;
        struct varve_store *store = (void *)watched;
        struct varve_config config = odd[i].config;
        config.data_dir = watched->folder;
        assert_int_equal(varve_open(&shop_schema, &config, &store, &error), VARVE_MISUSE);
        assert_null(store);
        if (!strstr(error.message, odd[i].text))
            fail_msg("%s", error.message);
    }
}

static void
test_the_environment_says_them_too(void **state)
{
    (void)state;
    struct varve_error error;
    struct varve_config config = {0};
    setenv("VARVE_SLOW_CALL_US", "250", 1);
    setenv("VARVE_CURSOR_WARN_MS", "-1", 1);
    assert_int_equal(varve_config_from_env(&config, &error), VARVE_OK);
    assert_int_equal(config.slow_call_us, 250);
    assert_int_equal(config.cursor_warn_ms, -1);
    setenv("VARVE_CURSOR_WARN_MS", "-2", 1);
    assert_int_equal(varve_config_from_env(&config, &error), VARVE_INVALID);
    assert_non_null(strstr(error.message, "VARVE_CURSOR_WARN_MS is \"-2\""));
    unsetenv("VARVE_SLOW_CALL_US");
    unsetenv("VARVE_CURSOR_WARN_MS");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED_TEST(test_writes_are_told_with_their_statement),
        WATCHED_TEST(test_reads_are_told_with_their_statement),
        WATCHED_TEST(test_transactions_are_told),
        WATCHED_TEST(test_calls_of_the_archive_are_told),
        WATCHED_TEST(test_failed_calls_are_told_and_keep_their_failure),
        WATCHED_TEST(test_a_scan_without_an_index_is_told),
        WATCHED_TEST(test_long_statements_are_cut),
        WATCHED_TEST(test_nothing_is_told_unless_it_is_asked_for),
        WATCHED_TEST(test_a_find_is_told_at_its_end),
        WATCHED_TEST(test_a_find_that_is_left_is_told_by_who_closes_it),
        WATCHED_TEST(test_statements_between_rows_are_told_apart),
        WATCHED_TEST(test_without_a_log_nothing_is_told),
        WATCHED_TEST(test_odd_members_are_refused),
        WATCHED_TEST(test_the_environment_says_them_too),
    };
    return cmocka_run_group_tests_name("slow", tests, NULL, NULL);
}
