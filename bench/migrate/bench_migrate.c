/* Migrations of a table of a million rows: a column renamed, and the table rebuilt, both as an
 * application's varve_open() does it, checks and the durable commit included. The counterpart of the
 * rebuild is SQLite's plain copy, INSERT INTO new SELECT * FROM old, into a table with the same indexes.
 * The automatic backup before a migration is measured by itself. */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <varve/store.h>

#include "common/bench.h"
#include "common/folder.h"
#include "migrate/migrations.h"

enum {
    ROWS = 1000000,
    ROUNDS = 7,
    CACHE_KIB = 64 * 1024, /* as varve's own connection has it */
};

struct fixture {
    struct migrations migrations;
    bool backup; /* one is made before a migration */
    unsigned long rows;
    char *base; /* folder of the store at version 1 */
    char *work; /* of the copy that is migrated */
    char *base_database;
    char *work_database;
};

static void
execute(sqlite3 *database, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        bench_fail("%s: %s", sql, message);
}

static sqlite3 *
open_raw(const char *path)
{
    sqlite3 *database;
    if (sqlite3_open(path, &database) != SQLITE_OK)
        bench_fail("%s: %s", path, sqlite3_errmsg(database));
    char *cache = sqlite3_mprintf("PRAGMA cache_size = -%d", CACHE_KIB);
    execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    execute(database, cache);
    sqlite3_free(cache);
    return database;
}

/* Opens the store at the version of the first `count` migrations. */
static void
open_and_close(const struct fixture *fixture, const char *folder, size_t count)
{
    struct varve_store *store;
    struct varve_error error;
    struct varve_schema schema = migrations_schema(&fixture->migrations, count);
    struct varve_config config = {
        .data_dir = folder,
        .migration_backup = fixture->backup ? 0 : -1,
    };
    if (varve_open(&schema, &config, &store, &error) != VARVE_OK)
        bench_fail("%s", error.message);
    varve_close(store);
}

static void
make_base(struct fixture *fixture)
{
    open_and_close(fixture, fixture->base, 1);
    sqlite3 *database = open_raw(fixture->base_database);
    char *insert = sqlite3_mprintf(
        "INSERT INTO episode (occurred_at, experience, performance_score, context_hash, metadata) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lu) "
        "SELECT 1700000000000000000 + i * 1000, randomblob(256), i %% 1000 / 1000.0, "
        "'maze/' || (i * 7919 %% 7500), '{\"run\":\"' || i || '\"}' FROM n",
        fixture->rows);
    execute(database, insert);
    execute(database, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_free(insert);
    sqlite3_close(database);
}

/* A copy of the store, with nothing in the log; on the disk before anything is measured. */
static void
copy_base(const struct fixture *fixture)
{
    char command[2048];
    bench_folder_remove(fixture->work);
    snprintf(
        command, sizeof command, "mkdir '%s' && cp '%s' '%s' && sync '%s'", fixture->work,
        fixture->base_database, fixture->work_database, fixture->work_database);
    if (system(command) != 0)
        bench_fail("%s failed", command);
}

static uint64_t
migrate(void *context, size_t operations)
{
    (void)operations;
    const struct fixture *fixture = context;
    copy_base(fixture);
    uint64_t start = bench_now();
    open_and_close(fixture, fixture->work, fixture->migrations.count);
    return bench_now() - start;
}

/* The rows go to a second table, as one would do it by hand. */
static uint64_t
copy_table(void *context, size_t operations)
{
    (void)operations;
    const struct fixture *fixture = context;
    copy_base(fixture);
    sqlite3 *database = open_raw(fixture->work_database);
    uint64_t start = bench_now();
    execute(
        database,
        "BEGIN IMMEDIATE; CREATE TABLE new (id INTEGER PRIMARY KEY AUTOINCREMENT, occurred_at "
        "INTEGER "
        "NOT NULL, experience BLOB NOT NULL, performance_score REAL CHECK (performance_score >= 0) "
        "CHECK (performance_score <= 1), context_hash TEXT NOT NULL, metadata TEXT NOT NULL, "
        "varve_unknown BLOB) STRICT; CREATE INDEX new_2 ON new (occurred_at); CREATE INDEX new_4 "
        "ON new "
        "(performance_score); CREATE INDEX new_5 ON new (context_hash); "
        "INSERT INTO new SELECT * FROM episode; COMMIT");
    uint64_t duration = bench_now() - start;
    sqlite3_close(database);
    return duration;
}

static int64_t
number(const char *path, const char *sql)
{
    sqlite3_stmt *statement;
    sqlite3 *database = open_raw(path);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        bench_fail("%s: %s", sql, sqlite3_errmsg(database));
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return value;
}

/* Every value is where it was, under the name it has now. */
static void
must_agree(const struct fixture *fixture, const char *column)
{
    migrate((void *)(uintptr_t)fixture, 1);
    char *sql = sqlite3_mprintf(
        "SELECT count(*) FROM episode JOIN base.episode AS b USING (id, occurred_at, experience, "
        "performance_score, metadata) WHERE episode.%s = b.context_hash",
        column);
    char *attach = sqlite3_mprintf("ATTACH %Q AS base", fixture->base_database);
    sqlite3_stmt *statement;
    sqlite3 *database = open_raw(fixture->work_database);
    execute(database, attach);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW ||
        sqlite3_column_int64(statement, 0) != (int64_t)fixture->rows)
        bench_fail("the rows are not the same after the migration: %s", sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    sqlite3_close(database);
    sqlite3_free(attach);
    sqlite3_free(sql);
}

static void
compare(
    struct bench_run *run,
    struct fixture *fixture,
    const char *name,
    const char *kind,
    const char *column,
    bench_function *theirs)
{
    if (!bench_run_wants(run, name))
        return;
    char *folder = bench_folder_path(BENCH_MIGRATIONS, kind);
    migrations_read(folder, &fixture->migrations);
    bench_folder_remove(fixture->base);
    make_base(fixture);
    must_agree(fixture, column);
    const struct bench_work work = {
        .name = name,
        .counterpart = theirs ? "INSERT .. SELECT" : NULL,
        .ours = {migrate, fixture},
        .theirs = {theirs, fixture},
        .bar = theirs ? 0.25 : 0,
        .operations = 1,
        .slices = 1,
        .rounds_max = ROUNDS,
    };
    bench_run_compare(run, &work);
    if ((unsigned long)number(fixture->work_database, "SELECT count(*) FROM episode") !=
        fixture->rows)
        bench_fail("rows are missing");
    migrations_release(&fixture->migrations);
    free(folder);
}

int
main(int argc, char **argv)
{
    const char *parent = BENCH_FOLDER, *rows = NULL;
    struct fixture fixture = {.rows = ROWS};
    const struct bench_option options[] = {
        {"--dir", "FOLDER", "where the databases are made (default: in the build tree)", &parent},
        {"--rows", "N", "rows of the table (default 1000000)", &rows},
    };
    struct bench_run run;
    bench_run_begin_options(&run, argc, argv, options, sizeof options / sizeof *options);
    if (rows)
        fixture.rows = bench_parse_number("--rows", rows, 100000000);
    const char *folder = bench_folder_make(parent);
    fixture.base = bench_folder_path(folder, "base");
    fixture.work = bench_folder_path(folder, "work");
    fixture.base_database = bench_folder_path(fixture.base, "varve.db");
    fixture.work_database = bench_folder_path(fixture.work, "varve.db");
    compare(&run, &fixture, "rename a column", "rename", "context", NULL);
    fixture.backup = true;
    compare(&run, &fixture, "rename a column, with the backup", "rename", "context", NULL);
    fixture.backup = false;
    compare(&run, &fixture, "rebuild the table", "rebuild", "context_hash", copy_table);
    free(fixture.base);
    free(fixture.work);
    free(fixture.base_database);
    free(fixture.work_database);
    return bench_run_end(&run);
}
