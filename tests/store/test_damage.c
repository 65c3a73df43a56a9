/* Databases that somebody else has changed, and file systems that cannot hold one. */
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

/* -------------------------------------------------------------------- columns */

static void
test_a_column_changed_by_hand_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_sample *read;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_OK);
    execute(fixture, "UPDATE sample SET counts = '[1'");
    assert_int_equal(lab_sample_get(fixture->session, 1, &read), VARVE_TYPE);
    assert_null(read);
    expect_error(fixture->session, "lab.Sample.counts");
    execute(fixture, "UPDATE sample SET counts = '{}', place = x'ffff'");
    assert_int_equal(lab_sample_get(fixture->session, 1, &read), VARVE_TYPE);
    execute(fixture, "UPDATE sample SET place = NULL");
    assert_int_equal(lab_sample_get(fixture->session, 1, &read), VARVE_OK);
    lab_sample_free(read);
}

/* After this UPDATE, reading the first sample fails with these words; after the second it does not. */
static void
expect_refused(struct fixture *fixture, const char *damage, const char *words, const char *mending)
{
    struct lab_sample *read;
    execute(fixture, damage);
    assert_int_equal(lab_sample_get(fixture->session, 1, &read), VARVE_TYPE);
    assert_null(read);
    expect_error(fixture->session, words);
    assert_int_equal(varve_session_failure(fixture->session)->field_count, 1);
    execute(fixture, mending);
    assert_int_equal(lab_sample_get(fixture->session, 1, &read), VARVE_OK);
    lab_sample_free(read);
}

static void
test_text_that_no_string_holds_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_OK);
    expect_refused(
        fixture, "UPDATE sample SET name = 'a' || char(0) || 'b'",
        "lab.Sample.name: the column holds text that is no UTF-8 or holds a NUL (byte 1); the "
        "table "
        "was changed by hand: write the value again",
        "UPDATE sample SET name = 'ab'");
    expect_refused(
        fixture, "UPDATE sample SET note = CAST(x'6161ff' AS TEXT)",
        "lab.Sample.note: the column holds text that is no UTF-8 or holds a NUL (byte 2)",
        "UPDATE sample SET note = NULL");
}

static void
test_numbers_out_of_the_range_of_their_field_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_OK);
    expect_refused(
        fixture, "UPDATE sample SET maybe = 4294967297",
        "lab.Sample.maybe: the column holds 4294967297, which int32 cannot; the table was changed "
        "by hand: write the value again",
        "UPDATE sample SET maybe = -2147483648");
    expect_refused(
        fixture, "UPDATE sample SET big = -1", "lab.Sample.big: the column holds -1, which uint64",
        "UPDATE sample SET big = 9223372036854775807");
    expect_refused(
        fixture, "UPDATE sample SET mood = 2147483648", "which an enum cannot",
        "UPDATE sample SET mood = 2147483647");
    expect_refused(
        fixture, "UPDATE sample SET ratio = 1e300", "the column holds 1e+300, which float cannot",
        "UPDATE sample SET ratio = 9e999");
}

static void
test_bytes_of_another_member_of_a_oneof_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lab_place place = LAB_PLACE_INIT;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.result_case = LAB_SAMPLE_RESULT_CASE_WHERE;
    sample.where = &place;
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_OK);
    expect_refused(
        fixture, "UPDATE sample SET \"where\" = x'60C182848904'", /* count: a number */
        "lab.Sample.where: the column holds bytes without this field",
        "UPDATE sample SET \"where\" = NULL");
    expect_refused(
        fixture, "UPDATE sample SET \"where\" = x''",
        "lab.Sample.where: the column holds bytes without this field",
        "UPDATE sample SET \"where\" = NULL");
}

/* SQLite's message ends with the table's name. */
static void
test_a_table_that_was_dropped_is_another_schema(void **state)
{
    struct fixture *fixture = *state;
    struct lab_reading *read;
    execute(fixture, "DROP TABLE reading");
    assert_int_equal(lab_reading_get(fixture->session, "x", 1, &read), VARVE_SCHEMA);
    expect_error(fixture->session, "no such table: reading");
    assert_int_equal(varve_session_failure(fixture->session)->field_count, 0);
}

/* -------------------------------------------------------------------- keys */

static void
test_a_long_key_that_is_not_there_is_cut_at_a_character(void **state)
{
    char site[301];
    struct fixture *fixture = *state;
    struct lab_reading *read;
    int begun = 0;
    int ended = 0;
    for (size_t i = 0; i < 300; i++)
        site[i] = i % 2 ? '\xa9' : '\xc3';
    site[300] = '\0';
    assert_int_equal(lab_reading_get(fixture->session, site, 1, &read), VARVE_NOT_FOUND);
    for (const char *at = varve_session_error(fixture->session); *at; at++) {
        begun += *at == '\xc3';
        ended += *at == '\xa9';
    }
    assert_in_range(begun, 50, 150);
    assert_int_equal(begun, ended);
}

static void
test_a_part_of_a_key_that_is_null_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const void *without_day[] = {"north", NULL};
    const void *without_site[] = {NULL, &(int32_t){1}};
    void *read;
    assert_int_equal(
        varve_record_get(fixture->session, &lab_reading_record, without_day, &read), VARVE_INVALID);
    assert_null(read);
    expect_error(fixture->session, "lab.Reading.day is NULL as a key");
    assert_int_equal(
        varve_record_get(fixture->session, &lab_reading_record, without_site, &read),
        VARVE_INVALID);
    expect_error(fixture->session, "lab.Reading.site is NULL as a key");
}

/* -------------------------------------------------------------------- opening */

static void
test_a_database_of_another_schema_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct varve_schema other = lab_schema;
    const char *lines[1000];
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_store *store;
    struct varve_error error;
    assert_true(lab_schema.lock_count < 1000);
    for (size_t i = 0; i < lab_schema.lock_count; i++)
        lines[i] = strcmp(lab_schema.lock[i], "field lab.Reading 3 value double") == 0
                       ? "field lab.Reading 3 amount double"
                       : lab_schema.lock[i];
    other.lock = lines;
    assert_int_equal(varve_open(&other, &config, &store, &error), VARVE_SCHEMA);
    assert_null(store);
    assert_non_null(strstr(
        error.message, "another state of the schema of package lab than this program: it has "
                       "\"field lab.Reading 3 value "
                       "double\", the program \"field lab.Reading 3 amount double\"; generate"));
    other = lab_schema;
    other.descriptor_set_size -= 1; /* what the tables do not depend on */
    assert_int_equal(varve_open(&other, &config, &store, &error), VARVE_OK);
    varve_close(store);
}

/* A STRICT table has no values of another type, so that reading need not look. */
static void
test_sqlite_refuses_values_of_another_type(void **state)
{
    static const char *const columns[] = {"name", "score", "big",  "hash", "flag",
                                          "mood", "ratio", "blob", "maybe"};
    static const char *const values[] = {"NULL", "'text'", "0.5", "x'00'"};
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct lab_sample *read;
    sqlite3 *database = varve_session_sqlite(fixture->session);
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_OK);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            char sql[100];
            snprintf(sql, sizeof sql, "UPDATE sample SET %s = %s", columns[i], values[j]);
            sqlite3_exec(database, sql, NULL, NULL, NULL);
        }
    }
    const char *types = "SELECT typeof(name) || typeof(score) || typeof(big) || typeof(hash) ||"
                        " typeof(flag) || typeof(mood) || typeof(ratio) || typeof(blob) = 'text' ||"
                        " 'real' || 'integer' || 'integer' || 'integer' || 'integer' || 'real' ||"
                        " 'blob' FROM sample";
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(database, types, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), 1);
    sqlite3_finalize(statement);
    assert_int_equal(lab_sample_get(fixture->session, 1, &read), VARVE_OK);
    lab_sample_free(read);
}

/* With `from` replaced by `to` in a table's definition, the store does not open. */
static void
expect_not_opened(
    struct fixture *fixture, const char *table, const char *from, const char *to, const char *words)
{
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_store *store;
    struct varve_error error;
    char *sql = sqlite3_mprintf(
        "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, %Q, %Q)"
        " WHERE name = %Q",
        from, to, table);
    execute(fixture, sql);
    sqlite3_free(sql);
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_SCHEMA);
    assert_null(store);
    if (!strstr(error.message, words))
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
    sql = sqlite3_mprintf(
        "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, %Q, %Q)"
        " WHERE name = %Q",
        to, from, table);
    execute(fixture, sql);
    sqlite3_free(sql);
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_OK);
    varve_close(store);
}

static void
test_tables_that_allow_other_values_are_refused(void **state)
{
    struct fixture *fixture = *state;
    expect_not_opened(
        fixture, "reading", "\n) STRICT", "\n)",
        "the database's tables are not those of the schema (1 differences, all in the log; restore "
        "a "
        "backup, or change them back): the table \"reading\" is of another kind: expected strict; "
        "there "
        "is no option");
    expect_not_opened(
        fixture, "reading", "\"value\" REAL NOT NULL", "\"value\" TEXT NOT NULL",
        "in the table \"reading\" column \"value\" is another: expected value real not null "
        "default 0; "
        "there is value text not null default 0");
    expect_not_opened(
        fixture, "reading", "\"value\" REAL NOT NULL", "\"value\" REAL",
        "expected value real not null default 0; there is value real default 0");
    expect_not_opened(
        fixture, "sample", "\"maybe\" INTEGER", "\"may_be\" INTEGER",
        "the table \"sample\" lacks maybe integer; the table \"sample\" has what was not expected: "
        "may_be "
        "integer");
    expect_not_opened(
        fixture, "versioned", "\"id\" INTEGER PRIMARY KEY AUTOINCREMENT", "\"id\" INTEGER",
        "expected id integer primary key autoincrement; there is id integer");
}

static void
test_a_table_that_is_gone_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_store *store;
    struct varve_error error;
    execute(fixture, "DROP TABLE reading");
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_SCHEMA);
    assert_null(store);
    assert_non_null(strstr(error.message, "the table \"reading\" is missing"));
}

/* A migration that makes the table anew would drop the column, and what is in it. */
static void
test_a_table_with_more_columns_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_store *store;
    struct varve_error error;
    execute(fixture, "ALTER TABLE reading ADD COLUMN comment TEXT");
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_SCHEMA);
    assert_non_null(strstr(error.message, "has what was not expected: comment text"));
    execute(fixture, "ALTER TABLE reading DROP COLUMN comment");
    assert_int_equal(varve_open(&lab_schema, &config, &store, NULL), VARVE_OK);
    varve_close(store);
}

static void
test_a_file_that_is_no_database_is_corrupt(void **state)
{
    char path[96];
    struct fixture *fixture = *state;
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_store *store;
    struct varve_error error;
    varve_session_close(fixture->session);
    varve_close(fixture->store);
    fixture->session = NULL;
    fixture->store = NULL;
    snprintf(path, sizeof path, "%s/varve.db", fixture->folder);
    FILE *file = fopen(path, "wb");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database ", file);
    fclose(file);
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_CORRUPT);
    assert_null(store);
}

static void
close_and_remove(struct fixture *fixture)
{
    char path[96];
    varve_session_close(fixture->session);
    varve_close(fixture->store);
    fixture->session = NULL;
    fixture->store = NULL;
    snprintf(path, sizeof path, "%s/varve.db", fixture->folder);
    assert_int_equal(unlink(path), 0);
}

/* SQLite's own way of locking by files has no shared memory, as some network file systems. */
static void
test_a_file_system_without_wal_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_store *store;
    struct varve_error error;
    close_and_remove(fixture);
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    assert_int_equal(sqlite3_vfs_register(sqlite3_vfs_find("unix-dotfile"), 1), SQLITE_OK);
    enum varve_status status = varve_open(&lab_schema, &config, &store, &error);
    assert_int_equal(sqlite3_vfs_register(usual, 1), SQLITE_OK);
    assert_int_equal(status, VARVE_IO);
    assert_null(store);
    assert_non_null(strstr(error.message, "varve.db: the file system does not allow SQLite's WAL"));
}

static void
keep_event(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    (void)level;
    (void)tier;
    snprintf(context, 128, "%s", message);
}

static void
test_opening_is_an_event(void **state)
{
    char event[128] = "";
    char expected[128];
    struct fixture *fixture = *state;
    struct varve_config config = {
        .data_dir = fixture->folder, .log = keep_event, .log_context = event};
    struct varve_store *store;
    assert_int_equal(varve_open(&lab_schema, &config, &store, NULL), VARVE_OK);
    varve_close(store);
    snprintf(expected, sizeof expected, "opened %s/", fixture->folder);
    assert_non_null(strstr(event, expected));
}

/* A session that could not be opened must not keep the store from closing. */
static void
test_a_session_that_fails_is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *session;
    varve_session_close(fixture->session);
    fixture->session = NULL;
    char path[96];
    snprintf(path, sizeof path, "%s/varve.db", fixture->folder);
    assert_int_equal(unlink(path), 0);
    struct varve_session *pooled; /* has its connection still */
    assert_int_equal(varve_session_open(fixture->store, &pooled), VARVE_OK);
    assert_int_equal(varve_session_open(fixture->store, &session), VARVE_IO);
    assert_null(session);
    varve_session_close(pooled);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_column_changed_by_hand_is_named),
        TEST(test_text_that_no_string_holds_is_refused),
        TEST(test_numbers_out_of_the_range_of_their_field_are_refused),
        TEST(test_bytes_of_another_member_of_a_oneof_are_refused),
        TEST(test_a_table_that_was_dropped_is_another_schema),
        TEST(test_a_long_key_that_is_not_there_is_cut_at_a_character),
        TEST(test_a_part_of_a_key_that_is_null_is_refused),
        TEST(test_a_database_of_another_schema_is_refused),
        TEST(test_sqlite_refuses_values_of_another_type),
        TEST(test_tables_that_allow_other_values_are_refused),
        TEST(test_a_table_that_is_gone_is_refused),
        TEST(test_a_table_with_more_columns_is_refused),
        TEST(test_a_file_that_is_no_database_is_corrupt),
        TEST(test_a_file_system_without_wal_is_refused),
        TEST(test_opening_is_an_event),
        TEST(test_a_session_that_fails_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
