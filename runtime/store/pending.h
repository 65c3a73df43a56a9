/* Writes to the cache that wait for the commit of the session's transaction: sent after it in their order,
 * forgotten by a rollback, seen meanwhile by the session's own gets. */
#ifndef VARVE_STORE_PENDING_H
#define VARVE_STORE_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/status.h>

#include "cache/engine.h"

struct varve_session;

enum varve__pending_kind {
    VARVE__PENDING_PUT,
    VARVE__PENDING_TOUCH,
    VARVE__PENDING_DELETE,
};

struct varve__pending_write {
    enum varve__pending_kind kind;
    const struct varve__space *space;
    struct varve__cache_item item; /* with texts of its own, in the block */
    uint64_t hash;                 /* of the key */
    size_t depth;                  /* begins that it was made within */
    size_t before;                 /* the write of this key before it, as in `places` */
};

struct varve__pending {
    struct varve__pending_write **writes; /* a block each */
    size_t count, room;
    size_t *places; /* by the hash of a key, the last write of it + 1; 0: none. Twice the room */
};

/* Whether writes of this session wait now: it is in a transaction that writes. */
bool
varve__pending_begun(const struct varve_session *session);

/* Adds a write; key and value are copied. */
enum varve_status
varve__pending_add(
    struct varve_session *session,
    enum varve__pending_kind kind,
    const struct varve__space *space,
    const struct varve__cache_item *item);

enum varve__pending_answer {
    VARVE__PENDING_UNKNOWN, /* nothing waits for this key: ask the engine */
    VARVE__PENDING_VALUE,   /* *value is what the key is to hold */
    VARVE__PENDING_GONE,    /* it is to be deleted */
};

/* What the key will hold after the commit. */
enum varve__pending_answer
varve__pending_find(
    const struct varve_session *session,
    struct varve__cache_text key,
    struct varve__cache_text *value);

/* Forgets the writes made within this depth of begins or deeper; 0: all. */
void
varve__pending_forget(struct varve_session *session, size_t depth);

/* Makes the writes of deeper begins ones of this depth: a nested begin was committed. */
void
varve__pending_lift(struct varve_session *session, size_t depth);

/* After the commit: sends all. What the engine does not take is counted and logged. */
void
varve__pending_send(struct varve_session *session);

void
varve__pending_release(struct varve__pending *pending);

#endif
