/* Opening and closing of connections, and what ends their calls early. */
#include "table/connection.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/unknown.h"
#include "table/find.h"
#include "table/list.h"
#include "table/query.h"
#include "table/sqlite.h"
#include "table/transaction.h"

enum {
    PROGRESS_STEPS = 2000,      /* of SQLite's machine between two looks at the clock: some 20 us */
    WAIT_LONGEST_NS = 10000000, /* between two tries while another process writes */
    ARENA_SIZE = 4096,          /* JSON text and wire bytes of an ordinary record */
};

/* -------------------------------------------------------------------- waiting */

static void
sleep_ns(int64_t duration)
{
    struct timespec time = {.tv_sec = 0, .tv_nsec = duration};
    nanosleep(&time, NULL);
}

/* SQLite's busy handler: another process has the lock. Tries again soon, then less often. */
static int
wait_for_process(void *context, int tries)
{
    struct varve__watch *watch = context;
    int64_t left = varve__watch_wait_end(watch) - varve__monotonic_now();
    if (left <= 0 || varve__watch_expired(watch))
        return 0;
    int64_t pause = tries < 8 ? 50000 << tries : WAIT_LONGEST_NS;
    pause = pause < WAIT_LONGEST_NS ? pause : WAIT_LONGEST_NS;
    sleep_ns(pause < left ? pause : left);
    return 1;
}

/* SQLite's progress handler, called in the middle of statements. */
static int
end_when_expired(void *context)
{
    struct varve__watch *watch = context;
    return !watch->shielded && varve__watch_expired(watch);
}

void
varve__connection_interrupt(struct varve__connection *connection)
{
    struct varve__watch *watch = &connection->watch;
    if (!atomic_load_explicit(&watch->running, memory_order_acquire))
        return;
    /* Not sqlite3_interrupt(): that ends everything, commits and rollbacks too, for as long as a cursor
     * is open. */
    atomic_store_explicit(&watch->interrupted, true, memory_order_release);
    varve__queue_wake(connection->queue, watch);
}

/* -------------------------------------------------------------------- opening */

/* varve_merge_unknown(stored, given): the unknown fields of a record that a writer gives some of. */
static void
merge_unknown(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct varve__connection *connection = sqlite3_user_data(context);
    if (sqlite3_value_type(values[1]) == SQLITE_NULL) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    if (sqlite3_value_bytes(values[1]) == 0)
        return; /* cleared: NULL */
    if (sqlite3_value_type(values[0]) == SQLITE_NULL) {
        sqlite3_result_value(context, values[1]);
        return;
    }
    uint8_t *merged;
    size_t size;
    enum varve_status status = varve__unknown_merge(
        sqlite3_value_blob(values[0]), (size_t)sqlite3_value_bytes(values[0]),
        sqlite3_value_blob(values[1]), (size_t)sqlite3_value_bytes(values[1]), &merged, &size);
    if (status == VARVE_NO_MEMORY)
        sqlite3_result_error_nomem(context);
    else if (status != VARVE_OK)
        sqlite3_result_error(context, varve__thread_error(), -1);
    if (status != VARVE_OK)
        connection->function_status = status;
    else
        sqlite3_result_blob64(context, merged, size, varve__release);
}

/* Several programs may make the store at once. SQLite does not call its busy handler for a change of the
 * journal mode, so the waiting is done here. */
static enum varve_status
use_wal(struct varve__connection *connection, const char *path)
{
    int tries = 0;
    enum varve_status status;
    do {
        status = varve__sqlite_use_wal(connection->database, path);
    } while (status == VARVE_BUSY && wait_for_process(&connection->watch, tries++));
    return status;
}

/* Whether the database has no page yet. */
static bool
is_new(sqlite3 *database)
{
    sqlite3_stmt *statement = NULL;
    bool none =
        sqlite3_prepare_v2(database, "PRAGMA page_count", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int64(statement, 0) == 0;
    sqlite3_finalize(statement);
    return none;
}

static enum varve_status
set_up(struct varve__connection *connection, const struct varve__connect *options)
{
    sqlite3 *database = connection->database;
    sqlite3_busy_handler(database, wait_for_process, &connection->watch);
    sqlite3_progress_handler(database, PROGRESS_STEPS, end_when_expired, &connection->watch);
    enum varve_status status = VARVE_OK;
    /* Of a new database, before it has a page: space of tensors that have moved on can be given back. What is
     * wrong with the file the next statement tells. */
    if (!options->read_only && is_new(database))
        sqlite3_exec(database, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL);
    if (!options->read_only)
        status = use_wal(connection, options->path);
    if (status == VARVE_OK)
        status = varve__sqlite_execute(
            database,
            options->full_durability ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (status == VARVE_OK)
        status = varve__sqlite_execute(
            database, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF");
    if (status != VARVE_OK)
        return status;
    sqlite3_wal_autocheckpoint(
        database,
        options->checkpoint_pages > INT32_MAX ? INT32_MAX : (int)options->checkpoint_pages);
    /* A quoted name that is no column is an error, not a string. */
    int code = sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    /* Bound values never make SQLite prepare a statement anew. */
    if (code == SQLITE_OK)
        code = sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    if (code == SQLITE_OK)
        code = varve__list_register(database);
    if (code == SQLITE_OK)
        code = sqlite3_create_function_v2(
            database, "varve_merge_unknown", 2,
            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, connection, merge_unknown, NULL,
            NULL, NULL);
    return code == SQLITE_OK ? VARVE_OK : varve__sqlite_fail(database, code, NULL, "opening");
}

/* Places for the typed queries, which are prepared when they are first called. */
static enum varve_status
make_queries(struct varve__connection *connection)
{
    size_t size = (connection->plans->query_count + 1) * sizeof *connection->queries;
    connection->queries = varve__allocate(size);
    if (!connection->queries)
        return varve__fail_memory(NULL, size);
    memset(connection->queries, 0, size);
    return VARVE_OK;
}

enum varve_status
varve__connection_open(
    const struct varve__connect *options,
    const struct varve__plans *plans,
    struct varve__queue *queue,
    struct varve__connection **result)
{
    *result = NULL;
    struct varve__connection *connection = varve__allocate(sizeof *connection);
    if (!connection)
        return varve__fail_memory(NULL, sizeof *connection);
    memset(connection, 0, sizeof *connection);
    connection->plans = plans;
    connection->queue = queue;
    connection->read_only = options->read_only;
    connection->full_durability = options->full_durability;
    connection->watch.busy_timeout_ms = options->busy_timeout_ms;
    connection->watch.call_timeout_ms = options->call_timeout_ms;
    connection->watch.call_end = INT64_MAX;
    connection->catalog.archive = options->archive;
    pthread_mutex_init(&connection->open_lock, NULL);
    enum varve_status status =
        varve__sqlite_open(options->path, options->read_only, &connection->database);
    if (status == VARVE_OK) {
        varve__guard_init(connection);
        varve__copies_init(connection, options->spaces, options->keeps_copies);
        status = set_up(connection, options);
    }
    if (status == VARVE_OK)
        status = varve__statements_create(
            plans->count, options->cached_statements, &connection->statements);
    if (status == VARVE_OK)
        status = make_queries(connection);
    if (status == VARVE_OK && !(connection->arena = varve__arena_create(ARENA_SIZE)))
        status = varve__fail_memory(NULL, ARENA_SIZE);
    if (status == VARVE_OK && options->traced &&
        !(connection->trace = varve__trace_create(connection->database)))
        status = VARVE_NO_MEMORY; /* recorded */
    if (status == VARVE_OK)
        *result = connection;
    else
        varve__connection_close(connection);
    return status;
}

static void
end_transaction(struct varve__connection *connection)
{
    varve__find_detach(connection);
    while (connection->depth > 0) {
        enum varve_status ignored = varve__transaction_rollback(connection);
        (void)ignored; /* the depth falls, whatever the status */
    }
}

void
varve__connection_close(struct varve__connection *connection)
{
    if (!connection)
        return;
    end_transaction(connection);
    varve__statements_release(connection->statements);
    varve__query_release_all(connection);
    for (size_t i = 0; i < VARVE__CONTROL_COUNT; i++)
        sqlite3_finalize(connection->controls[i]);
    varve__guard_release(&connection->guard);
    varve__copies_release(connection);
    varve__catalog_release(&connection->catalog);
    varve__arena_release(connection->arena);
    if (connection->trace)
        sqlite3_trace_v2(connection->database, 0, NULL, NULL);
    sqlite3_close_v2(connection->database); /* _v2: a user's own statement may still be there */
    varve__release(connection->trace);
    pthread_mutex_destroy(&connection->open_lock);
    varve__release(connection);
}

bool
varve__connection_reset(struct varve__connection *connection)
{
    end_transaction(connection);
    connection->changes = 0;
    /* A statement that a user has left running would hold its snapshot for ever. */
    sqlite3_stmt *statement = sqlite3_next_stmt(connection->database, NULL);
    while (statement && !sqlite3_stmt_busy(statement))
        statement = sqlite3_next_stmt(connection->database, statement);
    return !statement && sqlite3_get_autocommit(connection->database) != 0;
}

void
varve__connection_set_cache(struct varve__connection *connection, int64_t bytes)
{
    if (bytes == connection->page_cache_bytes)
        return;
    char text[64];
    sqlite3_snprintf(sizeof text, text, "PRAGMA cache_size = -%lld", (long long)bytes / 1024);
    if (sqlite3_exec(connection->database, text, NULL, NULL, NULL) == SQLITE_OK)
        connection->page_cache_bytes = bytes; /* else the old size serves */
}

/* -------------------------------------------------------------------- failures */

/* Of a full disk, an I/O error or an interrupt SQLite may undo the whole transaction, not the
 * statement alone: what follows must not be written as if it were still under way. */
static void
note_undone(struct varve__connection *connection, enum varve_status status)
{
    if (connection->depth > 0 && connection->undone == VARVE_OK &&
        sqlite3_get_autocommit(connection->database) != 0)
        connection->undone = status;
}

/* A function of ours has failed inside SQLite, which knows its text but not its status. */
static enum varve_status
fail_function(
    struct varve__connection *connection, const struct varve_record *record, const char *what)
{
    enum varve_status status = connection->function_status;
    const char *name = record ? record->descriptor->name : "";
    connection->function_status = VARVE_OK;
    return varve__fail(
        status, VARVE_FAILURE_WIRE, VARVE_TIER_TABLE, record ? name : NULL, "%s of %s: %s", what,
        name, sqlite3_errmsg(connection->database));
}

enum varve_status
varve__connection_fail(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const char *what)
{
    const struct varve_record *record = plan ? plan->record : NULL;
    struct varve__watch *watch = &connection->watch;
    enum varve_status status = connection->guard.status;
    connection->guard.status = VARVE_OK;
    if (status != VARVE_OK)
        return status; /* recorded already */
    status = varve__sqlite_fail(connection->database, code, record, what);
    if (connection->function_status != VARVE_OK)
        status = fail_function(connection, record, what);
    bool expired = status == VARVE_BUSY && varve__watch_expired(watch);
    if (expired && !watch->timed_out)
        status = varve__fail_as(VARVE_INTERRUPTED);
    if ((expired || status == VARVE_INTERRUPTED) && watch->timed_out)
        status = varve__fail(
            VARVE_TIMEOUT, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE,
            record ? record->descriptor->name : NULL,
            "%s%s%s took longer than call_timeout_ms, %lld ms; ask for less, or raise it", what,
            record ? " of " : "", record ? record->descriptor->name : "",
            (long long)watch->call_timeout_ms);
    note_undone(connection, status);
    enum varve_status moved = varve__guard_explain(connection, code);
    return moved == VARVE_OK ? status : moved;
}

int
varve__connection_step(struct varve__connection *connection, sqlite3_stmt *statement)
{
    int64_t before = sqlite3_total_changes64(connection->database);
    int code = sqlite3_step(statement);
    bool done =
        (code & 0xFF) == SQLITE_INTERRUPT && sqlite3_total_changes64(connection->database) > before;
    return done ? SQLITE_DONE : code;
}

enum varve_status
varve__connection_tighten(struct varve__connection *connection)
{
    if (__builtin_expect(!connection->relaxed, 1))
        return VARVE_OK;
    enum varve_status status =
        varve__sqlite_execute(connection->database, "PRAGMA synchronous = FULL");
    connection->relaxed = status != VARVE_OK;
    return status;
}

enum varve_status
varve__connection_poll(
    struct varve__connection *connection, const struct varve__plan *plan, const char *what)
{
    if (!varve__watch_expired(&connection->watch))
        return VARVE_OK;
    return varve__connection_fail(connection, SQLITE_INTERRUPT, plan, what);
}

enum varve_status
varve__connection_refuse(const struct varve__connection *connection)
{
    if (connection->undone == VARVE_OK)
        return varve__guard_check_read(&connection->guard);
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "an earlier failure (%s) has undone this transaction; end it with varve_rollback()",
        varve_status_name(connection->undone));
}
