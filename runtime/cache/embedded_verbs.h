/* What the verbs of the embedded engine share. The lock is held for a value or a few dozen at a time, and never
 * while a value is taken: that may decompress it. */
#ifndef VARVE_CACHE_EMBEDDED_VERBS_H
#define VARVE_CACHE_EMBEDDED_VERBS_H

#include "base/memory.h"
#include "cache/embedded_sql.h"

enum {
    VARVE__EMBEDDED_LOOK_EVERY = 64, /* values */
    VARVE__EMBEDDED_COPY_SIZE = 1024
};

static inline struct varve__embedded *
varve__embedded_of(struct varve__cache *cache)
{
    return (struct varve__embedded *)cache;
}

static inline int64_t
varve__embedded_now(const struct varve__embedded *embedded)
{
    return embedded->clock(embedded->clock_context);
}

/* Every so often, by the number of values that are done: whether the call must end, and then why. */
enum varve_status
varve__embedded_look(struct varve__watch *watch, const struct varve__space *space, size_t done);

/* A row's copy, to be used without the lock: its key, if that was asked for, and its value. */
struct varve__embedded_copy {
    char *bytes; /* `small`, or a block that is large enough */
    size_t room;
    struct varve__embedded_row row;
    char small[VARVE__EMBEDDED_COPY_SIZE];
};

static inline void
varve__embedded_copy_begin(struct varve__embedded_copy *copy)
{
    copy->bytes = copy->small;
    copy->room = sizeof copy->small;
    copy->row = (struct varve__embedded_row){0};
}

static inline void
varve__embedded_copy_end(struct varve__embedded_copy *copy)
{
    if (copy->bytes != copy->small)
        varve__release(copy->bytes);
}

/* Takes over the row, with its texts. */
enum varve_status
varve__embedded_copy_row(
    struct varve__embedded_copy *copy,
    const struct varve__space *space,
    const struct varve__embedded_row *row);

/* Notes the use of a value that was read, and gives it its life. With the lock. */
enum varve_status
varve__embedded_use(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    uint32_t slot,
    int64_t now,
    int64_t ttl_ms);

/* Deletes a row that has expired, and counts it. With the lock. */
enum varve_status
varve__embedded_drop_expired(
    struct varve__embedded *embedded, const struct varve__space *space, uint32_t slot);

/* Verbs of the engine: see engine.h. */
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
    void *context);

enum varve_status
varve__embedded_walk_through(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__spaces *spaces,
    struct varve__cache_walk *walk);

#endif
