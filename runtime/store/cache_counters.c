/* Counting how long calls took, and what is said of it. */
#include "store/cache_counters.h"

/* The number of bits of the time: bucket i has those below 2^i. */
static size_t
bucket_of(int64_t ns)
{
    size_t bits = ns <= 0 ? 0 : 64 - (size_t)__builtin_clzll((unsigned long long)ns);
    return bits < VARVE_LATENCY_BUCKETS ? bits : VARVE_LATENCY_BUCKETS - 1;
}

void
varve__count_latency(
    struct varve__cache_counters *counters, enum varve_operation operation, int64_t begin)
{
    struct varve__latency *latency = &counters->latency[operation];
    int64_t ns = varve__monotonic_now() - begin;
    varve__count(&latency->buckets[bucket_of(ns)], 1);
    varve__count(&latency->total_ns, ns);
    long long longest = atomic_load_explicit(&latency->longest_ns, memory_order_relaxed);
    while (ns > longest &&
           !atomic_compare_exchange_weak_explicit(
               &latency->longest_ns, &longest, ns, memory_order_relaxed, memory_order_relaxed))
        continue;
}

static int64_t
value_of(const atomic_llong *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
report_latency(const struct varve__latency *from, struct varve_latency *to)
{
    *to = (struct varve_latency){
        .total_ns = value_of(&from->total_ns), .longest_ns = value_of(&from->longest_ns)};
    for (size_t i = 0; i < VARVE_LATENCY_BUCKETS; i++) {
        to->buckets[i] = value_of(&from->buckets[i]);
        to->count += to->buckets[i];
    }
}

void
varve__counters_report(
    const struct varve__cache_counters *counters, struct varve_health_report *report)
{
    report->cache.hits = value_of(&counters->hits);
    report->cache.misses = value_of(&counters->misses);
    report->cache.dropped = value_of(&counters->dropped);
    for (size_t i = 0; i < VARVE_OPERATION_COUNT; i++)
        report_latency(&counters->latency[i], &report->latency[i]);
}

double
varve_cache_hit_rate(const struct varve_cache_health *cache)
{
    int64_t asked = cache->hits + cache->misses;
    return asked > 0 ? (double)cache->hits / (double)asked : 0.0;
}

int64_t
varve_latency_quantile(const struct varve_latency *latency, double share)
{
    int64_t seen = 0;
    for (size_t i = 0; i < VARVE_LATENCY_BUCKETS && latency->count > 0; i++) {
        seen += latency->buckets[i];
        if (seen > 0 && (double)seen >= share * (double)latency->count)
            return i + 1 < VARVE_LATENCY_BUCKETS ? INT64_C(1) << i : latency->longest_ns;
    }
    return latency->count > 0 ? latency->longest_ns : 0;
}

const char *
varve_operation_name(enum varve_operation operation)
{
    static const char *const names[] = {
        [VARVE_OPERATION_CACHE_PUT] = "cache_put",
        [VARVE_OPERATION_CACHE_PUT_MANY] = "cache_put_many",
        [VARVE_OPERATION_CACHE_GET] = "cache_get",
        [VARVE_OPERATION_CACHE_GET_MANY] = "cache_get_many",
        [VARVE_OPERATION_CACHE_TOUCH] = "cache_touch",
        [VARVE_OPERATION_CACHE_DELETE] = "cache_delete",
        [VARVE_OPERATION_CACHE_RECENT] = "cache_recent",
        [VARVE_OPERATION_CACHE_FILL] = "cache_fill",
        [VARVE_OPERATION_CACHE_INVALIDATE] = "cache_invalidate",
    };
    bool known = (unsigned)operation < VARVE_OPERATION_COUNT;
    return known ? names[operation] : "?";
}
