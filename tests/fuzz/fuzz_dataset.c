/* libFuzzer's target for datasets of the catalog. Its input gets the hash that belongs to it, since the
 * fuzzer does not find one; then it is refused, or packed again to the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "archive/dataset.h"
#include "base/memory.h"

#include "require.h"

enum {
    SEED = 5,
    HASH_SIZE = 8
};

/* Every chunk covers elements of its own, all of them together. */
static void
check_grid(const struct varve__grid *grid)
{
    int64_t next = 0;
    for (int64_t i = 0; i < grid->chunk_count; i++) {
        int64_t first, count;
        uint64_t offset[VARVE__RANK_MAX];
        varve__grid_chunk(grid, i, &first, &count);
        REQUIRE(first == next && count > 0 && count <= grid->band * grid->inner);
        REQUIRE(varve__grid_chunk_of(grid, first) == i);
        REQUIRE(varve__grid_chunk_of(grid, first + count - 1) == i);
        varve__grid_offset(grid, i, offset);
        for (size_t axis = 0; axis < grid->rank; axis++)
            REQUIRE(offset[axis] < (uint64_t)grid->dims[axis]);
        next = first + count;
    }
    REQUIRE(next == grid->count);
}

static void
check_packed(const struct varve__dataset *dataset, const uint8_t *bytes, size_t size)
{
    struct varve_bytes again;
    REQUIRE(!varve__dataset_pack(dataset, SEED, &again));
    REQUIRE(again.size == size && memcmp(again.data, bytes, size) == 0);
    varve__release(again.data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct varve__dataset dataset;
    uint8_t *bytes = malloc(size + HASH_SIZE);
    REQUIRE(bytes);
    memcpy(bytes, data, size);
    uint64_t hash = XXH3_64bits_withSeed(bytes, size, SEED);
    for (unsigned i = 0; i < HASH_SIZE; i++)
        bytes[size + i] = (uint8_t)(hash >> (8 * i));
    enum varve_status status = varve__dataset_unpack(bytes, size + HASH_SIZE, SEED, &dataset);
    if (status == VARVE_OK) {
        check_grid(&dataset.grid);
        check_packed(&dataset, bytes, size + HASH_SIZE);
    } else {
        REQUIRE(status == VARVE_CORRUPT || status == VARVE_SCHEMA);
        REQUIRE(!dataset.chunks);
    }
    varve__dataset_release(&dataset);
    free(bytes);
    return 0;
}
