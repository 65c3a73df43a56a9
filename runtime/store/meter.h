/* What is counted of a store's calls: how many, how many failed, how long they took; and of its cache. Each session
 * counts for itself, without locks or atomic additions; a report adds up the sessions that are and those that
 * were, and may be a few calls apart in itself. */
#ifndef VARVE_STORE_METER_H
#define VARVE_STORE_METER_H

#include <stdatomic.h>
#include <stdint.h>

#include <varve/health.h>

#include "base/watch.h"

struct varve__latency {
    atomic_llong count;
    atomic_llong failures;
    atomic_llong total_ns; /* of those that were timed: the sum of the buckets */
    atomic_llong longest_ns;
    atomic_llong buckets[VARVE_LATENCY_BUCKETS];
};

/* Written by the thread that uses the session alone; read by any. */
struct varve__meter {
    struct varve__latency latency[VARVE_OPERATION_COUNT];
    atomic_llong cache_hits;
    atomic_llong cache_misses;
    atomic_llong cache_dropped; /* writes after a commit that the engine did not take */
};

/* The sum of some meters. */
struct varve__figures {
    struct varve_latency latency[VARVE_OPERATION_COUNT];
    int64_t cache_hits;
    int64_t cache_misses;
    int64_t cache_dropped;
};

/* Adds to a counter of which this thread is the only writer. */
static inline void
varve__count(atomic_llong *counter, int64_t by)
{
    atomic_store_explicit(
        counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

/* Whether a call that ended so counts as failed: that a record is not there is an answer. */
static inline bool
varve__meter_is_failure(enum varve_status status)
{
    return status > VARVE_NOT_FOUND;
}

/* Counts a call that ended so. */
static inline void
varve__meter_count(
    struct varve__meter *meter, enum varve_operation operation, enum varve_status status)
{
    struct varve__latency *latency = &meter->latency[operation];
    varve__count(&latency->count, 1);
    if (__builtin_expect(varve__meter_is_failure(status), 0))
        varve__count(&latency->failures, 1);
}

/* Notes how long a call took, which is counted apart. */
void
varve__meter_time(struct varve__meter *meter, enum varve_operation operation, int64_t ns);

/* Both, of a call that began at `begin`, of varve__monotonic_now(). */
void
varve__meter_note(
    struct varve__meter *meter,
    enum varve_operation operation,
    int64_t begin,
    enum varve_status status);

/* Adds what the meter has to *figures. From any thread. */
void
varve__meter_add(const struct varve__meter *meter, struct varve__figures *figures);

#endif
