/* What a program enters when it opens: that it keeps copies, and which file they are of. */
#include "hot_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

static void
update_value(struct varve_session *session, int64_t id, int64_t value)
{
    struct hot_item item = HOT_ITEM_INIT;
    item.id = id;
    item.value = value;
    hot_expect(session, VARVE_OK, hot_item_update(session, &item));
}

static void
test_a_copied_folder_has_an_identity_of_its_own(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 1, 0);
    assert_int_equal(hot_value(hot->session, 1), 1);
    hot_execute(
        hot, "CREATE TEMP TABLE kept AS SELECT folder FROM varve_copies;"
             "UPDATE varve_copies SET file = 'another file';"
             "CREATE TABLE was AS SELECT folder FROM varve_copies;"
             "UPDATE varve_generation SET generation = generation + 1;"
             "UPDATE item SET value = 2");
    assert_int_equal(hot_value(hot->session, 1), 2); /* by the table */
    assert_int_equal(hot_value(hot->session, 1), 2);
    assert_int_equal(hot_hits(hot), 0);
    hot_reopen(hot);
    assert_string_equal(
        hot_query(hot, "SELECT was.folder = varve_copies.folder FROM was, varve_copies"), "0");
    assert_int_equal(hot_value(hot->session, 1), 2);
    assert_int_equal(hot_value(hot->session, 1), 2);
    assert_int_equal(hot_hits(hot), 1);
}

static void
close_store(struct hot *hot)
{
    varve_session_close(hot->session);
    varve_close(hot->store);
    hot->session = NULL;
    hot->store = NULL;
}

/* Others write for longer than it waits when the store opens. */
static void
test_copies_that_could_not_begin_do_with_maintenance(void **state)
{
    struct hot *hot = *state;
    struct sqlite3 *writer;
    char path[96];
    hot_execute(
        hot, "DELETE FROM varve_copied; UPDATE varve_generation SET generation = generation + 1");
    close_store(hot);
    snprintf(path, sizeof path, "%s/varve.db", hot->folder);
    assert_int_equal(sqlite3_open(path, &writer), SQLITE_OK);
    assert_int_equal(sqlite3_exec(writer, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct varve_config config = {
        .data_dir = hot->folder,
        .redis_unix_socket = server_socket(hot->server),
        .busy_timeout_ms = 50};
    assert_int_equal(varve_open(&hot_schema, &config, &hot->store, NULL), VARVE_OK);
    assert_int_equal(sqlite3_close(writer), SQLITE_OK);
    assert_string_equal(hot_query(hot, "SELECT count(*) FROM varve_copied"), "0");
    assert_int_equal(varve_maintain(hot->store, NULL), VARVE_OK);
    assert_string_equal(hot_query(hot, "SELECT count(*) FROM varve_copied"), "3");
    hot_expect(NULL, VARVE_OK, varve_session_open(hot->store, &hot->session));
    hot_insert_item(hot, 1, 0);
    assert_int_equal(hot_value(hot->session, 1), 1);
    assert_int_equal(hot_value(hot->session, 1), 1);
    assert_int_equal(hot_hits(hot), 1);
}

static void
copy_file(const char *from, const char *to)
{
    char command[256];
    snprintf(command, sizeof command, "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

/* A file system gives the number of a file that was removed to the next one. */
static void
test_a_restored_backup_has_an_identity_of_its_own(void **state)
{
    struct hot *hot = *state;
    char path[96], kept[96];
    snprintf(path, sizeof path, "%s/varve.db", hot->folder);
    snprintf(kept, sizeof kept, "%s-kept", hot->folder);
    hot_insert_item(hot, 1, 0);
    close_store(hot);
    copy_file(path, kept);
    hot_reopen(hot);
    update_value(hot->session, 1, 2);
    assert_int_equal(hot_value(hot->session, 1), 2); /* makes a copy */
    close_store(hot);
    assert_int_equal(remove(path), 0);
    copy_file(kept, path);
    assert_int_equal(remove(kept), 0);
    hot_reopen(hot);
    assert_int_equal(hot_value(hot->session, 1), 1);
}

/* What a machine that lost power brings back may be older than the copies of a server elsewhere. */
static void
test_copies_are_out_of_use_after_a_boot(void **state)
{
    struct hot *hot = *state;
    char folder[40];
    hot_insert_item(hot, 1, 0);
    assert_int_equal(hot_value(hot->session, 1), 1); /* makes a copy */
    strcpy(folder, hot_query(hot, "SELECT hex(folder) FROM varve_copies"));
    close_store(hot);
    hot_execute(
        hot, "UPDATE varve_copies SET file = substr(file, 1, instr(file, ' ')) || 'another boot';"
             "UPDATE item SET value = 2");
    hot_reopen(hot);
    assert_int_equal(hot_value(hot->session, 1), 2);
    assert_string_equal(hot_query(hot, "SELECT hex(folder) FROM varve_copies"), folder);
    assert_int_not_equal(hot_epoch(hot), 0);
    struct varve_maintenance_report report;
    assert_int_equal(varve_maintain(hot->store, &report), VARVE_OK);
    assert_int_equal(report.cache_keys_removed, 1); /* the copy from before */
}

static void
test_opening_again_changes_nothing(void **state)
{
    struct hot *hot = *state;
    char before[64];
    const char *sql = "SELECT hex(folder) || generation FROM varve_copies, varve_generation";
    strcpy(before, hot_query(hot, sql));
    hot_reopen(hot);
    assert_string_equal(hot_query(hot, sql), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOT_TEST(test_a_copied_folder_has_an_identity_of_its_own),
        HOT_TEST(test_copies_that_could_not_begin_do_with_maintenance),
        HOT_TEST(test_a_restored_backup_has_an_identity_of_its_own),
        HOT_TEST(test_copies_are_out_of_use_after_a_boot),
        HOT_TEST(test_opening_again_changes_nothing),
    };
    return cmocka_run_group_tests_name("copies_keep", tests, NULL, NULL);
}
