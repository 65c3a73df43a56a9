/* Eight threads read from an archive while one writes and one flushes and compacts, in one store. Bounded by
 * operations. */
#define _DEFAULT_SOURCE /* mkdtemp */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <varve/health.h>

#include "checked.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum {
    WRITES = 400,
};
#else
enum {
    WRITES = 1500,
};
#endif

enum {
    READERS = 8,
    THREADS = READERS + 2,
    IDS = 100,         /* of each kind */
    READS_LEAST = 100, /* of each reader, however fast the writer is */
    ROUNDS_LEAST = 5,  /* of upkeep */
    GET_MANY = 64,
};

/* What the writer knows of a record; others look at it before and after a read. */
struct entry {
    atomic_llong version; /* committed; 0: it is not there */
    atomic_llong begun;   /* the highest that a call was made with */
    atomic_llong calls;   /* that began and that ended: odd while one is under way */
};

struct lab {
    char folder[64];
    struct varve_store *store;
    int64_t parent;
    struct entry entries[CHECKED_KINDS][IDS + 1];
    atomic_bool is_over;     /* the writer is done, or something failed */
    atomic_llong progress;   /* calls of archive_progress */
    atomic_llong interrupts; /* that ended a call */
    atomic_llong snapshots;
    pthread_mutex_t lock; /* of what follows */
    struct varve_session *writer;
    char problem[600]; /* the first one */
};

struct worker {
    struct lab *lab;
    size_t index;
    struct random random;
    struct varve_session *session;
};

/* Threads cannot use cmocka's assertions. */
static bool
expect(struct worker *worker, bool holds, const char *what)
{
    struct lab *lab = worker->lab;
    if (holds)
        return true;
    pthread_mutex_lock(&lab->lock);
    if (!*lab->problem)
        snprintf(
            lab->problem, sizeof lab->problem, "thread %zu: %s: %s", worker->index, what,
            varve_session_error(NULL));
    pthread_mutex_unlock(&lab->lock);
    lab->is_over = true;
    return false;
}

static bool
is_well(struct worker *worker, enum varve_status status, const char *what)
{
    char text[200];
    if (status == VARVE_OK)
        return true;
    snprintf(text, sizeof text, "%s is %s", what, varve_status_name(status));
    return expect(worker, false, text);
}

static bool
is_right(struct worker *worker, enum varve_status status, const char *wrong, const char *what)
{
    return is_well(worker, status, what) && expect(worker, !wrong, wrong);
}

/* -------------------------------------------------------------------- the writer */

/* The call may be interrupted, by the thread that interrupts. */
static enum varve_status
write_one(struct worker *worker, const struct checked *stored, struct checked *changed)
{
    struct varve_session *session = worker->session;
    size_t what = random_below(&worker->random, 10);
    if (stored->version == 0)
        return checked_insert(session, changed, 1);
    if (what < 2) {
        enum varve_status status = checked_delete(session, stored->kind, stored->id);
        changed->version = status == VARVE_OK ? 0 : changed->version;
        return status;
    }
    if (what < 7)
        return checked_update(session, changed);
    changed->version = stored->version;
    return what < 9 ? checked_update_remark(session, changed)
                    : checked_update_without(session, changed);
}

static void
write_some(struct worker *worker)
{
    struct lab *lab = worker->lab;
    enum checked_kind kind = (enum checked_kind)random_below(&worker->random, CHECKED_KINDS);
    int64_t id = 1 + (int64_t)random_below(&worker->random, IDS);
    struct entry *entry = &lab->entries[kind][id];
    struct checked stored = {kind, id, lab->parent, entry->version, 0};
    struct checked changed = stored;
    changed.version = ++entry->begun;
    changed.remark = (int64_t)random_below(&worker->random, 1000);
    entry->calls++;
    enum varve_status status = write_one(worker, &stored, &changed);
    if (status == VARVE_INTERRUPTED)
        lab->interrupts++;
    else if (is_well(worker, status, "a write"))
        entry->version = changed.version;
    entry->calls++;
}

static void
publish(struct worker *worker, struct varve_session *session)
{
    pthread_mutex_lock(&worker->lab->lock);
    worker->lab->writer = session;
    pthread_mutex_unlock(&worker->lab->lock);
}

static void
write_all(struct worker *worker)
{
    publish(worker, worker->session);
    for (int i = 0; i < WRITES && !worker->lab->is_over; i++)
        write_some(worker);
    publish(worker, NULL);
    worker->lab->is_over = true;
}

/* -------------------------------------------------------------------- upkeep */

static void
note_progress(void *context, const char *what, const char *record, int64_t done, int64_t total)
{
    struct lab *lab = context;
    lab->progress += *what && *record && done <= total;
}

static void
keep_up(struct worker *worker)
{
    struct varve_maintenance_report report;
    struct lab *lab = worker->lab;
    for (int i = 0; i < ROUNDS_LEAST || !lab->is_over; i++) {
        is_well(worker, varve_flush(lab->store), "flush");
        if (is_well(worker, varve_maintain(lab->store, &report), "maintain"))
            expect(worker, report.tensors_damaged == 0, "maintain found damage");
        pthread_mutex_lock(&lab->lock); /* so that nobody closes it */
        if (lab->writer)
            varve_interrupt(lab->writer);
        pthread_mutex_unlock(&lab->lock);
    }
}

/* -------------------------------------------------------------------- readers */

static enum checked_kind
any_kind(struct worker *worker)
{
    return (enum checked_kind)random_below(&worker->random, CHECKED_KINDS);
}

static void
look(struct worker *worker)
{
    const char *wrong;
    struct checked record;
    enum checked_kind kind = any_kind(worker);
    int64_t id = 1 + (int64_t)random_below(&worker->random, IDS);
    struct entry *entry = &worker->lab->entries[kind][id];
    int64_t calls = entry->calls, version = entry->version;
    enum varve_status status = checked_get(worker->session, kind, id, &record, &wrong);
    if (status == VARVE_NOT_FOUND) {
        bool is_there = version > 0 && calls % 2 == 0 && entry->calls == calls;
        expect(worker, !is_there, "a record is not there");
        return;
    }
    if (!is_right(worker, status, wrong, "get"))
        return;
    expect(worker, record.version >= version, "an older version than was committed");
    expect(worker, record.version <= entry->begun, "a version that nobody wrote");
}

static void
look_at_part(struct worker *worker)
{
    const char *wrong;
    int64_t id = 1 + (int64_t)random_below(&worker->random, IDS);
    enum varve_status status =
        checked_slice(worker->session, &worker->random, any_kind(worker), id, &wrong);
    is_right(worker, status == VARVE_NOT_FOUND ? VARVE_OK : status, wrong, "read of a part");
}

static void
look_at_many(struct worker *worker)
{
    void **found;
    int64_t ids[GET_MANY];
    enum checked_kind kind = any_kind(worker);
    for (size_t i = 0; i < GET_MANY; i++)
        ids[i] = 1 + (int64_t)random_below(&worker->random, IDS);
    enum varve_status status =
        varve_record_get_many(worker->session, checked_records[kind], ids, GET_MANY, &found);
    if (!is_well(worker, status, "get_many"))
        return;
    for (size_t i = 0; i < GET_MANY; i++) {
        const char *wrong = found[i] ? checked_compare(kind, found[i]) : NULL;
        expect(worker, !wrong, wrong);
    }
    varve_record_free_many(found);
}

/* All records of a kind in a snapshot, which the others' work must not change. */
static void
look_at_all(struct worker *worker)
{
    const char *wrong;
    size_t count, again;
    struct checked listed[IDS], record;
    enum checked_kind kind = any_kind(worker);
    if (!is_well(worker, varve_begin_read(worker->session), "begin_read"))
        return;
    if (is_well(worker, checked_list(worker->session, kind, listed, IDS, &count), "find")) {
        for (size_t i = 0; i < count; i++) {
            enum varve_status status =
                checked_get(worker->session, kind, listed[i].id, &record, &wrong);
            if (is_right(worker, status, wrong, "get in a snapshot"))
                expect(
                    worker,
                    record.version == listed[i].version && record.remark == listed[i].remark,
                    "a snapshot changed");
        }
        enum varve_status status = checked_list(worker->session, kind, listed, IDS, &again);
        if (is_well(worker, status, "find"))
            expect(worker, count == again, "a snapshot has other records");
    }
    is_well(worker, varve_commit(worker->session), "commit");
    worker->lab->snapshots++;
}

static void
read_on(struct worker *worker)
{
    for (int i = 0; i < READS_LEAST || !worker->lab->is_over; i++) {
        size_t what = random_below(&worker->random, 20);
        if (what < 10)
            look(worker);
        else if (what < 16)
            look_at_part(worker);
        else if (what < 19)
            look_at_many(worker);
        else
            look_at_all(worker);
    }
}

/* -------------------------------------------------------------------- threads */

static void *
live(void *context)
{
    struct worker *worker = context;
    if (!is_well(worker, varve_session_open(worker->lab->store, &worker->session), "session_open"))
        return NULL;
    if (worker->index == 0)
        write_all(worker);
    else if (worker->index == 1)
        keep_up(worker);
    else
        read_on(worker);
    varve_session_close(worker->session);
    return NULL;
}

static int
set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    strcpy(lab->folder, "/tmp/varve-threads-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    pthread_mutex_init(&lab->lock, NULL);
    *state = lab;
    return 0;
}

static int
tear_down(void **state)
{
    char command[100];
    struct lab *lab = *state;
    varve_close(lab->store);
    snprintf(command, sizeof command, "rm -r %s", lab->folder);
    int code = system(command);
    pthread_mutex_destroy(&lab->lock);
    free(lab);
    return code;
}

static void
must(enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(NULL));
}

static struct varve_session *
open_lab(struct lab *lab, int64_t stage, int64_t segment)
{
    struct varve_error error;
    struct varve_session *session;
    struct lab_tensors_session parent = LAB_TENSORS_SESSION_INIT;
    const struct varve_config config = {
        .data_dir = lab->folder,
        .durability = VARVE_DURABILITY_NORMAL,
        .busy_timeout_ms = 120000,
        .stage_max_bytes = stage,
        .segment_bytes = segment,
        .chunk_cache_bytes = 1 << 18,
        .archive_threads = 2,
        .archive_progress = note_progress,
        .archive_progress_context = lab};
    if (varve_open(&lab_tensors_schema, &config, &lab->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    must(varve_session_open(lab->store, &session));
    must(lab_tensors_session_insert(session, &parent));
    lab->parent = parent.id;
    return session;
}

/* All is as the writer left it. */
static void
check(struct lab *lab)
{
    const char *wrong;
    struct checked record;
    struct varve_session *session;
    must(varve_session_open(lab->store, &session));
    for (int kind = 0; kind < CHECKED_KINDS; kind++)
        for (int64_t id = 1; id <= IDS; id++) {
            int64_t version = lab->entries[kind][id].version;
            enum varve_status status =
                checked_get(session, (enum checked_kind)kind, id, &record, &wrong);
            if (version == 0) {
                assert_int_equal(status, VARVE_NOT_FOUND);
                continue;
            }
            must(status);
            assert_null(wrong);
            assert_int_equal(record.version, version);
        }
    varve_session_close(session);
}

static void
test_readers_see_whole_records_while_the_archive_is_written_and_compacted(void **state)
{
    struct lab *lab = *state;
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    varve_session_close(open_lab(lab, 4096, 1 << 16));
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.lab = lab, .index = i, .random = {i}};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (*lab->problem)
        fail_msg("%s", lab->problem);
    check(lab);
    must(varve_maintain(lab->store, NULL));
    check(lab);
    print_message(
        "%lld snapshots, %lld calls interrupted, %lld of progress\n", lab->snapshots,
        lab->interrupts, lab->progress);
    assert_true(lab->snapshots > 0 && lab->progress > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_readers_see_whole_records_while_the_archive_is_written_and_compacted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
