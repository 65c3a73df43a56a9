/* Calls that end early: interrupts and time limits, and what is true after them. */
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_interrupt_ends_the_wait_for_a_writer),
        TEST(test_an_interrupt_ends_a_running_read),
        TEST(test_an_interrupt_beside_an_open_cursor_leaves_the_transaction_as_it_is),
        TEST(test_an_interrupt_ends_a_get_of_many),
        TEST(test_a_write_that_is_done_when_its_time_is_up_is_done),
        TEST(test_a_call_that_takes_too_long_is_ended),
        TEST(test_an_interrupted_write_undoes_its_transaction_and_nothing_more_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
