/* Deleting hot copies, for read_through.c and for who looks after them: the keys of copies, sending, draining. */
#ifndef VARVE_STORE_COPY_H
#define VARVE_STORE_COPY_H

#include "store/cache.h"

/* Whether the connection reads a snapshot that began before this call. */
bool
varve__copies_has_snapshot(const struct varve_session *session);

/* The copy's key: prefix, scope, colon, the record's key. `text` is prefix and key, `prefix` the bytes of the
 * former. */
void
varve__copies_name(
    const char *text, size_t prefix, size_t size, const char *scope, struct varve__cache_key *copy);

/* Deletes one copy, and ends the right to fill it. A failure is logged. */
void
varve__copies_delete(struct varve_session *session, const struct varve__cache_key *copy);

/* Drains some rows, unless another session of the store does so already. A failure is logged. */
void
varve__copies_drain_some(struct varve_session *session);

/* Logs the thread's failure behind what has become of it. */
void
varve__copies_log(const struct varve_session *session, const char *what);

#endif
