/* Stores, sessions and transactions: where records are kept, and one thread's way to them.
 *
 *     struct varve_config config = { .data_dir = "data" };
 *     struct varve_store *store;
 *     struct varve_session *session;
 *     struct varve_error error;
 *     if (varve_open(&cortex_schema, &config, &store, &error) != VARVE_OK)
 *         ...                                       error.message says why
 *     if (varve_session_open(store, &session) != VARVE_OK)
 *         ...                                       varve_session_error(NULL) says why
 *     varve_session_close(session);
 *     varve_close(store);
 *
 * A store may be used by any thread; a session, its cursors and their rows by one at a time (two
 * threads in one session are noticed, mostly: VARVE_MISUSE). Neither may be used in a process that was
 * forked after it was opened: VARVE_MISUSE, and so is opening the same store there, since SQLite's
 * locks do not survive a fork. Fork before opening, or exec. Closing them there leaves the parent's
 * files alone.
 */
#ifndef VARVE_STORE_H
#define VARVE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;
struct varve_store;
struct varve_session;

enum varve_log_level {
    VARVE_LOG_ERROR = 1,
    VARVE_LOG_WARNING,
    VARVE_LOG_INFO,
    VARVE_LOG_DEBUG,
};

/* What a commit has done when it returns. */
enum varve_durability {
    VARVE_DURABILITY_DEFAULT = 0, /* FULL */
    VARVE_DURABILITY_FULL,        /* it is on disk, whatever happens to program or machine */
    VARVE_DURABILITY_NORMAL, /* it survives the program; a power loss may take the last commits */
};

/* How a store is opened. All zero is a good configuration but for data_dir: of every number 0 means
 * its default and -1 means off (where that makes sense). Everything is copied. */
struct varve_config {
    /* The folder of the store, made (0700) where it is missing. ":memory:" is a private store in
     * a new folder of /dev/shm, else of TMPDIR or /tmp: gone at close, left behind by a crash.
     * Required. */
    const char *data_dir;

    int64_t busy_timeout_ms; /* how long a writer waits for another; default 5000, -1: not at all */

    /* Called with events, each a sentence such as "opened data/varve.db", from any thread, never
     * with a lock held. It must not call varve. NULL: no log. */
    void (*log)(
        void *context, enum varve_log_level level, enum varve_tier tier, const char *message);
    void *log_context;

    int64_t call_timeout_ms; /* bounds every call: VARVE_TIMEOUT; default: off */
    /* No record is written: VARVE_READ_ONLY from every call that would. The folder must be writable all
     * the same, or another program have the store open: SQLite makes its -wal and -shm files. */
    bool read_only;
    enum varve_durability durability;
    const char *database_path; /* of the database file; default: varve.db in data_dir */

    int64_t page_cache_bytes; /* of SQLite's pages, for the store's open sessions together; default
                                 256 MiB. Taken as it is needed. */
    int64_t checkpoint_pages; /* pages of 4 KiB in the write-ahead log at which a commit copies them
                                 into the database; default 10000; -1: only when the store closes */
    int64_t cached_statements; /* prepared finds that a session keeps, apart from those of get,
                                  insert and so on, which it always keeps; default 64 */
    int64_t pooled_sessions;   /* closed sessions kept open for the next; default 16, -1: none */

    /* What opening does when the database is of an older version of the schema, for which the schema has
     * migrations: it applies them (0), or it refuses with VARVE_SCHEMA, whose text names their files (-1).
     * call_timeout_ms does not bound it. */
    int64_t migrate;
    /* Before it does, a database that has records is copied to backup/before-<migration>-<package>.db in
     * data_dir, named after the first migration; default: on, -1: off. A store in memory gets none. */
    int64_t migration_backup;
    /* Called before each statement of a migration with the file's name ("0003_add_mood"), the comment that
     * stands above the statement, and how many statements of all are done. From the thread that opens the
     * store, in the midst of a transaction: it must not open the store itself. NULL: nobody is told. */
    void (*migration_progress)(
        void *context, const char *file, const char *what, size_t done, size_t total);
    void *migration_progress_context;

    /* ---- the cache: embedded in the program, or Redis when redis_host or redis_unix_socket is set */

    int64_t
        cache_bytes; /* of keys and values that the embedded cache holds; default 64 MiB. Beyond it
                            those go that were not used for longest. */
    /* Values of more packed bytes are compressed, unless their message says otherwise; default 4096, -1:
     * never. */
    int64_t compress_above_bytes;
    /* The largest value, in packed bytes: a larger one is refused, and one that says of itself that it
     * would grow to more is not unpacked. Default 128 MiB. */
    int64_t cache_value_bytes;

    const char *redis_host;        /* and the rest of what it takes to reach the server */
    int64_t redis_port;            /* default 6379 */
    const char *redis_unix_socket; /* path of its socket: goes before redis_host */
    int64_t redis_db;              /* number for SELECT; default 0 */
    const char *redis_username;    /* of an ACL; NULL: the default user */
    const char *redis_password;    /* NULL: no AUTH */
    bool redis_tls;                /* only with a varve that was built with OpenSSL */
    const char *redis_tls_ca;      /* file of certificates that are trusted; NULL: the system's */
    const char *redis_tls_cert; /* file of the certificate and of its key that the client shows */
    const char *redis_tls_key;
    const char *redis_tls_server_name; /* that the server must prove; default: redis_host */

    int64_t redis_connect_timeout_ms; /* of a new connection with AUTH and all; default 1000 */
    int64_t
        redis_timeout_ms; /* without a byte from the server, then it counts as gone; default 2000 */
    int64_t redis_pool_size; /* connections of the store together; default 16 */
    int64_t
        redis_pool_timeout_ms; /* how long a call waits for a free one; default 1000, -1: not at all */
    /* How often a call that failed for want of the server is made again, after growing random pauses;
     * default 3, -1: never. */
    int64_t redis_retries;
    /* After so many failures in a row no call tries the server, but one at a time after a pause that
     * grows from redis_breaker_ms to 32 times that; default 5, -1: all try. */
    int64_t redis_breaker_failures;
    int64_t redis_breaker_ms; /* default 1000 */

    /* Nanoseconds since 1970, for tests: what the embedded cache takes for the time. Called from any
     * thread. NULL: varve_now(). */
    int64_t (*clock)(void *context);
    void *clock_context;

    /* ---- the archive: tensors of table records */

    const char *archive_dir; /* the folder of all segments; default: archive in data_dir */
    /* Tensors of one call that have fewer bytes together wait in the table for varve_flush(); more go to a
     * segment in the call itself. Default 256 KiB, -1: all do. */
    int64_t stage_max_bytes;
    /* Bytes of elements at which a segment is closed, unless its message says otherwise; a larger tensor has one
     * for itself. Default 256 MiB. */
    int64_t segment_bytes;
    int64_t archive_memory_bytes; /* of chunks that one call has under way; default 64 MiB */
    int64_t
        archive_threads; /* that encode and decode, beside the caller's; default: one less than the machine's
                                processors, at most 8; -1: none */
    int64_t
        chunk_cache_bytes; /* of decoded chunks kept for the next small read; default 64 MiB, -1: none */
    /* Called in varve_flush() and varve_maintain() with what is done ("flush", "compact"), the message's full name,
     * and bytes of elements that are done and to be done. From the thread that called. NULL: nobody is told. */
    void (*archive_progress)(
        void *context, const char *what, const char *record, int64_t done, int64_t total);
    void *archive_progress_context;

    /* ---- what the log is told of calls, at VARVE_LOG_WARNING */

    /* Calls that took at least so many microseconds are told: with the operation's name, the message, the time, the
     * rows, and the SQL of the statement that took longest, as it was prepared: values that are bound to it are
     * private, and are never told. With how many rows it went through without an index, where it did. A find is
     * told at its end, with the time of all its rows. All calls are timed then, which costs each some
     * 100 ns and a few for each statement. Default: off. */
    int64_t slow_call_us;
    /* A cursor that stands in its rows for so long is told, once: by its own next and close, by varve_health() and
     * by varve_maintain(). As long as it keeps its snapshot the write-ahead log only grows. Default
     * 60000; -1: none is. */
    int64_t cursor_warn_ms;
};

/* Reads the configuration from the environment: for every member but the callbacks a variable of its
 * name (VARVE_DATA_DIR, VARVE_BUSY_TIMEOUT_MS, VARVE_READ_ONLY=true, VARVE_DURABILITY=NORMAL ..), and
 * SQLITE_DB_PATH for database_path, HDF5_FILE_PATH for archive_dir, HDF5_MAX_FILE_SIZE for segment_bytes. A variable that is not set leaves its member as it is, so set
 * *config to zeros or to defaults of your own before. Text points into the environment.
 * VARVE_INVALID names the variable that does not parse; *config is then unchanged. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_config_from_env(struct varve_config *config, struct varve_error *error);

/* Opens the store of one schema, making it where there is none. *store is NULL unless the status is
 * VARVE_OK; close it with varve_close(). `error` may be NULL.
 *
 * A database of an older version of the schema is migrated first, all in one transaction (see
 * varve_config.migrate). Where the migrations do not suit programs of the older version (writes_ok), none
 * may have the store open: VARVE_BUSY names their processes after busy_timeout_ms. A database of a newer
 * version is opened when all its newer migrations suit this program: those with reads_ok let it read,
 * those with writes_ok write too.
 *
 * VARVE_SCHEMA, and the database as it was: it is of another schema, or of a newer version that does not
 * suit; its tables were changed by hand; a migration failed, or its file is not the one that was applied;
 * migrations are to be applied and read_only or config.migrate does not let them. Failures of a
 * migration's statements may have other statuses as well, such as VARVE_CONFLICT or VARVE_FULL.
 * VARVE_UNKNOWN_OUTCOME: the commit of the migration failed; opening again tells.
 * VARVE_CORRUPT: the file is damaged, or no database. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_open(
    const struct varve_schema *schema,
    const struct varve_config *config,
    struct varve_store **store,
    struct varve_error *error);

/* The same with several schemas in one store; their tables must differ in name. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_open_many(
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve_config *config,
    struct varve_store **store,
    struct varve_error *error);

/* Closes the store after waiting for its sessions. NULL is fine. */
VARVE_EXPORT void
varve_close(struct varve_store *store);

/* A working handle for one thread, from the store's pool; close it with varve_session_close(). */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_session_open(struct varve_store *store, struct varve_session **session);

/* Gives the session back. An open transaction is rolled back; its cursors are at their end, and are
 * still to be closed. NULL is fine. */
VARVE_EXPORT void
varve_session_close(struct varve_session *session);

/* ------------------------------------------------------------------ transactions */

/* Begins a transaction that may write. It takes the writer's place at once: waits for other writers,
 * of this program in the order of their coming, up to busy_timeout_ms, then VARVE_BUSY. Within a
 * transaction it begins a nested one, whose rollback undoes only what came after it. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_begin(struct varve_session *session);

/* Begins a transaction that only reads: all its reads see the store as it is now. It waits for nobody
 * and is the fast way to read many. Writing in it is VARVE_MISUSE, and so is beginning while a cursor
 * is open, which keeps the state of its find. Ends with either of the two below. Within a transaction
 * it begins a nested one of the same kind. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_begin_read(struct varve_session *session);

/* Makes all since the matching begin true, durably for the outermost. The transaction is over
 * whatever the status. VARVE_UNKNOWN_OUTCOME: I/O or memory failed, and the commit may or may not be on disk.
 * When a failure had undone the whole transaction before (a full disk, an interrupt), that failure's
 * status again. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_commit(struct varve_session *session);

/* Undoes all since the matching begin. The transaction is over whatever the status. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_rollback(struct varve_session *session);

/* Ends the session's running call with VARVE_INTERRUPTED; when none is running nothing happens. A
 * write that is ended so undoes its whole transaction. The one call that any thread may make on a
 * session, as long as it is open. */
VARVE_EXPORT void
varve_interrupt(struct varve_session *session);

/* Rows that the session's last write inserted, updated or deleted, cascades not counted. */
VARVE_MUST_CHECK VARVE_EXPORT int64_t
varve_changes(const struct varve_session *session);

/* SQLite's own handle, for reading what varve has no call for. Writing through it, or a
 * commit hook of your own, breaks guarantees; statements must be finalized before the session is closed. */
VARVE_EXPORT struct sqlite3 *
varve_session_sqlite(struct varve_session *session);

#ifdef __cplusplus
}
#endif

#endif
