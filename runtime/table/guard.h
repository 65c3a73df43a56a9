/* Keeps a connection from reading or writing with a meaning of the schema that is not the database's any
 * more, because another program has migrated it meanwhile.
 *
 * SQLite prepares statements anew, silently, when the tables have changed under them: names may then mean
 * other fields. Every migration raises the generation (varve_generation) and changes SQLite's schema
 * cookie, so that a statement which SQLite has not prepared anew since it was last looked at runs on
 * tables that are known. The generation is looked at
 *
 *     right after a transaction begins, in its snapshot;
 *     when a statement was prepared outside of such a transaction;
 *     when one that reads was prepared anew, before its first row is taken;
 *     when one that writes and commits by itself was: the commit is refused, and it runs again.
 *
 * Looking later than the statement ran is safe: steps are never taken back, so what is allowed now was
 * allowed then. When the generation has moved, the steps that the program does not know decide whether it
 * goes on, only reads, or does nothing until its store is opened anew. */
#ifndef VARVE_TABLE_GUARD_H
#define VARVE_TABLE_GUARD_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include <varve/status.h>

#include "table/newer.h"
#include "table/plan.h"

struct varve__connection;

/* One in each connection. */
struct varve__guard {
    int64_t generation;        /* that was looked at last; VARVE__GENERATION_UNKNOWN before */
    bool no_reads;             /* some step does not allow them */
    bool no_writes;            /* always with no_reads */
    bool covered;              /* the transaction under way began with a look */
    bool looking;              /* a look is under way */
    struct varve__newer newer; /* at the last look; reads_ok and writes_ok as the two above */
    sqlite3_stmt *writing;     /* that commits by itself, while it is stepped */
    enum varve_status status;  /* not OK: why the guard has failed a step, which is recorded */
    sqlite3_stmt *select;
};

#define VARVE__GENERATION_UNKNOWN (-1)

void
varve__guard_init(struct varve__connection *connection);

void
varve__guard_release(struct varve__guard *guard);

/* SQLite's commit hook, with the connection. Also refuses what would make copies stale unsaid: copies.h. */
int
varve__guard_commit(void *context);

/* Right after a transaction has begun: takes its snapshot. VARVE_SCHEMA: the caller must roll back. */
enum varve_status
varve__guard_begin(struct varve__connection *connection, bool write);

/* A new transaction, or none: what guard_begin() has looked at is over. */
static inline void
varve__guard_uncover(struct varve__guard *guard)
{
    guard->covered = false;
}

/* After a statement was prepared for the first time. */
enum varve_status
varve__guard_prepared(struct varve__connection *connection);

/* VARVE_SCHEMA when reads, or writes, are known not to be allowed. */
enum varve_status
varve__guard_check_read(const struct varve__guard *guard);

enum varve_status
varve__guard_check_write(const struct varve__guard *guard);

/* The slow part of varve__guard_read(). */
enum varve_status
varve__guard_look_again(struct varve__connection *connection, sqlite3_stmt *statement);

/* After the first step of a statement that reads, whether or not it gave a row, and before that is
 * used. */
static inline enum varve_status
varve__guard_read(struct varve__connection *connection, sqlite3_stmt *statement)
{
    if (__builtin_expect(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0) == 0, 1))
        return VARVE_OK;
    return varve__guard_look_again(connection, statement);
}

/* varve__connection_step() for the statement of a write on this plan's table, which may commit by itself.
 * `record` is what it writes, NULL when it deletes. With RETURNING it may give its row again: the later
 * one counts. A code that is not the statement's own comes with a failure that
 * varve__connection_fail() knows. */
int
varve__guard_step(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *record,
    sqlite3_stmt *statement);

/* The unknown fields of a record that is written, when the database is newer: VARVE_SCHEMA when it has a
 * column, or a tensor, of one of these numbers, which is so to be stored twice. */
enum varve_status
varve__guard_unknown(
    struct varve__connection *connection, const struct varve__plan *plan, const void *record);

/* After a statement that failed with `code`: VARVE_SCHEMA, and its failure, when that is because the
 * schema has moved; else VARVE_OK, and the failure recorded before stays. */
enum varve_status
varve__guard_explain(struct varve__connection *connection, int code);

#endif
