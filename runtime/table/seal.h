/* Tensors of records in memory, written to a segment at once: those that are too many or too large to wait in the
 * table. In the write that the caller has begun. */
#ifndef VARVE_TABLE_SEAL_H
#define VARVE_TABLE_SEAL_H

#include "table/connection.h"

/* Records and, of each, which tensors: all of `tensors` that are loaded and have elements. */
struct varve__seal {
    const void *records; /* structs, one after the other */
    size_t count;
    const int64_t *ids; /* NULL: they stand in the records */
    const struct varve_column *const *tensors;
    size_t tensor_count;
};

/* Whether so many bytes of tensors are to be sealed and not staged. */
bool
varve__seal_wanted(const struct varve__connection *connection, size_t bytes);

/* The bytes of all that varve__seal_write() would write of record i. */
size_t
varve__seal_bytes(const struct varve__plan *plan, const struct varve__seal *what, size_t index);

/* Writes segments, each of at most segment_bytes or one record, and the rows of their tensors: there must be none
 * of these yet. *failed is the record of a failure. */
enum varve_status
varve__seal_write(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__seal *what,
    size_t *failed);

/* Options for a segment of this message, whose folder is made. */
enum varve_status
varve__seal_options(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment_options *options);

#endif
