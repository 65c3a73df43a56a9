/* Sessions and transactions: nesting, the writer's queue, snapshots, interruption, time limits, fork,
 * read-only stores, the pool, the configuration. */
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

static int64_t
insert_named(struct varve_session *session, const char *name)
{
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.name = name;
    if (lab_sample_insert(session, &sample) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    return sample.id;
}

static int64_t
count_samples(struct varve_session *session)
{
    int64_t count = -1;
    if (lab_sample_count(session, NULL, &count) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    return count;
}

static struct varve_session *
second_session(const struct fixture *fixture)
{
    struct varve_session *session;
    assert_int_equal(varve_session_open(fixture->store, &session), VARVE_OK);
    return session;
}

/* Opens the fixture's folder anew with this configuration. */
static void
open_with(struct fixture *fixture, struct varve_config config)
{
    struct varve_error error;
    varve_session_close(fixture->session);
    varve_close(fixture->store);
    config.data_dir = fixture->folder;
    if (varve_open(&lab_schema, &config, &fixture->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(fixture->store, &fixture->session), VARVE_OK);
}

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

/* -------------------------------------------------------------------- ending calls early */

static void *
interrupt_soon(void *session)
{
    for (int i = 0; i < 200; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        varve_interrupt(session);
    }
    return NULL;
}

static void *
interrupt_once(void *session)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    varve_interrupt(session);
    return NULL;
}

static void
test_an_interrupt_ends_the_wait_for_a_writer(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *other = second_session(fixture);
    pthread_t thread;
    assert_int_equal(varve_begin(other), VARVE_OK);
    pthread_create(&thread, NULL, interrupt_once, fixture->session);
    assert_int_equal(varve_begin(fixture->session), VARVE_INTERRUPTED);
    pthread_join(thread, NULL);
    expect_error(fixture->session, "varve_interrupt()");
    varve_session_close(other);
    insert_named(fixture->session, "the session goes on");
}

/* Many records, so that a count with a LIKE on each takes a while. */
static void
insert_many_samples(struct varve_session *session, size_t count)
{
    struct lab_sample *samples = calloc(count, sizeof *samples);
    char(*names)[24] = calloc(count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        lab_sample_init(&samples[i]);
        snprintf(names[i], sizeof names[i], "sample %u", (unsigned)i);
        samples[i].name = names[i];
    }
    if (lab_sample_insert_many(session, samples, (int64_t)count) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    free(samples);
    free(names);
}

static const struct lab_sample_filter slow = {
    .name = {{.op = VARVE_LIKE, .value = {.text = "%a%m%p%l%e%0%1%2%3%4%5%6%7%"}}}};

static void
test_an_interrupt_ends_a_running_read(void **state)
{
    struct fixture *fixture = *state;
    insert_many_samples(fixture->session, 20000);
    pthread_t thread;
    int64_t count;
    enum varve_status status = VARVE_OK;
    pthread_create(&thread, NULL, interrupt_soon, fixture->session);
    for (int i = 0; i < 2000 && status == VARVE_OK; i++)
        status = lab_sample_count(fixture->session, &slow, &count);
    assert_int_equal(status, VARVE_INTERRUPTED);
    pthread_join(thread, NULL);
    assert_int_equal(lab_sample_count(fixture->session, NULL, &count), VARVE_OK);
    assert_int_equal(count, 20000);
}

static void
test_an_interrupt_beside_an_open_cursor_leaves_the_transaction_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *session = fixture->session;
    struct varve_cursor *cursor;
    const struct lab_sample *row;
    pthread_t thread;
    int64_t count;
    insert_many_samples(session, 20000);
    assert_int_equal(varve_begin(session), VARVE_OK);
    insert_named(session, "kept");
    assert_int_equal(lab_sample_find(session, NULL, &cursor), VARVE_OK);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    assert_int_equal(varve_begin(session), VARVE_OK);
    insert_named(session, "undone");
    enum varve_status status = VARVE_OK;
    pthread_create(&thread, NULL, interrupt_soon, session);
    for (int i = 0; i < 2000 && status == VARVE_OK; i++)
        status = lab_sample_count(session, &slow, &count);
    pthread_join(thread, NULL);
    assert_int_equal(status, VARVE_INTERRUPTED);
    assert_int_equal(varve_rollback(session), VARVE_OK);
    assert_int_equal(lab_sample_next(cursor, &row), VARVE_ROW);
    assert_int_equal(varve_commit(session), VARVE_OK);
    varve_cursor_close(cursor);
    reopen(fixture);
    assert_int_equal(count_samples(fixture->session), 20001);
}

static void
test_an_interrupt_ends_a_get_of_many(void **state)
{
    struct fixture *fixture = *state;
    enum {
        MANY = 2000000
    };
    int64_t *ids = calloc(MANY, sizeof *ids);
    struct lab_sample **samples;
    pthread_t thread;
    pthread_create(&thread, NULL, interrupt_once, fixture->session);
    assert_int_equal(lab_sample_get_many(fixture->session, ids, MANY, &samples), VARVE_INTERRUPTED);
    pthread_join(thread, NULL);
    assert_null(samples);
    free(ids);
}

static void
test_a_write_that_is_done_when_its_time_is_up_is_done(void **state)
{
    struct fixture *fixture = *state;
    int64_t done = 0;
    open_with(fixture, (struct varve_config){.call_timeout_ms = 1});
    for (int i = 0; i < 1000; i++) {
        char name[24];
        struct lab_sample sample = LAB_SAMPLE_INIT;
        snprintf(name, sizeof name, "sample %d", i);
        sample.name = name;
        done += lab_sample_insert(fixture->session, &sample) == VARVE_OK;
    }
    open_with(fixture, (struct varve_config){0});
    assert_int_equal(count_samples(fixture->session), done);
}

static void
test_a_call_that_takes_too_long_is_ended(void **state)
{
    struct fixture *fixture = *state;
    open_with(fixture, (struct varve_config){.call_timeout_ms = 10000});
    insert_many_samples(fixture->session, 50000);
    open_with(fixture, (struct varve_config){.call_timeout_ms = 1});
    int64_t count;
    assert_int_equal(lab_sample_count(fixture->session, &slow, &count), VARVE_TIMEOUT);
    expect_error(fixture->session, "call_timeout_ms");
    struct varve_session *other = second_session(fixture);
    assert_int_equal(varve_begin(other), VARVE_OK);
    assert_int_equal(varve_begin(fixture->session), VARVE_TIMEOUT);
    varve_session_close(other);
}

static void
test_an_interrupted_write_undoes_its_transaction_and_nothing_more_is_written(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *session = fixture->session;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    insert_many_samples(session, 50000);
    open_with(fixture, (struct varve_config){.call_timeout_ms = 1});
    session = fixture->session;
    assert_int_equal(varve_begin(session), VARVE_OK);
    enum varve_status status = VARVE_OK;
    for (int i = 0; i < 1000 && status == VARVE_OK; i++) {
        struct lab_sample_filter none = {.note = varve_text_like("%a%b%c%d%e%f%")};
        status = varve_record_delete_where(session, &lab_sample_record, &slow);
        if (status == VARVE_OK)
            status = lab_sample_delete_where(session, &none);
    }
    assert_int_equal(status, VARVE_TIMEOUT);
    if (sqlite3_get_autocommit(varve_session_sqlite(session)) != 0) {
        sample.name = "must not be committed by itself";
        assert_int_equal(lab_sample_insert(session, &sample), VARVE_MISUSE);
        expect_error(session, "varve_rollback()");
        assert_int_equal(varve_commit(session), VARVE_TIMEOUT);
    } else {
        assert_int_equal(varve_rollback(session), VARVE_OK);
    }
    open_with(fixture, (struct varve_config){0});
    assert_int_equal(count_samples(fixture->session), 50000);
}

/* -------------------------------------------------------------------- fork, threads, pool */

static void
test_a_forked_child_is_told_not_to_use_the_store(void **state)
{
    struct fixture *fixture = *state;
    insert_named(fixture->session, "a");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int64_t count;
        struct varve_session *session;
        bool good = lab_sample_count(fixture->session, NULL, &count) == VARVE_MISUSE &&
                    varve_session_open(fixture->store, &session) == VARVE_MISUSE &&
                    strstr(varve_session_error(NULL), "forked") != NULL;
        varve_session_close(fixture->session);
        varve_close(fixture->store);
        good = good && strstr(varve_session_error(fixture->session), "fork") != NULL;
        _exit(good ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    insert_named(fixture->session, "the parent goes on");
    assert_int_equal(count_samples(fixture->session), 2);
}

/* What a child's attempt at a store in this folder answers: the exit code is the status. */
static enum varve_status
open_in_child(const char *folder)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct varve_config config = {.data_dir = folder};
        struct varve_store *store;
        struct varve_session *session = NULL;
        struct lab_sample sample = LAB_SAMPLE_INIT;
        sample.name = "of the child";
        enum varve_status status = varve_open(&lab_schema, &config, &store, NULL);
        if (status == VARVE_OK)
            status = varve_session_open(store, &session);
        if (status == VARVE_OK)
            status = lab_sample_insert(session, &sample);
        varve_session_close(session);
        varve_close(store);
        _exit((int)status);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    return (enum varve_status)WEXITSTATUS(result);
}

static void
test_a_child_cannot_open_what_its_parent_has_open(void **state)
{
    struct fixture *fixture = *state;
    insert_named(fixture->session, "a");
    assert_int_equal(open_in_child(fixture->folder), VARVE_MISUSE);
    varve_session_close(fixture->session); /* its connection stays in the pool */
    assert_int_equal(open_in_child(fixture->folder), VARVE_MISUSE);
    assert_int_equal(open_in_child(":memory:"), VARVE_OK);
    varve_close(fixture->store);
    fixture->session = NULL;
    fixture->store = NULL;
    assert_int_equal(open_in_child(fixture->folder), VARVE_OK);
    reopen(fixture);
    assert_int_equal(count_samples(fixture->session), 2);
}

static void
test_a_pooled_session_begins_clean(void **state)
{
    struct fixture *fixture = *state;
    struct varve_session *first = second_session(fixture);
    struct lab_sample sample = LAB_SAMPLE_INIT;
    assert_int_equal(lab_sample_delete(first, 7), VARVE_NOT_FOUND);
    insert_named(first, "a");
    sqlite3 *database = varve_session_sqlite(first);
    varve_session_close(first);
    struct varve_session *second = second_session(fixture);
    assert_ptr_equal(varve_session_sqlite(second), database);
    assert_string_equal(varve_session_error(second), "");
    assert_null(varve_session_failure(second));
    assert_int_equal(varve_changes(second), 0);
    sample.name = "b";
    assert_int_equal(lab_sample_insert(second, &sample), VARVE_OK);
    varve_session_close(second);
}

static void *
close_after_a_while(void *session)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    varve_session_close(session);
    return NULL;
}

static void
test_closing_a_store_waits_for_its_sessions(void **state)
{
    struct fixture *fixture = *state;
    pthread_t thread;
    struct varve_session *other = second_session(fixture);
    varve_session_close(fixture->session);
    int64_t before = varve_now();
    pthread_create(&thread, NULL, close_after_a_while, other);
    varve_close(fixture->store);
    assert_true(varve_now() - before >= 90000000);
    pthread_join(thread, NULL);
    fixture->session = NULL;
    fixture->store = NULL;
    reopen(fixture);
}

static void
test_the_page_cache_is_one_budget_for_all_sessions(void **state)
{
    struct fixture *fixture = *state;
    open_with(fixture, (struct varve_config){.page_cache_bytes = 64 << 20});
    struct varve_session *sessions[3];
    int64_t sum = 0;
    for (size_t i = 0; i < 3; i++)
        sessions[i] = second_session(fixture);
    for (size_t i = 0; i < 4; i++) {
        struct varve_session *session = i < 3 ? sessions[i] : fixture->session;
        sqlite3_stmt *statement;
        count_samples(session); /* takes over its share */
        sqlite3_prepare_v2(
            varve_session_sqlite(session), "PRAGMA cache_size", -1, &statement, NULL);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        sum -= sqlite3_column_int64(statement, 0) * 1024;
        sqlite3_finalize(statement);
    }
    assert_int_equal(sum, 64 << 20);
    for (size_t i = 0; i < 3; i++)
        varve_session_close(sessions[i]);
}

/* -------------------------------------------------------------------- configuration */

static void
test_a_read_only_store_reads_and_refuses_to_write(void **state)
{
    struct fixture *fixture = *state;
    struct lab_sample sample = LAB_SAMPLE_INIT;
    int64_t id = insert_named(fixture->session, "a");
    open_with(fixture, (struct varve_config){.read_only = true});
    assert_int_equal(count_samples(fixture->session), 1);
    assert_int_equal(lab_sample_insert(fixture->session, &sample), VARVE_READ_ONLY);
    expect_error(fixture->session, "read_only");
    assert_int_equal(varve_begin(fixture->session), VARVE_READ_ONLY);
    assert_int_equal(lab_sample_delete(fixture->session, id), VARVE_READ_ONLY);
    assert_int_equal(varve_begin_read(fixture->session), VARVE_OK);
    assert_int_equal(count_samples(fixture->session), 1);
    assert_int_equal(varve_commit(fixture->session), VARVE_OK);
}

static void
test_read_only_makes_no_store(void **state)
{
    struct fixture *fixture = *state;
    char missing[120];
    snprintf(missing, sizeof missing, "%s/none", fixture->folder);
    struct varve_config config = {.data_dir = missing, .read_only = true};
    struct varve_store *store;
    struct varve_error error;
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_NOT_FOUND);
    assert_non_null(strstr(error.message, missing));
    assert_null(store);
    assert_int_not_equal(access(missing, F_OK), 0);
}

static void
test_bad_numbers_in_the_configuration_are_named(void **state)
{
    const struct fixture *fixture = *state;
    struct varve_config config = {.data_dir = fixture->folder, .busy_timeout_ms = -2};
    struct varve_store *store;
    struct varve_error error;
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_MISUSE);
    assert_non_null(strstr(error.message, "busy_timeout_ms"));
    config = (struct varve_config){.data_dir = fixture->folder, .page_cache_bytes = 5};
    assert_int_equal(varve_open(&lab_schema, &config, &store, &error), VARVE_MISUSE);
    assert_non_null(strstr(error.message, "page_cache_bytes"));
}

static void
test_the_environment_sets_members_and_errors_name_the_variable(void **state)
{
    (void)state;
    struct varve_config config = {.busy_timeout_ms = 1};
    struct varve_error error;
    setenv("VARVE_DATA_DIR", "here", 1);
    setenv("VARVE_BUSY_TIMEOUT_MS", "250", 1);
    setenv("VARVE_READ_ONLY", "true", 1);
    setenv("VARVE_DURABILITY", "NORMAL", 1);
    setenv("SQLITE_DB_PATH", "here/other.db", 1);
    assert_int_equal(varve_config_from_env(&config, &error), VARVE_OK);
    assert_string_equal(config.data_dir, "here");
    assert_string_equal(config.database_path, "here/other.db");
    assert_int_equal(config.busy_timeout_ms, 250);
    assert_true(config.read_only);
    assert_int_equal(config.durability, VARVE_DURABILITY_NORMAL);
    assert_int_equal(config.checkpoint_pages, 0);
    setenv("VARVE_BUSY_TIMEOUT_MS", "soon", 1);
    setenv("VARVE_READ_ONLY", "false", 1);
    assert_int_equal(varve_config_from_env(&config, &error), VARVE_INVALID);
    assert_non_null(strstr(error.message, "VARVE_BUSY_TIMEOUT_MS"));
    assert_non_null(strstr(error.message, "soon"));
    assert_true(config.read_only); /* unchanged */
    unsetenv("VARVE_DATA_DIR");
    unsetenv("VARVE_BUSY_TIMEOUT_MS");
    unsetenv("VARVE_READ_ONLY");
    unsetenv("VARVE_DURABILITY");
    unsetenv("SQLITE_DB_PATH");
}

static void
test_the_database_may_lie_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    char path[120];
    struct stat file;
    snprintf(path, sizeof path, "%s/elsewhere.db", fixture->folder);
    open_with(fixture, (struct varve_config){.database_path = path});
    insert_named(fixture->session, "a");
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    reopen(fixture);
    assert_int_equal(count_samples(fixture->session), 0);
    unlink(path);
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
        TEST(test_an_interrupt_ends_the_wait_for_a_writer),
        TEST(test_an_interrupt_ends_a_running_read),
        TEST(test_an_interrupt_beside_an_open_cursor_leaves_the_transaction_as_it_is),
        TEST(test_an_interrupt_ends_a_get_of_many),
        TEST(test_a_write_that_is_done_when_its_time_is_up_is_done),
        TEST(test_a_call_that_takes_too_long_is_ended),
        TEST(test_an_interrupted_write_undoes_its_transaction_and_nothing_more_is_written),
        TEST(test_a_forked_child_is_told_not_to_use_the_store),
        TEST(test_a_child_cannot_open_what_its_parent_has_open),
        TEST(test_a_pooled_session_begins_clean),
        TEST(test_closing_a_store_waits_for_its_sessions),
        TEST(test_the_page_cache_is_one_budget_for_all_sessions),
        TEST(test_a_read_only_store_reads_and_refuses_to_write),
        TEST(test_read_only_makes_no_store),
        TEST(test_bad_numbers_in_the_configuration_are_named),
        TEST(test_the_environment_sets_members_and_errors_name_the_variable),
        TEST(test_the_database_may_lie_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
