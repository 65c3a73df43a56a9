/* What an engine of the cache does: the contract that the embedded one and Redis implement alike, and
 * that one suite of tests holds both to.
 *
 * An engine is used by any thread, with the watch of the call that is under way: what waits looks at it
 * (varve__watch_expired()) at least every 20 ms, and then ends with VARVE_INTERRUPTED or VARVE_TIMEOUT.
 * Keys and values are bytes; what they mean is the store's. A failure is recorded (varve__fail(), tier
 * cache, record space->record's name) by who returns it.
 *
 * Keys of one call may repeat; they are done in their order. Values that are given to a `take` function are
 * borrowed until it returns, and it must not call the engine; when it fails the call ends with its status. A
 * call that is made again inside (a lost connection) may take a value twice: the later one counts. */
#ifndef VARVE_CACHE_ENGINE_H
#define VARVE_CACHE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/health.h>
#include <varve/status.h>

#include "base/watch.h"
#include "codec/cache_space.h"

/* Lives, in milliseconds. More than any is VARVE__TTL_MAX_MS. */
#define VARVE__TTL_NONE 0                        /* until it is deleted or evicted */
#define VARVE__TTL_KEEP -1                       /* as it is: of a get */
#define VARVE__TTL_MAX_MS INT64_C(3155760000000) /* a hundred years */

struct varve__cache_item {
    struct varve__cache_text key;
    struct varve__cache_text value;
    int64_t ttl_ms;
    int64_t time; /* ns, of a space with an index: what it is ordered by */
};

/* Makes the value of items[i]; it is borrowed until the next call. Values may be made anew for what is sent
 * again. It must not call the engine; when it fails the call ends with its status. */
typedef enum varve_status
varve__cache_make(void *context, size_t i, struct varve__cache_text *value);

/* Takes the value of keys[i]. Not called for what is not there. */
typedef enum varve_status
varve__cache_take(void *context, size_t i, struct varve__cache_text value);

/* Takes a value of an order by time: the newest first, of the same time the greater key first. */
typedef enum varve_status
varve__cache_take_row(void *context, struct varve__cache_text key, struct varve__cache_text value);

/* Where the next page of an order by time begins. All zero is its beginning. */
struct varve__cache_place {
    bool begun;
    bool done;      /* there is nothing more */
    int64_t bound;  /* the engine's own */
    int64_t offset; /* the engine's own */
};

struct varve__cache;

/* Hot copies of table records, beside which no other program's write goes unseen: only for an engine whose
 * copies are worth more than a read of the table. Keys are complete but for what tells one run of the
 * server from another (its memory may be older after a restart), which the engine adds. */
struct varve__cache_copies {
    /* Takes the copy if there is one, and gives it a life (VARVE__TTL_KEEP: as it was). If there is none,
     * asks for the right to fill: *granted says whether this token, unique to the call, has it; it ends by
     * itself after VARVE__LEASE_MS. Who has it not reads the table and fills nothing. */
    enum varve_status (*get)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__space *space,
        struct varve__cache_text key,
        int64_t ttl_ms,
        const char token[16],
        bool *granted,
        varve__cache_take *take,
        void *context);

    /* Stores the copy if the token still has the right, and ends the right; else stores nothing: both in one
     * step. That nothing was stored is VARVE_OK. `item` has the key as it was asked for. */
    enum varve_status (*fill)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__space *space,
        const struct varve__cache_item *item,
        const char token[16]);

    /* Deletes copies and ends every right to fill them, in one step each. One try, no retries: what fails is
     * done again later by who finds it. */
    enum varve_status (*invalidate)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__cache_text *keys,
        size_t count);
};

enum {
    VARVE__LEASE_MS = 10000
};

/* What a walk through all keys of some packages finds. */
struct varve__cache_walk {
    /* Whether a key of these packages is still wanted: false has it removed. Called with whole keys of the
     * engine, without what it added itself. NULL: nothing is removed. */
    bool (*wanted)(void *context, struct varve__cache_text key);
    /* Counts a value: of the space whose prefix it has, by its size. NULL: nothing is counted. */
    void (*count)(void *context, const struct varve__space *space, size_t size);
    void *context;
    int64_t keys_removed;    /* what came of it */
    int64_t entries_removed; /* of orders by time, whose values were gone */
    int64_t expired_removed;
};

struct varve__cache_engine {
    const char *name;

    void (*close)(struct varve__cache *cache);

    /* Stores each item with its value, its life and, where the space has an index, its place in the order: all
     * of an item in one step, in place of what is there. Values are made as they are needed, so that the engine
     * works while the next ones are; with `make` NULL the items have theirs. VARVE_FULL: it has no room. *done
     * counts the items that were stored for certain, from the first on; what comes after the failed one may be
     * stored too. */
    enum varve_status (*put)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__space *space,
        const struct varve__cache_item *items,
        size_t count,
        varve__cache_make *make,
        void *context,
        size_t *done);

    /* Takes the values of these keys that are there, and gives those a life, unless VARVE__TTL_KEEP. */
    enum varve_status (*get)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__space *space,
        const struct varve__cache_text *keys,
        size_t count,
        int64_t ttl_ms,
        varve__cache_take *take,
        void *context);

    /* Gives the value a life; *found: whether it was there. */
    enum varve_status (*touch)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__space *space,
        struct varve__cache_text key,
        int64_t ttl_ms,
        bool *found);

    /* Deletes the value and its place in the order, in one step; *found: whether it was there. */
    enum varve_status (*remove)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__space *space,
        struct varve__cache_text key,
        bool *found);

    /* Takes values of the space's order from *place on, at most about `count` (more where many have one
     * time), whose time is at least `since`, gives them a life, unless VARVE__TTL_KEEP, and moves *place
     * behind them. Entries whose values are gone are removed on the way; there may be none to take although
     * *place is not done. */
    enum varve_status (*recent)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__space *space,
        int64_t since,
        size_t count,
        int64_t ttl_ms,
        struct varve__cache_place *place,
        varve__cache_take_row *take,
        void *context);

    /* Goes through all keys that begin with one of the packages' names and a colon. */
    enum varve_status (*walk)(
        struct varve__cache *cache,
        struct varve__watch *watch,
        const struct varve__spaces *spaces,
        struct varve__cache_walk *walk);

    /* Fills what the engine knows: memory, evictions, expired, connections, breaker and its counters. Whether
     * it is available is the status. */
    enum varve_status (*health)(
        struct varve__cache *cache, struct varve__watch *watch, struct varve_cache_health *health);

    const struct varve__cache_copies *copies; /* NULL: a read of the table costs less */
};

/* The first member of every engine's own struct. */
struct varve__cache {
    const struct varve__cache_engine *engine;
};

#endif
