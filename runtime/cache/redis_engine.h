/* The Redis engine inside: its struct, how a call goes to the server, and what the verbs share. */
#ifndef VARVE_CACHE_REDIS_ENGINE_H
#define VARVE_CACHE_REDIS_ENGINE_H

#include "cache/redis_breaker.h"
#include "cache/redis_list.h"
#include "cache/redis_pool.h"
#include "cache/redis_scripts.h"

struct varve__redis {
    struct varve__cache cache;
    struct varve__redis_options options;
    struct varve__redis_pool pool;
    struct varve__redis_breaker breaker;
    struct varve__redis_scripts scripts;
    _Atomic int64_t retries;
    _Atomic int64_t reconnects; /* connections that broke in use, and whose call was made again */
    _Atomic int64_t failures;
    _Atomic uint64_t random;
    _Atomic uint64_t puts; /* in an order by time */
    atomic_bool warned;    /* that the server does not tell its run */
    char server[];         /* for messages: "/run/redis.sock", "cache:6379" */
};

static inline struct varve__redis *
varve__redis_of(struct varve__cache *cache)
{
    return (struct varve__redis *)cache;
}

/* ---------------------------------------------------------------- calls (redis_call.c) */

/* Commands that go out together on one connection, and again on another when that is lost. `take` sees no
 * error replies: the first ends the call, and the rest of the replies is read past, so that the connection
 * stays of use. */
struct varve__redis_call {
    struct varve__watch *watch;
    const struct varve_record *record; /* for messages; may be NULL */
    const char *what;                  /* for messages: "a put" */
    enum varve__redis_script script;   /* that the commands need; VARVE__SCRIPT_NONE */
    bool once;                         /* not made again */
    bool skips_wrong_types;            /* WRONGTYPE errors are for `take` */
    varve__redis_feed *feed;
    varve__redis_take *take;
    void (*restart)(void *context); /* before each attempt: feeding goes on behind the last reply */
    void *context;

    const char *server;       /* the rest is set by the call */
    enum varve_status status; /* of what was replied in the attempt under way */
    bool refused;             /* .. it is an error of the server, of this kind */
    enum varve__redis_error error;
    bool perhaps; /* an attempt that failed may have been carried out */
};

/* Makes the call. */
enum varve_status
varve__redis_run(struct varve__redis *redis, struct varve__redis_call *call);

/* ---------------------------------------------------------------- verbs */

enum {
    VARVE__REDIS_FEED_SIZE = 65536, /* bytes of commands that are written at a time */
    VARVE__REDIS_KEYS_AT_ONCE = 256 /* of an MGET */
};

/* Bytes of commands that were written and not sent yet. */
static inline size_t
varve__redis_unsent(const struct varve__redis_connection *connection)
{
    return connection->out_end - connection->out_begin;
}

/* The command that stores an item under its key. */
void
varve__redis_write_set(
    struct varve__redis_connection *connection, const struct varve__cache_item *item);

/* The command that reads the value of a key, and gives it a life unless VARVE__TTL_KEEP. */
void
varve__redis_write_get(
    struct varve__redis_connection *connection, struct varve__cache_text key, int64_t ttl_ms);

/* Gives the order of these values at least this life, which some of them were given. */
void
varve__redis_write_lengthening(
    struct varve__redis_connection *connection,
    const struct varve__redis_scripts *scripts,
    struct varve__cache_text index,
    int64_t ttl_ms);

/* Removes those members from an order whose values are gone, and adds their number to *removed, which may be
 * NULL. `space` is NULL where nobody knows it. */
enum varve_status
varve__redis_sweep(
    struct varve__redis *redis,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text index,
    const struct varve__redis_list *members,
    int64_t *removed);

enum varve_status
varve__redis_put(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    const struct varve__cache_item *items,
    size_t count,
    varve__cache_make *make,
    void *make_context,
    size_t *done);

enum varve_status
varve__redis_get(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    const struct varve__cache_text *keys,
    size_t count,
    int64_t ttl_ms,
    varve__cache_take *take,
    void *context);

enum varve_status
varve__redis_touch(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text key,
    int64_t ttl_ms,
    bool *found);

enum varve_status
varve__redis_remove(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__space *space,
    struct varve__cache_text key,
    bool *found);

enum varve_status
varve__redis_recent(
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
varve__redis_walk(
    struct varve__cache *cache,
    struct varve__watch *watch,
    const struct varve__spaces *spaces,
    struct varve__cache_walk *walk);

enum varve_status
varve__redis_health(
    struct varve__cache *cache, struct varve__watch *watch, struct varve_cache_health *health);

extern const struct varve__cache_copies varve__redis_copies;

#endif
