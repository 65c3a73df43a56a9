/* What all cursors have in common, whatever tier their rows come from: the first member of each. */
#ifndef VARVE_BASE_CURSOR_H
#define VARVE_BASE_CURSOR_H

#include <varve/schema.h>
#include <varve/status.h>

struct varve_cursor {
    void *owner; /* the session; NULL when that is closed. Set by who opens it for a user */
    const struct varve_record *record; /* that its rows are of */
    /* VARVE_ROW, which alone sets *row, or VARVE_DONE, or why not. */
    enum varve_status (*next)(struct varve_cursor *cursor, const void **row);
    void (*close)(struct varve_cursor *cursor);
};

#endif
