/* Keys of the cache for programs: from a record to its key, and from a key to a record. */
#include <string.h>

#include <varve/cache.h>
#include <varve/record.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/cache_key.h"
#include "codec/check.h"

static enum varve_status
fail_argument(const char *record, const char *what)
{
    return varve__fail(VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, record, "%s", what);
}

static enum varve_status
check_table(const struct varve_record *table)
{
    if (!table)
        return fail_argument(NULL, "the record's table is NULL; pass that of the message");
    if (table->cache)
        return VARVE_OK;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, table->descriptor->name,
        "%s is not cached, so it has no key; add (varve.cache) to the message",
        table->descriptor->name);
}

static enum varve_status
fail_room(const struct varve_record *table, size_t needed, size_t size)
{
    const char *name = table->descriptor->name;
    return varve__fail(
        VARVE_INVALID, VARVE_FAILURE_SIZE, VARVE_TIER_NONE, name,
        "the key of this %s needs a buffer of %zu bytes, and this one has %zu; VARVE_KEY_SIZE is "
        "enough for any",
        name, needed, size);
}

enum varve_status
varve_record_key(const struct varve_record *table, const void *record, char *buffer, size_t size)
{
    char key[VARVE__KEY_MAX_SIZE];
    size_t key_size;
    if (buffer && size > 0)
        buffer[0] = '\0';
    enum varve_status status = check_table(table);
    if (status == VARVE_OK)
        status = varve__record_check_message(table, record);
    if (status == VARVE_OK && !buffer)
        status = fail_argument(table->descriptor->name, "the buffer for the key is NULL; pass one");
    if (status == VARVE_OK)
        status = varve__cache_key_encode(table, record, key, &key_size);
    if (status != VARVE_OK)
        return status;
    if (key_size >= size)
        return fail_room(table, key_size + 1, size);
    memcpy(buffer, key, key_size);
    buffer[key_size] = '\0';
    return VARVE_OK;
}

/* A record in an arena of its own that has room for strings of `size` bytes behind it; NULL: no memory. */
static void *
create_record(const struct varve_record *table, size_t size, char **strings)
{
    size_t struct_size = varve__arena_round(table->descriptor->sizeof_message);
    struct varve__arena *arena = varve__arena_create(struct_size + size);
    if (!arena) {
        varve__fail_memory(table->descriptor->name, struct_size + size);
        return NULL;
    }
    void *record = varve__arena_allocate(arena, struct_size);
    *strings = varve__arena_allocate(arena, size);
    varve_record_init(table, record);
    return record;
}

static enum varve_status
fail_parse(const struct varve_record *table, size_t where)
{
    const char *name = table->descriptor->name;
    return varve__fail(
        VARVE_INVALID, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, name,
        "this text is no key of %s, \"%s\" (byte %zu); pass what varve_record_key() has written",
        name, table->cache->key, where);
}

enum varve_status
varve_record_key_parse(const struct varve_record *table, const char *text, void **record)
{
    char *strings;
    size_t where;
    if (!record)
        return fail_argument(
            NULL, "the place for the record is NULL; pass the address of a pointer");
    *record = NULL;
    enum varve_status status = check_table(table);
    if (status == VARVE_OK && !text)
        status = fail_argument(table->descriptor->name, "the key is NULL; pass its text");
    if (status != VARVE_OK)
        return status;
    size_t size = strnlen(text, VARVE__KEY_MAX_SIZE + 1);
    void *parsed = create_record(table, size + table->cache->part_count, &strings);
    if (!parsed)
        return VARVE_NO_MEMORY;
    if (!varve__cache_key_decode(table, text, size, parsed, strings, &where)) {
        varve_record_free(parsed);
        return fail_parse(table, where);
    }
    *record = parsed;
    return VARVE_OK;
}
