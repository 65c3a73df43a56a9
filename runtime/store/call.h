/* Calls that are counted: how each begins and ends, once its session is entered.
 *
 *     struct varve__call call = varve__call_begin(session, VARVE_OPERATION_QUERY, record);
 *     enum varve_status status = ...;
 *     return varve__call_end(&call, rows, status);      leaves the session
 */
#ifndef VARVE_STORE_CALL_H
#define VARVE_STORE_CALL_H

#include "store/handles.h"

enum {
    VARVE__CALL_SAMPLE =
        16, /* of so many calls that are too short for the clock one is timed: a power of two */
    VARVE__CALL_NO_ROWS = -1, /* for calls that have no rows to tell of */
};

struct varve__call {
    struct varve_session *session;
    const struct varve_record *record; /* that it is about; NULL: none */
    enum varve_operation operation;
    int64_t begin; /* monotonic ns; 0: it is not timed */
};

/* Begins to time the session's call: monotonic ns. */
int64_t
varve__call_clock(struct varve_session *session);

static inline struct varve__call
varve__call_begin(
    struct varve_session *session,
    enum varve_operation operation,
    const struct varve_record *record)
{
    return (struct varve__call){session, record, operation, varve__call_clock(session)};
}

/* The same of calls so short that looking at the clock would be felt. All are timed where slow ones are told. */
static inline struct varve__call
varve__call_begin_short(
    struct varve_session *session,
    enum varve_operation operation,
    const struct varve_record *record)
{
    int64_t begin = 0;
    int64_t count =
        atomic_load_explicit(&session->meter.latency[operation].count, memory_order_relaxed);
    if (__builtin_expect((count & session->untimed) == 0, 0))
        begin = varve__call_clock(session);
    return (struct varve__call){session, record, operation, begin};
}

/* Notes the time of a call that is counted apart, and tells the log when it was slow. */
void
varve__call_time(struct varve__call call, int64_t rows, enum varve_status status);

/* Counts a call, notes its time, and tells the log when it was slow. `rows`: that it gave or changed, when its
 * status is VARVE_OK. */
static inline void
varve__call_note(const struct varve__call *call, int64_t rows, enum varve_status status)
{
    varve__meter_count(&call->session->meter, call->operation, status);
    if (__builtin_expect(call->begin != 0, 0))
        varve__call_time(*call, rows, status);
}

/* The same, after the session is left. Returns status. */
static inline enum varve_status
varve__call_end(const struct varve__call *call, int64_t rows, enum varve_status status)
{
    status = varve__session_leave(call->session, status);
    varve__call_note(call, rows, status);
    return status;
}

/* Tells the log of a cursor whose rows have ended, and were slow. */
void
varve__call_tell_rows(
    struct varve_session *session, const struct varve_cursor *cursor, enum varve_status status);

#endif
