/* Sessions: taken from the store's pool, given back to it; what every call on one begins and ends
 * with. */
#include <string.h>

#include "base/memory.h"
#include "store/cache_recent.h"
#include "store/cursor.h"
#include "store/handles.h"
#include "store/read_through.h"
#include "table/find.h"
#include "table/transaction.h"

enum {
    SMALLEST_SHARE = 1 << 20 /* of the page cache, in bytes */
};

/* -------------------------------------------------------------------- the pool */

/* Splits the page cache over the connections: by the next power of two, so that shares seldom change. */
static void
split_cache(struct varve_store *store)
{
    size_t connections = store->session_count + store->idle_count;
    size_t parts = 1;
    while (parts < connections)
        parts *= 2;
    int64_t share = store->page_cache_bytes / (int64_t)parts;
    atomic_store_explicit(
        &store->cache_share, share > SMALLEST_SHARE ? share : SMALLEST_SHARE, memory_order_relaxed);
}

/* A session counts before it has anything of the store, so that varve_close() waits for it. */
static struct varve_session *
enter_store(struct varve_store *store)
{
    pthread_mutex_lock(&store->lock);
    struct varve_session *session = store->idle;
    if (session) {
        store->idle = session->next;
        store->idle_count--;
    }
    store->session_count++;
    split_cache(store);
    pthread_mutex_unlock(&store->lock);
    return session;
}

static void
count_out(struct varve_store *store)
{
    store->session_count--;
    split_cache(store);
    if (store->session_count == 0)
        pthread_cond_broadcast(&store->closed);
}

static void
leave_store(struct varve_store *store)
{
    pthread_mutex_lock(&store->lock);
    count_out(store);
    pthread_mutex_unlock(&store->lock);
}

/* Puts the session into the pool, if that has room: then it has left the store. */
static bool
leave_into_pool(struct varve_store *store, struct varve_session *session)
{
    pthread_mutex_lock(&store->lock);
    bool pooled = store->idle_count < store->pooled_sessions;
    if (pooled) {
        session->next = store->idle;
        store->idle = session;
        store->idle_count++;
        count_out(store);
    }
    pthread_mutex_unlock(&store->lock);
    return pooled;
}

/* Into the list of all, where others look at it; and out again, when what it has counted stays. */
static void
list_session(struct varve_store *store, struct varve_session *session)
{
    pthread_mutex_lock(&store->lock);
    session->older = store->all;
    session->link = &store->all;
    if (session->older)
        session->older->link = &session->older;
    store->all = session;
    pthread_mutex_unlock(&store->lock);
}

static void
unlist_session(struct varve_store *store, struct varve_session *session)
{
    pthread_mutex_lock(&store->lock);
    *session->link = session->older;
    if (session->older)
        session->older->link = session->link;
    varve__meter_add(&session->meter, &store->past);
    pthread_mutex_unlock(&store->lock);
}

static enum varve_status
make_session(struct varve_store *store, struct varve_session **result)
{
    struct varve_session *session = varve__allocate(sizeof *session);
    if (!session)
        return varve__fail_memory(NULL, sizeof *session);
    memset(session, 0, sizeof *session);
    session->store = store;
    session->untimed = store->slow_call_ns > 0 ? 0 : VARVE__CALL_SAMPLE - 1;
    enum varve_status status =
        varve__connection_open(&store->connect, store->plans, &store->queue, &session->connection);
    if (status != VARVE_OK) {
        varve__release(session);
        return status;
    }
    list_session(store, session);
    *result = session;
    return VARVE_OK;
}

void
varve__session_destroy(struct varve_session *session)
{
    unlist_session(session->store, session);
    varve__connection_close(session->connection);
    varve__cache_codec_release(&session->cache.codec);
    varve__arena_release(session->cache.arena);
    varve__pending_release(&session->cache.pending);
    varve__release(session);
}

enum varve_status
varve_session_open(struct varve_store *store, struct varve_session **result)
{
    const char *problem = NULL;
    if (result)
        *result = NULL;
    if (!result)
        problem = "the result is NULL; pass the address of a struct varve_session *";
    else if (!store)
        problem = "the store is NULL; open one with varve_open() and look at its status";
    else if (store->fork_count != varve__fork_count)
        problem =
            "the store was opened before this process was forked; fork before opening, or exec";
    if (problem)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL, "varve_session_open: %s",
            problem);
    struct varve_session *session = enter_store(store);
    enum varve_status status = session ? VARVE_OK : make_session(store, &session);
    if (status != VARVE_OK) {
        leave_store(store);
        return status;
    }
    session->failed = false;
    session->error[0] = '\0';
    *result = session;
    return VARVE_OK;
}

void
varve_session_close(struct varve_session *session)
{
    /* After a fork the connection is the parent's: closing it here could harm its files. */
    if (!session || session->store->fork_count != varve__fork_count)
        return;
    struct varve_store *store = session->store;
    for (struct varve__find_cursor *cursor = session->connection->cursors; cursor;
         cursor = cursor->next) {
        if (cursor->base.owner)
            varve__cursor_ends(session, &cursor->base);
        cursor->base.owner = NULL;
    }
    varve__recent_detach(session);
    varve__pending_forget(session, 0);
    bool fit = varve__connection_reset(session->connection);
    if (fit && leave_into_pool(store, session))
        return;
    varve__session_destroy(session);
    leave_store(store);
}

/* -------------------------------------------------------------------- calls */

static bool
is_forked(const struct varve_session *session)
{
    return session && session->store->fork_count != varve__fork_count;
}

enum varve_status
varve__session_enter_slowly(struct varve_session *session)
{
    const char *problem = NULL;
    if (!session)
        problem = "the session is NULL; open one with varve_session_open() and look at its status";
    else if (is_forked(session))
        problem = "the session was opened before this process was forked; fork before opening a "
                  "store, or exec";
    else if (atomic_load(&session->connection->watch.running))
        problem = "another thread is in a call on this session; give each thread its own";
    if (problem) {
        enum varve_status status =
            varve__fail(VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL, "%s", problem);
        return is_forked(session) ? varve__session_keep_failure(session, status) : status;
    }
    varve__connection_set_cache(
        session->connection,
        atomic_load_explicit(&session->store->cache_share, memory_order_relaxed));
    return VARVE_OK;
}

enum varve_status
varve__session_keep_failure(struct varve_session *session, enum varve_status status)
{
    session->failed = true;
    session->failure = *varve__thread_failure();
    if (session->failure.tier == VARVE_TIER_NONE)
        session->failure.tier = VARVE_TIER_TABLE; /* found by the codec, on the way to a table */
    memcpy(session->error, varve__thread_error(), sizeof session->error);
    return status;
}

const char *
varve_session_error(const struct varve_session *session)
{
    return session ? session->error : varve__thread_error();
}

const struct varve_failure *
varve_session_failure(const struct varve_session *session)
{
    if (!session)
        return varve__thread_failure();
    return session->failed ? &session->failure : NULL;
}

void
varve_interrupt(struct varve_session *session)
{
    if (session && !is_forked(session))
        varve__connection_interrupt(session->connection);
}

int64_t
varve_changes(const struct varve_session *session)
{
    return session && !is_forked(session) ? session->connection->changes : 0;
}

struct sqlite3 *
varve_session_sqlite(struct varve_session *session)
{
    return session && !is_forked(session) ? session->connection->database : NULL;
}

/* -------------------------------------------------------------------- transactions */

enum varve_status
varve_begin(struct varve_session *session)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_BEGIN, NULL);
    status = varve__transaction_begin(session->connection);
    return varve__call_end(&call, VARVE__CALL_NO_ROWS, status);
}

enum varve_status
varve_begin_read(struct varve_session *session)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(session, varve__transaction_begin_read(session->connection));
}

/* Sends what was to follow the commit, or makes it the outer begin's. */
static void
follow_commit(struct varve_session *session, enum varve_status status)
{
    size_t depth = session->connection->depth;
    if (status != VARVE_OK)
        varve__pending_forget(session, depth + 1);
    else if (depth > 0)
        varve__pending_lift(session, depth);
    else if (session->cache.pending.count > 0)
        varve__pending_send(session);
}

enum varve_status
varve_commit(struct varve_session *session)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    bool reading = session->connection->transaction == VARVE__TRANSACTION_READ;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_COMMIT, NULL);
    status = varve__transaction_commit(session->connection);
    follow_commit(session, status);
    if (reading)
        return varve__session_leave(session, status);
    return varve__call_end(&call, VARVE__CALL_NO_ROWS, status);
}

enum varve_status
varve_rollback(struct varve_session *session)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    status = varve__transaction_rollback(session->connection);
    varve__pending_forget(session, session->connection->depth + 1);
    return varve__session_leave(session, status);
}
