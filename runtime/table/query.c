/* Running of typed queries. Their cursors are those of find.c. */
#include "table/query.h"

#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "table/find.h"
#include "table/row.h"
#include "table/transaction.h"

enum {
    ROWS_FIRST = 16 /* of a write, that there is room for */
};

/* -------------------------------------------------------------------- failures */

static const char *
name_of(const struct varve__query *query)
{
    return query->query->name;
}

static const char *
written_name(const struct varve__query *query)
{
    return query->query->written ? query->query->written->descriptor->name : NULL;
}

/* SQLite's words of it fit an insert. */
static enum varve_status
fail_reference(const struct varve__query *query)
{
    return varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, written_name(query),
        "%s: a record refers to one that is not there, or to one that this would remove; insert "
        "what is "
        "referred to first, delete what refers to it before",
        name_of(query));
}

/* An error of a statement that could be prepared: of its values, unless the schema has moved. */
static enum varve_status
fail_values(struct varve__connection *connection, const struct varve__query *query, int code)
{
    enum varve_status status = varve__fail(
        VARVE_INVALID, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, written_name(query),
        "%s: SQLite says: %s; pass other values, or mend the query", name_of(query),
        sqlite3_errmsg(connection->database));
    enum varve_status moved = varve__guard_explain(connection, code);
    return moved == VARVE_OK ? status : moved;
}

enum varve_status
varve__query_fail(struct varve__connection *connection, const struct varve__query *query, int code)
{
    bool guarded = connection->guard.status != VARVE_OK;
    if (!guarded && (code & 0xFF) == SQLITE_ERROR)
        return fail_values(connection, query, code);
    if (!guarded && sqlite3_extended_errcode(connection->database) == SQLITE_CONSTRAINT_FOREIGNKEY)
        return fail_reference(query);
    return varve__connection_fail(connection, code, query->written, name_of(query));
}

/* -------------------------------------------------------------------- beginning */

static enum varve_status
begin(
    struct varve__connection *connection,
    const struct varve__query *query,
    const void *request,
    sqlite3_destructor_type copied,
    struct varve__query_statement **result)
{
    *result = NULL;
    if (query->query->request && !request)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE,
            query->query->request->descriptor->name, "%s: the request is NULL; pass a %s",
            name_of(query), query->query->request->descriptor->name);
    enum varve_status status = varve__connection_check(connection);
    if (status == VARVE_OK)
        status = varve__query_take(connection, query, result);
    if (status != VARVE_OK)
        return status;
    status = varve__query_bind(connection, *result, request, copied);
    if (status != VARVE_OK)
        varve__query_give(*result);
    return status;
}

/* -------------------------------------------------------------------- one row of a read */

static enum varve_status
fail_count(const struct varve__query *query, bool several)
{
    const char *name = query->query->response->descriptor->name;
    if (!several)
        return varve__fail(
            VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
            "%s gives no row for this request", name_of(query));
    return varve__fail(
        VARVE_INVALID, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "%s gives several rows, and one is asked for; add LIMIT 1, or return a stream",
        name_of(query));
}

static enum varve_status
read_one(
    struct varve__connection *connection, struct varve__query_statement *prepared, void **record)
{
    const struct varve__query *query = prepared->query;
    int code = sqlite3_step(prepared->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return varve__query_fail(connection, query, code);
    enum varve_status status = varve__query_look(connection, prepared);
    if (status == VARVE_OK && code == SQLITE_DONE)
        status = fail_count(query, false);
    if (status == VARVE_OK)
        status = varve__row_read(&prepared->row, prepared->statement, record);
    if (status != VARVE_OK)
        return status;
    code = sqlite3_step(prepared->statement);
    if (code == SQLITE_DONE)
        return VARVE_OK;
    varve_record_free(*record);
    *record = NULL;
    return code == SQLITE_ROW ? fail_count(query, true)
                              : varve__query_fail(connection, query, code);
}

/* -------------------------------------------------------------------- writes */

static enum varve_status
make_room(struct varve__query_rows *rows, const struct varve__query *query)
{
    if (rows->count < rows->room)
        return VARVE_OK;
    size_t room = rows->room > 0 ? 2 * rows->room : ROWS_FIRST;
    void **grown = varve__arena_allocate(rows->arena, room * sizeof *grown);
    if (!grown)
        return varve__fail_memory(name_of(query), room * sizeof *grown);
    if (rows->count > 0)
        memcpy(grown, rows->rows, rows->count * sizeof *grown);
    rows->rows = grown;
    rows->room = room;
    return VARVE_OK;
}

/* Keeps the row that the statement stands on: without an arena it is the only one. */
static enum varve_status
add_row(struct varve__query_rows *rows, const struct varve__query_statement *prepared)
{
    const struct varve__plan *plan = &prepared->row;
    sqlite3_stmt *statement = prepared->statement;
    enum varve_status status = VARVE_OK;
    if (!rows->arena && rows->count > 0)
        return fail_count(prepared->query, true);
    if (!rows->arena)
        status = varve__row_read(plan, statement, &rows->single);
    else if ((status = make_room(rows, prepared->query)) == VARVE_OK)
        status = varve__row_read_into(plan, statement, rows->arena, &rows->rows[rows->count]);
    rows->count += status == VARVE_OK;
    return status;
}

/* Runs the statement to its end, within a write that has begun. */
static enum varve_status
step_all(
    struct varve__connection *connection,
    struct varve__query_statement *prepared,
    struct varve__query_rows *rows)
{
    const struct varve__query *query = prepared->query;
    enum varve_status status = VARVE_OK;
    int code = varve__guard_step(connection, query->written, NULL, prepared->statement);
    if (rows && (code == SQLITE_ROW || code == SQLITE_DONE))
        status = varve__query_look(connection, prepared);
    while (code == SQLITE_ROW && status == VARVE_OK) {
        if (rows)
            status = add_row(rows, prepared);
        if (status == VARVE_OK)
            code = sqlite3_step(prepared->statement);
    }
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__query_fail(connection, query, code);
    return status;
}

/* Runs a statement that writes, all of it or nothing. With rows it has a transaction of its own: they may
 * be refused when all is written. */
static enum varve_status
write(
    struct varve__connection *connection,
    struct varve__query_statement *prepared,
    struct varve__query_rows *rows)
{
    enum varve__write kind = rows ? VARVE__WRITE_SEVERAL : VARVE__WRITE_ONE;
    kind = varve__write_of_change(connection, kind);
    enum varve_status status = varve__write_begin(connection, kind);
    if (status != VARVE_OK)
        return status;
    status = step_all(connection, prepared, rows);
    int64_t count = sqlite3_changes64(connection->database);
    if (status == VARVE_OK && rows && !rows->arena && rows->count == 0)
        status = fail_count(prepared->query, false);
    sqlite3_reset(prepared->statement);
    status = varve__write_end(connection, kind, status);
    if (status == VARVE_OK)
        connection->changes = count;
    return status;
}

/* -------------------------------------------------------------------- calls */

enum varve_status
varve__query_run(
    struct varve__connection *connection, const struct varve__query *query, const void *request)
{
    struct varve__query_statement *prepared;
    enum varve_status status = begin(connection, query, request, SQLITE_STATIC, &prepared);
    if (status != VARVE_OK)
        return status;
    status = write(connection, prepared, NULL);
    varve__query_give(prepared);
    return status;
}

/* The row that a write gives, as a record of its own. */
static enum varve_status
write_one(
    struct varve__connection *connection, struct varve__query_statement *prepared, void **record)
{
    struct varve__query_rows rows = {0};
    enum varve_status status = write(connection, prepared, &rows);
    if (status == VARVE_OK)
        *record = rows.single;
    else
        varve_record_free(rows.single);
    return status;
}

/* The rows that a write gives. Their cursor is made before: when all is committed nothing may fail. */
static enum varve_status
write_rows(
    struct varve__connection *connection,
    struct varve__query_statement *prepared,
    struct varve_cursor **result)
{
    struct varve__find_cursor *cursor;
    enum varve_status status = varve__find_kept(prepared->query->query->response, &cursor);
    if (status == VARVE_OK)
        status = varve__find_keep(
            connection, cursor, write(connection, prepared, &cursor->kept), result);
    return status;
}

enum varve_status
varve__query_one(
    struct varve__connection *connection,
    const struct varve__query *query,
    const void *request,
    void **record)
{
    struct varve__query_statement *prepared;
    *record = NULL;
    enum varve_status status = begin(connection, query, request, SQLITE_STATIC, &prepared);
    if (status != VARVE_OK)
        return status;
    status = query->query->written ? write_one(connection, prepared, record)
                                   : read_one(connection, prepared, record);
    varve__query_give(prepared);
    return status;
}

enum varve_status
varve__query_rows(
    struct varve__connection *connection,
    const struct varve__query *query,
    const void *request,
    struct varve_cursor **cursor)
{
    struct varve__query_statement *prepared;
    bool writes = query->query->written != NULL;
    *cursor = NULL;
    enum varve_status status =
        begin(connection, query, request, writes ? SQLITE_STATIC : SQLITE_TRANSIENT, &prepared);
    if (status != VARVE_OK)
        return status;
    if (!writes)
        return varve__find_query(connection, prepared, cursor);
    status = write_rows(connection, prepared, cursor);
    varve__query_give(prepared);
    return status;
}
