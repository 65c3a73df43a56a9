/* Get, get_by, get_many. */
#include "table/read.h"

#include <string.h>

#include <varve/record.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "codec/check.h"
#include "codec/field.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/sql.h"
#include "table/staged.h"
#include "table/transaction.h"
#include "table/value.h"

/* The first step: SQLITE_ROW or SQLITE_DONE where the status is VARVE_OK. */
static inline int
step(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    const char *what,
    enum varve_status *status)
{
    int code = sqlite3_step(statement);
    if (__builtin_expect(code == SQLITE_ROW || code == SQLITE_DONE, 1))
        *status = varve__guard_read(connection, statement);
    else
        *status = varve__connection_fail(connection, code, plan, what);
    return code;
}

enum varve_status
varve__get(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    void **record)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__connection_check(connection);
    if (status == VARVE_OK)
        status = varve__statement(connection, plan, VARVE__VERB_GET, &statement);
    if (status == VARVE_OK)
        status = varve__row_bind_key(plan, key, statement, 1);
    if (status != VARVE_OK)
        return status;
    int code = step(connection, plan, statement, "get", &status);
    if (status == VARVE_OK)
        status = code == SQLITE_ROW ? varve__staged_read_row(connection, plan, statement, record)
                                    : varve__not_found(plan, key);
    sqlite3_reset(statement);
    return status;
}

enum varve_status
varve__read_row(
    struct varve__connection *connection, const struct varve__plan *plan, int64_t id, void **row)
{
    sqlite3_stmt *statement;
    const void *key[] = {&id};
    enum varve_status status = varve__connection_check(connection);
    if (status == VARVE_OK)
        status = varve__statement(connection, plan, VARVE__VERB_GET, &statement);
    if (status == VARVE_OK)
        status = varve__row_bind_key(plan, key, statement, 1);
    if (status != VARVE_OK)
        return status;
    int code = step(connection, plan, statement, "get", &status);
    if (status == VARVE_OK)
        status = code == SQLITE_ROW ? varve__row_read(plan, statement, row)
                                    : varve__not_found(plan, key);
    sqlite3_reset(statement);
    return status;
}

/* -------------------------------------------------------------------- by a unique field */

static bool
is_unique(const struct varve__plan *plan, uint32_t field)
{
    const struct varve_table *table = plan->record->table;
    for (size_t i = 0; i < table->unique_count; i++) {
        const struct varve_unique *unique = &table->uniques[i];
        if (unique->column_count == 1 && !unique->where &&
            plan->record->columns[unique->columns[0]].field->id == field)
            return true;
    }
    return plan->key_count == 1 && plan->slots[plan->keys[0]].column->field->id == field;
}

/* A value for varve__row_bind_value(), which takes strings by their address. */
static const void *
value_at(const struct varve__plan *plan, size_t slot, const void *const *value)
{
    return plan->slots[slot].column->field->type == PROTOBUF_C_TYPE_STRING ? value : *value;
}

static enum varve_status
bind_unique(const struct varve__plan *plan, size_t slot, const void *value, sqlite3_stmt *statement)
{
    const ProtobufCFieldDescriptor *field = plan->slots[slot].column->field;
    const struct varve_bytes *bytes = field->type == PROTOBUF_C_TYPE_BYTES ? value : NULL;
    if (!value || (bytes && bytes->size > 0 && !bytes->data))
        return varve__value_refuse(
            plan, &plan->slots[slot], VARVE_FAILURE_NOT_NULL,
            "is to be looked up by a value that is NULL; pass one");
    size_t length = field->type == PROTOBUF_C_TYPE_STRING ? strlen(value) : 0;
    if (length > 0 && varve__utf8_check(value, length) < length)
        return varve__value_refuse(
            plan, &plan->slots[slot], VARVE_FAILURE_UTF8,
            "is to be looked up by text that is no UTF-8; pass text that is");
    return varve__row_bind_value(plan, slot, value_at(plan, slot, &value), statement, 1);
}

enum varve_status
varve__get_by(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    uint32_t field,
    const void *value,
    void **record)
{
    sqlite3_stmt *statement = NULL;
    size_t slot = varve__plan_slot(plan, field);
    const size_t key[] = {VARVE__KEPT_GET_BY, plan->index, slot};
    const char *name = plan->record->descriptor->name;
    enum varve_status status = varve__connection_check(connection);
    if (status == VARVE_OK && !is_unique(plan, field))
        status = varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
            "get_by: no field of %s with the number %u is unique by itself; find it by a filter",
            name, (unsigned)field);
    if (status == VARVE_OK)
        status = varve__statement_take(
            connection, plan, key, sizeof key, varve__sql_get_by, &slot, &statement);
    if (status == VARVE_OK)
        status = bind_unique(plan, slot, value, statement);
    if (status == VARVE_OK) {
        int code = step(connection, plan, statement, "get_by", &status);
        if (status == VARVE_OK && code == SQLITE_ROW)
            status = varve__staged_read_row(connection, plan, statement, record);
        else if (status == VARVE_OK)
            status = varve__not_found_by(plan, slot, value_at(plan, slot, &value));
    }
    varve__statement_give(connection, statement);
    return status;
}

/* -------------------------------------------------------------------- many */

/* Points key[] at the parts of the key number `index`. */
static enum varve_status
key_at(const struct varve__plan *plan, const void *keys, size_t index, const void **key)
{
    const ProtobufCFieldDescriptor *field = plan->slots[plan->keys[0]].column->field;
    if (plan->key_count > 1) {
        size_t size = plan->record->descriptor->sizeof_message;
        const void *record = (const char *)keys + index * size;
        enum varve_status status = varve__record_check_message(plan->record, record);
        if (status == VARVE_OK)
            varve__row_key(plan, record, key);
        return status;
    }
    const void *part = (const char *)keys + index * varve__element_size(field->type);
    key[0] = field->type == PROTOBUF_C_TYPE_STRING ? *(const void *const *)part : part;
    return VARVE_OK;
}

/* Reads one record into the arena of all; NULL when it is not there. */
static enum varve_status
get_into(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    struct varve__arena *arena,
    sqlite3_stmt *statement,
    void **record)
{
    enum varve_status status = varve__row_bind_key(plan, key, statement, 1);
    if (status != VARVE_OK)
        return status;
    int code = step(connection, plan, statement, "get_many", &status);
    if (status == VARVE_OK && code == SQLITE_ROW)
        status = varve__row_read_into(plan, statement, arena, record);
    if (status == VARVE_OK && code == SQLITE_ROW && plan->tensor_count > 0)
        status = varve__staged_load(connection, plan, *record, arena);
    sqlite3_reset(statement);
    return status;
}

static enum varve_status
get_all(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *keys,
    size_t count,
    void **records)
{
    sqlite3_stmt *statement;
    const void *key[VARVE__KEY_MAX];
    struct varve__arena *arena = varve__arena_of(records);
    enum varve_status status = varve__statement(connection, plan, VARVE__VERB_GET, &statement);
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        status = varve__connection_poll(connection, plan, "get_many");
        if (status == VARVE_OK)
            status = key_at(plan, keys, i, key);
        if (status == VARVE_OK)
            status = get_into(connection, plan, key, arena, statement, &records[i]);
        if (status != VARVE_OK)
            varve__failure_set_index((int64_t)i);
    }
    return status;
}

enum varve_status
varve__get_many(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *keys,
    size_t count,
    void ***result)
{
    bool begun;
    size_t size;
    size_t each = sizeof(void *) + plan->record->descriptor->sizeof_message;
    if (!varve__size_multiply(count + 1, each, &size))
        return varve__fail_memory(plan->record->descriptor->name, SIZE_MAX);
    struct varve__arena *arena = varve__arena_create(size);
    void **records = arena ? varve__arena_allocate(arena, (count + 1) * sizeof *records) : NULL;
    if (!records)
        return varve__fail_memory(plan->record->descriptor->name, size);
    memset(records, 0, (count + 1) * sizeof *records);
    enum varve_status status = varve__read_begin(connection, &begun);
    if (status == VARVE_OK) {
        status = get_all(connection, plan, keys, count, records);
        varve__read_end(connection, begun);
    }
    if (status == VARVE_OK)
        *result = records;
    else
        varve__arena_release(arena);
    return status;
}
