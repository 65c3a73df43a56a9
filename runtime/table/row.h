/* Rows: a record's fields as the parameters and the columns of a prepared statement.
 *
 * Statements name all columns of the table in schema order, tensors left out, and the hidden column
 * of unknown fields last; parameters are numbered likewise.
 */
#ifndef VARVE_TABLE_ROW_H
#define VARVE_TABLE_ROW_H

#include <sqlite3.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"

/* Binds the record to the statement. What is not in the record itself (JSON text, wire bytes) lies
 * in the arena, which must live until the statement was stepped and reset. The record must have
 * passed varve__record_check(). A generated key of 0 is bound as NULL. */
enum varve_status
varve__row_bind(
    const struct varve_record *table,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement);

/* Makes a record, in a block of its own, of the row that the statement stands on: release it with
 * varve_record_free(). VARVE_TYPE names a column that holds something else than the schema says. */
enum varve_status
varve__row_read(const struct varve_record *table, sqlite3_stmt *statement, void **record);

/* The value of an integer, bool or enum field as SQLite sees it: 64 bits, the sign kept. */
int64_t
varve__integer_at(ProtobufCType type, const void *value);

/* Binds the parts of a primary key to parameters 1 and on, as varve_record_get() takes them. */
enum varve_status
varve__row_bind_key(
    const struct varve_record *table, const void *const *key, sqlite3_stmt *statement);

#endif
