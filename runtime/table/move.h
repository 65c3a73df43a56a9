/* Moving tensors: from the table into segments (flush), and from segments with much that is dead, or many small ones,
 * into new ones (compaction). Nothing that is moved is locked meanwhile: a segment is written from a snapshot, then one
 * transaction moves each row that is still the one that was read. A row that was replaced meanwhile has another id,
 * one that was deleted is gone: its elements are dead in the new segment. */
#ifndef VARVE_TABLE_MOVE_H
#define VARVE_TABLE_MOVE_H

#include "table/connection.h"

/* What is told of a message's progress, in bytes of elements. */
typedef void
varve__move_progress(void *context, const struct varve_record *record, int64_t done, int64_t total);

struct varve__move_report {
    int64_t tensors;  /* moved */
    int64_t bytes;    /* of their elements */
    int64_t segments; /* written */
    int64_t dropped;  /* segments that nothing is in any more */
    int64_t damaged;  /* tensors that are not what was written, and were left where they are */
};

struct varve__mover {
    varve__move_progress *progress; /* may be NULL */
    void *context;
    struct varve__move_report report;
};

/* Moves all staged tensors of this message. The caller has the folder's maintenance lock. */
enum varve_status
varve__move_flush(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__mover *move);

/* Compacts this message's segments: those of which half or more is dead, and small ones if there are several. */
enum varve_status
varve__move_compact(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__mover *move);

#endif
