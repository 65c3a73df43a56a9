/* Transactions: nesting, snapshots, writes beside cursors, the writer's queue. */
#define _POSIX_C_SOURCE 200809L

#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

/* -------------------------------------------------------------------- transactions */

static void
test_a_rollback_undoes_everything_since_begin(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    insert_named(session, "kept");
    assert_int_equal(varve_begin(session), VARVE_OK);
    insert_named(session, "undone");
    assert_int_equal(count_samples(session), 2);
    assert_int_equal(varve_rollback(session), VARVE_OK);
    assert_int_equal(count_samples(session), 1);
}

static void
test_a_nested_rollback_undoes_only_its_own_part(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(varve_begin(fixture->session), VARVE_OK);
    insert_named(fixture->session, "outer");
    assert_int_equal(varve_begin(fixture->session), VARVE_OK);
    insert_named(fixture->session, "inner");
    assert_int_equal(varve_begin(fixture->session), VARVE_OK);
    insert_named(fixture->session, "innermost");
    assert_int_equal(varve_commit(fixture->session), VARVE_OK);
    assert_int_equal(varve_rollback(fixture->session), VARVE_OK);
    assert_int_equal(varve_commit(fixture->session), VARVE_OK);
    reopen(fixture);
    assert_int_equal(count_samples(fixture->session), 1);
}

static void
test_a_failed_statement_undoes_itself_and_the_transaction_goes_on(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    struct lab_sample twice[3] = {LAB_SAMPLE_INIT, LAB_SAMPLE_INIT, LAB_SAMPLE_INIT};
    twice[0].name = "b";
    twice[1].name = "c";
    twice[2].name = "a";
    assert_int_equal(varve_begin(session), VARVE_OK);
    insert_named(session, "a");
    assert_int_equal(lab_sample_insert_many(session, twice, 3), VARVE_CONFLICT);
    assert_int_equal(varve_session_failure(session)->index, 2);
    assert_int_equal(count_samples(session), 1);
    insert_named(session, "d");
    assert_int_equal(varve_commit(session), VARVE_OK);
    assert_int_equal(count_samples(session), 2);
}

static void
test_commit_and_rollback_need_a_begin(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    assert_int_equal(varve_commit(session), VARVE_MISUSE);
    expect_error(session, "varve_begin()");
    assert_int_equal(varve_rollback(session), VARVE_MISUSE);
    assert_int_equal(varve_begin(NULL), VARVE_MISUSE);
}

static void
test_a_snapshot_does_not_see_later_commits(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *writer = second_session(fixture);
    insert_named(writer, "before");
    assert_int_equal(varve_begin_read(fixture->session), VARVE_OK);
    insert_named(writer, "after");
    assert_int_equal(count_samples(fixture->session), 1);
    assert_int_equal(varve_commit(fixture->session), VARVE_OK);
    assert_int_equal(count_samples(fixture->session), 2);
    varve_session_close(writer);
}

static void
test_a_snapshot_cannot_be_written_to(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    assert_int_equal(varve_begin_read(session), VARVE_OK);
    assert_int_equal(lab_sample_insert(session, &sample), VARVE_MISUSE);
    expect_error(session, "varve_begin()");
    assert_int_equal(varve_begin(session), VARVE_MISUSE);
    assert_int_equal(varve_begin_read(session), VARVE_OK);
    assert_int_equal(varve_rollback(session), VARVE_OK);
    assert_int_equal(varve_rollback(session), VARVE_OK);
    insert_named(session, "now");
}

static void
test_a_snapshot_begins_with_no_cursor_of_an_older_one(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    struct varve_cursor *cursor;
    insert_named(session, "a");
    assert_int_equal(lab_sample_find(session, NULL, &cursor), VARVE_OK);
    assert_int_equal(varve_begin_read(session), VARVE_MISUSE);
    expect_error(session, "older snapshot");
    varve_cursor_close(cursor);
    assert_int_equal(varve_begin_read(session), VARVE_OK);
    assert_int_equal(varve_commit(session), VARVE_OK);
}

static void
test_a_session_that_is_closed_rolls_its_transaction_back(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *other = second_session(fixture);
    assert_int_equal(varve_begin(other), VARVE_OK);
    insert_named(other, "lost");
    varve_session_close(other);
    assert_int_equal(count_samples(fixture->session), 0);
    insert_named(fixture->session, "the writer's place is free");
}

/* -------------------------------------------------------------------- writing beside cursors */

static void
test_a_write_beside_an_open_cursor_needs_a_transaction(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    struct varve_cursor *cursor;
    const struct lab_sample *row;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    insert_named(session, "a");
    insert_named(session, "b");
    assert_int_equal(lab_sample_find(session, NULL, &cursor), VARVE_OK);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    assert_int_equal(lab_sample_insert(session, &sample), VARVE_MISUSE);
    expect_error(session, "varve_begin()");
    assert_int_equal(varve_begin(session), VARVE_MISUSE);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    assert_string_equal(row->name, "b");
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_DONE);
    insert_named(session, "a cursor at its end is no obstacle");
    varve_cursor_close(cursor);
}

static void
test_inside_a_transaction_cursors_and_writes_go_together(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    struct varve_cursor *cursor;
    const struct lab_sample *row;
    insert_named(session, "a");
    insert_named(session, "b");
    assert_int_equal(varve_begin(session), VARVE_OK);
    struct lab_sample_filter filter = {.order_by = LAB_SAMPLE_FIELD_NAME};
    assert_int_equal(lab_sample_find(session, &filter, &cursor), VARVE_OK);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    assert_int_equal(lab_sample_delete(session, row->id), VARVE_OK);
    assert_string_equal(row->name, "a");
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    assert_string_equal(row->name, "b");
    varve_cursor_close(cursor);
    assert_int_equal(varve_commit(session), VARVE_OK);
    assert_int_equal(count_samples(session), 1);
}

static void
test_a_rollback_ends_the_cursors_that_were_opened_in_it_and_no_others(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    struct varve_cursor *outer;
    struct varve_cursor *inner;
    const struct lab_sample *row;
    insert_named(session, "a");
    insert_named(session, "b");
    assert_int_equal(varve_begin(session), VARVE_OK);
    assert_int_equal(lab_sample_find(session, NULL, &outer), VARVE_OK);
    assert_int_equal(lab_sample_next(outer, &row), VARVE_ROW);
    assert_int_equal(varve_begin(session), VARVE_OK);
    insert_named(session, "never was");
    struct lab_sample_filter filter = {.order_by = LAB_SAMPLE_FIELD_SCORE};
    assert_int_equal(lab_sample_find(session, &filter, &inner), VARVE_OK);
    assert_int_equal(lab_sample_next(inner, &row), VARVE_ROW);
    assert_int_equal(varve_rollback(session), VARVE_OK);
    assert_int_equal(lab_sample_next(inner, &row), VARVE_MISUSE);
    expect_error(session, "rollback");
    assert_int_equal(lab_sample_next(outer, &row), VARVE_ROW);
    assert_string_equal(row->name, "b");
    assert_int_equal(lab_sample_next(outer, &row), VARVE_DONE);
    varve_cursor_close(inner);
    varve_cursor_close(outer);
    assert_int_equal(varve_commit(session), VARVE_OK);
}

static void
test_a_cursor_outlives_its_session_without_harm(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *other = second_session(fixture);
    struct varve_cursor *cursor;
    const struct lab_sample *row;
    insert_named(fixture->session, "a");
    assert_int_equal(lab_sample_find(other, NULL, &cursor), VARVE_OK);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    varve_session_close(other);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_MISUSE);
    assert_null(row);
    varve_cursor_close(cursor);
}

static void
test_a_cursor_of_another_message_is_refused(void **state)
{
    struct varve_session *session = ((struct fixture *)*state)->session;
    struct varve_cursor *cursor;
    const struct lab_reading *row;
    insert_named(session, "a");
    assert_int_equal(lab_sample_find(session, NULL, &cursor), VARVE_OK);
    assert_int_equal(lab_reading_next(cursor, &row), VARVE_MISUSE);
    expect_error(session, "lab.Sample");
    varve_cursor_close(cursor);
    assert_int_equal(lab_sample_next(NULL, &(const struct lab_sample *){NULL}), VARVE_MISUSE);
    varve_cursor_close(NULL);
}

/* -------------------------------------------------------------------- waiting */

static void
test_a_second_writer_waits_then_is_busy(void **state)
{
    struct fixture *fixture = *state;
    open_with(fixture, (struct varve_config){.busy_timeout_ms = 50});
    struct varve_session *other = second_session(fixture);
    struct lab_sample sample = LAB_SAMPLE_INIT;
    assert_int_equal(varve_begin(other), VARVE_OK);
    int64_t before = varve_now();
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_BUSY);
    assert_true(varve_now() - before >= 45000000);
    assert_true(varve_session_failure(fixture->session)->retryable);
    expect_error(fixture->session, "busy_timeout_ms");
    assert_int_equal(varve_begin(fixture->session), VARVE_BUSY);
    assert_int_equal(count_samples(fixture->session), 0);
    varve_session_close(other);
    insert_named(fixture->session, "now");
}

static void
test_a_writer_of_another_process_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    open_with(fixture, (struct varve_config){.busy_timeout_ms = 50});
    struct lab_sample sample = LAB_SAMPLE_INIT;
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_store *store; /* has a queue of its own, as another process has */
    struct varve_session *session;
    assert_int_equal(varve_open(&lab_schema, &config, &store, NULL), VARVE_OK);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    assert_int_equal(varve_begin(session), VARVE_OK);
    int64_t before = varve_now();
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_BUSY);
    assert_true(varve_now() - before >= 45000000);
    assert_int_equal(varve_commit(session), VARVE_OK);
    insert_named(fixture->session, "now");
    varve_session_close(session);
    varve_close(store);
}

struct writer {
    struct varve_session *session;
    char *order; /* names of writers, in the order in which they got the place */
    char name;
};

static void *
write_when_it_is_our_turn(void *argument)
{
    struct writer *writer = argument;
    if (varve_begin(writer->session) != VARVE_OK)
        return writer;                        /* a failure */
    strncat(writer->order, &writer->name, 1); /* the writer's place is the lock */
    return varve_commit(writer->session) == VARVE_OK ? NULL : writer;
}

static void
test_writers_of_one_process_get_their_place_in_the_order_of_their_coming(void **state)
{
    struct fixture *fixture = *state;
    struct writer writers[5];
    pthread_t threads[5];
    char order[8] = "";
    assert_int_equal(varve_begin(fixture->session), VARVE_OK);
    for (size_t i = 0; i < 5; i++) {
        writers[i] = (struct writer){second_session(fixture), order, (char)('a' + i)};
        assert_int_equal(
            pthread_create(&threads[i], NULL, write_when_it_is_our_turn, &writers[i]), 0);
        nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
    }
    assert_int_equal(varve_commit(fixture->session), VARVE_OK);
    for (size_t i = 0; i < 5; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
        varve_session_close(writers[i].session);
    }
    assert_string_equal(order, "abcde");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_rollback_undoes_everything_since_begin),
        TEST(test_a_nested_rollback_undoes_only_its_own_part),
        TEST(test_a_failed_statement_undoes_itself_and_the_transaction_goes_on),
        TEST(test_commit_and_rollback_need_a_begin),
        TEST(test_a_snapshot_does_not_see_later_commits),
        TEST(test_a_snapshot_cannot_be_written_to),
        TEST(test_a_snapshot_begins_with_no_cursor_of_an_older_one),
        TEST(test_a_session_that_is_closed_rolls_its_transaction_back),
        TEST(test_a_write_beside_an_open_cursor_needs_a_transaction),
        TEST(test_inside_a_transaction_cursors_and_writes_go_together),
        TEST(test_a_rollback_ends_the_cursors_that_were_opened_in_it_and_no_others),
        TEST(test_a_cursor_outlives_its_session_without_harm),
        TEST(test_a_cursor_of_another_message_is_refused),
        TEST(test_a_second_writer_waits_then_is_busy),
        TEST(test_a_writer_of_another_process_is_waited_for),
        TEST(test_writers_of_one_process_get_their_place_in_the_order_of_their_coming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
