/* Keeps calls from a server that is down: after so many failures in a row they fail at once, and only one
 * at a time tries whether it is back, after pauses that grow. */
#ifndef VARVE_CACHE_REDIS_BREAKER_H
#define VARVE_CACHE_REDIS_BREAKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <varve/health.h>

#include "base/error.h"
#include "cache/redis.h"

struct varve__redis_breaker {
    const struct varve__redis_options *options;
    const char *server; /* for messages */
    atomic_bool calm; /* closed, and no failure since the last success: nothing to be locked for */

    pthread_mutex_t lock; /* of what follows */
    enum varve_breaker_state state;
    int64_t failures;  /* in a row */
    int64_t pause_ms;  /* before the next try, without its random part; 0: closed */
    int64_t next_try;  /* monotonic ns */
    int64_t opened_at; /* monotonic ns */
    int64_t opened;    /* how often */
    uint64_t random;
    char reason[VARVE__ERROR_SIZE]; /* of the last failure */
};

/* `options` and `server` live as long. */
void
varve__redis_breaker_init(
    struct varve__redis_breaker *breaker,
    const struct varve__redis_options *options,
    const char *server);

void
varve__redis_breaker_destroy(struct varve__redis_breaker *breaker);

/* Asks whether the server may be tried; VARVE_UNAVAILABLE, with the last reason, when not. After VARVE_OK
 * one of the three below says what came of it; *probe goes with it. `record` may be NULL. */
enum varve_status
varve__redis_breaker_enter(
    struct varve__redis_breaker *breaker, const struct varve_record *record, bool *probe);

/* The server answered. */
void
varve__redis_breaker_succeed(struct varve__redis_breaker *breaker, bool probe);

/* It failed, as this thread's failure says. False: calls do not go to it any more. */
bool
varve__redis_breaker_fail(struct varve__redis_breaker *breaker, bool probe);

/* The try ended before it could be told. */
void
varve__redis_breaker_leave(struct varve__redis_breaker *breaker, bool probe);

enum varve_breaker_state
varve__redis_breaker_state(struct varve__redis_breaker *breaker, int64_t *opened);

#endif
