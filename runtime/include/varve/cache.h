/* The cache: records for a limited time under a key made of their own fields, and hot copies of table
 * records. The generated functions (P_M_cache_put and so on) are typed one-line wrappers of these.
 *
 *     struct cortex_working_memory_pattern pattern = CORTEX_WORKING_MEMORY_PATTERN_INIT, *found;
 *     pattern.pattern_hash = "a7f3";
 *     status = cortex_working_memory_pattern_cache_put(session, &pattern);
 *     status = cortex_working_memory_pattern_cache_get(session, &pattern, &found);   by the key's fields
 *     cortex_working_memory_pattern_free(found);
 *
 * A message is in one of two modes. ONLY: the cache has the only copy, which may be lost with it.
 * READ_THROUGH: the table has the record, and the cache, where that is worth it, a hot copy without
 * tensors; a get gives what the table has, however it comes by it. See docs/tiers.md for what is guaranteed.
 *
 * Inside varve_begin() .. varve_commit() puts, touches and deletes wait for the commit and go out after it;
 * a rollback forgets them. The session's own gets see them, other sessions do not. That the server then
 * does not take them is no failure of the commit: it is logged, and counted in varve_health().
 *
 * Statuses of all: VARVE_NOT_FOUND (no such value, or it has expired), VARVE_INVALID (the record breaks a
 * rule, or its key is too long), VARVE_UNAVAILABLE (the server does not answer, or refuses; in READ_THROUGH
 * that is no failure), VARVE_FULL (the server has no room), VARVE_CORRUPT (what is stored is no such value),
 * VARVE_MISUSE. A put, touch or delete that is VARVE_UNAVAILABLE, VARVE_TIMEOUT or VARVE_INTERRUPTED may have
 * been done; since each says all of what is to be, doing it again does no harm.
 */
#ifndef VARVE_CACHE_H
#define VARVE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct varve_cursor;

enum {
    VARVE_KEY_SIZE =
        1025 /* of a buffer that holds any key, with its NUL; longer ones are refused */
};

struct varve_cache_options {
    /* How long the value lives from now on, in seconds. 0: as the message says, and what is only read
     * keeps the life it has. -1: until it is deleted or evicted. */
    int64_t ttl_seconds;
};

/* `options` may be NULL in all of these. `record` and `key` are structs of the message; of a key only
 * the fields are read that the key is made of. */

/* Stores the record under its key, in place of what is there. In READ_THROUGH: makes the hot copy that of
 * the record in the table, whatever else the struct holds; VARVE_NOT_FOUND when the table has none. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_cache_put(
    struct varve_session *session,
    const struct varve_record *table,
    const void *record,
    const struct varve_cache_options *options);

/* The same with an array of structs, many in one round trip. Each is stored whole or not at all, but
 * when the call fails some may be stored and others not; varve_session_failure() has the index of the one
 * that was to blame, if one was. A record that is refused for its content is found before any is sent. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_cache_put_many(
    struct varve_session *session,
    const struct varve_record *table,
    const void *records,
    int64_t count,
    const struct varve_cache_options *options);

/* *record is one block: release it with varve_record_free(). */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_cache_get(
    struct varve_session *session,
    const struct varve_record *table,
    const void *key,
    void **record,
    const struct varve_cache_options *options);

/* (*records)[i] is the one of keys[i], NULL where there is none. One block: release it with
 * varve_record_free_many(). */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_cache_get_many(
    struct varve_session *session,
    const struct varve_record *table,
    const void *keys,
    int64_t count,
    void ***records,
    const struct varve_cache_options *options);

/* Gives the value a new life, as a put would. In READ_THROUGH: the hot copy, if there is one; nothing in a
 * transaction, which sees no copies. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_cache_touch(
    struct varve_session *session,
    const struct varve_record *table,
    const void *key,
    const struct varve_cache_options *options);

/* Forgets the value: VARVE_NOT_FOUND when there is none. In READ_THROUGH as of touch.
 * The options say nothing here. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_cache_delete(
    struct varve_session *session,
    const struct varve_record *table,
    const void *key,
    const struct varve_cache_options *options);

/* Values whose index_by field is at least `since` (ns since 1970), the newest first, at most `limit`; 0: all.
 * For messages with index_by. Rows come from P_M_next(), which is varve_cursor_next(); each is borrowed until
 * the next. What others put or delete meanwhile may or may not be seen, and with Redis a value that is put
 * again meanwhile stands where it was; no row comes twice unless it was put
 * again with an earlier time. In READ_THROUGH these are the table's records. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_cache_recent(
    struct varve_session *session,
    const struct varve_record *table,
    int64_t since,
    int64_t limit,
    struct varve_cursor **cursor,
    const struct varve_cache_options *options);

/* ------------------------------------------------------------------ keys */

/* Writes the key of the record, NUL-terminated: the template with each field's value in its place.
 * Strings stand as they are, with : { } % and control bytes as %XX; numbers so that keys sort as they do
 * (docs/tiers.md). VARVE_INVALID: the buffer is too small, or the key is longer than VARVE_KEY_SIZE allows;
 * what is in the buffer is then "". Any thread. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_key(const struct varve_record *table, const void *record, char *buffer, size_t size);

/* The reverse: a new record with the key's fields set, released with varve_record_free(). Only what
 * varve_record_key() writes is a key; VARVE_INVALID says at which byte the text is none. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_record_key_parse(const struct varve_record *table, const char *text, void **record);

#ifdef __cplusplus
}
#endif

#endif
