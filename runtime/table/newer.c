/* Comparing the schemas of the program with what the database says of itself. */
#include "table/newer.h"

#include <string.h>

#include "table/lock_text.h"
#include "table/sqlite.h"
#include "table/system.h"

const char *
varve__newer_field(const char *lock, const char *table, uint32_t number, size_t *size)
{
    struct varve__lock_words name = {table, strlen(table)};
    struct varve__lock_words line = varve__lock_field(lock, name, number);
    *size = line.size;
    return line.text;
}

/* -------------------------------------------------------------------- steps */

static int
rank(bool reads_ok, bool writes_ok)
{
    return !reads_ok ? 2 : !writes_ok;
}

/* Notes something that the schema lacks. */
static void
note(
    struct varve__newer *newer,
    const struct varve_schema *schema,
    const char *name,
    bool reads_ok,
    bool writes_ok)
{
    if (!newer->found || rank(reads_ok, writes_ok) > rank(newer->reads_ok, newer->writes_ok)) {
        newer->package = schema->package;
        sqlite3_snprintf(VARVE__NEWER_NAME, newer->name, "%s", name ? name : "");
    }
    newer->found = true;
    newer->reads_ok = newer->reads_ok && reads_ok;
    newer->writes_ok = newer->writes_ok && reads_ok && writes_ok;
}

static void
note_older(struct varve__newer *newer, const struct varve_schema *schema)
{
    newer->older = true;
    if (!newer->package)
        newer->package = schema->package;
}

static uint32_t
last_number(const struct varve_schema *schema)
{
    return schema->migration_count > 0 ? schema->migrations[schema->migration_count - 1].number : 0;
}

/* Steps through the package's rows of varve_migration. */
static int
compare_rows(sqlite3_stmt *rows, const struct varve_schema *schema, struct varve__newer *newer)
{
    int code;
    size_t known = 0;
    size_t count = 0;
    for (; (code = sqlite3_step(rows)) == SQLITE_ROW; count++) {
        if (sqlite3_column_int64(rows, 0) <= (int64_t)last_number(schema)) {
            known++;
            continue;
        }
        note(
            newer, schema, (const char *)sqlite3_column_text(rows, 1),
            sqlite3_column_int(rows, 2) != 0, sqlite3_column_int(rows, 3) != 0);
    }
    if (count > 0 && known < schema->migration_count)
        note_older(newer, schema);
    return code;
}

static enum varve_status
compare_steps(sqlite3 *database, const struct varve_schema *schema, struct varve__newer *newer)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL,
        "SELECT number, name, reads_ok, writes_ok FROM varve_migration WHERE package = ? "
        "ORDER BY number",
        &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
    int code = compare_rows(statement, schema, newer);
    if (code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading the migrations");
    sqlite3_finalize(statement);
    return status;
}

/* -------------------------------------------------------------------- schemas */

/* Without migrations there is but one state, the lock's; it is not kept yet where tables of the first
 * version have just been moved. */
static void
compare_locks(const char *lock, const struct varve_schema *schema, struct varve__newer *newer)
{
    struct varve__lock_difference difference;
    if (schema->migration_count == 0 && lock && !varve__lock_is_same(schema, lock, &difference))
        note(newer, schema, NULL, false, false);
}

static enum varve_status
compare(sqlite3 *database, const struct varve_schema *schema, struct varve__newer *newer)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL, "SELECT lock FROM varve_schema WHERE package = ?", &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        compare_locks((const char *)sqlite3_column_text(statement, 0), schema, newer);
        if (schema->migration_count > 0)
            status = compare_steps(database, schema, newer);
    } else if (code != SQLITE_DONE) {
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    }
    sqlite3_finalize(statement);
    return status;
}

enum varve_status
varve__newer_check(
    sqlite3 *database,
    const struct varve_schema *const *schemas,
    size_t count,
    struct varve__newer *newer)
{
    int version = 0;
    *newer = (struct varve__newer){.reads_ok = true, .writes_ok = true};
    enum varve_status status = varve__system_user_version(database, &version);
    if (status != VARVE_OK || version < VARVE__SYSTEM_VERSION)
        return status; /* the first version knows no steps */
    if (version > VARVE__SYSTEM_VERSION) {
        newer->found = true;
        newer->reads_ok = newer->writes_ok = false;
        return VARVE_OK;
    }
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        status = compare(database, schemas[i], newer);
    return status;
}
