#include "trials.h"

#include <stdio.h>
#include <stdlib.h>

void
insert_trials(struct fixture *fixture, int64_t count)
{
    struct lab_trial *trials = calloc((size_t)count, sizeof *trials);
    char(*names)[24] = calloc((size_t)count, sizeof *names);
    for (int64_t i = 0; i < count; i++) {
        lab_trial_init(&trials[i]);
        snprintf(names[i], sizeof names[i], "%lld", (long long)i + 1);
        trials[i].name = names[i];
        trials[i].started_at = i / 2;
        trials[i].has_level = i % 3 != 0;
        trials[i].level = trials[i].has_level ? i : 0;
    }
    assert_int_equal(lab_trial_insert_many(fixture->session, trials, count), VARVE_OK);
    free(names);
    free(trials);
}

struct varve_cursor *
find_trials(struct fixture *fixture, const struct lab_trial_filter *filter)
{
    struct varve_cursor *cursor;
    if (lab_trial_find(fixture->session, filter, &cursor) != VARVE_OK)
        fail_msg("%s", varve_session_error(fixture->session));
    return cursor;
}

void
expect_next(struct varve_cursor *cursor, int64_t id)
{
    const struct lab_trial *row;
    assert_int_equal(lab_trial_next(cursor, &row), VARVE_ROW);
    assert_int_equal(row->id, id);
}

void
expect_done(struct varve_cursor *cursor)
{
    const struct lab_trial *row;
    assert_int_equal(lab_trial_next(cursor, &row), VARVE_DONE);
    assert_null(row);
}

void
expect_count(struct fixture *fixture, const struct lab_trial_filter *filter, int64_t expected)
{
    int64_t count;
    if (lab_trial_count(fixture->session, filter, &count) != VARVE_OK)
        fail_msg("%s", varve_session_error(fixture->session));
    assert_int_equal(count, expected);
}

struct lab_trial_filter
empty_in_all_fields(void)
{
    return (struct lab_trial_filter){
        .id = varve_int64_is_not_null(),
        .step = varve_int64_at_least(0),
        .channel = varve_int64_between(-1, 1),
        .started_at = varve_int64_equals(0),
        .total = varve_int64_less_than(1),
        .hash = varve_fixed64_equals(0),
        .flag = varve_bool_equals(false),
        .mood = varve_enum_equals(LAB_CALM),
        .score = varve_double_equals(0),
        .ratio = varve_float_at_most(0),
        .name = varve_text_prefix(""),
        .blob = varve_bytes_equals((struct varve_bytes){0, NULL}),
        .level = varve_int64_is_null(),
        .note = varve_text_is_null(),
        .weight = varve_double_is_null(),
        .extra = varve_bytes_is_null(),
        .done = varve_bool_is_null(),
        .count = varve_int64_is_null(),
        .word = varve_text_is_null(),
        .place = varve_is_null(),
        .counts = varve_is_not_null(),
        .numbers = varve_is_not_null(),
        .wave_size = varve_int64_equals(0),
        .follows = varve_int64_is_null(),
    };
}
