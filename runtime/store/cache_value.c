/* Keys and values of the cache's calls: from records to what an engine stores, and back. */
#include <string.h>

#include <varve/record.h>

#include "base/memory.h"
#include "codec/check.h"
#include "codec/pack.h"
#include "codec/read.h"
#include "codec/scan.h"
#include "store/cache.h"

enum {
    ARENA_SIZE = 2048 /* a key and the value of an ordinary record */
};

static const char *
name_of(const struct varve__space *space)
{
    return space->record->descriptor->name;
}

struct varve__arena *
varve__cache_arena(struct varve_session *session)
{
    struct varve__arena **arena = &session->cache.arena;
    if (*arena) {
        varve__arena_reset(*arena);
    } else if (!(*arena = varve__arena_create(ARENA_SIZE))) {
        enum varve_status recorded = varve__fail_memory(NULL, ARENA_SIZE);
        (void)recorded;
    }
    return *arena;
}

enum varve_status
varve__cache_key_of(
    const struct varve__space *space, const void *record, struct varve__cache_key *key)
{
    size_t size = 0;
    memcpy(key->text, space->prefix.text, space->prefix.size);
    enum varve_status status =
        varve__cache_key_encode(space->record, record, key->text + space->prefix.size, &size);
    key->size = space->prefix.size + size;
    return status;
}

/* -------------------------------------------------------------------- lives */

static enum varve_status
ttl_of(const struct varve__space *space, int64_t seconds, int64_t *ttl_ms)
{
    if (seconds < -1 || seconds > VARVE__TTL_MAX_MS / 1000)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_RANGE, VARVE_TIER_CACHE, name_of(space),
            "ttl_seconds is %lld; it is 0 for the message's own, -1 for none, or 1 to %lld",
            (long long)seconds, (long long)(VARVE__TTL_MAX_MS / 1000));
    *ttl_ms = seconds <= 0 ? VARVE__TTL_NONE : seconds * 1000;
    return VARVE_OK;
}

enum varve_status
varve__cache_ttl(
    const struct varve__space *space, const struct varve_cache_options *options, int64_t *ttl_ms)
{
    bool given = options && options->ttl_seconds != 0;
    return ttl_of(space, given ? options->ttl_seconds : space->record->cache->ttl_seconds, ttl_ms);
}

enum varve_status
varve__cache_ttl_of_get(
    const struct varve__space *space, const struct varve_cache_options *options, int64_t *ttl_ms)
{
    *ttl_ms = VARVE__TTL_KEEP;
    if (!options || options->ttl_seconds == 0)
        return VARVE_OK;
    return ttl_of(space, options->ttl_seconds, ttl_ms);
}

/* -------------------------------------------------------------------- values */

static enum varve_status
fail_size(const struct varve__space *space, size_t size, size_t most)
{
    return varve__fail(
        VARVE_INVALID, VARVE_FAILURE_SIZE, VARVE_TIER_CACHE, name_of(space),
        "%s would take %zu bytes in the cache, more than cache_value_bytes, %zu; raise that, or "
        "keep large arrays in a table record",
        name_of(space), size, most);
}

enum varve_status
varve__cache_measure(
    struct varve_session *session,
    const struct varve__space *space,
    const void *record,
    size_t *size)
{
    struct varve__sizes sizes;
    size_t most = session->store->cache_value_bytes;
    enum varve_status status =
        varve__record_check(space->record, record, VARVE__CHECK_LOADED, &sizes);
    if (status != VARVE_OK)
        return status;
    *size = sizes.wire;
    return sizes.wire > most ? fail_size(space, sizes.wire, most) : VARVE_OK;
}

enum varve_status
varve__cache_value_write(
    struct varve_session *session,
    const struct varve__space *space,
    const void *record,
    size_t size,
    uint8_t *out,
    struct varve__cache_text *value)
{
    const struct varve_cache *cache = space->record->cache;
    int64_t above = cache->compress_above_bytes >= 0 ? cache->compress_above_bytes
                                                     : session->store->compress_above_bytes;
    size_t written = 0;
    enum varve_status status = varve__record_write(space->record, record, out + 1);
    if (status == VARVE_OK)
        status = varve__cache_value_encode(
            &session->cache.codec, cache->compression, above, out + 1, size, out, &written);
    *value = (struct varve__cache_text){(const char *)out, written};
    return status;
}

static enum varve_status
fail_value(const struct varve__space *space, const char *why)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_WIRE, VARVE_TIER_CACHE, name_of(space),
        "the cache holds a value under a key of %s that is none: %s; something else has written "
        "it: "
        "delete it, or put the record anew",
        name_of(space), why);
}

/* Bytes that are damaged are the cache's failure, not the caller's. */
static enum varve_status
judge(const struct varve__space *space, enum varve_status status)
{
    return status == VARVE_INVALID ? fail_value(space, varve__thread_error()) : status;
}

enum varve_status
varve__cache_record_build(
    const struct varve__space *space,
    const uint8_t *bytes,
    size_t size,
    struct varve__arena *arena,
    void **record)
{
    if (!arena)
        return judge(space, varve_record_unpack(space->record, bytes, size, record));
    return judge(space, varve__record_read(arena, space->record, bytes, size, record));
}

enum varve_status
varve__cache_record_of(
    struct varve_session *session,
    const struct varve__space *space,
    struct varve__cache_text value,
    const void *key,
    struct varve__arena *arena,
    void **record)
{
    size_t size;
    const uint8_t *bytes;
    enum varve_status status = varve__cache_value_decode(
        &session->cache.codec, space->record, value.text, value.size,
        session->store->cache_value_bytes, &bytes, &size);
    if (status == VARVE_OK)
        status = varve__cache_record_build(space, bytes, size, arena, record);
    if (status != VARVE_OK || !key || varve__cache_key_equal(space->record, *record, key))
        return status;
    if (!arena)
        varve_record_free(*record);
    *record = NULL;
    return fail_value(space, "its fields make another key");
}

enum varve_status
varve__cache_missed(const struct varve__space *space, struct varve__cache_text key)
{
    key.text += space->prefix.size;
    key.size -= space->prefix.size;
    return varve__fail(
        VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, name_of(space),
        "the cache has no %s with the key %.*s, or not any more", name_of(space),
        key.size > 200 ? 200 : (int)key.size, key.text);
}
