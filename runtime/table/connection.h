/* One connection to the database, with its statements and its transaction: what a session has of the
 * table tier. Used by one thread at a time; connections share plans and the writer's queue. */
#ifndef VARVE_TABLE_CONNECTION_H
#define VARVE_TABLE_CONNECTION_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/status.h>
#include <varve/store.h>

#include "base/arena.h"
#include "base/watch.h"
#include "table/catalog.h"
#include "table/copies.h"
#include "table/guard.h"
#include "table/plan.h"
#include "table/queue.h"
#include "table/statement.h"
#include "table/trace.h"

/* How connections are opened: resolved, no defaults left. */
struct varve__connect {
    const char *path;
    bool read_only;
    bool full_durability;
    int64_t busy_timeout_ms;  /* 0: no wait */
    int64_t call_timeout_ms;  /* 0: no limit */
    int64_t checkpoint_pages; /* 0: none */
    size_t cached_statements;
    const struct varve__spaces *spaces; /* of what is cached; NULL: nothing is */
    bool keeps_copies;                  /* the program has a server for hot copies */
    bool traced;                        /* what the statements of a call take is asked for */
    struct varve__archive *archive;     /* NULL: tensors stay in the table */
};

enum varve__transaction {
    VARVE__TRANSACTION_NONE,
    VARVE__TRANSACTION_READ,
    VARVE__TRANSACTION_WRITE,
};

/* The statements that begin and end transactions. */
enum varve__control {
    VARVE__CONTROL_BEGIN,
    VARVE__CONTROL_BEGIN_READ,
    VARVE__CONTROL_COMMIT,
    VARVE__CONTROL_ROLLBACK,
    VARVE__CONTROL_SAVEPOINT,
    VARVE__CONTROL_RELEASE,
    VARVE__CONTROL_ROLLBACK_TO,
    VARVE__CONTROL_COUNT,
};

struct varve__connection {
    sqlite3 *database;
    const struct varve__plans *plans;
    struct varve__queue *queue;
    struct varve__watch watch;
    struct varve__guard guard;
    struct varve__copies copies;
    struct varve__catalog catalog;
    struct varve__statements *statements;
    struct varve__query_statement **queries; /* typed ones that are prepared, by index; else NULL */
    bool read_only;
    bool full_durability; /* commits wait for the disk .. */
    bool relaxed; /* .. but not now: that they do again has failed, and is to be tried again */
    struct varve__arena *arena; /* for what a call binds; reset by each */

    enum varve__transaction transaction;
    size_t depth;                       /* begins that have no commit or rollback yet */
    enum varve_status function_status;  /* of our SQL function that has just failed */
    enum varve_status undone;           /* not OK: a failure has undone the transaction under way */
    struct varve__find_cursor *cursors; /* that the caller has not closed: find.h */
    size_t open_rows;                   /* of these, the ones that stand in their rows */
    int64_t changes;                    /* rows of the last write */
    int64_t page_cache_bytes;           /* as set */
    sqlite3_stmt *controls[VARVE__CONTROL_COUNT];

    /* For those who look on: */
    struct varve__trace *trace; /* NULL: nobody asks */
    struct varve__find_cursor
        *open; /* of the cursors those that stand in their rows: others look at them .. */
    pthread_mutex_t open_lock; /* .. under this lock */
    int64_t call_began;        /* monotonic ns, of the last call that was timed; 0: none was */
};

/* Opens the database file. `plans` and `queue` must outlive the connection. */
enum varve_status
varve__connection_open(
    const struct varve__connect *options,
    const struct varve__plans *plans,
    struct varve__queue *queue,
    struct varve__connection **connection);

/* Rolls back, ends the cursors that are left, closes. NULL is fine. */
void
varve__connection_close(struct varve__connection *connection);

/* Makes a connection fit for another user: no transaction, no cursors. False: it must be closed. */
bool
varve__connection_reset(struct varve__connection *connection);

/* The connection's part of the page cache. */
void
varve__connection_set_cache(struct varve__connection *connection, int64_t bytes);

/* Ends the running call, from any thread. */
void
varve__connection_interrupt(struct varve__connection *connection);

/* Records what a call of SQLite's on this connection that answered `code` means, as
 * varve__sqlite_fail(); tells VARVE_TIMEOUT from VARVE_INTERRUPTED, and notes a transaction that SQLite
 * has undone. */
enum varve_status
varve__connection_fail(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const char *what);

/* sqlite3_step() for statements that write. SQLite may look whether the call is to end when the statement
 * has done its work already: then it is done. */
int
varve__connection_step(struct varve__connection *connection, sqlite3_stmt *statement);

/* Makes commits wait for the disk again, before anything is written, where that is to be tried again. */
enum varve_status
varve__connection_tighten(struct varve__connection *connection);

/* For loops of many statements: fails when the call is to end. */
enum varve_status
varve__connection_poll(
    struct varve__connection *connection, const struct varve__plan *plan, const char *what);

/* VARVE_MISUSE: what a failure that has undone the transaction answers until the rollback. VARVE_SCHEMA:
 * what the guard answers to reads. */
enum varve_status
varve__connection_refuse(const struct varve__connection *connection);

/* For the beginning of every call that reads: fails when a failure has undone the transaction, or the
 * schema has moved on. */
static inline enum varve_status
varve__connection_check(const struct varve__connection *connection)
{
    bool fine = connection->undone == VARVE_OK && !connection->guard.no_reads;
    return fine ? VARVE_OK : varve__connection_refuse(connection);
}

#endif
