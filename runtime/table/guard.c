/* Looking at the generation, and what follows when it has moved. */
#include "table/guard.h"

#include <string.h>

#include "base/error.h"
#include "table/connection.h"
#include "table/sqlite.h"

enum {
    TRIES = 50 /* of a write under which tables change again and again; as many as SQLite's own */
};

void
varve__guard_init(struct varve__connection *connection)
{
    connection->guard = (struct varve__guard){.generation = VARVE__GENERATION_UNKNOWN};
    sqlite3_commit_hook(connection->database, varve__guard_commit, connection);
}

void
varve__guard_release(struct varve__guard *guard)
{
    sqlite3_finalize(guard->select);
    guard->select = NULL;
}

static bool
is_reprepared(sqlite3_stmt *statement)
{
    return sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0) > 0;
}

int
varve__guard_commit(void *context)
{
    struct varve__connection *connection = context;
    const struct varve__guard *guard = &connection->guard;
    connection->copies.refused = varve__copies_pending(&connection->copies);
    return connection->copies.refused || (guard->writing && is_reprepared(guard->writing));
}

/* Whether all that runs now runs on a snapshot that was looked at. */
static bool
is_covered(const struct varve__connection *connection)
{
    return connection->guard.covered && sqlite3_get_autocommit(connection->database) == 0;
}

/* -------------------------------------------------------------------- the sentences */

/* Which step it is that this program does not know. */
static enum varve_status
refuse(const struct varve__newer *newer, const char *what)
{
    if (!newer->package)
        return varve__fail(
            VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "the database was moved to the system tables of a newer varve by another program, so "
            "this one may not %s; start it again, built with that varve",
            what);
    if (newer->name[0])
        return varve__fail(
            VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "the database was migrated to %s of package %s by another program, and with the older "
            "schema of this one it may not %s; start a build of the newer schema",
            newer->name, newer->package, what);
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database's schema of package %s was replaced by another program with one that is not "
        "this program's, so it may not %s; start a build of that schema",
        newer->package, what);
}

enum varve_status
varve__guard_check_read(const struct varve__guard *guard)
{
    return guard->no_reads ? refuse(&guard->newer, "read or write") : VARVE_OK;
}

enum varve_status
varve__guard_check_write(const struct varve__guard *guard)
{
    if (!guard->no_writes)
        return VARVE_OK;
    return refuse(&guard->newer, guard->no_reads ? "read or write" : "write, only read");
}

/* -------------------------------------------------------------------- looking */

static int
read_generation(struct varve__connection *connection, int64_t *generation)
{
    int code = SQLITE_OK;
    struct varve__guard *guard = &connection->guard;
    *generation = 0;
    if (!guard->select)
        code = sqlite3_prepare_v3(
            connection->database, "SELECT generation FROM varve_generation", -1,
            SQLITE_PREPARE_PERSISTENT, &guard->select, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(guard->select);
    if (code == SQLITE_ROW)
        *generation = sqlite3_column_int64(guard->select, 0);
    sqlite3_reset(guard->select);
    return code;
}

static enum varve_status
fail_generation(void)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database's table varve_generation has no row, by which this program would see that "
        "another one has "
        "migrated it; it was changed by hand: restore a backup");
}

static enum varve_status
take_over(struct varve__connection *connection, int64_t generation)
{
    struct varve__newer newer;
    struct varve__guard *guard = &connection->guard;
    const struct varve__plans *plans = connection->plans;
    enum varve_status status =
        varve__newer_check(connection->database, plans->schemas, plans->schema_count, &newer);
    if (status != VARVE_OK)
        return status;
    guard->generation = generation;
    guard->newer = newer;
    guard->no_reads = newer.older || !newer.reads_ok;
    guard->no_writes = newer.older || !newer.writes_ok;
    status = varve__copies_take_over(connection);
    if (status != VARVE_OK)
        guard->generation = VARVE__GENERATION_UNKNOWN; /* to be taken over again */
    return status;
}

/* Brings the guard up to what the database is now, or is in the snapshot under way. */
static enum varve_status
look(struct varve__connection *connection)
{
    int64_t generation;
    struct varve__guard *guard = &connection->guard;
    enum varve_status status = VARVE_OK;
    guard->looking = true;
    connection->watch.shielded = true;
    int code = read_generation(connection, &generation);
    if (code == SQLITE_DONE)
        status = fail_generation();
    else if (code != SQLITE_ROW)
        status = varve__connection_fail(connection, code, NULL, "reading the schema's generation");
    else if (__builtin_expect(generation != guard->generation, 0))
        status = take_over(connection, generation);
    connection->watch.shielded = false;
    guard->looking = false;
    return status;
}

enum varve_status
varve__guard_begin(struct varve__connection *connection, bool write)
{
    struct varve__guard *guard = &connection->guard;
    enum varve_status status = look(connection);
    if (status == VARVE_OK)
        status = write ? varve__guard_check_write(guard) : varve__guard_check_read(guard);
    guard->covered = status == VARVE_OK;
    return status;
}

enum varve_status
varve__guard_prepared(struct varve__connection *connection)
{
    enum varve_status status = VARVE_OK;
    if (!is_covered(connection))
        status = look(connection);
    return status == VARVE_OK ? varve__guard_check_read(&connection->guard) : status;
}

enum varve_status
varve__guard_look_again(struct varve__connection *connection, sqlite3_stmt *statement)
{
    enum varve_status status = varve__guard_prepared(connection);
    if (status == VARVE_OK)
        sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 1);
    return status;
}

enum varve_status
varve__guard_explain(struct varve__connection *connection, int code)
{
    int primary = code & 0xFF;
    if (connection->guard.looking || (primary != SQLITE_ERROR && primary != SQLITE_SCHEMA) ||
        is_covered(connection))
        return VARVE_OK;
    enum varve_status status = look(connection);
    return status == VARVE_OK ? varve__guard_check_read(&connection->guard) : status;
}

/* -------------------------------------------------------------------- writes */

/* The write began as a single statement, and changes what another program has begun to keep copies of
 * meanwhile; or it is an insert, and a trigger was made. The next one will be a transaction. */
static enum varve_status
refuse_alone(struct varve__connection *connection, const struct varve__plan *plan)
{
    connection->copies.triggers = true;
    return varve__fail(
        VARVE_BUSY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, plan->record->descriptor->name,
        "this write of %s changes records of which another program has begun to keep hot copies, "
        "or "
        "a trigger to change them; nothing was changed: try again",
        plan->record->descriptor->name);
}

/* One step; the hook may refuse its commit. */
static int
step(struct varve__connection *connection, const struct varve__plan *plan, sqlite3_stmt *statement)
{
    struct varve__guard *guard = &connection->guard;
    bool alone = connection->transaction == VARVE__TRANSACTION_NONE;
    connection->copies.refused = false;
    guard->writing = alone ? statement : NULL;
    int code = varve__connection_step(connection, statement);
    guard->writing = NULL;
    if (__builtin_expect(!connection->copies.refused, 1))
        return code;
    sqlite3_reset(statement);
    guard->status = refuse_alone(connection, plan);
    return SQLITE_SCHEMA;
}

static enum varve_status
check_record(
    struct varve__connection *connection, const struct varve__plan *plan, const void *record)
{
    return record ? varve__guard_unknown(connection, plan, record) : VARVE_OK;
}

/* What must hold before a write that SQLite has prepared anew runs again. */
static enum varve_status
look_before_write(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement)
{
    enum varve_status status = varve__guard_look_again(connection, statement);
    if (status == VARVE_OK)
        status = varve__guard_check_write(&connection->guard);
    return status == VARVE_OK ? check_record(connection, plan, record) : status;
}

/* The step of a statement that was prepared anew did not write: it was refused, or it broke a constraint
 * that may be another one's. */
static int
step_again(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement)
{
    struct varve__guard *guard = &connection->guard;
    for (int i = 0; i < TRIES; i++) {
        sqlite3_reset(statement);
        guard->status = look_before_write(connection, plan, record, statement);
        if (guard->status != VARVE_OK)
            return SQLITE_SCHEMA;
        int code = step(connection, plan, statement);
        if ((code & 0xFF) != SQLITE_CONSTRAINT || !is_reprepared(statement))
            return code;
    }
    return SQLITE_SCHEMA;
}

int
varve__guard_step(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement)
{
    struct varve__guard *guard = &connection->guard;
    if (__builtin_expect(guard->newer.found, 0)) {
        guard->status = check_record(connection, plan, record);
        if (guard->status != VARVE_OK)
            return SQLITE_SCHEMA;
    }
    int code = step(connection, plan, statement);
    if (__builtin_expect((code & 0xFF) != SQLITE_CONSTRAINT, 1) || !is_reprepared(statement) ||
        is_covered(connection))
        return code;
    return step_again(connection, plan, record, statement);
}

/* -------------------------------------------------------------------- unknown fields */

static enum varve_status
refuse_field(const struct varve__plan *plan, const char *line, size_t size)
{
    const char *name = plan->record->descriptor->name;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "the %s carries an unknown field that the database has as \"%.*s\", since another program "
        "has migrated it: read the record again, or start a build of the newer schema",
        name, (int)size, line);
}

static enum varve_status
compare_fields(const struct varve__plan *plan, const ProtobufCMessage *message, const char *lock)
{
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        size_t size;
        uint32_t number = message->unknown_fields[i].tag;
        const char *line = varve__newer_field(lock, plan->record->table->name, number, &size);
        if (!line)
            continue;
        enum varve_status status = refuse_field(plan, line, size);
        varve__failure_add_field(number);
        return status;
    }
    return VARVE_OK;
}

enum varve_status
varve__guard_unknown(
    struct varve__connection *connection, const struct varve__plan *plan, const void *record)
{
    const ProtobufCMessage *message = record;
    sqlite3 *database = connection->database;
    if (!connection->guard.newer.found || message->n_unknown_fields == 0)
        return VARVE_OK;
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        database, plan->record, "SELECT lock FROM varve_schema WHERE lock IS NOT NULL", &statement);
    if (status != VARVE_OK)
        return status;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && status == VARVE_OK)
        status = compare_fields(plan, message, (const char *)sqlite3_column_text(statement, 0));
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, plan->record, "reading the schema");
    sqlite3_finalize(statement);
    return status;
}
