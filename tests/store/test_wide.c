/* A record of 1200 fields, and filters with a condition on each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wide.varve.h"

enum {
    FIELDS = 1200
};

static struct varve_store *store;

static int
set_up(void **state)
{
    struct varve_config config = {.data_dir = ":memory:"};
    struct varve_session *session;
    if (varve_open(&wide_schema, &config, &store, NULL) != VARVE_OK ||
        varve_session_open(store, &session) != VARVE_OK)
        return -1;
    *state = session;
    return 0;
}

static int
tear_down(void **state)
{
    varve_session_close(*state);
    varve_close(store);
    return 0;
}

static void
expect_count(struct varve_session *session, const struct wide_row_filter *filter, int64_t expected)
{
    int64_t count = -1;
    if (wide_row_count(session, filter, &count) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    assert_int_equal(count, expected);
}

static void
test_each_of_many_conditions_counts(void **state)
{
    struct varve_session *session = *state;
    static struct wide_row_filter filter;
    struct wide_row *found;
    struct varve_condition *conditions = (void *)&filter;
    struct wide_row row = WIDE_ROW_INIT;
    assert_int_equal(wide_row_insert(session, &row), VARVE_OK);
    assert_int_equal(
        wide_row_record.table->conditions_size, (size_t)FIELDS * sizeof(struct varve_condition));
    conditions[0] = varve_int64_equals(1).condition;
    for (size_t i = 1; i < FIELDS; i++) {
        conditions[i] = varve_int64_between(0, 0).condition;
        if (i % 64 < 2 || i + 1 == FIELDS)
            expect_count(session, &filter, 1);
    }
    for (size_t i = 1; i < FIELDS; i += 61) {
        conditions[i] = varve_int64_between(1, 1).condition;
        expect_count(session, &filter, 0);
        conditions[i] = varve_int64_between(0, 0).condition;
    }
    filter.order_by = WIDE_ROW_FIELD_F1200;
    if (wide_row_find_one(session, &filter, &found) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    filter.after = found;
    expect_count(session, &filter, 0);
    filter.after = NULL;
    wide_row_free(found);
    if (wide_row_delete_where(session, &filter) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    assert_int_equal(varve_changes(session), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_of_many_conditions_counts, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("wide", tests, NULL, NULL);
}
