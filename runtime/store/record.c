/* Records in a store: each call looks up the plan of its record and asks the table tier. Cursors go on in
 * cursor.c. */
#include "store/call.h"
#include "store/cursor.h"
#include "table/find.h"
#include "table/read.h"
#include "table/write.h"

#include <varve/table.h>

static enum varve_status
misuse(const struct varve_record *table, const char *text)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, table ? table->descriptor->name : NULL,
        "%s", text);
}

static enum varve_status
refuse_table(struct varve__call call)
{
    const struct varve_record *table = call.record;
    if (!table)
        return varve__call_end(
            &call, 0, misuse(NULL, "the table is NULL; pass a generated one, P_M_record"));
    enum varve_status status = varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, table->descriptor->name,
        "%s has no table in this store; open the store with the schema that has it",
        table->descriptor->name);
    return varve__call_end(&call, 0, status);
}

/* Begins a call about records of this table. When it fails the call is over. */
static inline __attribute__((always_inline)) enum varve_status
enter(
    struct varve_session *session,
    enum varve_operation operation,
    const struct varve_record *table,
    const struct varve__plan **plan,
    struct varve__call *call)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    if (operation == VARVE_OPERATION_RECORD_GET)
        *call = varve__call_begin_short(session, operation, table);
    else
        *call = varve__call_begin(session, operation, table);
    *plan = varve__plan_of(session->store->plans, table); /* of NULL: NULL */
    return *plan ? VARVE_OK : refuse_table(*call);
}

/* For a call whose result has no place to go. */
static enum varve_status
refuse_result(
    struct varve_session *session, enum varve_operation operation, const struct varve_record *table)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status = enter(session, operation, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    return varve__call_end(
        &call, 0,
        misuse(table, "the result is NULL; pass the address of a variable that takes it"));
}

/* An array that a caller passes with its count. */
static enum varve_status
check_array(const struct varve_record *table, const void *array, int64_t count)
{
    if (count < 0)
        return misuse(table, "the count is negative");
    if (!array && count > 0)
        return misuse(table, "the array is NULL and its count is not 0");
    return VARVE_OK;
}

/* -------------------------------------------------------------------- writing */

enum varve_status
varve_record_insert(struct varve_session *session, const struct varve_record *table, void *record)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_INSERT, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    return varve__call_end(&call, 1, varve__insert(session->connection, plan, record));
}

enum varve_status
varve_record_insert_many(
    struct varve_session *session, const struct varve_record *table, void *records, int64_t count)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status =
        enter(session, VARVE_OPERATION_RECORD_INSERT_MANY, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    status = check_array(table, records, count);
    if (status == VARVE_OK)
        status = varve__insert_many(session->connection, plan, records, (size_t)count);
    return varve__call_end(&call, count, status);
}

enum varve_status
varve_record_update(struct varve_session *session, const struct varve_record *table, void *record)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_UPDATE, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    return varve__call_end(&call, 1, varve__update(session->connection, plan, record));
}

enum varve_status
varve_record_update_fields(
    struct varve_session *session,
    const struct varve_record *table,
    void *record,
    const uint32_t *fields,
    int64_t count)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_UPDATE, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    status = check_array(table, fields, count);
    if (status == VARVE_OK)
        status = varve__update_fields(session->connection, plan, record, fields, (size_t)count);
    return varve__call_end(&call, 1, status);
}

enum varve_status
varve_record_upsert(struct varve_session *session, const struct varve_record *table, void *record)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_UPSERT, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    return varve__call_end(&call, 1, varve__upsert(session->connection, plan, record, 0));
}

enum varve_status
varve_record_upsert_by(
    struct varve_session *session, const struct varve_record *table, void *record, uint32_t field)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_UPSERT, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    if (field == 0)
        status = misuse(table, "upsert_by: the field is 0; pass the constant of a unique field");
    else
        status = varve__upsert(session->connection, plan, record, field);
    return varve__call_end(&call, 1, status);
}

enum varve_status
varve_record_delete(
    struct varve_session *session, const struct varve_record *table, const void *const *key)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_DELETE, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    return varve__call_end(&call, 1, varve__delete(session->connection, plan, key));
}

enum varve_status
varve_record_delete_where(
    struct varve_session *session, const struct varve_record *table, const void *filter)
{
    struct varve__call call;
    const struct varve__plan *plan;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_DELETE, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    status = varve__find_delete(session->connection, plan, filter);
    return varve__call_end(&call, session->connection->changes, status);
}

/* -------------------------------------------------------------------- reading */

enum varve_status
varve_record_get(
    struct varve_session *session,
    const struct varve_record *table,
    const void *const *key,
    void **record)
{
    struct varve__call call;
    const struct varve__plan *plan;
    if (!record)
        return refuse_result(session, VARVE_OPERATION_RECORD_GET, table);
    *record = NULL;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_GET, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    return varve__call_end(&call, 1, varve__get(session->connection, plan, key, record));
}

enum varve_status
varve_record_get_by(
    struct varve_session *session,
    const struct varve_record *table,
    uint32_t field,
    const void *value,
    void **record)
{
    struct varve__call call;
    const struct varve__plan *plan;
    if (!record)
        return refuse_result(session, VARVE_OPERATION_RECORD_GET, table);
    *record = NULL;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_GET, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    status = varve__get_by(session->connection, plan, field, value, record);
    return varve__call_end(&call, 1, status);
}

static int64_t
count_found(void *const *records, int64_t count)
{
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++)
        found += records[i] != NULL;
    return found;
}

enum varve_status
varve_record_get_many(
    struct varve_session *session,
    const struct varve_record *table,
    const void *keys,
    int64_t count,
    void ***records)
{
    struct varve__call call;
    const struct varve__plan *plan;
    int64_t found = 0;
    if (!records)
        return refuse_result(session, VARVE_OPERATION_RECORD_GET_MANY, table);
    *records = NULL;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_GET_MANY, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    status = check_array(table, keys, count);
    if (status == VARVE_OK)
        status = varve__get_many(session->connection, plan, keys, (size_t)count, records);
    if (status == VARVE_OK)
        found = count_found(*records, count);
    return varve__call_end(&call, found, status);
}

void
varve_record_free_many(void **records)
{
    if (records)
        varve__arena_release(varve__arena_of(records));
}

enum varve_status
varve_record_find(
    struct varve_session *session,
    const struct varve_record *table,
    const void *filter,
    struct varve_cursor **cursor)
{
    struct varve__call call;
    const struct varve__plan *plan;
    if (!cursor)
        return refuse_result(session, VARVE_OPERATION_RECORD_FIND, table);
    *cursor = NULL;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_FIND, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    status = varve__find(session->connection, plan, filter, cursor);
    return varve__cursor_opened(&call, *cursor, status);
}

enum varve_status
varve_record_find_one(
    struct varve_session *session,
    const struct varve_record *table,
    const void *filter,
    void **record)
{
    struct varve__call call;
    const struct varve__plan *plan;
    if (!record)
        return refuse_result(session, VARVE_OPERATION_RECORD_FIND, table);
    *record = NULL;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_FIND, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    status = varve__find_one(session->connection, plan, filter, record);
    return varve__call_end(&call, 1, status);
}

enum varve_status
varve_record_count(
    struct varve_session *session,
    const struct varve_record *table,
    const void *filter,
    int64_t *count)
{
    struct varve__call call;
    const struct varve__plan *plan;
    if (!count)
        return refuse_result(session, VARVE_OPERATION_RECORD_COUNT, table);
    *count = 0;
    enum varve_status status = enter(session, VARVE_OPERATION_RECORD_COUNT, table, &plan, &call);
    if (status != VARVE_OK)
        return status;
    status = varve__find_count(session->connection, plan, filter, count);
    return varve__call_end(&call, VARVE__CALL_NO_ROWS, status);
}
