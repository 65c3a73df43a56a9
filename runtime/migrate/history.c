/* varve_schema and varve_migration, compared with a schema of the program's. */
#include "migrate/history.h"

#include <string.h>

#include <varve/memory.h>

#include "base/error.h"
#include "table/lock_text.h"
#include "table/sqlite.h"

/* A row of varve_schema; the pointers are the statement's. */
struct stored {
    const char *lock; /* NULL after the move from version 1, and before it */
    const void *descriptor_set;
    size_t size;
};

/* -------------------------------------------------------------------- refusals */

static enum varve_status
refuse_state(const struct varve_schema *schema)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database was made from another state of the schema of package %s than this program; "
        "use the program that made it once, which notes its state, or name another folder in "
        "data_dir",
        schema->package);
}

static enum varve_status
refuse_edited(const struct varve_schema *schema, const char *file, const char *applied)
{
    bool renamed = strcmp(file, applied) != 0;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "package %s: the migration %s.sql of this program is not the one that the database has "
        "applied%s%s%s; what is applied is history: take the file from version control again, and "
        "make a new migration for what is to change",
        schema->package, file, renamed ? ", " : "", renamed ? applied : "", renamed ? ".sql" : "");
}

static enum varve_status
refuse_gap(const struct varve_schema *schema, int64_t number, size_t expected)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "package %s: the database notes migration %lld where %zu is next; its table "
        "varve_migration was changed by hand: restore a backup",
        schema->package, (long long)number, expected);
}

/* -------------------------------------------------------------------- locks */

/* How to go on where the tables are of another state than the program. */
static const char *
mend_of(const struct varve_schema *schema, bool migrated)
{
    if (migrated)
        return "migrations have made it: generate this program with them, by MIGRATIONS";
    if (schema->migration_count > 0)
        return "it was made without migrations: open it once with a build that has only the first "
               "of them, up to the "
               "state that it has, which notes them as applied; then with this program";
    return "generate the program with MIGRATIONS to change tables that are there, or name another "
           "folder in data_dir";
}

/* Tables that no step tells from the program's own must have the one state. */
static enum varve_status
compare_locks(const struct varve_schema *schema, const char *lock, bool migrated)
{
    struct varve__lock_difference difference;
    if (varve__lock_is_same(schema, lock, &difference))
        return VARVE_OK;
    const char *old_line = difference.stored.text;
    const char *new_line = difference.own.text;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database was made from another state of the schema of package %s than this program: "
        "it has %s%.*s%s, the program %s%s%s; %s",
        schema->package, old_line ? "\"" : "nothing more", (int)difference.stored.size,
        old_line ? old_line : "", old_line ? "\"" : "", new_line ? "\"" : "nothing instead",
        new_line ? new_line : "", new_line ? "\"" : "", mend_of(schema, migrated));
}

/* -------------------------------------------------------------------- steps */

/* Compares the row of varve_migration that is number `index` from 0 on. */
static enum varve_status
compare_step(const struct varve_schema *schema, sqlite3_stmt *row, size_t index)
{
    int64_t number = sqlite3_column_int64(row, 0);
    const char *name = (const char *)sqlite3_column_text(row, 1);
    const char *checksum = (const char *)sqlite3_column_text(row, 2);
    if (number != (int64_t)index + 1)
        return refuse_gap(schema, number, index + 1);
    if (index >= schema->migration_count)
        return VARVE_OK;
    const struct varve_migration *own = &schema->migrations[index];
    if (!name || !checksum || strcmp(checksum, own->checksum) != 0 || strcmp(name, own->name) != 0)
        return refuse_edited(schema, own->name, name ? name : "?");
    return VARVE_OK;
}

/* Counts the steps that the database has; those that the program has too must be the same. */
static enum varve_status
compare_steps(sqlite3 *database, const struct varve_schema *schema, size_t *count)
{
    sqlite3_stmt *rows = NULL;
    *count = 0;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "SELECT number, name, checksum FROM varve_migration WHERE package = ? ORDER BY number",
        &rows);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(rows, 1, schema->package, -1, SQLITE_STATIC);
    int code = SQLITE_DONE;
    while (status == VARVE_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        if (schema->migration_count > 0)
            status = compare_step(schema, rows, *count);
        ++*count;
    }
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading the migrations");
    sqlite3_finalize(rows);
    return status;
}

/* -------------------------------------------------------------------- the state */

/* Tables that no migration has made: they must be those of the schema already. */
static enum varve_status
read_unmigrated(
    const struct varve_schema *schema, const struct stored *stored, struct varve__package *package)
{
    bool adopt = !stored->lock || schema->migration_count > 0;
    package->state = adopt ? VARVE__PACKAGE_ADOPTED : VARVE__PACKAGE_CURRENT;
    if (stored->lock)
        return compare_locks(schema, stored->lock, false);
    if (stored->size != schema->descriptor_set_size ||
        memcmp(stored->descriptor_set, schema->descriptor_set, stored->size) != 0)
        return refuse_state(schema);
    return VARVE_OK;
}

static enum varve_status
read_state(
    sqlite3 *database,
    int system_version,
    const struct varve_schema *schema,
    const struct stored *stored,
    struct varve__package *package)
{
    size_t count = 0;
    enum varve_status status = VARVE_OK;
    if (system_version > 1)
        status = compare_steps(database, schema, &count);
    if (status != VARVE_OK)
        return status;
    if (count == 0)
        return read_unmigrated(schema, stored, package);
    if (schema->migration_count == 0)
        return stored->lock ? compare_locks(schema, stored->lock, true) : refuse_state(schema);
    if (count > schema->migration_count)
        package->state = VARVE__PACKAGE_NEWER;
    else if (count < schema->migration_count)
        package->state = VARVE__PACKAGE_PENDING;
    package->applied = count < schema->migration_count ? count : schema->migration_count;
    return VARVE_OK;
}

enum varve_status
varve__history_read(
    sqlite3 *database,
    int system_version,
    const struct varve_schema *schema,
    struct varve__package *package)
{
    sqlite3_stmt *row = NULL;
    *package = (struct varve__package){.schema = schema, .state = VARVE__PACKAGE_MISSING};
    if (system_version == 0)
        return VARVE_OK;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        system_version == 1 ? "SELECT descriptor_set, NULL FROM varve_schema WHERE package = ?"
                            : "SELECT descriptor_set, lock FROM varve_schema WHERE package = ?",
        &row);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(row, 1, schema->package, -1, SQLITE_STATIC);
    int code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        struct stored stored = {
            .lock = (const char *)sqlite3_column_text(row, 1),
            .descriptor_set = sqlite3_column_blob(row, 0),
            .size = (size_t)sqlite3_column_bytes(row, 0),
        };
        package->state = VARVE__PACKAGE_CURRENT;
        status = read_state(database, system_version, schema, &stored, package);
    } else if (code != SQLITE_DONE) {
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    }
    sqlite3_finalize(row);
    return status;
}

/* -------------------------------------------------------------------- writing */

static enum varve_status
finish(sqlite3 *database, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    enum varve_status status = VARVE_OK;
    if (code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "writing the schema");
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
write_step(
    sqlite3 *database, const struct varve_schema *schema, const struct varve_migration *migration)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "INSERT INTO varve_migration (package, number, name, checksum, reads_ok, writes_ok, "
        "applied_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, migration->number);
    sqlite3_bind_text(statement, 3, migration->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, migration->checksum, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 5, migration->reads_ok);
    sqlite3_bind_int(statement, 6, migration->writes_ok);
    sqlite3_bind_int64(statement, 7, varve_now());
    return finish(database, statement);
}

static enum varve_status
write_schema(sqlite3 *database, const struct varve_schema *schema)
{
    sqlite3_stmt *statement = NULL;
    char *lock = varve__lock_join(schema);
    if (!lock)
        return varve__fail_memory(NULL, 0);
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "INSERT INTO varve_schema (package, descriptor_set, lock) VALUES (?, ?, ?) "
        "ON CONFLICT (package) DO UPDATE SET descriptor_set = excluded.descriptor_set, "
        "lock = excluded.lock",
        &statement);
    if (status == VARVE_OK) {
        sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
        sqlite3_bind_blob64(
            statement, 2, schema->descriptor_set, schema->descriptor_set_size, SQLITE_STATIC);
        sqlite3_bind_text(statement, 3, lock, -1, SQLITE_STATIC);
        status = finish(database, statement);
    }
    sqlite3_free(lock);
    return status;
}

enum varve_status
varve__history_write(sqlite3 *database, const struct varve_schema *schema, size_t first)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = first; i < schema->migration_count && status == VARVE_OK; i++)
        status = write_step(database, schema, &schema->migrations[i]);
    return status == VARVE_OK ? write_schema(database, schema) : status;
}
