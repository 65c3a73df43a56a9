/* What a filter may hold: values that no field has, orders that there are not. */
#include "trials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
expect_refused(
    struct fixture *fixture,
    const struct lab_trial_filter *filter,
    enum varve_status status,
    enum varve_failure_kind kind,
    uint32_t field,
    const char *text)
{
    struct varve_cursor *cursor;
    struct lab_trial *record;
    int64_t count;
    assert_int_equal(lab_trial_find(fixture->session, filter, &cursor), status);
    assert_null(cursor);
    expect_error(fixture->session, text);
    const struct varve_failure *failure = varve_session_failure(fixture->session);
    assert_int_equal(failure->kind, kind);
    assert_string_equal(failure->record, "lab.Trial");
    assert_int_equal(failure->field_count, field != 0);
    if (field != 0)
        assert_int_equal(failure->fields[0], field);
    assert_int_equal(lab_trial_find_one(fixture->session, filter, &record), status);
    assert_null(record);
    assert_int_equal(lab_trial_count(fixture->session, filter, &count), status);
    assert_int_equal(lab_trial_delete_where(fixture->session, filter), status);
}

static void
expect_invalid(
    struct fixture *fixture,
    const struct lab_trial_filter *filter,
    enum varve_failure_kind kind,
    uint32_t field,
    const char *text)
{
    expect_refused(fixture, filter, VARVE_INVALID, kind, field, text);
}

static void
test_a_null_as_a_value_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *list[] = {"a", NULL};
    struct varve_bytes bytes = {3, NULL};
    struct lab_trial_filter filter = {.name = varve_text_equals(NULL)};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_NOT_NULL, LAB_TRIAL_FIELD_NAME,
        "lab.Trial.name: the condition's value is NULL; use varve_text_is_null() to find records");
    filter = (struct lab_trial_filter){.note = varve_text_between("a", NULL)};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_NOT_NULL, LAB_TRIAL_FIELD_NOTE, "lab.Trial.note: the");
    filter = (struct lab_trial_filter){.name = varve_text_in(list, 2)};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_NOT_NULL, LAB_TRIAL_FIELD_NAME,
        "lab.Trial.name: value 1 of the condition's list is NULL");
    filter = (struct lab_trial_filter){.name = varve_text_in(NULL, 2)};
    expect_invalid(fixture, &filter, VARVE_FAILURE_NOT_NULL, LAB_TRIAL_FIELD_NAME, "values NULL");
    filter = (struct lab_trial_filter){.name = varve_text_prefix(NULL)};
    expect_invalid(fixture, &filter, VARVE_FAILURE_NOT_NULL, LAB_TRIAL_FIELD_NAME, "is NULL");
    filter = (struct lab_trial_filter){.extra = varve_bytes_equals(bytes)};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_NOT_NULL, LAB_TRIAL_FIELD_EXTRA,
        "lab.Trial.extra: the condition's value is bytes of a size above 0 with data NULL");
    filter = (struct lab_trial_filter){.extra = varve_bytes_in(&bytes, 1)};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_NOT_NULL, LAB_TRIAL_FIELD_EXTRA, "value 0 of the");
    expect_count(fixture, &(struct lab_trial_filter){.name = varve_text_in(NULL, 0)}, 0);
}

static void
test_values_that_no_column_holds_are_refused(void **state)
{
    struct fixture *fixture = *state;
    double reals[] = {0, 1, NAN};
    float singles[] = {NAN};
    int64_t number = 1;
    char *pattern = calloc(1, 50002);
    memset(pattern, 'a', 50001);
    struct lab_trial_filter filter = {.score = varve_double_at_least(NAN)};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_NAN, LAB_TRIAL_FIELD_SCORE,
        "lab.Trial.score: the condition's value is NaN");
    filter = (struct lab_trial_filter){.weight = varve_double_in(reals, 3)};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_NAN, LAB_TRIAL_FIELD_WEIGHT,
        "lab.Trial.weight: value 2 of the condition's list is NaN");
    filter = (struct lab_trial_filter){.ratio = varve_float_between(0, NAN)};
    expect_invalid(fixture, &filter, VARVE_FAILURE_NAN, LAB_TRIAL_FIELD_RATIO, "is NaN");
    filter = (struct lab_trial_filter){.ratio = varve_float_in(singles, 1)};
    expect_invalid(fixture, &filter, VARVE_FAILURE_NAN, LAB_TRIAL_FIELD_RATIO, "value 0 of");
    filter = (struct lab_trial_filter){.name = varve_text_equals("a\xff")};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_UTF8, LAB_TRIAL_FIELD_NAME,
        "lab.Trial.name: the condition's value is no UTF-8");
    filter = (struct lab_trial_filter){.id = varve_int64_in(&number, -1)};
    expect_invalid(fixture, &filter, VARVE_FAILURE_RANGE, LAB_TRIAL_FIELD_ID, "a negative count");
    filter = (struct lab_trial_filter){.name = varve_text_like(pattern)};
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_SIZE, LAB_TRIAL_FIELD_NAME, "more than 50000 bytes");
    pattern[50000] = '\0';
    expect_count(fixture, &(struct lab_trial_filter){.name = varve_text_like(pattern)}, 0);
    free(pattern);
}

static void
expect_misuse(
    struct fixture *fixture,
    const struct lab_trial_filter *filter,
    uint32_t field,
    const char *text)
{
    expect_refused(fixture, filter, VARVE_MISUSE, VARVE_FAILURE_OTHER, field, text);
}

static void
test_fields_without_an_order_cannot_order(void **state)
{
    struct fixture *fixture = *state;
    struct lab_trial_filter filter = {.order_by = LAB_TRIAL_FIELD_HASH};
    expect_misuse(
        fixture, &filter, LAB_TRIAL_FIELD_HASH, "lab.Trial.hash: order_by names a fixed64");
    filter.order_by = LAB_TRIAL_FIELD_PLACE;
    expect_misuse(fixture, &filter, LAB_TRIAL_FIELD_PLACE, "lab.Trial.place: order_by names a map");
    filter.order_by = LAB_TRIAL_FIELD_COUNTS;
    expect_misuse(fixture, &filter, LAB_TRIAL_FIELD_COUNTS, "message or repeated field");
    filter.order_by = LAB_TRIAL_FIELD_NUMBERS;
    expect_misuse(fixture, &filter, LAB_TRIAL_FIELD_NUMBERS, "message or repeated field");
    filter.order_by = LAB_TRIAL_FIELD_WAVE;
    expect_misuse(
        fixture, &filter, LAB_TRIAL_FIELD_WAVE, "lab.Trial.wave: order_by names a tensor");
    filter.order_by = (enum lab_trial_field)99;
    expect_misuse(fixture, &filter, 0, "lab.Trial: order_by is 99, which is the number of none");
    filter.order_by = (enum lab_trial_field) - 1;
    expect_misuse(fixture, &filter, 0, "order_by is -1");
}

static void
test_filters_that_make_no_sense_are_misuse(void **state)
{
    struct fixture *fixture = *state;
    struct lab_reading reading = LAB_READING_INIT;
    struct lab_trial blank;
    memset(&blank, 0, sizeof blank);
    struct lab_trial_filter filter = {.limit = -1};
    expect_misuse(fixture, &filter, 0, "lab.Trial: the filter's limit is negative");
    filter = (struct lab_trial_filter){.offset = -1};
    expect_misuse(fixture, &filter, 0, "lab.Trial: the filter's offset is negative");
    filter = (struct lab_trial_filter){.after = (const void *)&reading};
    expect_misuse(fixture, &filter, 0, "lab.Trial: `after` points at no such record");
    filter = (struct lab_trial_filter){.after = &blank};
    expect_misuse(fixture, &filter, 0, "lab.Trial: `after` points at no such record");
    filter = (struct lab_trial_filter){.name.condition.op = (enum varve_operator)77};
    expect_misuse(
        fixture, &filter, LAB_TRIAL_FIELD_NAME,
        "lab.Trial.name: the condition has operator 77, which this field has not; make it with a "
        "varve_text_ function");
    filter = (struct lab_trial_filter){.flag.condition.op = VARVE_LESS_THAN};
    expect_misuse(fixture, &filter, LAB_TRIAL_FIELD_FLAG, "a varve_bool_ function");
    filter = (struct lab_trial_filter){.hash.condition.op = VARVE_BETWEEN};
    expect_misuse(fixture, &filter, LAB_TRIAL_FIELD_HASH, "a varve_fixed64_ function");
    filter = (struct lab_trial_filter){.place.condition.op = VARVE_EQUALS};
    expect_misuse(fixture, &filter, LAB_TRIAL_FIELD_PLACE, "varve_is_null() or");
    filter = (struct lab_trial_filter){.step.condition.op = VARVE_PREFIX};
    expect_misuse(fixture, &filter, LAB_TRIAL_FIELD_STEP, "a varve_int64_ function");
    filter = (struct lab_trial_filter){.blob.condition.op = VARVE_LIKE};
    expect_misuse(fixture, &filter, LAB_TRIAL_FIELD_BLOB, "a varve_bytes_ function");
}

static void
test_a_bad_value_in_the_record_after_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lab_trial after = LAB_TRIAL_INIT;
    struct lab_trial_filter filter = {.after = &after, .order_by = LAB_TRIAL_FIELD_NAME};
    after.name = NULL;
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_NOT_NULL, LAB_TRIAL_FIELD_NAME,
        "lab.Trial.name: the value in the record `after` is NULL");
    after.name = "\xff";
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_UTF8, LAB_TRIAL_FIELD_NAME, "`after` is no UTF-8");
    filter.order_by = LAB_TRIAL_FIELD_SCORE;
    after.score = NAN;
    expect_invalid(fixture, &filter, VARVE_FAILURE_NAN, LAB_TRIAL_FIELD_SCORE, "`after` is NaN");
    filter.order_by = LAB_TRIAL_FIELD_TOTAL;
    after.total = UINT64_MAX;
    expect_invalid(
        fixture, &filter, VARVE_FAILURE_RANGE, LAB_TRIAL_FIELD_TOTAL,
        "`after` is over 9223372036854775807");
    filter.order_by = (enum lab_trial_field)0;
    expect_count(fixture, &filter, 0); /* what is not asked for is not looked at */
}

static void
test_a_filter_may_have_conditions_on_all_fields(void **state)
{
    struct fixture *fixture = *state;
    struct lab_trial trial = LAB_TRIAL_INIT;
    assert_int_equal(lab_trial_insert(fixture->session, &trial), VARVE_OK);
    struct lab_trial_filter filter = empty_in_all_fields();
    expect_count(fixture, &filter, 1);
    struct varve_cursor *cursor = find_trials(fixture, &filter);
    expect_next(cursor, 1);
    expect_done(cursor);
    varve_cursor_close(cursor);
    struct varve_condition *conditions = (void *)&filter;
    for (size_t i = 0; i < lab_trial_record.table->conditions_size / sizeof *conditions; i++) {
        struct varve_condition kept = conditions[i];
        conditions[i].op = kept.op == VARVE_IS_NULL ? VARVE_IS_NOT_NULL : VARVE_IS_NULL;
        expect_count(fixture, &filter, 0);
        conditions[i] = kept;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_null_as_a_value_is_refused),
        TEST(test_values_that_no_column_holds_are_refused),
        TEST(test_fields_without_an_order_cannot_order),
        TEST(test_filters_that_make_no_sense_are_misuse),
        TEST(test_a_bad_value_in_the_record_after_is_refused),
        TEST(test_a_filter_may_have_conditions_on_all_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
