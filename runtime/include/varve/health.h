/* How a store is doing, and looking after it.
 *
 *     struct varve_health_report health;
 *     if (varve_health(store, &health) == VARVE_OK) {
 *         printf("%s cache: %.0f%% hits\n", health.cache.engine, 100.0 * varve_cache_hit_rate(&health.cache));
 *         varve_health_free(&health);
 *     }
 *
 * Any thread. Counters are of this store handle, from its opening on; what a Redis server counts is said to
 * be the server's.
 */
#ifndef VARVE_HEALTH_H
#define VARVE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/status.h>
#include <varve/store.h>

#ifdef __cplusplus
extern "C" {
#endif

enum varve_operation {
    VARVE_OPERATION_CACHE_PUT,
    VARVE_OPERATION_CACHE_PUT_MANY,
    VARVE_OPERATION_CACHE_GET,
    VARVE_OPERATION_CACHE_GET_MANY,
    VARVE_OPERATION_CACHE_TOUCH,
    VARVE_OPERATION_CACHE_DELETE,
    VARVE_OPERATION_CACHE_RECENT, /* the next rows of a cursor, fetched together */
    VARVE_OPERATION_CACHE_FILL,   /* a hot copy made or found made, with the read of the table */
    VARVE_OPERATION_CACHE_INVALIDATE, /* hot copies deleted after a commit */

    VARVE_OPERATION_RECORD_INSERT,
    VARVE_OPERATION_RECORD_INSERT_MANY,
    VARVE_OPERATION_RECORD_GET, /* get and get_by: one call in 16 is timed */
    VARVE_OPERATION_RECORD_GET_MANY,
    VARVE_OPERATION_RECORD_UPDATE, /* update and update_fields */
    VARVE_OPERATION_RECORD_UPSERT,
    VARVE_OPERATION_RECORD_DELETE, /* delete and delete_where */
    /* find_one; find, whose time is that of the call and of the first row's, or of its close: what rows
     * behind the first take is up to who asks for them. */
    VARVE_OPERATION_RECORD_FIND,
    VARVE_OPERATION_RECORD_COUNT,
    VARVE_OPERATION_TENSOR_READ,
    VARVE_OPERATION_TENSOR_WRITE, /* in pieces: the time in its calls, from begin to finish or cancel */
    VARVE_OPERATION_BEGIN, /* varve_begin(), with its wait for the writer's place; not begin_read, which waits for nobody */
    VARVE_OPERATION_COMMIT,  /* of what varve_begin() began */
    VARVE_OPERATION_FLUSH,   /* varve_flush() */
    VARVE_OPERATION_COMPACT, /* the archive's part of varve_maintain(), with retention and flush */
    VARVE_OPERATION_BACKUP,
    VARVE_OPERATION_QUERY, /* a typed query */
    VARVE_OPERATION_COUNT,
};

enum {
    VARVE_LATENCY_BUCKETS = 40
};

/* How many calls there were, and how long they took. All are counted but those that were refused before they
 * began (no session, or one that another thread is in). `timed` of them are in total_ns, longest_ns and the
 * buckets: one in 16 of RECORD_GET, all of the others, and with config.slow_call_us all. A find is timed when it
 * has its first row. The mean is total_ns / timed. Bucket i has those of less than 2^i nanoseconds that bucket
 * i - 1 has not; the last one all that took longer. */
struct varve_latency {
    int64_t count;
    int64_t total_ns;
    int64_t longest_ns;
    int64_t buckets[VARVE_LATENCY_BUCKETS]; /* their sum is `timed` */
    int64_t failures;                       /* of `count`; VARVE_NOT_FOUND is an answer and none */
    int64_t timed;
};

/* The values of one message in the cache. */
struct varve_cache_message {
    const char *record; /* the message's full name, static */
    int64_t keys;
    int64_t bytes; /* of their values as they are stored */
};

enum varve_breaker_state {
    VARVE_BREAKER_CLOSED = 0, /* calls go to the server */
    VARVE_BREAKER_OPEN,       /* it failed too often: calls fail at once */
    VARVE_BREAKER_PROBING,    /* one call tries whether it is back */
};

struct varve_cache_health {
    const char *engine; /* "embedded" or "redis"; "none" where no message is cached; static */
    bool available;     /* the engine answered while this report was made */

    int64_t
        used_bytes;    /* memory: of the embedded cache, or the server's used_memory; -1: unknown */
    int64_t max_bytes; /* cache_bytes, or the server's maxmemory; 0: no limit, -1: unknown */
    int64_t hits;      /* gets that found a value */
    int64_t misses;
    int64_t
        evictions; /* values that went for want of room; of Redis the server's count, -1: unknown */
    int64_t expired; /* values whose time was over; of Redis the server's count, -1: unknown */

    /* For each message with (varve.cache), in schema order. Counted by walking through Redis, at most once a
     * minute: counted_at says when (ns since 1970; 0: it could not be done). */
    struct varve_cache_message *messages;
    size_t message_count;
    int64_t counted_at;

    /* Redis alone; zeros with the embedded cache. */
    int64_t connections_open;
    int64_t connections_idle;
    int64_t connections_max;
    int64_t pool_waits; /* calls that had to wait for a connection */
    enum varve_breaker_state breaker;
    int64_t breaker_opened; /* how often */
    int64_t retries;        /* calls made again */
    int64_t reconnects;     /* connections that were found dead and replaced */
    int64_t failures;       /* calls that the server failed in the end */
    int64_t dropped;        /* puts, touches, deletes after a commit that the server did not take */
    int64_t
        waiting_invalidations; /* hot copies that wait to be deleted; they are not read meanwhile */
};

/* The tensors of one message, as its own and other programs have committed them. */
struct varve_archive_message {
    const char *record; /* the message's full name, static */
    int64_t segments;
    int64_t file_bytes; /* of these on disk */
    int64_t
        element_bytes; /* that they were sealed with: compaction has not yet taken the dead ones out */
    int64_t staged;    /* tensors that wait in the table for a flush */
    int64_t staged_bytes;
};

struct varve_archive_health {
    /* For each message with tensors, in schema order; counted with each report. */
    struct varve_archive_message *messages;
    size_t message_count;
    int64_t files_waiting; /* replaced, and kept since a reader's snapshot may name them */

    int64_t chunk_cache_bytes; /* decoded chunks that are kept for small reads */
    int64_t chunk_cache_max_bytes;
    int64_t chunk_hits; /* reads of one chunk that found it decoded */
    int64_t chunk_misses;
};

/* The table tier, of this program's store alone where nothing else is said. */
struct varve_table_health {
    int64_t sessions_open; /* by users; the one that makes the report is not counted */
    int64_t sessions_idle; /* closed ones that are kept for the next */
    int64_t
        open_cursors; /* finds that stand in their rows, each of which keeps a snapshot once it has a row */
    int64_t oldest_cursor_ms; /* since the find of the oldest of these; 0 without any */
    int64_t writers_waiting;  /* sessions that wait for another one's write */
    int64_t database_bytes;   /* of its file; -1: it could not be asked */
    /* Of the write-ahead log on disk: it grows as long as a cursor or a transaction keeps a snapshot, and is
     * used anew from its beginning afterwards. -1: it could not be asked. */
    int64_t wal_bytes;
};

struct varve_health_report {
    struct varve_cache_health cache;
    struct varve_archive_health archive;
    struct varve_latency latency[VARVE_OPERATION_COUNT];
    struct varve_table_health table;
};

/* Fills *health, which is released with varve_health_free(). That the cache's server does not answer is
 * no failure: health->cache.available says it. Tells the log of cursors that are open for long
 * (config.cursor_warn_ms), as varve_maintain() does. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_health(struct varve_store *store, struct varve_health_report *health);

/* Releases what varve_health() gave, and empties it. NULL is fine. */
VARVE_EXPORT void
varve_health_free(struct varve_health_report *health);

/* hits / (hits + misses); 0 when nothing was asked for. */
VARVE_EXPORT double
varve_cache_hit_rate(const struct varve_cache_health *cache);

/* The upper bound of the bucket in which this share of the timed calls ends, 0 to 1: at 0.99 all but one in a
 * hundred took less. In nanoseconds; 0 when there were none. */
VARVE_EXPORT int64_t
varve_latency_quantile(const struct varve_latency *latency, double share);

/* The operation as a name in lower case, such as "cache_get". A static string. */
VARVE_EXPORT const char *
varve_operation_name(enum varve_operation operation);

struct varve_maintenance_report {
    int64_t cache_keys_removed;    /* of messages, templates and generations that are no more */
    int64_t cache_entries_removed; /* of orders by time, whose values are gone */
    int64_t cache_expired_removed; /* values of the embedded cache whose time was over */
    int64_t invalidations_sent;    /* hot copies deleted that were waiting to be */

    int64_t
        records_retired;  /* deleted, since they were older than their message's retention_days */
    int64_t records_kept; /* too old as well, but other records refer to them */
    int64_t tensors_flushed;  /* moved from the table into segments */
    int64_t tensors_moved;    /* from segments into new ones */
    int64_t tensors_damaged;  /* not what was written, and left where they are */
    int64_t segments_dropped; /* that nothing was in any more */
    int64_t
        files_deleted; /* of these, when nobody reads them any more, and what crashes left behind */
};

/* Cleans up: retention, flush and compaction of the archive, the cache. Call it now and then, such as once an
 * hour. *report may be NULL. A program whose schema is older than the database leaves alone what only a newer one
 * may judge. VARVE_MISUSE: this thread has a session of the store in a write transaction. VARVE_BUSY: another
 * program of this folder flushes or compacts; the cache was cleaned up. VARVE_UNAVAILABLE: the cache's server does
 * not answer; the rest is done. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_maintain(struct varve_store *store, struct varve_maintenance_report *report);

#ifdef __cplusplus
}
#endif

#endif
