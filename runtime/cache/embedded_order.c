/* The embedded engine's reads of many values: by time, and all of them. */
#include "cache/embedded_verbs.h"

#include <string.h>

enum {
    WALKED_PER_STEP = 64 /* with the lock held */
};

/* -------------------------------------------------------------------- recent */

/* A page of an order by time. */
struct page {
    struct varve__embedded *embedded;
    const struct varve__space *space;
    int64_t since;
    int64_t now;
    int64_t ttl_ms;
    size_t wanted;                    /* rows still to take; then those of the last one's time */
    bool begun;                       /* a row was taken */
    struct varve__embedded_copy last; /* that row, or where the last page ended */
};

enum verdict {
    ROW_TAKEN,
    ROW_EXPIRED,
    PAGE_FULL,
    ORDER_DONE,
};

static enum verdict
judge(const struct page *page, const struct varve__embedded_row *row)
{
    if (!row->slot)
        return ORDER_DONE;
    if (page->begun && page->wanted == 0 && row->time != page->last.row.time)
        return PAGE_FULL;
    return row->expires > page->now ? ROW_TAKEN : ROW_EXPIRED;
}

/* With the lock: looks at the next row, and copies it or removes it. */
static enum varve_status
read_next(struct page *page, enum verdict *verdict)
{
    struct varve__embedded *embedded = page->embedded;
    struct varve__embedded_row row;
    enum varve_status status =
        varve__embedded_read_recent(embedded, page->space, page->since, &page->last.row, &row);
    *verdict = judge(page, &row);
    if (status == VARVE_OK && *verdict == ROW_TAKEN)
        status = varve__embedded_read_value(embedded, page->space, VARVE__EMBEDDED_RECENT, &row);
    if (status == VARVE_OK && *verdict == ROW_TAKEN)
        status = varve__embedded_copy_row(&page->last, page->space, &row);
    varve__embedded_reset(embedded, VARVE__EMBEDDED_RECENT);
    if (status == VARVE_OK && *verdict == ROW_TAKEN)
        return varve__embedded_use(embedded, page->space, row.slot, page->now, page->ttl_ms);
    if (status == VARVE_OK && *verdict == ROW_EXPIRED)
        return varve__embedded_drop_expired(embedded, page->space, row.slot);
    return status;
}

static enum varve_status
take_page(
    struct page *page,
    struct varve__watch *watch,
    enum verdict *verdict,
    varve__cache_take_row *take,
    void *context)
{
    enum varve_status status = VARVE_OK;
    *verdict = ROW_TAKEN;
    for (size_t i = 0; status == VARVE_OK; i++) {
        pthread_mutex_lock(&page->embedded->lock);
        status = read_next(page, verdict);
        pthread_mutex_unlock(&page->embedded->lock);
        if (status != VARVE_OK || *verdict == PAGE_FULL || *verdict == ORDER_DONE)
            break;
        if (*verdict == ROW_TAKEN) {
            page->begun = true;
            page->wanted -= page->wanted > 0;
            status = take(context, page->last.row.key, page->last.row.value);
        }
        if (status == VARVE_OK)
            status = varve__embedded_look(watch, page->space, i);
    }
    return status;
}

/* A page ends between two times, so that a time says where the next begins. */
enum varve_status
varve__embedded_recent(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    int64_t since,
    size_t count,
    int64_t ttl_ms,
    struct varve__cache_place *place,
    varve__cache_take_row *take,
    void *context)
{
    enum verdict verdict = ORDER_DONE;
    struct page page = {
        .embedded = varve__embedded_of(cache), .space = space, .since = since, .ttl_ms = ttl_ms};
    page.now = varve__embedded_now(page.embedded);
    page.wanted = count;
    varve__embedded_copy_begin(&page.last);
    if (place->begun) /* no key is less than "": all of an earlier time follow */
        page.last.row = (struct varve__embedded_row){.slot = UINT32_MAX, .time = place->bound};
    enum varve_status status = take_page(&page, watch, &verdict, take, context);
    if (page.begun) {
        place->begun = true;
        place->bound = page.last.row.time;
    }
    place->done = status == VARVE_OK && verdict == ORDER_DONE;
    varve__embedded_copy_end(&page.last);
    return status;
}

/* -------------------------------------------------------------------- walk and health */

/* What one hold of the lock finds. */
struct stretch {
    uint32_t from; /* slot behind which it begins */
    bool done;
    size_t count;
    uint32_t unwanted[WALKED_PER_STEP];
    bool expired[WALKED_PER_STEP]; /* of these */
};

static bool
begins_with(struct varve__cache_text key, const char *begin, size_t size)
{
    return key.size > size && memcmp(key.text, begin, size) == 0;
}

static bool
is_of_packages(struct varve__cache_text key, const struct varve__spaces *spaces)
{
    for (size_t i = 0; i < spaces->package_count; i++) {
        size_t size = strlen(spaces->packages[i]);
        if (begins_with(key, spaces->packages[i], size) && key.text[size] == ':')
            return true;
    }
    return false;
}

static void
count_value(
    const struct varve__embedded *embedded,
    const struct varve__spaces *spaces,
    const struct varve__cache_walk *walk,
    const struct varve__embedded_row *row)
{
    int64_t size = embedded->slots.slots[row->slot].size - VARVE__EMBEDDED_ROW_SIZE;
    for (size_t i = 0; walk->count && i < spaces->count; i++) {
        struct varve__cache_text prefix = spaces->spaces[i].prefix;
        if (!begins_with(row->key, prefix.text, prefix.size))
            continue;
        walk->count(walk->context, &spaces->spaces[i], (size_t)size - row->key.size);
        break;
    }
}

/* Looks at the next rows; those that are to go are noted, since a row must not go under the statement. */
static enum varve_status
look_at_stretch(
    struct varve__embedded *embedded,
    const struct varve__spaces *spaces,
    const struct varve__cache_walk *walk,
    int64_t now,
    struct stretch *stretch)
{
    struct varve__embedded_row row;
    enum varve_status status = VARVE_OK;
    uint32_t last = 0;
    stretch->count = 0;
    for (int i = 0; i < WALKED_PER_STEP && !stretch->done; i++) {
        status = varve__embedded_walk(embedded, stretch->from, &row);
        stretch->done = status != VARVE_OK || !row.slot;
        last = row.slot;
        if (stretch->done || !is_of_packages(row.key, spaces))
            continue;
        bool is_expired = row.expires <= now;
        if (!is_expired && (!walk->wanted || walk->wanted(walk->context, row.key))) {
            count_value(embedded, spaces, walk, &row);
            continue;
        }
        stretch->expired[stretch->count] = is_expired;
        stretch->unwanted[stretch->count++] = row.slot;
    }
    varve__embedded_reset(embedded, VARVE__EMBEDDED_WALK);
    stretch->from = last;
    return status;
}

static enum varve_status
delete_unwanted(
    struct varve__embedded *embedded, const struct stretch *stretch, struct varve__cache_walk *walk)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; status == VARVE_OK && i < stretch->count; i++) {
        if (stretch->expired[i])
            status = varve__embedded_drop_expired(embedded, NULL, stretch->unwanted[i]);
        else
            status = varve__embedded_delete(embedded, NULL, stretch->unwanted[i]);
        walk->expired_removed += status == VARVE_OK && stretch->expired[i];
        walk->keys_removed += status == VARVE_OK && !stretch->expired[i];
    }
    return status;
}

enum varve_status
varve__embedded_walk_through(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__spaces *spaces,
    struct varve__cache_walk *walk)
{
    struct varve__embedded *embedded = varve__embedded_of(cache);
    int64_t now = varve__embedded_now(embedded);
    enum varve_status status = VARVE_OK;
    struct stretch stretch = {0};
    while (status == VARVE_OK && !stretch.done) {
        pthread_mutex_lock(&embedded->lock);
        status = look_at_stretch(embedded, spaces, walk, now, &stretch);
        if (status == VARVE_OK)
            status = delete_unwanted(embedded, &stretch, walk);
        pthread_mutex_unlock(&embedded->lock);
        if (status == VARVE_OK && !stretch.done)
            status = varve__embedded_look(watch, NULL, VARVE__EMBEDDED_LOOK_EVERY - 1);
    }
    return status;
}
