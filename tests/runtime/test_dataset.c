/* Datasets of the catalog: packed and back, and bytes that are none. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "../store/random.h"
#include "archive/dataset.h"
#include "base/memory.h"

enum {
    SEED = 11,
    AT_DTYPE = 4, /* offsets of the packed form */
    AT_COMPRESSION = 8,
    AT_FLAGS = 16,
    AT_RANK = 20,
    AT_AXIS = 24,
    AT_ZERO = 28,
    AT_DIMS = 32,
    HASH_SIZE = 8
};

/* A dataset with chunks anywhere: release with varve__dataset_release(). */
static struct varve__dataset
make_dataset(struct random *random, const int64_t *dims, size_t rank, int64_t chunk_bytes)
{
    struct varve__dataset dataset = {
        .dtype = VARVE_DTYPE_FLOAT64,
        .filter = {.compression = VARVE_ARCHIVE_DEFLATE, .level = 4, .shuffle = true, .element = 8},
    };
    assert_true(varve__grid_make(&dataset.grid, dims, rank, 8, chunk_bytes));
    dataset.chunks = varve__allocate((size_t)dataset.grid.chunk_count * sizeof *dataset.chunks);
    assert_non_null(dataset.chunks);
    for (int64_t i = 0; i < dataset.grid.chunk_count; i++)
        dataset.chunks[i] = (struct varve__chunk){
            .address = random_bits(random),
            .hash = random_bits(random),
            .size = (uint32_t)random_bits(random),
            .mask = (uint32_t)random_below(random, 8)};
    return dataset;
}

static struct varve_bytes
pack(const struct varve__dataset *dataset, uint64_t seed)
{
    struct varve_bytes bytes = {0};
    assert_int_equal(varve__dataset_pack(dataset, seed, &bytes), VARVE_OK);
    return bytes;
}

static struct varve_bytes
packed_example(void)
{
    struct random random = {3};
    struct varve__dataset dataset = make_dataset(&random, (const int64_t[]){3, 20, 5}, 3, 400);
    struct varve_bytes bytes = pack(&dataset, SEED);
    varve__dataset_release(&dataset);
    return bytes;
}

/* From a block of exactly that size, so that a sanitizer sees what is read behind it. */
static enum varve_status
unpack(const uint8_t *bytes, size_t size, uint64_t seed, struct varve__dataset *dataset)
{
    uint8_t *exact = malloc(size + !size);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    enum varve_status status = varve__dataset_unpack(exact, size, seed, dataset);
    free(exact);
    return status;
}

static void
assert_corrupt(const uint8_t *bytes, size_t size, uint64_t seed)
{
    struct varve__dataset dataset;
    count_allocations(0);
    assert_int_equal(unpack(bytes, size, seed, &dataset), VARVE_CORRUPT);
    assert_int_equal(stop_counting(), 0); /* before memory is taken */
    assert_null(dataset.chunks);
}

static void
put(struct varve_bytes *bytes, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes->data[at + i] = (uint8_t)(value >> (8 * i));
}

/* Puts a right hash behind bytes that were changed. */
static void
seal(struct varve_bytes *bytes, size_t size)
{
    put(bytes, size - HASH_SIZE, XXH3_64bits_withSeed(bytes->data, size - HASH_SIZE, SEED), 8);
}

static void
assert_equal(const struct varve__dataset *a, const struct varve__dataset *b)
{
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(a->filter.compression, b->filter.compression);
    assert_int_equal(a->filter.level, b->filter.level);
    assert_int_equal(a->filter.shuffle, b->filter.shuffle);
    assert_int_equal(a->filter.checksum, b->filter.checksum);
    assert_int_equal(a->filter.element, b->filter.element);
    assert_int_equal(a->filter.scanline, b->filter.scanline);
    assert_memory_equal(&a->grid, &b->grid, sizeof a->grid);
    if (a->grid.chunk_count > 0)
        assert_memory_equal(a->chunks, b->chunks, (size_t)a->grid.chunk_count * sizeof *a->chunks);
}

static void
what_is_packed_is_unpacked(void **state)
{
    struct random random = {5};
    (void)state;
    for (size_t i = 0; i < 600; i++) {
        int64_t dims[VARVE__RANK_MAX];
        size_t rank = 1 + random_below(&random, VARVE__RANK_MAX);
        for (size_t axis = 0; axis < rank; axis++)
            dims[axis] = (int64_t)random_below(&random, 4) + !random_one_in(&random, 9);
        struct varve__dataset dataset = make_dataset(&random, dims, rank, 256), again;
        dataset.filter.compression = i % (VARVE_ARCHIVE_ZSTD + 1);
        dataset.filter.level = (int)random_below(&random, 30) - 5;
        dataset.filter.shuffle = random_one_in(&random, 2);
        dataset.filter.checksum = random_one_in(&random, 2);
        if (dataset.filter.compression == VARVE_ARCHIVE_SZIP)
            dataset.filter.scanline = varve__grid_scanline(&dataset.grid);
        struct varve_bytes bytes = pack(&dataset, i);
        assert_int_equal(unpack(bytes.data, bytes.size, i, &again), VARVE_OK);
        assert_equal(&dataset, &again);
        varve_bytes_free(&bytes);
        varve__dataset_release(&dataset);
        varve__dataset_release(&again);
    }
    varve__dataset_release(NULL);
}

static void
each_dtype_brings_its_size(void **state)
{
    struct random random = {5};
    (void)state;
    for (unsigned dtype = VARVE_DTYPE_FLOAT32; dtype <= VARVE_DTYPE_FLOAT16; dtype++) {
        struct varve__dataset dataset = make_dataset(&random, (const int64_t[]){9}, 1, 64), again;
        dataset.dtype = dtype;
        struct varve_bytes bytes = pack(&dataset, SEED);
        assert_int_equal(unpack(bytes.data, bytes.size, SEED, &again), VARVE_OK);
        assert_int_equal(again.filter.element, varve_dtype_size(dtype));
        assert_int_equal(again.grid.element, varve_dtype_size(dtype));
        varve_bytes_free(&bytes);
        varve__dataset_release(&dataset);
        varve__dataset_release(&again);
    }
}

/* The form is in databases: a change of it needs another version. */
static void
the_packed_form_is_the_documented_one(void **state)
{
    struct varve__chunk chunk = {0x0102030405060708, 0x1112131415161718, 0x21222324, 5};
    struct varve__dataset dataset = {
        .dtype = VARVE_DTYPE_INT16,
        .filter = {VARVE_ARCHIVE_ZSTD, -2, true, true, 2, 0},
        .grid = {.rank = 1, .dims = {9}, .axis = 0, .band = 9, .element = 2},
        .chunks = &chunk,
    };
    static const uint8_t expected[] = {
        1,    0,    0,    0,    9,    0,    0,    0,    4, 0, 0, 0,    0xfe, 0xff, 0xff,
        0xff, 3,    0,    0,    0,    1,    0,    0,    0, 0, 0, 0,    0,    0,    0,
        0,    0,    9,    0,    0,    0,    0,    0,    0, 0, 9, 0,    0,    0,    0,
        0,    0,    0,    8,    7,    6,    5,    4,    3, 2, 1, 0x18, 0x17, 0x16, 0x15,
        0x14, 0x13, 0x12, 0x11, 0x24, 0x23, 0x22, 0x21, 5, 0, 0, 0};
    (void)state;
    assert_true(varve__grid_complete(&dataset.grid));
    struct varve_bytes bytes = pack(&dataset, SEED);
    assert_int_equal(bytes.size, sizeof expected + HASH_SIZE);
    assert_memory_equal(bytes.data, expected, sizeof expected);
    varve_bytes_free(&bytes);
}

static void
another_seed_is_refused(void **state)
{
    struct varve_bytes bytes = packed_example();
    (void)state;
    assert_corrupt(bytes.data, bytes.size, SEED + 1);
    assert_corrupt(bytes.data, bytes.size, 0);
    varve_bytes_free(&bytes);
}

static void
each_truncation_is_refused(void **state)
{
    struct varve_bytes bytes = packed_example();
    (void)state;
    for (size_t size = 0; size < bytes.size; size++) {
        struct varve_bytes copy = {size, malloc(size + HASH_SIZE)};
        memcpy(copy.data, bytes.data, size);
        assert_corrupt(copy.data, size, SEED);
        if (size >= HASH_SIZE + 4) { /* also where someone computed a hash for it */
            seal(&copy, size);
            assert_corrupt(copy.data, size, SEED);
        }
        free(copy.data);
    }
    varve_bytes_free(&bytes);
}

static void
each_flipped_bit_is_refused(void **state)
{
    struct varve_bytes bytes = packed_example();
    (void)state;
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_corrupt(bytes.data, bytes.size, SEED);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    varve_bytes_free(&bytes);
}

static void
absurd_numbers_are_refused_before_memory_is_taken(void **state)
{
    static const struct {
        size_t at;
        uint64_t value;
        size_t size;
    } absurd[] = {
        {AT_DTYPE, 0, 4},
        {AT_DTYPE, 12, 4},
        {AT_DTYPE, UINT32_MAX, 4},
        {AT_COMPRESSION, 5, 4},
        {AT_COMPRESSION, UINT32_MAX, 4},
        {AT_FLAGS, 4, 4},
        {AT_FLAGS, UINT32_MAX, 4},
        {AT_RANK, 0, 4},
        {AT_RANK, 2, 4},
        {AT_RANK, 4, 4},
        {AT_RANK, 10, 4},
        {AT_RANK, UINT32_MAX, 4},
        {AT_AXIS, 0, 4},
        {AT_AXIS, 3, 4},
        {AT_AXIS, UINT32_MAX, 4},
        {AT_ZERO, 1, 4},
        {AT_DIMS, 0, 8},
        {AT_DIMS, 2, 8},
        {AT_DIMS, UINT64_MAX, 8},
        {AT_DIMS, INT64_MAX, 8},
        {AT_DIMS, INT64_C(1) << 40, 8},
        {AT_DIMS + 24, 0, 8},
        {AT_DIMS + 24, 1, 8},
        {AT_DIMS + 24, 21, 8},
        {AT_DIMS + 24, UINT64_MAX, 8},
    };
    (void)state;
    for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
        struct varve_bytes bytes = packed_example();
        put(&bytes, absurd[i].at, absurd[i].value, absurd[i].size);
        seal(&bytes, bytes.size);
        assert_corrupt(bytes.data, bytes.size, SEED);
        varve_bytes_free(&bytes);
    }
}

static void
a_newer_form_is_refused_by_its_name(void **state)
{
    struct varve_bytes bytes = packed_example();
    struct varve__dataset dataset;
    (void)state;
    put(&bytes, 0, 2, 4);
    seal(&bytes, bytes.size);
    assert_int_equal(unpack(bytes.data, bytes.size, SEED, &dataset), VARVE_SCHEMA);
    assert_failure(VARVE_FAILURE_OTHER, "form 2");
    assert_null(dataset.chunks);
    varve_bytes_free(&bytes);
}

static void
without_memory_nothing_is_packed_or_unpacked(void **state)
{
    struct random random = {3};
    struct varve__dataset dataset = make_dataset(&random, (const int64_t[]){30}, 1, 64), again;
    struct varve_bytes bytes = pack(&dataset, SEED), none;
    (void)state;
    count_allocations(1);
    assert_int_equal(varve__dataset_pack(&dataset, SEED, &none), VARVE_NO_MEMORY);
    assert_null(none.data);
    stop_counting();
    count_allocations(1);
    assert_int_equal(unpack(bytes.data, bytes.size, SEED, &again), VARVE_NO_MEMORY);
    assert_null(again.chunks);
    stop_counting();
    varve_bytes_free(&bytes);
    varve__dataset_release(&dataset);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_is_unpacked),
        cmocka_unit_test(each_dtype_brings_its_size),
        cmocka_unit_test(the_packed_form_is_the_documented_one),
        cmocka_unit_test(another_seed_is_refused),
        cmocka_unit_test(each_truncation_is_refused),
        cmocka_unit_test(each_flipped_bit_is_refused),
        cmocka_unit_test(absurd_numbers_are_refused_before_memory_is_taken),
        cmocka_unit_test(a_newer_form_is_refused_by_its_name),
        cmocka_unit_test(without_memory_nothing_is_packed_or_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
