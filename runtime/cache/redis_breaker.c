/* The circuit breaker. While all is well a call reads one atomic flag and nothing more. */
#include "cache/redis_breaker.h"

#include <stdio.h>
#include <string.h>

#include "base/watch.h"
#include "cache/redis_random.h"

enum {
    PAUSE_GROWTH_MAX = 32, /* times breaker_ms */
    MESSAGE_SIZE = 2 * VARVE__ERROR_SIZE
};

void
varve__redis_breaker_init(
    struct varve__redis_breaker *breaker,
    const struct varve__redis_options *options,
    const char *server)
{
    memset(breaker, 0, sizeof *breaker);
    breaker->options = options;
    breaker->server = server;
    breaker->random = (uint64_t)varve__monotonic_now() ^ (uint64_t)(uintptr_t)breaker;
    atomic_init(&breaker->calm, true);
    pthread_mutex_init(&breaker->lock, NULL);
}

void
varve__redis_breaker_destroy(struct varve__redis_breaker *breaker)
{
    pthread_mutex_destroy(&breaker->lock);
}

static void
log_event(
    const struct varve__redis_breaker *breaker, enum varve_log_level level, const char *message)
{
    const struct varve__redis_options *options = breaker->options;
    if (message[0] && options->log)
        options->log(options->log_context, level, VARVE_TIER_CACHE, message);
}

/* -------------------------------------------------------------------- before a try */

static enum varve_status
fail_open(const struct varve__redis_breaker *breaker, const struct varve_record *record)
{
    int64_t left_ms = (breaker->next_try - varve__monotonic_now() + 999999) / 1000000;
    char when[48] = "is being tried by another call";
    if (breaker->state == VARVE_BREAKER_OPEN)
        snprintf(when, sizeof when, "is tried again in %lld ms", (long long)left_ms);
    return varve__fail(
        VARVE_UNAVAILABLE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE,
        record ? record->descriptor->name : NULL,
        "Redis at %s failed %lld times in a row and %s; the last failure was: %s", breaker->server,
        (long long)breaker->failures, when, breaker->reason);
}

enum varve_status
varve__redis_breaker_enter(
    struct varve__redis_breaker *breaker, const struct varve_record *record, bool *probe)
{
    *probe = false;
    if (atomic_load_explicit(&breaker->calm, memory_order_relaxed))
        return VARVE_OK;
    enum varve_status status = VARVE_OK;
    pthread_mutex_lock(&breaker->lock);
    if (breaker->state == VARVE_BREAKER_OPEN && varve__monotonic_now() >= breaker->next_try) {
        breaker->state = VARVE_BREAKER_PROBING;
        *probe = true;
    } else if (breaker->state != VARVE_BREAKER_CLOSED) {
        status = fail_open(breaker, record);
    }
    pthread_mutex_unlock(&breaker->lock);
    return status;
}

/* -------------------------------------------------------------------- after it */

void
varve__redis_breaker_succeed(struct varve__redis_breaker *breaker, bool probe)
{
    if (atomic_load_explicit(&breaker->calm, memory_order_relaxed))
        return;
    char message[MESSAGE_SIZE] = "";
    pthread_mutex_lock(&breaker->lock);
    if (probe) {
        int64_t down_ms = (varve__monotonic_now() - breaker->opened_at) / 1000000;
        snprintf(
            message, sizeof message, "Redis at %s answers again, after %lld ms", breaker->server,
            (long long)down_ms);
        breaker->state = VARVE_BREAKER_CLOSED;
        breaker->pause_ms = 0;
    }
    /* An answer to a call that began before the breaker opened says nothing of now. */
    if (breaker->state == VARVE_BREAKER_CLOSED) {
        breaker->failures = 0;
        atomic_store_explicit(&breaker->calm, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&breaker->lock);
    log_event(breaker, VARVE_LOG_INFO, message);
}

/* Sets the time of the next try, a quarter later at random. */
static int64_t
begin_pause(struct varve__redis_breaker *breaker)
{
    int64_t first = breaker->options->breaker_ms;
    int64_t grown = breaker->pause_ms == 0 ? first : 2 * breaker->pause_ms;
    breaker->pause_ms = grown > PAUSE_GROWTH_MAX * first ? PAUSE_GROWTH_MAX * first : grown;
    breaker->random += VARVE__RANDOM_STEP;
    int64_t later = varve__random_up_to(breaker->random, breaker->pause_ms / 4);
    breaker->next_try = varve__monotonic_now() + (breaker->pause_ms + later) * 1000000;
    return breaker->pause_ms + later;
}

static void
open_first(struct varve__redis_breaker *breaker, char message[MESSAGE_SIZE])
{
    breaker->state = VARVE_BREAKER_OPEN;
    breaker->opened++;
    breaker->opened_at = varve__monotonic_now();
    int64_t pause_ms = begin_pause(breaker);
    snprintf(
        message, MESSAGE_SIZE,
        "Redis at %s failed %lld times in a row; until it is back calls fail at once, and it is "
        "tried again in %lld ms: %s",
        breaker->server, (long long)breaker->failures, (long long)pause_ms, breaker->reason);
}

bool
varve__redis_breaker_fail(struct varve__redis_breaker *breaker, bool probe)
{
    if (breaker->options->breaker_failures == 0)
        return true;
    char message[MESSAGE_SIZE] = "";
    pthread_mutex_lock(&breaker->lock);
    atomic_store_explicit(&breaker->calm, false, memory_order_relaxed);
    breaker->failures++;
    snprintf(breaker->reason, sizeof breaker->reason, "%s", varve__thread_error());
    if (probe) {
        breaker->state = VARVE_BREAKER_OPEN;
        begin_pause(breaker);
    } else if (
        breaker->state == VARVE_BREAKER_CLOSED &&
        breaker->failures >= breaker->options->breaker_failures) {
        open_first(breaker, message);
    }
    bool closed = breaker->state == VARVE_BREAKER_CLOSED;
    pthread_mutex_unlock(&breaker->lock);
    log_event(breaker, VARVE_LOG_WARNING, message);
    return closed;
}

void
varve__redis_breaker_leave(struct varve__redis_breaker *breaker, bool probe)
{
    if (!probe)
        return;
    pthread_mutex_lock(&breaker->lock);
    breaker->state = VARVE_BREAKER_OPEN; /* and the next call may try, at once */
    pthread_mutex_unlock(&breaker->lock);
}

enum varve_breaker_state
varve__redis_breaker_state(struct varve__redis_breaker *breaker, int64_t *opened)
{
    pthread_mutex_lock(&breaker->lock);
    enum varve_breaker_state state = breaker->state;
    *opened = breaker->opened;
    pthread_mutex_unlock(&breaker->lock);
    return state;
}
