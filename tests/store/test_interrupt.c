/* What an interrupt leaves behind: the call it ended, and nothing after that. */
#include "support.h"

#include <stdio.h>

#include <sqlite3.h>

enum {
    SAMPLES = 3000, /* a call that reads them all takes long enough to be ended */
};

static int
interrupt(unsigned event, void *session, void *statement, void *text)
{
    (void)event;
    (void)statement;
    (void)text;
    varve_interrupt(session);
    return 0;
}

static void
insert_samples(struct varve_session *session)
{
    static struct lab_sample samples[SAMPLES];
    static char names[SAMPLES][16];
    for (size_t i = 0; i < SAMPLES; i++) {
        samples[i] = (struct lab_sample)LAB_SAMPLE_INIT;
        snprintf(names[i], sizeof names[i], "sample %zu", i);
        samples[i].name = names[i];
    }
    assert_int_equal(lab_sample_insert_many(session, samples, SAMPLES), VARVE_OK);
}

static enum varve_status
count_all(struct varve_session *session, int64_t *count)
{
    const struct lab_sample_filter filter = {.ratio = varve_float_at_least(0)};
    return lab_sample_count(session, &filter, count);
}

/* A count that is interrupted as it begins, while a cursor stands in its rows. */
static struct varve_cursor *
count_interrupted(struct varve_session *session)
{
    struct varve_cursor *cursor;
    const struct lab_sample *row;
    int64_t count;
    sqlite3 *database = varve_session_sqlite(session);
    assert_int_equal(lab_sample_find(session, NULL, &cursor), VARVE_OK);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    sqlite3_trace_v2(database, SQLITE_TRACE_STMT, interrupt, session);
    assert_int_equal(count_all(session, &count), VARVE_INTERRUPTED);
    sqlite3_trace_v2(database, 0, NULL, NULL);
    return cursor;
}

static void
test_the_call_after_an_interrupted_one_is_not_interrupted(void **state)
{
    struct fixture *fixture = *state;
    const struct lab_sample *row;
    int64_t count;
    insert_samples(fixture->session);
    struct varve_cursor *cursor = count_interrupted(fixture->session);
    assert_int_equal(count_all(fixture->session, &count), VARVE_OK);
    assert_int_equal(count, SAMPLES);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    varve_cursor_close(cursor);
}

static void
test_a_snapshot_ends_after_an_interrupt(void **state)
{
    struct fixture *fixture = *state;
    insert_samples(fixture->session);
    assert_int_equal(varve_begin_read(fixture->session), VARVE_OK);
    struct varve_cursor *cursor = count_interrupted(fixture->session);
    assert_int_equal(varve_commit(fixture->session), VARVE_OK);
    varve_cursor_close(cursor);
    assert_int_equal(varve_begin_read(fixture->session), VARVE_OK);
    assert_int_equal(varve_rollback(fixture->session), VARVE_OK);
}

static void
test_a_transaction_is_rolled_back_after_an_interrupt(void **state)
{
    struct fixture *fixture = *state;
    int64_t count;
    assert_int_equal(varve_begin(fixture->session), VARVE_OK);
    insert_samples(fixture->session);
    struct varve_cursor *cursor = count_interrupted(fixture->session);
    assert_int_equal(varve_rollback(fixture->session), VARVE_OK);
    assert_int_equal(count_all(fixture->session, &count), VARVE_OK);
    assert_int_equal(count, 0);
    varve_cursor_close(cursor);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_call_after_an_interrupted_one_is_not_interrupted),
        TEST(test_a_snapshot_ends_after_an_interrupt),
        TEST(test_a_transaction_is_rolled_back_after_an_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
