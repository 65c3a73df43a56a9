/* Grids: chunks hold every element once, and shapes that are none are refused. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "../store/random.h"
#include "archive/grid.h"
#include "codec/chunk.h"

enum {
    MIB = 1 << 20
};

/* The element's coordinates, as one who knows row-major order but no bands. */
static void
coordinates_of(const struct varve__grid *grid, int64_t element, int64_t at[VARVE__RANK_MAX])
{
    for (size_t i = grid->rank; i-- > 0;) {
        at[i] = element % grid->dims[i];
        element /= grid->dims[i];
    }
}

static int64_t
chunk_length(const struct varve__grid *grid, size_t axis)
{
    return axis < grid->axis ? 1 : axis == grid->axis ? grid->band : grid->dims[axis];
}

/* By its coordinates, as HDF5 sees it. */
static bool
is_in_chunk(const struct varve__grid *grid, int64_t element, int64_t chunk)
{
    int64_t at[VARVE__RANK_MAX];
    uint64_t offset[VARVE__RANK_MAX];
    coordinates_of(grid, element, at);
    varve__grid_offset(grid, chunk, offset);
    for (size_t i = 0; i < grid->rank; i++) {
        int64_t from = (int64_t)offset[i];
        if (at[i] < from || at[i] >= from + chunk_length(grid, i))
            return false;
    }
    return true;
}

static void
assert_tiled(const struct varve__grid *grid)
{
    int64_t next = 0;
    for (int64_t chunk = 0; chunk < grid->chunk_count; chunk++) {
        int64_t first, count;
        varve__grid_chunk(grid, chunk, &first, &count);
        assert_int_equal(first, next);
        assert_in_range(count, 1, grid->band * grid->inner);
        for (int64_t i = first; i < first + count; i++) {
            assert_int_equal(varve__grid_chunk_of(grid, i), chunk);
            assert_true(is_in_chunk(grid, i, chunk));
        }
        next = first + count;
    }
    assert_int_equal(next, grid->count);
}

static void
random_dims(struct random *random, size_t rank, int64_t dims[VARVE__RANK_MAX])
{
    int64_t left = 3000;
    for (size_t i = 0; i < rank; i++) {
        dims[i] = 1 + (int64_t)random_below(random, random_one_in(random, 3) ? (size_t)left : 3);
        if (dims[i] > left)
            dims[i] = 1;
        left /= dims[i];
    }
}

static void
every_element_is_in_exactly_one_chunk(void **state)
{
    static const size_t elements[] = {1, 2, 4, 8};
    struct random random = {7};
    size_t many = 0;
    (void)state;
    for (size_t i = 0; i < 1500; i++) {
        struct varve__grid grid;
        int64_t dims[VARVE__RANK_MAX];
        size_t rank = 1 + i % VARVE__RANK_MAX, element = elements[random_below(&random, 4)];
        int64_t chunk_bytes = (int64_t)random_below(&random, random_one_in(&random, 2) ? 64 : 8000);
        random_dims(&random, rank, dims);
        assert_true(varve__grid_make(&grid, dims, rank, element, chunk_bytes));
        assert_memory_equal(grid.dims, dims, rank * sizeof *dims);
        assert_true(
            (int64_t)varve__grid_chunk_size(&grid) <=
            (chunk_bytes > (int64_t)element ? chunk_bytes : (int64_t)element));
        assert_tiled(&grid);
        many += grid.chunk_count > 1;
    }
    assert_true(many > 500); /* it was not all one chunk */
}

static void
bands_of_the_documented_examples_are_as_documented(void **state)
{
    struct varve__grid grid;
    int64_t first, count;
    (void)state;
    assert_true(varve__grid_make(&grid, (const int64_t[]){100, 200, 50}, 3, 4, MIB));
    assert_int_equal(grid.axis, 0);
    assert_int_equal(grid.band, 26);
    assert_int_equal(grid.chunk_count, 4);
    varve__grid_chunk(&grid, 3, &first, &count);
    assert_int_equal(first, 78 * 10000);
    assert_int_equal(count, 22 * 10000);
    assert_true(varve__grid_make(&grid, (const int64_t[]){10, 4096, 4096}, 3, 4, MIB));
    assert_int_equal(grid.axis, 1);
    assert_int_equal(grid.band, 64);
    assert_int_equal(grid.chunk_count, 640);
    assert_int_equal(varve__grid_chunk_size(&grid), MIB);
}

static void
an_element_larger_than_a_chunk_has_one_of_its_own(void **state)
{
    static const int64_t sizes[] = {INT64_MIN, -1, 0, 1, 7};
    struct varve__grid grid;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_true(varve__grid_make(&grid, (const int64_t[]){3, 5}, 2, 8, sizes[i]));
        assert_int_equal(grid.band, 1);
        assert_int_equal(grid.chunk_count, 15);
    }
}

static void
a_chunk_keeps_to_what_the_file_format_can_hold(void **state)
{
    struct varve__grid grid;
    (void)state;
    assert_true(varve__grid_make(&grid, (const int64_t[]){INT64_C(1) << 40}, 1, 4, INT64_MAX));
    assert_true(varve__grid_chunk_size(&grid) <= UINT32_MAX);
    assert_true(grid.chunk_count > 1);
}

static void
a_dataset_without_elements_has_no_chunks(void **state)
{
    const int64_t large = INT64_C(1) << 40;
    const int64_t dims[][3] = {{0, 5, 6},         {5, 0, 6},         {5, 6, 0},        {0, 0, 0},
                               {0, large, large}, {large, large, 0}, {large, 0, large}};
    struct varve__grid grid;
    (void)state;
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        assert_true(varve__grid_make(&grid, dims[i], 3, 8, MIB));
        assert_int_equal(grid.count, 0);
        assert_int_equal(grid.chunk_count, 0);
        assert_int_equal(grid.band, 1);
        struct varve__grid again = grid;
        assert_true(varve__grid_complete(&again));
    }
}

static void
dims_that_are_none_are_refused(void **state)
{
    const int64_t large = INT64_C(1) << 32, dims[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct varve__grid grid;
    (void)state;
    assert_false(varve__grid_make(&grid, dims, 0, 4, MIB));
    assert_false(varve__grid_make(&grid, dims, 10, 4, MIB));
    assert_false(varve__grid_make(&grid, dims, 1, 0, MIB));
    assert_false(varve__grid_make(&grid, (const int64_t[]){-1}, 1, 4, MIB));
    assert_false(varve__grid_make(&grid, (const int64_t[]){0, -1}, 2, 4, MIB));
    assert_false(varve__grid_make(&grid, (const int64_t[]){INT64_MIN, INT64_MIN}, 2, 4, MIB));
    assert_false(varve__grid_make(&grid, (const int64_t[]){large, large}, 2, 1, MIB));
    assert_false(varve__grid_make(&grid, (const int64_t[]){INT64_MAX}, 1, 2, MIB));
    assert_true(varve__grid_make(&grid, (const int64_t[]){INT64_MAX}, 1, 1, MIB));
    assert_true(varve__grid_make(&grid, (const int64_t[]){large / 2, large / 2}, 2, 1, MIB));
}

static void
a_grid_is_completed_from_its_axis_and_band(void **state)
{
    struct varve__grid made, grid;
    (void)state;
    assert_true(varve__grid_make(&made, (const int64_t[]){7, 30, 4}, 3, 4, 100));
    grid = (struct varve__grid){
        .rank = 3, .dims = {7, 30, 4}, .axis = made.axis, .band = made.band, .element = 4};
    assert_true(varve__grid_complete(&grid));
    assert_memory_equal(&grid, &made, sizeof grid);
}

static void
an_axis_or_a_band_outside_of_the_dims_is_refused(void **state)
{
    const struct varve__grid fine = {
        .rank = 2, .dims = {7, 30}, .axis = 1, .band = 30, .element = 4};
    struct varve__grid grid = fine;
    (void)state;
    assert_true(varve__grid_complete(&grid));
    grid = fine;
    grid.axis = 2;
    assert_false(varve__grid_complete(&grid));
    static const int64_t bands[] = {31, 0, -1, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++) {
        grid = fine;
        grid.band = bands[i];
        assert_false(varve__grid_complete(&grid));
    }
}

static void
a_scanline_is_of_the_last_axis_of_the_chunk(void **state)
{
    struct varve__grid grid = {.rank = 2, .dims = {100, 50}, .axis = 0, .band = 10, .element = 4};
    (void)state;
    assert_true(varve__grid_complete(&grid));
    assert_int_equal(varve__grid_scanline(&grid), 50);
    grid.axis = 1;
    assert_true(varve__grid_complete(&grid));
    assert_int_equal(varve__grid_scanline(&grid), 0); /* ten elements are no block */
    grid.band = 20;
    assert_true(varve__grid_complete(&grid));
    assert_int_equal(varve__grid_scanline(&grid), 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_is_in_exactly_one_chunk),
        cmocka_unit_test(bands_of_the_documented_examples_are_as_documented),
        cmocka_unit_test(an_element_larger_than_a_chunk_has_one_of_its_own),
        cmocka_unit_test(a_chunk_keeps_to_what_the_file_format_can_hold),
        cmocka_unit_test(a_dataset_without_elements_has_no_chunks),
        cmocka_unit_test(dims_that_are_none_are_refused),
        cmocka_unit_test(a_grid_is_completed_from_its_axis_and_band),
        cmocka_unit_test(an_axis_or_a_band_outside_of_the_dims_is_refused),
        cmocka_unit_test(a_scanline_is_of_the_last_axis_of_the_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
