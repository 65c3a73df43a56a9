/* Transactions of a connection: the user's, nested by savepoints, and those that a single call needs
 * for itself. */
#ifndef VARVE_TABLE_TRANSACTION_H
#define VARVE_TABLE_TRANSACTION_H

#include "table/connection.h"

enum varve_status
varve__transaction_begin(struct varve__connection *connection);

enum varve_status
varve__transaction_begin_read(struct varve__connection *connection);

enum varve_status
varve__transaction_commit(struct varve__connection *connection);

enum varve_status
varve__transaction_rollback(struct varve__connection *connection);

/* A call that writes: whether it needs one statement, which is atomic by itself, or several. */
enum varve__write {
    VARVE__WRITE_ONE,
    VARVE__WRITE_SEVERAL,
};

/* What the write of a statement that updates or deletes is: with hot copies about it has rows beside it. Asked
 * when the statement is prepared, which may look at the schema. */
static inline enum varve__write
varve__write_of_change(const struct varve__connection *connection, enum varve__write kind)
{
    bool alone = connection->transaction == VARVE__TRANSACTION_NONE;
    return alone && varve__copies_watching(&connection->copies) ? VARVE__WRITE_SEVERAL : kind;
}

/* The same of an insert. It makes no copy stale: that a record is not there is never copied. A trigger of the
 * user's may. */
static inline enum varve__write
varve__write_of_insert(const struct varve__connection *connection, enum varve__write kind)
{
    return connection->copies.triggers ? varve__write_of_change(connection, kind) : kind;
}

/* Begins the write of one call: VARVE_MISUSE where none is allowed (a reading transaction, a cursor
 * that is open outside a transaction), else takes the writer's place if the session has it not, and
 * for several statements begins a transaction or a savepoint. */
enum varve_status
varve__write_begin(struct varve__connection *connection, enum varve__write kind);

/* Ends it: makes it true when `status` is VARVE_OK, else undoes it. Returns `status`, or why the commit
 * failed. */
enum varve_status
varve__write_end(
    struct varve__connection *connection, enum varve__write kind, enum varve_status status);

/* A call that needs several reads of one state: begins a reading transaction unless there is one.
 * *begun says so, for varve__read_end(). */
enum varve_status
varve__read_begin(struct varve__connection *connection, bool *begun);

void
varve__read_end(struct varve__connection *connection, bool begun);

#endif
