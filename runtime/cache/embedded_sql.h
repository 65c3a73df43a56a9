/* The embedded engine's database in memory, and its statements. Everything here is called with the engine's
 * lock held. A statement that fails changed nothing. */
#ifndef VARVE_CACHE_EMBEDDED_SQL_H
#define VARVE_CACHE_EMBEDDED_SQL_H

#include <pthread.h>
#include <sqlite3.h>

#include "cache/embedded.h"
#include "cache/embedded_slots.h"

#define VARVE__EXPIRES_NEVER INT64_MAX

enum {
    /* What a value counts as besides its key and its bytes: its slot, its row, its index entries. Measured with
     * 100,000 values of 200 bytes that have a life: 107; 172 with a place in an order by time too. */
    VARVE__EMBEDDED_ROW_SIZE = 128
};

enum varve__embedded_statement {
    VARVE__EMBEDDED_READ,
    VARVE__EMBEDDED_WRITE,
    VARVE__EMBEDDED_SET_EXPIRY,
    VARVE__EMBEDDED_DELETE,
    VARVE__EMBEDDED_FIRST_TO_EXPIRE,
    VARVE__EMBEDDED_RECENT,
    VARVE__EMBEDDED_WALK,
    VARVE__EMBEDDED_STATEMENT_COUNT,
};

struct varve__embedded {
    struct varve__cache cache;
    pthread_mutex_t lock; /* held for one value's work at a time; of all that follows */
    sqlite3 *database;
    sqlite3_stmt *statements[VARVE__EMBEDDED_STATEMENT_COUNT];
    struct varve__slots slots;
    uint64_t seed; /* of the keys' hashes */
    int64_t max_bytes;
    int64_t next_expiry; /* ns; nothing expires before. VARVE__EXPIRES_NEVER: nothing does */
    int64_t evictions;
    int64_t expired;
    int64_t (*clock)(void *context);
    void *clock_context;
};

/* What a row has; texts are borrowed from its statement until that is reset. */
struct varve__embedded_row {
    uint32_t slot; /* 0: there is no such row */
    struct varve__cache_text key;
    struct varve__cache_text value; /* once it is asked for */
    int64_t time;                   /* of rows that come in an order */
    int64_t expires;                /* ns; VARVE__EXPIRES_NEVER */
};

/* Bytes that the item counts as. */
static inline int64_t
varve__embedded_size(const struct varve__cache_item *item)
{
    return (int64_t)(item->key.size + item->value.size) + VARVE__EMBEDDED_ROW_SIZE;
}

/* Opens database and statements. When it fails, varve__embedded_sql_close() is due too. */
enum varve_status
varve__embedded_sql_open(struct varve__embedded *embedded);

void
varve__embedded_sql_close(struct varve__embedded *embedded);

/* Finds the row of a key, expired or not. The row is borrowed until varve__embedded_reset() of _READ, which
 * is due in any case. */
enum varve_status
varve__embedded_find(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    struct varve__cache_text key,
    struct varve__embedded_row *row);

/* Reads the value of the row that a statement stands on. */
enum varve_status
varve__embedded_read_value(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    enum varve__embedded_statement from,
    struct varve__embedded_row *row);

static inline void
varve__embedded_reset(struct varve__embedded *embedded, enum varve__embedded_statement statement)
{
    sqlite3_reset(embedded->statements[statement]);
}

/* Writes the item's row: that of `slot`, or a new one when that is 0. */
enum varve_status
varve__embedded_write(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    const struct varve__cache_item *item,
    uint32_t slot,
    int64_t expires);

enum varve_status
varve__embedded_set_expiry(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    uint32_t slot,
    int64_t expires);

/* Deletes the row with its slot. */
enum varve_status
varve__embedded_delete(
    struct varve__embedded *embedded, const struct varve__space *space, uint32_t slot);

/* Deletes the row that expired first, if one has, and counts it. */
enum varve_status
varve__embedded_delete_expired(
    struct varve__embedded *embedded, const struct varve__space *space, int64_t now, bool *deleted);

/* The first row of the space's order that comes behind `place`: of its time with a smaller key, or of an
 * earlier time, of `since` at the earliest. place->slot 0: the first of all. Reset _RECENT after. */
enum varve_status
varve__embedded_read_recent(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    int64_t since,
    const struct varve__embedded_row *place,
    struct varve__embedded_row *row);

/* Rows by slot, from the one behind `slot` on: the first call after a reset of _WALK begins. */
enum varve_status
varve__embedded_walk(
    struct varve__embedded *embedded, uint32_t slot, struct varve__embedded_row *row);

#endif
