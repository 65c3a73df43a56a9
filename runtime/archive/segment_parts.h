/* What the files segment*.c share. */
#ifndef VARVE_ARCHIVE_SEGMENT_PARTS_H
#define VARVE_ARCHIVE_SEGMENT_PARTS_H

#include <stdatomic.h>

#include "archive/segment.h"
#include "archive/segment_file.h"
#include "archive/segment_hdf5.h"

/* A dataset that is being written. */
struct varve__segment_set {
    struct varve__dataset *dataset;
    hid_t id;         /* below 0: not open */
    bool made;        /* it is in the file */
    bool contiguous;  /* not chunked: bands follow one another from `address` on, without padding */
    uint64_t address; /* of that */
    int64_t left;     /* chunks that are not written */
    size_t record;    /* of OBJECT: whose it is */
};

/* A chunk to be written, and its elements without padding. */
struct varve__segment_piece {
    struct varve__segment_set *set;
    int64_t chunk;
    const char *raw;
    size_t size; /* of raw, in bytes */
};

/* One tensor of all records. Its elements are a stream, cut into pieces: chunk by chunk, dataset by
 * dataset. */
struct varve__segment_column {
    const struct varve_column *column;
    const int64_t *dims;
    size_t element;
    bool ragged;     /* COLUMN: not N-dimensional */
    char *name;      /* of its dataset, .. */
    char *index;     /* .. of where records end, NULL: not needed */
    char *shape;     /* .. of shapes, likewise */
    uint64_t *ends;  /* COLUMN: elements up to the end of each record */
    int64_t total;   /* elements of the stream */
    int64_t done;    /* .. that were appended */
    size_t largest;  /* bytes of the largest piece */
    size_t set;      /* the dataset that the next piece is of: index; .. */
    int64_t chunk;   /* .. its chunk, .. */
    int64_t missing; /* .. and the elements that it lacks */
    char *buffer;    /* gathered, not written */
    size_t capacity; /* in bytes */
    size_t filled;
    struct varve__segment_piece *pieces; /* that are whole, in the buffer or the caller's memory */
    size_t piece_count;
    size_t piece_room;
};

/* A piece under way. */
struct varve__segment_slot {
    char *bytes; /* as they stand in the file; NULL, or the slot's own */
    size_t room;
    const char *from; /* what is written: `bytes` or the caller's memory */
    size_t size;
    uint64_t hash;
    uint32_t mask;
};

/* What a thread has for itself. */
struct varve__segment_tool {
    struct varve__chunk_codec *codec;
    char *padded; /* a chunk with zeros behind its elements */
    size_t room;
};

struct varve__segment {
    struct varve__segment_options options;
    struct varve__segment_records records;
    const struct varve_archive *archive;
    const char *name; /* of the message */
    struct varve__segment_file file;
    struct varve__hdf5_file hdf5;
    hid_t id;   /* the HDF5 file; below 0: not open */
    bool spent; /* a call has failed, or the segment is finished */

    struct varve__segment_column *columns; /* one for each tensor */
    size_t column_count;
    struct varve__dataset *datasets;
    struct varve__segment_set *sets; /* of the same indexes */
    size_t dataset_count;
    size_t *places; /* OBJECT: the dataset of (record, tensor), SIZE_MAX: none */

    struct varve__segment_slot *slots;
    size_t slot_count;
    struct varve__segment_tool *tools; /* of threads, 0: the caller's */
    size_t tool_count;
    const struct varve__segment_piece *running; /* the pieces under way */
    enum varve_status status;                   /* of the caller's thread, in this run */
    atomic_int error;                           /* errno of a worker, in this run */
};

/* -------------------------------------------------------------------- segment_plan.c: what there will be */

/* Names, sizes, grids and places of everything; no file yet. */
enum varve_status
varve__segment_plan(struct varve__segment *segment, const struct varve__segment_tensor *tensors);

/* Where the first dataset of a tensor, from this record on, is; SIZE_MAX: there is none. */
size_t
varve__segment_next_set(const struct varve__segment *segment, size_t tensor, size_t record);

void
varve__segment_plan_release(struct varve__segment *segment);

/* -------------------------------------------------------------------- segment_set.c: datasets */

/* Makes the dataset and leaves it open. Under the lock, as the two below; false: libhdf5 says why. */
bool
varve__segment_make_set(hid_t group, const char *name, struct varve__segment_set *set);

bool
varve__segment_close_set(struct varve__segment_set *set);

/* Attributes that say which field a dataset is of, also when that has another name by now. */
bool
varve__segment_describe_field(hid_t dataset, const struct varve_column *column);

/* -------------------------------------------------------------------- segment_make.c: HDF5's objects */

/* The file, its attributes, groups, and everything that does not wait for elements. */
enum varve_status
varve__segment_make(struct varve__segment *segment);

/* OBJECT: the dataset of a record's tensor. */
enum varve_status
varve__segment_make_object(struct varve__segment *segment, size_t tensor, size_t set);

/* Closes what is open of HDF5. segment->id stays when libhdf5 keeps the file. */
enum varve_status
varve__segment_unmake(struct varve__segment *segment);

/* -------------------------------------------------------------------- segment_chunks.c: chunks */

/* Encodes and writes pieces, by all threads, and notes where they are. */
enum varve_status
varve__segment_write(
    struct varve__segment *segment, const struct varve__segment_piece *pieces, size_t count);

void
varve__segment_write_release(struct varve__segment *segment);

#endif
