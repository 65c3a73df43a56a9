/* Creation of tables. The database keeps the FileDescriptorSet it was made from, and a program with
 * another one is refused. */
#include "table/create.h"

#include <string.h>

#include "base/error.h"
#include "table/sql.h"
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
create_table(sqlite3 *database, const struct varve_record *record)
{
    enum varve_status status = varve__sqlite_execute(database, record->table->ddl);
    bool tensors = false;
    for (size_t i = 0; i < record->column_count; i++)
        tensors = tensors || record->columns[i].kind == VARVE_COLUMN_TENSOR;
    if (status != VARVE_OK || !tensors)
        return status;
    char *sql = varve__sql_staged_table(record);
    status = sql ? varve__sqlite_execute(database, sql)
                 : varve__fail_memory(record->descriptor->name, 0);
    sqlite3_free(sql);
    return status;
}

static enum varve_status
create(sqlite3 *database, const struct varve_schema *schema)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < schema->record_count && status == VARVE_OK; i++) {
        if (schema->records[i]->table)
            status = create_table(database, schema->records[i]);
    }
    return status == VARVE_OK ? register_schema(database, schema) : status;
}

/* -------------------------------------------------------------------- whose database */

/* The first text that a query gives, cut to size; "" when it gives none. */
static enum varve_status
query_text(sqlite3 *database, const char *sql, char *text, size_t size)
{
    sqlite3_stmt *statement = NULL;
    text[0] = '\0';
    enum varve_status status = varve__sqlite_prepare(database, NULL, sql, &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        sqlite3_snprintf((int)size, text, "%s", sqlite3_column_text(statement, 0));
    else if (code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    sqlite3_finalize(statement);
    return status;
}

/* VARVE_OK: the database is a varve's; VARVE_NOT_FOUND: it is empty; VARVE_SCHEMA: it has tables, but
 * not ours. */
static enum varve_status
look_for_tables(sqlite3 *database)
{
    char name[100];
    enum varve_status status = query_text(
        database,
        "SELECT name FROM sqlite_schema WHERE type = 'table' "
        "ORDER BY name = 'varve_schema' DESC, name",
        name, sizeof name);
    if (status != VARVE_OK || strcmp(name, "varve_schema") == 0)
        return status;
    if (!*name)
        return VARVE_NOT_FOUND;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database is not one of varve's: it has a table \"%s\" and no varve_schema; name "
        "another "
        "folder in data_dir",
        name);
}

/* A database that has packages, but none of these, is not added to: it is the wrong one. */
static enum varve_status
check_packages(sqlite3 *database, size_t missing, size_t count)
{
    char package[100];
    enum varve_status status = query_text(
        database, "SELECT package FROM varve_schema ORDER BY package", package, sizeof package);
    if (status != VARVE_OK || !*package || missing < count)
        return status;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database holds the schema of package %s, and none of this program's; name another "
        "folder "
        "in data_dir",
        package);
}

static enum varve_status
fail_read_only(const struct varve_schema *schema)
{
    return varve__fail(
        VARVE_READ_ONLY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database has no tables of package %s, and with read_only none are made; open it "
        "without "
        "once",
        schema->package);
}

/* Two schemas in one database need tables of different names. */
static enum varve_status
check_names(const struct varve_schema *const *schemas, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(schemas[i]->package, schemas[j]->package) == 0)
                return varve__fail(
                    VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
                    "the schema of package %s is given twice", schemas[i]->package);
        }
    }
    return VARVE_OK;
}

static enum varve_status
make_all(sqlite3 *database, const struct varve_schema *const *schemas, size_t count, bool read_only)
{
    size_t missing = 0;
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        status = compare(database, schemas[i]);
        if (status == VARVE_NOT_FOUND) {
            missing++;
            status = VARVE_OK;
        }
    }
    if (status == VARVE_OK && missing > 0)
        status = check_packages(database, missing, count);
    for (size_t i = 0; i < count && status == VARVE_OK && missing > 0; i++) {
        status = compare(database, schemas[i]);
        if (status == VARVE_NOT_FOUND)
            status = read_only ? fail_read_only(schemas[i]) : create(database, schemas[i]);
    }
    return status;
}

enum varve_status
varve__tables_create(
    sqlite3 *database, const struct varve_schema *const *schemas, size_t count, bool read_only)
{
    enum varve_status status = check_names(schemas, count);
    if (status == VARVE_OK)
        status = varve__sqlite_execute(database, read_only ? "BEGIN" : "BEGIN IMMEDIATE");
    if (status != VARVE_OK)
        return status;
    status = look_for_tables(database);
    if (status == VARVE_NOT_FOUND)
        status = read_only
                     ? fail_read_only(schemas[0])
                     : varve__sqlite_execute(
                           database, "CREATE TABLE varve_schema (package TEXT PRIMARY KEY NOT "
                                     "NULL, descriptor_set BLOB NOT NULL) STRICT");
    if (status == VARVE_OK)
        status = make_all(database, schemas, count, read_only);
    if (status == VARVE_OK)
        status = varve__sqlite_execute(database, "COMMIT");
    if (status != VARVE_OK)
        sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
