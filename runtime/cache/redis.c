/* Opening and closing of the Redis engine, and its health. */
#include "cache/redis.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cache/redis_engine.h"

static void
close_engine(struct varve__cache *cache)
{
    struct varve__redis *redis = varve__redis_of(cache);
    varve__redis_pool_destroy(&redis->pool);
    varve__redis_breaker_destroy(&redis->breaker);
    varve__redis_scripts_destroy(&redis->scripts);
    varve__release(redis);
}

static const struct varve__cache_engine engine = {
    .name = "redis",
    .close = close_engine,
    .put = varve__redis_put,
    .get = varve__redis_get,
    .touch = varve__redis_touch,
    .remove = varve__redis_remove,
    .recent = varve__redis_recent,
    .walk = varve__redis_walk,
    .health = varve__redis_health,
    .copies = &varve__redis_copies,
};

static void
init_engine(
    struct varve__redis *redis, const struct varve__redis_options *options, size_t server_size)
{
    memset(redis, 0, sizeof *redis);
    redis->cache.engine = &engine;
    redis->options = *options;
    if (options->unix_socket)
        snprintf(redis->server, server_size, "%s", options->unix_socket);
    else
        snprintf(redis->server, server_size, "%s:%d", options->host, options->port);
    atomic_init(&redis->random, (uint64_t)varve__monotonic_now() ^ (uint64_t)(uintptr_t)redis);
    atomic_init(&redis->warned, false);
    varve__redis_pool_init(
        &redis->pool, redis->server, options->pool_size, options->pool_timeout_ms);
    varve__redis_breaker_init(&redis->breaker, &redis->options, redis->server);
    varve__redis_scripts_init(&redis->scripts);
}

enum varve_status
varve__redis_open(const struct varve__redis_options *options, struct varve__cache **cache)
{
    *cache = NULL;
#ifndef VARVE_TLS
    if (options->tls)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL,
            "redis_tls is set, but this varve was built without TLS; build it where OpenSSL is "
            "installed, or clear redis_tls");
#endif
    const char *place = options->unix_socket ? options->unix_socket : options->host;
    size_t server_size = strlen(place) + sizeof ":-2147483648";
    struct varve__redis *redis = varve__allocate(sizeof *redis + server_size);
    if (!redis)
        return varve__fail_memory(NULL, sizeof *redis + server_size);
    init_engine(redis, options, server_size);
    *cache = &redis->cache;
    return VARVE_OK;
}

/* -------------------------------------------------------------------- health */

struct inquiry {
    struct varve_cache_health *health;
    bool fed;
};

static void
restart_inquiry(void *context)
{
    ((struct inquiry *)context)->fed = false;
}

static enum varve_status
feed_inquiry(void *context, struct varve__redis_connection *connection, size_t *replies)
{
    struct inquiry *inquiry = context;
    if (inquiry->fed)
        return VARVE_OK;
    inquiry->fed = true;
    varve__redis_command(connection, 2);
    varve__redis_word(connection, "INFO");
    varve__redis_word(connection, "memory");
    varve__redis_command(connection, 2);
    varve__redis_word(connection, "INFO");
    varve__redis_word(connection, "stats");
    *replies = 2;
    return VARVE_OK;
}

/* Sets *number to that of a line "name:1234", if there is one. */
static void
find_number(const struct varve__redis_piece *piece, const char *name, int64_t *number)
{
    size_t name_size = strlen(name);
    const char *end = piece->text + piece->size;
    for (const char *line = piece->text; line && line < end;) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((feed ? feed : end) - line);
        char digits[24] = "";
        if (size > name_size && size - name_size < sizeof digits &&
            memcmp(line, name, name_size) == 0 && line[name_size] == ':') {
            memcpy(digits, line + name_size + 1, size - name_size - 1);
            *number = strtoll(digits, NULL, 10);
            return;
        }
        line = feed ? feed + 1 : NULL;
    }
}

static enum varve_status
take_inquiry(void *context, const struct varve__redis_piece *piece)
{
    struct varve_cache_health *health = ((struct inquiry *)context)->health;
    if (piece->kind != VARVE__REDIS_STRING)
        return VARVE_OK;
    find_number(piece, "used_memory", &health->used_bytes);
    find_number(piece, "maxmemory", &health->max_bytes);
    find_number(piece, "evicted_keys", &health->evictions);
    find_number(piece, "expired_keys", &health->expired);
    return VARVE_OK;
}

static void
fill_counters(struct varve__redis *redis, struct varve_cache_health *health)
{
    struct varve__redis_pool_state pool = varve__redis_pool_state(&redis->pool);
    health->connections_open = pool.open;
    health->connections_idle = pool.idle;
    health->connections_max = (int64_t)redis->options.pool_size;
    health->pool_waits = pool.waits;
    health->reconnects = pool.reconnects + redis->reconnects;
    health->breaker = varve__redis_breaker_state(&redis->breaker, &health->breaker_opened);
    health->retries = redis->retries;
    health->failures = redis->failures;
}

enum varve_status
varve__redis_health(
    struct varve__cache *cache, struct varve__watch *watch, struct varve_cache_health *health)
{
    struct varve__redis *redis = varve__redis_of(cache);
    struct inquiry inquiry = {.health = health};
    struct varve__redis_call call = {
        .watch = watch,
        .what = "the question for its state",
        .script = VARVE__SCRIPT_NONE,
        .once = true,
        .feed = feed_inquiry,
        .take = take_inquiry,
        .restart = restart_inquiry,
        .context = &inquiry,
    };
    health->used_bytes = health->max_bytes = health->evictions = health->expired = -1;
    enum varve_status status = varve__redis_run(redis, &call);
    fill_counters(redis, health);
    /* A user who may not use INFO has a server that answers all the same. */
    return call.refused && call.error == VARVE__REDIS_REFUSED ? VARVE_OK : status;
}
