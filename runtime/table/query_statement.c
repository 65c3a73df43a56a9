/* Typed queries as a connection has prepared them: which field is which parameter and which column. */
#include "table/query.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/check.h"
#include "codec/field.h"
#include "codec/json.h"
#include "table/value.h"

enum {
    PLAN_ARENA_SIZE = 1024 /* the plans of an ordinary query */
};

static const char *
name_of(const struct varve__query *query)
{
    return query->query->name;
}

/* -------------------------------------------------------------------- preparing */

/* The field of this name that has a column of its own; NULL without one. */
static const struct varve_column *
column_named(const struct varve_record *record, const char *name)
{
    for (size_t i = 0; i < record->column_count; i++) {
        const struct varve_column *column = &record->columns[i];
        if (column->kind != VARVE_COLUMN_TENSOR && strcmp(column->field->name, name) == 0)
            return column;
    }
    return NULL;
}

static enum varve_status
fail_column(const struct varve__query *query, const char *text, const char *name)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "%s: %s %s; generate the code again from the schema, with a database of its version",
        name_of(query), text, name);
}

/* The columns by name into columns[], room for each. A name that comes twice counts once. */
static enum varve_status
match_columns(
    const struct varve__query_statement *prepared,
    const struct varve_column **columns,
    size_t count)
{
    const struct varve_record *response = prepared->query->query->response;
    for (size_t i = 0; i < count; i++) {
        const char *name = sqlite3_column_name(prepared->statement, (int)i);
        if (!name)
            return varve__fail_memory(NULL, 0);
        columns[i] = column_named(response, name);
        for (size_t k = 0; k < i; k++) {
            if (columns[k] && columns[k] == columns[i])
                columns[i] = NULL;
        }
    }
    for (size_t f = 0; f < response->column_count; f++) {
        bool found = response->columns[f].kind == VARVE_COLUMN_TENSOR;
        for (size_t i = 0; i < count && !found; i++)
            found = columns[i] == &response->columns[f];
        if (!found)
            return fail_column(
                prepared->query, "the result has no column for field",
                response->columns[f].field->name);
    }
    return VARVE_OK;
}

static enum varve_status
match_parameters(
    const struct varve__query_statement *prepared,
    const struct varve_column **columns,
    size_t count)
{
    const struct varve_record *request = prepared->query->query->request;
    for (size_t i = 0; i < count; i++) {
        const char *name = sqlite3_bind_parameter_name(prepared->statement, (int)i + 1);
        columns[i] = name && request ? column_named(request, name + 1) : NULL;
        if (!columns[i])
            return fail_column(prepared->query, "no field for parameter", name ? name : "?");
    }
    return VARVE_OK;
}

/* Makes one of the two plans, of `count` parameters or columns. */
static enum varve_status
make_plan(
    struct varve__query_statement *prepared,
    const struct varve_record *record,
    enum varve_status (*match)(
        const struct varve__query_statement *, const struct varve_column **, size_t),
    size_t count,
    struct varve__plan *plan)
{
    struct varve__arena *arena = prepared->arena;
    const struct varve_column **columns = varve__arena_allocate(arena, count * sizeof *columns);
    if (!columns)
        return varve__fail_memory(NULL, count * sizeof *columns);
    enum varve_status status = match(prepared, columns, count);
    if (status == VARVE_OK && record &&
        !varve__plan_make_query(arena, prepared->query->query, record, columns, count, plan))
        status = varve__fail_memory(record->descriptor->name, count * sizeof(struct varve__slot));
    return status;
}

static enum varve_status
make_plans(struct varve__query_statement *prepared)
{
    const struct varve_query *query = prepared->query->query;
    sqlite3_stmt *statement = prepared->statement;
    enum varve_status status = make_plan(
        prepared, query->request, match_parameters, (size_t)sqlite3_bind_parameter_count(statement),
        &prepared->request);
    if (status == VARVE_OK && query->response)
        status = make_plan(
            prepared, query->response, match_columns, (size_t)sqlite3_column_count(statement),
            &prepared->row);
    return status;
}

/* Whether a message has fields of numbers alone. */
static bool
is_plain(const struct varve_record *record)
{
    for (size_t i = 0; i < record->column_count; i++) {
        const struct varve_column *column = &record->columns[i];
        ProtobufCType type = column->field->type;
        if (column->kind != VARVE_COLUMN_SCALAR || type == PROTOBUF_C_TYPE_STRING ||
            type == PROTOBUF_C_TYPE_BYTES)
            return false;
    }
    return true;
}

static enum varve_status
prepare_statement(
    struct varve__connection *connection,
    const struct varve__query *query,
    sqlite3_stmt **statement)
{
    int code = sqlite3_prepare_v3(
        connection->database, query->query->sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    if (code != SQLITE_OK)
        return varve__connection_fail(connection, code, NULL, name_of(query));
    return varve__guard_prepared(connection);
}

static void
destroy(struct varve__query_statement *prepared)
{
    sqlite3_finalize(prepared->statement);
    varve__arena_release(prepared->arena);
    varve__release(prepared);
}

static enum varve_status
prepare(
    struct varve__connection *connection,
    const struct varve__query *query,
    struct varve__query_statement **result)
{
    struct varve__query_statement *prepared = varve__allocate(sizeof *prepared);
    if (!prepared)
        return varve__fail_memory(NULL, sizeof *prepared);
    *prepared = (struct varve__query_statement){
        .query = query,
        .plain_request = query->query->request && is_plain(query->query->request),
        .taken = true,
    };
    enum varve_status status = VARVE_OK;
    if (!(prepared->arena = varve__arena_create(PLAN_ARENA_SIZE)))
        status = varve__fail_memory(NULL, PLAN_ARENA_SIZE);
    if (status == VARVE_OK)
        status = prepare_statement(connection, query, &prepared->statement);
    if (status == VARVE_OK)
        status = make_plans(prepared);
    if (status == VARVE_OK)
        *result = prepared;
    else
        destroy(prepared);
    return status;
}

enum varve_status
varve__query_take(
    struct varve__connection *connection,
    const struct varve__query *query,
    struct varve__query_statement **result)
{
    struct varve__query_statement **place = &connection->queries[query->index];
    if (*place && !(*place)->taken) {
        *result = *place;
        (*place)->taken = true;
        return VARVE_OK;
    }
    enum varve_status status = prepare(connection, query, result);
    if (status == VARVE_OK && !*place) {
        (*result)->kept = true;
        *place = *result;
    }
    return status;
}

void
varve__query_give(struct varve__query_statement *prepared)
{
    prepared->taken = false;
    if (prepared->kept)
        sqlite3_reset(prepared->statement);
    else
        destroy(prepared);
}

void
varve__query_release_all(struct varve__connection *connection)
{
    for (size_t i = 0; connection->queries && i < connection->plans->query_count; i++) {
        if (connection->queries[i])
            destroy(connection->queries[i]);
    }
    varve__release(connection->queries);
    connection->queries = NULL;
}

static bool
columns_are_same(const struct varve__query_statement *prepared)
{
    const struct varve__plan *row = &prepared->row;
    if (sqlite3_column_count(prepared->statement) != (int)row->slot_count)
        return false;
    for (size_t i = 0; i < row->slot_count; i++) {
        const struct varve_column *column = row->slots[i].column;
        const char *name = sqlite3_column_name(prepared->statement, (int)i);
        if (column && (!name || strcmp(name, column->field->name) != 0))
            return false;
    }
    return true;
}

/* Another program has migrated the tables: SELECT * may have its columns in other places. */
static enum varve_status
look_again(struct varve__connection *connection, struct varve__query_statement *prepared)
{
    enum varve_status status = varve__guard_look_again(connection, prepared->statement);
    if (status != VARVE_OK || !prepared->row.record || columns_are_same(prepared))
        return status;
    return make_plan(
        prepared, prepared->query->query->response, match_columns,
        (size_t)sqlite3_column_count(prepared->statement), &prepared->row);
}

enum varve_status
varve__query_look(struct varve__connection *connection, struct varve__query_statement *prepared)
{
    sqlite3_stmt *statement = prepared->statement;
    if (__builtin_expect(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0) == 0, 1))
        return VARVE_OK;
    return look_again(connection, prepared);
}

/* -------------------------------------------------------------------- binding */

static enum varve_status
value_of(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    const void *request,
    struct varve__arena *arena,
    struct varve__value *value)
{
    const char *text;
    value->type = SQLITE_NULL;
    if (slot->nullable && !varve__is_present(slot->column->field, request))
        return VARVE_OK;
    if (slot->column->kind == VARVE_COLUMN_SCALAR)
        return varve__value_take(slot->scalar, varve__slot_member(slot, request), value)
                   ? VARVE_OK
                   : varve__value_refuse_scalar(plan, slot);
    enum varve_status status =
        varve__json_encode_for_sql(plan->record, slot->column, request, arena, &text, &value->size);
    value->type = SQLITE_TEXT;
    value->data = text;
    return status;
}

enum varve_status
varve__query_bind(
    struct varve__connection *connection,
    const struct varve__query_statement *prepared,
    const void *request,
    sqlite3_destructor_type copied)
{
    const struct varve__plan *plan = &prepared->request;
    varve__arena_reset(connection->arena);
    enum varve_status status = VARVE_OK;
    if (prepared->plain_request)
        status = varve__record_check_message(plan->record, request);
    else if (plan->record)
        status = varve__record_check(plan->record, request, VARVE__CHECK_UNLOADED, NULL);
    for (size_t i = 0; i < plan->slot_count && status == VARVE_OK; i++) {
        struct varve__value value;
        status = value_of(plan, &plan->slots[i], request, connection->arena, &value);
        if (status != VARVE_OK)
            break;
        int code = varve__value_bind(prepared->statement, (int)i + 1, &value, copied);
        if (code != SQLITE_OK)
            status = varve__connection_fail(connection, code, NULL, name_of(prepared->query));
    }
    return status;
}
