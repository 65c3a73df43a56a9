/* Gets of table records by way of hot copies. What deletes copies is in copy.c.
 *
 * A copy is used when the key has no row that waits in varve_invalidation, and made by who was given a lease
 * before it read the table: an invalidation between the two ends the lease. Where the connection has a snapshot
 * already, be it of a transaction or of rows that are still read, the table alone is asked: that snapshot may
 * be older than what others have committed and deleted the copies of. */
#include "store/read_through.h"

#include <string.h>
#include <sys/random.h>

#include <varve/record.h>
#include <varve/types.h>

#include "codec/check.h"
#include "store/cache.h"
#include "store/copy.h"
#include "table/bare.h"

/* A call about one key. */
struct request {
    struct varve_session *session;
    const struct varve__plan *plan;
    const struct varve__space *space;
    const void *key; /* a record */
    int64_t ttl_ms;
    struct varve__arena *arena; /* of the record; NULL: a block of its own */
    void **record;
    bool counts;                       /* as a hit or a miss */
    bool granted;                      /* the right to fill */
    bool damaged;                      /* there is a copy, which is none */
    char token[16];                    /* of the lease */
    size_t size;                       /* of the text */
    char text[VARVE__COPIES_TEXT_MAX]; /* prefix and key, as in varve_invalidation */
    struct varve__cache_key copy;      /* the key of the copy */
};

static const struct varve__cache_copies *
copies_of(const struct varve_session *session)
{
    return session->store->cache->engine->copies;
}

static struct varve__watch *
watch_of(const struct request *request)
{
    return &request->session->connection->watch;
}

/* -------------------------------------------------------------------- keys and tokens */

static uint64_t
mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/* Sixteen digits that no other call in any process has: a random beginning for each thread, anew after a fork,
 * and a count. */
static void
make_token(char token[16])
{
    static _Thread_local uint64_t next;
    static _Thread_local unsigned seeded; /* fork count + 1 */
    if (seeded != varve__fork_count + 1) {
        if (getrandom(&next, sizeof next, 0) != (ssize_t)sizeof next)
            next = mix((uint64_t)varve__monotonic_now() ^ (uint64_t)(uintptr_t)&next);
        seeded = varve__fork_count + 1;
    }
    next += 0x9e3779b97f4a7c15u;
    uint64_t bits = mix(next);
    for (size_t i = 0; i < 16; i++, bits >>= 4)
        token[i] = "0123456789abcdef"[bits & 15];
}

/* *none: the key is too long for any copy; the table may have the record. */
static enum varve_status
encode_key(struct request *request, bool *none)
{
    size_t size = 0;
    const struct varve__cache_text prefix = request->space->prefix;
    memcpy(request->text, prefix.text, prefix.size);
    enum varve_status status = varve__cache_key_encode(
        request->space->record, request->key, request->text + prefix.size, &size);
    request->size = prefix.size + size;
    *none = status == VARVE_INVALID && varve__thread_failure()->kind == VARVE_FAILURE_SIZE;
    return *none ? VARVE_OK : status;
}

/* Whether the copy may be used, or made. Sets its key. */
static bool
look(struct request *request)
{
    bool waiting;
    bool usable;
    char scope[VARVE__COPIES_SCOPE_MAX];
    struct varve_session *session = request->session;
    if (!copies_of(session) || varve__copies_has_snapshot(session))
        return false;
    enum varve_status status = varve__copies_look(
        session->connection, request->space, request->text, request->size, scope, &waiting,
        &usable);
    if (status != VARVE_OK || !usable)
        return false; /* the table will say why, if it has a reason too */
    if (waiting) {
        varve__copies_drain_some(session);
        return false;
    }
    varve__copies_name(
        request->text, request->space->prefix.size, request->size, scope, &request->copy);
    make_token(request->token);
    return true;
}

/* -------------------------------------------------------------------- values */

static void
release_record(const struct request *request)
{
    if (!request->arena)
        varve_record_free(*request->record);
    *request->record = NULL;
}

static enum varve_status
read_value(struct request *request, struct varve__cache_text value)
{
    size_t size;
    const uint8_t *bytes;
    const struct varve_record *table = request->space->record;
    struct varve_session *session = request->session;
    enum varve_status status = varve__cache_value_decode(
        &session->cache.codec, table, value.text, value.size, session->store->cache_value_bytes,
        &bytes, &size);
    if (status == VARVE_OK)
        status = varve__bare_build(request->plan, bytes, size, request->arena, request->record);
    if (status == VARVE_OK && !varve__cache_key_equal(table, *request->record, request->key)) {
        release_record(request);
        status = varve__fail(
            VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, table->descriptor->name,
            "its fields make another key");
    }
    return status;
}

/* A value that is none is no failure of the engine, nor of the call: the table is read. */
static enum varve_status
take(void *context, size_t i, struct varve__cache_text value)
{
    (void)i;
    struct request *request = context;
    if (*request->record)
        release_record(request); /* of a try that was made again */
    enum varve_status status = read_value(request, value);
    request->damaged = status != VARVE_OK && status != VARVE_NO_MEMORY;
    if (request->damaged)
        varve__store_log(
            request->session->store, VARVE_LOG_ERROR, VARVE_TIER_CACHE,
            "the hot copy of a %s is damaged, and deleted: %s",
            request->space->record->descriptor->name, varve__thread_error());
    return request->damaged ? VARVE_OK : status;
}

/* Packs and compresses the record into the session's arena. False: there is to be no copy of it. */
static bool
make_value(struct request *request, const void *record, struct varve__cache_text *value)
{
    struct varve_bytes packed;
    size_t size = 0;
    struct varve_session *session = request->session;
    const struct varve_cache *cache = request->space->record->cache;
    struct varve__arena *arena = varve__cache_arena(session);
    if (!arena || varve__bare_pack(request->plan, record, &packed) != VARVE_OK)
        return false;
    uint8_t *out = NULL;
    if (packed.size <= session->store->cache_value_bytes)
        out = varve__arena_allocate(arena, varve__cache_value_bound(packed.size));
    int64_t above = cache->compress_above_bytes >= 0 ? cache->compress_above_bytes
                                                     : session->store->compress_above_bytes;
    bool made = out && varve__cache_value_encode(
                           &session->cache.codec, cache->compression, above, packed.data,
                           packed.size, out, &size) == VARVE_OK;
    varve_bytes_free(&packed);
    *value = (struct varve__cache_text){(const char *)out, size};
    return made;
}

/* -------------------------------------------------------------------- one key */

/* The life of a copy that is made by a get. */
static int64_t
life_of(const struct request *request)
{
    if (request->ttl_ms != VARVE__TTL_KEEP)
        return request->ttl_ms;
    int64_t seconds = request->space->record->cache->ttl_seconds;
    return seconds > 0 ? seconds * 1000 : VARVE__TTL_NONE;
}

static enum varve_status
read_table(struct request *request)
{
    return varve__bare_get(
        request->session->connection, request->plan, request->key, request->arena, request->record);
}

/* Makes the copy; that it cannot be made is no failure of the get. */
static void
fill(struct request *request)
{
    struct varve__cache_text value;
    struct varve__kept_failure kept;
    struct varve__cache *cache = request->session->store->cache;
    varve__failure_keep(&kept);
    if (make_value(request, *request->record, &value)) {
        struct varve__cache_item item = {
            .key = varve__cache_key_text(&request->copy),
            .value = value,
            .ttl_ms = life_of(request)};
        enum varve_status status = cache->engine->copies->fill(
            cache, watch_of(request), request->space, &item, request->token);
        if (status != VARVE_OK)
            varve__copies_log(request->session, "a hot copy was not made");
    }
    varve__failure_restore(&kept);
}

/* Reads the table, which must be after the lease was given, and makes the copy of what it has. */
static enum varve_status
read_and_fill(struct request *request)
{
    int64_t begin = varve__monotonic_now();
    enum varve_status status = read_table(request);
    if (status == VARVE_OK && request->granted)
        fill(request);
    varve__meter_note(&request->session->meter, VARVE_OPERATION_CACHE_FILL, begin, status);
    return status;
}

static enum varve_status
ask_copies(struct request *request)
{
    struct varve__cache *cache = request->session->store->cache;
    request->granted = false;
    return cache->engine->copies->get(
        cache, watch_of(request), request->space, varve__cache_key_text(&request->copy),
        request->ttl_ms, request->token, &request->granted, take, request);
}

static bool
ends_call(enum varve_status status)
{
    return status == VARVE_INTERRUPTED || status == VARVE_TIMEOUT || status == VARVE_NO_MEMORY;
}

static void
count_answer(const struct request *request, bool hit)
{
    struct varve__meter *meter = &request->session->meter;
    if (request->counts)
        varve__count(hit ? &meter->cache_hits : &meter->cache_misses, 1);
}

/* By the copy, and where that does not answer by the table. */
static enum varve_status
get(struct request *request)
{
    enum varve_status status = ask_copies(request);
    bool hit = status == VARVE_OK && *request->record;
    count_answer(request, hit);
    if (hit)
        return VARVE_OK;
    if (*request->record)
        release_record(request);
    if (ends_call(status))
        return status;
    if (status != VARVE_OK)
        varve__copies_log(request->session, "hot copies were not read");
    request->granted = request->granted && status == VARVE_OK;
    if (request->damaged)
        varve__copies_delete(request->session, &request->copy);
    return read_and_fill(request);
}

static enum varve_status
begin_request(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key,
    struct request *request,
    bool *copies)
{
    bool none = false;
    request->session = session;
    request->space = space;
    request->key = key;
    request->granted = request->damaged = false;
    request->plan = varve__plan_of(session->store->plans, space->record);
    enum varve_status status = varve__record_check_message(space->record, key);
    if (status == VARVE_OK)
        status = encode_key(request, &none);
    *copies = status == VARVE_OK && !none && look(request);
    return status;
}

static enum varve_status
get_into(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key,
    int64_t ttl_ms,
    struct varve__arena *arena,
    void **record)
{
    bool copies;
    struct request request;
    request.arena = arena;
    request.record = record;
    request.ttl_ms = ttl_ms;
    request.counts = true;
    enum varve_status status = begin_request(session, space, key, &request, &copies);
    if (status != VARVE_OK)
        return status;
    return copies ? get(&request) : read_table(&request);
}

enum varve_status
varve__read_through_get(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key,
    int64_t ttl_ms,
    void **record)
{
    return get_into(session, space, key, ttl_ms, NULL, record);
}

enum varve_status
varve__read_through_get_many(
    struct varve_session *session,
    const struct varve__space *space,
    const void *keys,
    size_t count,
    int64_t ttl_ms,
    struct varve__arena *arena,
    void **records)
{
    size_t size = space->record->descriptor->sizeof_message;
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        const void *key = (const char *)keys + i * size;
        status = get_into(session, space, key, ttl_ms, arena, &records[i]);
        if (status == VARVE_NOT_FOUND)
            status = VARVE_OK;
        else if (status != VARVE_OK)
            varve__failure_set_index((int64_t)i);
    }
    return status;
}

/* -------------------------------------------------------------------- put, touch, drop */

enum varve_status
varve__read_through_put(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key,
    int64_t ttl_ms)
{
    bool copies;
    void *record = NULL;
    struct request request;
    request.arena = NULL;
    request.record = &record;
    request.ttl_ms = ttl_ms;
    request.counts = false;
    enum varve_status status = begin_request(session, space, key, &request, &copies);
    if (status != VARVE_OK)
        return status;
    if (copies) {
        varve__copies_delete(session, &request.copy);
        status = get(&request);
    } else {
        status = read_table(&request);
    }
    varve_record_free(record);
    return status;
}

/* A miss gives the right to fill, which nobody is to have for nothing: it is given back. */
enum varve_status
varve__read_through_touch(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key,
    int64_t ttl_ms)
{
    bool copies;
    void *record = NULL;
    struct request request;
    request.arena = NULL;
    request.record = &record;
    request.ttl_ms = ttl_ms;
    enum varve_status status = begin_request(session, space, key, &request, &copies);
    if (status != VARVE_OK || !copies)
        return status;
    status = ask_copies(&request);
    varve_record_free(record);
    if (ends_call(status))
        return status;
    if (status != VARVE_OK)
        varve__copies_log(session, "a hot copy has no new life");
    if (request.granted || request.damaged)
        varve__copies_delete(session, &request.copy);
    return VARVE_OK;
}

enum varve_status
varve__read_through_drop(
    struct varve_session *session, const struct varve__space *space, const void *key)
{
    bool copies;
    struct request request;
    enum varve_status status = begin_request(session, space, key, &request, &copies);
    if (status == VARVE_OK && copies)
        varve__copies_delete(session, &request.copy);
    return status;
}
