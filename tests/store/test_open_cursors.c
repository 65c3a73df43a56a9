/* Cursors that stand in their rows: what varve_health() says of them, and the log of those that do so for long. */
#include "observe_support.h"

static void
test_sessions_cursors_and_files_are_reported(void **state)
{
    struct watched *watched = *state;
    struct varve_session *other;
    struct varve_cursor *first, *second;
    const struct shop_maker *row;
    add_maker(watched, "a", 1);
    must(watched, varve_session_open(watched->store, &other));
    struct varve_table_health table = health_of(watched).table;
    assert_int_equal(table.sessions_open, 2);
    assert_int_equal(table.open_cursors, 0);
    assert_int_equal(table.oldest_cursor_ms, 0);
    assert_int_equal(table.writers_waiting, 0);
    assert_in_range(table.database_bytes, 4096, 1 << 30);
    assert_in_range(table.wal_bytes, 4096, 1 << 30);
    must(watched, shop_maker_find(watched->session, NULL, &first));
    wait_a_moment();
    must(watched, shop_maker_find(other, NULL, &second));
    table = health_of(watched).table;
    assert_int_equal(table.open_cursors, 2);
    assert_in_range(table.oldest_cursor_ms, 4, INT32_MAX);
    assert_int_equal(shop_maker_next(first, &row), VARVE_ROW);
    assert_int_equal(health_of(watched).table.open_cursors, 2);
    assert_int_equal(shop_maker_next(first, &row), VARVE_DONE);
    assert_int_equal(health_of(watched).table.open_cursors, 1);
    varve_session_close(other);
    assert_int_equal(health_of(watched).table.open_cursors, 0);
    varve_cursor_close(first);
    varve_cursor_close(second);
}

/* -------------------------------------------------------------------- for long */

static void
add_three(struct watched *watched)
{
    add_maker(watched, "a", 1);
    add_maker(watched, "b", 2);
    add_maker(watched, "c", 3);
    watched_forget(watched);
}

static struct varve_cursor *
find_all(const struct watched *watched, int rows)
{
    struct varve_cursor *cursor;
    const struct shop_maker *row;
    const struct shop_maker_filter filter = {.name = varve_text_at_least("a")};
    must(watched, shop_maker_find(watched->session, &filter, &cursor));
    for (int i = 0; i < rows; i++)
        assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    return cursor;
}

/* A cursor that is open for longer than it may, on its first row. */
static struct varve_cursor *
open_long(struct watched *watched, int64_t warn_ms)
{
    watched_open(watched, (struct varve_config){.cursor_warn_ms = warn_ms});
    must(watched, shop_maker_delete_where(watched->session, NULL));
    add_three(watched);
    struct varve_cursor *cursor = find_all(watched, 1);
    wait_a_moment();
    assert_int_equal(watched->heard.count, 0);
    return cursor;
}

static void
expect_warned(const struct watched *watched, size_t count, const char *rows)
{
    assert_int_equal(watched->heard.count, count);
    assert_int_equal(count_lines(watched, "a cursor of shop.Maker is open for ", rows), count);
}

static void
test_a_cursor_is_told_by_health_once(void **state)
{
    struct watched *watched = *state;
    const struct shop_maker *row;
    struct varve_cursor *cursor = open_long(watched, 1);
    assert_int_equal(health_of(watched).table.open_cursors, 1);
    expect_warned(watched, 1, " s, 1 rows taken");
    health_of(watched);
    must(watched, varve_maintain(watched->store, NULL));
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    varve_cursor_close(cursor);
    expect_warned(watched, 1, "");
}

static void
test_a_cursor_is_told_by_maintain_once(void **state)
{
    struct watched *watched = *state;
    struct varve_cursor *cursor = open_long(watched, 1);
    must(watched, varve_maintain(watched->store, NULL));
    expect_warned(watched, 1, " s, 1 rows taken");
    must(watched, varve_maintain(watched->store, NULL));
    varve_cursor_close(cursor);
    expect_warned(watched, 1, "");
}

static void
test_a_cursor_is_told_by_its_own_next_once(void **state)
{
    struct watched *watched = *state;
    const struct shop_maker *row;
    struct varve_cursor *cursor = open_long(watched, 1);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    expect_warned(watched, 1, " s, 2 rows taken");
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
    expect_warned(watched, 1, "");
}

static void
test_a_cursor_is_told_by_its_end_and_its_close(void **state)
{
    struct watched *watched = *state;
    const struct shop_maker *row;
    varve_cursor_close(open_long(watched, 1));
    expect_warned(watched, 1, " s, 1 rows taken");
    watched_open(watched, (struct varve_config){.cursor_warn_ms = 1});
    struct varve_cursor *cursor = find_all(watched, 3);
    wait_a_moment();
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_DONE);
    expect_warned(watched, 1, ""); /* on a slow machine by its second row */
    wait_a_moment();
    health_of(watched);
    varve_cursor_close(cursor);
    expect_warned(watched, 1, "");
    cursor = open_long(watched, 1);
    varve_session_close(watched->session);
    watched->session = NULL;
    expect_warned(watched, 1, " s, 1 rows taken");
    varve_cursor_close(cursor);
    expect_warned(watched, 1, "");
}

static void
test_cursors_that_may_be_open_are_not_told(void **state)
{
    struct watched *watched = *state;
    const struct shop_maker *row;
    struct varve_cursor *cursor = open_long(watched, 60000);
    health_of(watched);
    must(watched, varve_maintain(watched->store, NULL));
    while (shop_maker_next(cursor, &row) == VARVE_ROW)
        continue;
    varve_cursor_close(cursor);
    cursor = open_long(watched, 0); /* a minute */
    health_of(watched);
    varve_cursor_close(cursor);
    cursor = open_long(watched, -1);
    health_of(watched);
    must(watched, varve_maintain(watched->store, NULL));
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_ROW);
    varve_cursor_close(cursor);
    expect_warned(watched, 0, "");
}

static void
test_cursors_at_their_end_are_not_told(void **state)
{
    struct watched *watched = *state;
    const struct shop_maker *row;
    add_three(watched);
    watched_open(watched, (struct varve_config){.cursor_warn_ms = 1});
    struct varve_cursor *cursor = find_all(watched, 3);
    assert_int_equal(shop_maker_next(cursor, &row), VARVE_DONE);
    size_t told = watched->heard.count; /* 0, but on a slow machine */
    wait_a_moment();
    health_of(watched);
    varve_cursor_close(cursor);
    assert_int_equal(watched->heard.count, told);
}

static void
test_many_cursors_of_many_sessions_are_all_told(void **state)
{
    enum {
        SESSIONS = 4,
        EACH = 10
    };
    struct watched *watched = *state;
    struct varve_session *sessions[SESSIONS];
    struct varve_cursor *cursors[SESSIONS * EACH];
    watched_open(watched, (struct varve_config){.cursor_warn_ms = 1});
    for (size_t i = 0; i < SESSIONS; i++)
        must(watched, varve_session_open(watched->store, &sessions[i]));
    for (size_t i = 0; i < SESSIONS * EACH; i++)
        must(watched, shop_maker_find(sessions[i % SESSIONS], NULL, &cursors[i]));
    wait_a_moment();
    assert_int_equal(health_of(watched).table.open_cursors, SESSIONS * EACH);
    expect_warned(watched, SESSIONS * EACH, " s, 0 rows taken");
    for (size_t i = 0; i < SESSIONS * EACH; i++)
        varve_cursor_close(cursors[i]);
    for (size_t i = 0; i < SESSIONS; i++)
        varve_session_close(sessions[i]);
    expect_warned(watched, SESSIONS * EACH, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED_TEST(test_sessions_cursors_and_files_are_reported),
        WATCHED_TEST(test_a_cursor_is_told_by_health_once),
        WATCHED_TEST(test_a_cursor_is_told_by_maintain_once),
        WATCHED_TEST(test_a_cursor_is_told_by_its_own_next_once),
        WATCHED_TEST(test_a_cursor_is_told_by_its_end_and_its_close),
        WATCHED_TEST(test_cursors_that_may_be_open_are_not_told),
        WATCHED_TEST(test_cursors_at_their_end_are_not_told),
        WATCHED_TEST(test_many_cursors_of_many_sessions_are_all_told),
    };
    return cmocka_run_group_tests_name("open_cursors", tests, NULL, NULL);
}
