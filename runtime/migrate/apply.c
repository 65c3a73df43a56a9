/* The one transaction that brings a database to the state of the schemas. */
#include <string.h>

#include "base/error.h"
#include "migrate/backup.h"
#include "migrate/functions.h"
#include "migrate/migrate.h"
#include "migrate/objects.h"
#include "migrate/rebuild.h"
#include "migrate/reuse.h"
#include "migrate/script.h"
#include "table/lock_text.h"
#include "table/sqlite.h"
#include "table/system.h"

/* -------------------------------------------------------------------- the backup */

/* "before-0003_add_mood-lab", after the first migration that is to be applied. */
static char *
backup_name(const struct varve__inspection *inspection)
{
    for (size_t i = 0; i < inspection->count; i++) {
        const struct varve__package *package = &inspection->packages[i];
        if (package->state == VARVE__PACKAGE_PENDING)
            return sqlite3_mprintf(
                "before-%s-%s", package->schema->migrations[package->applied].name,
                package->schema->package);
    }
    return NULL;
}

static enum varve_status
back_up(const struct varve__migrate *migrate, const struct varve__inspection *inspection)
{
    bool due = false;
    if (!inspection->migrates || !migrate->folder)
        return VARVE_OK;
    enum varve_status status = varve__backup_is_due(migrate->connection->database, &due);
    if (status != VARVE_OK || !due)
        return status;
    char *name = backup_name(inspection);
    char *made = NULL;
    status = name ? varve__backup_make(migrate->path, migrate->folder, name, &made)
                  : varve__fail_memory(NULL, 0);
    if (status == VARVE_OK)
        varve__log_event(&migrate->log, VARVE_LOG_INFO, "backed up %s to %s", migrate->path, made);
    sqlite3_free(made);
    sqlite3_free(name);
    return status;
}

/* -------------------------------------------------------------------- tables */

static enum varve_status
create_tables(sqlite3 *database, const struct varve_schema *schema)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < schema->record_count && status == VARVE_OK; i++) {
        if (schema->records[i]->table)
            status = varve__sqlite_execute(database, schema->records[i]->table->ddl);
    }
    return status;
}

static bool
is_to_run(const struct varve__package *package)
{
    return package->state == VARVE__PACKAGE_MISSING || package->state == VARVE__PACKAGE_PENDING;
}

static enum varve_status
run_migrations(
    const struct varve__migrate *migrate,
    struct varve__script *script,
    const struct varve__package *package)
{
    const struct varve_schema *schema = package->schema;
    enum varve_status status = VARVE_OK;
    if (schema->migration_count == 0)
        return create_tables(script->database, schema);
    for (size_t i = package->applied; i < schema->migration_count && status == VARVE_OK; i++)
        status = varve__script_run(script, schema, &schema->migrations[i]);
    if (status == VARVE_OK && package->state == VARVE__PACKAGE_PENDING)
        varve__log_event(
            &migrate->log, VARVE_LOG_INFO, "migrating package %s from %s to %s in %s",
            schema->package, schema->migrations[package->applied - 1].name,
            schema->migrations[schema->migration_count - 1].name, migrate->path);
    return status;
}

static size_t
count_statements(const struct varve__inspection *inspection)
{
    size_t count = 0;
    for (size_t i = 0; i < inspection->count; i++) {
        const struct varve__package *package = &inspection->packages[i];
        for (size_t j = package->applied;
             is_to_run(package) && j < package->schema->migration_count; j++)
            count += varve__script_count(&package->schema->migrations[j]);
    }
    return count;
}

/* Whether the table is one of the schemas', or one beside it for a message's tensors. */
static bool
is_of_schemas(const struct varve__migrate *migrate, const char *table)
{
    static const char beside[] = "varve_";
    struct varve__lock_words message, own;
    size_t size = strlen(table);
    if (strncmp(table, beside, strlen(beside)) == 0)
        return true;
    for (size_t i = 0; i < migrate->count; i++) {
        const struct varve_schema *schema = migrate->schemas[i];
        for (size_t j = 0; j < schema->lock_count; j++) {
            struct varve__lock_words line = {schema->lock[j], strlen(schema->lock[j])};
            if (varve__lock_read_message(line, &message, &own) && own.size == size &&
                sqlite3_strnicmp(own.text, table, (int)size) == 0)
                return true;
        }
    }
    return false;
}

static enum varve_status
fail_reference(const struct varve__migrate *migrate, sqlite3_stmt *row)
{
    const char *table = (const char *)sqlite3_column_text(row, 0);
    bool own = !table || is_of_schemas(migrate, table);
    return varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, NULL,
        "after the migrations row %lld of the table \"%s\"%s would refer to a record of \"%s\" "
        "that is not there; "
        "nothing was changed: %s",
        (long long)sqlite3_column_int64(row, 1), table ? table : "?",
        own ? "" : ", which is not of the schema but was made by hand,",
        sqlite3_column_text(row, 2),
        own ? "mend the data, or the migration as long as no database has it"
            : "mend that table's rows, which may have been so before, or drop its reference");
}

static enum varve_status
check_references(const struct varve__migrate *migrate)
{
    sqlite3 *database = migrate->connection->database;
    sqlite3_stmt *statement = NULL;
    enum varve_status status =
        varve__sqlite_prepare(database, NULL, "PRAGMA foreign_key_check", &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        status = fail_reference(migrate, statement);
    else if (code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "checking the references");
    sqlite3_finalize(statement);
    return status;
}

/* -------------------------------------------------------------------- migrations */

/* Runs what the packages lack, with the SQL functions known. */
static enum varve_status
run_scripts(
    const struct varve__migrate *migrate,
    const struct varve__inspection *inspection,
    struct varve__functions *functions)
{
    sqlite3 *database = migrate->connection->database;
    struct varve__script script = {
        .database = database,
        .progress = migrate->progress,
        .context = migrate->progress_context,
        .total = migrate->progress ? count_statements(inspection) : 0,
    };
    enum varve_status status = varve__functions_register(database, functions);
    for (size_t i = 0; i < inspection->count && status == VARVE_OK; i++) {
        if (is_to_run(&inspection->packages[i]))
            status = run_migrations(migrate, &script, &inspection->packages[i]);
    }
    if (status == VARVE_OK)
        status = varve__rebuild_json(database, migrate->schemas, migrate->count, functions->marks);
    if (status == VARVE_OK && script.check_references)
        status = check_references(migrate);
    return status;
}

/* Without memory SQLite may undo the whole transaction in a statement whose failure is no failure of the
 * migration's (one that only tries a view): what follows would commit by itself. */
static enum varve_status
check_transaction(sqlite3 *database, enum varve_status status)
{
    if (status != VARVE_OK || sqlite3_get_autocommit(database) == 0)
        return status;
    return varve__fail(
        VARVE_NO_MEMORY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "SQLite has undone the migration for want of memory; nothing was changed: free some, and "
        "open again");
}

/* Sets the user's objects aside, and notes those that would mean other fields afterwards. */
static enum varve_status
take_objects(
    const struct varve__migrate *migrate,
    const struct varve__inspection *inspection,
    struct varve__objects *objects)
{
    sqlite3 *database = migrate->connection->database;
    enum varve_status status = varve__objects_load(database, objects);
    for (size_t i = 0; i < inspection->count && status == VARVE_OK; i++) {
        if (inspection->packages[i].state == VARVE__PACKAGE_PENDING)
            status = varve__reuse_note(database, inspection->packages[i].schema, objects);
    }
    status = check_transaction(database, status);
    return status == VARVE_OK ? varve__objects_drop(database, objects) : status;
}

/* Views and triggers of the user's must not see tables that are half made. */
static enum varve_status
run_between_objects(
    const struct varve__migrate *migrate, const struct varve__inspection *inspection)
{
    sqlite3 *database = migrate->connection->database;
    struct varve__functions functions = {0};
    struct varve__objects objects = {0};
    enum varve_status status = VARVE_OK;
    if (inspection->runs)
        status = check_transaction(database, take_objects(migrate, inspection, &objects));
    if (status == VARVE_OK)
        status = check_transaction(database, run_scripts(migrate, inspection, &functions));
    if (status == VARVE_OK && inspection->runs)
        status = check_transaction(database, varve__objects_make(database, &objects));
    varve__functions_release(database, &functions);
    varve__objects_release(&objects);
    return status;
}

static enum varve_status
note(sqlite3 *database, const struct varve__inspection *inspection)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < inspection->count && status == VARVE_OK; i++) {
        const struct varve__package *package = &inspection->packages[i];
        if (is_to_run(package) || package->state == VARVE__PACKAGE_ADOPTED)
            status = varve__history_write(database, package->schema, package->applied);
    }
    return status == VARVE_OK ? varve__system_raise(database) : status;
}

static enum varve_status
change(const struct varve__migrate *migrate, const struct varve__inspection *inspection)
{
    sqlite3 *database = migrate->connection->database;
    enum varve_status status = back_up(migrate, inspection);
    if (status == VARVE_OK && inspection->system_version < VARVE__SYSTEM_VERSION)
        status = varve__system_move(database, inspection->system_version);
    if (status == VARVE_OK)
        status = run_between_objects(migrate, inspection);
    if (status == VARVE_OK)
        status = note(database, inspection);
    if (status == VARVE_OK)
        status = varve__drift_check(
            database, inspection->settled, inspection->settled_count, &migrate->log);
    return check_transaction(database, status);
}

/* -------------------------------------------------------------------- the transaction */

static enum varve_status
commit(sqlite3 *database)
{
    int code = sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return VARVE_OK;
    enum varve_status status = varve__sqlite_fail(database, code, NULL, "committing the migration");
    /* Memory may run out in SQLite's index of the log, when the log is written already. */
    if (status == VARVE_IO || status == VARVE_NO_MEMORY)
        status = varve__fail_as(VARVE_UNKNOWN_OUTCOME);
    return status;
}

enum varve_status
varve__apply(const struct varve__migrate *migrate, struct varve__inspection *inspection)
{
    sqlite3 *database = migrate->connection->database;
    migrate->connection->watch.wait_end = 0; /* the wait begins now */
    varve__connection_set_cache(migrate->connection, migrate->page_cache_bytes);
    /* Inside the transaction it would be ignored, and rebuilding a table delete its children. It stays off: this
     * connection is closed when the migrations are done, and serves nobody else. */
    enum varve_status status = varve__sqlite_execute(database, "PRAGMA foreign_keys = OFF");
    if (status == VARVE_OK)
        status = varve__sqlite_execute(database, "BEGIN IMMEDIATE");
    if (status != VARVE_OK)
        return status;
    status = varve__inspect(migrate, inspection);
    bool suits = inspection->change && (!inspection->exclusive || migrate->lock->exclusive ||
                                        migrate->lock->handle.file < 0);
    if (status == VARVE_OK && suits) {
        status = change(migrate, inspection);
        if (status == VARVE_OK)
            status = commit(database);
    }
    return varve__sqlite_roll_back(database, status);
}
