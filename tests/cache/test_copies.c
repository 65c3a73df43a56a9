/* The keys that transactions make stale: what waits in varve_invalidation, and when the epoch is raised. In most
 * of these tests the server is gone, so that what waits stays. */
#include "hot_support.h"

#include <signal.h>
#include <string.h>

#include <sqlite3.h>

static void
update_value(struct varve_session *session, int64_t id, int64_t value)
{
    struct hot_item item = HOT_ITEM_INIT;
    item.id = id;
    item.value = value;
    static const enum hot_item_field fields[] = {HOT_ITEM_FIELD_VALUE};
    hot_expect(session, VARVE_OK, hot_item_update_fields(session, &item, fields, 1));
}

static void
stop_server(const struct hot *hot)
{
    server_kill(hot->server, SIGKILL);
}

static int64_t
insert_owner(const struct hot *hot)
{
    struct hot_owner owner = HOT_OWNER_INIT;
    hot_expect(hot->session, VARVE_OK, hot_owner_insert(hot->session, &owner));
    return owner.id;
}

/* -------------------------------------------------------------------- which keys */

static void
test_a_change_leaves_its_key_until_the_copy_is_deleted(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 5, 0);
    stop_server(hot);
    update_value(hot->session, id, 6);
    assert_string_equal(hot_waiting(hot), "item:a1");
    server_restart(hot->server);
    assert_int_equal(hot_value(hot->session, id), 6);
    assert_string_equal(hot_waiting(hot), "");
    update_value(hot->session, id, 7);
    assert_string_equal(hot_waiting(hot), "");
}

static void
test_an_insert_leaves_nothing(void **state)
{
    struct hot *hot = *state;
    stop_server(hot);
    hot_insert_item(hot, 5, 0);
    assert_string_equal(hot_waiting(hot), "");
    assert_int_equal(hot_epoch(hot), 0);
}

static void
test_every_verb_that_changes_leaves_its_key(void **state)
{
    struct hot *hot = *state;
    struct hot_item item = HOT_ITEM_INIT;
    struct hot_item_filter filter = {.value = varve_int64_equals(3)};
    for (int i = 0; i < 4; i++)
        hot_insert_item(hot, i, 0);
    stop_server(hot);
    item.id = 1;
    hot_expect(hot->session, VARVE_OK, hot_item_update(hot->session, &item));
    item.id = 2;
    hot_expect(hot->session, VARVE_OK, hot_item_upsert(hot->session, &item));
    hot_expect(hot->session, VARVE_OK, hot_item_delete(hot->session, 3));
    assert_string_equal(hot_waiting(hot), "item:a1 item:a2 item:a3");
    hot_expect(hot->session, VARVE_OK, hot_item_delete_where(hot->session, &filter));
    assert_string_equal(hot_waiting(hot), "item:a1 item:a2 item:a3 item:a4");
    assert_int_equal(hot_epoch(hot), 0);
}

static void
test_a_delete_of_all_rows_leaves_every_key(void **state)
{
    struct hot *hot = *state;
    for (int i = 0; i < 3; i++)
        hot_insert_item(hot, i, 0);
    stop_server(hot);
    hot_expect(hot->session, VARVE_OK, varve_begin(hot->session));
    assert_int_equal(
        sqlite3_exec(varve_session_sqlite(hot->session), "DELETE FROM item", NULL, NULL, NULL), 0);
    hot_expect(hot->session, VARVE_OK, varve_commit(hot->session));
    assert_string_equal(hot_waiting(hot), "item:a1 item:a2 item:a3");
}

static void
test_cascades_leave_their_keys(void **state)
{
    struct hot *hot = *state;
    int64_t owner = insert_owner(hot);
    int64_t keeper = insert_owner(hot);
    struct hot_item kept = HOT_ITEM_INIT;
    hot_insert_item(hot, 1, owner);
    hot_insert_item(hot, 2, 0);
    kept.has_keeper_id = true;
    kept.keeper_id = keeper;
    hot_expect(hot->session, VARVE_OK, hot_item_insert(hot->session, &kept));
    stop_server(hot);
    hot_expect(hot->session, VARVE_OK, hot_owner_delete(hot->session, owner));
    assert_string_equal(hot_waiting(hot), "item:a1");
    hot_expect(hot->session, VARVE_OK, hot_owner_delete(hot->session, keeper));
    assert_string_equal(hot_waiting(hot), "item:a1 item:a3");
}

static void
test_a_key_that_changes_leaves_both(void **state)
{
    struct hot *hot = *state;
    struct hot_label label = HOT_LABEL_INIT;
    label.name = "a:b";
    label.group = -42;
    hot_expect(hot->session, VARVE_OK, hot_label_insert(hot->session, &label));
    stop_server(hot);
    label.name = "c";
    label.is_old = true;
    hot_expect(hot->session, VARVE_OK, hot_label_update(hot->session, &label));
    assert_string_equal(hot_waiting(hot), "label:Y57:a%3Ab:0 label:Y57:c:1");
}

/* What it takes for copies of a table whose columns stand in another order than the schema's fields. */
static void
test_columns_are_found_by_their_names(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 77, 0);
    hot_execute(
        hot, "ALTER TABLE item RENAME TO old; CREATE TABLE \"item\" ("
             "\"value\" INTEGER NOT NULL DEFAULT 0, \"text\" TEXT NOT NULL DEFAULT '',"
             "\"owner_id\" INTEGER REFERENCES \"owner\" (\"id\") ON DELETE CASCADE,"
             "\"varve_unknown\" BLOB,"
             "\"keeper_id\" INTEGER REFERENCES \"owner\" (\"id\") ON DELETE SET NULL,"
             "\"id\" INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;"
             "INSERT INTO item (id, value) SELECT id, value FROM old; DROP TABLE old;"
             "UPDATE varve_generation SET generation = generation + 1");
    stop_server(hot);
    update_value(hot->session, 1, 6);
    assert_string_equal(hot_waiting(hot), "item:a1");
}

static void
test_a_trigger_of_the_user_leaves_its_keys(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 1, 0);
    hot_execute(
        hot, "CREATE TRIGGER counts AFTER INSERT ON owner BEGIN "
             "UPDATE item SET value = value + 1; END;"
             "UPDATE varve_generation SET generation = generation + 1");
    stop_server(hot);
    insert_owner(hot);
    assert_string_equal(hot_waiting(hot), "item:a1");
}

/* -------------------------------------------------------------------- transactions */

static void
test_a_key_waits_once(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 1, 0);
    stop_server(hot);
    hot_expect(hot->session, VARVE_OK, varve_begin(hot->session));
    update_value(hot->session, 1, 2);
    update_value(hot->session, 1, 3);
    hot_expect(hot->session, VARVE_OK, varve_commit(hot->session));
    assert_string_equal(hot_query(hot, "SELECT group_concat(id) FROM varve_invalidation"), "1");
    update_value(hot->session, 1, 4);
    /* a new row: who deletes the copies for the old one may have done so before this change */
    assert_string_equal(hot_query(hot, "SELECT group_concat(id) FROM varve_invalidation"), "2");
}

static void
test_a_rollback_leaves_nothing(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 1, 0);
    hot_insert_item(hot, 1, 0);
    stop_server(hot);
    hot_expect(hot->session, VARVE_OK, varve_begin(hot->session));
    update_value(hot->session, 1, 2);
    hot_expect(hot->session, VARVE_OK, varve_rollback(hot->session));
    assert_string_equal(hot_waiting(hot), "");
    update_value(hot->session, 2, 2);
    assert_string_equal(hot_waiting(hot), "item:a2");
}

static void
test_many_keys_raise_the_epoch(void **state)
{
    struct hot *hot = *state;
    hot_execute(
        hot, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001) "
             "INSERT INTO item (id, value) SELECT i, i FROM n");
    stop_server(hot);
    update_value(hot->session, 7, 2);
    hot_expect(hot->session, VARVE_OK, hot_item_delete_where(hot->session, NULL));
    assert_int_equal(hot_epoch(hot), 1);
    assert_string_equal(hot_waiting(hot), ""); /* the copies are out of use anyway */
}

static void
test_a_thousand_keys_are_kept(void **state)
{
    struct hot *hot = *state;
    hot_execute(
        hot, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
             "INSERT INTO item (id, value) SELECT i, i FROM n");
    stop_server(hot);
    hot_expect(hot->session, VARVE_OK, hot_item_delete_where(hot->session, NULL));
    assert_int_equal(hot_epoch(hot), 0);
    assert_string_equal(
        hot_query(hot, "SELECT count(DISTINCT key) FROM varve_invalidation"), "1000");
}

static void
test_rows_do_not_grow_without_end(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 1, 0);
    stop_server(hot);
    update_value(hot->session, 1, 2);
    hot_execute(
        hot, "INSERT INTO varve_invalidation VALUES (60000, 'hot:00000000:x');"
             "DELETE FROM varve_invalidation WHERE id = 60000");
    hot_insert_item(hot, 1, 0);
    update_value(hot->session, 2, 2);
    assert_int_equal(hot_epoch(hot), 1);
    assert_string_equal(hot_waiting(hot), "");
}

/* -------------------------------------------------------------------- other programs */

static void
test_nothing_is_collected_before_copies_are_kept(void **state)
{
    struct hot *hot = *state;
    hot_execute(
        hot, "DELETE FROM varve_copied; UPDATE varve_generation SET generation = generation + 1");
    hot_open_other(hot, false);
    hot_insert_item(hot, 1, 0);
    update_value(hot->other_session, 1, 2);
    assert_int_equal(hot_epoch(hot), 0);
    assert_string_equal(hot_waiting(hot), "");
    assert_string_equal(hot_query(hot, "SELECT count(*) FROM varve_copied"), "0");
}

static void
test_a_program_without_a_server_raises_the_epoch(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 1, 0);
    assert_int_equal(hot_value(hot->session, id), 1);
    hot_open_other(hot, false);
    update_value(hot->other_session, id, 2);
    assert_int_equal(hot_epoch(hot), 1);
    assert_string_equal(hot_waiting(hot), "");
    assert_int_equal(hot_value(hot->session, id), 2);
    struct hot_owner owner = HOT_OWNER_INIT;
    hot_expect(hot->other_session, VARVE_OK, hot_owner_insert(hot->other_session, &owner));
    hot_expect(hot->other_session, VARVE_OK, hot_owner_update(hot->other_session, &owner));
    assert_int_equal(hot_epoch(hot), 1); /* of which there are no copies */
}

/* The other program has its statements ready when the first one begins to keep copies. */
static void
test_a_write_under_which_copies_begin_is_done_again(void **state)
{
    struct hot *hot = *state;
    struct hot_item item = HOT_ITEM_INIT;
    item.id = hot_insert_item(hot, 1, 0);
    hot_execute(
        hot, "DELETE FROM varve_copied; UPDATE varve_generation SET generation = generation + 1;"
             "CREATE TABLE cookie (a); DROP TABLE cookie");
    hot_open_other(hot, false);
    hot_expect(hot->other_session, VARVE_OK, hot_item_update(hot->other_session, &item));
    hot_reopen(hot);
    item.value = 2;
    hot_expect(hot->other_session, VARVE_BUSY, hot_item_update(hot->other_session, &item));
    assert_int_equal(hot_value(hot->session, item.id), 0);
    assert_int_equal(hot_epoch(hot), 0);
    hot_expect(hot->other_session, VARVE_OK, hot_item_update(hot->other_session, &item));
    assert_int_equal(hot_epoch(hot), 1);
    assert_int_equal(hot_value(hot->session, item.id), 2);
}

/* Without a hook SQLite empties a table that no other refers to at once, row by row only with one. */
static void
test_a_delete_of_all_rows_under_which_copies_begin_is_done_again(void **state)
{
    struct hot *hot = *state;
    struct hot_label label = HOT_LABEL_INIT;
    hot_execute(
        hot, "DELETE FROM varve_copied; UPDATE varve_generation SET generation = generation + 1;"
             "CREATE TABLE cookie (a); DROP TABLE cookie");
    hot_open_other(hot, false);
    struct varve_session *other = hot->other_session;
    hot_expect(other, VARVE_OK, hot_label_delete_where(other, NULL));
    hot_reopen(hot);
    hot_expect(hot->session, VARVE_OK, hot_label_insert(hot->session, &label));
    hot_expect(other, VARVE_BUSY, hot_label_delete_where(other, NULL));
    assert_string_equal(hot_query(hot, "SELECT count(*) FROM label"), "1");
    hot_expect(other, VARVE_OK, hot_label_delete_where(other, NULL));
    assert_string_equal(hot_query(hot, "SELECT count(*) FROM label"), "0");
    assert_int_equal(hot_epoch(hot), 1);
}

static void
test_a_trigger_that_is_made_meanwhile_stops_one_insert(void **state)
{
    struct hot *hot = *state;
    struct hot_owner owner = HOT_OWNER_INIT;
    hot_insert_item(hot, 1, 0);
    insert_owner(hot);
    hot_execute(
        hot, "CREATE TRIGGER counts AFTER INSERT ON owner BEGIN "
             "UPDATE item SET value = value + 1; END");
    stop_server(hot);
    hot_expect(hot->session, VARVE_BUSY, hot_owner_insert(hot->session, &owner));
    assert_string_equal(hot_waiting(hot), "");
    hot_expect(hot->session, VARVE_OK, hot_owner_insert(hot->session, &owner));
    assert_string_equal(hot_waiting(hot), "item:a1");
}

static void
test_a_table_of_which_others_keep_copies_raises_the_epoch(void **state)
{
    struct hot *hot = *state;
    hot_execute(
        hot, "INSERT INTO varve_copied VALUES ('owner', 'hot:12345678:');"
             "UPDATE varve_generation SET generation = generation + 1");
    struct hot_owner owner = HOT_OWNER_INIT;
    hot_expect(hot->session, VARVE_OK, hot_owner_insert(hot->session, &owner));
    hot_expect(hot->session, VARVE_OK, hot_owner_update(hot->session, &owner));
    assert_int_equal(hot_epoch(hot), 1);
}

/* As by a program whose template is another. */
static void
test_copies_by_another_template_are_no_longer_kept(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 1, 0);
    hot_execute(
        hot, "UPDATE varve_copied SET prefix = 'hot:12345678:' WHERE name = 'item';"
             "UPDATE varve_generation SET generation = generation + 1");
    assert_int_equal(hot_value(hot->session, 1), 1);
    assert_int_equal(hot_value(hot->session, 1), 1);
    assert_int_equal(hot_hits(hot), 0);
    update_value(hot->session, 1, 2);
    assert_int_equal(hot_epoch(hot), 1);
    hot_reopen(hot);
    assert_int_equal(hot_value(hot->session, 1), 2);
    assert_int_equal(hot_value(hot->session, 1), 2);
    assert_int_equal(hot_hits(hot), 1);
}

static char *
synchronous_of(struct varve_session *session)
{
    static char text[8];
    sqlite3_stmt *statement;
    struct sqlite3 *database = varve_session_sqlite(session);
    assert_int_equal(sqlite3_prepare_v2(database, "PRAGMA synchronous", -1, &statement, NULL), 0);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    strcpy(text, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return text;
}

static void
test_commits_wait_for_the_disk_as_before(void **state)
{
    struct hot *hot = *state;
    int64_t id = hot_insert_item(hot, 1, 0);
    assert_string_equal(synchronous_of(hot->session), "2");
    update_value(hot->session, id, 2);
    assert_string_equal(hot_waiting(hot), "");
    assert_string_equal(synchronous_of(hot->session), "2");
}

static void
test_a_write_past_varve_is_not_committed_unsaid(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 1, 0);
    assert_int_equal(hot_value(hot->session, 1), 1);
    struct sqlite3 *database = varve_session_sqlite(hot->session);
    assert_int_not_equal(sqlite3_exec(database, "UPDATE item SET value = 2", NULL, NULL, NULL), 0);
    assert_int_equal(hot_value(hot->session, 1), 1);
    update_value(hot->session, 1, 3);
    assert_int_equal(hot_value(hot->session, 1), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOT_TEST(test_a_change_leaves_its_key_until_the_copy_is_deleted),
        HOT_TEST(test_an_insert_leaves_nothing),
        HOT_TEST(test_every_verb_that_changes_leaves_its_key),
        HOT_TEST(test_a_delete_of_all_rows_leaves_every_key),
        HOT_TEST(test_cascades_leave_their_keys),
        HOT_TEST(test_a_key_that_changes_leaves_both),
        HOT_TEST(test_columns_are_found_by_their_names),
        HOT_TEST(test_a_trigger_of_the_user_leaves_its_keys),
        HOT_TEST(test_a_key_waits_once),
        HOT_TEST(test_a_rollback_leaves_nothing),
        HOT_TEST(test_many_keys_raise_the_epoch),
        HOT_TEST(test_a_thousand_keys_are_kept),
        HOT_TEST(test_rows_do_not_grow_without_end),
        HOT_TEST(test_nothing_is_collected_before_copies_are_kept),
        HOT_TEST(test_a_program_without_a_server_raises_the_epoch),
        HOT_TEST(test_a_write_under_which_copies_begin_is_done_again),
        HOT_TEST(test_a_delete_of_all_rows_under_which_copies_begin_is_done_again),
        HOT_TEST(test_a_trigger_that_is_made_meanwhile_stops_one_insert),
        HOT_TEST(test_a_table_of_which_others_keep_copies_raises_the_epoch),
        HOT_TEST(test_copies_by_another_template_are_no_longer_kept),
        HOT_TEST(test_commits_wait_for_the_disk_as_before),
        HOT_TEST(test_a_write_past_varve_is_not_committed_unsaid),
    };
    return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
