/* Versions of the system tables, and the steps between them. */
#include "table/system.h"

#include <string.h>

#include "base/error.h"
#include "table/sqlite.h"

#define MIGRATION_TABLE                                                                            \
    "CREATE TABLE varve_migration (package TEXT NOT NULL, number INTEGER NOT NULL, "               \
    "name TEXT NOT NULL, checksum TEXT NOT NULL, reads_ok INTEGER NOT NULL, "                      \
    "writes_ok INTEGER NOT NULL, applied_at INTEGER NOT NULL, "                                    \
    "PRIMARY KEY (package, number)) STRICT;"

#define GENERATION_TABLE "CREATE TABLE varve_generation (generation INTEGER NOT NULL) STRICT;"

/* `file` says which file the identity in `folder` was given to. A row's number must never come again, even
 * when the row is gone: who deletes the copies of a key deletes the rows that it has seen, and no later one. */
#define COPIES_TABLES                                                                              \
    "CREATE TABLE varve_copies (folder BLOB NOT NULL, file TEXT NOT NULL, epoch INTEGER NOT "      \
    "NULL) "                                                                                       \
    "STRICT;"                                                                                      \
    "CREATE TABLE varve_copied (name TEXT PRIMARY KEY NOT NULL, prefix TEXT NOT NULL) STRICT;"     \
    "CREATE TABLE varve_invalidation (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL) "   \
    "STRICT;"                                                                                      \
    "CREATE INDEX varve_invalidation_key ON varve_invalidation (key);"

/* Numbers of segments and datasets must never come again: readers keep what they know of them. */
#define CATALOG_TABLES                                                                             \
    "CREATE TABLE varve_segment (id INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, "    \
    "file TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, hash INTEGER NOT NULL, "                    \
    "elements INTEGER NOT NULL) STRICT;"                                                           \
    "CREATE TABLE varve_dataset (id INTEGER PRIMARY KEY AUTOINCREMENT, "                           \
    "segment INTEGER NOT NULL REFERENCES varve_segment (id) ON DELETE CASCADE, "                   \
    "layout BLOB NOT NULL) STRICT;"                                                                \
    "CREATE INDEX varve_dataset_segment ON varve_dataset (segment);"                               \
    "CREATE TABLE varve_dropped (id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL) "       \
    "STRICT;"                                                                                      \
    "CREATE TABLE varve_sealed (name TEXT PRIMARY KEY NOT NULL, id INTEGER NOT NULL) STRICT;"      \
    "CREATE TABLE varve_archive (identity BLOB NOT NULL) STRICT;"

#define ARCHIVE_ROW "INSERT INTO varve_archive VALUES (randomblob(16));"

#define COPIES_ROW "INSERT INTO varve_copies VALUES (randomblob(8), '', 0);"

const char *const varve__system_ddl =
    "CREATE TABLE varve_schema (package TEXT PRIMARY KEY NOT NULL, "
    "descriptor_set BLOB NOT NULL, lock TEXT) STRICT;" MIGRATION_TABLE GENERATION_TABLE
        COPIES_TABLES CATALOG_TABLES;

/* To version i from the one before. */
static const char *const steps[] = {
    [2] = "ALTER TABLE varve_schema ADD COLUMN lock TEXT;" MIGRATION_TABLE GENERATION_TABLE
          "INSERT INTO varve_generation VALUES (0)",
    [3] = COPIES_TABLES COPIES_ROW,
    [4] = CATALOG_TABLES ARCHIVE_ROW,
};

bool
varve__system_has(const char *table)
{
    static const char *const names[] = {"varve_schema",  "varve_migration", "varve_generation",
                                        "varve_copies",  "varve_copied",    "varve_invalidation",
                                        "varve_segment", "varve_dataset",   "varve_dropped",
                                        "varve_sealed",  "varve_archive"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (sqlite3_stricmp(table, names[i]) == 0)
            return true;
    }
    return false;
}

/* -------------------------------------------------------------------- versions */

enum varve_status
varve__system_user_version(sqlite3 *database, int *version)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status =
        varve__sqlite_prepare(database, NULL, "PRAGMA user_version", &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *version = sqlite3_column_int(statement, 0);
    else
        status = varve__sqlite_fail(database, code, NULL, "reading the version");
    sqlite3_finalize(statement);
    return status;
}

/* The first table's name, that of varve_schema before all others; cut to size, "" when there is none. */
static enum varve_status
first_table(sqlite3 *database, char *name, size_t size)
{
    sqlite3_stmt *statement = NULL;
    name[0] = '\0';
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "SELECT name FROM sqlite_schema WHERE type = 'table' "
        "ORDER BY name = 'varve_schema' DESC, name",
        &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        sqlite3_snprintf((int)size, name, "%s", sqlite3_column_text(statement, 0));
    else if (code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
fail_foreign(const char *table)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database is not one of varve's: it has a table \"%s\" and no varve_schema; name "
        "another folder in data_dir",
        table);
}

enum varve_status
varve__system_version(sqlite3 *database, int *version)
{
    char table[100];
    *version = 0;
    enum varve_status status = first_table(database, table, sizeof table);
    if (status != VARVE_OK || !*table)
        return status;
    if (strcmp(table, "varve_schema") != 0)
        return fail_foreign(table);
    status = varve__system_user_version(database, version);
    if (status == VARVE_OK && *version == 0)
        *version = 1;
    if (status != VARVE_OK || (*version >= 1 && *version <= VARVE__SYSTEM_VERSION))
        return status;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database's system tables are of version %d, newer than the %d that this program "
        "knows: a newer varve has opened it; build this program with that varve",
        *version, VARVE__SYSTEM_VERSION);
}

enum varve_status
varve__system_move(sqlite3 *database, int version)
{
    enum varve_status status = VARVE_OK;
    if (version == 0) {
        status = varve__sqlite_execute(database, varve__system_ddl);
        if (status == VARVE_OK)
            status = varve__sqlite_execute(
                database, "INSERT INTO varve_generation VALUES (0);" COPIES_ROW ARCHIVE_ROW);
    }
    for (int next = version + 1; version > 0 && next <= VARVE__SYSTEM_VERSION && status == VARVE_OK;
         next++)
        status = varve__sqlite_execute(database, steps[next]);
    char text[64];
    sqlite3_snprintf(sizeof text, text, "PRAGMA user_version = %d", VARVE__SYSTEM_VERSION);
    return status == VARVE_OK ? varve__sqlite_execute(database, text) : status;
}

static enum varve_status
fail_generation(int64_t rows)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database's table varve_generation has %lld rows where it must have one, so that "
        "running programs would "
        "not see a migration; it was changed by hand: restore a backup",
        (long long)rows);
}

enum varve_status
varve__system_raise(sqlite3 *database)
{
    enum varve_status status =
        varve__sqlite_execute(database, "UPDATE varve_generation SET generation = generation + 1");
    if (status == VARVE_OK && sqlite3_changes64(database) != 1)
        status = fail_generation(sqlite3_changes64(database));
    if (status == VARVE_OK) /* tables may have other names from now on */
        status = varve__sqlite_execute(database, "DELETE FROM varve_sealed");
    if (status != VARVE_OK)
        return status;
    return varve__sqlite_execute(
        database, "CREATE TABLE varve_cookie (none INTEGER) STRICT; DROP TABLE varve_cookie");
}
