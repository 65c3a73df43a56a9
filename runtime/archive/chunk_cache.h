/* Decoded chunks that small reads share: many small records lie in one chunk, so that the next one asked for is
 * often there. Bounded in bytes; those go that were not used for longest. Any thread. */
#ifndef VARVE_ARCHIVE_CHUNK_CACHE_H
#define VARVE_ARCHIVE_CHUNK_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include <varve/health.h>

struct varve__chunk_cache;

/* A chunk's elements. In use from find or add to done. */
struct varve__cached_chunk {
    struct varve__cached_chunk *chain; /* in its bucket */
    struct varve__cached_chunk *newer; /* by use; NULL: the newest */
    struct varve__cached_chunk *older;
    int64_t dataset;
    int64_t chunk;
    size_t size;
    size_t uses;
    char data[];
};

/* NULL: out of memory. `bytes` 0: nothing is kept. */
struct varve__chunk_cache *
varve__chunk_cache_create(size_t bytes);

/* No chunk may be in use. NULL is fine. */
void
varve__chunk_cache_release(struct varve__chunk_cache *cache);

/* Says how full it is, and how often a find found something. */
void
varve__chunk_cache_report(struct varve__chunk_cache *cache, struct varve_archive_health *health);

/* NULL: it is not there. */
struct varve__cached_chunk *
varve__chunk_cache_find(struct varve__chunk_cache *cache, int64_t dataset, int64_t chunk);

/* Memory for a chunk of so many bytes, in use, not yet in the cache. NULL: out of memory. */
struct varve__cached_chunk *
varve__chunk_cache_make(size_t size);

/* Adds one that was made and filled. Another thread may have added the same meanwhile: then this one is not
 * kept, but stays in use. */
void
varve__chunk_cache_add(
    struct varve__chunk_cache *cache,
    int64_t dataset,
    int64_t chunk,
    struct varve__cached_chunk *made);

/* The use is over. */
void
varve__chunk_cache_done(struct varve__chunk_cache *cache, struct varve__cached_chunk *chunk);

#endif
