/* Tensors of records in memory, written to a segment at once: those that are too many or too large to wait in the
 * table. A segment takes as long as its elements take to compress, and is synced: outside of a transaction large ones
 * are written before the write begins, so that others write meanwhile.
 *
 *     varve__seal_ahead(connection, plan, &what, &failed);      where it is worth it
 *     varve__write_begin(..); ..
 *     varve__seal_write(connection, plan, &what, &failed);      names what is there, or writes it now
 *     varve__write_end(..);
 *     varve__seal_forget(connection, plan);                     deletes what was not named
 */
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

/* Writes the segments of these tensors where they are large and no transaction is under way, for the next
 * varve__seal_write() of the same records. Those must have passed varve__record_check(). Whatever the status,
 * varve__seal_forget() comes afterwards. */
enum varve_status
varve__seal_ahead(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__seal *what,
    size_t *failed);

/* Whether varve__seal_ahead() would write so many bytes. */
bool
varve__seal_is_ahead(const struct varve__connection *connection, size_t bytes);

/* After the write that was to name them, done or undone. */
void
varve__seal_forget_all(struct varve__connection *connection, const struct varve__plan *plan);

static inline void
varve__seal_forget(struct varve__connection *connection, const struct varve__plan *plan)
{
    if (__builtin_expect(connection->catalog.ahead != NULL, 0))
        varve__seal_forget_all(connection, plan);
}

/* In the write that the caller has begun. Writes segments, each of at most segment_bytes or one record, and the rows of their tensors: there must be none
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
