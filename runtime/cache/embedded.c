/* The verbs of the embedded engine by key: expiry, the byte budget and the order of use. */
#include "cache/embedded_verbs.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum {
    EXPIRED_PER_PUT = 4,   /* more than a put adds, so that they do not pile up */
    EVICTED_PER_STEP = 64, /* with the lock held */
};

static int64_t
expiry_after(int64_t now, int64_t ttl_ms)
{
    int64_t expires;
    bool is_late = __builtin_add_overflow(now, ttl_ms * 1000000, &expires);
    return ttl_ms <= 0 || is_late ? VARVE__EXPIRES_NEVER : expires;
}

enum varve_status
varve__embedded_look(struct varve__watch *watch, const struct varve__space *space, size_t done)
{
    if (done % VARVE__EMBEDDED_LOOK_EVERY != VARVE__EMBEDDED_LOOK_EVERY - 1 ||
        !varve__watch_expired(watch))
        return VARVE_OK;
    const char *record = space ? space->record->descriptor->name : NULL;
    if (watch->timed_out)
        return varve__fail(
            VARVE_TIMEOUT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, record,
            "embedded cache: the call took longer than call_timeout_ms; raise it, or do less in "
            "one call");
    return varve__fail(
        VARVE_INTERRUPTED, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, record,
        "embedded cache: the call was ended on request");
}

/* -------------------------------------------------------------------- a copy of what is taken */

enum varve_status
varve__embedded_copy_row(
    struct varve__embedded_copy *copy,
    const struct varve__space *space,
    const struct varve__embedded_row *row)
{
    size_t size = row->key.size + row->value.size; /* both less than 1 GB: SQLite's limit */
    if (size > copy->room) {
        char *larger = varve__allocate(size * 2);
        if (!larger)
            return varve__fail_memory(space->record->descriptor->name, size * 2);
        varve__embedded_copy_end(copy);
        copy->bytes = larger;
        copy->room = size * 2;
    }
    copy->row = *row;
    copy->row.key.text = memcpy(copy->bytes, row->key.text, row->key.size);
    copy->row.value.text = memcpy(copy->bytes + row->key.size, row->value.text, row->value.size);
    return VARVE_OK;
}

/* -------------------------------------------------------------------- put */

static enum varve_status
fail_too_large(
    const struct varve__embedded *embedded,
    const struct varve__space *space,
    const struct varve__cache_item *item)
{
    return varve__fail(
        VARVE_FULL, VARVE_FAILURE_SIZE, VARVE_TIER_CACHE, space->record->descriptor->name,
        "embedded cache: a value of %s needs %lld bytes and cache_bytes is %lld; raise cache_bytes",
        space->record->descriptor->name, (long long)varve__embedded_size(item),
        (long long)embedded->max_bytes);
}

/* Removes what has expired, and then what was not used for longest, until there is room for so many bytes
 * more, or enough was removed for one step. */
static enum varve_status
make_room(
    struct varve__embedded *embedded, const struct varve__space *space, int64_t now, int64_t bytes)
{
    enum varve_status status = VARVE_OK;
    int64_t most = embedded->max_bytes - bytes;
    for (int i = 0; status == VARVE_OK && i < EVICTED_PER_STEP; i++) {
        bool is_full = embedded->slots.bytes > most, deleted = false;
        if (!is_full && i >= EXPIRED_PER_PUT)
            break;
        status = varve__embedded_delete_expired(embedded, space, now, &deleted);
        if (status != VARVE_OK || deleted)
            continue;
        if (!is_full)
            break;
        status = varve__embedded_delete(embedded, space, varve__slots_oldest(&embedded->slots));
        embedded->evictions += status == VARVE_OK;
    }
    return status;
}

enum varve_status
varve__embedded_drop_expired(
    struct varve__embedded *embedded, const struct varve__space *space, uint32_t slot)
{
    enum varve_status status = varve__embedded_delete(embedded, space, slot);
    embedded->expired += status == VARVE_OK;
    return status;
}

/* Finds the value of a key that has not expired; one that has is deleted. */
static enum varve_status
find_alive(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    struct varve__cache_text key,
    int64_t now,
    uint32_t *slot)
{
    struct varve__embedded_row row;
    enum varve_status status = varve__embedded_find(embedded, space, key, &row);
    varve__embedded_reset(embedded, VARVE__EMBEDDED_READ);
    *slot = status == VARVE_OK ? row.slot : 0;
    if (!*slot || row.expires > now)
        return status;
    *slot = 0;
    return varve__embedded_drop_expired(embedded, space, row.slot);
}

/* Goes as far as one hold of the lock may last; *stored: it is done. The value that is replaced is used, so
 * that it is not the one that makes room. */
static enum varve_status
put_step(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    const struct varve__cache_item *item,
    int64_t now,
    bool *stored)
{
    struct varve__slots *slots = &embedded->slots;
    int64_t size = varve__embedded_size(item);
    uint32_t slot;
    enum varve_status status = find_alive(embedded, space, item->key, now, &slot);
    if (slot) {
        varve__slots_use(slots, slot);
        size -= slots->slots[slot].size;
    }
    if (status == VARVE_OK)
        status = make_room(embedded, space, now, size);
    if (status != VARVE_OK || slots->bytes + size > embedded->max_bytes)
        return status;
    status = varve__embedded_write(embedded, space, item, slot, expiry_after(now, item->ttl_ms));
    *stored = status == VARVE_OK;
    return status;
}

static enum varve_status
put_item(
    struct varve__embedded *embedded,
    struct varve__watch *watch,
    const struct varve__space *space,
    const struct varve__cache_item *item,
    int64_t now)
{
    bool stored = false;
    enum varve_status status = VARVE_OK;
    if (varve__embedded_size(item) > embedded->max_bytes)
        return fail_too_large(embedded, space, item);
    for (size_t steps = 0; status == VARVE_OK && !stored; steps++) {
        pthread_mutex_lock(&embedded->lock);
        status = put_step(embedded, space, item, now, &stored);
        pthread_mutex_unlock(&embedded->lock);
        if (status == VARVE_OK && !stored)
            status = varve__embedded_look(watch, space, VARVE__EMBEDDED_LOOK_EVERY - 1);
    }
    return status;
}

static enum varve_status
put(struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    const struct varve__cache_item *items,
    size_t count,
    varve__cache_make *make,
    void *context,
    size_t *done)
{
    struct varve__embedded *embedded = varve__embedded_of(cache);
    int64_t now = varve__embedded_now(embedded);
    enum varve_status status = VARVE_OK;
    for (*done = 0; *done < count; (*done)++) {
        struct varve__cache_item item = items[*done];
        if (make)
            status = make(context, *done, &item.value);
        if (status == VARVE_OK)
            status = put_item(embedded, watch, space, &item, now);
        if (status == VARVE_OK && *done + 1 < count)
            status = varve__embedded_look(watch, space, *done);
        if (status != VARVE_OK)
            break;
    }
    return status;
}

/* -------------------------------------------------------------------- get, touch, remove */

enum varve_status
varve__embedded_use(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    uint32_t slot,
    int64_t now,
    int64_t ttl_ms)
{
    varve__slots_use(&embedded->slots, slot);
    if (ttl_ms == VARVE__TTL_KEEP)
        return VARVE_OK;
    return varve__embedded_set_expiry(embedded, space, slot, expiry_after(now, ttl_ms));
}

/* Copies the value of a key, without the key; copy->row.slot is 0 when there is none. */
static enum varve_status
copy_value(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    struct varve__cache_text key,
    int64_t now,
    struct varve__embedded_copy *copy)
{
    struct varve__embedded_row row;
    copy->row.slot = 0;
    enum varve_status status = varve__embedded_find(embedded, space, key, &row);
    if (status == VARVE_OK && row.slot && row.expires > now) {
        status = varve__embedded_read_value(embedded, space, VARVE__EMBEDDED_READ, &row);
        row.key = (struct varve__cache_text){"", 0};
        if (status == VARVE_OK)
            status = varve__embedded_copy_row(copy, space, &row);
    }
    varve__embedded_reset(embedded, VARVE__EMBEDDED_READ);
    return status;
}

static enum varve_status
get(struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    const struct varve__cache_text *keys,
    size_t count,
    int64_t ttl_ms,
    varve__cache_take *take,
    void *context)
{
    struct varve__embedded *embedded = varve__embedded_of(cache);
    int64_t now = varve__embedded_now(embedded);
    enum varve_status status = VARVE_OK;
    struct varve__embedded_copy copy;
    varve__embedded_copy_begin(&copy);
    for (size_t i = 0; status == VARVE_OK && i < count; i++) {
        pthread_mutex_lock(&embedded->lock);
        status = copy_value(embedded, space, keys[i], now, &copy);
        if (status == VARVE_OK && copy.row.slot)
            status = varve__embedded_use(embedded, space, copy.row.slot, now, ttl_ms);
        pthread_mutex_unlock(&embedded->lock);
        if (status == VARVE_OK && copy.row.slot)
            status = take(context, i, copy.row.value);
        if (status == VARVE_OK && i + 1 < count)
            status = varve__embedded_look(watch, space, i);
    }
    varve__embedded_copy_end(&copy);
    return status;
}

static enum varve_status
touch(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text key,
    int64_t ttl_ms,
    bool *found)
{
    struct varve__embedded *embedded = varve__embedded_of(cache);
    int64_t now = varve__embedded_now(embedded);
    uint32_t slot;
    (void)watch;
    pthread_mutex_lock(&embedded->lock);
    enum varve_status status = find_alive(embedded, space, key, now, &slot);
    if (status == VARVE_OK && slot)
        status = varve__embedded_use(embedded, space, slot, now, ttl_ms);
    pthread_mutex_unlock(&embedded->lock);
    *found = slot != 0;
    return status;
}

static enum varve_status
remove_value(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text key,
    bool *found)
{
    struct varve__embedded *embedded = varve__embedded_of(cache);
    int64_t now = varve__embedded_now(embedded);
    uint32_t slot;
    (void)watch;
    pthread_mutex_lock(&embedded->lock);
    enum varve_status status = find_alive(embedded, space, key, now, &slot);
    if (status == VARVE_OK && slot)
        status = varve__embedded_delete(embedded, space, slot);
    pthread_mutex_unlock(&embedded->lock);
    *found = slot != 0;
    return status;
}

/* -------------------------------------------------------------------- health, opening, closing */

static enum varve_status
health(struct varve__cache *cache, struct varve__watch *watch, struct varve_cache_health *report)
{
    struct varve__embedded *embedded = varve__embedded_of(cache);
    (void)watch;
    pthread_mutex_lock(&embedded->lock);
    report->used_bytes = embedded->slots.bytes;
    report->max_bytes = embedded->max_bytes;
    report->evictions = embedded->evictions;
    report->expired = embedded->expired;
    pthread_mutex_unlock(&embedded->lock);
    return VARVE_OK;
}

static void
close_engine(struct varve__cache *cache)
{
    struct varve__embedded *embedded = varve__embedded_of(cache);
    varve__embedded_sql_close(embedded);
    varve__slots_release(&embedded->slots);
    pthread_mutex_destroy(&embedded->lock);
    varve__release(embedded);
}

static const struct varve__cache_engine engine = {
    .name = "embedded",
    .close = close_engine,
    .put = put,
    .get = get,
    .touch = touch,
    .remove = remove_value,
    .recent = varve__embedded_recent,
    .walk = varve__embedded_walk_through,
    .health = health,
    .copies = NULL, /* a read of the table costs less */
};

enum varve_status
varve__embedded_open(const struct varve__embedded_options *options, struct varve__cache **cache)
{
    struct varve__embedded *embedded = varve__allocate(sizeof *embedded);
    *cache = NULL;
    if (!embedded)
        return varve__fail_memory(NULL, sizeof *embedded);
    *embedded = (struct varve__embedded){
        .cache = {&engine},
        .max_bytes = options->max_bytes,
        .next_expiry = VARVE__EXPIRES_NEVER,
        .clock = options->clock,
        .clock_context = options->clock_context,
    };
    pthread_mutex_init(&embedded->lock, NULL); /* cannot fail on Linux */
    enum varve_status status =
        varve__slots_init(&embedded->slots) ? VARVE_OK : varve__fail_memory(NULL, 0);
    if (status == VARVE_OK)
        status = varve__embedded_sql_open(embedded);
    if (status == VARVE_OK)
        *cache = &embedded->cache;
    else
        close_engine(&embedded->cache);
    return status;
}
