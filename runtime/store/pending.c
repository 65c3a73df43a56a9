/* Cache writes of a transaction: kept until it commits. */
#include "store/pending.h"

#include <string.h>

#include "base/memory.h"
#include "store/handles.h"

enum {
    PENDING_FIRST = 16 /* room for so many at first */
};

bool
varve__pending_begun(const struct varve_session *session)
{
    return session->connection->transaction == VARVE__TRANSACTION_WRITE;
}

/* FNV-1a. */
static uint64_t
hash_of(struct varve__cache_text key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ (uint8_t)key.text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* The key's place: 0 in it when it has no write. */
static size_t *
place_of(const struct varve__pending *pending, uint64_t hash, struct varve__cache_text key)
{
    size_t mask = 2 * pending->room - 1;
    size_t at = (size_t)hash & mask;
    for (; pending->places[at]; at = (at + 1) & mask) {
        const struct varve__pending_write *write = pending->writes[pending->places[at] - 1];
        if (write->hash == hash && write->item.key.size == key.size &&
            memcmp(write->item.key.text, key.text, key.size) == 0)
            break;
    }
    return &pending->places[at];
}

/* Moves all into an array of this room, with its places behind it. */
static bool
grow(struct varve__pending *pending, size_t room)
{
    size_t size;
    struct varve__pending_write **writes = NULL;
    if (varve__size_multiply(room, sizeof *writes + 2 * sizeof(size_t), &size))
        writes = varve__allocate(size);
    if (!writes)
        return false;
    if (pending->count > 0)
        memcpy(writes, pending->writes, pending->count * sizeof *writes);
    varve__release(pending->writes);
    pending->writes = writes;
    pending->room = room;
    pending->places = (size_t *)(writes + room);
    memset(pending->places, 0, 2 * room * sizeof(size_t));
    for (size_t i = 0; i < pending->count; i++)
        *place_of(pending, writes[i]->hash, writes[i]->item.key) = i + 1;
    return true;
}

static bool
make_room(struct varve__pending *pending)
{
    return pending->count < pending->room ||
           grow(pending, pending->room > 0 ? pending->room * 2 : PENDING_FIRST);
}

/* The write with its texts in one block; NULL: no memory. */
static struct varve__pending_write *
copy_write(const struct varve__cache_item *item)
{
    size_t size;
    struct varve__pending_write *write = NULL;
    if (varve__size_add(sizeof *write + item->key.size, item->value.size, &size))
        write = varve__allocate(size);
    if (!write)
        return NULL;
    char *key = (char *)(write + 1);
    memcpy(key, item->key.text, item->key.size);
    if (item->value.size > 0)
        memcpy(key + item->key.size, item->value.text, item->value.size);
    *write = (struct varve__pending_write){.item = *item};
    write->item.key.text = key;
    write->item.value.text = key + item->key.size;
    return write;
}

enum varve_status
varve__pending_add(
    struct varve_session *session,
    enum varve__pending_kind kind,
    const struct varve__space *space,
    const struct varve__cache_item *item)
{
    struct varve__pending *pending = &session->cache.pending;
    struct varve__pending_write *write = make_room(pending) ? copy_write(item) : NULL;
    if (!write)
        return varve__fail_memory(
            space->record->descriptor->name, item->key.size + item->value.size);
    write->kind = kind;
    write->space = space;
    write->hash = hash_of(item->key);
    write->depth = session->connection->depth;
    size_t *place = place_of(pending, write->hash, item->key);
    write->before = *place;
    pending->writes[pending->count++] = write;
    *place = pending->count;
    return VARVE_OK;
}

enum varve__pending_answer
varve__pending_find(
    const struct varve_session *session,
    struct varve__cache_text key,
    struct varve__cache_text *value)
{
    const struct varve__pending *pending = &session->cache.pending;
    size_t place = pending->count > 0 ? *place_of(pending, hash_of(key), key) : 0;
    for (; place > 0; place = pending->writes[place - 1]->before) {
        const struct varve__pending_write *write = pending->writes[place - 1];
        if (write->kind == VARVE__PENDING_TOUCH)
            continue;
        *value = write->item.value;
        return write->kind == VARVE__PENDING_PUT ? VARVE__PENDING_VALUE : VARVE__PENDING_GONE;
    }
    return VARVE__PENDING_UNKNOWN;
}

/* From the last on, so that a key whose place is given up was looked past for none that is left. */
void
varve__pending_forget(struct varve_session *session, size_t depth)
{
    struct varve__pending *pending = &session->cache.pending;
    while (pending->count > 0 && pending->writes[pending->count - 1]->depth >= depth) {
        struct varve__pending_write *write = pending->writes[pending->count - 1];
        *place_of(pending, write->hash, write->item.key) = write->before;
        varve__release(write);
        pending->count--;
    }
}

void
varve__pending_lift(struct varve_session *session, size_t depth)
{
    const struct varve__pending *pending = &session->cache.pending;
    for (size_t i = pending->count; i-- > 0 && pending->writes[i]->depth > depth;)
        pending->writes[i]->depth = depth;
}

void
varve__pending_release(struct varve__pending *pending)
{
    for (size_t i = 0; i < pending->count; i++)
        varve__release(pending->writes[i]);
    varve__release(pending->writes);
    *pending = (struct varve__pending){0};
}

/* -------------------------------------------------------------------- sending */

/* How many writes from `first` on are puts of one space, which go together. */
static size_t
run_of_puts(const struct varve__pending *pending, size_t first)
{
    size_t end = first;
    while (end < pending->count && pending->writes[end]->kind == VARVE__PENDING_PUT &&
           pending->writes[end]->space == pending->writes[first]->space)
        end++;
    return end - first;
}

static enum varve_status
send_puts(struct varve_session *session, size_t first, size_t count, size_t *done)
{
    struct varve__cache *cache = session->store->cache;
    struct varve__pending_write **writes = session->cache.pending.writes;
    struct varve__cache_item *items = varve__allocate(count * sizeof *items);
    if (!items)
        return varve__fail_memory(NULL, count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = writes[first + i]->item;
    enum varve_status status = cache->engine->put(
        cache, &session->connection->watch, writes[first]->space, items, count, NULL, NULL, done);
    varve__release(items);
    return status;
}

/* Sends what begins with this write; *count of them, of which *done for certain when it fails. */
static enum varve_status
send_next(struct varve_session *session, size_t at, size_t *count, size_t *done)
{
    bool found;
    struct varve__cache *cache = session->store->cache;
    struct varve__watch *watch = &session->connection->watch;
    const struct varve__pending_write *write = session->cache.pending.writes[at];
    *count = 1;
    *done = 0;
    switch (write->kind) {
    case VARVE__PENDING_PUT:
        *count = run_of_puts(&session->cache.pending, at);
        return send_puts(session, at, *count, done);
    case VARVE__PENDING_TOUCH:
        return cache->engine->touch(
            cache, watch, write->space, write->item.key, write->item.ttl_ms, &found);
    case VARVE__PENDING_DELETE:
        break;
    }
    return cache->engine->remove(cache, watch, write->space, write->item.key, &found);
}

/* How many writes a failure ends, from the first of those that were sent on: all that are left where the server
 * is not there, none but the one that is itself too large for the cache. */
static size_t
ended_by(enum varve_status status, size_t done, size_t count, size_t left)
{
    if (status == VARVE_UNAVAILABLE || status == VARVE_TIMEOUT || status == VARVE_INTERRUPTED)
        return left;
    bool to_blame = status == VARVE_FULL && varve__thread_failure()->kind == VARVE_FAILURE_SIZE;
    return to_blame && done < count ? done + 1 : count;
}

void
varve__pending_send(struct varve_session *session)
{
    struct varve__pending *pending = &session->cache.pending;
    struct varve__kept_failure kept;
    size_t count;
    size_t done;
    varve__failure_keep(&kept);
    for (size_t at = 0; at < pending->count; at += count) {
        enum varve_status status = send_next(session, at, &count, &done);
        if (status == VARVE_OK)
            continue;
        count = ended_by(status, done, count, pending->count - at);
        varve__count(&session->meter.cache_dropped, (int64_t)(count - done));
        varve__store_log(
            session->store, VARVE_LOG_WARNING, VARVE_TIER_CACHE,
            "%zu writes to the cache, which were to follow a commit, were dropped: %s",
            count - done, varve__thread_error());
    }
    varve__pending_forget(session, 0);
    varve__failure_restore(&kept);
}
