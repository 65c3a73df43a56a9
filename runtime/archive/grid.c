/* Arithmetic of bands. All products are checked once, when a grid is made; what follows divides and
 * multiplies numbers that are smaller. */
#include "archive/grid.h"

#include "codec/chunk.h"

enum {
    CHUNK_MOST = 1 << 30 /* bytes: HDF5 keeps sizes of chunks in 32 bits, and so do we */
};

/* *product *= factor; false when it does not fit. */
static bool
multiply(int64_t *product, int64_t factor)
{
    return !__builtin_mul_overflow(*product, factor, product);
}

/* Product of the dims from `from` to before `to`. */
static bool
product_of(const struct varve__grid *grid, size_t from, size_t to, int64_t *product)
{
    *product = 1;
    for (size_t i = from; i < to; i++)
        if (grid->dims[i] == 0) {
            *product = 0;
            return true;
        }
    for (size_t i = from; i < to; i++)
        if (!multiply(product, grid->dims[i]))
            return false;
    return true;
}

/* The dims alone: there are some, none is negative, and their product in bytes is a number. */
static bool
has_dims(const struct varve__grid *grid, int64_t *count)
{
    if (grid->rank < 1 || grid->rank > VARVE__RANK_MAX || grid->element < 1 ||
        grid->element > CHUNK_MOST)
        return false;
    for (size_t i = 0; i < grid->rank; i++)
        if (grid->dims[i] < 0)
            return false;
    int64_t bytes;
    if (!product_of(grid, 0, grid->rank, count))
        return false;
    bytes = *count;
    return multiply(&bytes, (int64_t)grid->element);
}

/* A step along the outermost axis that has small enough ones; one element where all are too large. */
static void
choose_band(struct varve__grid *grid, int64_t chunk_bytes)
{
    int64_t step = (int64_t)grid->element;
    size_t axis = grid->rank - 1;
    while (axis > 0 && step <= chunk_bytes / grid->dims[axis])
        step *= grid->dims[axis--];
    int64_t band = chunk_bytes / step;
    if (band > grid->dims[axis])
        band = grid->dims[axis];
    grid->axis = axis;
    grid->band = band > 0 ? band : 1;
}

bool
varve__grid_make(
    struct varve__grid *grid, const int64_t *dims, size_t rank, size_t element, int64_t chunk_bytes)
{
    *grid = (struct varve__grid){.rank = rank, .element = element, .band = 1};
    for (size_t i = 0; i < rank && i < VARVE__RANK_MAX; i++)
        grid->dims[i] = dims[i];
    int64_t count;
    if (!has_dims(grid, &count))
        return false;
    if (count > 0)
        choose_band(grid, chunk_bytes < CHUNK_MOST ? chunk_bytes : CHUNK_MOST);
    else
        grid->axis = rank - 1; /* without elements one band is as good as another */
    return varve__grid_complete(grid);
}

bool
varve__grid_complete(struct varve__grid *grid)
{
    int64_t before, chunk;
    if (!has_dims(grid, &grid->count) || grid->axis >= grid->rank || grid->band < 1)
        return false;
    int64_t along = grid->dims[grid->axis];
    if (grid->band > (along > 0 ? along : 1) ||
        !product_of(grid, grid->axis + 1, grid->rank, &grid->inner))
        return false;
    chunk = grid->band;
    if (!multiply(&chunk, grid->inner) || !multiply(&chunk, (int64_t)grid->element))
        return false;
    grid->bands = along / grid->band + (along % grid->band > 0);
    grid->chunk_count = 0;
    if (grid->count == 0)
        return true;
    /* Both are factors of count, or less than them. */
    if (!product_of(grid, 0, grid->axis, &before) || !multiply(&before, grid->bands))
        return false;
    grid->chunk_count = before;
    return true;
}

void
varve__grid_chunk(const struct varve__grid *grid, int64_t chunk, int64_t *first, int64_t *count)
{
    int64_t along = grid->dims[grid->axis];
    int64_t start = chunk % grid->bands * grid->band;
    int64_t left = along - start;
    *first = (chunk / grid->bands * along + start) * grid->inner;
    *count = (left < grid->band ? left : grid->band) * grid->inner;
}

int64_t
varve__grid_chunk_of(const struct varve__grid *grid, int64_t element)
{
    int64_t step = element / grid->inner; /* along the axis, through all that is before it */
    int64_t along = grid->dims[grid->axis];
    return step / along * grid->bands + step % along / grid->band;
}

void
varve__grid_offset(const struct varve__grid *grid, int64_t chunk, uint64_t offset[VARVE__RANK_MAX])
{
    int64_t before = chunk / grid->bands;
    for (size_t i = 0; i < VARVE__RANK_MAX; i++)
        offset[i] = 0;
    offset[grid->axis] = (uint64_t)(chunk % grid->bands * grid->band);
    for (size_t i = grid->axis; i-- > 0;) {
        offset[i] = (uint64_t)(before % grid->dims[i]);
        before /= grid->dims[i];
    }
}

uint32_t
varve__grid_scanline(const struct varve__grid *grid)
{
    size_t last = grid->rank - 1;
    return varve__szip_scanline(
        grid->axis == last ? grid->band : grid->dims[last], grid->band * grid->inner);
}
