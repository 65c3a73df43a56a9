#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include "moved_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct moved_step moved_swap = {
    .name = "swap",
    .sql =
        "ALTER TABLE item RENAME COLUMN even TO t; ALTER TABLE item RENAME COLUMN odd TO even;"
        "ALTER TABLE item RENAME COLUMN t TO odd; ALTER TABLE item RENAME COLUMN code TO t;"
        "ALTER TABLE item RENAME COLUMN title TO code; ALTER TABLE item RENAME COLUMN t TO title;"
        "ALTER TABLE part RENAME COLUMN even TO t; ALTER TABLE part RENAME COLUMN odd TO even;"
        "ALTER TABLE part RENAME COLUMN t TO odd;"
        "ALTER TABLE wave RENAME COLUMN even TO t; ALTER TABLE wave RENAME COLUMN odd TO even;"
        "ALTER TABLE wave RENAME COLUMN t TO odd;",
};

const struct moved_step moved_rename = {
    .name = "rename",
    .sql =
        "ALTER TABLE item RENAME COLUMN even TO pair; ALTER TABLE wave RENAME COLUMN even TO pair;"
        "ALTER TABLE part RENAME COLUMN even TO pair;",
};

const struct moved_step moved_reads = {
    .name = "reads",
    .reads_ok = true,
    .sql = "ALTER TABLE item ADD COLUMN code_json TEXT; ALTER TABLE wave ADD COLUMN data_json TEXT;"
           "ALTER TABLE part ADD COLUMN odd_json TEXT;",
};

const struct moved_step moved_add = {
    .name = "add_mood",
    .reads_ok = true,
    .writes_ok = true,
    .sql = "ALTER TABLE item ADD COLUMN mood TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE wave ADD COLUMN mood TEXT; ALTER TABLE part ADD COLUMN mood TEXT;",
    .lock = "field moved.Item 6 mood string",
};

const struct moved_step moved_nothing = {
    .name = "nothing",
    .reads_ok = true,
    .writes_ok = true,
    .sql = "CREATE TABLE varve_cookie (none INTEGER) STRICT; DROP TABLE varve_cookie;",
};

const struct moved_step moved_reads_nothing = {
    .name = "reads_nothing",
    .reads_ok = true,
    .sql = "CREATE TABLE varve_cookie (none INTEGER) STRICT; DROP TABLE varve_cookie;",
};

/* -------------------------------------------------------------------- the program */

void
moved_program_init(struct moved_program *program, size_t migrations)
{
    static const char *const nothing[] = {"SELECT 1;"};
    static const char *ddl[8]; /* a table's in each */
    static const char *const names[MOVED_KNOWN] = {"0001_first", "0002_step", "0003_step"};
    size_t tables = 0;
    for (size_t i = 0; i < moved_schema.record_count; i++) {
        if (moved_schema.records[i]->table)
            ddl[tables++] = moved_schema.records[i]->table->ddl;
    }
    program->schema = moved_schema;
    program->schema.migrations = migrations > 0 ? program->migrations : NULL;
    program->schema.migration_count = migrations;
    for (size_t i = 0; i < migrations; i++)
        program->migrations[i] = (struct varve_migration){
            .number = (uint32_t)i + 1,
            .name = names[i],
            .sql = i == 0 ? ddl : nothing,
            .sql_count = i == 0 ? tables : 1,
            .checksum = "checksum",
        };
}

/* -------------------------------------------------------------------- the other program */

void
moved_execute(struct moved *moved, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(moved->other, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

int64_t
moved_query(struct moved *moved, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(moved->other, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

void
moved_migrate(struct moved *moved, const struct moved_step *step)
{
    int64_t number = ++moved->steps;
    moved_execute(moved, "BEGIN IMMEDIATE");
    moved_execute(moved, step->sql);
    char *sql = sqlite3_mprintf(
        "INSERT INTO varve_migration VALUES ('moved', %lld, '%04lld_%q', 'checksum', %d, %d, 0);"
        "UPDATE varve_generation SET generation = generation + 1;"
        "UPDATE varve_schema SET lock = lock || char(10) || %Q WHERE %d;",
        (long long)number, (long long)number, step->name, step->reads_ok, step->writes_ok,
        step->lock, step->lock != NULL);
    moved_execute(moved, sql);
    sqlite3_free(sql);
    moved_execute(moved, "COMMIT");
}

static void
append_rows(struct moved *moved, const char *table, sqlite3_str *text)
{
    sqlite3_stmt *statement;
    char *sql = sqlite3_mprintf("SELECT * FROM %s ORDER BY 1, 2", table);
    assert_int_equal(sqlite3_prepare_v2(moved->other, sql, -1, &statement, NULL), SQLITE_OK);
    sqlite3_free(sql);
    sqlite3_str_appendf(text, "%s\n", table);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            sqlite3_str_appendf(
                text, "%d '%s'|", sqlite3_column_type(statement, i),
                sqlite3_column_text(statement, i));
        sqlite3_str_appendall(text, "\n");
    }
    sqlite3_finalize(statement);
}

char *
moved_dump(struct moved *moved)
{
    static const char *const tables[] = {
        "item", "part", "wave", "varve_staged_wave", "sqlite_sequence"};
    sqlite3_str *text = sqlite3_str_new(NULL);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        append_rows(moved, tables[i], text);
    char *rows = sqlite3_str_finish(text);
    char *copy = strdup(rows);
    sqlite3_free(rows);
    return copy;
}

int64_t
moved_count_misplaced(struct moved *moved)
{
    return moved_query(
        moved, "SELECT (SELECT count(*) FROM item WHERE even % 2 OR odd % 2 = 0 OR "
               "code NOT LIKE 'code%' OR title NOT LIKE 'title%') + "
               "(SELECT count(*) FROM part WHERE even % 2 OR odd % 2 = 0) + "
               "(SELECT count(*) FROM wave WHERE even % 2 OR odd % 2 = 0)");
}

/* -------------------------------------------------------------------- records */

struct moved_item
moved_new_item(void)
{
    static char code[32], title[32];
    static int64_t number = 1000;
    struct moved_item item = MOVED_ITEM_INIT;
    number += 2;
    snprintf(code, sizeof code, "code %lld", (long long)number);
    snprintf(title, sizeof title, "title %lld", (long long)number);
    item.code = code;
    item.title = title;
    item.even = number;
    item.odd = number + 1;
    return item;
}

bool
moved_item_is_right(const struct moved_item *item)
{
    return item->even % 2 == 0 && item->odd % 2 != 0 && strncmp(item->code, "code", 4) == 0 &&
           strncmp(item->title, "title", 5) == 0;
}

void
moved_expect(struct varve_session *session, enum varve_status expected, enum varve_status status)
{
    if (status != expected)
        fail_msg(
            "%s and not %s: %s", varve_status_name(status), varve_status_name(expected),
            status == VARVE_OK ? "" : varve_session_error(session));
}

/* -------------------------------------------------------------------- fixtures */

static void
fill(struct moved *moved)
{
    static float data[] = {1, 2, 3};
    moved_expect(moved->session, VARVE_OK, varve_begin(moved->session));
    for (int64_t i = 1; i <= MOVED_ITEMS; i++) {
        char code[32], title[32];
        struct moved_item item = MOVED_ITEM_INIT;
        struct moved_part part = MOVED_PART_INIT;
        struct moved_wave wave = MOVED_WAVE_INIT;
        snprintf(code, sizeof code, "code %lld", (long long)i);
        snprintf(title, sizeof title, "title %lld", (long long)i);
        item.code = code;
        item.title = title;
        part.item = i;
        wave.even = part.even = item.even = 2 * i;
        wave.odd = part.odd = item.odd = 2 * i + 1;
        wave.count = 3;
        wave.data = (struct varve_floats){3, data};
        moved_expect(moved->session, VARVE_OK, moved_item_insert(moved->session, &item));
        moved_expect(moved->session, VARVE_OK, moved_part_insert(moved->session, &part));
        moved_expect(moved->session, VARVE_OK, moved_wave_insert(moved->session, &wave));
    }
    moved_expect(moved->session, VARVE_OK, varve_commit(moved->session));
}

struct varve_session *
moved_session(struct moved *moved)
{
    size_t i = 0;
    while (i < MOVED_SESSIONS && moved->others[i])
        i++;
    assert_true(i < MOVED_SESSIONS);
    assert_int_equal(varve_session_open(moved->store, &moved->others[i]), VARVE_OK);
    return moved->others[i];
}

void
moved_session_end(struct moved *moved, struct varve_session *session)
{
    for (size_t i = 0; i < MOVED_SESSIONS; i++) {
        if (moved->others[i] == session)
            moved->others[i] = NULL;
    }
    varve_session_close(session);
}

int
moved_set_up_known(void **state, size_t migrations)
{
    struct moved *moved = calloc(1, sizeof *moved);
    snprintf(moved->folder, sizeof moved->folder, "/tmp/varve-test-XXXXXX");
    if (!mkdtemp(moved->folder))
        return -1;
    char path[96];
    struct varve_error error;
    struct varve_config config = {
        .data_dir = moved->folder, .durability = VARVE_DURABILITY_NORMAL, .pooled_sessions = 1};
    moved_program_init(&moved->program, migrations);
    if (varve_open(&moved->program.schema, &config, &moved->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    snprintf(path, sizeof path, "%s/varve.db", moved->folder);
    assert_int_equal(sqlite3_open(path, &moved->other), SQLITE_OK);
    moved->steps = (int64_t)migrations;
    assert_int_equal(varve_session_open(moved->store, &moved->session), VARVE_OK);
    fill(moved);
    *state = moved;
    return 0;
}

int
moved_set_up(void **state)
{
    return moved_set_up_known(state, 1);
}

int
moved_set_up_without(void **state)
{
    return moved_set_up_known(state, 0);
}

int
moved_tear_down(void **state)
{
    static const char *const names[] = {
        "/varve.db", "/varve.db-wal", "/varve.db-shm", "/varve.lock", ""};
    struct moved *moved = *state;
    sqlite3_close(moved->other);
    for (size_t i = 0; i < MOVED_SESSIONS; i++)
        varve_session_close(moved->others[i]);
    varve_session_close(moved->session);
    varve_close(moved->store);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", moved->folder, names[i]);
        remove(path);
    }
    free(moved);
    return 0;
}
