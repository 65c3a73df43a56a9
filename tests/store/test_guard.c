/* Another program migrates the store while this one has sessions, cached statements and cursors: what this
 * one goes on with is right, or it is told VARVE_SCHEMA and nothing is written. */
#include "moved_verbs.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- all of them, migrated under */

enum context {
    ALONE,
    IN_BEGIN,
    IN_BEGIN_READ,
    CONTEXTS,
};

static enum varve_status
begin(struct varve_session *session, enum context context)
{
    if (context == ALONE)
        return VARVE_OK;
    return context == IN_BEGIN ? varve_begin(session) : varve_begin_read(session);
}

static enum varve_status
run(struct varve_session *session, const struct moved_verb *verb, enum context context)
{
    enum varve_status status = begin(session, context);
    if (status != VARVE_OK)
        return status;
    status = verb->run(session);
    if (context != ALONE)
        moved_expect(session, VARVE_OK, varve_commit(session));
    return status;
}

static void
check(
    struct varve_session *session,
    const struct moved_verb *verb,
    enum context context,
    const struct moved_step *step)
{
    bool writes = verb->writes || context == IN_BEGIN;
    enum varve_status expected =
        (writes ? step->writes_ok : step->reads_ok) ? VARVE_OK : VARVE_SCHEMA;
    for (int i = 0; i < 3; i++) {
        enum varve_status status = run(session, verb, context);
        if (status != expected)
            fail_msg(
                "%s in context %d, call %d: %s, %s", verb->name, context, i,
                varve_status_name(status), varve_session_error(session));
        if (status == VARVE_OK)
            continue;
        if (!strstr(varve_session_error(session), step->name))
            fail_msg("%s: \"%s\"", verb->name, varve_session_error(session));
    }
}

/* A session for each verb, that has run it when `cached`; then the step, then each runs its verb. */
static void
check_all(struct moved *moved, enum context context, bool cached, const struct moved_step *step)
{
    struct varve_session *sessions[MOVED_VERBS];
    for (size_t i = 0; i < MOVED_VERBS; i++) {
        sessions[i] = moved_session(moved);
        if (cached)
            moved_expect(sessions[i], VARVE_OK, moved_verbs[i].run(sessions[i]));
    }
    moved_migrate(moved, step);
    char *before = moved_dump(moved);
    for (size_t i = 0; i < MOVED_VERBS; i++) {
        if (context != IN_BEGIN_READ || !moved_verbs[i].writes)
            check(sessions[i], &moved_verbs[i], context, step);
        moved_session_end(moved, sessions[i]);
    }
    char *after = moved_dump(moved);
    if (step->writes_ok)
        assert_int_equal(moved_count_misplaced(moved), 0);
    else
        assert_string_equal(before, after);
    free(before);
    free(after);
}

static void
check_contexts(bool cached, const struct moved_step *step)
{
    for (int context = 0; context < CONTEXTS; context++) {
        void *state;
        assert_int_equal(moved_set_up(&state), 0);
        check_all(state, (enum context)context, cached, step);
        moved_tear_down(&state);
    }
}

#define FOR_EACH_STEP(step)                                                                        \
    static void test_##step##_under_cached_statements(void **state)                                \
    {                                                                                              \
        (void)state;                                                                               \
        check_contexts(true, &moved_##step);                                                       \
    }                                                                                              \
    static void test_##step##_before_statements_are_prepared(void **state)                         \
    {                                                                                              \
        (void)state;                                                                               \
        check_contexts(false, &moved_##step);                                                      \
    }

FOR_EACH_STEP(swap)
FOR_EACH_STEP(rename)
FOR_EACH_STEP(reads)
FOR_EACH_STEP(add)

/* -------------------------------------------------------------------- what a session goes on with */

static void
test_compatible_steps_are_followed_until_one_is_not(void **state)
{
    struct moved *moved = *state;
    for (int i = 0; i < 5; i++) {
        moved_migrate(moved, &moved_nothing);
        moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "insert"));
        moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    }
    moved_migrate(moved, &moved_reads);
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "insert"));
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_migrate(moved, &moved_nothing);
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "insert"));
    assert_non_null(strstr(varve_session_error(moved->session), "0007_reads"));
    moved_migrate(moved, &moved_swap);
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
    assert_int_equal(varve_session_failure(moved->session)->status, VARVE_SCHEMA);
}

static void
test_two_swaps_that_undo_each_other_are_refused_still(void **state)
{
    struct moved *moved = *state;
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_migrate(moved, &moved_swap);
    moved_migrate(moved, &moved_swap);
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
}

static void
test_a_session_opened_after_the_step_is_refused(void **state)
{
    struct moved *moved = *state;
    moved_migrate(moved, &moved_swap);
    struct varve_session *session = moved_session(moved);
    moved_expect(session, VARVE_SCHEMA, moved_run(session, "get"));
    moved_session_end(moved, session);
    session = moved_session(moved); /* from the pool */
    moved_expect(session, VARVE_SCHEMA, moved_run(session, "insert"));
    moved_session_end(moved, session);
}

static void
test_a_change_of_tables_that_is_no_migration_is_nobodys_business(void **state)
{
    struct moved *moved = *state;
    for (int i = 0; i < 3; i++) {
        for (size_t v = 0; v < MOVED_VERBS; v++)
            moved_expect(moved->session, VARVE_OK, moved_verbs[v].run(moved->session));
        moved_execute(moved, i == 0 ? "ANALYZE" : "CREATE INDEX IF NOT EXISTS own ON item (title)");
    }
    assert_int_equal(moved_count_misplaced(moved), 0);
}

static void
test_the_wrong_constraint_is_not_what_an_insert_is_told(void **state)
{
    struct moved *moved = *state;
    struct moved_item item = moved_new_item();
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "insert"));
    moved_migrate(moved, &moved_swap);
    item.title = "code 1"; /* what is called title now is unique, and has it */
    moved_expect(moved->session, VARVE_SCHEMA, moved_item_insert(moved->session, &item));
}

static void
test_constraints_hold_after_a_compatible_step(void **state)
{
    struct moved *moved = *state;
    struct moved_item item = moved_new_item();
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "insert"));
    moved_migrate(moved, &moved_add);
    item.code = "code 1";
    moved_expect(moved->session, VARVE_CONFLICT, moved_item_insert(moved->session, &item));
    assert_non_null(strstr(varve_session_error(moved->session), "code 1"));
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "insert"));
}

/* -------------------------------------------------------------------- cursors and transactions */

static void
test_a_cursor_in_its_rows_goes_on_in_its_snapshot(void **state)
{
    struct moved *moved = *state;
    struct varve_cursor *cursor;
    const struct moved_item *item;
    int rows = 1;
    moved_expect(moved->session, VARVE_OK, moved_item_find(moved->session, NULL, &cursor));
    moved_expect(moved->session, VARVE_ROW, moved_item_next(cursor, &item));
    moved_migrate(moved, &moved_swap);
    moved_expect(
        moved->session, VARVE_OK, moved_run(moved->session, "get")); /* in the cursor's snapshot */
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "find_one"));
    enum varve_status status;
    for (; (status = moved_item_next(cursor, &item)) == VARVE_ROW; rows++)
        assert_true(moved_item_is_right(item));
    moved_expect(moved->session, VARVE_DONE, status);
    assert_int_equal(rows, MOVED_ITEMS);
    varve_cursor_close(cursor);
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
}

static void
test_a_cursor_that_has_not_begun_is_refused_at_its_first_row(void **state)
{
    struct moved *moved = *state;
    struct varve_cursor *cursor;
    const struct moved_item *item;
    moved_expect(moved->session, VARVE_OK, moved_item_find(moved->session, NULL, &cursor));
    moved_migrate(moved, &moved_swap);
    moved_expect(moved->session, VARVE_SCHEMA, moved_item_next(cursor, &item));
    assert_null(item);
    moved_expect(moved->session, VARVE_MISUSE, moved_item_next(cursor, &item));
    varve_cursor_close(cursor);
}

static void
test_a_reading_transaction_goes_on_in_its_snapshot(void **state)
{
    struct moved *moved = *state;
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "get"));
    moved_expect(moved->session, VARVE_OK, varve_begin_read(moved->session));
    moved_migrate(moved, &moved_swap);
    for (size_t i = 0; i < MOVED_VERBS; i++) {
        if (!moved_verbs[i].writes)
            moved_expect(moved->session, VARVE_OK, moved_verbs[i].run(moved->session));
    }
    moved_expect(moved->session, VARVE_OK, varve_commit(moved->session));
    moved_expect(moved->session, VARVE_SCHEMA, varve_begin_read(moved->session));
    moved_expect(moved->session, VARVE_SCHEMA, moved_run(moved->session, "get"));
}

static void
test_a_writing_transaction_keeps_the_migration_waiting(void **state)
{
    struct moved *moved = *state;
    struct varve_cursor *cursor;
    const struct moved_item *item;
    moved_expect(moved->session, VARVE_OK, varve_begin(moved->session));
    moved_expect(moved->session, VARVE_OK, moved_item_find(moved->session, NULL, &cursor));
    moved_expect(moved->session, VARVE_ROW, moved_item_next(cursor, &item));
    assert_int_equal(sqlite3_exec(moved->other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY);
    moved_expect(moved->session, VARVE_OK, moved_run(moved->session, "update"));
    varve_cursor_close(cursor);
    moved_expect(moved->session, VARVE_OK, varve_commit(moved->session));
    moved_migrate(moved, &moved_swap);
    moved_expect(moved->session, VARVE_SCHEMA, varve_begin(moved->session));
    moved_expect(moved->session, VARVE_MISUSE, varve_commit(moved->session));
    moved_execute(moved, "BEGIN IMMEDIATE; COMMIT"); /* the writer's place is free */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swap_under_cached_statements),
        cmocka_unit_test(test_swap_before_statements_are_prepared),
        cmocka_unit_test(test_rename_under_cached_statements),
        cmocka_unit_test(test_rename_before_statements_are_prepared),
        cmocka_unit_test(test_reads_under_cached_statements),
        cmocka_unit_test(test_reads_before_statements_are_prepared),
        cmocka_unit_test(test_add_under_cached_statements),
        cmocka_unit_test(test_add_before_statements_are_prepared),
        MOVED_TEST(test_compatible_steps_are_followed_until_one_is_not),
        MOVED_TEST(test_two_swaps_that_undo_each_other_are_refused_still),
        MOVED_TEST(test_a_session_opened_after_the_step_is_refused),
        MOVED_TEST(test_a_change_of_tables_that_is_no_migration_is_nobodys_business),
        MOVED_TEST(test_the_wrong_constraint_is_not_what_an_insert_is_told),
        MOVED_TEST(test_constraints_hold_after_a_compatible_step),
        MOVED_TEST(test_a_cursor_in_its_rows_goes_on_in_its_snapshot),
        MOVED_TEST(test_a_cursor_that_has_not_begun_is_refused_at_its_first_row),
        MOVED_TEST(test_a_reading_transaction_goes_on_in_its_snapshot),
        MOVED_TEST(test_a_writing_transaction_keeps_the_migration_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
