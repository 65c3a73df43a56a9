/* Insert, insert_many and delete, and what they share with update.c and upsert.c. */
#include "table/write.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/check.h"
#include "codec/unknown.h"
#include "table/feed.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/seal.h"
#include "table/staged.h"
#include "table/transaction.h"

/* -------------------------------------------------------------------- shared */

static int64_t *
id_member(const struct varve__plan *plan, const void *record)
{
    return varve__slot_member(&plan->slots[plan->keys[0]], record);
}

int64_t
varve__write_id(const struct varve__plan *plan, const void *record)
{
    return varve__plan_has_id(plan) ? *id_member(plan, record) : 0;
}

void
varve__write_back(const struct varve__plan *plan, void *record, int64_t id, int64_t version)
{
    if (varve__plan_has_id(plan))
        *id_member(plan, record) = id;
    if (plan->version != VARVE__NO_SLOT)
        *(int64_t *)varve__slot_member(&plan->slots[plan->version], record) = version;
}

enum varve_status
varve__write_bind_all(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement)
{
    struct varve__arena *arena = connection->arena;
    varve__arena_reset(arena);
    enum varve_status status = varve__row_bind(plan, record, arena, statement);
    if (status != VARVE_OK)
        return status;
    if (!varve__unknown_is_cleared(record))
        return varve__row_bind_unknown(plan, record, arena, statement);
    int code = sqlite3_bind_zeroblob(statement, varve__plan_unknown(plan), 0);
    return code == SQLITE_OK ? VARVE_OK : varve__connection_fail(connection, code, plan, "bind");
}

bool
varve__write_exists(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    enum varve_status *status)
{
    sqlite3_stmt *statement;
    *status = varve__statement(connection, plan, VARVE__VERB_EXISTS, &statement);
    if (*status == VARVE_OK)
        *status = varve__row_bind_key(plan, key, statement, 1);
    if (*status != VARVE_OK)
        return false;
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        *status = varve__connection_fail(connection, code, plan, "update");
    else
        *status = varve__guard_read(connection, statement);
    sqlite3_reset(statement);
    return code == SQLITE_ROW;
}

enum varve_status
varve__write_missed(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *const *key,
    const void *record)
{
    enum varve_status status = VARVE_OK;
    bool there = plan->version != VARVE__NO_SLOT && record &&
                 varve__write_exists(connection, plan, key, &status);
    if (status != VARVE_OK)
        return status;
    if (!there)
        return varve__not_found(plan, key);
    char text[VARVE__KEY_TEXT];
    const struct varve__slot *version = &plan->slots[plan->version];
    const char *name = plan->record->descriptor->name;
    varve__key_text(plan, key, text);
    status = varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_VERSION, VARVE_TIER_TABLE, name,
        "the %s with %s was changed since version %lld of it was read; read it again and repeat "
        "the "
        "change",
        name, text, (long long)*(int64_t *)varve__slot_member(version, record));
    varve__failure_add_field(version->column->field->id);
    return status;
}

/* -------------------------------------------------------------------- insert */

static enum varve_status
insert_row(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement,
    int64_t *id)
{
    enum varve_status status = VARVE_OK;
    int code = varve__guard_step(connection, plan, record, statement);
    sqlite3_reset(statement);
    if (code == SQLITE_DONE)
        *id = sqlite3_last_insert_rowid(connection->database);
    else
        status = varve__probe_write(connection, code, plan, record, NULL, "insert");
    if (status == VARVE_OK && plan->tensor_count > 0)
        status = varve__staged_write(connection, plan, record, *id, VARVE__STAGED_INSERT);
    return status;
}

enum varve_status
varve__insert(struct varve__connection *connection, const struct varve__plan *plan, void *record)
{
    int64_t id = 0;
    sqlite3_stmt *statement;
    enum varve__write kind = plan->tensor_count > 0 ? VARVE__WRITE_SEVERAL : VARVE__WRITE_ONE;
    enum varve_status status = varve__record_check(plan->record, record, VARVE__CHECK_LOADED, NULL);
    if (status == VARVE_OK)
        status = varve__statement(connection, plan, VARVE__VERB_INSERT, &statement);
    if (status != VARVE_OK)
        return status;
    kind = varve__write_of_insert(connection, kind);
    struct varve__arena *arena = connection->arena;
    varve__arena_reset(arena);
    status = varve__row_bind(plan, record, arena, statement);
    if (status == VARVE_OK)
        status = varve__row_bind_unknown(plan, record, arena, statement);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, kind);
    if (status != VARVE_OK)
        return status;
    status = insert_row(connection, plan, record, statement, &id);
    status = varve__write_end(connection, kind, status);
    if (status != VARVE_OK)
        return status;
    varve__write_back(plan, record, id, 1);
    connection->changes = 1;
    return VARVE_OK;
}

/* -------------------------------------------------------------------- insert_many */

static void *
record_at(const struct varve__plan *plan, void *records, size_t index)
{
    return (char *)records + index * plan->record->descriptor->sizeof_message;
}

/* How many of the records have no key yet. */
static size_t
count_missing(const struct varve__plan *plan, void *records, size_t count)
{
    size_t missing = 0;
    for (size_t i = 0; i < count; i++)
        missing += varve__row_key_is_missing(plan, record_at(plan, records, i));
    return missing;
}

/* Assigns keys as SQLite would, one by one: some records may bring their own. */
static enum varve_status
assign_keys(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *records,
    size_t count,
    int64_t *ids)
{
    int64_t greatest = 0;
    int code = varve__probe_sequence(connection, plan, &greatest);
    if (code != SQLITE_OK)
        return varve__connection_fail(connection, code, plan, "insert_many");
    for (size_t i = 0; i < count; i++) {
        int64_t given = varve__write_id(plan, record_at(plan, records, i));
        if (given == 0 && greatest == INT64_MAX)
            return varve__fail_no_key(plan, "insert_many");
        ids[i] = given == 0 ? greatest + 1 : given;
        greatest = ids[i] > greatest ? ids[i] : greatest;
    }
    return VARVE_OK;
}

static enum varve_status
run_feed(
    struct varve__connection *connection, const struct varve__plan *plan, struct varve__feed *feed)
{
    sqlite3_stmt *statement;
    enum varve_status status =
        varve__statement(connection, plan, VARVE__VERB_INSERT_FEED, &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_pointer(statement, 1, feed, VARVE__FEED_TYPE, NULL);
    int code = varve__connection_step(connection, statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (code == SQLITE_DONE)
        return VARVE_OK;
    if (feed->status != VARVE_OK) {
        varve__failure_set_index((int64_t)feed->index);
        return feed->status;
    }
    return varve__probe_many(connection, code, plan, feed);
}

/* Fills ids[], when there is one, with the keys that the rows have got. */
static void
take_ids(struct varve__connection *connection, const struct varve__feed *feed, int64_t *ids)
{
    if (!ids || feed->ids)
        return;
    int64_t last = sqlite3_last_insert_rowid(connection->database);
    for (size_t i = 0; i < feed->count; i++)
        ids[i] = last - (int64_t)(feed->count - 1 - i);
}

/* The id of a row that was inserted. */
static int64_t
inserted_id(const struct varve__plan *plan, void *records, size_t index, const int64_t *ids)
{
    return ids ? ids[index] : varve__write_id(plan, record_at(plan, records, index));
}

/* Many tensors, or large ones, to segments; few and small ones into the table. */
static enum varve_status
insert_tensors(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *records,
    size_t count,
    const int64_t *ids)
{
    enum varve_status status = VARVE_OK;
    const struct varve__seal all = {records, count, ids, plan->tensors, plan->tensor_count};
    size_t bytes = 0, failed = 0;
    for (size_t i = 0; i < count; i++)
        bytes += varve__seal_bytes(plan, &all, i);
    if (varve__seal_wanted(connection, bytes)) {
        status = varve__seal_write(connection, plan, &all, &failed);
        if (status != VARVE_OK)
            varve__failure_set_index((int64_t)failed);
        return status;
    }
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        status = varve__connection_poll(connection, plan, "insert_many");
        if (status == VARVE_OK)
            status = varve__staged_write(
                connection, plan, record_at(plan, records, i), inserted_id(plan, records, i, ids),
                VARVE__STAGED_INSERT);
        if (status != VARVE_OK)
            varve__failure_set_index((int64_t)i);
    }
    return status;
}

/* Only where the database is newer than the schema. */
static enum varve_status
check_unknown(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *records,
    size_t count)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        status = varve__guard_unknown(connection, plan, record_at(plan, records, i));
        if (status != VARVE_OK)
            varve__failure_set_index((int64_t)i);
    }
    return status;
}

/* Inserts inside a write that has begun. `ids` is NULL where keys are not generated. */
static enum varve_status
insert_rows(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *records,
    size_t count,
    int64_t *ids)
{
    enum varve_status status = VARVE_OK;
    varve__arena_reset(connection->arena);
    struct varve__feed feed = {.records = records, .count = count, .arena = connection->arena};
    if (ids && count_missing(plan, records, count) < count) {
        status = assign_keys(connection, plan, records, count, ids);
        feed.ids = ids;
    }
    if (status == VARVE_OK && connection->guard.newer.found)
        status = check_unknown(connection, plan, records, count);
    if (status == VARVE_OK)
        status = run_feed(connection, plan, &feed);
    if (status != VARVE_OK)
        return status;
    take_ids(connection, &feed, ids);
    return plan->tensor_count > 0 ? insert_tensors(connection, plan, records, count, ids)
                                  : VARVE_OK;
}

enum varve_status
varve__insert_many(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *records,
    size_t count)
{
    int64_t *ids = NULL;
    size_t size;
    if (plan->generated_key && count > 0) {
        ids = varve__size_multiply(count, sizeof *ids, &size) ? varve__allocate(size) : NULL;
        if (!ids)
            return varve__fail_memory(plan->record->descriptor->name, count);
    }
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status == VARVE_OK) {
        if (count > 0)
            status = insert_rows(connection, plan, records, count, ids);
        status = varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
    }
    if (status == VARVE_OK) {
        for (size_t i = 0; i < count; i++)
            varve__write_back(
                plan, record_at(plan, records, i), inserted_id(plan, records, i, ids), 1);
        connection->changes = (int64_t)count;
    }
    varve__release(ids);
    return status;
}

/* -------------------------------------------------------------------- delete */

enum varve_status
varve__delete(
    struct varve__connection *connection, const struct varve__plan *plan, const void *const *key)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__statement(connection, plan, VARVE__VERB_DELETE, &statement);
    if (status == VARVE_OK)
        status = varve__row_bind_key(plan, key, statement, 1);
    enum varve__write kind = varve__write_of_change(connection, VARVE__WRITE_ONE);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, kind);
    if (status != VARVE_OK)
        return status;
    int code = varve__guard_step(connection, plan, NULL, statement);
    sqlite3_reset(statement);
    if (code != SQLITE_DONE)
        status = varve__probe_delete(connection, code, plan, key);
    else if (sqlite3_changes64(connection->database) == 0)
        status = varve__not_found(plan, key);
    status = varve__write_end(connection, kind, status);
    if (status == VARVE_OK)
        connection->changes = 1;
    return status;
}
