/* Records in a store: each call looks up the plan of its record and asks the table tier. */
#include "base/cursor.h"
#include "store/handles.h"
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
refuse_table(struct varve_session *session, const struct varve_record *table)
{
    if (!table)
        return varve__session_leave(
            session, misuse(NULL, "the table is NULL; pass a generated one, P_M_record"));
    return varve__session_leave(
        session, varve__fail(
                     VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, table->descriptor->name,
                     "%s has no table in this store; open the store with the schema that has it",
                     table->descriptor->name));
}

/* Begins a call about records of this table. When it fails the call is over. */
static inline __attribute__((always_inline)) enum varve_status
enter(
    struct varve_session *session,
    const struct varve_record *table,
    const struct varve__plan **plan)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    *plan = varve__plan_of(session->store->plans, table); /* of NULL: NULL */
    return *plan ? VARVE_OK : refuse_table(session, table);
}

/* For a call whose result has no place to go. */
static enum varve_status
refuse_result(struct varve_session *session, const struct varve_record *table)
{
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(
        session, misuse(table, "the result is NULL; pass the address of a variable that takes it"));
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
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(session, varve__insert(session->connection, plan, record));
}

enum varve_status
varve_record_insert_many(
    struct varve_session *session, const struct varve_record *table, void *records, int64_t count)
{
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    status = check_array(table, records, count);
    if (status == VARVE_OK)
        status = varve__insert_many(session->connection, plan, records, (size_t)count);
    return varve__session_leave(session, status);
}

enum varve_status
varve_record_update(struct varve_session *session, const struct varve_record *table, void *record)
{
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(session, varve__update(session->connection, plan, record));
}

enum varve_status
varve_record_update_fields(
    struct varve_session *session,
    const struct varve_record *table,
    void *record,
    const uint32_t *fields,
    int64_t count)
{
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    status = check_array(table, fields, count);
    if (status == VARVE_OK)
        status = varve__update_fields(session->connection, plan, record, fields, (size_t)count);
    return varve__session_leave(session, status);
}

enum varve_status
varve_record_upsert(struct varve_session *session, const struct varve_record *table, void *record)
{
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(session, varve__upsert(session->connection, plan, record, 0));
}

enum varve_status
varve_record_upsert_by(
    struct varve_session *session, const struct varve_record *table, void *record, uint32_t field)
{
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    if (field == 0)
        status = misuse(table, "upsert_by: the field is 0; pass the constant of a unique field");
    else
        status = varve__upsert(session->connection, plan, record, field);
    return varve__session_leave(session, status);
}

enum varve_status
varve_record_delete(
    struct varve_session *session, const struct varve_record *table, const void *const *key)
{
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(session, varve__delete(session->connection, plan, key));
}

enum varve_status
varve_record_delete_where(
    struct varve_session *session, const struct varve_record *table, const void *filter)
{
    const struct varve__plan *plan;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(session, varve__find_delete(session->connection, plan, filter));
}

/* -------------------------------------------------------------------- reading */

enum varve_status
varve_record_get(
    struct varve_session *session,
    const struct varve_record *table,
    const void *const *key,
    void **record)
{
    const struct varve__plan *plan;
    if (!record)
        return refuse_result(session, table);
    *record = NULL;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(session, varve__get(session->connection, plan, key, record));
}

enum varve_status
varve_record_get_by(
    struct varve_session *session,
    const struct varve_record *table,
    uint32_t field,
    const void *value,
    void **record)
{
    const struct varve__plan *plan;
    if (!record)
        return refuse_result(session, table);
    *record = NULL;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    status = varve__get_by(session->connection, plan, field, value, record);
    return varve__session_leave(session, status);
}

enum varve_status
varve_record_get_many(
    struct varve_session *session,
    const struct varve_record *table,
    const void *keys,
    int64_t count,
    void ***records)
{
    const struct varve__plan *plan;
    if (!records)
        return refuse_result(session, table);
    *records = NULL;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    status = check_array(table, keys, count);
    if (status == VARVE_OK)
        status = varve__get_many(session->connection, plan, keys, (size_t)count, records);
    return varve__session_leave(session, status);
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
    const struct varve__plan *plan;
    if (!cursor)
        return refuse_result(session, table);
    *cursor = NULL;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    status = varve__find(session->connection, plan, filter, cursor);
    if (status == VARVE_OK)
        (*cursor)->owner = session;
    return varve__session_leave(session, status);
}

enum varve_status
varve_record_find_one(
    struct varve_session *session,
    const struct varve_record *table,
    const void *filter,
    void **record)
{
    const struct varve__plan *plan;
    if (!record)
        return refuse_result(session, table);
    *record = NULL;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    status = varve__find_one(session->connection, plan, filter, record);
    return varve__session_leave(session, status);
}

enum varve_status
varve_record_count(
    struct varve_session *session,
    const struct varve_record *table,
    const void *filter,
    int64_t *count)
{
    const struct varve__plan *plan;
    if (!count)
        return refuse_result(session, table);
    *count = 0;
    enum varve_status status = enter(session, table, &plan);
    if (status != VARVE_OK)
        return status;
    status = varve__find_count(session->connection, plan, filter, count);
    return varve__session_leave(session, status);
}

/* -------------------------------------------------------------------- cursors */

/* Why a cursor has no next row of this table. */
static enum varve_status
refuse_next(const struct varve_cursor *cursor, const struct varve_record *table)
{
    if (!cursor)
        return misuse(table, "the cursor is NULL; look at the status of the find");
    if (!cursor->owner)
        return misuse(table, "the cursor's session is closed; close the cursor too");
    enum varve_status status = varve__session_enter(cursor->owner);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(
        cursor->owner,
        varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE,
            table ? table->descriptor->name : NULL,
            "the cursor is of %s, not of %s; call that message's _next",
            cursor->record->descriptor->name, table ? table->descriptor->name : "NULL"));
}

enum varve_status
varve_cursor_next(struct varve_cursor *cursor, const struct varve_record *table, const void **row)
{
    *row = NULL;
    if (__builtin_expect(!cursor || !cursor->owner || cursor->record != table, 0))
        return refuse_next(cursor, table);
    struct varve_session *session = cursor->owner;
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(session, cursor->next(cursor, row));
}

void
varve_cursor_close(struct varve_cursor *cursor)
{
    if (!cursor)
        return;
    struct varve_session *session = cursor->owner;
    /* After a fork the statement is the parent's. */
    if (!session || session->store->fork_count == varve__fork_count)
        cursor->close(cursor);
}
