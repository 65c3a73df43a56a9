/* Counting calls and how long they took, and what is said of it. */
#include "store/meter.h"

/* The number of bits of the time: bucket i has those below 2^i. */
static size_t
bucket_of(int64_t ns)
{
    size_t bits = ns <= 0 ? 0 : 64 - (size_t)__builtin_clzll((unsigned long long)ns);
    return bits < VARVE_LATENCY_BUCKETS ? bits : VARVE_LATENCY_BUCKETS - 1;
}

void
varve__meter_time(struct varve__meter *meter, enum varve_operation operation, int64_t ns)
{
    struct varve__latency *latency = &meter->latency[operation];
    varve__count(&latency->buckets[bucket_of(ns)], 1);
    varve__count(&latency->total_ns, ns);
    if (ns > atomic_load_explicit(&latency->longest_ns, memory_order_relaxed))
        atomic_store_explicit(&latency->longest_ns, ns, memory_order_relaxed);
}

void
varve__meter_note(
    struct varve__meter *meter,
    enum varve_operation operation,
    int64_t begin,
    enum varve_status status)
{
    varve__meter_count(meter, operation, status);
    varve__meter_time(meter, operation, varve__monotonic_now() - begin);
}

static int64_t
value_of(const atomic_llong *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
add_latency(const struct varve__latency *from, struct varve_latency *to)
{
    int64_t longest = value_of(&from->longest_ns);
    to->count += value_of(&from->count);
    to->failures += value_of(&from->failures);
    to->total_ns += value_of(&from->total_ns);
    to->longest_ns = longest > to->longest_ns ? longest : to->longest_ns;
    for (size_t i = 0; i < VARVE_LATENCY_BUCKETS; i++) {
        int64_t timed = value_of(&from->buckets[i]);
        to->buckets[i] += timed;
        to->timed += timed;
    }
}

void
varve__meter_add(const struct varve__meter *meter, struct varve__figures *figures)
{
    figures->cache_hits += value_of(&meter->cache_hits);
    figures->cache_misses += value_of(&meter->cache_misses);
    figures->cache_dropped += value_of(&meter->cache_dropped);
    for (size_t i = 0; i < VARVE_OPERATION_COUNT; i++)
        add_latency(&meter->latency[i], &figures->latency[i]);
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
    int64_t timed = 0, seen = 0;
    for (size_t i = 0; i < VARVE_LATENCY_BUCKETS; i++)
        timed += latency->buckets[i];
    for (size_t i = 0; i < VARVE_LATENCY_BUCKETS && timed > 0; i++) {
        seen += latency->buckets[i];
        if (seen > 0 && (double)seen >= share * (double)timed)
            return i + 1 < VARVE_LATENCY_BUCKETS ? INT64_C(1) << i : latency->longest_ns;
    }
    return timed > 0 ? latency->longest_ns : 0;
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
        [VARVE_OPERATION_RECORD_INSERT] = "record_insert",
        [VARVE_OPERATION_RECORD_INSERT_MANY] = "record_insert_many",
        [VARVE_OPERATION_RECORD_GET] = "record_get",
        [VARVE_OPERATION_RECORD_GET_MANY] = "record_get_many",
        [VARVE_OPERATION_RECORD_UPDATE] = "record_update",
        [VARVE_OPERATION_RECORD_UPSERT] = "record_upsert",
        [VARVE_OPERATION_RECORD_DELETE] = "record_delete",
        [VARVE_OPERATION_RECORD_FIND] = "record_find",
        [VARVE_OPERATION_RECORD_COUNT] = "record_count",
        [VARVE_OPERATION_TENSOR_READ] = "tensor_read",
        [VARVE_OPERATION_TENSOR_WRITE] = "tensor_write",
        [VARVE_OPERATION_BEGIN] = "begin",
        [VARVE_OPERATION_COMMIT] = "commit",
        [VARVE_OPERATION_FLUSH] = "flush",
        [VARVE_OPERATION_COMPACT] = "compact",
        [VARVE_OPERATION_BACKUP] = "backup",
        [VARVE_OPERATION_QUERY] = "query",
    };
    bool known = (unsigned)operation < VARVE_OPERATION_COUNT;
    return known ? names[operation] : "?";
}
