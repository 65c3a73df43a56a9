/* Writing a segment: an HDF5 file that is made once and never changed. It stands under a temporary name
 * until it is whole and on disk; then it is renamed. Who writes one holds a shared flock on it from before
 * its first byte until varve__segment_release(), by which a sweeper tells it from one that a crash left.
 *
 * A segment has the records of one message, in one of two layouts (docs/format.md):
 *
 *   COLUMN   an HDMF DynamicTable: "id", and for each tensor a column: N-dimensional where all its dims
 *            are constants, it may not be absent and has at most 3 axes (HDMF's columns have at most 4, the
 *            records among them), else ragged: its elements one after the other, "<name>_index" with where
 *            each record ends, and "<name>_shape" (record, axis) where it has several axes; an axis of -1
 *            says that the tensor is absent. A name that another dataset has gets "_" at its end; the
 *            attribute field_number says whose it is.
 *   OBJECT   for each record a group "<id>" with a dataset for each tensor that is there. Without
 *            compression it is contiguous and without filters, from a multiple of 4096 on where it has 4096
 *            bytes. Its chunks are bands of it then, and the last along the axis is shorter: not padded.
 *
 * libhdf5 is called under a lock of its own for the whole process; chunks are encoded outside of it. */
#ifndef VARVE_ARCHIVE_SEGMENT_H
#define VARVE_ARCHIVE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "archive/dataset.h"
#include "base/watch.h"
#include "base/workers.h"

struct varve__segment;

/* How chunks of a message are stored: resolved, no defaults left. */
struct varve__segment_options {
    const char *folder; /* of the message's segments; it is there */
    const struct varve_schema *schema;
    const struct varve_record *record;
    struct varve__workers *workers; /* NULL: all is done by the caller */
    int64_t
        chunk_bytes; /* 0: chosen by layout and shape: 1 MiB where records are large, 16 KiB where
                                        they are small and many */
    int64_t
        memory_bytes; /* chunks under way take at most about so much, if at least one each thread */
    struct varve__watch *watch; /* when the call is to end; may be NULL */
};

/* The records of a segment. Arrays are borrowed until the segment is released. */
struct varve__segment_records {
    size_t count;
    const int64_t *ids;
};

/* One tensor of all these records: `dims[i * rank + axis]` of record i, all -1 where it is absent.
 * Borrowed. */
struct varve__segment_tensor {
    const struct varve_column *column;
    const int64_t *dims;
};

/* Makes the file and its groups; nothing but zeros where data go. `tensors` are those of record->columns
 * that the segment has, each once. VARVE_IO, VARVE_FULL. */
enum varve_status
varve__segment_create(
    const struct varve__segment_options *options,
    const struct varve__segment_records *records,
    const struct varve__segment_tensor *tensors,
    size_t tensor_count,
    struct varve__segment **segment);

/* Writes the elements of tensor t, of all records from the first to the last that has any, one after the
 * other: each call goes on where the last one ended, with any number of whole elements. Full chunks are
 * encoded from `data` itself, without a copy. Different tensors may take turns. */
enum varve_status
varve__segment_append(
    struct varve__segment *segment, size_t tensor, const void *data, size_t element_count);

/* All elements are there: closes the file, makes it durable under its name, and the folder too. After a
 * failure nothing but varve__segment_release() is left to do. */
enum varve_status
varve__segment_finish(struct varve__segment *segment);

/* Of a finished one: its name in the folder, its bytes, XXH3 of the whole file. */
const char *
varve__segment_file(const struct varve__segment *segment);

int64_t
varve__segment_size(const struct varve__segment *segment);

uint64_t
varve__segment_hash(const struct varve__segment *segment);

/* Of a finished one: COLUMN has one dataset a tensor, OBJECT one for each tensor of a record that has
 * elements, by record, then by tensor. */
size_t
varve__segment_dataset_count(const struct varve__segment *segment);

const struct varve__dataset *
varve__segment_dataset(const struct varve__segment *segment, size_t index);

/* Where tensor t of record i stands: *dataset, an index as above, and the element of it with which it begins.
 * False: it has no elements. */
bool
varve__segment_place(
    const struct varve__segment *segment,
    size_t record,
    size_t tensor,
    size_t *dataset,
    int64_t *element);

/* Gives up the lock. What was not finished is deleted. NULL is fine. */
void
varve__segment_release(struct varve__segment *segment);

#endif
