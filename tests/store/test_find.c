/* The rows that a find gives, find_one, count and delete_where through the generated functions. What
 * filters find is test_find_model.c's, what becomes of cursors test_cursor.c's. */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include "trials.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- rows */

static void
test_a_row_has_all_columns_and_its_tensors_are_not_loaded(void **state)
{
    struct fixture *fixture = *state;
    float wave[] = {1, 2, 3};
    uint32_t numbers[] = {4, 5};
    struct lab_place place = LAB_PLACE_INIT;
    struct lab_trial_counts_entry entry = LAB_TRIAL_COUNTS_ENTRY_INIT;
    struct lab_trial_counts_entry *entries[] = {&entry};
    struct lab_trial trial = LAB_TRIAL_INIT;
    place.room = "7";
    entry.key = "k";
    entry.value = -1;
    trial.name = "n";
    trial.note = "";
    trial.has_level = 1;
    trial.result_case = LAB_TRIAL_RESULT_CASE_WORD;
    trial.word = "w";
    trial.place = &place;
    trial.counts.count = 1;
    trial.counts.data = entries;
    trial.numbers = (struct varve_uint32s){2, numbers};
    trial.wave_size = 3;
    trial.wave = (struct varve_floats){3, wave};
    assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);

    const struct lab_trial *row;
    struct varve_cursor *cursor = find_trials(fixture, NULL);
    assert_int_equal(lab_trial_next(cursor, &row), VARVE_ROW);
    assert_int_equal(row->wave.count, 3);
    assert_null(row->wave.data);
    trial.wave = row->wave;
    assert_true(lab_trial_equal(&trial, row));
    expect_done(cursor);
    varve_cursor_close(cursor);
}

static void
test_an_optional_tensor_that_is_absent_has_no_count(void **state)
{
    struct fixture *fixture = *state;
    const struct lab_trial *row;
    struct lab_trial trial = LAB_TRIAL_INIT;
    trial.wave_size = 3;
    assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);
    struct varve_cursor *cursor = find_trials(fixture, NULL);
    assert_int_equal(lab_trial_next(cursor, &row), VARVE_ROW);
    assert_int_equal(row->wave_size, 3);
    assert_int_equal(row->wave.count, 0);
    varve_cursor_close(cursor);
}

static void
test_rows_are_independent_of_the_ones_before(void **state)
{
    struct fixture *fixture = *state;
    const struct lab_trial *row;
    struct lab_trial full = LAB_TRIAL_INIT;
    struct lab_place place = LAB_PLACE_INIT;
    uint32_t numbers[200] = {0};
    full.place = &place;
    full.numbers = (struct varve_uint32s){200, numbers};
    full.note = "note";
    full.has_level = 1;
    for (int i = 0; i < 100; i++) {
        struct lab_trial empty = LAB_TRIAL_INIT;
        full.id = 0;
        assert_int_equal(lab_trial_insert(fixture->session, &full), VARVE_OK);
        assert_int_equal(lab_trial_insert(fixture->session, &empty), VARVE_OK);
    }
    struct varve_cursor *cursor = find_trials(fixture, NULL);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(lab_trial_next(cursor, &row), VARVE_ROW);
        assert_int_equal(row->place != NULL, i % 2 == 0);
        assert_int_equal(row->numbers.count, i % 2 == 0 ? 200 : 0);
        assert_int_equal(row->note != NULL, i % 2 == 0);
        assert_int_equal(row->has_level, i % 2 == 0);
    }
    expect_done(cursor);
    varve_cursor_close(cursor);
}

/* -------------------------------------------------------------------- values are copied */

static void
test_what_a_filter_points_at_may_go_once_find_has_returned(void **state)
{
    struct fixture *fixture = *state;
    insert_trials(fixture, 20);
    char *owned[] = {strdup("5"), strdup("6"), strdup("15")};
    const char *list[] = {owned[0], owned[1], owned[2]};
    char *low = strdup("1");
    char *prefix = strdup("1");
    char *after_name = strdup("12");
    struct lab_trial after = LAB_TRIAL_INIT;
    after.name = after_name;
    after.id = 12;
    struct varve_cursor *in =
        find_trials(fixture, &(struct lab_trial_filter){.name = varve_text_in(list, 3)});
    struct varve_cursor *range =
        find_trials(fixture, &(struct lab_trial_filter){.name = varve_text_between(low, list[2])});
    struct varve_cursor *begins = find_trials(
        fixture, &(struct lab_trial_filter){
                     .name = varve_text_prefix(prefix),
                     .order_by = LAB_TRIAL_FIELD_NAME,
                     .after = &after,
                     .limit = 2});
    memset(after_name, 'x', 2);
    for (size_t i = 0; i < 3; i++) {
        memset(owned[i], 'x', strlen(owned[i]));
        free(owned[i]);
    }
    memset(list, 0, sizeof list);
    *low = *prefix = '9';
    free(low);
    free(prefix);
    free(after_name);
    lab_trial_init(&after);

    expect_next(in, 5);
    expect_next(in, 6);
    expect_next(in, 15);
    expect_done(in);
    expect_next(range, 1);
    for (int64_t id = 10; id <= 15; id++)
        expect_next(range, id);
    expect_done(range);
    expect_next(begins, 13);
    expect_next(begins, 14);
    expect_done(begins);
    varve_cursor_close(in);
    varve_cursor_close(range);
    varve_cursor_close(begins);
}

static void
test_lists_of_bytes_and_numbers_are_copied_as_well(void **state)
{
    struct fixture *fixture = *state;
    uint8_t data[] = {1, 2, 3};
    struct lab_trial trial = LAB_TRIAL_INIT;
    for (uint8_t i = 0; i < 3; i++) {
        trial.id = 0;
        trial.started_at = i;
        trial.blob = (struct varve_bytes){i, data};
        assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);
    }
    uint8_t *two = malloc(2);
    memcpy(two, data, 2);
    struct varve_bytes blobs[] = {{2, two}, {0, NULL}};
    int64_t times[] = {0, 2};
    struct varve_cursor *cursor = find_trials(
        fixture, &(struct lab_trial_filter){
                     .blob = varve_bytes_in(blobs, 2), .started_at = varve_int64_in(times, 2)});
    memset(two, 0, 2);
    free(two);
    memset(blobs, 0, sizeof blobs);
    memset(times, 0xFF, sizeof times);
    expect_next(cursor, 1);
    expect_next(cursor, 3);
    expect_done(cursor);
    varve_cursor_close(cursor);
}

static void
test_a_list_may_be_long(void **state)
{
    struct fixture *fixture = *state;
    enum {
        COUNT = 20000
    };
    insert_trials(fixture, 50);
    int64_t *ids = calloc(COUNT, sizeof *ids);
    for (int64_t i = 0; i < COUNT; i++)
        ids[i] = 2 * i; /* 2, 4 .. 50, and many that are not there */
    struct varve_cursor *cursor =
        find_trials(fixture, &(struct lab_trial_filter){.id = varve_int64_in(ids, COUNT)});
    free(ids);
    for (int64_t id = 2; id <= 50; id += 2)
        expect_next(cursor, id);
    expect_done(cursor);
    varve_cursor_close(cursor);
}

/* -------------------------------------------------------------------- find_one, delete_where */

static void
test_find_one_gives_the_first_with_its_unknown_fields(void **state)
{
    struct fixture *fixture = *state;
    struct lab_newer_sample newer = LAB_NEWER_SAMPLE_INIT;
    struct varve_bytes bytes;
    struct lab_sample *sample;
    newer.name = "n";
    newer.added = "kept";
    assert_int_equal(lab_newer_sample_pack(&newer, &bytes), VARVE_OK);
    assert_int_equal(lab_sample_unpack(bytes.data, bytes.size, &sample), VARVE_OK);
    assert_int_equal(lab_sample_insert(fixture->session, sample), VARVE_OK);
    struct lab_sample_filter filter = {.name = varve_text_equals("n")};
    struct lab_sample *found;
    assert_int_equal(lab_sample_find_one(fixture->session, &filter, &found), VARVE_OK);
    assert_true(lab_sample_equal(sample, found));
    assert_int_equal(found->base.n_unknown_fields, 1);
    lab_sample_free(found);
    filter.name = varve_text_equals("m");
    assert_int_equal(lab_sample_find_one(fixture->session, &filter, &found), VARVE_NOT_FOUND);
    assert_null(found);
    expect_error(fixture->session, "there is no lab.Sample that the filter finds");
    lab_sample_free(sample);
    varve_bytes_free(&bytes);
}

static void
test_find_one_loads_tensors(void **state)
{
    struct fixture *fixture = *state;
    float wave[] = {1, 2, 3};
    struct lab_trial *found;
    struct lab_trial trial = LAB_TRIAL_INIT;
    trial.wave_size = 3;
    assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);
    assert_int_equal(lab_trial_find_one(fixture->session, NULL, &found), VARVE_OK);
    assert_true(lab_trial_equal(&trial, found)); /* it is optional, and absent */
    lab_trial_free(found);
    trial.id = 0;
    trial.wave = (struct varve_floats){3, wave};
    assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);
    struct lab_trial_filter filter = {.descending = true};
    assert_int_equal(lab_trial_find_one(fixture->session, &filter, &found), VARVE_OK);
    assert_true(lab_trial_equal(&trial, found));
    lab_trial_free(found);
}

static void
test_delete_where_takes_order_and_limit(void **state)
{
    struct fixture *fixture = *state;
    insert_trials(fixture, 10);
    assert_int_equal(
        lab_trial_delete_where(
            fixture->session,
            &(struct lab_trial_filter){
                .order_by = LAB_TRIAL_FIELD_STARTED_AT, .descending = true, .limit = 3}),
        VARVE_OK);
    assert_int_equal(varve_changes(fixture->session), 3);
    expect_count(fixture, &(struct lab_trial_filter){.id = varve_int64_at_most(7)}, 7);
    expect_count(fixture, NULL, 7);
    assert_int_equal(
        lab_trial_delete_where(
            fixture->session, &(struct lab_trial_filter){.name = varve_text_equals("none")}),
        VARVE_OK);
    assert_int_equal(varve_changes(fixture->session), 0);
}

static void
test_delete_where_of_records_that_others_refer_to_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    struct lab_trial follower = LAB_TRIAL_INIT;
    insert_trials(fixture, 3);
    follower.has_follows = 1;
    follower.follows = 2;
    assert_int_equal(lab_trial_insert(fixture->session, &follower), VARVE_OK);
    struct lab_trial_filter filter = {.id = varve_int64_at_most(2)};
    assert_int_equal(lab_trial_delete_where(fixture->session, &filter), VARVE_CONFLICT);
    assert_int_equal(varve_session_failure(fixture->session)->kind, VARVE_FAILURE_FOREIGN_KEY);
    expect_count(fixture, NULL, 4);
}

/* -------------------------------------------------------------------- values are never SQL */

static void
test_values_that_look_like_sql_are_values(void **state)
{
    static const char *const hostile[] = {
        "' OR 1=1 --", "\" OR \"\"=\"", "1'; DROP TABLE trial; --", "?1", "%", "\\", "%s%n",
    };
    struct fixture *fixture = *state;
    insert_trials(fixture, 5);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        const char *text = hostile[i];
        int64_t behind = *text == '1' ? 4 : *text == '?' || *text == '\\' ? 0 : 5;
        struct varve_bytes bytes = {strlen(text), (uint8_t *)(uintptr_t)text};
        struct lab_trial after = LAB_TRIAL_INIT;
        after.name = text;
        expect_count(fixture, &(struct lab_trial_filter){.name = varve_text_equals(text)}, 0);
        expect_count(fixture, &(struct lab_trial_filter){.name = varve_text_prefix(text)}, 0);
        expect_count(fixture, &(struct lab_trial_filter){.name = varve_text_in(&hostile[i], 1)}, 0);
        expect_count(
            fixture, &(struct lab_trial_filter){.name = varve_text_like(text)},
            strcmp(text, "%") == 0 ? 5 : 0);
        expect_count(fixture, &(struct lab_trial_filter){.blob = varve_bytes_equals(bytes)}, 0);
        expect_count(
            fixture, &(struct lab_trial_filter){.after = &after, .order_by = LAB_TRIAL_FIELD_NAME},
            behind);
    }
    expect_count(fixture, NULL, 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_row_has_all_columns_and_its_tensors_are_not_loaded),
        TEST(test_an_optional_tensor_that_is_absent_has_no_count),
        TEST(test_rows_are_independent_of_the_ones_before),
        TEST(test_what_a_filter_points_at_may_go_once_find_has_returned),
        TEST(test_lists_of_bytes_and_numbers_are_copied_as_well),
        TEST(test_a_list_may_be_long),
        TEST(test_find_one_gives_the_first_with_its_unknown_fields),
        TEST(test_find_one_loads_tensors),
        TEST(test_delete_where_takes_order_and_limit),
        TEST(test_delete_where_of_records_that_others_refer_to_is_a_conflict),
        TEST(test_values_that_look_like_sql_are_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
