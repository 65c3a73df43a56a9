/* Finds of every kind against the model, over records of few and extreme values: each operator of
 * each field, then random filters. A failure names the seed of its filter. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "find_check.h"
#include "find_trial.h"

enum {
    TRIALS = 300,
    VISITS = 200,
};

/* -------------------------------------------------------------------- records */

struct trials {
    struct fixture *fixture;
    struct model model;
    struct lab_trial trials[TRIALS];
};

static int
set_up_trials(void **state)
{
    struct trials *all = calloc(1, sizeof *all);
    struct random random = {1};
    if (set_up((void **)&all->fixture) != 0)
        return -1;
    for (size_t i = 0; i < TRIALS; i++)
        fill_trial(&all->trials[i], &random);
    all->model = (struct model){&lab_trial_record, (const char *)all->trials, TRIALS};
    *state = all;
    return lab_trial_insert_many(all->fixture->session, all->trials, TRIALS) == VARVE_OK ? 0 : -1;
}

static int
tear_down_trials(void **state)
{
    struct trials *all = *state;
    void *fixture = all->fixture;
    free(all);
    return tear_down(&fixture);
}

/* -------------------------------------------------------------------- comparing */

/* Nothing may differ from the model. */
static void
expect_same(const char *difference, uint64_t seed)
{
    if (difference)
        fail_msg("seed %llu: %s", (unsigned long long)seed, difference);
}

/* -------------------------------------------------------------------- tests */

static void
test_each_operator_of_each_field_finds_what_the_model_finds(void **state)
{
    struct trials *all = *state;
    struct random random = {2};
    uint64_t number = 0;
    struct some_filter some;
    for (size_t slot = 0; slot < slot_count(&lab_trial_record); slot++) {
        const struct varve_column *column = column_of_slot(&lab_trial_record, slot);
        for (int op = VARVE_EQUALS; op <= VARVE_IS_NOT_NULL; op++) {
            if (!has_operator(column, (enum varve_operator)op))
                continue;
            for (size_t which = 0; which < POOL; which++, number++) {
                memset(&some, 0, sizeof some);
                fill_condition(
                    &some, &lab_trial_record, slot, (enum varve_operator)op, which, &random);
                expect_same(check_found(all->fixture->session, &all->model, &some), number);
            }
        }
    }
    assert_true(number > 2000);
}

static void
test_random_filters_find_what_the_model_finds(void **state)
{
    struct trials *all = *state;
    struct some_filter some;
    for (uint64_t seed = 1000; seed < 2500; seed++) {
        struct random random = {seed};
        struct lab_trial unknown;
        fill_filter(&some, &all->model, &random);
        if (random_one_in(&random, 4)) { /* `after` need not be in the store */
            fill_trial(&unknown, &random);
            unknown.id = (int64_t)random_below(&random, 2 * TRIALS);
            filter_tail(&lab_trial_record, &some)->after = &unknown;
        }
        expect_same(check_found(all->fixture->session, &all->model, &some), seed);
    }
}

static void
test_delete_where_deletes_what_the_filter_finds(void **state)
{
    struct trials *all = *state;
    struct some_filter some;
    for (uint64_t seed = 5000; seed < 5400; seed++) {
        struct random random = {seed};
        fill_filter(&some, &all->model, &random);
        expect_same(check_deleted(all->fixture->session, &all->model, &some), seed);
    }
}

/* Reads page by page, each behind the last record of the one before; all together are one pass. */
static void
expect_pages(
    struct varve_session *session,
    const struct model *model,
    struct some_filter *some,
    int64_t page,
    uint64_t seed)
{
    struct varve_filter_tail *tail = filter_tail(model->table, some);
    size_t expected[TRIALS];
    size_t done = 0;
    tail->limit = tail->offset = 0;
    tail->after = NULL;
    size_t count = model_find(model, some, expected);
    tail->limit = page;
    while (done < count) {
        size_t size = count - done < (size_t)page ? count - done : (size_t)page;
        expect_same(check_rows(session, model, some, expected + done, size), seed);
        done += size;
        tail->after = model_record(model, expected[done - 1]);
    }
    expect_same(check_rows(session, model, some, expected, 0), seed);
}

static void
test_pages_of_every_order_make_one_pass(void **state)
{
    struct trials *all = *state;
    struct some_filter some;
    static const int64_t sizes[] = {1, 7, 64, TRIALS};
    uint64_t seed = 7000;
    for (size_t slot = 0; slot < slot_count(&lab_trial_record); slot++) {
        const struct varve_column *column = column_of_slot(&lab_trial_record, slot);
        if (!has_order(column))
            continue;
        for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++, seed++) {
            memset(&some, 0, sizeof some);
            filter_tail(&lab_trial_record, &some)->order_by = (int)column->field->id;
            filter_tail(&lab_trial_record, &some)->descending = i % 2 == 1;
            expect_pages(all->fixture->session, &all->model, &some, sizes[i / 2], seed);
        }
    }
}

static void
test_pages_of_random_filters_make_one_pass(void **state)
{
    struct trials *all = *state;
    struct some_filter some;
    for (uint64_t seed = 9000; seed < 9200; seed++) {
        struct random random = {seed};
        fill_filter(&some, &all->model, &random);
        expect_pages(
            all->fixture->session, &all->model, &some, 1 + (int64_t)random_below(&random, 20),
            seed);
    }
}

/* -------------------------------------------------------------------- a key of three parts */

static void
fill_visits(struct lab_visit *visits)
{
    static const char *const sites[] = {"",    "a",        "A", "ab",
                                        "a'b", "\xc3\xa4", "b", "\xf0\x9f\xa7\xa0"};
    for (size_t i = 0; i < VISITS; i++) {
        visits[i] = (struct lab_visit)LAB_VISIT_INIT;
        visits[i].day = (int32_t)(i % 5) - 2;
        visits[i].site = sites[i / 5 % (sizeof sites / sizeof *sites)];
        visits[i].mark = i % 2 == 0 ? UINT64_MAX - i : i;
        visits[i].has_level = i % 3 != 0;
        visits[i].level = visits[i].has_level ? (int32_t)(i % 4) : 0;
    }
}

static void
test_records_with_a_key_of_three_parts_are_found_as_well(void **state)
{
    struct fixture *fixture = *state;
    struct lab_visit visits[VISITS];
    struct model model = {&lab_visit_record, (const char *)visits, VISITS};
    struct some_filter some;
    fill_visits(visits);
    assert_int_equal(lab_visit_insert_many(fixture->session, visits, VISITS), VARVE_OK);
    for (uint64_t seed = 11000; seed < 11600; seed++) {
        struct random random = {seed};
        fill_filter(&some, &model, &random);
        expect_same(check_found(fixture->session, &model, &some), seed);
        if (seed % 4 == 0)
            expect_same(check_deleted(fixture->session, &model, &some), seed);
        if (seed % 8 == 0)
            expect_pages(
                fixture->session, &model, &some, 1 + (int64_t)random_below(&random, 20), seed);
    }
}

int
main(void)
{
#define MODEL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_trials, tear_down_trials)
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_each_operator_of_each_field_finds_what_the_model_finds),
        MODEL_TEST(test_random_filters_find_what_the_model_finds),
        MODEL_TEST(test_delete_where_deletes_what_the_filter_finds),
        MODEL_TEST(test_pages_of_every_order_make_one_pass),
        MODEL_TEST(test_pages_of_random_filters_make_one_pass),
        TEST(test_records_with_a_key_of_three_parts_are_found_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
