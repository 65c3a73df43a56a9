/* The newest values of a message: a cursor that fetches a page of them at a time. */
#include "store/cache_recent.h"

#include <string.h>

#include <varve/table.h>

#include "base/cursor.h"
#include "base/memory.h"
#include "store/cache.h"
#include "store/cursor.h"
#include "table/find.h"

enum {
    PAGE_ROWS = 64,
    PAGE_SIZE = 4096 /* of its arena at first, in bytes */
};

struct varve__recent {
    struct varve_cursor base;
    struct varve__recent *next, **link; /* in the session's list; NULL link: closed under it */
    const struct varve__space *space;
    int64_t since;
    int64_t left; /* rows that may still be given */
    int64_t ttl_ms;
    struct varve__cache_place place;
    enum varve_status failed;   /* not OK: of the page that failed */
    struct varve__arena *arena; /* of the page's rows */
    void **rows;
    size_t count, room; /* of the page */
    size_t at;          /* the next to be given */
};

/* -------------------------------------------------------------------- pages */

static bool
make_room(struct varve__recent *recent)
{
    if (recent->count < recent->room)
        return true;
    size_t room = recent->room > 0 ? recent->room * 2 : PAGE_ROWS;
    void **rows = varve__allocate(room * sizeof *rows);
    if (!rows)
        return false;
    if (recent->count > 0)
        memcpy(rows, recent->rows, recent->count * sizeof *rows);
    varve__release(recent->rows);
    recent->rows = rows;
    recent->room = room;
    return true;
}

static int64_t
time_of(const struct varve__recent *recent, const void *record)
{
    int64_t time;
    memcpy(
        &time, (const char *)record + recent->space->record->cache->index_by->offset, sizeof time);
    return time;
}

/* Whether the row is what the key says. */
static enum varve_status
check_key(const struct varve__recent *recent, struct varve__cache_text key, const void *row)
{
    struct varve__cache_key own;
    const char *name = recent->base.record->descriptor->name;
    enum varve_status status = varve__cache_key_of(recent->space, row, &own);
    if (status == VARVE_OK && own.size == key.size && memcmp(own.text, key.text, key.size) == 0)
        return VARVE_OK;
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, name,
        "the cache holds a value under a key of %s that is none: its fields make another key; "
        "something else has written it: delete it, or put the record anew",
        name);
}

/* The value may have been put again, with an earlier time, since the engine has read its place. */
static enum varve_status
take_row(void *context, struct varve__cache_text key, struct varve__cache_text value)
{
    struct varve__recent *recent = context;
    if (!make_room(recent))
        return varve__fail_memory(recent->base.record->descriptor->name, recent->room);
    enum varve_status status = varve__cache_record_of(
        recent->base.owner, recent->space, value, NULL, recent->arena,
        &recent->rows[recent->count]);
    if (status == VARVE_OK)
        status = check_key(recent, key, recent->rows[recent->count]);
    if (status == VARVE_OK && time_of(recent, recent->rows[recent->count]) >= recent->since)
        recent->count++;
    return status;
}

/* The next page that has rows, unless there is none. */
static enum varve_status
fetch(struct varve__recent *recent)
{
    struct varve_session *session = recent->base.owner;
    struct varve__cache *cache = session->store->cache;
    enum varve_status status = VARVE_OK;
    recent->at = recent->count = 0;
    varve__arena_reset(recent->arena);
    while (status == VARVE_OK && recent->count == 0 && !recent->place.done) {
        size_t wanted = recent->left < PAGE_ROWS ? (size_t)recent->left : PAGE_ROWS;
        int64_t begin = varve__monotonic_now();
        status = cache->engine->recent(
            cache, &session->connection->watch, recent->space, recent->since, wanted,
            recent->ttl_ms, &recent->place, take_row, recent);
        varve__meter_note(&session->meter, VARVE_OPERATION_CACHE_RECENT, begin, status);
    }
    recent->failed = status;
    return status;
}

static enum varve_status
fail_again(const struct varve__recent *recent)
{
    const char *name = recent->base.record->descriptor->name;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, name,
        "%s: the cursor has failed before (%s); close it and ask again", name,
        varve_status_name(recent->failed));
}

static enum varve_status
next_row(struct varve_cursor *base, const void **row)
{
    struct varve__recent *recent = (struct varve__recent *)base;
    if (recent->failed != VARVE_OK)
        return fail_again(recent);
    if (recent->left == 0)
        return VARVE_DONE;
    if (recent->at == recent->count) {
        enum varve_status status = fetch(recent);
        if (status != VARVE_OK) {
            varve__failure_set_tier(VARVE_TIER_CACHE);
            return status;
        }
        if (recent->count == 0)
            return VARVE_DONE;
    }
    *row = recent->rows[recent->at++];
    recent->left--;
    return VARVE_ROW;
}

/* -------------------------------------------------------------------- opening and closing */

static void
unlink_recent(struct varve__recent *recent)
{
    if (!recent->link)
        return;
    *recent->link = recent->next;
    if (recent->next)
        recent->next->link = recent->link;
}

static void
close_recent(struct varve_cursor *base)
{
    struct varve__recent *recent = (struct varve__recent *)base;
    unlink_recent(recent);
    varve__arena_release(recent->arena);
    varve__release(recent->rows);
    varve__release(recent);
}

void
varve__recent_detach(struct varve_session *session)
{
    struct varve__recent *next;
    for (struct varve__recent *recent = session->cache.recents; recent; recent = next) {
        next = recent->next;
        recent->base.owner = NULL;
        recent->link = NULL;
    }
    session->cache.recents = NULL;
}

static enum varve_status
open_recent(
    struct varve_session *session,
    const struct varve__space *space,
    int64_t since,
    int64_t limit,
    int64_t ttl_ms,
    struct varve_cursor **cursor)
{
    struct varve__arena *arena = varve__arena_create(PAGE_SIZE);
    struct varve__recent *recent = arena ? varve__allocate(sizeof *recent) : NULL;
    if (!recent) {
        varve__arena_release(arena);
        return varve__fail_memory(space->record->descriptor->name, sizeof *recent);
    }
    *recent = (struct varve__recent){
        .base = {session, space->record, next_row, close_recent},
        .next = session->cache.recents,
        .link = &session->cache.recents,
        .space = space,
        .since = since,
        .left = limit > 0 ? limit : INT64_MAX,
        .ttl_ms = ttl_ms,
        .arena = arena,
    };
    if (recent->next)
        recent->next->link = &recent->next;
    session->cache.recents = recent;
    *cursor = &recent->base;
    return VARVE_OK;
}

/* -------------------------------------------------------------------- the call */

/* The records of the table, where that has them all: a find with a filter that is made here, and counted as one.
 * Leaves the session. */
static enum varve_status
find_recent(
    struct varve_session *session,
    const struct varve__space *space,
    int64_t since,
    int64_t limit,
    struct varve_cursor **cursor)
{
    const struct varve_record *record = space->record;
    const ProtobufCFieldDescriptor *field = record->cache->index_by;
    const struct varve__plan *plan = varve__plan_of(session->store->plans, record);
    size_t size = record->table->conditions_size + sizeof(struct varve_filter_tail);
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_RECORD_FIND, record);
    char *filter = varve__allocate(size); /* aligned as malloc's memory is */
    if (!filter)
        return varve__call_end(&call, 0, varve__fail_memory(record->descriptor->name, size));
    memset(filter, 0, size);
    struct varve_condition *condition =
        (struct varve_condition *)filter + varve__plan_slot(plan, field->id);
    *condition = varve_int64_at_least(since).condition;
    struct varve_filter_tail *tail =
        (struct varve_filter_tail *)(filter + record->table->conditions_size);
    *tail =
        (struct varve_filter_tail){.order_by = (int)field->id, .descending = true, .limit = limit};
    enum varve_status status = varve__find(session->connection, plan, filter, cursor);
    varve__release(filter);
    return varve__cursor_opened(&call, *cursor, status);
}

static enum varve_status
check_recent(const struct varve__space *space, int64_t limit)
{
    const char *name = space->record->descriptor->name;
    if (!space->record->cache->index_by)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, name,
            "%s has no order in the cache; give its (varve.cache) an index_by", name);
    if (limit < 0)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_RANGE, VARVE_TIER_CACHE, name,
            "%s: the limit is %lld; 0 is all", name, (long long)limit);
    return VARVE_OK;
}

enum varve_status
varve_cache_recent(
    struct varve_session *session,
    const struct varve_record *table,
    int64_t since,
    int64_t limit,
    struct varve_cursor **cursor,
    const struct varve_cache_options *options)
{
    int64_t ttl_ms;
    const struct varve__space *space;
    enum varve_status status = varve__cache_enter(session, table, &space);
    if (cursor)
        *cursor = NULL;
    if (status != VARVE_OK)
        return status;
    status = check_recent(space, limit);
    if (status == VARVE_OK && !cursor)
        status = varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, table->descriptor->name,
            "the result is NULL; pass the address of a variable that takes it");
    if (status == VARVE_OK)
        status = varve__cache_ttl_of_get(space, options, &ttl_ms);
    if (status == VARVE_OK && space->record->cache->mode == VARVE_CACHE_READ_THROUGH)
        return find_recent(session, space, since, limit, cursor);
    if (status == VARVE_OK)
        status = open_recent(session, space, since, limit, ttl_ms, cursor);
    return varve__session_leave(session, status);
}
