/* The writer: results, order, room, callbacks, misuse. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "query_support.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

struct written {
    struct asked asked;
    struct varve_writer *writer;
};

static void
open_writer(struct written *written, struct varve_writer_options options)
{
    assert_int_equal(varve_writer_open(written->asked.store, &options, &written->writer), VARVE_OK);
}

static int
set_up(void **state)
{
    struct written *written = calloc(1, sizeof *written);
    asked_open_with(&written->asked, (struct varve_config){.data_dir = ":memory:"});
    *state = written;
    return 0;
}

static int
tear_down(void **state)
{
    struct written *written = *state;
    varve_writer_close(written->writer);
    varve_session_close(written->asked.session);
    varve_close(written->asked.store);
    free(written);
    return 0;
}

static struct ask_box
box_of(const char *label, double weight)
{
    struct ask_box box = ASK_BOX_INIT;
    box.label = label;
    box.weight = weight;
    return box;
}

static struct varve_writer_report
look(struct varve_writer *writer)
{
    struct varve_writer_report report;
    assert_int_equal(varve_writer_look(writer, &report), VARVE_OK);
    return report;
}

static void
a_written_record_is_there_with_its_id_and_version(void **state)
{
    struct written *written = *state;
    struct varve_session *session = written->asked.session;
    struct ask_box box = box_of("a", 1);
    struct ask_box *read;
    open_writer(written, (struct varve_writer_options){0});
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_INSERT, &box));
    assert_true(box.id > 0 && box.version == 1);
    expect_ok(session, ask_box_get(session, box.id, &read));
    assert_true(ask_box_equal(read, &box));
    ask_box_free(read);
}

static void
all_verbs_do_what_their_functions_do(void **state)
{
    struct written *written = *state;
    struct varve_session *session = written->asked.session;
    struct ask_box box = box_of("a", 1);
    struct ask_box *read;
    open_writer(written, (struct varve_writer_options){0});
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_INSERT, &box));
    box.weight = 2;
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_UPDATE, &box));
    assert_int_equal(box.version, 2);
    struct ask_box other = box_of("a", 3);
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_UPSERT, &other));
    assert_int_equal(other.id, box.id);
    expect_ok(session, ask_box_get(session, box.id, &read));
    assert_true(read->weight == 3);
    ask_box_free(read);
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_DELETE, &box));
    assert_int_equal(ask_box_get(session, box.id, &read), VARVE_NOT_FOUND);
    assert_int_equal(ask_box_write(written->writer, VARVE_WRITER_DELETE, &box), VARVE_NOT_FOUND);
    assert_int_equal(ask_box_write(written->writer, VARVE_WRITER_UPDATE, &box), VARVE_NOT_FOUND);
}

/* -------------------------------------------------------------------- submitting */

enum {
    RESULTS = 64
};

struct results {
    struct varve_writer *writer;
    int count;
    enum varve_status status[RESULTS];
    int64_t id[RESULTS];
    char text[RESULTS][80];
    enum varve_failure_kind kind[RESULTS];
};

static void
note(
    void *context,
    const void *record,
    enum varve_status status,
    const struct varve_failure *failure,
    const char *error)
{
    struct results *results = context;
    const struct ask_box *box = record;
    results->status[results->count] = status;
    results->id[results->count] = box->id;
    results->kind[results->count] = failure ? failure->kind : VARVE_FAILURE_OTHER;
    snprintf(results->text[results->count], sizeof results->text[0], "%s", error);
    results->count++;
}

static void
a_bad_record_fails_alone_in_its_batch(void **state)
{
    struct written *written = *state;
    struct results results = {0};
    struct ask_item orphan = ASK_ITEM_INIT;
    char labels[4][2] = {"a", "b", "c", "a"};
    double weights[4] = {
        1, -1, NAN, 1}; /* the 2nd breaks a check, the 3rd is none, the 4th is there */
    open_writer(written, (struct varve_writer_options){.batch_wait_us = 60000000});
    for (int i = 0; i < 4; i++) {
        struct ask_box box = box_of(labels[i], weights[i]);
        expect_ok(NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, note, &results));
    }
    struct ask_box last = box_of("z", 1);
    expect_ok(NULL, ask_item_submit(written->writer, VARVE_WRITER_INSERT, &orphan, NULL, NULL));
    expect_ok(NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &last, note, &results));
    expect_ok(NULL, varve_writer_flush(written->writer));
    assert_int_equal(results.count, 5);
    assert_int_equal(results.status[0], VARVE_OK);
    assert_string_equal(results.text[0], "");
    assert_int_equal(results.status[1], VARVE_INVALID);
    assert_int_equal(results.kind[1], VARVE_FAILURE_CHECK);
    assert_int_equal(results.status[2], VARVE_INVALID);
    assert_int_equal(results.kind[2], VARVE_FAILURE_NAN);
    assert_int_equal(results.status[3], VARVE_CONFLICT);
    assert_int_equal(results.kind[3], VARVE_FAILURE_UNIQUE);
    assert_non_null(strstr(results.text[3], "ask.Box"));
    assert_int_equal(results.status[4], VARVE_OK);
    assert_int_equal(count_boxes(written->asked.session), 2);
    struct varve_writer_report report = look(written->writer);
    assert_int_equal(report.commits, 1);
    assert_int_equal(report.largest_batch, 6);
    assert_int_equal(report.failed, 4);
    assert_int_equal(report.waiting, 0);
}

static void
a_refused_record_keeps_the_id_it_was_handed_in_with(void **state)
{
    struct written *written = *state;
    struct ask_box box = box_of("a", 1);
    struct ask_box same = box_of("a", 1);
    open_writer(written, (struct varve_writer_options){0});
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_INSERT, &box));
    assert_int_equal(ask_box_write(written->writer, VARVE_WRITER_INSERT, &same), VARVE_CONFLICT);
    assert_int_equal(same.id, 0);
    expect_error(NULL, "has label \"a\" already");
    assert_int_equal(varve_session_failure(NULL)->fields[0], ASK_BOX_FIELD_LABEL);
}

static void
records_are_written_in_their_order(void **state)
{
    struct written *written = *state;
    struct results results = {0};
    open_writer(written, (struct varve_writer_options){.batch_records = 7});
    for (int i = 0; i < RESULTS; i++) {
        char label[8];
        snprintf(label, sizeof label, "%d", i);
        struct ask_box box = box_of(label, i);
        expect_ok(NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, note, &results));
    }
    expect_ok(NULL, varve_writer_flush(written->writer));
    assert_int_equal(results.count, RESULTS);
    for (int i = 0; i < RESULTS; i++)
        assert_int_equal(results.id[i], i + 1);
    assert_true(look(written->writer).largest_batch <= 7);
}

static void
closing_commits_what_was_handed_in(void **state)
{
    struct written *written = *state;
    struct results results = {0};
    open_writer(written, (struct varve_writer_options){.batch_wait_us = 60000000});
    for (int i = 0; i < 10; i++) {
        char label[2] = {(char)('a' + i), 0};
        struct ask_box box = box_of(label, 1);
        expect_ok(NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, note, &results));
    }
    varve_writer_close(written->writer);
    written->writer = NULL;
    assert_int_equal(results.count, 10);
    assert_int_equal(count_boxes(written->asked.session), 10);
}

static void
tensors_go_with_their_records(void **state)
{
    struct written *written = *state;
    struct varve_session *session = written->asked.session;
    static float samples[100000]; /* more than is staged */
    open_writer(written, (struct varve_writer_options){0});
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        samples[i] = (float)i;
    for (uint32_t size = 10; size <= 100000; size *= 100) {
        struct ask_trace trace = ASK_TRACE_INIT;
        struct ask_trace *read;
        trace.size = size;
        trace.samples.count = size;
        trace.samples.data = samples;
        expect_ok(NULL, ask_trace_write(written->writer, VARVE_WRITER_INSERT, &trace));
        expect_ok(session, ask_trace_get(session, trace.id, &read));
        assert_true(ask_trace_equal(read, &trace));
        ask_trace_free(read);
    }
    struct ask_trace bad = ASK_TRACE_INIT;
    bad.size = 5;
    assert_int_equal(ask_trace_write(written->writer, VARVE_WRITER_INSERT, &bad), VARVE_INVALID);
    assert_int_equal(varve_session_failure(NULL)->kind, VARVE_FAILURE_DIMS);
}

/* A trigger stands for what undoes the whole transaction, such as a full disk. */
static void
records_beside_one_that_undoes_the_transaction_are_written_as_handed_in(void **state)
{
    struct written *written = *state;
    struct varve_session *session = written->asked.session;
    static const char *const labels[] = {"first", "first", "bad", "seven", "five hundred"};
    static const int64_t ids[] = {0, 0, 0, 7, 500};
    struct results results = {0};
    struct ask_box box = box_of("7", 1);
    box.id = 7;
    expect_ok(session, ask_box_insert(session, &box));
    assert_int_equal(
        sqlite3_exec(
            varve_session_sqlite(session),
            "CREATE TRIGGER undoing BEFORE INSERT ON box WHEN new.label = 'bad' BEGIN SELECT "
            "RAISE(ROLLBACK, 'gone'); END",
            NULL, NULL, NULL),
        SQLITE_OK);
    open_writer(written, (struct varve_writer_options){.batch_wait_us = 60000000});
    for (int i = 0; i < 5; i++) {
        struct ask_box given = box_of(labels[i], 2);
        given.id = ids[i];
        given.version = i == 3; /* an update of what is there */
        enum varve_writer_verb verb = i == 3 ? VARVE_WRITER_UPDATE : VARVE_WRITER_INSERT;
        expect_ok(NULL, ask_box_submit(written->writer, verb, &given, note, &results));
    }
    expect_ok(NULL, varve_writer_flush(written->writer));
    assert_int_equal(results.status[0], VARVE_OK);
    assert_int_equal(results.status[1], VARVE_CONFLICT); /* with the first, which is there */
    assert_true(results.status[2] != VARVE_OK);
    assert_int_equal(results.status[3], VARVE_OK);
    assert_int_equal(results.id[3], 7);
    assert_int_equal(results.status[4], VARVE_OK);
    assert_int_equal(results.id[4], 500);
    assert_int_equal(count_boxes(session), 3);
}

/* -------------------------------------------------------------------- room and misuse */

/* A session that holds the writer's place keeps the thread from committing. */
static void
a_full_queue_is_busy_after_its_time(void **state)
{
    struct written *written = *state;
    struct varve_session *session = written->asked.session;
    struct ask_box box = box_of("a", 1);
    struct results results = {0};
    open_writer(written, (struct varve_writer_options){.queue_records = 2, .queue_wait_ms = -1});
    expect_ok(session, varve_begin(session));
    expect_ok(NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, note, &results));
    box.label = "b";
    expect_ok(NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, note, &results));
    box.label = "c";
    assert_int_equal(
        ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, note, &results), VARVE_BUSY);
    expect_error(NULL, "2 records have waited");
    expect_ok(session, varve_commit(session));
    expect_ok(NULL, varve_writer_flush(written->writer));
    assert_int_equal(results.count, 2);
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_INSERT, &box));
}

static void
a_store_that_others_write_is_busy_for_the_whole_batch(void **state)
{
    struct written *written = *state;
    struct results results = {0};
    asked_open_with(
        &written->asked, (struct varve_config){.data_dir = ":memory:", .busy_timeout_ms = 20});
    struct varve_session *session = written->asked.session;
    open_writer(written, (struct varve_writer_options){.batch_wait_us = 1000});
    expect_ok(session, varve_begin(session));
    for (int i = 0; i < 2; i++) {
        struct ask_box box = box_of(i ? "a" : "b", 1);
        expect_ok(NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, note, &results));
    }
    while (look(written->writer).waiting > 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    expect_ok(session, varve_rollback(session));
    assert_int_equal(results.count, 2);
    assert_int_equal(results.status[0], VARVE_BUSY);
    assert_int_equal(results.status[1], VARVE_BUSY);
    assert_int_equal(count_boxes(session), 0);
}

static void
waiting_for_the_writer_in_a_write_transaction_is_misuse(void **state)
{
    struct written *written = *state;
    struct varve_session *session = written->asked.session;
    struct ask_box box = box_of("a", 1);
    open_writer(written, (struct varve_writer_options){0});
    expect_ok(session, varve_begin(session));
    assert_int_equal(ask_box_write(written->writer, VARVE_WRITER_INSERT, &box), VARVE_MISUSE);
    expect_error(NULL, "commit or roll back first");
    assert_int_equal(varve_writer_flush(written->writer), VARVE_MISUSE);
    expect_ok(session, varve_rollback(session));
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_INSERT, &box));
}

/* Submits two more, and tries what a callback may not do. */
static void
submit_more(
    void *context,
    const void *record,
    enum varve_status status,
    const struct varve_failure *failure,
    const char *error)
{
    struct results *results = context;
    struct ask_box more = box_of("more", 1);
    note(context, record, status, failure, error);
    assert_int_equal(ask_box_write(results->writer, VARVE_WRITER_INSERT, &more), VARVE_MISUSE);
    assert_int_equal(varve_writer_flush(results->writer), VARVE_MISUSE);
    varve_writer_close(results->writer);
    expect_ok(NULL, ask_box_submit(results->writer, VARVE_WRITER_INSERT, &more, note, results));
    more.label = "and more";
    expect_ok(NULL, ask_box_submit(results->writer, VARVE_WRITER_INSERT, &more, note, results));
}

static void
a_callback_may_submit_beyond_the_room_and_not_wait(void **state)
{
    struct written *written = *state;
    struct results results = {0};
    struct ask_box box = box_of("first", 1);
    open_writer(written, (struct varve_writer_options){.queue_records = 1, .queue_wait_ms = -1});
    results.writer = written->writer;
    expect_ok(
        NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, submit_more, &results));
    for (int i = 0; i < 2; i++) /* the second: of what the callback has handed in */
        expect_ok(NULL, varve_writer_flush(written->writer));
    assert_int_equal(results.count, 3);
    assert_int_equal(count_boxes(written->asked.session), 3);
}

static void
bad_arguments_are_misuse(void **state)
{
    struct written *written = *state;
    struct ask_box box = box_of("a", 1);
    struct ask_item item = ASK_ITEM_INIT;
    struct varve_writer *writer = (struct varve_writer *)1;
    struct varve_writer_options negative = {.batch_records = -1};
    assert_int_equal(varve_writer_open(NULL, NULL, &writer), VARVE_MISUSE);
    assert_null(writer);
    assert_int_equal(varve_writer_open(written->asked.store, NULL, NULL), VARVE_MISUSE);
    assert_int_equal(varve_writer_open(written->asked.store, &negative, &writer), VARVE_MISUSE);
    open_writer(written, (struct varve_writer_options){0});
    assert_int_equal(ask_box_write(NULL, VARVE_WRITER_INSERT, &box), VARVE_MISUSE);
    assert_int_equal(ask_box_write(written->writer, VARVE_WRITER_INSERT, NULL), VARVE_MISUSE);
    assert_int_equal(ask_box_write(written->writer, (enum varve_writer_verb)9, &box), VARVE_MISUSE);
    assert_int_equal(
        varve_writer_write(written->writer, VARVE_WRITER_INSERT, &ask_box_record, &item),
        VARVE_MISUSE);
    assert_int_equal(
        varve_writer_write(written->writer, VARVE_WRITER_INSERT, &ask_id_record, &item),
        VARVE_MISUSE);
    assert_int_equal(varve_writer_look(written->writer, NULL), VARVE_MISUSE);
    assert_int_equal(varve_writer_flush(NULL), VARVE_MISUSE);
    varve_writer_close(NULL);
}

static void
a_writer_is_not_for_a_forked_child(void **state)
{
    struct written *written = *state;
    struct ask_box box = box_of("a", 1);
    open_writer(written, (struct varve_writer_options){0});
    pid_t child = fork();
    if (child == 0) {
        bool good = ask_box_write(written->writer, VARVE_WRITER_INSERT, &box) == VARVE_MISUSE;
        varve_writer_close(written->writer);
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    expect_ok(NULL, ask_box_write(written->writer, VARVE_WRITER_INSERT, &box));
}

static void
keep_text(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    (void)tier;
    if (level == VARVE_LOG_WARNING)
        snprintf(context, 200, "%s", message);
}

static void
a_failure_that_nobody_is_told_goes_to_the_log(void **state)
{
    struct written *written = *state;
    struct ask_box box = box_of("a", -1);
    char text[200] = "";
    asked_open_with(
        &written->asked,
        (struct varve_config){.data_dir = ":memory:", .log = keep_text, .log_context = text});
    open_writer(written, (struct varve_writer_options){0});
    expect_ok(NULL, ask_box_submit(written->writer, VARVE_WRITER_INSERT, &box, NULL, NULL));
    expect_ok(NULL, varve_writer_flush(written->writer));
    assert_non_null(strstr(text, "a submitted record was not written: "));
    assert_non_null(strstr(text, "ask.Box"));
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_written_record_is_there_with_its_id_and_version),
        TEST(all_verbs_do_what_their_functions_do),
        TEST(a_bad_record_fails_alone_in_its_batch),
        TEST(a_refused_record_keeps_the_id_it_was_handed_in_with),
        TEST(records_are_written_in_their_order),
        TEST(closing_commits_what_was_handed_in),
        TEST(tensors_go_with_their_records),
        TEST(records_beside_one_that_undoes_the_transaction_are_written_as_handed_in),
        TEST(a_full_queue_is_busy_after_its_time),
        TEST(a_store_that_others_write_is_busy_for_the_whole_batch),
        TEST(waiting_for_the_writer_in_a_write_transaction_is_misuse),
        TEST(a_callback_may_submit_beyond_the_room_and_not_wait),
        TEST(bad_arguments_are_misuse),
        TEST(a_writer_is_not_for_a_forked_child),
        TEST(a_failure_that_nobody_is_told_goes_to_the_log),
    };
    return cmocka_run_group_tests_name("the writer", tests, NULL, NULL);
}
