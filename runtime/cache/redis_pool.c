/* The pool of connections: a stack of idle ones, and a queue of who waits. A connection that is given back
 * goes to the first who waits without touching the stack, so that nobody who comes later is faster. */
#include "cache/redis_pool.h"

#include <time.h>

#include "base/error.h"
#include "cache/redis_socket.h"

enum {
    LOOK_NS = 20000000 /* a wait looks at its watch so often: an interrupt wakes nobody */
};

struct varve__redis_waiter {
    struct varve__redis_waiter *next;
    struct varve__redis_connection *connection; /* that was handed over; NULL: a place for one */
    pthread_cond_t turn;
    bool served;
};

void
varve__redis_pool_init(
    struct varve__redis_pool *pool, const char *server, size_t size, int64_t timeout_ms)
{
    *pool = (struct varve__redis_pool){
        .server = server, .size = size, .timeout_ms = timeout_ms, .last = &pool->first};
    pthread_mutex_init(&pool->lock, NULL);
}

void
varve__redis_pool_destroy(struct varve__redis_pool *pool)
{
    while (pool->idle) {
        struct varve__redis_connection *connection = pool->idle;
        pool->idle = connection->next;
        varve__redis_disconnect(connection);
    }
    pthread_mutex_destroy(&pool->lock);
}

/* -------------------------------------------------------------------- waiting */

static void
remove_waiter(struct varve__redis_pool *pool, struct varve__redis_waiter *waiter)
{
    struct varve__redis_waiter **link = &pool->first;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    if (!waiter->next)
        pool->last = link;
}

static void
init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void
wait_for_turn(
    struct varve__redis_pool *pool, struct varve__redis_waiter *waiter, struct varve__watch *watch)
{
    int64_t now = varve__monotonic_now();
    int64_t end = now + pool->timeout_ms * 1000000;
    while (!waiter->served && now < end && !varve__watch_expired(watch)) {
        int64_t look = end - now > LOOK_NS ? now + LOOK_NS : end;
        struct timespec until = {.tv_sec = look / 1000000000, .tv_nsec = look % 1000000000};
        pthread_cond_timedwait(&waiter->turn, &pool->lock, &until);
        now = varve__monotonic_now();
    }
}

/* With the lock held. False: the wait was in vain. */
static bool
wait_in_queue(
    struct varve__redis_pool *pool,
    struct varve__watch *watch,
    struct varve__redis_connection **connection)
{
    struct varve__redis_waiter waiter = {0};
    init_condition(&waiter.turn);
    *pool->last = &waiter;
    pool->last = &waiter.next;
    pool->waits++;
    wait_for_turn(pool, &waiter, watch);
    if (!waiter.served)
        remove_waiter(pool, &waiter);
    pthread_cond_destroy(&waiter.turn);
    *connection = waiter.connection;
    return waiter.served;
}

/* -------------------------------------------------------------------- taking */

static struct varve__redis_connection *
pop_idle(struct varve__redis_pool *pool)
{
    struct varve__redis_connection *connection = pool->idle;
    if (connection) {
        pool->idle = connection->next;
        pool->idle_count--;
    }
    return connection;
}

static bool
take_place(
    struct varve__redis_pool *pool,
    struct varve__watch *watch,
    struct varve__redis_connection **connection)
{
    pthread_mutex_lock(&pool->lock);
    bool taken = true;
    *connection = pop_idle(pool);
    if (!*connection && pool->open < pool->size)
        pool->open++;
    else if (!*connection)
        taken = wait_in_queue(pool, watch, connection);
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

/* Another idle connection in place of one that is dead; NULL when there is none. */
static struct varve__redis_connection *
replace(struct varve__redis_pool *pool, struct varve__redis_connection *dead)
{
    varve__redis_disconnect(dead);
    pthread_mutex_lock(&pool->lock);
    pool->reconnects++;
    struct varve__redis_connection *other = pop_idle(pool);
    if (other)
        pool->open--; /* of its place and the dead one's, one is enough; nobody waits for it */
    pthread_mutex_unlock(&pool->lock);
    return other;
}

static enum varve_status
fail_exhausted(
    const struct varve__redis_pool *pool,
    struct varve__watch *watch,
    const struct varve_record *record)
{
    if (varve__watch_expired(watch))
        return varve__redis_fail_watch(pool->server, watch);
    return varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE,
        record ? record->descriptor->name : NULL,
        "all %zu connections to Redis at %s are in use, and none came free within %lld ms; raise "
        "redis_pool_size, or redis_pool_timeout_ms",
        pool->size, pool->server, (long long)pool->timeout_ms);
}

enum varve_status
varve__redis_pool_take(
    struct varve__redis_pool *pool,
    struct varve__watch *watch,
    const struct varve_record *record,
    struct varve__redis_connection **connection)
{
    if (!take_place(pool, watch, connection))
        return fail_exhausted(pool, watch, record);
    while (*connection && !varve__redis_is_fit(*connection))
        *connection = replace(pool, *connection);
    return VARVE_OK;
}

/* -------------------------------------------------------------------- giving back */

void
varve__redis_pool_give(struct varve__redis_pool *pool, struct varve__redis_connection *connection)
{
    if (connection && connection->broken) {
        varve__redis_disconnect(connection);
        connection = NULL;
    }
    pthread_mutex_lock(&pool->lock);
    struct varve__redis_waiter *next = pool->first;
    if (next) {
        remove_waiter(pool, next);
        next->connection = connection;
        next->served = true; /* the place is handed over: it stays taken */
        pthread_cond_signal(&next->turn);
    } else if (connection) {
        connection->next = pool->idle;
        pool->idle = connection;
        pool->idle_count++;
    } else {
        pool->open--;
    }
    pthread_mutex_unlock(&pool->lock);
}

struct varve__redis_pool_state
varve__redis_pool_state(struct varve__redis_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct varve__redis_pool_state state = {
        .open = (int64_t)pool->open,
        .idle = (int64_t)pool->idle_count,
        .waits = pool->waits,
        .reconnects = pool->reconnects,
    };
    pthread_mutex_unlock(&pool->lock);
    return state;
}
