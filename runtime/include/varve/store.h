/* Stores and sessions: where records are kept, and one thread's way to them.
 *
 *     struct varve_config config = { .data_dir = "data" };
 *     struct varve_store *store;
 *     struct varve_session *session;
 *     struct varve_error error;
 *     if (varve_open(&cortex_schema, &config, &store, &error) != VARVE_OK)
 *         ...                                       error.message says why
 *     if (varve_session_open(store, &session) != VARVE_OK)
 *         ...                                       varve_session_error(NULL) says why
 *     varve_session_close(session);
 *     varve_close(store);
 *
 * A store may be used by any thread, a session by one at a time.
 */
#ifndef VARVE_STORE_H
#define VARVE_STORE_H

#include <stdint.h>

#include <varve/record.h>
#include <varve/schema.h>
#include <varve/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct varve_store;
struct varve_session;

enum varve_log_level {
    VARVE_LOG_ERROR = 1,
    VARVE_LOG_WARNING,
    VARVE_LOG_INFO,
    VARVE_LOG_DEBUG,
};

/* How a store is opened. All zero is a good configuration but for data_dir; a member that is 0
 * takes its default. Everything is copied. */
struct varve_config {
    /* The folder of the store, made (0700) where it is missing. ":memory:" is a private store in
     * a new folder of /dev/shm, else of TMPDIR or /tmp: gone at close, left behind by a crash.
     * Required. */
    const char *data_dir;
    int64_t busy_timeout_ms; /* how long a writer waits for another; default 5000 */

    /* Called with events, each a sentence such as "opened data/varve.db", from any thread, never
     * with a session's lock held. NULL: no log. */
    void (*log)(
        void *context, enum varve_log_level level, enum varve_tier tier, const char *message);
    void *log_context;
};

/* Opens the store of one schema, making it where there is none. *store is NULL unless the status is
 * VARVE_OK; close it with varve_close(). `error` may be NULL. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_open(
    const struct varve_schema *schema,
    const struct varve_config *config,
    struct varve_store **store,
    struct varve_error *error);

/* Closes the store after waiting for its sessions. NULL is fine. */
VARVE_EXPORT void
varve_close(struct varve_store *store);

/* A working handle for one thread; close it with varve_session_close(). */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_session_open(struct varve_store *store, struct varve_session **session);

/* Gives the session back. NULL is fine. */
VARVE_EXPORT void
varve_session_close(struct varve_session *session);

/* Inserts one record. A generated key that is 0 is assigned and stored in the record. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_insert(struct varve_session *session, const struct varve_record *table, void *record);

/* Reads the record with this primary key. `key` holds a pointer to each part in declaration order,
 * of the field's own C type (int32_t for int32, uint64_t for fixed64 ..), char for strings; NULL is
 * VARVE_INVALID. *record is new: release it with one varve_record_free(). VARVE_NOT_FOUND when
 * there is none. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_get(
    struct varve_session *session,
    const struct varve_record *table,
    const void *const *key,
    void **record);

#ifdef __cplusplus
}
#endif

#endif
