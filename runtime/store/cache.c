/* Records in the cache: the calls of varve/cache.h, but for the gets and recent. What is in READ_THROUGH goes on to
 * read_through.c. */
#include "store/cache.h"

#include <string.h>

#include <varve/record.h>

#include "base/memory.h"
#include "codec/check.h"
#include "store/read_through.h"

/* -------------------------------------------------------------------- entering and leaving */

enum varve_status
varve__cache_misuse(const struct varve_record *table, const char *text)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, table ? table->descriptor->name : NULL,
        "%s", text);
}

static enum varve_status
refuse_table(const struct varve_record *table)
{
    if (!table)
        return varve__cache_misuse(NULL, "the table is NULL; pass a generated one, P_M_record");
    const char *name = table->descriptor->name;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, name,
        table->cache
            ? "%s is not cached by this store; open it with the schema that has the message"
            : "%s is not cached; give the message option (varve.cache)",
        name);
}

enum varve_status
varve__cache_enter(
    struct varve_session *session,
    const struct varve_record *table,
    const struct varve__space **space)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    *space = varve__space_of(session->store->spaces, table);
    if (*space)
        return VARVE_OK;
    return varve__session_leave(session, refuse_table(table));
}

enum varve_status
varve__cache_leave(const struct varve__call *call, int64_t rows, enum varve_status status)
{
    if (status != VARVE_OK && status != VARVE_ROW && status != VARVE_DONE)
        varve__failure_set_tier(VARVE_TIER_CACHE);
    return varve__call_end(call, rows, status);
}

enum varve_status
varve__cache_check_array(const struct varve_record *table, const void *array, int64_t count)
{
    if (count < 0)
        return varve__cache_misuse(table, "the count is negative");
    if (!array && count > 0)
        return varve__cache_misuse(table, "the array is NULL and its count is not 0");
    return VARVE_OK;
}

/* -------------------------------------------------------------------- put */

static int64_t
time_of(const struct varve__space *space, const void *record)
{
    const ProtobufCFieldDescriptor *field = space->record->cache->index_by;
    int64_t time = 0;
    if (field)
        memcpy(&time, (const char *)record + field->offset, sizeof time);
    return time;
}

/* Records on their way to the engine: checked and with their keys, but packed as it asks for them. */
struct putting {
    struct varve_session *session;
    const struct varve__space *space;
    const void *records;
    size_t count;
    int64_t ttl_ms;
    struct varve__cache_item *items; /* these are in the session's arena */
    size_t *sizes;                   /* of the packed records */
    uint8_t *value;                  /* room for the largest */
};

static enum varve_status
make_value(void *context, size_t i, struct varve__cache_text *value)
{
    const struct putting *putting = context;
    return varve__cache_value_write(
        putting->session, putting->space, varve__cache_element(putting->space, putting->records, i),
        putting->sizes[i], putting->value, value);
}

/* All that an item has before its value is made. */
static enum varve_status
prepare_item(struct putting *putting, size_t i)
{
    struct varve__cache_key key;
    const struct varve__space *space = putting->space;
    const void *record = varve__cache_element(space, putting->records, i);
    enum varve_status status = varve__record_check_message(space->record, record);
    if (status == VARVE_OK)
        status = varve__cache_key_of(space, record, &key);
    if (status == VARVE_OK)
        status = varve__cache_measure(putting->session, space, record, &putting->sizes[i]);
    if (status != VARVE_OK)
        return status;
    char *text = varve__arena_allocate(putting->session->cache.arena, key.size);
    if (!text)
        return varve__fail_memory(space->record->descriptor->name, key.size);
    memcpy(text, key.text, key.size);
    putting->items[i] = (struct varve__cache_item){
        .key = {text, key.size}, .ttl_ms = putting->ttl_ms, .time = time_of(space, record)};
    return VARVE_OK;
}

/* Sends the items, or keeps them for the commit. */
static enum varve_status
send_items(struct putting *putting)
{
    size_t done = 0;
    struct varve_session *session = putting->session;
    struct varve__cache *cache = session->store->cache;
    enum varve_status status = VARVE_OK;
    if (!varve__pending_begun(session)) {
        status = cache->engine->put(
            cache, &session->connection->watch, putting->space, putting->items, putting->count,
            make_value, putting, &done);
        if (status == VARVE_FULL && putting->count > 1)
            varve__failure_set_index((int64_t)done);
        return status;
    }
    for (size_t i = 0; i < putting->count && status == VARVE_OK; i++) {
        status = make_value(putting, i, &putting->items[i].value);
        if (status == VARVE_OK)
            status =
                varve__pending_add(session, VARVE__PENDING_PUT, putting->space, &putting->items[i]);
    }
    return status;
}

/* Room for all items, and for the largest value. */
static enum varve_status
make_room(struct putting *putting, size_t most)
{
    size_t room = varve__cache_value_bound(most);
    putting->value = varve__arena_allocate(putting->session->cache.arena, room);
    if (!putting->value)
        return varve__fail_memory(putting->space->record->descriptor->name, room);
    return VARVE_OK;
}

static enum varve_status
begin_putting(struct putting *putting)
{
    size_t each = sizeof *putting->items + sizeof *putting->sizes, size = SIZE_MAX;
    struct varve__arena *arena = varve__cache_arena(putting->session);
    if (!arena)
        return VARVE_NO_MEMORY; /* recorded */
    if (varve__size_multiply(putting->count, each, &size))
        putting->items = varve__arena_allocate(arena, size);
    if (!putting->items)
        return varve__fail_memory(putting->space->record->descriptor->name, size);
    putting->sizes = (size_t *)(putting->items + putting->count);
    return VARVE_OK;
}

/* Puts an array of records; one of them fails all before any is sent. */
static enum varve_status
put_records(
    struct varve_session *session,
    const struct varve__space *space,
    const void *records,
    size_t count,
    int64_t ttl_ms)
{
    struct putting putting = {
        .session = session, .space = space, .records = records, .count = count, .ttl_ms = ttl_ms};
    enum varve_status status = begin_putting(&putting);
    size_t most = 0;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        status = prepare_item(&putting, i);
        if (status == VARVE_OK && putting.sizes[i] > most)
            most = putting.sizes[i];
        else if (status != VARVE_OK && count > 1)
            varve__failure_set_index((int64_t)i);
    }
    if (status == VARVE_OK)
        status = make_room(&putting, most);
    return status == VARVE_OK ? send_items(&putting) : status;
}

enum varve_status
varve_cache_put(
    struct varve_session *session,
    const struct varve_record *table,
    const void *record,
    const struct varve_cache_options *options)
{
    int64_t ttl_ms;
    const struct varve__space *space;
    enum varve_status status = varve__cache_enter(session, table, &space);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_CACHE_PUT, table);
    status = varve__cache_ttl(space, options, &ttl_ms);
    if (status == VARVE_OK && varve__cache_reads_through(space))
        status = varve__read_through_put(session, space, record, ttl_ms);
    else if (status == VARVE_OK)
        status = put_records(session, space, record, 1, ttl_ms);
    return varve__cache_leave(&call, 1, status);
}

static enum varve_status
copy_many(
    struct varve_session *session,
    const struct varve__space *space,
    const void *records,
    size_t count,
    int64_t ttl_ms)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        status = varve__read_through_put(
            session, space, varve__cache_element(space, records, i), ttl_ms);
        if (status != VARVE_OK)
            varve__failure_set_index((int64_t)i);
    }
    return status;
}

enum varve_status
varve_cache_put_many(
    struct varve_session *session,
    const struct varve_record *table,
    const void *records,
    int64_t count,
    const struct varve_cache_options *options)
{
    int64_t ttl_ms;
    const struct varve__space *space;
    enum varve_status status = varve__cache_enter(session, table, &space);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_CACHE_PUT_MANY, table);
    status = varve__cache_check_array(table, records, count);
    if (status == VARVE_OK)
        status = varve__cache_ttl(space, options, &ttl_ms);
    if (status == VARVE_OK && varve__cache_reads_through(space))
        status = copy_many(session, space, records, (size_t)count, ttl_ms);
    else if (status == VARVE_OK && count > 0)
        status = put_records(session, space, records, (size_t)count, ttl_ms);
    return varve__cache_leave(&call, count, status);
}

/* -------------------------------------------------------------------- touch, delete */

/* Takes nothing: that it was called says that the value is there. */
static enum varve_status
note_found(void *context, size_t i, struct varve__cache_text value)
{
    (void)i, (void)value;
    *(bool *)context = true;
    return VARVE_OK;
}

/* Whether the key holds a value, as this session sees it: what waits for its commit counts. */
static enum varve_status
look(
    struct varve_session *session,
    const struct varve__space *space,
    struct varve__cache_text key,
    bool *found)
{
    struct varve__cache_text value;
    struct varve__cache *cache = session->store->cache;
    enum varve__pending_answer answer = varve__pending_find(session, key, &value);
    *found = answer == VARVE__PENDING_VALUE;
    if (answer != VARVE__PENDING_UNKNOWN)
        return VARVE_OK;
    return cache->engine->get(
        cache, &session->connection->watch, space, &key, 1, VARVE__TTL_KEEP, note_found, found);
}

static enum varve_status
touch_or_delete(
    struct varve_session *session,
    const struct varve__space *space,
    enum varve__pending_kind kind,
    const void *key_record,
    int64_t ttl_ms)
{
    bool found = false;
    struct varve__cache_key key;
    struct varve__cache *cache = session->store->cache;
    struct varve__watch *watch = &session->connection->watch;
    enum varve_status status = varve__record_check_message(space->record, key_record);
    if (status == VARVE_OK)
        status = varve__cache_key_of(space, key_record, &key);
    if (status != VARVE_OK)
        return status;
    struct varve__cache_text text = varve__cache_key_text(&key);
    struct varve__cache_item item = {.key = text, .value = {"", 0}, .ttl_ms = ttl_ms};
    if (varve__pending_begun(session)) {
        status = look(session, space, text, &found);
        if (status == VARVE_OK && found)
            status = varve__pending_add(session, kind, space, &item);
    } else if (kind == VARVE__PENDING_TOUCH) {
        status = cache->engine->touch(cache, watch, space, text, ttl_ms, &found);
    } else {
        status = cache->engine->remove(cache, watch, space, text, &found);
    }
    return status == VARVE_OK && !found ? varve__cache_missed(space, text) : status;
}

enum varve_status
varve_cache_touch(
    struct varve_session *session,
    const struct varve_record *table,
    const void *key,
    const struct varve_cache_options *options)
{
    int64_t ttl_ms;
    const struct varve__space *space;
    enum varve_status status = varve__cache_enter(session, table, &space);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_CACHE_TOUCH, table);
    status = varve__cache_ttl(space, options, &ttl_ms);
    if (status == VARVE_OK && varve__cache_reads_through(space))
        status = varve__read_through_touch(session, space, key, ttl_ms);
    else if (status == VARVE_OK)
        status = touch_or_delete(session, space, VARVE__PENDING_TOUCH, key, ttl_ms);
    return varve__cache_leave(&call, 1, status);
}

enum varve_status
varve_cache_delete(
    struct varve_session *session,
    const struct varve_record *table,
    const void *key,
    const struct varve_cache_options *options)
{
    (void)options;
    const struct varve__space *space;
    enum varve_status status = varve__cache_enter(session, table, &space);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_CACHE_DELETE, table);
    if (varve__cache_reads_through(space))
        status = varve__read_through_drop(session, space, key);
    else
        status = touch_or_delete(session, space, VARVE__PENDING_DELETE, key, VARVE__TTL_NONE);
    return varve__cache_leave(&call, 1, status);
}
