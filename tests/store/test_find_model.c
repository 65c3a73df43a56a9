/* Finds of every kind against the model, over records of few and extreme values: each operator of
 * each field, then random filters. A failure names the seed of its filter. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "find_random.h"

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

static void
fill_trial(struct lab_trial *trial, struct random *random)
{
    *trial = (struct lab_trial)LAB_TRIAL_INIT;
    trial->step = (int32_t)some_integer(random);
    trial->channel = (uint32_t)some_integer(random);
    trial->started_at = some_integer(random);
    trial->total = (uint64_t)some_integer(random) & INT64_MAX;
    trial->hash = (uint64_t)some_integer(random);
    trial->flag = random_one_in(random, 2);
    trial->mood = (enum lab_mood)(int32_t)some_integer(random);
    trial->score = some_real(random);
    trial->ratio = (float)some_real(random);
    trial->name = some_text(random);
    trial->blob = some_bytes(random);
    trial->has_level = random_one_in(random, 2);
    trial->level = trial->has_level ? some_integer(random) : 0;
    trial->note = random_one_in(random, 3) ? NULL : some_text(random);
    trial->has_weight = !random_one_in(random, 3);
    trial->weight = trial->has_weight ? some_real(random) : 0;
    trial->has_extra = !random_one_in(random, 3);
    trial->extra = trial->has_extra ? some_bytes(random) : trial->extra;
    trial->has_done = !random_one_in(random, 3);
    trial->done = trial->has_done && random_one_in(random, 2);
    trial->result_case = (enum lab_trial_result_case)(
        random_one_in(random, 3) ? 0 : LAB_TRIAL_FIELD_COUNT + (int)random_below(random, 2));
    if (trial->result_case == LAB_TRIAL_RESULT_CASE_COUNT)
        trial->count = (int32_t)some_integer(random);
    else if (trial->result_case == LAB_TRIAL_RESULT_CASE_WORD)
        trial->word = some_text(random);
}

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

/* Every row of the find must be the record that the model has there. */
static void
expect_rows(
    struct varve_session *session,
    const struct model *model,
    const void *filter,
    const size_t *expected,
    size_t count,
    uint64_t seed)
{
    struct varve_cursor *cursor;
    const void *row;
    if (varve_record_find(session, model->table, filter, &cursor) != VARVE_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, varve_session_error(session));
    for (size_t i = 0; i < count; i++) {
        enum varve_status status = varve_cursor_next(cursor, model->table, &row);
        if (status != VARVE_ROW)
            fail_msg(
                "seed %llu: %s instead of row %zu of %zu", (unsigned long long)seed,
                varve_status_name(status), i, count);
        if (!model_same_key(model, row, model_record(model, expected[i])))
            fail_msg("seed %llu: another record in row %zu", (unsigned long long)seed, i);
    }
    if (varve_cursor_next(cursor, model->table, &row) != VARVE_DONE)
        fail_msg("seed %llu: more than %zu rows", (unsigned long long)seed, count);
    varve_cursor_close(cursor);
}

static void
expect_count(
    struct varve_session *session,
    const struct model *model,
    const void *filter,
    size_t expected,
    uint64_t seed)
{
    int64_t count;
    assert_int_equal(varve_record_count(session, model->table, filter, &count), VARVE_OK);
    if (count != (int64_t)expected)
        fail_msg(
            "seed %llu: counted %lld instead of %zu", (unsigned long long)seed, (long long)count,
            expected);
}

static void
expect_one(
    struct varve_session *session,
    const struct model *model,
    const void *filter,
    const size_t *expected,
    size_t count,
    uint64_t seed)
{
    void *record;
    enum varve_status status = varve_record_find_one(session, model->table, filter, &record);
    if (status != (count > 0 ? VARVE_OK : VARVE_NOT_FOUND))
        fail_msg(
            "seed %llu: find_one gives %s", (unsigned long long)seed, varve_status_name(status));
    if (count > 0 && !model_same_key(model, record, model_record(model, expected[0])))
        fail_msg("seed %llu: find_one gives another record", (unsigned long long)seed);
    varve_record_free(record);
}

static void
expect_found(struct varve_session *session, const struct model *model, void *filter, uint64_t seed)
{
    size_t expected[TRIALS];
    size_t count = model_find(model, filter, expected);
    expect_rows(session, model, filter, expected, count, seed);
    expect_count(session, model, filter, count, seed);
    expect_one(session, model, filter, expected, count, seed);
}

/* Deletes in a transaction, finds out what is left, and takes it back. */
static void
expect_deleted(
    struct varve_session *session, const struct model *model, void *filter, uint64_t seed)
{
    size_t expected[TRIALS];
    size_t left[TRIALS];
    bool is_gone[TRIALS] = {false};
    size_t count = model_find(model, filter, expected);
    size_t left_count = 0;
    for (size_t i = 0; i < count; i++)
        is_gone[expected[i]] = true;
    struct some_filter all;
    memset(&all, 0, sizeof all);
    size_t total = model_find(model, &all, expected);
    for (size_t i = 0; i < total; i++) {
        if (!is_gone[expected[i]])
            left[left_count++] = expected[i];
    }
    assert_int_equal(varve_begin(session), VARVE_OK);
    if (varve_record_delete_where(session, model->table, filter) != VARVE_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, varve_session_error(session));
    assert_int_equal(varve_changes(session), count);
    expect_rows(session, model, NULL, left, left_count, seed);
    assert_int_equal(varve_rollback(session), VARVE_OK);
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
                expect_found(all->fixture->session, &all->model, &some, number);
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
        expect_found(all->fixture->session, &all->model, &some, seed);
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
        expect_deleted(all->fixture->session, &all->model, &some, seed);
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
        expect_rows(session, model, some, expected + done, size, seed);
        done += size;
        tail->after = model_record(model, expected[done - 1]);
    }
    expect_rows(session, model, some, expected, 0, seed);
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
        expect_found(fixture->session, &model, &some, seed);
        if (seed % 4 == 0)
            expect_deleted(fixture->session, &model, &some, seed);
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
