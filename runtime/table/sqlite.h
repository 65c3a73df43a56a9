/* SQLite's answers as varve's: result codes become a status, a failure kind and a sentence. */
#ifndef VARVE_TABLE_SQLITE_H
#define VARVE_TABLE_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>

#include <varve/schema.h>
#include <varve/status.h>

/* Records what a call on `database` that answered `code` means, while doing `what` ("insert") on a
 * record of this table; `table` is NULL outside records. */
enum varve_status
varve__sqlite_fail(sqlite3 *database, int code, const struct varve_record *table, const char *what);

/* Opens the database file. *database is NULL when the call fails; else close it. */
enum varve_status
varve__sqlite_open(const char *path, bool read_only, sqlite3 **database);

/* Puts the database into WAL mode, if it is not. VARVE_IO where the file system does not allow it. */
enum varve_status
varve__sqlite_use_wal(sqlite3 *database, const char *path);

/* Runs statements that give no rows. */
enum varve_status
varve__sqlite_execute(sqlite3 *database, const char *sql);

/* Undoes the transaction, if one is open, which needs memory. Returns `status`, or why it is open still when that is
 * VARVE_OK. */
enum varve_status
varve__sqlite_roll_back(sqlite3 *database, enum varve_status status);

/* Prepares one statement for repeated use. *statement is NULL when the call fails. */
enum varve_status
varve__sqlite_prepare(
    sqlite3 *database, const struct varve_record *table, const char *sql, sqlite3_stmt **statement);

#endif
