/* Deleting hot copies: those that a commit has made stale, and those that wait for it.
 *
 * The scope of a key's copies is read after the commit that made them stale. When it has moved meanwhile, the
 * copies of the scope before are out of use anyway. */
#include "store/copy.h"

#include <string.h>

#include "base/memory.h"
#include "store/read_through.h"

enum {
    BATCH = 256 /* keys that are deleted in one call of the engine */
};

static const struct varve__cache_copies *
copies_of(const struct varve_session *session)
{
    const struct varve__cache *cache = session->store->cache;
    return cache ? cache->engine->copies : NULL;
}

bool
varve__copies_has_snapshot(const struct varve_session *session)
{
    const struct varve__connection *connection = session->connection;
    return connection->transaction != VARVE__TRANSACTION_NONE ||
           sqlite3_txn_state(connection->database, NULL) != SQLITE_TXN_NONE;
}

void
varve__copies_log(const struct varve_session *session, const char *what)
{
    varve__store_log(
        session->store, VARVE_LOG_WARNING, VARVE_TIER_CACHE, "%s: %s", what, varve__thread_error());
}

void
varve__copies_name(
    const char *text, size_t prefix, size_t size, const char *scope, struct varve__cache_key *copy)
{
    size_t scope_size = strlen(scope);
    char *at = copy->text;
    memcpy(at, text, prefix);
    at += prefix;
    memcpy(at, scope, scope_size);
    at += scope_size;
    *at++ = ':';
    memcpy(at, text + prefix, size - prefix);
    copy->size = size + scope_size + 1;
}

static enum varve_status
invalidate(struct varve_session *session, const struct varve__cache_text *keys, size_t count)
{
    struct varve__cache *cache = session->store->cache;
    int64_t begin = varve__monotonic_now();
    enum varve_status status =
        cache->engine->copies->invalidate(cache, &session->connection->watch, keys, count);
    varve__meter_note(&session->meter, VARVE_OPERATION_CACHE_INVALIDATE, begin, status);
    return status;
}

void
varve__copies_delete(struct varve_session *session, const struct varve__cache_key *copy)
{
    struct varve__kept_failure kept;
    struct varve__cache_text key = varve__cache_key_text(copy);
    varve__failure_keep(&kept);
    if (invalidate(session, &key, 1) != VARVE_OK)
        varve__copies_log(session, "a hot copy was not deleted");
    varve__failure_restore(&kept);
}

/* -------------------------------------------------------------------- rows */

/* The keys of these rows' copies, in the arena; NULL: no memory. */
static struct varve__cache_text *
name_copies(
    struct varve__arena *arena,
    struct varve__copies_key *const *rows,
    size_t count,
    const char *scope)
{
    struct varve__cache_key copy;
    struct varve__cache_text *keys = varve__arena_allocate(arena, count * sizeof *keys);
    for (size_t i = 0; i < count && keys; i++) {
        varve__copies_name(rows[i]->text, rows[i]->prefix, rows[i]->size, scope, &copy);
        char *text = varve__arena_allocate(arena, copy.size);
        if (!text)
            return NULL;
        memcpy(text, copy.text, copy.size);
        keys[i] = (struct varve__cache_text){text, copy.size};
    }
    return keys;
}

/* Deletes the copies of these rows, then the rows. Rows that stay because others write are deleted by who finds
 * them. */
static enum varve_status
send_batch(struct varve_session *session, struct varve__copies_key *const *rows, size_t count)
{
    bool waiting;
    bool usable;
    char scope[VARVE__COPIES_SCOPE_MAX];
    struct varve__arena *arena = varve__cache_arena(session);
    if (!arena)
        return VARVE_NO_MEMORY; /* recorded */
    enum varve_status status =
        varve__copies_look(session->connection, NULL, "", 0, scope, &waiting, &usable);
    if (status != VARVE_OK)
        return status;
    struct varve__cache_text *keys = name_copies(arena, rows, count, scope);
    if (!keys)
        return varve__fail_memory(NULL, count * sizeof *keys);
    status = invalidate(session, keys, count);
    if (status == VARVE_OK)
        status = varve__copies_done(session->connection, rows, count);
    return status;
}

static enum varve_status
send_rows(
    struct varve_session *session,
    struct varve__copies_key *const *rows,
    size_t count,
    int64_t *sent)
{
    enum varve_status status = VARVE_OK;
    for (size_t at = 0; at < count && status == VARVE_OK; at += BATCH) {
        size_t size = count - at < BATCH ? count - at : BATCH;
        status = send_batch(session, rows + at, size);
        if (status == VARVE_OK)
            *sent += (int64_t)size;
    }
    return status;
}

void
varve__read_through_send(struct varve_session *session)
{
    int64_t sent = 0;
    struct varve__copies *copies = &session->connection->copies;
    if (copies->committed_count == 0 || varve__copies_has_snapshot(session))
        return;
    struct varve__kept_failure kept;
    varve__failure_keep(&kept);
    size_t count = copies->committed_count;
    enum varve_status status = VARVE_OK;
    if (copies_of(session))
        status = send_rows(session, copies->committed, count, &sent);
    if (status != VARVE_OK && status != VARVE_BUSY) {
        varve__copies_log(session, "hot copies wait to be deleted, and are not read meanwhile");
        varve__count(&session->meter.cache_dropped, (int64_t)count - sent);
    }
    varve__copies_forget(copies);
    varve__failure_restore(&kept);
}

static enum varve_status
drain(struct varve_session *session, size_t most, int64_t *sent)
{
    size_t count;
    struct varve__copies_key **rows;
    enum varve_status status = VARVE_OK;
    while (status == VARVE_OK && most > 0) {
        size_t wanted = most < BATCH ? most : BATCH;
        status = varve__copies_list(session->connection, wanted, &rows, &count);
        if (status == VARVE_OK && count > 0)
            status = send_rows(session, rows, count, sent);
        varve__copies_free(rows, count);
        most = count < wanted ? 0 : most - count;
    }
    return status;
}

enum varve_status
varve__read_through_drain(struct varve_session *session, size_t most, int64_t *sent)
{
    int64_t ignored = 0;
    const struct varve__connection *connection = session->connection;
    if (!copies_of(session) || !connection->copies.keeps || connection->read_only ||
        connection->guard.newer.found || varve__copies_has_snapshot(session))
        return VARVE_OK;
    return drain(session, most, sent ? sent : &ignored);
}

void
varve__copies_drain_some(struct varve_session *session)
{
    struct varve__kept_failure kept;
    if (atomic_exchange(&session->store->draining, true))
        return;
    varve__failure_keep(&kept);
    struct varve__watch *watch = &session->connection->watch;
    int64_t wait_ms = watch->busy_timeout_ms;
    watch->busy_timeout_ms = 0; /* a read must not wait for who writes */
    enum varve_status status = varve__read_through_drain(session, BATCH, NULL);
    watch->busy_timeout_ms = wait_ms;
    if (status != VARVE_OK && status != VARVE_BUSY)
        varve__copies_log(session, "hot copies wait to be deleted, and are not read meanwhile");
    varve__failure_restore(&kept);
    atomic_store(&session->store->draining, false);
}
