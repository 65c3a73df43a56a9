/* Inserting a record, or an array of them. */
#include "base/error.h"
#include "base/memory.h"
#include "codec/check.h"
#include "table/feed.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/seal.h"
#include "table/staged.h"
#include "table/transaction.h"
#include "table/write.h"

static int64_t *
key_of(const struct varve__plan *plan, void *record)
{
    return varve__slot_member(&plan->slots[plan->keys[0]], record);
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

/* Takes `count` keys that nobody gets any more, from *first on, in a transaction of its own. */
static enum varve_status
reserve_keys(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    size_t count,
    int64_t *first)
{
    int64_t greatest;
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    int code = varve__probe_sequence(connection, plan, &greatest);
    if (code != SQLITE_OK)
        status = varve__connection_fail(connection, code, plan, "taking keys");
    else if (greatest > INT64_MAX - (int64_t)count)
        status = varve__fail_no_key(plan, "taking keys");
    else
        status = varve__probe_raise_sequence(connection, plan, greatest + (int64_t)count);
    *first = greatest + 1;
    return varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
}

/* Writes segments of a record's large tensors ahead, by its key: *reserved is the one it has got for that, else 0. */
static enum varve_status
seal_ahead(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *record,
    int64_t *reserved)
{
    size_t failed;
    enum varve_status status = VARVE_OK;
    const struct varve__seal what = {record, 1, NULL, plan->tensors, plan->tensor_count};
    *reserved = 0;
    if (plan->tensor_count == 0 ||
        !varve__seal_is_ahead(connection, varve__seal_bytes(plan, &what, 0)))
        return VARVE_OK;
    if (varve__row_key_is_missing(plan, record)) {
        status = reserve_keys(connection, plan, 1, reserved);
        if (status == VARVE_OK)
            *key_of(plan, record) = *reserved;
    }
    return status == VARVE_OK ? varve__seal_ahead(connection, plan, &what, &failed) : status;
}

static enum varve_status
insert_checked(struct varve__connection *connection, const struct varve__plan *plan, void *record)
{
    int64_t id = 0;
    sqlite3_stmt *statement;
    enum varve__write kind = plan->tensor_count > 0 ? VARVE__WRITE_SEVERAL : VARVE__WRITE_ONE;
    enum varve_status status = varve__statement(connection, plan, VARVE__VERB_INSERT, &statement);
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

enum varve_status
varve__insert(struct varve__connection *connection, const struct varve__plan *plan, void *record)
{
    int64_t reserved = 0;
    enum varve_status status = varve__record_check(plan->record, record, VARVE__CHECK_LOADED, NULL);
    if (status == VARVE_OK)
        status = seal_ahead(connection, plan, record, &reserved);
    if (status == VARVE_OK)
        status = insert_checked(connection, plan, record);
    varve__seal_forget(connection, plan);
    if (status != VARVE_OK && reserved != 0)
        *key_of(plan, record) = 0;
    return status;
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
    if (connection->catalog.ahead) {
        feed.checked = true;
        feed.ids = ids;
    } else if (ids && count_missing(plan, records, count) < count) {
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

static enum varve_status
check_all(const struct varve__plan *plan, void *records, size_t count)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        status = varve__record_check(
            plan->record, record_at(plan, records, i), VARVE__CHECK_LOADED, NULL);
        if (status != VARVE_OK)
            varve__failure_set_index((int64_t)i);
    }
    return status;
}

/* The keys of records that have all got one, or none: then those that follow one another from here on. */
static enum varve_status
reserve_ids(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *records,
    size_t count,
    int64_t *ids)
{
    int64_t first = 0;
    enum varve_status status = VARVE_OK;
    bool missing = varve__row_key_is_missing(plan, records);
    if (missing)
        status = reserve_keys(connection, plan, count, &first);
    for (size_t i = 0; i < count; i++)
        ids[i] = missing ? first + (int64_t)i : varve__write_id(plan, record_at(plan, records, i));
    return status;
}

/* Writes the segments of many or large tensors ahead. Records of which some have keys and some get them are left
 * for the write: only there it is known which keys are next. */
static enum varve_status
seal_all_ahead(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    void *records,
    size_t count,
    int64_t *ids)
{
    size_t bytes = 0, failed = 0;
    const struct varve__seal all = {records, count, ids, plan->tensors, plan->tensor_count};
    if (plan->tensor_count == 0 || count == 0)
        return VARVE_OK;
    for (size_t i = 0; i < count; i++)
        bytes += varve__seal_bytes(plan, &all, i);
    size_t missing = ids ? count_missing(plan, records, count) : 0;
    if (!varve__seal_is_ahead(connection, bytes) || (missing > 0 && missing < count))
        return VARVE_OK;
    enum varve_status status = check_all(plan, records, count);
    if (status == VARVE_OK && ids)
        status = reserve_ids(connection, plan, records, count, ids);
    if (status != VARVE_OK)
        return status;
    status = varve__seal_ahead(connection, plan, &all, &failed);
    if (status != VARVE_OK)
        varve__failure_set_index((int64_t)failed);
    return status;
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
    enum varve_status status = seal_all_ahead(connection, plan, records, count, ids);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status == VARVE_OK) {
        if (count > 0)
            status = insert_rows(connection, plan, records, count, ids);
        status = varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
    }
    varve__seal_forget(connection, plan);
    if (status == VARVE_OK) {
        for (size_t i = 0; i < count; i++)
            varve__write_back(
                plan, record_at(plan, records, i), inserted_id(plan, records, i, ids), 1);
        connection->changes = (int64_t)count;
    }
    varve__release(ids);
    return status;
}
