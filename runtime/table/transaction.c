/* Begin, commit, rollback. The outermost begin is a transaction of SQLite's, the nested ones are
 * savepoints; they all have one name, of which SQLite takes the latest. */
#include "table/transaction.h"

#include "base/error.h"
#include "table/catalog.h"
#include "table/find.h"
#include "table/sqlite.h"

static const char *const control_texts[] = {
    [VARVE__CONTROL_BEGIN] = "BEGIN IMMEDIATE",
    [VARVE__CONTROL_BEGIN_READ] = "BEGIN",
    [VARVE__CONTROL_COMMIT] = "COMMIT",
    [VARVE__CONTROL_ROLLBACK] = "ROLLBACK",
    [VARVE__CONTROL_SAVEPOINT] = "SAVEPOINT varve",
    [VARVE__CONTROL_RELEASE] = "RELEASE varve",
    [VARVE__CONTROL_ROLLBACK_TO] = "ROLLBACK TO varve",
};

static enum varve_status
misuse(const char *text)
{
    return varve__fail(VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL, "%s", text);
}

static int
prepare_control(struct varve__connection *connection, enum varve__control control)
{
    sqlite3_stmt **place = &connection->controls[control];
    if (*place)
        return SQLITE_OK;
    return sqlite3_prepare_v3(
        connection->database, control_texts[control], -1, SQLITE_PREPARE_PERSISTENT, place, NULL);
}

static bool
begins_or_ends(enum varve__control control)
{
    return control == VARVE__CONTROL_BEGIN || control == VARVE__CONTROL_BEGIN_READ ||
           control == VARVE__CONTROL_COMMIT || control == VARVE__CONTROL_ROLLBACK;
}

/* The result code of SQLite, and nothing recorded. */
static int
step_control(struct varve__connection *connection, enum varve__control control)
{
    sqlite3_stmt **place = &connection->controls[control];
    int code = prepare_control(connection, control);
    if (code != SQLITE_OK)
        return code;
    if (begins_or_ends(control))
        varve__guard_uncover(&connection->guard);
    connection->watch.shielded = true;
    code = sqlite3_step(*place);
    connection->watch.shielded = false;
    sqlite3_reset(*place);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static enum varve_status
control(struct varve__connection *connection, enum varve__control which, const char *what)
{
    int code = step_control(connection, which);
    return code == SQLITE_OK ? VARVE_OK : varve__connection_fail(connection, code, NULL, what);
}

/* Before a transaction begins: what ends it must not need memory then. */
static enum varve_status
prepare_ends(struct varve__connection *connection)
{
    static const enum varve__control ends[] = {
        VARVE__CONTROL_COMMIT, VARVE__CONTROL_ROLLBACK, VARVE__CONTROL_RELEASE,
        VARVE__CONTROL_ROLLBACK_TO};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        int code = prepare_control(connection, ends[i]);
        if (code != SQLITE_OK)
            return varve__connection_fail(connection, code, NULL, "begin");
    }
    return VARVE_OK;
}

/* Ends SQLite's transaction, if one is left; where it is refused, after the rows of the cursors. */
static void
roll_back(struct varve__connection *connection)
{
    sqlite3 *database = connection->database;
    if (sqlite3_get_autocommit(database) != 0)
        return;
    step_control(connection, VARVE__CONTROL_ROLLBACK);
    if (sqlite3_get_autocommit(database) != 0)
        return;
    varve__find_end_within(connection, 0);
    step_control(connection, VARVE__CONTROL_ROLLBACK);
}

/* A savepoint could not be ended for this reason: it would stay, with what came after it, so the whole
 * transaction goes. */
static void
undo_all(struct varve__connection *connection, enum varve_status status)
{
    roll_back(connection);
    if (connection->undone == VARVE_OK)
        connection->undone = status;
}

/* -------------------------------------------------------------------- the writer's place */

static enum varve_status
enter_queue(struct varve__connection *connection)
{
    struct varve__watch *watch = &connection->watch;
    enum varve_status status = varve__connection_tighten(connection);
    if (status != VARVE_OK)
        return status;
    if (varve__queue_enter(connection->queue, watch))
        return VARVE_OK;
    bool expired = varve__watch_expired(watch);
    if (watch->timed_out)
        return varve__fail(
            VARVE_TIMEOUT, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "the wait for another session's write was longer than call_timeout_ms, %lld ms",
            (long long)watch->call_timeout_ms);
    if (expired)
        return varve__fail(
            VARVE_INTERRUPTED, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "the wait for another session's write was ended by varve_interrupt()");
    return varve__fail(
        VARVE_BUSY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "another session of this program has been writing for %lld ms; let it commit (is it one of "
        "this same thread?), try again, or raise busy_timeout_ms",
        (long long)watch->busy_timeout_ms);
}

static void
roll_back_writing(struct varve__connection *connection)
{
    roll_back(connection);
    varve__catalog_settle(connection, &connection->catalog, VARVE__ENDING_UNDONE);
    varve__queue_leave(connection->queue);
}

/* Takes the writer's place in the process, then in the database. */
static enum varve_status
begin_writing(struct varve__connection *connection)
{
    enum varve_status status = enter_queue(connection);
    if (status != VARVE_OK)
        return status;
    status = prepare_ends(connection);
    if (status == VARVE_OK)
        status = control(connection, VARVE__CONTROL_BEGIN, "begin");
    if (status == VARVE_OK)
        status = varve__guard_begin(connection, true);
    if (status != VARVE_OK)
        roll_back_writing(connection);
    return status;
}

/* A commit that fails may leave its transaction open. */
static enum varve_status
commit_writing(struct varve__connection *connection)
{
    enum varve_status status = varve__copies_write(connection);
    if (status != VARVE_OK) {
        roll_back_writing(connection);
        return status;
    }
    enum varve__ending ending = VARVE__ENDING_COMMITTED;
    int code = step_control(connection, VARVE__CONTROL_COMMIT);
    if (code == SQLITE_OK) {
        varve__copies_commit(&connection->copies);
    } else {
        ending = VARVE__ENDING_UNKNOWN;
        status = varve__sqlite_fail(connection->database, code, NULL, "commit");
        /* Memory may run out in SQLite's index of the log, when the log is written already. */
        if (status == VARVE_IO || status == VARVE_NO_MEMORY)
            status = varve__fail_as(VARVE_UNKNOWN_OUTCOME);
        roll_back(connection);
    }
    varve__catalog_settle(connection, &connection->catalog, ending);
    varve__queue_leave(connection->queue);
    return status;
}

/* -------------------------------------------------------------------- the user's transactions */

enum varve_status
varve__transaction_begin(struct varve__connection *connection)
{
    enum varve_status status = varve__connection_check(connection);
    if (status != VARVE_OK)
        return status;
    if (connection->read_only)
        return varve__fail(
            VARVE_READ_ONLY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "begin: the store was opened with read_only; open it without, or use "
            "varve_begin_read()");
    if (connection->transaction == VARVE__TRANSACTION_READ)
        return misuse("varve_begin() inside varve_begin_read(): a snapshot cannot be written to; "
                      "end it first");
    if (connection->transaction == VARVE__TRANSACTION_NONE && connection->open_rows > 0)
        return misuse(
            "varve_begin() while a cursor of this session is open: close it, or begin before "
            "varve finds");
    status = connection->depth > 0 ? control(connection, VARVE__CONTROL_SAVEPOINT, "nested begin")
                                   : begin_writing(connection);
    if (status != VARVE_OK)
        return status;
    connection->transaction = VARVE__TRANSACTION_WRITE;
    connection->depth++;
    return VARVE_OK;
}

enum varve_status
varve__transaction_begin_read(struct varve__connection *connection)
{
    enum varve_status status = varve__connection_check(connection);
    if (status != VARVE_OK)
        return status;
    if (connection->depth > 0) {
        status = control(connection, VARVE__CONTROL_SAVEPOINT, "nested begin");
        if (status == VARVE_OK)
            connection->depth++;
        return status;
    }
    if (connection->open_rows > 0)
        return misuse(
            "varve_begin_read() while a cursor of this session is open, which keeps an older "
            "snapshot: close it first");
    status = prepare_ends(connection);
    if (status == VARVE_OK)
        status = control(connection, VARVE__CONTROL_BEGIN_READ, "begin");
    if (status == VARVE_OK)
        status = varve__guard_begin(connection, false);
    if (status != VARVE_OK) {
        roll_back(connection);
        return status;
    }
    connection->transaction = VARVE__TRANSACTION_READ;
    connection->depth = 1;
    return VARVE_OK;
}

static enum varve_status
check_begun(const struct varve__connection *connection, const char *text)
{
    return connection->depth > 0 ? VARVE_OK : misuse(text);
}

/* The end of the outermost transaction that a failure has undone already. */
static void
forget_undone(struct varve__connection *connection)
{
    if (connection->transaction == VARVE__TRANSACTION_WRITE) {
        varve__catalog_settle(connection, &connection->catalog, VARVE__ENDING_UNDONE);
        varve__queue_leave(connection->queue);
    }
    connection->transaction = VARVE__TRANSACTION_NONE;
    connection->undone = VARVE_OK;
}

static enum varve_status
commit_undone(struct varve__connection *connection)
{
    enum varve_status status = varve__fail(
        connection->undone, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "commit: nothing was committed, since an earlier failure (%s) has undone the transaction; "
        "mend its cause and do all of it again",
        varve_status_name(connection->undone));
    if (--connection->depth == 0)
        forget_undone(connection);
    return status;
}

enum varve_status
varve__transaction_commit(struct varve__connection *connection)
{
    enum varve_status status = check_begun(
        connection, "varve_commit() without a varve_begin() before it, or after the rollback");
    if (status != VARVE_OK)
        return status;
    if (connection->undone != VARVE_OK)
        return commit_undone(connection);
    if (--connection->depth > 0) {
        status = control(connection, VARVE__CONTROL_RELEASE, "nested commit");
        if (status != VARVE_OK)
            undo_all(connection, status);
        varve__find_lift(connection, connection->depth);
        return status;
    }
    if (connection->transaction == VARVE__TRANSACTION_WRITE) {
        status = commit_writing(connection);
    } else {
        status = control(connection, VARVE__CONTROL_COMMIT, "commit");
        roll_back(connection);
    }
    connection->transaction = VARVE__TRANSACTION_NONE;
    return status;
}

static enum varve_status
roll_back_nested(struct varve__connection *connection)
{
    enum varve_status status = control(connection, VARVE__CONTROL_ROLLBACK_TO, "nested rollback");
    if (status == VARVE_OK)
        status = control(connection, VARVE__CONTROL_RELEASE, "nested rollback");
    if (status != VARVE_OK)
        undo_all(connection, status);
    return status;
}

enum varve_status
varve__transaction_rollback(struct varve__connection *connection)
{
    enum varve_status status = check_begun(
        connection, "varve_rollback() without a varve_begin() before it, or after the commit");
    if (status != VARVE_OK)
        return status;
    varve__find_end_within(connection, connection->depth);
    bool outermost = --connection->depth == 0;
    if (connection->undone != VARVE_OK) {
        if (outermost)
            forget_undone(connection);
        return VARVE_OK;
    }
    if (!outermost)
        return roll_back_nested(connection);
    if (connection->transaction == VARVE__TRANSACTION_WRITE)
        roll_back_writing(connection);
    else
        roll_back(connection);
    connection->transaction = VARVE__TRANSACTION_NONE;
    return VARVE_OK;
}

/* -------------------------------------------------------------------- the writes of one call */

static enum varve_status
check_may_write(const struct varve__connection *connection)
{
    if (connection->undone != VARVE_OK)
        return varve__connection_check(connection);
    if (connection->read_only)
        return varve__fail(
            VARVE_READ_ONLY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "the store was opened with read_only; open it without");
    if (connection->transaction == VARVE__TRANSACTION_READ)
        return misuse("a write inside varve_begin_read(): end it, and begin with varve_begin()");
    if (connection->transaction == VARVE__TRANSACTION_NONE && connection->open_rows > 0)
        return misuse(
            "a write while a cursor of this session is open outside a transaction: close the "
            "cursor, or call varve_begin() before finding");
    return varve__guard_check_write(&connection->guard);
}

enum varve_status
varve__write_begin(struct varve__connection *connection, enum varve__write kind)
{
    enum varve_status status = check_may_write(connection);
    if (status != VARVE_OK)
        return status;
    if (connection->transaction == VARVE__TRANSACTION_NONE)
        return kind == VARVE__WRITE_ONE ? enter_queue(connection) : begin_writing(connection);
    if (kind == VARVE__WRITE_SEVERAL)
        return control(connection, VARVE__CONTROL_SAVEPOINT, "begin");
    return VARVE_OK;
}

/* The end of several statements inside the user's transaction. Undoing must not replace the failure
 * that is its cause. */
static enum varve_status
end_savepoint(struct varve__connection *connection, enum varve_status status)
{
    if (status == VARVE_OK) {
        status = control(connection, VARVE__CONTROL_RELEASE, "write");
        if (status != VARVE_OK)
            undo_all(connection, status);
    } else if (
        connection->undone == VARVE_OK &&
        (step_control(connection, VARVE__CONTROL_ROLLBACK_TO) != SQLITE_OK ||
         step_control(connection, VARVE__CONTROL_RELEASE) != SQLITE_OK)) {
        undo_all(connection, status);
    }
    return status;
}

/* A statement that commits itself and fails in I/O may have been in its commit. */
static enum varve_status
end_alone(struct varve__connection *connection, enum varve_status status)
{
    bool unknown =
        status == VARVE_IO && (sqlite3_errcode(connection->database) & 0xFF) == SQLITE_IOERR;
    varve__queue_leave(connection->queue);
    return unknown ? varve__fail_as(VARVE_UNKNOWN_OUTCOME) : status;
}

enum varve_status
varve__write_end(
    struct varve__connection *connection, enum varve__write kind, enum varve_status status)
{
    if (connection->transaction == VARVE__TRANSACTION_WRITE)
        return kind == VARVE__WRITE_SEVERAL ? end_savepoint(connection, status) : status;
    if (kind == VARVE__WRITE_ONE)
        return end_alone(connection, status);
    if (status == VARVE_OK)
        return commit_writing(connection);
    roll_back_writing(connection);
    return status;
}

enum varve_status
varve__read_begin(struct varve__connection *connection, bool *begun)
{
    *begun = false;
    enum varve_status status = varve__connection_check(connection);
    if (status != VARVE_OK || connection->transaction != VARVE__TRANSACTION_NONE)
        return status;
    if (connection->open_rows > 0)
        return misuse(
            "varve_begin_read() while a cursor of this session is open, which keeps an older "
            "snapshot: close it first");
    status = prepare_ends(connection);
    if (status == VARVE_OK)
        status = control(connection, VARVE__CONTROL_BEGIN_READ, "read");
    *begun = status == VARVE_OK;
    return status;
}

void
varve__read_end(struct varve__connection *connection, bool begun)
{
    if (!begun)
        return;
    step_control(connection, VARVE__CONTROL_COMMIT);
    roll_back(connection);
}
