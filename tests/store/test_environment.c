/* Bad surroundings: folders without permission, files that are no store, no room on the disk. Each is
 * refused with a status and a sentence, nothing is half written, and what was there is still there. */
#define _DEFAULT_SOURCE

#include "shop_support.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cortex/cortex.varve.h"

enum {
    NOBODY = 65534
};

static void
write_database(const struct shop *shop, const char *text, size_t size)
{
    char path[96];
    snprintf(path, sizeof path, "%s/varve.db", shop->folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    fclose(file);
}

/* Runs SQL on the database behind varve's back. */
static void
execute(const struct shop *shop, const char *sql)
{
    char path[96];
    char *message = NULL;
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/varve.db", shop->folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(database);
}

/* Tries to open the closed shop's folder with a schema: expects the status and a text that says so. */
static void
expect_not_opened(
    const struct shop *shop,
    const struct varve_schema *schema,
    enum varve_status status,
    const char *part)
{
    struct varve_config config = {.data_dir = shop->folder};
    struct varve_error error = {0};
    struct varve_store *store = (void *)&config;
    enum varve_status got = varve_open(schema, &config, &store, &error);
    if (got != status || error.status != status || !strstr(error.message, part))
        fail_msg("%s: %s", varve_status_name(got), error.message);
    assert_null(store);
}

/* Runs `body` in a child; it answers 0, or the line where something went wrong. Without rights of its
 * own when `as_nobody`. */
static void
run_in_child(int (*body)(const struct shop *shop), const struct shop *shop, bool as_nobody)
{
    int result;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (as_nobody && geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(255);
        int line = body(shop);
        if (line != 0)
            fprintf(stderr, "line %d: %s\n", line, varve_session_error(NULL));
        _exit(line != 0);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

/* -------------------------------------------------------------------- permission */

static int
open_without_permission(const struct shop *shop)
{
    struct varve_config config = {.data_dir = shop->folder};
    struct varve_store *store;
    struct varve_error error;
    CHECK(varve_open(&shop_schema, &config, &store, &error) == VARVE_READ_ONLY);
    CHECK(!store && strstr(error.message, shop->folder));
    CHECK(strstr(error.message, "may write") || strstr(error.message, "writable"));
    return 0;
}

static void
test_a_folder_that_may_not_be_written_is_refused(void **state)
{
    struct shop *shop = *state;
    char path[96];
    add_maker(shop->session, "m");
    shop_close(shop);
    chmod(shop->folder, 0); /* may not be entered */
    run_in_child(open_without_permission, shop, true);
    chmod(shop->folder, 0555);
    run_in_child(open_without_permission, shop, true);
    chmod(shop->folder, 0777); /* but its database is another's */
    snprintf(path, sizeof path, "%s/varve.db", shop->folder);
    chmod(path, 0444);
    run_in_child(open_without_permission, shop, true);
    chmod(path, 0600);
    chmod(shop->folder, 0700);
    shop_reopen(shop);
    expect_working(shop->session, 1);
}

static int
open_in_read_only_folder(const struct shop *shop)
{
    char folder[100];
    struct varve_config config = {.data_dir = folder};
    struct varve_store *store;
    struct varve_error error;
    snprintf(folder, sizeof folder, "%s/new", shop->folder);
    CHECK(varve_open(&shop_schema, &config, &store, &error) == VARVE_READ_ONLY);
    CHECK(!store && strstr(error.message, folder));
    return 0;
}

static void
test_no_store_is_made_in_a_read_only_folder(void **state)
{
    struct shop *shop = *state;
    shop_close(shop);
    chmod(shop->folder, 0555);
    run_in_child(open_in_read_only_folder, shop, true);
    chmod(shop->folder, 0700);
    shop_reopen(shop);
    expect_working(shop->session, 0);
}

/* -------------------------------------------------------------------- what is in the folder */

static void
test_a_file_that_is_no_database_is_left_alone(void **state)
{
    struct shop *shop = *state;
    char text[9000];
    char path[96];
    struct stat info;
    memset(text, 'x', sizeof text);
    shop_close(shop);
    snprintf(path, sizeof path, "%s/varve.db", shop->folder);
    for (size_t size = 2; size <= sizeof text; size *= 20) {
        write_database(shop, text, size);
        expect_not_opened(shop, &shop_schema, VARVE_CORRUPT, "no database");
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, size);
    }
    write_database(shop, text, 0); /* an empty one is a new store */
    shop_reopen(shop);
    expect_working(shop->session, 0);
}

static void
test_a_folder_in_the_place_of_the_database_is_refused(void **state)
{
    struct shop *shop = *state;
    char path[96];
    shop_close(shop);
    snprintf(path, sizeof path, "%s/varve.db", shop->folder);
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_not_opened(shop, &shop_schema, VARVE_IO, path);
    rmdir(path);
    write_database(shop, "", 0);
    char file[96];
    snprintf(file, sizeof file, "%s/varve.db", shop->folder);
    struct varve_config config = {.data_dir = file}; /* and a file in that of the folder */
    struct varve_store *store;
    struct varve_error error;
    assert_int_equal(varve_open(&shop_schema, &config, &store, &error), VARVE_IO);
    assert_non_null(strstr(error.message, file));
    shop_reopen(shop);
}

static void
test_the_database_of_another_schema_is_refused(void **state)
{
    struct shop *shop = *state;
    struct varve_schema later = shop_schema;
    add_maker(shop->session, "m");
    shop_close(shop);
    expect_not_opened(shop, &cortex_schema, VARVE_SCHEMA, "holds the schema of package shop");
    later.lock_count = 1;
    expect_not_opened(shop, &later, VARVE_SCHEMA, "another state of the schema of package shop");
    shop_reopen(shop);
    assert_int_equal(
        query_int64(shop->session, "SELECT count(*) FROM sqlite_schema WHERE name = 'episode'"), 0);
    expect_working(shop->session, 1);
}

static void
test_a_database_of_another_program_is_not_added_to(void **state)
{
    struct shop *shop = *state;
    shop_close(shop);
    write_database(shop, "", 0);
    execute(shop, "CREATE TABLE \"their'notes\" (a); INSERT INTO \"their'notes\" VALUES (1)");
    expect_not_opened(shop, &shop_schema, VARVE_SCHEMA, "\"their'notes\"");
    execute(shop, "UPDATE \"their'notes\" SET a = 2; CREATE TABLE maker (id)");
    expect_not_opened(shop, &shop_schema, VARVE_SCHEMA, "not one of varve's");
    execute(shop, "DROP TABLE \"their'notes\"; DROP TABLE maker");
    shop_reopen(shop);
    expect_working(shop->session, 0);
}

static void
test_a_missing_table_or_column_is_a_matter_of_the_schema(void **state)
{
    struct shop *shop = *state;
    struct shop_token token = SHOP_TOKEN_INIT;
    struct shop_item *item;
    add_maker(shop->session, "m");
    expect_ok(shop->session, shop_token_insert(shop->session, &token));
    execute(shop, "DROP TABLE token; ALTER TABLE item DROP COLUMN note");
    token.id = 0;
    assert_int_equal(shop_token_insert(shop->session, &token), VARVE_SCHEMA);
    expect_failure(shop->session, VARVE_FAILURE_OTHER, 0, "no such table: token");
    assert_int_equal(shop_token_insert_many(shop->session, &token, 1), VARVE_SCHEMA);
    assert_int_equal(shop_token_delete(shop->session, 1), VARVE_SCHEMA);
    assert_int_equal(shop_item_get(shop->session, 1, &item), VARVE_SCHEMA);
    expect_failure(shop->session, VARVE_FAILURE_OTHER, 0, "note");
    expect_working(shop->session, 1);
}

static void
test_a_path_is_never_taken_for_an_address(void **state)
{
    struct shop *shop = *state;
    static const char *const names[] = {"a'b;c", "file:x?mode=memory", "%00", "q\"?#"};
    shop_close(shop);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[120];
        struct varve_config config = {.data_dir = shop->folder, .database_path = path};
        struct varve_error error;
        snprintf(path, sizeof path, "%s/%s", shop->folder, names[i]);
        if (varve_open(&shop_schema, &config, &shop->store, &error) != VARVE_OK)
            fail_msg("%s", error.message);
        assert_int_equal(access(path, F_OK), 0);
        varve_close(shop->store);
        assert_int_equal(unlink(path), 0);
    }
    shop->store = NULL;
    shop_reopen(shop);
}

/* -------------------------------------------------------------------- no room */

/* Inserts until the store refuses, outside of a transaction or inside of one. */
static enum varve_status
fill_up(struct varve_session *session, bool begin)
{
    static uint8_t data[60000];
    enum varve_status status = begin ? varve_begin(session) : VARVE_OK;
    for (int i = 0; i < 1000 && status == VARVE_OK; i++) {
        struct shop_giant giant = SHOP_GIANT_INIT;
        giant.blob = (struct varve_bytes){sizeof data, data};
        status = shop_giant_insert(session, &giant);
    }
    return status;
}

static void
test_a_full_database_takes_no_more_and_loses_nothing(void **state)
{
    struct varve_session *session = ((struct shop *)*state)->session;
    add_maker(session, "m");
    query_int64(session, "PRAGMA max_page_count = 400");
    assert_int_equal(fill_up(session, false), VARVE_FULL);
    expect_failure(session, VARVE_FAILURE_OTHER, 0, "free space");
    int64_t kept = query_int64(session, "SELECT count(*) FROM giant");
    assert_true(kept > 0);
    assert_int_equal(fill_up(session, true), VARVE_FULL);
    struct shop_token token = SHOP_TOKEN_INIT;
    assert_int_equal(shop_token_insert(session, &token), VARVE_MISUSE); /* it was undone */
    assert_int_equal(varve_commit(session), VARVE_FULL);
    assert_int_equal(query_int64(session, "SELECT count(*) FROM giant"), kept);
    query_int64(session, "PRAGMA max_page_count = 1000000");
    expect_working(session, 1);
}

static int
write_beyond_a_limit(const struct shop *shop)
{
    struct rlimit limit;
    struct varve_config config = {.data_dir = shop->folder};
    struct varve_store *store;
    struct varve_session *session;
    int64_t count = 0;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 1000000;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(varve_open(&shop_schema, &config, &store, NULL) == VARVE_OK);
    CHECK(varve_session_open(store, &session) == VARVE_OK);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    enum varve_status status = fill_up(session, false);
    CHECK(status == VARVE_UNKNOWN_OUTCOME || status == VARVE_FULL);
    CHECK(*varve_session_error(session));
    CHECK(fill_up(session, true) == VARVE_OK); /* all in memory until the commit */
    status = varve_commit(session);
    CHECK(status == VARVE_UNKNOWN_OUTCOME || status == VARVE_FULL);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(shop_giant_count(session, NULL, &count) == VARVE_OK && count > 0 && count < 20);
    struct shop_giant giant = SHOP_GIANT_INIT;
    CHECK(shop_giant_insert(session, &giant) == VARVE_OK);
    varve_session_close(session);
    varve_close(store);
    return 0;
}

static void
test_a_write_that_the_system_refuses_loses_nothing(void **state)
{
    struct shop *shop = *state;
    add_maker(shop->session, "m");
    shop_close(shop);
    run_in_child(write_beyond_a_limit, shop, false);
    shop_reopen(shop);
    expect_working(shop->session, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_a_folder_that_may_not_be_written_is_refused),
        SHOP_TEST(test_no_store_is_made_in_a_read_only_folder),
        SHOP_TEST(test_a_file_that_is_no_database_is_left_alone),
        SHOP_TEST(test_a_folder_in_the_place_of_the_database_is_refused),
        SHOP_TEST(test_a_path_is_never_taken_for_an_address),
        SHOP_TEST(test_the_database_of_another_schema_is_refused),
        SHOP_TEST(test_a_database_of_another_program_is_not_added_to),
        SHOP_TEST(test_a_missing_table_or_column_is_a_matter_of_the_schema),
        SHOP_TEST(test_a_full_database_takes_no_more_and_loses_nothing),
        SHOP_TEST(test_a_write_that_the_system_refuses_loses_nothing),
    };
    return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
