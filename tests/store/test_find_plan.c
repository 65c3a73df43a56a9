/* How SQLite carries out a find: by which index, with how much work. */
#include "trials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* The newest statement that is one of a find's. */
static sqlite3_stmt *
newest_find(struct sqlite3 *database)
{
    sqlite3_stmt *statement = sqlite3_next_stmt(database, NULL);
    while (strstr(sqlite3_sql(statement), "varve_generation"))
        statement = sqlite3_next_stmt(database, statement);
    return statement;
}

/* SQLite's plan for the statement of a find that no other test has asked for. */
static void
plan_of(struct fixture *fixture, const struct lab_trial_filter *filter, char plan[1000])
{
    struct sqlite3 *database = varve_session_sqlite(fixture->session);
    struct varve_cursor *cursor = find_trials(fixture, filter);
    char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(newest_find(database)));
    sqlite3_stmt *explain;
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &explain, NULL), SQLITE_OK);
    plan[0] = '\0';
    while (sqlite3_step(explain) == SQLITE_ROW) {
        size_t length = strlen(plan);
        snprintf(plan + length, 1000 - length, "%s; ", sqlite3_column_text(explain, 3));
    }
    sqlite3_finalize(explain);
    sqlite3_free(sql);
    varve_cursor_close(cursor);
}

static void
expect_plan(
    struct fixture *fixture, const struct lab_trial_filter *filter, const char *part, bool sorts)
{
    char plan[1000];
    plan_of(fixture, filter, plan);
    if (!strstr(plan, part))
        fail_msg("\"%s\" does not say \"%s\"", plan, part);
    if (!strstr(plan, "TEMP B-TREE") == sorts)
        fail_msg("\"%s\" %s", plan, sorts ? "does not sort" : "sorts");
}

static void
test_conditions_on_indexed_fields_use_the_index(void **state)
{
    struct fixture *fixture = *state;
    int64_t times[] = {1, 2};
    struct lab_trial_filter filter = {.started_at = varve_int64_equals(1)};
    expect_plan(fixture, &filter, "SEARCH trial USING INDEX trial.4 (started_at=?)", false);
    filter.limit = 10;
    expect_plan(fixture, &filter, "trial.4 (started_at=?)", false);
    filter = (struct lab_trial_filter){.note = varve_text_prefix("a")};
    expect_plan(fixture, &filter, "trial.14 (note>? AND note<?)", true);
    filter = (struct lab_trial_filter){.started_at = varve_int64_in(times, 2)};
    expect_plan(fixture, &filter, "trial.4 (started_at=?)", true);
    filter = (struct lab_trial_filter){.started_at = varve_int64_between(1, 2)};
    expect_plan(fixture, &filter, "trial.4 (started_at>? AND started_at<?)", true);
    filter = (struct lab_trial_filter){.started_at = varve_int64_at_least(1)};
    expect_plan(fixture, &filter, "trial.4 (started_at>?)", true);
    filter.limit = 10;
    expect_plan(fixture, &filter, "trial.4 (started_at>?)", true);
    filter.order_by = LAB_TRIAL_FIELD_STARTED_AT;
    expect_plan(fixture, &filter, "trial.4 (started_at>?)", false);
    filter = (struct lab_trial_filter){.level = varve_int64_is_null()};
    expect_plan(fixture, &filter, "trial.13 (level=?)", false);
    filter = (struct lab_trial_filter){.id = varve_int64_in(times, 2)};
    expect_plan(fixture, &filter, "USING INTEGER PRIMARY KEY (rowid=?)", false);
}

static void
test_pages_in_the_order_of_an_index_begin_with_a_search(void **state)
{
    struct fixture *fixture = *state;
    struct lab_trial after = LAB_TRIAL_INIT;
    struct lab_trial_filter filter = {.limit = 10};
    expect_plan(fixture, &filter, "SCAN trial; ", false);
    filter.after = &after;
    expect_plan(fixture, &filter, "USING INTEGER PRIMARY KEY (rowid>?)", false);
    filter.descending = true;
    expect_plan(fixture, &filter, "USING INTEGER PRIMARY KEY (rowid<?)", false);
    filter.order_by = LAB_TRIAL_FIELD_STARTED_AT;
    expect_plan(fixture, &filter, "((started_at,rowid)<(?,?))", false);
    filter.descending = false;
    expect_plan(fixture, &filter, "((started_at,rowid)>(?,?))", false);
    filter.name = varve_text_equals("a");
    expect_plan(fixture, &filter, "(name=? AND (started_at,rowid)>(?,?))", false);
    filter = (struct lab_trial_filter){.after = &after, .order_by = LAB_TRIAL_FIELD_LEVEL};
    expect_plan(fixture, &filter, "(level=? AND rowid>?)", false);
    filter.descending = true;
    expect_plan(fixture, &filter, "(level=? AND rowid<?)", false);
    after.has_level = 1;
    expect_plan(fixture, &filter, "((level,rowid)<(?,?))", false);
    filter.descending = false;
    expect_plan(fixture, &filter, "((level,rowid)>(?,?))", false);
}

/* Steps of SQLite's machine for a page of ten. */
static int
steps_of_page(struct fixture *fixture, struct lab_trial_filter filter)
{
    filter.limit = 10;
    struct varve_cursor *cursor = find_trials(fixture, &filter);
    sqlite3_stmt *statement = sqlite3_next_stmt(varve_session_sqlite(fixture->session), NULL);
    const struct lab_trial *row;
    for (int i = 0; i < 10; i++)
        assert_int_equal(lab_trial_next(cursor, &row), VARVE_ROW);
    int steps = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
    varve_cursor_close(cursor);
    return steps;
}

static void
test_a_page_among_many_equal_values_does_not_read_them_all(void **state)
{
    struct fixture *fixture = *state;
    enum {
        HALF = 3000,
        FEW =
            2000 /* steps: some 30 for each column of ten rows; reading all takes a hundred times */
    };
    struct lab_trial *trials = calloc(2 * HALF, sizeof *trials);
    for (int i = 0; i < 2 * HALF; i++) {
        lab_trial_init(&trials[i]);
        trials[i].has_level = i >= HALF;
    }
    assert_int_equal(lab_trial_insert_many(fixture->session, trials, 2 * HALF), VARVE_OK);
    for (int descending = 0; descending < 2; descending++) {
        struct lab_trial_filter filter = {.descending = descending};
        filter.order_by = LAB_TRIAL_FIELD_STARTED_AT; /* all are 0 */
        filter.after = &trials[HALF];
        assert_true(steps_of_page(fixture, filter) < FEW);
        filter.order_by = LAB_TRIAL_FIELD_LEVEL; /* half are absent */
        filter.after = &trials[HALF / 2];
        assert_true(steps_of_page(fixture, filter) < FEW);
        filter.after = &trials[HALF + HALF / 2];
        assert_true(steps_of_page(fixture, filter) < FEW);
    }
    free(trials);
}

static void
test_a_pattern_does_not_make_sqlite_prepare_anew(void **state)
{
    struct fixture *fixture = *state;
    static const char *const patterns[] = {"a%", "b%", "c%"};
    sqlite3_stmt *statement = NULL;
    for (size_t i = 0; i < 3; i++) {
        struct varve_cursor *cursor =
            find_trials(fixture, &(struct lab_trial_filter){.name = varve_text_like(patterns[i])});
        if (!statement)
            statement = newest_find(varve_session_sqlite(fixture->session));
        expect_done(cursor);
        varve_cursor_close(cursor);
    }
    assert_int_equal(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 0), 3);
    assert_int_equal(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_conditions_on_indexed_fields_use_the_index),
        TEST(test_pages_in_the_order_of_an_index_begin_with_a_search),
        TEST(test_a_page_among_many_equal_values_does_not_read_them_all),
        TEST(test_a_pattern_does_not_make_sqlite_prepare_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
