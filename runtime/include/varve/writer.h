/* Group commit: many threads hand in records, one thread commits them in batches.
 *
 *     varve_writer_open(store, NULL, &writer);
 *     ...                                                     // in any thread:
 *     status = cortex_episode_write(writer, VARVE_WRITER_INSERT, &episode);
 *     ...
 *     varve_writer_close(writer);
 *
 * A commit that is durable waits for the disk, whether it has one record or a hundred. Threads that write single
 * records therefore share it: what is handed in during one commit goes together in the next. Each caller
 * gets its own result when its record is durable, as that of a call of its own. A record that is refused
 * (a unique field, a reference, a check, a NaN ..) is refused alone: the others of its batch are
 * committed.
 *
 * Records are written in the order of their handing in, so those of one thread in its order. All functions
 * may be called from any thread, but those of a callback as said below, and not across fork
 * (VARVE_MISUSE). Close the writer before the store: it holds a session.
 */
#ifndef VARVE_WRITER_H
#define VARVE_WRITER_H

#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct varve_writer;

/* Zero is the default of each. */
struct varve_writer_options {
    int64_t batch_records; /* most records of one commit; default 256 */
    /* How long a batch that is not full waits for more, from its first record on. Default 0: what comes during a
     * commit is the next batch already, which waits no more than a quarter of a commit's time for the
     * callers that have just got their results. */
    int64_t batch_wait_us;
    int64_t queue_records; /* most records that have no result yet; default 4096 */
    /* How long handing in waits while there are so many; then VARVE_BUSY. Default: the store's
     * busy_timeout_ms, -1: not at all. */
    int64_t queue_wait_ms;
};

/* What is to be done with a record: as the record functions of these names do it. */
enum varve_writer_verb {
    VARVE_WRITER_INSERT = 1,
    VARVE_WRITER_UPDATE,
    VARVE_WRITER_UPSERT,
    VARVE_WRITER_DELETE, /* of the record that has this one's key */
};

/* Told of a submitted record, once, from the writer's thread, when it is durable or has failed. `record` is
 * the writer's copy, with the id and version it got; `failure` and `error` are those of
 * varve_session_failure() and varve_session_error(), NULL and "" of VARVE_OK. All of them are valid during
 * the call. It may submit more records (which then never waits for room); to write, to flush or to close
 * from it is VARVE_MISUSE. Others wait for their results while it runs. */
typedef void
varve_writer_done(
    void *context,
    const void *record,
    enum varve_status status,
    const struct varve_failure *failure,
    const char *error);

/* Starts a writer's thread. `options` may be NULL. *writer is NULL unless the status is VARVE_OK; close it with
 * varve_writer_close(). VARVE_READ_ONLY: the store was opened so. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_writer_open(
    struct varve_store *store,
    const struct varve_writer_options *options,
    struct varve_writer **writer);

/* Hands in a record and waits for its result: VARVE_OK when it is durable. The record is not copied; an id
 * and a version are stored in it on success only. Why it failed: varve_session_error(NULL) and
 * varve_session_failure(NULL) on this thread. VARVE_BUSY also when there was no room in time.
 * VARVE_UNKNOWN_OUTCOME: the commit of its batch failed. VARVE_MISUSE: this thread has a session of the store
 * in a write transaction, for which the writer would wait. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_writer_write(
    struct varve_writer *writer,
    enum varve_writer_verb verb,
    const struct varve_record *table,
    void *record);

/* Hands in a copy of a record and returns; `done` (may be NULL: a failure goes to the log) is told the result.
 * When this call fails nothing was handed in, and `done` is not called. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_writer_submit(
    struct varve_writer *writer,
    enum varve_writer_verb verb,
    const struct varve_record *table,
    const void *record,
    varve_writer_done *done,
    void *context);

/* Waits until everything that was handed in before this call, by any thread, has its result and its callback
 * has returned. That a record failed is no failure of this call. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_writer_flush(struct varve_writer *writer);

/* Commits what is handed in, waits for all results and callbacks, and ends the thread. Threads that are
 * in calls on the writer get their results; no new call may begin. NULL is fine. */
VARVE_EXPORT void
varve_writer_close(struct varve_writer *writer);

/* Counted from the opening on. */
struct varve_writer_report {
    int64_t records; /* handed in */
    int64_t waiting; /* of these, without a result now */
    int64_t failed;  /* of these, with another result than VARVE_OK */
    int64_t commits;
    int64_t largest_batch; /* records */
};

VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_writer_look(struct varve_writer *writer, struct varve_writer_report *report);

#ifdef __cplusplus
}
#endif

#endif
