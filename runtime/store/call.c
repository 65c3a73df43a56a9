/* Timing calls, and telling the log of slow ones. */
#include "store/call.h"

#include <stdio.h>

#include "base/cursor.h"
#include "table/trace.h"

enum {
    PART_SIZE = 200 /* of the sentence */
};

/* What is told of a slow call. */
struct slow {
    enum varve_operation operation;
    const struct varve_record *record;
    enum varve_status status;
    int64_t ns;
    int64_t rows;                         /* VARVE__CALL_NO_ROWS: none to tell of */
    int64_t statements;                   /* of which this is about the longest: */
    int64_t statement_ns;                 /* only where there were several */
    const struct varve__trace_note *note; /* NULL: nothing is known */
};

static enum varve_tier
tier_of(enum varve_operation operation)
{
    if (operation < VARVE_OPERATION_RECORD_INSERT)
        return VARVE_TIER_CACHE;
    bool archive = operation == VARVE_OPERATION_TENSOR_READ ||
                   operation == VARVE_OPERATION_TENSOR_WRITE ||
                   operation == VARVE_OPERATION_FLUSH || operation == VARVE_OPERATION_COMPACT;
    return archive ? VARVE_TIER_ARCHIVE : VARVE_TIER_TABLE;
}

/* "12.345 ms", in microseconds that are not rounded up. */
static void
write_ms(char text[32], int64_t ns)
{
    snprintf(text, 32, "%lld.%03lld ms", (long long)(ns / 1000000), (long long)(ns / 1000 % 1000));
}

/* ", 12 rows", or how it failed. */
static void
write_outcome(char text[PART_SIZE], const struct slow *slow)
{
    text[0] = '\0';
    if (slow->status == VARVE_NOT_FOUND)
        snprintf(text, PART_SIZE, ", nothing was found");
    else if (varve__meter_is_failure(slow->status))
        snprintf(text, PART_SIZE, " and failed with %s", varve_status_name(slow->status));
    else if (slow->rows >= 0)
        snprintf(
            text, PART_SIZE, ", %lld row%s", (long long)slow->rows, slow->rows == 1 ? "" : "s");
}

/* "; the longest of 3 statements took 0.120 ms, and scanned 99 rows without an index: " */
static void
write_statement(char text[PART_SIZE], const struct slow *slow)
{
    char ms[32], several[96] = "", scanned[96] = "";
    write_ms(ms, slow->statement_ns);
    if (slow->statements > 1)
        snprintf(
            several, sizeof several, "; the longest of %lld statements took %s",
            (long long)slow->statements, ms);
    if (slow->note->scanned > 0)
        snprintf(
            scanned, sizeof scanned, "%s scanned %lld row%s without an index",
            slow->statements > 1 ? " and" : "; its statement", (long long)slow->note->scanned,
            slow->note->scanned == 1 ? "" : "s");
    snprintf(text, PART_SIZE, "%s%s: ", several, scanned);
}

/* The call's own failure must survive what the log does. */
static void
tell(const struct varve_store *store, const struct slow *slow)
{
    struct varve__kept_failure kept;
    char ms[32], outcome[PART_SIZE], statement[PART_SIZE] = "";
    bool known = slow->note && slow->note->sql[0];
    write_ms(ms, slow->ns);
    write_outcome(outcome, slow);
    if (known)
        write_statement(statement, slow);
    varve__failure_keep(&kept);
    varve__store_log(
        store, VARVE_LOG_WARNING, tier_of(slow->operation), "slow call: %s%s%s took %s%s%s%s",
        varve_operation_name(slow->operation), slow->record ? " of " : "",
        slow->record ? slow->record->descriptor->name : "", ms, outcome, statement,
        known ? slow->note->sql : "");
    varve__failure_restore(&kept);
}

int64_t
varve__call_clock(struct varve_session *session)
{
    struct varve__connection *connection = session->connection;
    if (connection->trace)
        varve__trace_begin(connection->trace);
    connection->call_began = varve__monotonic_now();
    return connection->call_began;
}

void
varve__call_time(struct varve__call call, int64_t rows, enum varve_status status)
{
    struct varve_session *session = call.session;
    int64_t ns = varve__monotonic_now() - call.begin;
    varve__meter_time(&session->meter, call.operation, ns);
    int64_t limit = session->store->slow_call_ns;
    const struct varve__trace *trace = session->connection->trace;
    if (limit == 0 || ns < limit)
        return;
    const struct slow slow = {
        .operation = call.operation,
        .record = call.record,
        .status = status,
        .ns = ns,
        .rows = rows,
        .statements = trace->statements,
        .statement_ns = trace->longest_ns,
        .note = &trace->longest,
    };
    tell(session->store, &slow);
}

void
varve__call_tell_rows(
    struct varve_session *session, const struct varve_cursor *cursor, enum varve_status status)
{
    int64_t limit = session->store->slow_call_ns;
    if (limit == 0 || cursor->spent_ns < limit)
        return;
    const struct slow slow = {
        .operation = cursor->operation,
        .record = cursor->record,
        .status = status,
        .ns = cursor->spent_ns,
        .rows = atomic_load_explicit(&cursor->rows, memory_order_relaxed),
        .statements = 1,
        .note = cursor->note,
    };
    tell(session->store, &slow);
}
