/* Getting records from the cache: one, and many at once. */
#include <string.h>

#include <varve/record.h>

#include "base/memory.h"
#include "codec/check.h"
#include "store/cache.h"
#include "store/read_through.h"

/* Where the records of a get go. */
struct taking {
    struct varve_session *session;
    const struct varve__space *space;
    const void *keys;           /* records */
    const size_t *asked;        /* which of them the engine was asked for; NULL: all */
    struct varve__arena *arena; /* NULL: a block of its own for the one */
    void **records;
    enum varve_status failed; /* for what the value was to blame, not the engine */
};

static enum varve_status
take(void *context, size_t i, struct varve__cache_text value)
{
    struct taking *taking = context;
    size_t at = taking->asked ? taking->asked[i] : i;
    if (!taking->arena && taking->records[at])
        varve_record_free(taking->records[at]); /* of a try that was made again */
    taking->records[at] = NULL;
    enum varve_status status = varve__cache_record_of(
        taking->session, taking->space, value,
        varve__cache_element(taking->space, taking->keys, at), taking->arena, &taking->records[at]);
    if (status != VARVE_OK)
        varve__failure_set_index(taking->arena ? (int64_t)at : -1);
    return status;
}

/* What waits for the commit goes before what the engine has. True: the key is answered. */
static bool
take_pending(
    struct taking *taking, size_t i, struct varve__cache_text key, enum varve_status *status)
{
    struct varve__cache_text value;
    enum varve__pending_answer answer = varve__pending_find(taking->session, key, &value);
    if (answer == VARVE__PENDING_VALUE)
        *status = take(taking, i, value);
    return answer != VARVE__PENDING_UNKNOWN;
}

static enum varve_status
get_one(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key_record,
    int64_t ttl_ms,
    void **record)
{
    struct varve__cache_key key;
    struct varve__cache *cache = session->store->cache;
    struct taking taking = {
        .session = session, .space = space, .keys = key_record, .records = record};
    enum varve_status status = varve__record_check_message(space->record, key_record);
    if (status == VARVE_OK)
        status = varve__cache_key_of(space, key_record, &key);
    if (status != VARVE_OK)
        return status;
    struct varve__cache_text text = varve__cache_key_text(&key);
    if (!take_pending(&taking, 0, text, &status))
        status = cache->engine->get(
            cache, &session->connection->watch, space, &text, 1, ttl_ms, take, &taking);
    if (status != VARVE_OK) {
        varve_record_free(*record);
        *record = NULL;
        return status;
    }
    varve__count(*record ? &session->meter.cache_hits : &session->meter.cache_misses, 1);
    return *record ? VARVE_OK : varve__cache_missed(space, text);
}

/* For a call whose result has no place to go. */
static enum varve_status
refuse_result(struct varve_session *session, const struct varve_record *table)
{
    const struct varve__space *space;
    enum varve_status status = varve__cache_enter(session, table, &space);
    if (status != VARVE_OK)
        return status;
    return varve__session_leave(
        session, varve__cache_misuse(
                     table, "the result is NULL; pass the address of a variable that takes it"));
}

enum varve_status
varve_cache_get(
    struct varve_session *session,
    const struct varve_record *table,
    const void *key,
    void **record,
    const struct varve_cache_options *options)
{
    int64_t ttl_ms;
    const struct varve__space *space;
    if (!record)
        return refuse_result(session, table);
    *record = NULL;
    enum varve_status status = varve__cache_enter(session, table, &space);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_CACHE_GET, table);
    status = varve__cache_ttl_of_get(space, options, &ttl_ms);
    if (status == VARVE_OK && varve__cache_reads_through(space))
        status = varve__read_through_get(session, space, key, ttl_ms, record);
    else if (status == VARVE_OK)
        status = get_one(session, space, key, ttl_ms, record);
    return varve__cache_leave(&call, 1, status);
}

/* Keys of a get_many in the session's arena: those that the engine is to be asked for, and where they stand
 * in the caller's array. */
struct asking {
    struct varve__cache_text *keys;
    size_t *at;
    size_t count;
};

static enum varve_status
add_key(
    struct varve_session *session,
    struct asking *asking,
    const struct varve__cache_key *key,
    size_t i)
{
    char *text = varve__arena_allocate(session->cache.arena, key->size);
    if (!text)
        return varve__fail_memory(NULL, key->size);
    memcpy(text, key->text, key->size);
    asking->keys[asking->count] = (struct varve__cache_text){text, key->size};
    asking->at[asking->count++] = i;
    return VARVE_OK;
}

static enum varve_status
collect_keys(struct taking *taking, size_t count, struct asking *asking)
{
    struct varve__cache_key key;
    for (size_t i = 0; i < count; i++) {
        const void *record = varve__cache_element(taking->space, taking->keys, i);
        enum varve_status status = varve__record_check_message(taking->space->record, record);
        if (status == VARVE_OK)
            status = varve__cache_key_of(taking->space, record, &key);
        if (status == VARVE_OK && !take_pending(taking, i, varve__cache_key_text(&key), &status))
            status = add_key(taking->session, asking, &key, i);
        if (status == VARVE_OK)
            continue;
        varve__failure_set_index((int64_t)i);
        return status;
    }
    return VARVE_OK;
}

static void
count_found(struct varve_session *session, void *const *records, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += records[i] != NULL;
    varve__count(&session->meter.cache_hits, (int64_t)found);
    varve__count(&session->meter.cache_misses, (int64_t)(count - found));
}

/* Room for the keys of `count` records. */
static enum varve_status
make_asking(struct varve_session *session, size_t count, struct asking *asking)
{
    struct varve__arena *arena = varve__cache_arena(session);
    *asking = (struct asking){0};
    if (!arena)
        return VARVE_NO_MEMORY; /* recorded */
    asking->keys = varve__arena_allocate(arena, count * sizeof *asking->keys);
    asking->at = varve__arena_allocate(arena, count * sizeof *asking->at);
    if (!asking->keys || !asking->at)
        return varve__fail_memory(NULL, count * (sizeof *asking->keys + sizeof *asking->at));
    return VARVE_OK;
}

/* Fills records[], which are NULL, in `arena`. */
static enum varve_status
get_into(
    struct varve_session *session,
    const struct varve__space *space,
    const void *keys,
    size_t count,
    int64_t ttl_ms,
    struct varve__arena *arena,
    void **records)
{
    struct asking asking;
    struct varve__cache *cache = session->store->cache;
    struct taking taking = {
        .session = session, .space = space, .keys = keys, .arena = arena, .records = records};
    enum varve_status status = make_asking(session, count, &asking);
    if (status == VARVE_OK)
        status = collect_keys(&taking, count, &asking);
    if (status != VARVE_OK)
        return status;
    taking.asked = asking.at;
    if (asking.count > 0)
        status = cache->engine->get(
            cache, &session->connection->watch, space, asking.keys, asking.count, ttl_ms, take,
            &taking);
    if (status == VARVE_OK)
        count_found(session, records, count);
    return status;
}

static enum varve_status
get_many(
    struct varve_session *session,
    const struct varve__space *space,
    const void *keys,
    size_t count,
    int64_t ttl_ms,
    void ***result)
{
    size_t size;
    size_t each = sizeof(void *) + space->record->descriptor->sizeof_message;
    if (!varve__size_multiply(count + 1, each, &size))
        return varve__fail_memory(space->record->descriptor->name, SIZE_MAX);
    struct varve__arena *arena = varve__arena_create(size);
    void **records = arena ? varve__arena_allocate(arena, (count + 1) * sizeof *records) : NULL;
    if (!records)
        return varve__fail_memory(space->record->descriptor->name, size);
    memset(records, 0, (count + 1) * sizeof *records);
    enum varve_status status = VARVE_OK;
    if (varve__cache_reads_through(space))
        status = varve__read_through_get_many(session, space, keys, count, ttl_ms, arena, records);
    else if (count > 0)
        status = get_into(session, space, keys, count, ttl_ms, arena, records);
    if (status == VARVE_OK)
        *result = records;
    else
        varve__arena_release(arena);
    return status;
}

enum varve_status
varve_cache_get_many(
    struct varve_session *session,
    const struct varve_record *table,
    const void *keys,
    int64_t count,
    void ***records,
    const struct varve_cache_options *options)
{
    int64_t ttl_ms;
    const struct varve__space *space;
    if (!records)
        return refuse_result(session, table);
    *records = NULL;
    enum varve_status status = varve__cache_enter(session, table, &space);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_CACHE_GET_MANY, table);
    status = varve__cache_check_array(table, keys, count);
    if (status == VARVE_OK)
        status = varve__cache_ttl_of_get(space, options, &ttl_ms);
    if (status == VARVE_OK)
        status = get_many(session, space, keys, (size_t)count, ttl_ms, records);
    return varve__cache_leave(&call, VARVE__CALL_NO_ROWS, status);
}
