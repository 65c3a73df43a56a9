/* A dataset of a sealed segment as the catalog knows it: all that reading it takes without HDF5. */
#ifndef VARVE_ARCHIVE_DATASET_H
#define VARVE_ARCHIVE_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/types.h>

#include "archive/grid.h"
#include "codec/chunk.h"

/* Where a chunk lies in the file. */
struct varve__chunk {
    uint64_t address; /* from the beginning of the file */
    uint64_t hash;    /* XXH3_64bits() of its bytes as they are stored */
    uint32_t size;    /* of these bytes */
    uint32_t mask;    /* filters that were left out: codec/chunk.h */
};

struct varve__dataset {
    enum varve_dtype dtype;
    struct varve__chunk_filter filter;
    struct varve__grid grid;
    struct varve__chunk *chunks; /* grid.chunk_count of them */
};

void
varve__dataset_release(struct varve__dataset *dataset); /* its chunks; NULL is fine */

/* The form that the catalog keeps: version, numbers as little-endian fixed sizes, a hash of all seeded with
 * `seed` at the end. The sizes of elements and SZIP's scanline are not kept, they follow from the rest.
 * *bytes is released with varve_bytes_free(). */
enum varve_status
varve__dataset_pack(const struct varve__dataset *dataset, uint64_t seed, struct varve_bytes *bytes);

/* The reverse. VARVE_CORRUPT, without a text: no such bytes, or packed with another seed. VARVE_SCHEMA, with
 * one: of a version that this varve does not know. Nothing is believed: a count that the bytes do not hold
 * is refused before memory is taken. */
enum varve_status
varve__dataset_unpack(
    const void *bytes, size_t size, uint64_t seed, struct varve__dataset *dataset);

#endif
