/* What the files of the cache's calls share. */
#ifndef VARVE_STORE_CACHE_H
#define VARVE_STORE_CACHE_H

#include <varve/cache.h>

#include "store/call.h"

/* A key of the engine, with its memory. */
struct varve__cache_key {
    char text[VARVE__CACHE_KEY_MAX];
    size_t size;
};

static inline struct varve__cache_text
varve__cache_key_text(const struct varve__cache_key *key)
{
    return (struct varve__cache_text){key->text, key->size};
}

/* The key of a record in ONLY: the space's prefix and the record's key. */
enum varve_status
varve__cache_key_of(
    const struct varve__space *space, const void *record, struct varve__cache_key *key);

/* Begins a call about cached records of this table. When it fails the call is over. */
enum varve_status
varve__cache_enter(
    struct varve_session *session,
    const struct varve_record *table,
    const struct varve__space **space);

/* Ends it, as varve__call_end(). Returns status. */
enum varve_status
varve__cache_leave(const struct varve__call *call, int64_t rows, enum varve_status status);

/* The life that the options of a write ask for; of what is only read VARVE__TTL_KEEP is the default.
 * VARVE_MISUSE: it is none. */
enum varve_status
varve__cache_ttl(
    const struct varve__space *space, const struct varve_cache_options *options, int64_t *ttl_ms);
enum varve_status
varve__cache_ttl_of_get(
    const struct varve__space *space, const struct varve_cache_options *options, int64_t *ttl_ms);

/* The session's arena, empty; NULL: no memory, which is recorded. */
struct varve__arena *
varve__cache_arena(struct varve_session *session);

/* Checks the record; *size is what it takes packed. */
enum varve_status
varve__cache_measure(
    struct varve_session *session,
    const struct varve__space *space,
    const void *record,
    size_t *size);

/* Packs and compresses a record that was found to take `size` bytes into `out`, which has room for
 * varve__cache_value_bound(size). *value lies there. */
enum varve_status
varve__cache_value_write(
    struct varve_session *session,
    const struct varve__space *space,
    const void *record,
    size_t size,
    uint8_t *out,
    struct varve__cache_text *value);

/* Builds the record of a value in `arena`, or in a new one that begins with the record where that is NULL.
 * VARVE_CORRUPT: the value is none of this message, or has another key than that of `key`, a record;
 * with NULL that is not looked at. */
enum varve_status
varve__cache_record_of(
    struct varve_session *session,
    const struct varve__space *space,
    struct varve__cache_text value,
    const void *key,
    struct varve__arena *arena,
    void **record);

/* The same for bytes that are decompressed already. */
enum varve_status
varve__cache_record_build(
    const struct varve__space *space,
    const uint8_t *bytes,
    size_t size,
    struct varve__arena *arena,
    void **record);

/* VARVE_NOT_FOUND, with the key. */
enum varve_status
varve__cache_missed(const struct varve__space *space, struct varve__cache_text key);

/* VARVE_MISUSE, with this text. */
enum varve_status
varve__cache_misuse(const struct varve_record *table, const char *text);

/* An array that a caller passes with its count. */
enum varve_status
varve__cache_check_array(const struct varve_record *table, const void *array, int64_t count);

static inline bool
varve__cache_reads_through(const struct varve__space *space)
{
    return space->record->cache->mode == VARVE_CACHE_READ_THROUGH;
}

/* A struct of an array of records. */
static inline const void *
varve__cache_element(const struct varve__space *space, const void *records, size_t i)
{
    return (const char *)records + i * space->record->descriptor->sizeof_message;
}

#endif
