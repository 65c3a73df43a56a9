/* Typed queries while another program migrates the store. */
#define _XOPEN_SOURCE 700 /* mkdtemp */

#include "query_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* The other program: the columns of trace in another order, one more before them. Its schema suits this one's program,
 * or not. */
static void
migrate(const char *folder, bool suits)
{
    char path[96];
    char step[240];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/varve.db", folder);
    snprintf(
        step, sizeof step, "%s; UPDATE varve_generation SET generation = generation + 1; COMMIT",
        suits
            ? ""
            : "UPDATE varve_schema SET lock = lock || char(10) || 'message ask.Other table=other'");
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(
            database,
            "PRAGMA foreign_keys = OFF; BEGIN;"
            "CREATE TABLE other (size_of_box INTEGER NOT NULL DEFAULT 99, size INTEGER NOT NULL "
            "DEFAULT 0, "
            "id INTEGER PRIMARY KEY AUTOINCREMENT, varve_unknown BLOB, "
            "box_id INTEGER REFERENCES box (id) ON DELETE CASCADE) STRICT;"
            "INSERT INTO other (id, box_id, size) SELECT id, box_id, size FROM trace;"
            "DROP TABLE trace; ALTER TABLE other RENAME TO trace",
            NULL, NULL, NULL),
        SQLITE_OK);
    if (sqlite3_exec(database, step, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    sqlite3_close(database);
}

static struct varve_cursor *
traces_of(struct varve_session *session, int64_t box)
{
    struct ask_id request = ASK_ID_INIT;
    struct varve_cursor *cursor;
    request.id = box;
    expect_ok(session, ask_q_traces_of(session, &request, &cursor));
    return cursor;
}

struct moved {
    char folder[32];
    struct asked asked;
    int64_t box;
};

static int
set_up(void **state)
{
    struct moved *moved = calloc(1, sizeof *moved);
    struct ask_trace trace = ASK_TRACE_INIT;
    snprintf(moved->folder, sizeof moved->folder, "/tmp/varve-test-XXXXXX");
    if (!mkdtemp(moved->folder))
        return -1;
    asked_open_with(&moved->asked, (struct varve_config){.data_dir = moved->folder});
    moved->box = add_box(moved->asked.session, "box", 1);
    trace.has_box_id = 1;
    trace.box_id = moved->box;
    expect_ok(moved->asked.session, ask_trace_insert(moved->asked.session, &trace));
    varve_cursor_close(traces_of(moved->asked.session, moved->box)); /* prepares the statement */
    *state = moved;
    return 0;
}

static int
tear_down(void **state)
{
    struct moved *moved = *state;
    char command[64];
    varve_session_close(moved->asked.session);
    varve_close(moved->asked.store);
    snprintf(command, sizeof command, "rm -rf %s", moved->folder);
    int status = system(command);
    free(moved);
    return status;
}

static void
columns_that_have_moved_are_found_by_their_names(void **state)
{
    struct moved *moved = *state;
    const struct ask_trace *row;
    migrate(moved->folder, true);
    for (int i = 0; i < 2; i++) { /* the second time nothing has changed */
        struct varve_cursor *cursor = traces_of(moved->asked.session, moved->box);
        assert_int_equal(ask_trace_next(cursor, &row), VARVE_ROW);
        assert_int_equal(row->id, 1);
        assert_int_equal(row->size, 0);
        assert_true(row->has_box_id && row->box_id == moved->box);
        assert_int_equal(ask_trace_next(cursor, &row), VARVE_DONE);
        varve_cursor_close(cursor);
    }
}

static void
a_query_of_a_schema_that_does_not_suit_any_more_is_refused(void **state)
{
    struct moved *moved = *state;
    const struct ask_trace *row;
    struct ask_id request = ASK_ID_INIT;
    struct ask_label *label;
    request.id = moved->box;
    migrate(moved->folder, false);
    struct varve_cursor *cursor = traces_of(moved->asked.session, moved->box);
    assert_int_equal(ask_trace_next(cursor, &row), VARVE_SCHEMA);
    expect_error(moved->asked.session, "was replaced by another program");
    varve_cursor_close(cursor);
    assert_int_equal(ask_q_take(moved->asked.session, &request, &label), VARVE_SCHEMA);
    assert_null(label);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(columns_that_have_moved_are_found_by_their_names),
        TEST(a_query_of_a_schema_that_does_not_suit_any_more_is_refused),
    };
    return cmocka_run_group_tests_name("typed queries and migrations", tests, NULL, NULL);
}
