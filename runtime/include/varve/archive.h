/* Tensors in the archive: slices of them, and tensors larger than memory.
 *
 *     float row[200];
 *     struct varve_range range = { .start = { 17, 0 }, .count = { 1, 200 } };
 *     status = cortex_network_snapshot_read_weights(session, id, &range, row, sizeof row);
 *
 *     struct varve_tensor_writer *writer;
 *     status = cortex_network_snapshot_write_weights_begin(session, id, dims, &writer);
 *     while (status == VARVE_OK && more)
 *         status = cortex_network_snapshot_write_weights_rows(writer, data, rows);
 *     if (status == VARVE_OK)
 *         status = cortex_network_snapshot_write_weights_finish(writer);
 *     else
 *         cortex_network_snapshot_write_weights_cancel(writer);
 *
 * One thread at a time, as the session they are of. These calls take a record's table and are what the generated,
 * typed ones call.
 */
#ifndef VARVE_ARCHIVE_H
#define VARVE_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/store.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VARVE_DIMS_MAX = 8
};

/* A box of a tensor: along each axis so many from start on. Axes that the tensor lacks are not looked at. */
struct varve_range {
    int64_t start[VARVE_DIMS_MAX];
    int64_t count[VARVE_DIMS_MAX];
};

/* A tensor that is being written. */
struct varve_tensor_writer;

/* Reads a part of one tensor of the record with this id into `buffer`, row-major, without what it lies between:
 * only chunks that hold some of it are read. `range` NULL: all of it. `size`: bytes of the buffer, which must
 * be those of the range. VARVE_NOT_FOUND: there is no such record, or the tensor is absent. VARVE_INVALID with
 * VARVE_FAILURE_RANGE or VARVE_FAILURE_SIZE: the range is not in the tensor, or the size is another; the text
 * says the dims. VARVE_CORRUPT: what is stored is damaged. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_read_tensor(
    struct varve_session *session,
    const struct varve_record *record,
    int64_t id,
    uint32_t field,
    const struct varve_range *range,
    void *buffer,
    size_t size);

/* Begins to write one tensor of the record with this id, which is stored already and whose dims are these:
 * VARVE_INVALID with VARVE_FAILURE_DIMS else. Until varve_tensor_write_finish() the record has the tensor that it
 * had. No transaction is held meanwhile; memory is bounded by config.archive_memory_bytes. *writer ends with finish
 * or cancel. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_tensor_write_begin(
    struct varve_session *session,
    const struct varve_record *record,
    int64_t id,
    uint32_t field,
    const int64_t *dims,
    struct varve_tensor_writer **writer);

/* The next `count` rows, steps along the first axis, row-major. VARVE_INVALID: more than the dims say. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_tensor_write_rows(struct varve_tensor_writer *writer, const void *data, int64_t count);

/* Makes the tensor the record's, durably; within a transaction, with its commit. VARVE_INVALID: rows are missing.
 * VARVE_CONFLICT: the record is gone or has other dims by now. The writer is over whatever the status. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_tensor_write_finish(struct varve_tensor_writer *writer);

/* Ends it without a trace. NULL is fine. */
VARVE_EXPORT void
varve_tensor_write_cancel(struct varve_tensor_writer *writer);

/* Moves all tensors that are staged in the table into segments. They were durable before; this makes reads of many
 * faster and gives their space back to the table. VARVE_MISUSE: this thread has a session of the store in a
 * write transaction. VARVE_BUSY: another program of this folder flushes or compacts. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_flush(struct varve_store *store);

/* What varve_archive_verify() has found of a segment: its path from the archive's folder on, and a sentence. Both are
 * valid during the call. */
typedef void
varve_archive_finding(void *context, const char *file, const char *text);

/* Compares each segment that the catalog names with it, as of the session's transaction where one is begun: the file's
 * size, the hash of all its bytes, by which any change of chunks, their checksums and HDF5's own structures is found,
 * and the catalog's rows of its datasets. `found` is called for each finding, which is no failure. What rows say of
 * tensors is checked whenever these are read. Takes as long as reading all files. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_archive_verify(struct varve_session *session, varve_archive_finding *found, void *context);

#ifdef __cplusplus
}
#endif

#endif
