/* How the elements of a dataset lie in its chunks. Row-major throughout. A chunk is a band: one along the
 * axes before `axis`, `band` along it, all along the axes behind, so that each chunk holds elements that
 * follow one another, and only the last band of the axis may be short. In the file a short one is padded
 * with zeros to its full size, as HDF5 wants it.
 *
 *     dims 100 x 200 x 50 floats, 1 MiB a chunk: axis 0, band 26: 4 chunks, the last with 22
 *     dims 10 x 4096 x 4096, 1 MiB: axis 1, band 64: 10 x 64 chunks of 1 x 64 x 4096
 *
 * Elements are counted from 0 through the whole dataset. */
#ifndef VARVE_ARCHIVE_GRID_H
#define VARVE_ARCHIVE_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VARVE__RANK_MAX = 9 /* a tensor's 8 and the records before them */
};

struct varve__grid {
    size_t rank; /* 1 or more */
    int64_t dims[VARVE__RANK_MAX];
    size_t axis;
    int64_t band;
    size_t element; /* bytes of one */

    int64_t count; /* elements of the dataset */
    int64_t inner; /* elements of one step along the axis; 0 where an axis behind it has none */
    int64_t bands; /* along the axis, the short one included */
    int64_t chunk_count; /* 0 where count is 0 */
};

/* Chooses bands of about chunk_bytes, at least one element, at most what the dataset has. False: the dims are
 * negative, or their product in bytes does not fit into an int64. */
bool
varve__grid_make(
    struct varve__grid *grid,
    const int64_t *dims,
    size_t rank,
    size_t element,
    int64_t chunk_bytes);

/* Works out the rest of a grid whose dims, rank, element, axis and band are given. False: they are no
 * grid. */
bool
varve__grid_complete(struct varve__grid *grid);

/* Bytes of a whole chunk, padding included. */
static inline size_t
varve__grid_chunk_size(const struct varve__grid *grid)
{
    return (size_t)(grid->band * grid->inner) * grid->element;
}

/* The elements of chunk i: *first and, without the padding, *count. */
void
varve__grid_chunk(const struct varve__grid *grid, int64_t chunk, int64_t *first, int64_t *count);

/* The chunk that holds an element. */
int64_t
varve__grid_chunk_of(const struct varve__grid *grid, int64_t element);

/* Where chunk i begins, for HDF5: an offset for each axis. */
void
varve__grid_offset(const struct varve__grid *grid, int64_t chunk, uint64_t offset[VARVE__RANK_MAX]);

/* What HDF5 makes of this shape for SZIP: struct varve__chunk_filter.scanline. 0: its chunks are too small
 * for SZIP, and HDF5 refuses to make such a dataset. */
uint32_t
varve__grid_scanline(const struct varve__grid *grid);

#endif
