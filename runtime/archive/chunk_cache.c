/* A hash table of chunks that are chained by their last use. */
#include "archive/chunk_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

enum {
    BUCKETS = 1024 /* a power of two; chunks are 100 KiB and more, so that chains are short */
};

struct varve__chunk_cache {
    pthread_mutex_t lock;
    size_t limit;
    size_t bytes; /* of the chunks in the table */
    int64_t hits;
    int64_t misses;
    struct varve__cached_chunk *newest;
    struct varve__cached_chunk *oldest;
    struct varve__cached_chunk *buckets[BUCKETS];
};

struct varve__chunk_cache *
varve__chunk_cache_create(size_t bytes)
{
    struct varve__chunk_cache *cache = varve__allocate(sizeof *cache);
    if (!cache)
        return NULL;
    memset(cache, 0, sizeof *cache);
    cache->limit = bytes;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

static struct varve__cached_chunk **
bucket_of(struct varve__chunk_cache *cache, int64_t dataset, int64_t chunk)
{
    uint64_t mixed = (uint64_t)dataset * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)chunk;
    mixed = (mixed ^ (mixed >> 29)) * UINT64_C(0xBF58476D1CE4E5B9);
    return &cache->buckets[(mixed >> 40) & (BUCKETS - 1)];
}

static struct varve__cached_chunk *
look_up(struct varve__chunk_cache *cache, int64_t dataset, int64_t chunk)
{
    struct varve__cached_chunk *found = *bucket_of(cache, dataset, chunk);
    while (found && (found->dataset != dataset || found->chunk != chunk))
        found = found->chain;
    return found;
}

static void
unlink_by_use(struct varve__chunk_cache *cache, struct varve__cached_chunk *chunk)
{
    *(chunk->newer ? &chunk->newer->older : &cache->newest) = chunk->older;
    *(chunk->older ? &chunk->older->newer : &cache->oldest) = chunk->newer;
}

static void
link_as_newest(struct varve__chunk_cache *cache, struct varve__cached_chunk *chunk)
{
    chunk->newer = NULL;
    chunk->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = chunk;
    cache->newest = chunk;
}

/* Takes a chunk out of the table. The table's own use ends with it. */
static void
evict(struct varve__chunk_cache *cache, struct varve__cached_chunk *chunk)
{
    struct varve__cached_chunk **place = bucket_of(cache, chunk->dataset, chunk->chunk);
    while (*place != chunk)
        place = &(*place)->chain;
    *place = chunk->chain;
    unlink_by_use(cache, chunk);
    cache->bytes -= chunk->size;
    if (--chunk->uses == 0)
        varve__release(chunk);
}

void
varve__chunk_cache_release(struct varve__chunk_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        evict(cache, cache->oldest);
    pthread_mutex_destroy(&cache->lock);
    varve__release(cache);
}

void
varve__chunk_cache_report(struct varve__chunk_cache *cache, struct varve_archive_health *health)
{
    pthread_mutex_lock(&cache->lock);
    health->chunk_cache_bytes = (int64_t)cache->bytes;
    health->chunk_cache_max_bytes = (int64_t)cache->limit;
    health->chunk_hits = cache->hits;
    health->chunk_misses = cache->misses;
    pthread_mutex_unlock(&cache->lock);
}

struct varve__cached_chunk *
varve__chunk_cache_find(struct varve__chunk_cache *cache, int64_t dataset, int64_t chunk)
{
    pthread_mutex_lock(&cache->lock);
    struct varve__cached_chunk *found = look_up(cache, dataset, chunk);
    if (found) {
        found->uses++;
        unlink_by_use(cache, found);
        link_as_newest(cache, found);
        cache->hits++;
    } else {
        cache->misses++;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

struct varve__cached_chunk *
varve__chunk_cache_make(size_t size)
{
    size_t all;
    if (!varve__size_add(sizeof(struct varve__cached_chunk), size, &all))
        return NULL;
    struct varve__cached_chunk *made = varve__allocate(all);
    if (made)
        *made = (struct varve__cached_chunk){.size = size, .uses = 1};
    return made;
}

void
varve__chunk_cache_add(
    struct varve__chunk_cache *cache,
    int64_t dataset,
    int64_t chunk,
    struct varve__cached_chunk *made)
{
    pthread_mutex_lock(&cache->lock);
    bool keep = made->size <= cache->limit / 4 && !look_up(cache, dataset, chunk);
    while (keep && cache->bytes + made->size > cache->limit)
        evict(cache, cache->oldest);
    if (keep) {
        struct varve__cached_chunk **bucket = bucket_of(cache, dataset, chunk);
        made->dataset = dataset;
        made->chunk = chunk;
        made->chain = *bucket;
        *bucket = made;
        made->uses++;
        cache->bytes += made->size;
        link_as_newest(cache, made);
    }
    pthread_mutex_unlock(&cache->lock);
}

void
varve__chunk_cache_done(struct varve__chunk_cache *cache, struct varve__cached_chunk *chunk)
{
    pthread_mutex_lock(&cache->lock);
    bool last = --chunk->uses == 0;
    pthread_mutex_unlock(&cache->lock);
    if (last)
        varve__release(chunk);
}
