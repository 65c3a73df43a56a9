/* Cursors: where they stand, when they fail, what they allocate. */
#include "trials.h"

#include <stdlib.h>

/* -------------------------------------------------------------------- cursors */

static void
test_cursors_with_the_same_filter_do_not_disturb_each_other(void **state)
{
    struct fixture *fixture = *state;
    insert_trials(fixture, 3);
    struct varve_cursor *first = find_trials(fixture, NULL);
    struct varve_cursor *second = find_trials(fixture, NULL);
    expect_next(first, 1);
    expect_next(second, 1);
    expect_next(first, 2);
    struct varve_cursor *third = find_trials(fixture, NULL);
    expect_next(third, 1);
    varve_cursor_close(first);
    expect_next(second, 2);
    expect_next(second, 3);
    expect_done(second);
    expect_next(third, 2);
    varve_cursor_close(third);
    varve_cursor_close(second);
}

static void
test_messages_with_filters_of_one_shape_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct varve_cursor *cursor;
    const struct lab_reading *row;
    struct lab_reading reading = LAB_READING_INIT;
    int64_t count;
    assert_int_equal(lab_reading_insert(fixture->session, &reading), VARVE_OK);
    expect_count(fixture, NULL, 0);
    assert_int_equal(lab_reading_count(fixture->session, NULL, &count), VARVE_OK);
    assert_int_equal(count, 1);
    varve_cursor_close(find_trials(fixture, NULL));
    assert_int_equal(lab_reading_find(fixture->session, NULL, &cursor), VARVE_OK);
    assert_int_equal(lab_reading_next(cursor, &row), VARVE_ROW);
    varve_cursor_close(cursor);
}

static void
test_a_cursor_stays_at_its_end(void **state)
{
    struct fixture *fixture = *state;
    struct varve_cursor *cursor = find_trials(fixture, NULL);
    expect_done(cursor);
    insert_trials(fixture, 1);
    expect_done(cursor);
    varve_cursor_close(cursor);
    varve_cursor_close(NULL);
}

static void
test_a_cursor_counts_as_open_until_it_is_closed_or_at_its_end(void **state)
{
    struct fixture *fixture = *state;
    struct lab_trial trial = LAB_TRIAL_INIT;
    insert_trials(fixture, 1);
    struct varve_cursor *cursor = find_trials(fixture, NULL);
    assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_MISUSE);
    assert_int_equal(lab_trial_delete_where(fixture->session, NULL), VARVE_MISUSE);
    expect_next(cursor, 1);
    assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_MISUSE);
    expect_done(cursor);
    assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);
    varve_cursor_close(cursor);
    cursor = find_trials(fixture, NULL);
    varve_cursor_close(cursor);
    assert_int_equal(lab_trial_delete_where(fixture->session, NULL), VARVE_OK);
    assert_int_equal(varve_changes(fixture->session), 2);
}

static void
test_a_cursor_of_another_message_is_misuse(void **state)
{
    struct fixture *fixture = *state;
    const struct lab_reading *row;
    insert_trials(fixture, 1);
    struct varve_cursor *cursor = find_trials(fixture, NULL);
    assert_int_equal(lab_reading_next(cursor, &row), VARVE_MISUSE);
    expect_error(fixture->session, "lab.Trial");
    expect_next(cursor, 1);
    varve_cursor_close(cursor);
}

static void
test_a_cursor_that_failed_says_so_ever_after(void **state)
{
    struct fixture *fixture = *state;
    const struct lab_trial *row;
    insert_trials(fixture, 2);
    execute(fixture, "UPDATE trial SET name = CAST(x'ff' AS TEXT) WHERE id = 1");
    struct varve_cursor *cursor = find_trials(fixture, NULL);
    assert_int_equal(lab_trial_next(cursor, &row), VARVE_TYPE);
    assert_null(row);
    expect_error(fixture->session, "lab.Trial.name");
    assert_int_equal(lab_trial_next(cursor, &row), VARVE_MISUSE);
    expect_error(fixture->session, "has failed before (VARVE_TYPE)");
    assert_int_equal(lab_trial_delete_where(fixture->session, NULL), VARVE_OK); /* it is not open */
    varve_cursor_close(cursor);
}

static void
test_cursors_may_be_closed_after_their_session(void **state)
{
    struct fixture *fixture = *state;
    const struct lab_trial *row;
    insert_trials(fixture, 2);
    struct varve_cursor *started = find_trials(fixture, NULL);
    struct varve_cursor *fresh = find_trials(fixture, NULL);
    expect_next(started, 1);
    varve_session_close(fixture->session);
    assert_int_not_equal(lab_trial_next(started, &row), VARVE_ROW);
    assert_int_not_equal(lab_trial_next(fresh, &row), VARVE_ROW);
    assert_int_equal(varve_session_open(fixture->store, &fixture->session), VARVE_OK);
    varve_cursor_close(started);
    varve_cursor_close(fresh);
}

/* -------------------------------------------------------------------- memory */

static struct {
    size_t left;  /* allocations until one fails */
    size_t taken; /* allocations */
} memory;

static void *
allocate(void *context, size_t size)
{
    (void)context;
    memory.taken++;
    if (memory.left == 0)
        return NULL;
    memory.left--;
    return malloc(size);
}

static void
release(void *context, void *allocation)
{
    (void)context;
    free(allocation);
}

/* From here on each allocation is counted, and the one after `count` fails. */
static void
limit_memory(size_t count)
{
    static const struct varve_allocator allocator = {.allocate = allocate, .release = release};
    varve_set_allocator(&allocator);
    memory.left = count;
    memory.taken = 0;
}

static void
test_a_scan_allocates_nothing_for_a_row(void **state)
{
    struct fixture *fixture = *state;
    uint32_t numbers[100] = {0};
    const struct lab_trial *row;
    struct lab_trial trial = LAB_TRIAL_INIT;
    trial.numbers = (struct varve_uint32s){100, numbers};
    for (trial.id = 1; trial.id <= 100; trial.id++)
        assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);
    limit_memory(SIZE_MAX);
    struct varve_cursor *cursor = find_trials(fixture, NULL);
    for (int64_t id = 1; id <= 10; id++)
        expect_next(cursor, id);
    size_t taken = memory.taken;
    for (int64_t id = 11; id <= 100; id++) {
        assert_int_equal(lab_trial_next(cursor, &row), VARVE_ROW);
        assert_int_equal(row->numbers.count, 100);
    }
    assert_int_equal(memory.taken, taken);
    varve_cursor_close(cursor);
    varve_set_allocator(NULL);
}

static enum varve_status
find_in_every_way(struct fixture *fixture, const struct lab_trial_filter *filter)
{
    struct varve_cursor *cursor;
    struct lab_trial *found = NULL;
    const struct lab_trial *row;
    int64_t count;
    enum varve_status status = lab_trial_find(fixture->session, filter, &cursor);
    if (status == VARVE_OK)
        status = lab_trial_next(cursor, &row);
    varve_cursor_close(cursor);
    if (status == VARVE_ROW)
        status = lab_trial_find_one(fixture->session, filter, &found);
    if (status == VARVE_OK) {
        lab_trial_free(found);
        status = lab_trial_count(fixture->session, filter, &count);
    }
    if (status == VARVE_OK)
        status = lab_trial_delete_where(fixture->session, filter);
    return status;
}

static void
fail_each_allocation(struct fixture *fixture, const struct lab_trial_filter *filter)
{
    enum varve_status status = VARVE_NO_MEMORY;
    for (size_t count = 0; status == VARVE_NO_MEMORY; count++) {
        struct lab_trial trial = LAB_TRIAL_INIT;
        assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);
        limit_memory(count);
        status = find_in_every_way(fixture, filter);
        varve_set_allocator(NULL);
        assert_true(status == VARVE_OK || status == VARVE_NO_MEMORY);
        assert_true(count < 100);
    }
    expect_count(fixture, NULL, 0);
}

static void
test_each_allocation_may_fail(void **state)
{
    static const char *const names[] = {"", "2"};
    struct lab_trial_filter few = {.name = varve_text_in(names, 2)};
    struct lab_trial_filter many = empty_in_all_fields(); /* a shape that needs memory */
    many.name = few.name;
    fail_each_allocation(*state, &few);
    fail_each_allocation(*state, &many);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cursors_with_the_same_filter_do_not_disturb_each_other),
        TEST(test_messages_with_filters_of_one_shape_are_told_apart),
        TEST(test_a_cursor_stays_at_its_end),
        TEST(test_a_cursor_counts_as_open_until_it_is_closed_or_at_its_end),
        TEST(test_a_cursor_of_another_message_is_misuse),
        TEST(test_a_cursor_that_failed_says_so_ever_after),
        TEST(test_cursors_may_be_closed_after_their_session),
        TEST(test_a_scan_allocates_nothing_for_a_row),
        TEST(test_each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
