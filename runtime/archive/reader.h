/* Reading sealed segments, without HDF5: what the catalog says of a dataset, the file's bytes by pread, our own
 * decoding, in parallel. One reader serves a store; any thread.
 *
 * A dataset is in use from find or add to done: meanwhile its file stays open, and so readable even where it is
 * unlinked. Who adds one must hold a snapshot of the catalog that names it, by which nobody unlinks it yet. */
#ifndef VARVE_ARCHIVE_READER_H
#define VARVE_ARCHIVE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/archive.h>
#include <varve/health.h>
#include <varve/status.h>

#include "archive/dataset.h"
#include "base/workers.h"

struct varve__reader;
struct varve__archived; /* a dataset in use */

/* `folder` is that of all segments, borrowed. */
enum varve_status
varve__reader_create(
    const char *folder,
    struct varve__workers *workers,
    size_t cache_bytes,
    struct varve__reader **reader);

/* Says what is kept of chunks, and how often it served. */
void
varve__reader_report(struct varve__reader *reader, struct varve_archive_health *health);

/* Nothing may be in use. NULL is fine. */
void
varve__reader_release(struct varve__reader *reader);

/* The dataset with this number, in use; NULL: it must be added. */
struct varve__archived *
varve__reader_find(struct varve__reader *reader, int64_t id);

/* Adds a dataset that lies in `file`, a path from the folder on, and takes its chunks over, also where it fails.
 * `shared`: it is in the catalog for good, so that others may find it; else it is gone when its use is over.
 * VARVE_CORRUPT: the file is missing, or not of this size. */
enum varve_status
varve__reader_add(
    struct varve__reader *reader,
    int64_t id,
    const char *file,
    int64_t file_size,
    struct varve__dataset *dataset,
    bool shared,
    struct varve__archived **archived);

void
varve__reader_done(struct varve__reader *reader, struct varve__archived *archived);

const struct varve__dataset *
varve__archived_dataset(const struct varve__archived *archived);

/* What is to be read: a box of a tensor that begins with element `first` of the dataset. */
struct varve__box {
    int64_t first;
    size_t rank; /* 1 or more; a scalar has one axis of 1 */
    int64_t dims[VARVE_DIMS_MAX];
    int64_t start[VARVE_DIMS_MAX];
    int64_t count[VARVE_DIMS_MAX];
};

/* The box that is a whole tensor of so many elements. */
struct varve__box
varve__box_all(int64_t first, int64_t count);

/* A box has runs of elements that follow one another in the dataset: how many, and of how many elements. */
void
varve__box_runs(const struct varve__box *box, int64_t *runs, int64_t *length);

/* The element of the dataset with which run i begins. They ascend. */
int64_t
varve__box_run(const struct varve__box *box, int64_t run);

/* Reads the box, row-major, into `to`. Each chunk's hash is checked. VARVE_CORRUPT names file and chunk. */
enum varve_status
varve__reader_read(
    struct varve__reader *reader,
    struct varve__archived *archived,
    const struct varve__box *box,
    void *to);

/* Closes what is not in use: files that were unlinked give their space back. */
void
varve__reader_forget(struct varve__reader *reader);

#endif
