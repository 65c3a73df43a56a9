/* Sessions and stores: fork, the pool, the page cache, read-only stores, the configuration. */
#define _POSIX_C_SOURCE 200809L

#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cortex/cortex.varve.h"

/* -------------------------------------------------------------------- fork, threads, pool */

static void
test_a_forked_child_is_told_not_to_use_the_store(void **state)
{
    struct fixture *fixture = *state;
    insert_named(fixture->session, "a");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int64_t count;
        struct varve_session *session;
        bool good = lab_sample_count(fixture->session, NULL, &count) == VARVE_MISUSE &&
                    varve_session_open(fixture->store, &session) == VARVE_MISUSE &&
                    strstr(varve_session_error(NULL), "forked") != NULL;
        varve_session_close(fixture->session);
        varve_close(fixture->store);
        good = good && strstr(varve_session_error(fixture->session), "fork") != NULL;
        _exit(good ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    insert_named(fixture->session, "the parent goes on");
    assert_int_equal(count_samples(fixture->session), 2);
}

/* What a child's attempt at a store in this folder answers: the exit code is the status. */
static enum varve_status
open_in_child(const char *folder)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct varve_config config = {.data_dir = folder};
        struct varve_store *store;
        struct varve_session *session = NULL;
        struct lab_sample sample = LAB_SAMPLE_INIT;
        sample.name = "of the child";
        enum varve_status status = varve_open(&lab_schema, &config, &store, NULL);
        if (status == VARVE_OK)
            status = varve_session_open(store, &session);
        if (status == VARVE_OK)
            status = lab_sample_insert(session, &sample);
        varve_session_close(session);
        varve_close(store);
        _exit((int)status);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    return (enum varve_status)WEXITSTATUS(result);
}

static void
test_a_child_cannot_open_what_its_parent_has_open(void **state)
{
    struct fixture *fixture = *state;
    insert_named(fixture->session, "a");
    assert_int_equal(open_in_child(fixture->folder), VARVE_MISUSE);
    varve_session_close(fixture->session); /* its connection stays in the pool */
    assert_int_equal(open_in_child(fixture->folder), VARVE_MISUSE);
    assert_int_equal(open_in_child(":memory:"), VARVE_OK);
    varve_close(fixture->store);
    fixture->session = NULL;
    fixture->store = NULL;
    assert_int_equal(open_in_child(fixture->folder), VARVE_OK);
    reopen(fixture);
    assert_int_equal(count_samples(fixture->session), 2);
}

static void
test_a_pooled_session_begins_clean(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *first = second_session(fixture);
    struct lab_sample sample = LAB_SAMPLE_INIT;
    assert_int_equal(lab_sample_delete(first, 7), VARVE_NOT_FOUND);
    insert_named(first, "a");
    sqlite3 *database = varve_session_sqlite(first);
    varve_session_close(first);
    struct varve_session *second = second_session(fixture);
    assert_ptr_equal(varve_session_sqlite(second), database);
    assert_string_equal(varve_session_error(second), "");
    assert_null(varve_session_failure(second));
    assert_int_equal(varve_changes(second), 0);
    sample.name = "b";
    assert_int_equal(lab_sample_insert(second, &sample), VARVE_OK);
    varve_session_close(second);
}

static void *
close_after_a_while(void *session)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    varve_session_close(session);
    return NULL;
}

static void
test_closing_a_store_waits_for_its_sessions(void **state)
{
    struct fixture *fixture = *state;
    pthread_t thread;
    struct varve_session *other = second_session(fixture);
    varve_session_close(fixture->session);
    int64_t before = varve_now();
    pthread_create(&thread, NULL, close_after_a_while, other);
    varve_close(fixture->store);
    assert_true(varve_now() - before >= 90000000);
    pthread_join(thread, NULL);
    fixture->session = NULL;
    fixture->store = NULL;
    reopen(fixture);
}

static void
test_the_page_cache_is_one_budget_for_all_sessions(void **state)
{
    struct fixture *fixture = *state;
    open_with(fixture, (struct varve_config){.page_cache_bytes = 64 << 20});
    struct varve_session *sessions[3];
    int64_t sum = 0;
    for (size_t i = 0; i < 3; i++)
        sessions[i] = second_session(fixture);
    for (size_t i = 0; i < 4; i++) {
        struct varve_session *session = i < 3 ? sessions[i] : fixture->session;
        sqlite3_stmt *statement;
        count_samples(session); /* takes over its share */
        sqlite3_prepare_v2(
            varve_session_sqlite(session), "PRAGMA cache_size", -1, &statement, NULL);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        sum -= sqlite3_column_int64(statement, 0) * 1024;
        sqlite3_finalize(statement);
    }
    assert_int_equal(sum, 64 << 20);
    for (size_t i = 0; i < 3; i++)
        varve_session_close(sessions[i]);
}

/* -------------------------------------------------------------------- configuration */

/* What a pragma answers on the fixture's session. */
static int64_t
pragma(const struct fixture *fixture, const char *sql)
{
    sqlite3_stmt *statement;
    sqlite3 *database = varve_session_sqlite(fixture->session);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void
test_durability_and_checkpoints_are_as_configured(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(pragma(fixture, "PRAGMA synchronous"), 2);
    assert_int_equal(pragma(fixture, "PRAGMA wal_autocheckpoint"), 10000);
    assert_int_equal(pragma(fixture, "PRAGMA foreign_keys"), 1);
    open_with(
        fixture,
        (struct varve_config){.durability = VARVE_DURABILITY_NORMAL, .checkpoint_pages = 77});
    assert_int_equal(pragma(fixture, "PRAGMA synchronous"), 1);
    assert_int_equal(pragma(fixture, "PRAGMA wal_autocheckpoint"), 77);
    open_with(fixture, (struct varve_config){.checkpoint_pages = -1});
    assert_int_equal(pragma(fixture, "PRAGMA wal_autocheckpoint"), 0);
}

static void
test_finds_work_without_a_cache_of_statements_and_without_a_pool(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample *found;
    open_with(fixture, (struct varve_config){.cached_statements = -1, .pooled_sessions = -1});
    insert_named(fixture->session, "a");
    for (int i = 0; i < 3; i++) {
        struct lab_sample_filter filter = {.name = varve_text_equals("a")};
        assert_int_equal(lab_sample_find_one(fixture->session, &filter, &found), VARVE_OK);
        lab_sample_free(found);
    }
    /* Nothing is left of the finds but what sessions always keep: the insert. */
    sqlite3 *database = varve_session_sqlite(fixture->session);
    for (sqlite3_stmt *at = NULL; (at = sqlite3_next_stmt(database, at));)
        assert_null(strstr(sqlite3_sql(at), "WHERE"));
}

static void
test_several_schemas_share_a_store(void **state)
{
    struct fixture *fixture = *state;
    const struct varve_schema *schemas[] = {&lab_schema, &cortex_schema};
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_store *store;
    struct varve_session *session;
    struct varve_error error;
    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    insert_named(fixture->session, "a");
    if (varve_open_many(schemas, 2, &config, &store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    assert_int_equal(cortex_episode_insert(session, &episode), VARVE_OK);
    assert_int_equal(count_samples(session), 1);
    varve_session_close(session);
    varve_close(store);
    schemas[1] = &lab_schema;
    assert_int_equal(varve_open_many(schemas, 2, &config, &store, &error), VARVE_MISUSE);
    assert_non_null(strstr(error.message, "twice"));
    assert_int_equal(varve_open_many(schemas, 0, &config, &store, &error), VARVE_MISUSE);
}

static void
test_a_read_only_store_reads_and_refuses_to_write(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    int64_t id = insert_named(fixture->session, "a");
    open_with(fixture, (struct varve_config){.read_only = true});
    assert_int_equal(count_samples(fixture->session), 1);
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_READ_ONLY);
    expect_error(fixture->session, "read_only");
    assert_int_equal(varve_begin(fixture->session), VARVE_READ_ONLY);
    assert_int_equal(lab_sample_delete(fixture->session, id), VARVE_READ_ONLY);
    assert_int_equal(varve_begin_read(fixture->session), VARVE_OK);
    assert_int_equal(count_samples(fixture->session), 1);
    assert_int_equal(varve_commit(fixture->session), VARVE_OK);
}

static void
test_read_only_makes_no_store(void **state)
{
    struct fixture *fixture = *state;
    char missing[120];
    snprintf(missing, sizeof missing, "%s/none", fixture->folder);
    struct varve_config config = {.data_dir = missing, .read_only = true};
    struct varve_store *store;
    struct varve_error error;
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_NOT_FOUND);
    assert_non_null(strstr(error.message, missing));
    assert_null(store);
    assert_int_not_equal(access(missing, F_OK), 0);
}

static void
test_bad_numbers_in_the_configuration_are_named(void **state)
{
    const struct fixture *fixture = *state;
    struct varve_config config = {.data_dir = fixture->folder, .busy_timeout_ms = -2};
    struct varve_store *store;
    struct varve_error error;
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_MISUSE);
    assert_non_null(strstr(error.message, "busy_timeout_ms"));
    config = (struct varve_config){.data_dir = fixture->folder, .page_cache_bytes = 5};
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_MISUSE);
    assert_non_null(strstr(error.message, "page_cache_bytes"));
}

static void
test_the_environment_sets_members_and_errors_name_the_variable(void **state)
{
    (void)state;
    struct varve_config config = {.busy_timeout_ms = 1};
    struct varve_error error;
    setenv("VARVE_DATA_DIR", "here", 1);
    setenv("VARVE_BUSY_TIMEOUT_MS", "250", 1);
    setenv("VARVE_READ_ONLY", "true", 1);
    setenv("VARVE_DURABILITY", "NORMAL", 1);
    setenv("VARVE_MIGRATE", "-1", 1);
    setenv("VARVE_MIGRATION_BACKUP", "-1", 1);
    setenv("SQLITE_DB_PATH", "here/other.db", 1);
    assert_int_equal(varve_config_from_env(&config, &error), VARVE_OK);
    assert_string_equal(config.data_dir, "here");
    assert_string_equal(config.database_path, "here/other.db");
    assert_int_equal(config.busy_timeout_ms, 250);
    assert_true(config.read_only);
    assert_int_equal(config.durability, VARVE_DURABILITY_NORMAL);
    assert_int_equal(config.checkpoint_pages, 0);
    assert_int_equal(config.migrate, -1);
    assert_int_equal(config.migration_backup, -1);
    setenv("VARVE_MIGRATE", "1", 1);
    assert_int_equal(varve_config_from_env(&config, &error), VARVE_INVALID);
    assert_non_null(strstr(
        error.message,
        "the environment variable VARVE_MIGRATE is \"1\"; it must be 0 for the default, or -1"));
    setenv("VARVE_MIGRATE", "0", 1);
    setenv("VARVE_BUSY_TIMEOUT_MS", "soon", 1);
    setenv("VARVE_READ_ONLY", "false", 1);
    assert_int_equal(varve_config_from_env(&config, &error), VARVE_INVALID);
    assert_non_null(strstr(error.message, "VARVE_BUSY_TIMEOUT_MS"));
    assert_non_null(strstr(error.message, "soon"));
    assert_true(config.read_only); /* unchanged */
    unsetenv("VARVE_DATA_DIR");
    unsetenv("VARVE_BUSY_TIMEOUT_MS");
    unsetenv("VARVE_READ_ONLY");
    unsetenv("VARVE_DURABILITY");
    unsetenv("VARVE_MIGRATE");
    unsetenv("VARVE_MIGRATION_BACKUP");
    unsetenv("SQLITE_DB_PATH");
}

static void
test_the_database_may_lie_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    char path[120];
    struct stat file;
    snprintf(path, sizeof path, "%s/elsewhere.db", fixture->folder);
    open_with(fixture, (struct varve_config){.database_path = path});
    insert_named(fixture->session, "a");
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    reopen(fixture);
    assert_int_equal(count_samples(fixture->session), 0);
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_forked_child_is_told_not_to_use_the_store),
        TEST(test_a_child_cannot_open_what_its_parent_has_open),
        TEST(test_a_pooled_session_begins_clean),
        TEST(test_closing_a_store_waits_for_its_sessions),
        TEST(test_the_page_cache_is_one_budget_for_all_sessions),
        TEST(test_durability_and_checkpoints_are_as_configured),
        TEST(test_finds_work_without_a_cache_of_statements_and_without_a_pool),
        TEST(test_several_schemas_share_a_store),
        TEST(test_a_read_only_store_reads_and_refuses_to_write),
        TEST(test_read_only_makes_no_store),
        TEST(test_bad_numbers_in_the_configuration_are_named),
        TEST(test_the_environment_sets_members_and_errors_name_the_variable),
        TEST(test_the_database_may_lie_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
