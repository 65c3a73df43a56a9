/* READ_THROUGH: gets of table records that may be answered by a hot copy, and what keeps copies true. With an
 * engine that has no copies all of it is a read of the table. Records carry no tensors: like a find's rows
 * they are "not loaded". */
#ifndef VARVE_STORE_READ_THROUGH_H
#define VARVE_STORE_READ_THROUGH_H

#include "store/handles.h"

/* The record whose key's fields are those of `key`, a record: one block. VARVE_NOT_FOUND: the table has
 * none. What the cache's server does is no failure. */
enum varve_status
varve__read_through_get(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key,
    int64_t ttl_ms,
    void **record);

/* The same for an array of keys: fills records[], which are NULL, in the arena. */
enum varve_status
varve__read_through_get_many(
    struct varve_session *session,
    const struct varve__space *space,
    const void *keys,
    size_t count,
    int64_t ttl_ms,
    struct varve__arena *arena,
    void **records);

/* Makes the copy that of the record in the table. VARVE_NOT_FOUND: the table has none. */
enum varve_status
varve__read_through_put(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key,
    int64_t ttl_ms);

/* Gives the copy a new life, if there is one. */
enum varve_status
varve__read_through_touch(
    struct varve_session *session,
    const struct varve__space *space,
    const void *key,
    int64_t ttl_ms);

/* Deletes the copy, if there is one. */
enum varve_status
varve__read_through_drop(
    struct varve_session *session, const struct varve__space *space, const void *key);

/* After a call that may have committed: deletes the copies that it made stale. Failures are logged and
 * counted; the rows then wait. Nothing is done inside a transaction. */
void
varve__read_through_send(struct varve_session *session);

/* Deletes copies that wait to be, left by other programs or by a server that did not answer; at most so many.
 * *sent counts them, and may be NULL. */
enum varve_status
varve__read_through_drain(struct varve_session *session, size_t most, int64_t *sent);

#endif
