/* What may end a call before it is done: its time (call_timeout_ms), the wait for other writers
 * (busy_timeout_ms), and varve_interrupt(). One in each connection. */
#ifndef VARVE_BASE_WATCH_H
#define VARVE_BASE_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <varve/status.h>

struct varve__watch {
    int64_t busy_timeout_ms; /* 0: no wait at all */
    int64_t call_timeout_ms; /* 0: no limit */

    int64_t call_end;        /* monotonic ns; INT64_MAX without a limit */
    int64_t wait_end;        /* monotonic ns, of the wait under way; 0: none */
    bool timed_out;          /* the call was ended because of its time */
    bool shielded;           /* a transaction begins or ends: that is done, whatever the time */
    atomic_bool running;     /* a call is under way */
    atomic_bool interrupted; /* .. and was asked to end */
};

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t
varve__monotonic_now(void);

/* The same some milliseconds ago at most: for a fifth of the price. */
int64_t
varve__monotonic_lately(void);

/* Begins and ends a call. */
static inline void
varve__watch_begin(struct varve__watch *watch)
{
    watch->timed_out = false;
    watch->wait_end = 0;
    if (watch->call_timeout_ms > 0)
        watch->call_end = varve__monotonic_now() + watch->call_timeout_ms * 1000000;
    atomic_store_explicit(&watch->interrupted, false, memory_order_relaxed);
    atomic_store_explicit(&watch->running, true, memory_order_release);
}

static inline void
varve__watch_end(struct varve__watch *watch)
{
    atomic_store_explicit(&watch->running, false, memory_order_release);
}

/* Whether the running call must end now: interrupted, or out of time (which it notes). */
bool
varve__watch_expired(struct varve__watch *watch);

/* When a wait for another writer must end: monotonic ns. The first question of a call starts the
 * clock, so that the waits of one call do not add up. */
int64_t
varve__watch_wait_end(struct varve__watch *watch);

#endif
