/* What all cursors have in common, whatever tier their rows come from: the first member of each. */
#ifndef VARVE_BASE_CURSOR_H
#define VARVE_BASE_CURSOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <varve/health.h>
#include <varve/schema.h>
#include <varve/status.h>

struct varve__trace_note;

struct varve_cursor {
    void *owner; /* the session; NULL when that is closed. Set by who opens it for a user */
    const struct varve_record *record; /* that its rows are of */
    /* VARVE_ROW, which alone sets *row, or VARVE_DONE, or why not. */
    enum varve_status (*next)(struct varve_cursor *cursor, const void **row);
    void (*close)(struct varve_cursor *cursor);

    /* Of the rows of a table, which keep a snapshot; zeros of others. */
    atomic_llong rows;              /* given so far; others read it */
    int64_t opened_at;              /* monotonic ns; 0: at the end of its rows */
    bool measured;                  /* its calls are timed, and add to spent_ns */
    bool counted;                   /* the time until its first row is */
    atomic_bool told;               /* that it is open for long */
    enum varve_operation operation; /* that the call is counted as; set with owner */
    int64_t spent_ns;
    void (*end)(struct varve_cursor *cursor); /* ends the rows before the cursor is closed */
    const struct varve__trace_note *note;     /* filled when they end; NULL: not asked for */
};

#endif
