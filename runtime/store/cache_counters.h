/* What a store counts of its cache: how calls went, and how long they took. Counted by all threads, without
 * locks; a report may be a few calls apart in itself. */
#ifndef VARVE_STORE_CACHE_COUNTERS_H
#define VARVE_STORE_CACHE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include <varve/health.h>

#include "base/watch.h"

struct varve__latency {
    atomic_llong total_ns;
    atomic_llong longest_ns;
    atomic_llong buckets[VARVE_LATENCY_BUCKETS];
};

struct varve__cache_counters {
    atomic_llong hits;
    atomic_llong misses;
    atomic_llong dropped; /* writes after a commit that the engine did not take */
    struct varve__latency latency[VARVE_OPERATION_COUNT];
};

static inline void
varve__count(atomic_llong *counter, int64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

/* Notes a call that began at `begin`, of varve__monotonic_now(). */
void
varve__count_latency(
    struct varve__cache_counters *counters, enum varve_operation operation, int64_t begin);

/* Fills the report's part that is counted here. */
void
varve__counters_report(
    const struct varve__cache_counters *counters, struct varve_health_report *report);

#endif
