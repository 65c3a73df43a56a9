/* Listening to SQLite's statements. */
#include "table/trace.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "base/watch.h"

void
varve__trace_describe(sqlite3_stmt *statement, struct varve__trace_note *note)
{
    const char *sql = sqlite3_sql(statement);
    size_t size = sql ? strlen(sql) : 0;
    if (size >= sizeof note->sql)
        size = varve__utf8_whole(sql, sizeof note->sql - 1);
    memcpy(note->sql, sql ? sql : "", size);
    note->sql[size] = '\0';
    note->scanned = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
}

static void
note_begin(struct varve__trace *trace, sqlite3_stmt *statement)
{
    sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1); /* from 0 on */
    if (trace->begun_count == VARVE__TRACE_DEPTH)
        return;
    trace->begun[trace->begun_count].statement = statement;
    trace->begun[trace->begun_count++].begin = varve__monotonic_now();
}

static void
note_end(struct varve__trace *trace, sqlite3_stmt *statement)
{
    size_t i = 0;
    while (i < trace->begun_count && trace->begun[i].statement != statement)
        i++;
    if (i == trace->begun_count)
        return;
    int64_t ns = varve__monotonic_now() - trace->begun[i].begin;
    trace->begun[i] = trace->begun[--trace->begun_count];
    trace->statements++;
    if (ns <= trace->longest_ns)
        return;
    trace->longest_ns = ns;
    varve__trace_describe(statement, &trace->longest);
}

/* A trigger, or a statement inside of another, is told with a comment for its text: it is part of that. */
static int
hear(unsigned what, void *context, void *statement, void *detail)
{
    if (what == SQLITE_TRACE_PROFILE)
        note_end(context, statement);
    else if (what == SQLITE_TRACE_STMT && strncmp(detail, "--", 2) != 0)
        note_begin(context, statement);
    return 0;
}

struct varve__trace *
varve__trace_create(sqlite3 *database)
{
    struct varve__trace *trace = varve__allocate(sizeof *trace);
    if (!trace) {
        enum varve_status recorded = varve__fail_memory(NULL, sizeof *trace);
        (void)recorded;
        return NULL;
    }
    memset(trace, 0, sizeof *trace);
    sqlite3_trace_v2(database, SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE, hear, trace);
    return trace;
}

void
varve__trace_begin(struct varve__trace *trace)
{
    trace->begun_count = 0;
    trace->statements = 0;
    trace->longest_ns = 0;
    trace->longest.sql[0] = '\0';
    trace->longest.scanned = 0;
}
