/* The connections of a store to its server: at most so many, the one used last first, so that few are kept
 * busy and the others may go. Who finds none free waits, and is served in the order of coming. */
#ifndef VARVE_CACHE_REDIS_POOL_H
#define VARVE_CACHE_REDIS_POOL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/redis_connection.h"

struct varve__redis_waiter;

struct varve__redis_pool {
    pthread_mutex_t lock;
    const char *server; /* for messages */
    size_t size;        /* connections at most */
    int64_t timeout_ms; /* of waiting for one; 0: no wait */

    struct varve__redis_connection *idle; /* a stack; while it has any, nobody waits */
    size_t idle_count;
    size_t open; /* places taken: idle, in use or being made; at most `size` */
    struct varve__redis_waiter *first; /* those who wait, the longest first */
    struct varve__redis_waiter **last;

    int64_t waits;      /* calls that had to wait */
    int64_t reconnects; /* idle connections that were found dead */
};

struct varve__redis_pool_state {
    int64_t open, idle, waits, reconnects;
};

void
varve__redis_pool_init(
    struct varve__redis_pool *pool, const char *server, size_t size, int64_t timeout_ms);

/* Closes the connections. None is in use. */
void
varve__redis_pool_destroy(struct varve__redis_pool *pool);

/* Takes a place, with a connection that is fit for use; *connection is NULL where there is none yet, and the
 * caller is to make it. The place is given back by varve__redis_pool_give().
 * VARVE_UNAVAILABLE: all are in use; VARVE_TIMEOUT, VARVE_INTERRUPTED: the watch. `record` may be NULL. */
enum varve_status
varve__redis_pool_take(
    struct varve__redis_pool *pool,
    struct varve__watch *watch,
    const struct varve_record *record,
    struct varve__redis_connection **connection);

/* Gives a place back, with its connection (closed if it is broken), or with NULL where none could be made. */
void
varve__redis_pool_give(struct varve__redis_pool *pool, struct varve__redis_connection *connection);

struct varve__redis_pool_state
varve__redis_pool_state(struct varve__redis_pool *pool);

#endif
