/* What stores and sessions are made of, and how every call on a session begins and ends. */
#ifndef VARVE_STORE_HANDLES_H
#define VARVE_STORE_HANDLES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include <varve/store.h>

#include "archive/archive.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/file_lock.h"
#include "base/fork.h"
#include "cache/engine.h"
#include "cache/redis.h"
#include "codec/cache_space.h"
#include "codec/cache_value.h"
#include "store/meter.h"
#include "store/pending.h"
#include "table/connection.h"

struct varve_store {
    struct varve__plans *plans;
    struct varve__queue queue; /* of writers */
    char *folder;              /* the store's own folder */
    char *database;            /* path of the database file in it */
    bool in_memory;            /* the folder goes away at close */
    bool noted;                /* as open, under these: */
    dev_t device;
    ino_t inode;
    unsigned fork_count;               /* as it was when the store was opened */
    struct varve__file_lock file_lock; /* held as long as the store is open */
    struct varve__connect connect;
    int64_t page_cache_bytes; /* of all connections together */
    size_t pooled_sessions;
    void (*log)(void *, enum varve_log_level, enum varve_tier, const char *);
    void *log_context;
    int64_t slow_call_ns;   /* of calls that the log is told; 0: of none */
    int64_t cursor_warn_ns; /* of cursors, likewise */

    struct varve__archive_options archive_options; /* but for the folder */
    struct varve__archive *archive;                /* NULL when no message has tensors */
    void (*progress)(void *, const char *, const char *, int64_t, int64_t);
    void *progress_context;

    atomic_llong cache_share; /* of each connection's page cache, in bytes */

    struct varve__spaces *spaces; /* of the messages that are cached */
    struct varve__cache *cache;   /* NULL when there are none */
    atomic_bool draining; /* a session that came upon rows of hot copies that wait deletes them */
    atomic_bool
        copies_unsaid; /* that hot copies are kept is not in the database: others were writing */
    int64_t compress_above_bytes; /* -1: never */
    size_t cache_value_bytes;     /* most of a value, packed */
    int64_t (*clock)(void *context);
    void *clock_context;
    struct varve__redis_options *redis; /* with its texts; NULL: the embedded cache serves */
    pthread_mutex_t count_lock;         /* of what follows, and of who counts */
    struct varve_cache_message *counts; /* of the last walk, by space; NULL before */
    int64_t counted_at;                 /* ns since 1970 */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t closed;
    size_t session_count;       /* open ones */
    size_t idle_count;          /* and those that wait in the pool */
    struct varve_session *idle; /* the last closed first: its pages are warm */
    struct varve_session *all;  /* open ones and those that wait */
    struct varve__figures past; /* of sessions that are no more */
};

/* What a session has of the cache tier: made when it is first needed. */
struct varve__session_cache {
    struct varve__cache_codec codec;
    struct varve__arena *arena; /* keys and values of the call under way */
    struct varve__pending pending;
    struct varve__recent *recents; /* cursors that the caller has not closed: cache_recent.h */
};

struct varve_session {
    struct varve_store *store;
    struct varve__connection *connection;
    int64_t untimed; /* bits of a count that are 0 when a short call is timed: call.h */
    struct varve__session_cache cache;
    struct varve_session *next;          /* in the pool */
    struct varve_session *older, **link; /* in the list of all */
    struct varve__meter meter;
    bool failed;
    struct varve_failure failure;
    char error[VARVE__ERROR_SIZE];
};

/* The part of beginning a call that is rarely needed: explains what is wrong, or takes over a new
 * share of the page cache. */
enum varve_status
varve__session_enter_slowly(struct varve_session *session);

/* Begins a call on a session. When it fails the call is over: varve__session_leave() is not for it. */
static inline enum varve_status
varve__session_enter(struct varve_session *session)
{
    if (__builtin_expect(
            !session || session->store->fork_count != varve__fork_count ||
                atomic_load_explicit(&session->connection->watch.running, memory_order_relaxed) ||
                atomic_load_explicit(&session->store->cache_share, memory_order_relaxed) !=
                    session->connection->page_cache_bytes,
            0)) {
        enum varve_status status = varve__session_enter_slowly(session);
        if (status != VARVE_OK)
            return status;
    }
    varve__watch_begin(&session->connection->watch);
    return VARVE_OK;
}

/* Keeps the thread's failure in the session. Returns status. */
enum varve_status
varve__session_keep_failure(struct varve_session *session, enum varve_status status);

/* Deletes the hot copies that a commit made stale: read_through.h. */
void
varve__read_through_send(struct varve_session *session);

/* Ends a call. Returns status. */
static inline enum varve_status
varve__session_leave(struct varve_session *session, enum varve_status status)
{
    if (__builtin_expect(session->connection->copies.committed_count > 0, 0))
        varve__read_through_send(session);
    varve__watch_end(&session->connection->watch);
    if (status == VARVE_OK || status == VARVE_ROW || status == VARVE_DONE)
        return status;
    return varve__session_keep_failure(session, status);
}

/* Closes a session for good. */
void
varve__session_destroy(struct varve_session *session);

/* The configuration with its defaults: what a store keeps of it. VARVE_MISUSE names a bad member. */
enum varve_status
varve__config_resolve(const struct varve_config *config, struct varve_store *store);

/* The options of Redis with their texts; NULL is fine. */
void
varve__redis_options_release(struct varve__redis_options *options);

/* Tells the log, if there is one. The text is a sentence that is borrowed. */
void
varve__store_log(
    const struct varve_store *store,
    enum varve_log_level level,
    enum varve_tier tier,
    const char *format,
    ...) VARVE_PRINTF(4, 5);

/* Fills *error from the thread's failure, or empties it. Returns status; error may be NULL. */
enum varve_status
varve__error_report(enum varve_status status, struct varve_error *error);

#endif
