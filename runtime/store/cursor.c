/* Cursors of a find: their rows, how long these took, and how long they are open. */
#include "store/cursor.h"

#include "store/call.h"
#include "store/observe.h"

#include <varve/table.h>

enum {
    LOOK_EACH = 16 /* rows, of which one is taken for looking how long the cursor is open */
};

/* -------------------------------------------------------------------- opening */

enum varve_status
varve__cursor_opened(
    const struct varve__call *call, struct varve_cursor *cursor, enum varve_status status)
{
    if (status != VARVE_OK)
        return varve__call_end(call, VARVE__CALL_NO_ROWS, status);
    cursor->owner = call->session;
    cursor->operation = call->operation;
    cursor->measured = true;
    status = varve__session_leave(call->session, status);
    varve__meter_count(&call->session->meter, call->operation, status);
    cursor->spent_ns = varve__monotonic_now() - call->begin;
    return status;
}

/* -------------------------------------------------------------------- the end of rows */

/* Notes the time until the first row, or the end of all when there is none. */
static void
note_first(struct varve_session *session, struct varve_cursor *cursor)
{
    if (!cursor->counted)
        varve__meter_time(&session->meter, cursor->operation, cursor->spent_ns);
    cursor->counted = true;
}

/* The rows of a cursor that is measured have ended so. */
static void
note_end(struct varve_session *session, struct varve_cursor *cursor, enum varve_status status)
{
    cursor->measured = false;
    note_first(session, cursor);
    varve__call_tell_rows(session, cursor, status);
}

void
varve__cursor_ends(struct varve_session *session, struct varve_cursor *cursor)
{
    varve__observe_cursor(session, cursor, cursor->opened_at);
    if (!cursor->measured)
        return;
    cursor->end(cursor);
    note_end(session, cursor, VARVE_OK);
}

/* -------------------------------------------------------------------- rows */

static enum varve_status
misuse(const struct varve_record *table, const char *text)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, table ? table->descriptor->name : NULL,
        "%s", text);
}

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

/* What is looked at now and then, and when the rows end. */
static void
look_after(
    struct varve_session *session,
    struct varve_cursor *cursor,
    int64_t opened_at,
    enum varve_status status)
{
    if (opened_at != 0 && varve__meter_is_failure(status))
        varve__count(&session->meter.latency[cursor->operation].failures, 1);
    varve__observe_cursor(session, cursor, opened_at);
}

/* How many rows were given, with this one. */
static inline int64_t
count_row(struct varve_cursor *cursor)
{
    int64_t rows = atomic_load_explicit(&cursor->rows, memory_order_relaxed) + 1;
    atomic_store_explicit(&cursor->rows, rows, memory_order_relaxed);
    return rows;
}

/* The first row of each cursor, and all where slow calls are told. */
static enum varve_status
next_measured(struct varve_session *session, struct varve_cursor *cursor, const void **row)
{
    int64_t opened_at = cursor->opened_at;
    int64_t begin = varve__monotonic_now();
    enum varve_status status = varve__session_leave(session, cursor->next(cursor, row));
    cursor->spent_ns += varve__monotonic_now() - begin;
    bool look = status != VARVE_ROW || count_row(cursor) % LOOK_EACH == 2;
    if (status == VARVE_ROW) {
        note_first(session, cursor);
        cursor->measured = session->store->slow_call_ns > 0;
    } else {
        note_end(session, cursor, status);
    }
    if (look)
        look_after(session, cursor, opened_at, status);
    return status;
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
    if (__builtin_expect(cursor->measured, 0))
        return next_measured(session, cursor, row);
    int64_t opened_at = cursor->opened_at;
    status = varve__session_leave(session, cursor->next(cursor, row));
    if (__builtin_expect(status != VARVE_ROW || count_row(cursor) % LOOK_EACH == 2, 0))
        look_after(session, cursor, opened_at, status);
    return status;
}

void
varve_cursor_close(struct varve_cursor *cursor)
{
    if (!cursor)
        return;
    struct varve_session *session = cursor->owner;
    /* After a fork the statement is the parent's. */
    if (session && session->store->fork_count != varve__fork_count)
        return;
    if (session)
        varve__cursor_ends(session, cursor);
    cursor->close(cursor);
}
