/* Creation of tables. The database keeps the FileDescriptorSet it was made from, and a program with
 * another one is refused. */
#include "table/create.h"

#include <string.h>

#include "base/error.h"
#include "table/sqlite.h"

static enum varve_status
other_schema(const struct varve_schema *schema)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database was made from another state of the schema of package %s than this program; "
        "use the program that made it, or name another folder in data_dir",
        schema->package);
}

/* VARVE_OK: it is this schema; VARVE_NOT_FOUND: no schema of this package yet. */
static enum varve_status
compare(sqlite3 *database, const struct varve_schema *schema)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL, "SELECT descriptor_set FROM varve_schema WHERE package = ?", &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) {
        status = VARVE_NOT_FOUND;
    } else if (code != SQLITE_ROW) {
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    } else {
        size_t size = (size_t)sqlite3_column_bytes(statement, 0);
        const void *data = sqlite3_column_blob(statement, 0);
        if (size != schema->descriptor_set_size || memcmp(data, schema->descriptor_set, size) != 0)
            status = other_schema(schema);
    }
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
register_schema(sqlite3 *database, const struct varve_schema *schema)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL, "INSERT INTO varve_schema (package, descriptor_set) VALUES (?, ?)",
        &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, schema->package, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(
        statement, 2, schema->descriptor_set, schema->descriptor_set_size, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "writing the schema");
    sqlite3_finalize(statement);
    return status;
}

static enum varve_status
create(sqlite3 *database, const struct varve_schema *schema)
{
    for (size_t i = 0; i < schema->record_count; i++) {
        const struct varve_table *table = schema->records[i]->table;
        enum varve_status status = table ? varve__sqlite_execute(database, table->ddl) : VARVE_OK;
        if (status != VARVE_OK)
            return status;
    }
    return register_schema(database, schema);
}

enum varve_status
varve__tables_create(sqlite3 *database, const struct varve_schema *schema)
{
    enum varve_status status = varve__sqlite_execute(database, "BEGIN IMMEDIATE");
    if (status != VARVE_OK)
        return status;
    status = varve__sqlite_execute(
        database, "CREATE TABLE IF NOT EXISTS varve_schema ("
                  "package TEXT PRIMARY KEY NOT NULL, descriptor_set BLOB NOT NULL) STRICT");
    if (status == VARVE_OK)
        status = compare(database, schema);
    if (status == VARVE_NOT_FOUND)
        status = create(database, schema);
    if (status == VARVE_OK)
        status = varve__sqlite_execute(database, "COMMIT");
    if (status != VARVE_OK)
        sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
