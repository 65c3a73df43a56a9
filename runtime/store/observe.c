/* What sessions do and have done, as it is seen from outside. A session is looked at under the store's lock, its
 * cursors under the connection's beneath that; the log is told when both are free again. */
#include "store/observe.h"

#include <errno.h>
#include <sys/stat.h>

#include "table/find.h"

void
varve__observe_figures(struct varve_store *store, struct varve_health_report *health)
{
    pthread_mutex_lock(&store->lock);
    struct varve__figures figures = store->past;
    for (struct varve_session *session = store->all; session; session = session->older)
        varve__meter_add(&session->meter, &figures);
    pthread_mutex_unlock(&store->lock);
    health->cache.hits = figures.cache_hits;
    health->cache.misses = figures.cache_misses;
    health->cache.dropped = figures.cache_dropped;
    for (size_t i = 0; i < VARVE_OPERATION_COUNT; i++)
        health->latency[i] = figures.latency[i];
}

/* -------------------------------------------------------------------- cursors */

static void
look_at_all(
    struct varve_store *store, void (*look)(void *context, struct varve_cursor *), void *context)
{
    pthread_mutex_lock(&store->lock);
    for (struct varve_session *session = store->all; session; session = session->older)
        varve__find_look(session->connection, look, context);
    pthread_mutex_unlock(&store->lock);
}

struct counted {
    int64_t count;
    int64_t oldest; /* monotonic ns */
};

static void
count(void *context, struct varve_cursor *cursor)
{
    struct counted *counted = context;
    counted->count++;
    if (cursor->opened_at < counted->oldest)
        counted->oldest = cursor->opened_at;
}

void
varve__observe_sessions(struct varve_store *store, struct varve_table_health *health)
{
    struct counted counted = {0, INT64_MAX};
    look_at_all(store, count, &counted);
    if (counted.count > 0)
        health->oldest_cursor_ms = (varve__monotonic_now() - counted.oldest) / 1000000;
    health->open_cursors = counted.count;
    pthread_mutex_lock(&store->lock);
    health->sessions_open = (int64_t)store->session_count;
    health->sessions_idle = (int64_t)store->idle_count;
    pthread_mutex_unlock(&store->lock);
    health->writers_waiting = varve__queue_length(&store->queue);
}

/* -------------------------------------------------------------------- warnings */

enum {
    WARNED_AT_ONCE = 16
};

/* Cursors that are to be told: what is needed of them when they may be gone. */
struct warned {
    int64_t now, limit; /* monotonic ns; how long a cursor may be open */
    size_t count;
    struct warning {
        const struct varve_record *record;
        int64_t ns;
        int64_t rows;
    } warnings[WARNED_AT_ONCE];
};

static void
collect(void *context, struct varve_cursor *cursor)
{
    struct warned *warned = context;
    int64_t ns = warned->now - cursor->opened_at;
    if (ns < warned->limit || warned->count == WARNED_AT_ONCE ||
        atomic_exchange_explicit(&cursor->told, true, memory_order_relaxed))
        return;
    warned->warnings[warned->count++] = (struct warning){
        cursor->record, ns, atomic_load_explicit(&cursor->rows, memory_order_relaxed)};
}

static void
warn(const struct varve_store *store, const struct warning *warning)
{
    struct varve__kept_failure kept;
    varve__failure_keep(&kept);
    varve__store_log(
        store, VARVE_LOG_WARNING, VARVE_TIER_TABLE,
        "a cursor of %s is open for %lld.%03lld s, %lld rows taken: as long as it stands in its "
        "rows "
        "the write-ahead log grows and is not used anew; close it, or take fewer rows at a time",
        warning->record->descriptor->name, (long long)(warning->ns / 1000000000),
        (long long)(warning->ns / 1000000 % 1000), (long long)warning->rows);
    varve__failure_restore(&kept);
}

void
varve__observe_cursors(struct varve_store *store)
{
    struct warned warned = {.limit = store->cursor_warn_ns, .count = WARNED_AT_ONCE};
    if (warned.limit == 0)
        return;
    while (warned.count == WARNED_AT_ONCE) {
        warned.count = 0;
        warned.now = varve__monotonic_now();
        look_at_all(store, collect, &warned);
        for (size_t i = 0; i < warned.count; i++)
            warn(store, &warned.warnings[i]);
    }
}

void
varve__observe_cursor(
    const struct varve_session *session, struct varve_cursor *cursor, int64_t opened_at)
{
    int64_t limit = session->store->cursor_warn_ns;
    if (limit == 0 || opened_at == 0 || varve__monotonic_lately() - opened_at < limit)
        return;
    int64_t ns = varve__monotonic_now() - opened_at;
    if (atomic_exchange_explicit(&cursor->told, true, memory_order_relaxed))
        return;
    const struct warning warning = {
        cursor->record, ns, atomic_load_explicit(&cursor->rows, memory_order_relaxed)};
    warn(session->store, &warning);
}

/* -------------------------------------------------------------------- files */

/* By its name alone: opening and closing a file of the database would drop SQLite's locks. */
static int64_t
size_of(const char *path)
{
    struct stat file;
    if (path && stat(path, &file) == 0)
        return file.st_size;
    return path && errno == ENOENT ? 0 : -1;
}

void
varve__observe_files(const struct varve_session *session, struct varve_table_health *health)
{
    const char *path = sqlite3_db_filename(session->connection->database, "main");
    health->database_bytes = size_of(path);
    health->wal_bytes = size_of(path ? sqlite3_filename_wal(path) : NULL);
}
