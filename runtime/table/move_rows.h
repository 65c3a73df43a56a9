/* Rows of varve_staged_* that are to be moved together, and the segment they go to. */
#ifndef VARVE_TABLE_MOVE_ROWS_H
#define VARVE_TABLE_MOVE_ROWS_H

#include "table/move.h"

enum {
    VARVE__MOVE_ROWS_MOST = 65536 /* of one segment */
};

struct varve__moved_row {
    int64_t id;
    int64_t record;
    int64_t dataset; /* 0: staged */
    int64_t place;
    size_t tensor; /* of the plan */
    int64_t count; /* elements */
    int64_t dims[8];
};

struct varve__moved_rows {
    struct varve__moved_row *rows;
    size_t count;
    size_t room;
    int64_t bytes;   /* of elements */
    int64_t last;    /* id of the last row that was looked at */
    bool all;        /* there are no more behind it */
    int64_t damaged; /* dataset of which elements could not be read, 0: none */
};

/* Takes rows that `statement` gives, in the order of their ids: id, record, field, dataset, place, dims, hash, bytes.
 * `wanted` may leave some out. Until there are enough for a segment of `limit` bytes. Rows that are not what was written
 * are counted and left out. */
enum varve_status
varve__moved_rows_gather(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    bool (*wanted)(void *context, int64_t dataset),
    void *context,
    int64_t limit,
    struct varve__moved_rows *rows,
    struct varve__mover *move);

/* A segment that is written, and the arrays that it has borrowed. */
struct varve__segment_ready {
    struct varve__segment *segment; /* NULL: there is none */
    int64_t *ids;                   /* of its records, ascending */
    size_t id_count;
    struct varve__segment_tensor *tensors;
    int64_t *dims;
};

/* The index of a record in it. */
size_t
varve__segment_ready_record(const struct varve__segment_ready *ready, int64_t id);

/* Releases the arrays, after the segment, which is deleted where nothing was moved to it. */
void
varve__segment_ready_release(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment_ready *ready);

/* Sorts the rows by tensor and record, and writes them to a segment, from the snapshot under way. *ready is to be
 * released, whatever the status. */
enum varve_status
varve__moved_rows_write(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__moved_rows *rows,
    struct varve__segment_ready *ready);

/* Moves the rows to the segment, if there is one, which is taken over, in a transaction of its own; `sealed` is noted as the last
 * row of the table that waits no more, but for 0. */
enum varve_status
varve__moved_rows_commit(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__moved_rows *rows,
    struct varve__segment_ready *ready,
    int64_t sealed,
    struct varve__mover *move);

void
varve__moved_rows_release(struct varve__moved_rows *rows);

/* The size at which a segment of this message is closed. */
int64_t
varve__move_limit(const struct varve__connection *connection, const struct varve__plan *plan);

/* A statement whose text has the message's table for each %w. */
enum varve_status
varve__move_prepare(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const char *format,
    sqlite3_stmt **statement);

#endif
