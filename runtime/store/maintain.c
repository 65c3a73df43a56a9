/* The archive's upkeep: one at a time in a folder. */
#include "store/maintain.h"

#include <stdio.h>
#include <string.h>

#include <varve/archive.h>

#include "base/memory.h"
#include "store/call.h"
#include "table/move.h"
#include "table/sqlite.h"
#include "table/tidy.h"
#include "table/transaction.h"
#include "table/write.h"

#define DAY_NS INT64_C(86400000000000)

enum {
    RETIRED_AT_ONCE = 500 /* records of one transaction */
};

enum varve_status
varve__maintain_refuse_writer(struct varve_store *store, const char *call)
{
    if (!varve__queue_is_mine(&store->queue))
        return VARVE_OK;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
        "%s: this thread has a session in a write transaction; commit or roll back first", call);
}

/* -------------------------------------------------------------------- one at a time */

static enum varve_status
take_lock(struct varve_store *store, struct varve__file_lock *lock)
{
    size_t size = strlen(store->folder) + sizeof "/archive.lock";
    char *path = varve__allocate(size);
    varve__file_lock_init(lock);
    if (!path)
        return varve__fail_memory(NULL, size);
    snprintf(path, size, "%s/archive.lock", store->folder);
    enum varve_status status = varve__file_lock_open(lock, path, false);
    varve__release(path);
    if (status == VARVE_OK)
        status = varve__file_lock_try(lock, true);
    if (status == VARVE_BUSY)
        status = varve__fail(
            VARVE_BUSY, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
            "another call flushes or compacts the archive of %s; wait for it, or try again",
            store->folder);
    if (status != VARVE_OK)
        varve__file_lock_close(lock);
    return status;
}

/* -------------------------------------------------------------------- progress */

struct told {
    const struct varve_store *store;
    const char *what;
};

static void
tell(void *context, const struct varve_record *record, int64_t done, int64_t total)
{
    const struct told *told = context;
    told->store->progress(
        told->store->progress_context, told->what, record->descriptor->name, done, total);
}

/* A damaged tensor is left where it is, and a read of it says so too. */
static void
log_damaged(const struct varve_store *store, const struct varve__plan *plan, int64_t damaged)
{
    if (damaged > 0)
        varve__store_log(
            store, VARVE_LOG_ERROR, VARVE_TIER_ARCHIVE,
            "%lld tensors of %s are not what was written and were not moved: the database was "
            "changed by hand or "
            "damaged; restore a backup",
            (long long)damaged, plan->record->descriptor->name);
}

typedef enum varve_status
move_all(struct varve__connection *, const struct varve__plan *, struct varve__mover *);

static enum varve_status
for_each_plan(
    struct varve_session *session, const char *what, move_all *move, struct varve__mover *mover)
{
    struct varve_store *store = session->store;
    struct told told = {store, what};
    enum varve_status status = VARVE_OK;
    mover->progress = store->progress ? tell : NULL;
    mover->context = &told;
    for (size_t i = 0; i < store->plans->count && status == VARVE_OK; i++) {
        const struct varve__plan *plan = &store->plans->plans[i];
        int64_t damaged = mover->report.damaged;
        if (plan->tensor_count > 0)
            status = move(session->connection, plan, mover);
        log_damaged(store, plan, mover->report.damaged - damaged);
    }
    mover->progress = NULL; /* `told` ends here */
    mover->context = NULL;
    return status;
}

/* -------------------------------------------------------------------- flush */

static enum varve_status
flush(struct varve_session *session, struct varve__mover *mover)
{
    enum varve_status status = for_each_plan(session, "flush", varve__move_flush, mover);
    if (status == VARVE_OK && mover->report.tensors > 0)
        status = varve__tidy_vacuum(session->connection);
    return status;
}

static enum varve_status
flush_locked(struct varve_session *session)
{
    struct varve__file_lock lock;
    struct varve__mover mover = {0};
    if (!session->store->archive)
        return VARVE_OK;
    if (session->store->connect.read_only)
        return varve__fail(
            VARVE_READ_ONLY, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
            "varve_flush: the store was opened with read_only; open it without");
    enum varve_status status = take_lock(session->store, &lock);
    if (status != VARVE_OK)
        return status;
    status = flush(session, &mover);
    varve__file_lock_close(&lock);
    return status;
}

enum varve_status
varve_flush(struct varve_store *store)
{
    struct varve_session *session;
    if (!store)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
            "varve_flush: the store is NULL; open one with varve_open() and look at its status");
    enum varve_status status = varve__maintain_refuse_writer(store, "varve_flush");
    if (status == VARVE_OK)
        status = varve_session_open(store, &session);
    if (status != VARVE_OK)
        return status;
    status = varve__session_enter(session);
    if (status == VARVE_OK) {
        struct varve__call call = varve__call_begin(session, VARVE_OPERATION_FLUSH, NULL);
        status = varve__call_end(&call, VARVE__CALL_NO_ROWS, flush_locked(session));
    }
    varve_session_close(session);
    return status;
}

/* -------------------------------------------------------------------- retention */

/* Keys of the next records that are too old, behind the last one. */
static enum varve_status
find_old(
    struct varve_session *session,
    const struct varve__plan *plan,
    int64_t before,
    int64_t behind,
    int64_t keys[RETIRED_AT_ONCE],
    size_t *count)
{
    int code = SQLITE_DONE;
    sqlite3_stmt *statement = NULL;
    const char *key = plan->slots[plan->keys[0]].column->field->name;
    char *text = sqlite3_mprintf(
        "SELECT \"%w\" FROM \"%w\" WHERE \"%w\" < ?1 AND \"%w\" > ?2 ORDER BY \"%w\" LIMIT %d", key,
        plan->record->table->name, plan->record->archive->retention_by->name, key, key,
        RETIRED_AT_ONCE);
    *count = 0;
    if (!text)
        return varve__fail_memory(plan->record->descriptor->name, 0);
    enum varve_status status =
        varve__sqlite_prepare(session->connection->database, plan->record, text, &statement);
    sqlite3_free(text);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_int64(statement, 1, before);
    sqlite3_bind_int64(statement, 2, behind);
    while (*count < RETIRED_AT_ONCE && (code = sqlite3_step(statement)) == SQLITE_ROW)
        keys[(*count)++] = sqlite3_column_int64(statement, 0);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        status = varve__connection_fail(session->connection, code, plan, "retention");
    sqlite3_finalize(statement);
    return status;
}

/* Deletes them as the caller would. What others refer to stays. */
static enum varve_status
retire(
    struct varve_session *session,
    const struct varve__plan *plan,
    const int64_t *keys,
    size_t count,
    struct varve_maintenance_report *report)
{
    int64_t retired = 0, kept = 0;
    struct varve__connection *connection = session->connection;
    enum varve_status status = varve__transaction_begin(connection);
    if (status != VARVE_OK)
        return status;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        const void *key[] = {&keys[i]};
        status = varve__delete(connection, plan, key);
        retired += status == VARVE_OK;
        kept += status == VARVE_CONFLICT;
        if (status == VARVE_CONFLICT || status == VARVE_NOT_FOUND)
            status = VARVE_OK;
    }
    if (status != VARVE_OK) {
        enum varve_status ignored = varve__transaction_rollback(connection);
        (void)ignored; /* the failure is what is to be told */
        return status;
    }
    status = varve__transaction_commit(connection);
    if (status == VARVE_OK) {
        report->records_retired += retired;
        report->records_kept += kept;
    }
    return status;
}

static enum varve_status
retire_plan(
    struct varve_session *session,
    const struct varve__plan *plan,
    int64_t now,
    struct varve_maintenance_report *report)
{
    size_t count;
    int64_t keys[RETIRED_AT_ONCE];
    int64_t behind = INT64_MIN, age;
    if (__builtin_mul_overflow(plan->record->archive->retention_days, DAY_NS, &age))
        return VARVE_OK;
    do {
        enum varve_status status = find_old(session, plan, now - age, behind, keys, &count);
        if (status == VARVE_OK && count > 0)
            status = retire(session, plan, keys, count, report);
        if (status != VARVE_OK)
            return status;
        behind = count > 0 ? keys[count - 1] : behind;
    } while (count == RETIRED_AT_ONCE);
    return VARVE_OK;
}

static enum varve_status
retire_all(struct varve_session *session, struct varve_maintenance_report *report)
{
    struct varve_store *store = session->store;
    enum varve_status status = VARVE_OK;
    int64_t now = store->clock ? store->clock(store->clock_context) : varve_now();
    for (size_t i = 0; i < store->plans->count && status == VARVE_OK; i++) {
        const struct varve__plan *plan = &store->plans->plans[i];
        const struct varve_archive *archive = plan->record->archive;
        if (archive && archive->retention_days > 0 && archive->retention_by)
            status = retire_plan(session, plan, now, report);
    }
    return status;
}

/* -------------------------------------------------------------------- all of it */

static enum varve_status
compact(struct varve_session *session, struct varve_maintenance_report *report)
{
    struct varve__connection *connection = session->connection;
    struct varve__mover moved = {0}, compacted = {0};
    enum varve_status status = flush(session, &moved);
    if (status == VARVE_OK)
        status = for_each_plan(session, "compact", varve__move_compact, &compacted);
    report->tensors_flushed = moved.report.tensors;
    report->tensors_moved = compacted.report.tensors;
    report->tensors_damaged = moved.report.damaged + compacted.report.damaged;
    report->segments_dropped = compacted.report.dropped;
    if (status == VARVE_OK)
        status = varve__tidy_unnamed(connection, &report->segments_dropped);
    if (status == VARVE_OK)
        status = varve__tidy_dropped(connection, &report->files_deleted);
    if (status == VARVE_OK)
        status = varve__tidy_sweep(connection, &report->files_deleted);
    return status;
}

static enum varve_status
maintain_locked(struct varve_session *session, struct varve_maintenance_report *report)
{
    struct varve__file_lock lock;
    enum varve_status status = take_lock(session->store, &lock);
    if (status != VARVE_OK)
        return status;
    status = retire_all(session, report);
    if (status == VARVE_OK)
        status = compact(session, report);
    varve__file_lock_close(&lock);
    return status;
}

enum varve_status
varve__maintain_archive(struct varve_session *session, struct varve_maintenance_report *report)
{
    if (!session->store->archive || session->store->connect.read_only)
        return VARVE_OK;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_COMPACT, NULL);
    enum varve_status status = maintain_locked(session, report);
    varve__call_note(&call, VARVE__CALL_NO_ROWS, status);
    return status;
}
