/* A schema whose keys have changed since the cache was filled by a program of the version before: what was kept
 * under the old keys is not found, nothing is taken for what it is not, and maintenance removes it. The argument
 * is that program, kept_old. */
#include "api_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "cortex/cortex.varve.h"
#include "kept.varve.h"

static const char *old_program;

struct kept {
    struct api *api;
    char database[96];
    struct varve_store *store;
    struct varve_session *session;
};

/* Lets the old program fill the cache, then opens its store with the new schema. */
static struct kept
open_after_old(struct api *api)
{
    char command[600];
    struct varve_error error;
    struct kept kept = {.api = api};
    struct varve_config config = api_config(api);
    api_close(api); /* which has the folder open */
    snprintf(kept.database, sizeof kept.database, "%s/kept.db", api->folder);
    snprintf(
        command, sizeof command, "%s %s %s %s", old_program, api->folder, kept.database,
        server_socket(api->server));
    assert_int_equal(system(command), 0);
    config.database_path = kept.database;
    if (varve_open(&kept_schema, &config, &kept.store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(kept.store, &kept.session), VARVE_OK);
    return kept;
}

static void
close_kept(struct kept *kept)
{
    varve_session_close(kept->session);
    varve_close(kept->store);
}

static int64_t
hits_of(const struct kept *kept)
{
    struct varve_health_report health;
    expect_ok(NULL, varve_health(kept->store, &health));
    int64_t hits = health.cache.hits;
    varve_health_free(&health);
    return hits;
}

static int
keys_like(const struct kept *kept, const char *pattern)
{
    const char *keys = server_command(kept->api->server, "KEYS %s", pattern);
    int count = *keys != '\0';
    for (; *keys; keys++)
        count += *keys == '\n';
    return count;
}

static void
test_values_of_the_old_template_are_not_found(void **state)
{
    struct kept kept = open_after_old(*state);
    struct kept_note key = KEPT_NOTE_INIT;
    struct kept_note *found;
    struct varve_cursor *cursor;
    const struct kept_note *row;
    key.author = "ada";
    key.title = "bob";
    enum varve_status status = kept_note_cache_get(kept.session, &key, &found);
    expect_failure(kept.session, status, VARVE_NOT_FOUND, "note:bob:ada");
    key.author = "bob"; /* the text of the old key */
    key.title = "ada";
    status = kept_note_cache_get(kept.session, &key, &found);
    expect_failure(kept.session, status, VARVE_NOT_FOUND, "note:ada:bob");
    expect_ok(kept.session, kept_note_cache_recent(kept.session, 0, 0, &cursor));
    assert_int_equal(kept_note_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
    expect_ok(kept.session, kept_note_cache_put(kept.session, &key));
    expect_ok(kept.session, kept_note_cache_get(kept.session, &key, &found));
    kept_note_free(found);
    close_kept(&kept);
}

static void
test_a_field_of_another_name_keeps_its_values(void **state)
{
    struct kept kept = open_after_old(*state);
    struct kept_tune key = KEPT_TUNE_INIT;
    struct kept_tune *found;
    struct varve_cursor *cursor;
    const struct kept_tune *row;
    key.title = "air";
    expect_ok(kept.session, kept_tune_cache_get(kept.session, &key, &found));
    assert_string_equal(found->title, "air");
    assert_int_equal(found->played_at, 1);
    kept_tune_free(found);
    expect_ok(NULL, varve_maintain(kept.store, NULL)); /* which leaves them */
    expect_ok(kept.session, kept_tune_cache_recent(kept.session, 0, 0, &cursor));
    assert_int_equal(kept_tune_next(cursor, &row), VARVE_ROW);
    assert_string_equal(row->title, "air");
    varve_cursor_close(cursor);
    close_kept(&kept);
}

static void
expect_page(struct kept *kept, const char *name, int64_t id, const char *text)
{
    struct kept_page key = KEPT_PAGE_INIT;
    struct kept_page *found;
    key.name = name;
    expect_ok(kept->session, kept_page_cache_get(kept->session, &key, &found));
    assert_int_equal(found->id, id);
    assert_string_equal(found->text, text);
    kept_page_free(found);
}

static void
test_hot_copies_of_the_old_template_are_not_read(void **state)
{
    struct kept kept = open_after_old(*state);
    assert_int_equal(keys_like(&kept, "kept:*:page:a[12]@*"), 2); /* of pages 1 and 2 */
    expect_page(&kept, "a2", 1, "one");
    expect_page(&kept, "a1", 2, "two");
    assert_int_equal(hits_of(&kept), 0);
    expect_page(&kept, "a2", 1, "one");
    expect_page(&kept, "a1", 2, "two");
    assert_int_equal(hits_of(&kept), 2);
    close_kept(&kept);
}

static void
test_hot_copies_of_the_old_generation_are_not_read(void **state)
{
    struct kept kept = open_after_old(*state);
    struct kept_book key = KEPT_BOOK_INIT;
    struct kept_book *found;
    key.title = "atlas";
    for (int64_t i = 0; i < 2; i++) {
        expect_ok(kept.session, kept_book_cache_get(kept.session, &key, &found));
        assert_string_equal(found->body, "maps");
        kept_book_free(found);
        assert_int_equal(hits_of(&kept), i);
    }
    close_kept(&kept);
}

static void
test_maintenance_removes_what_the_old_version_left(void **state)
{
    struct kept kept = open_after_old(*state);
    struct varve_maintenance_report report;
    server_command(kept.api->server, "SET kept2:1:a x");
    expect_page(&kept, "a2", 1, "one");
    expect_ok(NULL, varve_maintain(kept.store, &report));
    /* the note and the draft, each with both parts of its order; two pages and a book */
    assert_int_equal(report.cache_keys_removed, 3 + 3 + 2 + 1);
    assert_int_equal(keys_like(&kept, "kept:*"), 1 + 3); /* the page, and the tune with its order */
    assert_int_equal(keys_like(&kept, "kept2:*"), 1);
    expect_page(&kept, "a2", 1, "one");
    assert_int_equal(hits_of(&kept), 1);
    expect_ok(NULL, varve_maintain(kept.store, &report));
    assert_int_equal(report.cache_keys_removed, 0);
    close_kept(&kept);
}

/* Adds a migration behind varve's back that this program does not know, and that it may go on with. */
static void
make_newer(const struct kept *kept)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(kept->database, &database), SQLITE_OK);
    const char *sql =
        "INSERT INTO varve_migration SELECT package, 3, '0003_later', checksum, 1, 1, "
        "applied_at FROM varve_migration WHERE number = 2;"
        "UPDATE varve_generation SET generation = generation + 1";
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    sqlite3_close(database);
}

static void
test_a_program_older_than_the_database_removes_nothing(void **state)
{
    struct kept kept = open_after_old(*state);
    struct varve_maintenance_report report;
    make_newer(&kept);
    int before = keys_like(&kept, "kept:*");
    expect_ok(NULL, varve_maintain(kept.store, &report));
    assert_int_equal(report.cache_keys_removed, 0);
    assert_int_equal(keys_like(&kept, "kept:*"), before);
    close_kept(&kept);
}

static void
test_a_schema_without_hot_copies_is_maintained_too(void **state)
{
    struct api *api = *state;
    struct varve_store *store;
    struct varve_maintenance_report report;
    struct varve_config config = api_config(api);
    api_close(api);
    config.data_dir = ":memory:";
    assert_int_equal(varve_open(&cortex_schema, &config, &store, NULL), VARVE_OK);
    server_command(api->server, "SET cortex:00000001:wm:a x");
    server_command(api->server, "SET cache_lab:00000001:a x"); /* another schema's */
    expect_ok(NULL, varve_maintain(store, &report));
    assert_int_equal(report.cache_keys_removed, 1);
    assert_string_equal(server_command(api->server, "KEYS *"), "cache_lab:00000001:a");
    varve_close(store);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_values_of_the_old_template_are_not_found),
        API_TEST(test_a_field_of_another_name_keeps_its_values),
        API_TEST(test_hot_copies_of_the_old_template_are_not_read),
        API_TEST(test_hot_copies_of_the_old_generation_are_not_read),
        API_TEST(test_maintenance_removes_what_the_old_version_left),
        API_TEST(test_a_program_older_than_the_database_removes_nothing),
        API_TEST(test_a_schema_without_hot_copies_is_maintained_too),
    };
    if (argc != 2)
        return 2;
    old_program = argv[1];
    return API_RUN_REDIS("cache_schema", tests);
}
