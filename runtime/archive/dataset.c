/* Datasets in the catalog. The bytes, little-endian:
 *
 *     u32 version   u32 dtype   u32 compression   i32 level   u32 flags   u32 rank   u32 axis   u32 0
 *     i64 dims[rank]   i64 band
 *     { u64 address   u64 hash   u32 size   u32 mask } of each chunk
 *     u64 hash
 *
 * The version at the beginning and the hash at the end are of every version. */
#include "archive/dataset.h"

#include <stdbool.h>
#include <string.h>

#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"

enum {
    VERSION = 1,
    HEAD_SIZE = 32,
    NUMBER_SIZE = 8, /* of a dim, the band, the hash */
    CHUNK_SIZE = 24
};

enum flag {
    FLAG_SHUFFLE = 1u << 0,
    FLAG_CHECKSUM = 1u << 1
};

void
varve__dataset_release(struct varve__dataset *dataset)
{
    if (!dataset)
        return;
    varve__release(dataset->chunks);
    dataset->chunks = NULL;
}

/* ------------------------------------------------------------------ numbers */

static uint8_t *
put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
    return at + 4;
}

static uint8_t *
put64(uint8_t *at, uint64_t value)
{
    return put32(put32(at, (uint32_t)value), (uint32_t)(value >> 32));
}

static uint32_t
get32(const uint8_t **at)
{
    const uint8_t *from = *at;
    *at += 4;
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static uint64_t
get64(const uint8_t **at)
{
    uint64_t low = get32(at);
    return low | (uint64_t)get32(at) << 32;
}

/* ------------------------------------------------------------------ packing */

/* Bytes of all but the chunks. */
static size_t
frame_size(size_t rank)
{
    return HEAD_SIZE + (rank + 2) * NUMBER_SIZE;
}

static uint8_t *
pack_head(const struct varve__dataset *dataset, uint8_t *at)
{
    const struct varve__chunk_filter *filter = &dataset->filter;
    const struct varve__grid *grid = &dataset->grid;
    at = put32(at, VERSION);
    at = put32(at, (uint32_t)dataset->dtype);
    at = put32(at, (uint32_t)filter->compression);
    at = put32(at, (uint32_t)filter->level);
    at = put32(at, (filter->shuffle ? FLAG_SHUFFLE : 0u) | (filter->checksum ? FLAG_CHECKSUM : 0u));
    at = put32(at, (uint32_t)grid->rank);
    at = put32(at, (uint32_t)grid->axis);
    at = put32(at, 0);
    for (size_t i = 0; i < grid->rank; i++)
        at = put64(at, (uint64_t)grid->dims[i]);
    return put64(at, (uint64_t)grid->band);
}

enum varve_status
varve__dataset_pack(const struct varve__dataset *dataset, uint64_t seed, struct varve_bytes *bytes)
{
    size_t size;
    *bytes = (struct varve_bytes){0};
    if (!varve__size_multiply((size_t)dataset->grid.chunk_count, CHUNK_SIZE, &size) ||
        !varve__size_add(size, frame_size(dataset->grid.rank), &size))
        return varve__fail_memory(NULL, SIZE_MAX);
    uint8_t *made = varve__allocate(size);
    if (!made)
        return varve__fail_memory(NULL, size);
    uint8_t *at = pack_head(dataset, made);
    for (int64_t i = 0; i < dataset->grid.chunk_count; i++) {
        const struct varve__chunk *chunk = &dataset->chunks[i];
        at = put64(put64(at, chunk->address), chunk->hash);
        at = put32(put32(at, chunk->size), chunk->mask);
    }
    put64(at, XXH3_64bits_withSeed(made, size - NUMBER_SIZE, seed));
    bytes->data = made;
    bytes->size = size;
    return VARVE_OK;
}

/* ------------------------------------------------------------------ unpacking */

static bool
unpack_filter(const uint8_t **at, struct varve__dataset *dataset)
{
    uint32_t dtype = get32(at);
    uint32_t compression = get32(at);
    dataset->filter.level = (int)(int32_t)get32(at);
    uint32_t flags = get32(at);
    dataset->dtype = (enum varve_dtype)dtype;
    dataset->filter.compression = (enum varve_archive_compression)compression;
    dataset->filter.shuffle = flags & FLAG_SHUFFLE;
    dataset->filter.checksum = flags & FLAG_CHECKSUM;
    dataset->filter.element = varve_dtype_size(dataset->dtype);
    return dataset->filter.element > 0 && compression <= VARVE_ARCHIVE_ZSTD &&
           flags < 2 * FLAG_CHECKSUM;
}

/* `end` is that of the chunks: after this they follow, and nothing else. */
static bool
unpack_grid(const uint8_t **at, const uint8_t *end, struct varve__dataset *dataset)
{
    struct varve__grid *grid = &dataset->grid;
    grid->element = dataset->filter.element;
    grid->rank = get32(at);
    grid->axis = get32(at);
    if (get32(at) != 0 || grid->rank < 1 || grid->rank > VARVE__RANK_MAX ||
        (size_t)(end - *at) < (grid->rank + 1) * NUMBER_SIZE)
        return false;
    for (size_t i = 0; i < grid->rank; i++)
        grid->dims[i] = (int64_t)get64(at);
    grid->band = (int64_t)get64(at);
    if (!varve__grid_complete(grid))
        return false;
    size_t left = (size_t)(end - *at);
    return left % CHUNK_SIZE == 0 && (uint64_t)grid->chunk_count == left / CHUNK_SIZE;
}

static enum varve_status
unpack_chunks(const uint8_t *at, struct varve__dataset *dataset)
{
    size_t count = (size_t)dataset->grid.chunk_count; /* the bytes hold more than this takes */
    dataset->chunks = varve__allocate(count * sizeof *dataset->chunks);
    if (!dataset->chunks)
        return varve__fail_memory(NULL, count * sizeof *dataset->chunks);
    for (size_t i = 0; i < count; i++) {
        struct varve__chunk *chunk = &dataset->chunks[i];
        chunk->address = get64(&at);
        chunk->hash = get64(&at);
        chunk->size = get32(&at);
        chunk->mask = get32(&at);
    }
    return VARVE_OK;
}

static enum varve_status
unpack(const uint8_t *at, const uint8_t *end, struct varve__dataset *dataset)
{
    uint32_t version = get32(&at);
    if (version != VERSION)
        return varve__fail(
            VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
            "the catalog has a dataset in form %u, and this varve knows form %d only: a newer one "
            "wrote it; use that, or one as new",
            (unsigned)version, VERSION);
    if (end - at < HEAD_SIZE - 4 || !unpack_filter(&at, dataset) || !unpack_grid(&at, end, dataset))
        return VARVE_CORRUPT;
    dataset->filter.scanline = dataset->filter.compression == VARVE_ARCHIVE_SZIP
                                   ? varve__grid_scanline(&dataset->grid)
                                   : 0;
    return unpack_chunks(at, dataset);
}

enum varve_status
varve__dataset_unpack(const void *bytes, size_t size, uint64_t seed, struct varve__dataset *dataset)
{
    *dataset = (struct varve__dataset){0};
    if (size < 4 + NUMBER_SIZE)
        return VARVE_CORRUPT;
    const uint8_t *end = (const uint8_t *)bytes + size - NUMBER_SIZE;
    const uint8_t *hash = end;
    if (get64(&hash) != XXH3_64bits_withSeed(bytes, size - NUMBER_SIZE, seed))
        return VARVE_CORRUPT;
    enum varve_status status = unpack(bytes, end, dataset);
    if (status)
        *dataset = (struct varve__dataset){0};
    return status;
}
