/* The writer under load: sixteen threads with good and bad records, kills, a full disk. What was
 * acknowledged is there, what was refused is not. */
#define _XOPEN_SOURCE 700

#include "query_support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

enum {
    THREADS = 16,
    RECORDS = 60,    /* of each thread */
    LARGEST = 90000, /* elements of a tensor: some are staged, some are segments */
    KILLS = 10,
};

static const float samples[LARGEST];

/* -------------------------------------------------------------------- threads */

/* A record that a thread has handed in, and what it was told. */
struct attempt {
    bool is_trace, bad, told;
    enum varve_status status;
    int64_t id;
    uint32_t size;
};

struct worker {
    struct varve_writer *writer;
    int number;
    struct attempt attempts[RECORDS];
};

static void
tell_attempt(
    void *context,
    const void *record,
    enum varve_status status,
    const struct varve_failure *failure,
    const char *error)
{
    struct attempt *attempt = context;
    (void)failure;
    (void)error;
    attempt->told = true;
    attempt->status = status;
    attempt->id = attempt->is_trace ? ((const struct ask_trace *)record)->id
                                    : ((const struct ask_box *)record)->id;
}

static void
hand_in_box(struct worker *worker, int i, bool waits)
{
    struct attempt *attempt = &worker->attempts[i];
    struct ask_box box = ASK_BOX_INIT;
    char label[32];
    snprintf(label, sizeof label, "%d/%d", worker->number, i);
    box.label = label;
    box.weight = attempt->bad ? -1 : i;
    if (waits)
        tell_attempt(
            attempt, &box, ask_box_write(worker->writer, VARVE_WRITER_INSERT, &box), NULL, NULL);
    else if (
        ask_box_submit(worker->writer, VARVE_WRITER_INSERT, &box, tell_attempt, attempt) !=
        VARVE_OK)
        abort();
}

static void
hand_in_trace(struct worker *worker, int i, bool waits)
{
    struct attempt *attempt = &worker->attempts[i];
    struct ask_trace trace = ASK_TRACE_INIT;
    trace.size = attempt->size;
    trace.samples.count = attempt->size + attempt->bad;
    trace.samples.data = (float *)(uintptr_t)samples;
    if (attempt->bad && !waits) { /* a copy of it cannot be made, which submit says at once */
        void *none = NULL;
        if (ask_trace_submit(worker->writer, VARVE_WRITER_INSERT, &trace, NULL, none) !=
            VARVE_INVALID)
            abort();
        tell_attempt(attempt, &trace, VARVE_INVALID, NULL, NULL);
    } else if (waits) {
        tell_attempt(
            attempt, &trace, ask_trace_write(worker->writer, VARVE_WRITER_INSERT, &trace), NULL,
            NULL);
    } else if (
        ask_trace_submit(worker->writer, VARVE_WRITER_INSERT, &trace, tell_attempt, attempt) !=
        VARVE_OK) {
        abort();
    }
}

static void *
work(void *context)
{
    struct worker *worker = context;
    struct random state = {(uint64_t)worker->number + 1};
    for (int i = 0; i < RECORDS; i++) {
        struct attempt *attempt = &worker->attempts[i];
        attempt->is_trace = random_below(&state, 4) == 0;
        attempt->bad = random_below(&state, 5) == 0;
        attempt->size =
            (uint32_t)random_below(&state, random_below(&state, 8) == 0 ? LARGEST - 1 : 500);
        bool waits = random_below(&state, 2) == 0;
        if (attempt->is_trace)
            hand_in_trace(worker, i, waits);
        else
            hand_in_box(worker, i, waits);
        if (random_below(&state, 10) == 0 && varve_writer_flush(worker->writer) != VARVE_OK)
            abort();
    }
    return NULL;
}

/* Each acknowledged record is there as it was handed in, in the order of its thread. */
static void
check_worker(struct varve_session *session, const struct worker *worker, int64_t *boxes)
{
    int64_t last_box = 0, last_trace = 0;
    for (int i = 0; i < RECORDS; i++) {
        const struct attempt *attempt = &worker->attempts[i];
        assert_true(attempt->told);
        assert_int_equal(attempt->status, attempt->bad ? VARVE_INVALID : VARVE_OK);
        if (attempt->bad)
            continue;
        int64_t *last = attempt->is_trace ? &last_trace : &last_box;
        assert_true(attempt->id > *last);
        *last = attempt->id;
        if (attempt->is_trace) {
            struct ask_trace *trace;
            expect_ok(session, ask_trace_get(session, attempt->id, &trace));
            assert_int_equal(trace->samples.count, attempt->size);
            ask_trace_free(trace);
            continue;
        }
        struct ask_box *box;
        char label[32];
        snprintf(label, sizeof label, "%d/%d", worker->number, i);
        expect_ok(session, ask_box_get(session, attempt->id, &box));
        assert_string_equal(box->label, label);
        ask_box_free(box);
        ++*boxes;
    }
}

static void
sixteen_threads_get_what_they_were_told(void **state)
{
    struct asked *asked = *state;
    static struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct varve_writer *writer;
    struct varve_writer_options options = {.batch_records = 20, .queue_records = 40};
    expect_ok(NULL, varve_writer_open(asked->store, &options, &writer));
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.writer = writer, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    varve_writer_close(writer);
    int64_t boxes = 0;
    for (int i = 0; i < THREADS; i++)
        check_worker(asked->session, &workers[i], &boxes);
    assert_int_equal(count_boxes(asked->session), boxes);
}

/* -------------------------------------------------------------------- closing */

struct closer {
    struct varve_writer *writer;
    atomic_int handed;
    atomic_bool refused;
};

static void *
hand_in_until_closed(void *context)
{
    struct closer *closer = context;
    for (;;) {
        struct ask_box box = ASK_BOX_INIT;
        char label[24];
        snprintf(label, sizeof label, "%d", atomic_fetch_add(&closer->handed, 1));
        box.label = label;
        enum varve_status status =
            ask_box_submit(closer->writer, VARVE_WRITER_INSERT, &box, NULL, NULL);
        if (status == VARVE_MISUSE) {
            atomic_fetch_sub(&closer->handed, 1);
            atomic_store(&closer->refused, true);
            return NULL;
        }
        if (status != VARVE_OK)
            abort();
    }
}

static void
nothing_is_lost_when_others_wait_for_room_while_it_closes(void **state)
{
    struct asked *asked = *state;
    struct varve_session *session = asked->session;
    struct varve_writer_options options = {.queue_records = 4, .queue_wait_ms = 60000};
    struct closer closer = {0};
    struct varve_writer_report report;
    pthread_t thread;
    expect_ok(NULL, varve_writer_open(asked->store, &options, &closer.writer));
    expect_ok(session, varve_begin(session)); /* the writer waits, the queue becomes full */
    assert_int_equal(pthread_create(&thread, NULL, hand_in_until_closed, &closer), 0);
    do {
        nanosleep(&(struct timespec){0, 2000000}, NULL);
        expect_ok(NULL, varve_writer_look(closer.writer, &report));
    } while (report.waiting < 4 || atomic_load(&closer.handed) < 5);
    nanosleep(&(struct timespec){0, 20000000}, NULL); /* now it is in the call, most likely */
    expect_ok(session, varve_commit(session));
    varve_writer_close(closer.writer);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(atomic_load(&closer.refused));
    assert_int_equal(count_boxes(session), atomic_load(&closer.handed));
}

/* -------------------------------------------------------------------- kills and a full disk */

static void
remove_folder(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

struct pipe_end {
    struct varve_writer *writer;
    int number, pipe;
};

/* Writes boxes and says of each that it is durable. */
static void *
write_and_say(void *context)
{
    struct pipe_end *end = context;
    for (int i = 0;; i++) {
        struct ask_box box = ASK_BOX_INIT;
        char label[32];
        snprintf(label, sizeof label, "%d/%d/%d", (int)getpid(), end->number, i);
        box.label = label;
        if (ask_box_write(end->writer, VARVE_WRITER_INSERT, &box) != VARVE_OK)
            _exit(1);
        if (write(end->pipe, &box.id, sizeof box.id) != sizeof box.id)
            _exit(1);
    }
}

static _Noreturn void
live_until_killed(const char *folder, int pipe)
{
    enum {
        WRITERS = 4
    };
    struct varve_config config = {.data_dir = folder};
    struct varve_store *store;
    struct varve_writer *writer;
    struct pipe_end ends[WRITERS];
    pthread_t threads[WRITERS];
    if (varve_open(&ask_schema, &config, &store, NULL) != VARVE_OK ||
        varve_writer_open(store, NULL, &writer) != VARVE_OK)
        _exit(1);
    for (int i = 0; i < WRITERS; i++) {
        ends[i] = (struct pipe_end){writer, i, pipe};
        if (pthread_create(&threads[i], NULL, write_and_say, &ends[i]) != 0)
            _exit(1);
    }
    for (;;)
        pause();
}

static void
what_was_acknowledged_survives_a_kill(void **state)
{
    (void)state;
    char folder[] = "/tmp/varve-test-XXXXXX";
    struct random random = {7};
    int64_t acknowledged = 0;
    assert_non_null(mkdtemp(folder));
    for (int round = 0; round < KILLS; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            live_until_killed(folder, ends[1]);
        close(ends[1]);
        int64_t ids[4096], count = 0, wanted = 1 + (int64_t)random_below(&random, 200);
        while (count < wanted && read(ends[0], &ids[count], sizeof *ids) == sizeof *ids)
            count++;
        kill(child, SIGKILL);
        while (count < 4096 && read(ends[0], &ids[count], sizeof *ids) == sizeof *ids)
            count++;
        close(ends[0]);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        struct asked asked = {0};
        asked_open_with(&asked, (struct varve_config){.data_dir = folder});
        for (int64_t i = 0; i < count; i++) {
            struct ask_box *box;
            expect_ok(asked.session, ask_box_get(asked.session, ids[i], &box));
            ask_box_free(box);
        }
        acknowledged += count;
        assert_true(count_boxes(asked.session) >= acknowledged);
        varve_session_close(asked.session);
        varve_close(asked.store);
    }
    remove_folder(folder);
}

enum {
    SMALL = 10
};

/* In a process whose files may not grow: between small records a large one that does not fit any more. 0: the
 * large one failed, the small ones were written. */
static int
write_beyond_the_limit(const char *folder)
{
    struct varve_config config = {.data_dir = folder, .page_cache_bytes = 1 << 20};
    struct varve_store *store;
    struct varve_writer *writer;
    struct varve_writer_options options = {.batch_wait_us = 60000000};
    static struct attempt attempts[SMALL + 1];
    enum {
        LARGE = 40 << 20
    };
    struct rlimit limit = {.rlim_cur = 16 << 20, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    char *large = malloc(LARGE + 1);
    if (!large || varve_open(&ask_schema, &config, &store, NULL) != VARVE_OK ||
        varve_writer_open(store, &options, &writer) != VARVE_OK || setrlimit(RLIMIT_FSIZE, &limit))
        return 2;
    memset(large, 'x', LARGE);
    large[LARGE] = '\0';
    for (int i = 0; i <= SMALL; i++) {
        struct ask_box box = ASK_BOX_INIT;
        char label[16];
        snprintf(label, sizeof label, "%d", i);
        box.label = i == SMALL / 2 ? large : label;
        if (ask_box_submit(writer, VARVE_WRITER_INSERT, &box, tell_attempt, &attempts[i]) !=
            VARVE_OK)
            return 3;
    }
    varve_writer_close(writer);
    for (int i = 0; i <= SMALL; i++) {
        if (!attempts[i].told || (attempts[i].status == VARVE_OK) == (i == SMALL / 2))
            return 10 + i;
    }
    varve_close(store);
    return 0;
}

static void
a_record_that_does_not_fit_on_the_disk_takes_no_other_with_it(void **state)
{
    (void)state;
    char folder[] = "/tmp/varve-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    pid_t child = fork();
    if (child == 0)
        _exit(write_beyond_the_limit(folder));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    struct asked asked = {0};
    asked_open_with(&asked, (struct varve_config){.data_dir = folder});
    assert_int_equal(count_boxes(asked.session), SMALL);
    varve_session_close(asked.session);
    varve_close(asked.store);
    remove_folder(folder);
}

/* In a process whose files may not grow at all, so that no commit can be written: a record, and one that conflicts
 * with it. 0: neither is told of a conflict with what was not committed. */
static int
conflict_in_a_commit_that_fails(const char *folder)
{
    struct varve_config config = {.data_dir = folder};
    struct varve_store *store;
    struct varve_writer *writer;
    struct varve_writer_options options = {.batch_wait_us = 60000000};
    static struct attempt attempts[2];
    struct rlimit limit = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    if (varve_open(&ask_schema, &config, &store, NULL) != VARVE_OK ||
        varve_writer_open(store, &options, &writer) != VARVE_OK || setrlimit(RLIMIT_FSIZE, &limit))
        return 2;
    for (int i = 0; i < 2; i++) {
        struct ask_box box = ASK_BOX_INIT;
        box.label = "same";
        if (ask_box_submit(writer, VARVE_WRITER_INSERT, &box, tell_attempt, &attempts[i]) !=
            VARVE_OK)
            return 3;
    }
    varve_writer_close(writer);
    for (int i = 0; i < 2; i++) {
        enum varve_status status = attempts[i].status;
        if (!attempts[i].told || status == VARVE_OK || status == VARVE_CONFLICT)
            return 10 + i;
    }
    return attempts[0].status == attempts[1].status && attempts[0].id == 0 ? 0 : 4;
}

static void
a_conflict_with_what_was_not_committed_is_not_told(void **state)
{
    (void)state;
    char folder[] = "/tmp/varve-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    pid_t child = fork();
    if (child == 0)
        _exit(conflict_in_a_commit_that_fails(folder));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    remove_folder(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sixteen_threads_get_what_they_were_told),
        TEST(nothing_is_lost_when_others_wait_for_room_while_it_closes),
        cmocka_unit_test(what_was_acknowledged_survives_a_kill),
        cmocka_unit_test(a_record_that_does_not_fit_on_the_disk_takes_no_other_with_it),
        cmocka_unit_test(a_conflict_with_what_was_not_committed_is_not_told),
    };
    return cmocka_run_group_tests_name("the writer under load", tests, NULL, NULL);
}
