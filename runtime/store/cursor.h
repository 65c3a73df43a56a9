/* What finds and sessions tell the cursors of a find: cursor.c. */
#ifndef VARVE_STORE_CURSOR_H
#define VARVE_STORE_CURSOR_H

#include "base/cursor.h"
#include "store/call.h"

/* Ends the call that was to open a cursor, such as a find: counted, and timed with the first row. `cursor` is NULL where it
 * failed. Returns status. */
enum varve_status
varve__cursor_opened(
    const struct varve__call *call, struct varve_cursor *cursor, enum varve_status status);

/* The cursor is about to be closed, or its session: tells what is to be told of it. */
void
varve__cursor_ends(struct varve_session *session, struct varve_cursor *cursor);

#endif
