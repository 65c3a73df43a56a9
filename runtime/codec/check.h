/* What must hold of a record before it is packed, copied or stored. */
#ifndef VARVE_CODEC_CHECK_H
#define VARVE_CODEC_CHECK_H

#include <varve/schema.h>
#include <varve/status.h>

#include "codec/path.h"

enum varve__check_mode {
    VARVE__CHECK_LOADED,   /* every tensor must be there */
    VARVE__CHECK_UNLOADED, /* the record's own tensors with count > 0 and data NULL are fine */
};

enum varve__check_problem {
    VARVE__CHECK_FINE = 0,
    VARVE__CHECK_NOT_INITIALISED, /* base.descriptor is NULL */
    VARVE__CHECK_OTHER_MESSAGE,   /* base.descriptor is of another message */
    VARVE__CHECK_NULL,            /* a string, element or chosen oneof member */
    VARVE__CHECK_NO_DATA,         /* size or count > 0 and data NULL */
    VARVE__CHECK_NOT_LOADED,
    VARVE__CHECK_UTF8,
    VARVE__CHECK_SIZE,    /* of one value, or of the record up to it */
    VARVE__CHECK_UNKNOWN, /* an unknown field without data */
    VARVE__CHECK_DIM_NEGATIVE,
    VARVE__CHECK_DIM_OVERFLOW,
    VARVE__CHECK_DIMS,
    VARVE__CHECK_DEPTH,
};

/* What a check finds out on its way. */
struct varve__sizes {
    size_t copy; /* bytes that a copy needs behind the record's own struct */
    size_t wire; /* packed size of the record; only with VARVE__CHECK_LOADED */
};

/* A check under way. Begins with mode, sizes of 0 and an empty path. */
struct varve__check {
    enum varve__check_mode mode;
    struct varve__sizes sizes;

    /* The rest is written by a failure (column, record, expected: by any tensor) before it is read. */
    enum varve__check_problem problem;
    const struct varve_column *column; /* of a tensor */
    const void *record;                /* that holds the tensor */
    size_t index;                      /* the element in question, else VARVE__NO_INDEX */
    size_t detail;                     /* byte offset, count or number of the dim, by problem */
    size_t expected;                   /* elements, of VARVE__CHECK_DIMS */
    struct varve__path path;
};

/* Checks strings (not NULL, UTF-8), arrays (not NULL), tensors (dims), nesting (at most 100
 * levels). VARVE_INVALID names the field; VARVE_MISUSE: not initialised, or another message.
 * *sizes, which may be NULL, is set on success only. */
enum varve_status
varve__record_check(
    const struct varve_record *table,
    const void *record,
    enum varve__check_mode mode,
    struct varve__sizes *sizes);

/* Checks no more than that the record was initialised, as one of this message: else VARVE_MISUSE. */
enum varve_status
varve__record_check_message(const struct varve_record *table, const void *record);

/* Records the failure that a check has found. */
enum varve_status
varve__check_fail(const struct varve__check *check, const struct varve_record *table);

/* The elements that the tensor's dims ask for. VARVE__CHECK_FINE, or the problem with *which as the
 * number of the dim. */
enum varve__check_problem
varve__tensor_count(
    const struct varve_tensor *tensor, const void *record, size_t *count, size_t *which);

/* The value of an integer field that serves as a dim; false when it exceeds INT64_MAX. */
bool
varve__dim_size(const struct varve_dim *dim, const void *record, int64_t *size);

#endif
