/* Which statement of a call took longest: for those who asked to be told of slow calls. Off, it costs nothing.
 *
 * SQLite's own profile counts milliseconds, so the clock is looked at here, when a statement begins and when it
 * ends. A statement that a call does not end, as the rows of a cursor, is none of that call's. */
#ifndef VARVE_TABLE_TRACE_H
#define VARVE_TABLE_TRACE_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VARVE__TRACE_SQL = 300, /* bytes of a statement's text that are kept, with the NUL */
    VARVE__TRACE_DEPTH =
        8 /* statements at once, of which one runs while another stands in its rows */
};

/* What is known of a statement. Its text is as it was prepared, without values. */
struct varve__trace_note {
    char sql[VARVE__TRACE_SQL];
    int64_t scanned; /* steps from row to row that no index led */
};

struct varve__trace {
    struct {
        sqlite3_stmt *statement;
        int64_t begin; /* monotonic ns */
    } begun[VARVE__TRACE_DEPTH];
    size_t begun_count;
    int64_t statements; /* that have ended in this call */
    int64_t longest_ns;
    struct varve__trace_note longest;
};

/* Has the statements of this database traced. NULL: no memory, which is recorded. Release it with
 * varve__release() when the database is closed. */
struct varve__trace *
varve__trace_create(sqlite3 *database);

/* A call begins. */
void
varve__trace_begin(struct varve__trace *trace);

/* Fills *note with what the statement has done since it began: before it is reset. */
void
varve__trace_describe(sqlite3_stmt *statement, struct varve__trace_note *note);

#endif
