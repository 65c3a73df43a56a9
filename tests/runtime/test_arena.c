/* The bump arena, the allocator hooks and the clock. */
#include "support.h"

#include <string.h>

#include "base/arena.h"
#include "base/memory.h"

static void
what_fits_takes_one_allocation(void **state)
{
    (void)state;
    count_allocations(0);
    struct varve__arena *arena = varve__arena_create(100);
    char *first = varve__arena_allocate(arena, 3);
    char *second = varve__arena_allocate(arena, 60);
    memset(first, 1, 3);
    memset(second, 2, 60);
    assert_ptr_equal(second, first + 8);
    varve__arena_release(varve__arena_of(first));
    assert_int_equal(stop_counting(), 1);
}

static void
more_comes_in_further_blocks(void **state)
{
    (void)state;
    count_allocations(0);
    struct varve__arena *arena = varve__arena_create(16);
    for (size_t i = 0; i < 2000; i++) {
        uint8_t *memory = varve__arena_allocate(arena, i % 100);
        assert_int_equal((uintptr_t)memory % VARVE__ARENA_ALIGNMENT, 0);
        memset(memory, 0x5A, i % 100);
    }
    memset(varve__arena_allocate(arena, 3000000), 1, 3000000);
    varve__arena_release(arena);
    assert_in_range(stop_counting(), 5, 20);
}

static void
a_refused_block_is_null(void **state)
{
    (void)state;
    count_allocations(2);
    struct varve__arena *arena = varve__arena_create(16);
    assert_non_null(varve__arena_allocate(arena, 16));
    assert_null(varve__arena_allocate(arena, 16));
    varve__arena_release(arena);
    stop_counting();
}

static void
sizes_near_the_end_of_the_address_space_are_refused(void **state)
{
    (void)state;
    struct varve__arena *arena = varve__arena_create(16);
    for (size_t i = 0; i < 64; i++) {
        assert_null(varve__arena_allocate(arena, SIZE_MAX - i));
        assert_null(varve__arena_create(SIZE_MAX - i));
    }
    varve__arena_release(arena);
}

/* After some rounds a reset arena has a block that all of a round fits into. */
static void
a_reset_arena_allocates_nothing_in_the_long_run(void **state)
{
    (void)state;
    count_allocations(0);
    struct varve__arena *arena = varve__arena_create(16);
    for (size_t round = 0; round < 20; round++) {
        for (size_t i = 0; i < 100; i++)
            memset(varve__arena_allocate(arena, 50), (int)round, 50);
        varve__arena_reset(arena);
    }
    varve__arena_release(arena);
    assert_in_range(stop_counting(), 2, 10);
}

static void
a_reset_arena_begins_at_its_first_byte_again(void **state)
{
    (void)state;
    struct varve__arena *arena = varve__arena_create(64);
    void *first = varve__arena_allocate(arena, 8);
    memset(varve__arena_allocate(arena, 56), 1, 56);
    varve__arena_reset(arena);
    assert_ptr_equal(varve__arena_allocate(arena, 64), first);
    memset(first, 2, 64);
    varve__arena_release(arena);
}

/* 2 MiB are not held for the sake of later small rounds: only the first block is left. */
static void
a_reset_arena_gives_large_blocks_back(void **state)
{
    (void)state;
    enum {
        LARGE = 1 << 21
    };
    count_allocations(0);
    struct varve__arena *arena = varve__arena_create(64);
    void *first = varve__arena_allocate(arena, 64);
    memset(varve__arena_allocate(arena, 700), 1, 700);
    memset(varve__arena_allocate(arena, LARGE), 1, LARGE);
    varve__arena_reset(arena);
    assert_ptr_equal(varve__arena_allocate(arena, 64), first);
    memset(first, 2, 64);
    memset(varve__arena_allocate(arena, LARGE), 1, LARGE);
    varve__arena_reset(arena);
    varve__arena_release(arena);
    assert_int_equal(stop_counting(), 4);
}

/* The kept chunk was the third; then a large one sends the arena back to its first block. */
static void
a_reset_arena_knows_the_end_of_its_first_block(void **state)
{
    (void)state;
    struct varve__arena *arena = varve__arena_create(64);
    uint8_t *first = varve__arena_allocate(arena, 64);
    for (size_t i = 0; i < 3; i++)
        memset(varve__arena_allocate(arena, 3000), 1, 3000);
    varve__arena_reset(arena);
    memset(varve__arena_allocate(arena, 1 << 21), 1, 1 << 21);
    varve__arena_reset(arena);
    assert_ptr_equal(varve__arena_allocate(arena, 64), first);
    uint8_t *next = varve__arena_allocate(arena, 64);
    assert_true(next != first + 64);
    memset(next, 1, 64);
    varve__arena_release(arena);
}

static void
null_is_released_without_a_word(void **state)
{
    (void)state;
    varve__arena_release(NULL);
    varve__release(NULL);
    varve_bytes_free(NULL);
    varve_record_free(NULL);
}

static void
the_clock_counts_nanoseconds_of_this_century(void **state)
{
    (void)state;
    int64_t now = varve_now();
    assert_true(now > INT64_C(1700000000000000000));
    assert_true(varve_now() >= now);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_takes_one_allocation),
        cmocka_unit_test(more_comes_in_further_blocks),
        cmocka_unit_test(a_refused_block_is_null),
        cmocka_unit_test(sizes_near_the_end_of_the_address_space_are_refused),
        cmocka_unit_test(a_reset_arena_allocates_nothing_in_the_long_run),
        cmocka_unit_test(a_reset_arena_begins_at_its_first_byte_again),
        cmocka_unit_test(a_reset_arena_gives_large_blocks_back),
        cmocka_unit_test(a_reset_arena_knows_the_end_of_its_first_block),
        cmocka_unit_test(null_is_released_without_a_word),
        cmocka_unit_test(the_clock_counts_nanoseconds_of_this_century),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
