/* The writer: a queue of records, and the thread that takes them from it. */
#include "store/writer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <varve/record.h>

#include "base/memory.h"
#include "base/watch.h"
#include "codec/check.h"

enum {
    MOMENT_NS = 1000000 /* that a batch waits at most for callers that are likely to come back */
};

struct varve_writer {
    struct varve_store *store;
    struct varve_session *session; /* of the thread */
    struct varve_writer_options options;
    pthread_t thread;

    pthread_mutex_t lock;        /* of what follows */
    pthread_cond_t came;         /* a record, or the end: the thread waits for it */
    pthread_cond_t went;         /* results: those wait who have no room, who flush, who close */
    struct varve__handed *first; /* that the thread has not taken yet */
    struct varve__handed **last;
    int64_t queued;
    int64_t first_at; /* monotonic ns: when the first of these came */
    int64_t wanted;   /* records at which the thread, which waits for them, is to be woken */
    int64_t
        returning; /* callers that have just got their results: they may come with the next record */
    int64_t run_ns;   /* what the last batch took */
    int64_t flushing; /* how many wait for the queue to be empty: batches do not wait */
    int64_t inside;   /* threads in calls */
    bool closing;
    struct varve_writer_report report;
};

static enum varve_status
misuse(const char *call, const char *text)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL, "%s: %s", call, text);
}

/* -------------------------------------------------------------------- the thread */

/* Waits on the condition until this monotonic time. False: it has come. */
static bool
wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t end)
{
    struct timespec time = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    return pthread_cond_timedwait(condition, lock, &time) != ETIMEDOUT;
}

/* Waits until so many records are there, at most until this time. */
static void
gather(struct varve_writer *writer, int64_t wanted, int64_t end)
{
    if (wanted > writer->options.batch_records)
        wanted = writer->options.batch_records;
    writer->wanted = wanted;
    while (writer->queued < wanted && !writer->closing && writer->flushing == 0) {
        if (!wait_until(&writer->came, &writer->lock, end))
            break;
    }
    writer->wanted = 0;
}

/* Waits for records, and for more: as long as the options say, or else a moment, by what a commit takes, for
 * the callers that have just got their results, since those who write one record after the other are back
 * soon. False: there are none, and it is the end. */
static bool
wait_for_records(struct varve_writer *writer)
{
    int64_t wait_ns = writer->options.batch_wait_us * 1000;
    int64_t moment = writer->run_ns / 4 < MOMENT_NS ? writer->run_ns / 4 : MOMENT_NS;
    if (wait_ns == 0 && writer->returning > 1)
        gather(writer, writer->queued + writer->returning, varve__monotonic_now() + moment);
    while (!writer->first && !writer->closing)
        pthread_cond_wait(&writer->came, &writer->lock);
    if (writer->first && wait_ns > 0)
        gather(writer, writer->options.batch_records, writer->first_at + wait_ns);
    return writer->first != NULL;
}

static void
take_batch(struct varve_writer *writer, struct varve__batch *batch)
{
    struct varve__handed **end = &writer->first;
    *batch = (struct varve__batch){.first = writer->first};
    while (*end && batch->count < writer->options.batch_records) {
        end = &(*end)->next;
        batch->count++;
    }
    writer->first = *end;
    *end = NULL;
    if (!writer->first)
        writer->last = &writer->first;
    writer->queued -= batch->count;
    writer->first_at = varve__monotonic_now(); /* of those that are left: not to wait twice */
}

static void
tell(const struct varve_writer *writer, const struct varve__handed *handed)
{
    bool fine = handed->status == VARVE_OK;
    if (handed->done)
        handed->done(
            handed->context, handed->record, handed->status, fine ? NULL : &handed->failure.failure,
            fine ? "" : handed->failure.text);
    else if (!fine)
        varve__store_log(
            writer->store, VARVE_LOG_WARNING, VARVE_TIER_TABLE,
            "a submitted record was not written: %s", handed->failure.text);
}

/* Tells those who wait their results. What lies on a caller's stack is gone when it knows. */
static void
finish_batch(struct varve_writer *writer, struct varve__batch *batch)
{
    struct varve__handed *submitted = NULL, **last = &submitted, *next;
    pthread_mutex_lock(&writer->lock);
    writer->returning = 0;
    for (struct varve__handed *handed = batch->first; handed; handed = next) {
        next = handed->next;
        if (handed->submitted) {
            *last = handed;
            last = &handed->next;
            continue;
        }
        handed->finished = true;
        writer->returning++;
        pthread_cond_signal(&handed->ready);
    }
    *last = NULL;
    pthread_mutex_unlock(&writer->lock);
    for (struct varve__handed *handed = submitted; handed; handed = next) {
        next = handed->next;
        tell(writer, handed);
        varve_record_free(handed->record);
        varve__release(handed);
    }
}

static void *
run(void *context)
{
    struct varve_writer *writer = context;
    struct varve__batch batch;
    pthread_mutex_lock(&writer->lock);
    while (wait_for_records(writer)) {
        take_batch(writer, &batch);
        pthread_mutex_unlock(&writer->lock);
        int64_t begin = varve__monotonic_now();
        varve__batch_run(writer->session, &batch);
        int64_t end = varve__monotonic_now();
        finish_batch(writer, &batch);
        pthread_mutex_lock(&writer->lock);
        writer->run_ns = end - begin;
        writer->report.waiting -= batch.count;
        writer->report.failed += batch.failed;
        writer->report.commits += batch.commits;
        if (batch.count > writer->report.largest_batch)
            writer->report.largest_batch = batch.count;
        pthread_cond_broadcast(&writer->went);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* -------------------------------------------------------------------- opening and closing */

static enum varve_status
resolve(
    const struct varve_store *store,
    const struct varve_writer_options *given,
    struct varve_writer_options *options)
{
    *options = given ? *given : (struct varve_writer_options){0};
    if (options->batch_records < 0 || options->batch_wait_us < 0 || options->queue_records < 0 ||
        options->queue_wait_ms < -1)
        return misuse("varve_writer_open", "an option is negative; 0 is the default of each");
    if (options->batch_records == 0)
        options->batch_records = 256;
    if (options->queue_records == 0)
        options->queue_records = 4096;
    if (options->queue_wait_ms == 0)
        options->queue_wait_ms = store->connect.busy_timeout_ms;
    if (options->queue_wait_ms < 0)
        options->queue_wait_ms = 0;
    return VARVE_OK;
}

static void
init_locks(struct varve_writer *writer)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->came, &attributes);
    pthread_cond_init(&writer->went, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Signals are for the program's own threads. */
static int
start_thread(struct varve_writer *writer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int problem = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return problem;
}

static enum varve_status
start(struct varve_writer *writer)
{
    enum varve_status status = varve_session_open(writer->store, &writer->session);
    if (status != VARVE_OK)
        return status;
    init_locks(writer);
    writer->last = &writer->first;
    int problem = start_thread(writer);
    if (problem == 0)
        return VARVE_OK;
    varve_session_close(writer->session);
    status = varve__fail(
        VARVE_NO_MEMORY, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
        "varve_writer_open: the system gives no thread: %s; end some, or raise the limit",
        strerror(problem));
    varve__failure_set_errno(problem);
    return status;
}

enum varve_status
varve_writer_open(
    struct varve_store *store,
    const struct varve_writer_options *options,
    struct varve_writer **result)
{
    if (result)
        *result = NULL;
    if (!store || !result)
        return misuse(
            "varve_writer_open", "the store or the result is NULL; open a store, and pass the "
                                 "address of a struct varve_writer *");
    if (store->fork_count != varve__fork_count)
        return misuse(
            "varve_writer_open",
            "the store was opened before this process was forked; open it anew");
    if (store->connect.read_only)
        return varve__fail(
            VARVE_READ_ONLY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "varve_writer_open: the store was opened with read_only; open it without");
    struct varve_writer *writer = varve__allocate(sizeof *writer);
    if (!writer)
        return varve__fail_memory(NULL, sizeof *writer);
    memset(writer, 0, sizeof *writer);
    writer->store = store;
    enum varve_status status = resolve(store, options, &writer->options);
    if (status == VARVE_OK)
        status = start(writer);
    if (status == VARVE_OK)
        *result = writer;
    else
        varve__release(writer);
    return status;
}

static bool
is_forked(const struct varve_writer *writer)
{
    return writer->store->fork_count != varve__fork_count;
}

static bool
is_own_thread(const struct varve_writer *writer)
{
    return pthread_equal(pthread_self(), writer->thread) != 0;
}

void
varve_writer_close(struct varve_writer *writer)
{
    if (!writer || is_forked(writer))
        return;
    if (is_own_thread(writer)) {
        varve__store_log(
            writer->store, VARVE_LOG_ERROR, VARVE_TIER_TABLE,
            "varve_writer_close() in a callback of the writer, which it would wait for: it stays "
            "open; close it from another thread");
        return;
    }
    pthread_mutex_lock(&writer->lock);
    writer->closing = true;
    pthread_cond_signal(&writer->came);
    pthread_cond_broadcast(&writer->went);
    while (writer->inside > 0)
        pthread_cond_wait(&writer->went, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    varve_session_close(writer->session);
    pthread_cond_destroy(&writer->came);
    pthread_cond_destroy(&writer->went);
    pthread_mutex_destroy(&writer->lock);
    varve__release(writer);
}

/* -------------------------------------------------------------------- calls */

static enum varve_status
check_writer(const struct varve_writer *writer, const char *call)
{
    if (!writer)
        return misuse(call, "the writer is NULL; open one with varve_writer_open()");
    if (is_forked(writer))
        return misuse(
            call, "the writer was opened before this process was forked; open a store anew");
    return VARVE_OK;
}

/* For calls that wait for the thread. */
static enum varve_status
check_may_wait(const struct varve_writer *writer, const char *call)
{
    if (is_own_thread(writer))
        return misuse(
            call, "this is a callback of the writer, which would wait for itself; submit instead");
    if (varve__queue_is_mine(&writer->store->queue))
        return misuse(
            call, "this thread has a session in a write transaction, for which the writer would "
                  "wait; commit or roll back first");
    return VARVE_OK;
}

static enum varve_status
check_record(
    const struct varve_writer *writer,
    enum varve_writer_verb verb,
    const struct varve_record *table,
    const void *record,
    const char *call)
{
    if (!table || !varve__plan_of(writer->store->plans, table))
        return misuse(
            call, "the table is NULL, or not of this store; pass a generated one, P_M_record");
    if (!record)
        return misuse(call, "the record is NULL");
    if (verb < VARVE_WRITER_INSERT || verb > VARVE_WRITER_DELETE)
        return misuse(call, "the verb is none of enum varve_writer_verb");
    return varve__record_check_message(table, record);
}

/* Ends a call under the lock. */
static void
leave(struct varve_writer *writer)
{
    if (--writer->inside == 0 && writer->closing)
        pthread_cond_broadcast(&writer->went);
    pthread_mutex_unlock(&writer->lock);
}

/* Begins a call under the lock, and waits until there is room for a record. When it fails the call is
 * over. */
static enum varve_status
enter_with_room(struct varve_writer *writer, const char *call)
{
    int64_t most = writer->options.queue_records;
    int64_t end = varve__monotonic_now() + writer->options.queue_wait_ms * 1000000;
    bool in_time = true;
    pthread_mutex_lock(&writer->lock);
    writer->inside++;
    while (writer->report.waiting >= most && in_time && !writer->closing && !is_own_thread(writer))
        in_time = wait_until(&writer->went, &writer->lock, end);
    if (writer->closing) {
        leave(writer);
        return misuse(call, "the writer is being closed; hand in before");
    }
    if (writer->report.waiting < most || is_own_thread(writer))
        return VARVE_OK;
    leave(writer);
    return varve__fail(
        VARVE_BUSY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "%s: %lld records have waited for their commit for %lld ms; hand in less, or raise "
        "queue_records or queue_wait_ms",
        call, (long long)most, (long long)writer->options.queue_wait_ms);
}

static void
hand_in(struct varve_writer *writer, struct varve__handed *handed)
{
    if (!writer->first) {
        writer->first_at = varve__monotonic_now();
        if (writer->wanted == 0)
            pthread_cond_signal(&writer->came);
    }
    *writer->last = handed;
    writer->last = &handed->next;
    if (++writer->queued == writer->wanted)
        pthread_cond_signal(&writer->came);
    writer->report.records++;
    writer->report.waiting++;
}

enum varve_status
varve_writer_write(
    struct varve_writer *writer,
    enum varve_writer_verb verb,
    const struct varve_record *table,
    void *record)
{
    static const char call[] = "varve_writer_write";
    enum varve_status status = check_writer(writer, call);
    if (status == VARVE_OK)
        status = check_may_wait(writer, call);
    if (status == VARVE_OK)
        status = check_record(writer, verb, table, record, call);
    if (status == VARVE_OK)
        status = enter_with_room(writer, call);
    if (status != VARVE_OK)
        return status;
    struct varve__handed handed = {
        .verb = verb, .table = table, .record = record, .ready = PTHREAD_COND_INITIALIZER};
    hand_in(writer, &handed);
    while (!handed.finished)
        pthread_cond_wait(&handed.ready, &writer->lock);
    leave(writer);
    pthread_cond_destroy(&handed.ready);
    if (handed.status != VARVE_OK)
        varve__failure_restore(&handed.failure);
    return handed.status;
}

enum varve_status
varve_writer_submit(
    struct varve_writer *writer,
    enum varve_writer_verb verb,
    const struct varve_record *table,
    const void *record,
    varve_writer_done *done,
    void *context)
{
    static const char call[] = "varve_writer_submit";
    struct varve__handed *handed = NULL;
    enum varve_status status = check_writer(writer, call);
    if (status == VARVE_OK)
        status = check_record(writer, verb, table, record, call);
    if (status == VARVE_OK && !(handed = varve__allocate(sizeof *handed)))
        status = varve__fail_memory(table->descriptor->name, sizeof *handed);
    if (status != VARVE_OK)
        return status;
    *handed = (struct varve__handed){
        .verb = verb, .table = table, .done = done, .context = context, .submitted = true};
    status = varve_record_clone(table, record, &handed->record);
    if (status == VARVE_OK)
        status = enter_with_room(writer, call);
    if (status != VARVE_OK) {
        varve_record_free(handed->record);
        varve__release(handed);
        return status;
    }
    hand_in(writer, handed);
    leave(writer);
    return VARVE_OK;
}

enum varve_status
varve_writer_flush(struct varve_writer *writer)
{
    static const char call[] = "varve_writer_flush";
    enum varve_status status = check_writer(writer, call);
    if (status == VARVE_OK)
        status = check_may_wait(writer, call);
    if (status != VARVE_OK)
        return status;
    pthread_mutex_lock(&writer->lock);
    writer->inside++;
    writer->flushing++;
    int64_t wanted = writer->report.records;
    pthread_cond_signal(&writer->came);
    while (writer->report.records - writer->report.waiting < wanted)
        pthread_cond_wait(&writer->went, &writer->lock);
    writer->flushing--;
    leave(writer);
    return VARVE_OK;
}

enum varve_status
varve_writer_look(struct varve_writer *writer, struct varve_writer_report *report)
{
    enum varve_status status = check_writer(writer, "varve_writer_look");
    if (status != VARVE_OK)
        return status;
    if (!report)
        return misuse("varve_writer_look", "the report is NULL");
    pthread_mutex_lock(&writer->lock);
    *report = writer->report;
    pthread_mutex_unlock(&writer->lock);
    return VARVE_OK;
}
