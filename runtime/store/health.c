/* How a store is doing, and looking after it. Both borrow a session of the store's pool. */
#include <stdlib.h>
#include <string.h>

#include <varve/health.h>
#include <varve/memory.h>

#include "base/memory.h"
#include "store/cache.h"
#include "store/maintain.h"
#include "store/observe.h"
#include "store/read_through.h"
#include "table/figures.h"

enum {
    DRAIN_MOST = 100000 /* hot copies that a maintenance deletes */
};

#define COUNT_INTERVAL_NS INT64_C(60000000000) /* between two walks through Redis that only count */

static enum varve_status
refuse(const struct varve_store *store, const void *report, const char *what)
{
    if (!store)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
            "%s: the store is NULL; open one with varve_open() and look at its status", what);
    if (store->fork_count != varve__fork_count)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
            "%s: the store was opened before this process was forked", what);
    if (!report)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
            "%s: the report is NULL; pass the address of one", what);
    return VARVE_OK;
}

/* -------------------------------------------------------------------- counting values */

static void
count_value(void *context, const struct varve__space *space, size_t size)
{
    struct varve_cache_message *counts = context;
    counts[space->number].keys++;
    counts[space->number].bytes += (int64_t)size;
}

static struct varve_cache_message *
make_counts(const struct varve__spaces *spaces)
{
    struct varve_cache_message *counts = varve__allocate((spaces->count + 1) * sizeof *counts);
    for (size_t i = 0; counts && i < spaces->count; i++)
        counts[i] =
            (struct varve_cache_message){.record = spaces->spaces[i].record->descriptor->name};
    return counts;
}

/* Takes over what a walk has counted; `counts` is the store's from then on. */
static void
keep_counts(struct varve_store *store, struct varve_cache_message *counts)
{
    pthread_mutex_lock(&store->count_lock);
    varve__release(store->counts);
    store->counts = counts;
    store->counted_at = varve_now();
    pthread_mutex_unlock(&store->count_lock);
}

static bool
is_count_due(struct varve_store *store)
{
    pthread_mutex_lock(&store->count_lock);
    bool due = !store->counts || !store->redis ||
               varve_now() - store->counted_at >= COUNT_INTERVAL_NS ||
               varve_now() < store->counted_at;
    pthread_mutex_unlock(&store->count_lock);
    return due;
}

static enum varve_status
walk_and_count(struct varve_session *session)
{
    struct varve_store *store = session->store;
    struct varve_cache_message *counts = make_counts(store->spaces);
    if (!counts)
        return varve__fail_memory(NULL, store->spaces->count * sizeof *counts);
    struct varve__cache_walk walk = {.count = count_value, .context = counts};
    enum varve_status status =
        store->cache->engine->walk(store->cache, &session->connection->watch, store->spaces, &walk);
    if (status == VARVE_OK)
        keep_counts(store, counts);
    else
        varve__release(counts);
    return status;
}

static enum varve_status
report_counts(struct varve_store *store, struct varve_cache_health *health)
{
    enum varve_status status = VARVE_OK;
    size_t count = store->spaces->count;
    health->messages = make_counts(store->spaces);
    if (!health->messages)
        return varve__fail_memory(NULL, count * sizeof *health->messages);
    health->message_count = count;
    pthread_mutex_lock(&store->count_lock);
    if (store->counts)
        memcpy(health->messages, store->counts, count * sizeof *store->counts);
    health->counted_at = store->counted_at;
    pthread_mutex_unlock(&store->count_lock);
    return status;
}

/* -------------------------------------------------------------------- health */

/* What the engine says. That it does not answer, or not in the time of the call, is part of the report. */
static enum varve_status
report_engine(struct varve_session *session, struct varve_cache_health *health)
{
    struct varve_store *store = session->store;
    struct varve__kept_failure kept;
    varve__failure_keep(&kept);
    health->used_bytes = health->max_bytes = health->evictions = health->expired = -1;
    enum varve_status status =
        store->cache->engine->health(store->cache, &session->connection->watch, health);
    health->available = status == VARVE_OK;
    if (status == VARVE_OK && is_count_due(store))
        status = walk_and_count(session);
    if (status == VARVE_NO_MEMORY || status == VARVE_INTERRUPTED)
        return status;
    varve__failure_restore(&kept);
    return report_counts(store, health);
}

static enum varve_status
fill_health(struct varve_session *session, struct varve_health_report *health)
{
    struct varve_store *store = session->store;
    enum varve_status status = VARVE_OK;
    varve__observe_figures(store, health);
    varve__observe_files(session, &health->table);
    health->cache.engine = store->cache ? store->cache->engine->name : "none";
    if (store->spaces->read_through_count > 0)
        status = varve__copies_count(session->connection, &health->cache.waiting_invalidations);
    if (status == VARVE_OK && store->cache)
        status = report_engine(session, &health->cache);
    if (status == VARVE_OK && store->archive) {
        varve__reader_report(store->archive->reader, &health->archive);
        status = varve__figures_archive(session->connection, &health->archive);
    }
    return status;
}

enum varve_status
varve_health(struct varve_store *store, struct varve_health_report *health)
{
    struct varve_session *session;
    if (health)
        *health = (struct varve_health_report){0};
    enum varve_status status = refuse(store, health, "varve_health");
    if (status != VARVE_OK)
        return status;
    varve__observe_cursors(store);
    varve__observe_sessions(store, &health->table);
    status = varve_session_open(store, &session);
    if (status != VARVE_OK)
        return status;
    status = varve__session_enter(session);
    if (status == VARVE_OK)
        status = varve__session_leave(session, fill_health(session, health));
    varve_session_close(session);
    if (status != VARVE_OK)
        varve_health_free(health);
    return status;
}

void
varve_health_free(struct varve_health_report *health)
{
    if (!health)
        return;
    varve__release(health->cache.messages);
    varve__release(health->archive.messages);
    *health = (struct varve_health_report){0};
}

/* -------------------------------------------------------------------- maintenance */

/* What decides whether a key is still of use. */
struct judge {
    const struct varve__spaces *spaces;
    const char *scope; /* of hot copies as of now; "" when it is not known */
};

static bool
begins_with(struct varve__cache_text text, const char *with, size_t size)
{
    return text.size >= size && memcmp(text.text, with, size) == 0;
}

static bool
is_same(struct varve__cache_text a, struct varve__cache_text b)
{
    return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

/* Whether a hot copy is of this folder, and not of its present scope "<folder>.<generation>.<epoch>". */
static bool
is_of_old_scope(struct varve__cache_text rest, const char *scope)
{
    const char *point = strchr(scope, '.');
    size_t size = strlen(scope);
    if (!point || !begins_with(rest, scope, (size_t)(point + 1 - scope)))
        return false;
    return !begins_with(rest, scope, size) || rest.size == size || rest.text[size] != ':';
}

static bool
is_wanted(void *context, struct varve__cache_text key)
{
    size_t where;
    const struct judge *judge = context;
    for (size_t i = 0; i < judge->spaces->count; i++) {
        const struct varve__space *space = &judge->spaces->spaces[i];
        if (is_same(key, space->index))
            return true;
        if (!begins_with(key, space->prefix.text, space->prefix.size))
            continue;
        struct varve__cache_text rest = {
            key.text + space->prefix.size, key.size - space->prefix.size};
        if (space->record->cache->mode == VARVE_CACHE_READ_THROUGH)
            return !is_of_old_scope(rest, judge->scope);
        return varve__cache_key_decode(space->record, rest.text, rest.size, NULL, NULL, &where);
    }
    return false;
}

/* The scope of hot copies as of now; "" without any. *may: whether this program may judge what is of use, which
 * it may not when the database is of a newer schema. */
static enum varve_status
may_judge(struct varve_session *session, char scope[VARVE__COPIES_SCOPE_MAX], bool *may)
{
    bool waiting;
    bool usable;
    scope[0] = '\0';
    enum varve_status status =
        varve__copies_look(session->connection, NULL, "", 0, scope, &waiting, &usable);
    if (!usable)
        scope[0] = '\0';
    *may = !session->connection->guard.newer.found;
    return status;
}

static enum varve_status
clean_cache(struct varve_session *session, struct varve_maintenance_report *report)
{
    bool may;
    char scope[VARVE__COPIES_SCOPE_MAX];
    struct varve_store *store = session->store;
    struct judge judge = {.spaces = store->spaces, .scope = scope};
    enum varve_status status = may_judge(session, scope, &may);
    if (status != VARVE_OK)
        return status;
    struct varve__cache_walk walk = {.wanted = may ? is_wanted : NULL, .context = &judge};
    status =
        store->cache->engine->walk(store->cache, &session->connection->watch, store->spaces, &walk);
    report->cache_keys_removed = walk.keys_removed;
    report->cache_entries_removed = walk.entries_removed;
    report->cache_expired_removed = walk.expired_removed;
    return status;
}

static enum varve_status
maintain_cache(struct varve_session *session, struct varve_maintenance_report *report)
{
    struct varve_store *store = session->store;
    enum varve_status status = VARVE_OK;
    if (atomic_load(&store->copies_unsaid)) {
        status = varve__copies_keep(session->connection);
        atomic_store(&store->copies_unsaid, status != VARVE_OK);
    }
    if (status == VARVE_OK && !store->connect.read_only)
        status = varve__read_through_drain(session, DRAIN_MOST, &report->invalidations_sent);
    enum varve_status cleaned = clean_cache(session, report);
    return status == VARVE_OK ? cleaned : status;
}

/* What one tier fails in does not keep the other from its own. */
static enum varve_status
maintain(struct varve_session *session, struct varve_maintenance_report *report)
{
    struct varve_store *store = session->store;
    enum varve_status archived = varve__maintain_archive(session, report), status = VARVE_OK;
    struct varve__kept_failure kept;
    varve__failure_keep(&kept);
    if (store->cache)
        status = maintain_cache(session, report);
    if (archived == VARVE_OK)
        return status;
    varve__failure_restore(&kept);
    return archived;
}

enum varve_status
varve_maintain(struct varve_store *store, struct varve_maintenance_report *report)
{
    struct varve_session *session;
    struct varve_maintenance_report own;
    if (!report)
        report = &own;
    *report = (struct varve_maintenance_report){0};
    enum varve_status status = refuse(store, report, "varve_maintain");
    if (status == VARVE_OK)
        status = varve__maintain_refuse_writer(store, "varve_maintain");
    if (status != VARVE_OK)
        return status;
    varve__observe_cursors(store);
    status = varve_session_open(store, &session);
    if (status != VARVE_OK)
        return status;
    status = varve__session_enter(session);
    if (status == VARVE_OK)
        status = varve__session_leave(session, maintain(session, report));
    varve_session_close(session);
    return status;
}
