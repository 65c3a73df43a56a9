/* Rows: a record's fields as the parameters and the columns of a prepared statement. plan.h says in
 * which order they stand. */
#ifndef VARVE_TABLE_ROW_H
#define VARVE_TABLE_ROW_H

#include <sqlite3.h>

#include <varve/filter.h>
#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"
#include "table/plan.h"

/* Binds all slots and JSON copies of the record. Strings and bytes are bound in place; what is not in
 * the record itself (JSON text, wire bytes) is put into the arena. Both must stay until the statement
 * is reset. The record must have passed varve__record_check(). A generated key of 0 is bound as
 * NULL. VARVE_INVALID: a NaN, or a uint64 that a column cannot hold. */
enum varve_status
varve__row_bind(
    const struct varve__plan *plan,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement);

/* Binds the record's unknown fields, NULL without any, to parameter varve__plan_unknown(). */
enum varve_status
varve__row_bind_unknown(
    const struct varve__plan *plan,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement);

/* Binds one slot, with its JSON copy if it has one. */
enum varve_status
varve__row_bind_slot(
    const struct varve__plan *plan,
    size_t slot,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement);

/* Binds one value of a scalar slot to any parameter. `value` points at the field's C type, for strings
 * at a const char *; text and bytes are bound in place, and not checked to be UTF-8. VARVE_INVALID: a
 * text that is NULL, a NaN, a uint64 that a column cannot hold. */
enum varve_status
varve__row_bind_value(
    const struct varve__plan *plan,
    size_t slot,
    const void *value,
    sqlite3_stmt *statement,
    int parameter);

/* Binds a primary key, as varve_record_get() takes it, to the parameters from `parameter` on. A part
 * that is NULL, or text that is no UTF-8, is VARVE_INVALID; no key at all VARVE_MISUSE. */
enum varve_status
varve__row_bind_key(
    const struct varve__plan *plan, const void *const *key, sqlite3_stmt *statement, int parameter);

/* Points key[] at the parts of the record's own primary key. */
void
varve__row_key(const struct varve__plan *plan, const void *record, const void **key);

/* Whether the record's generated key is 0: to be assigned. False for other kinds of keys. */
bool
varve__row_key_is_missing(const struct varve__plan *plan, const void *record);

/* Makes a record of the row that the statement stands on, with all it points at in a block of its own:
 * release it with varve_record_free(), or take more of varve__arena_of(record). Tensors are as
 * in varve__row_borrow(); the columns of optional ones stand behind the unknown fields, and where the
 * statement has none these tensors are absent. VARVE_TYPE names a column that holds what its field
 * cannot: a number out of range, text that is no UTF-8, damaged JSON or messages. That each column holds
 * values of its type is left to SQLite's STRICT tables (strict.h): in a damaged file the value of a field
 * that is never absent is whatever SQLite converts it to. */
enum varve_status
varve__row_read(const struct varve__plan *plan, sqlite3_stmt *statement, void **record);

/* The same, in an arena that is there. */
enum varve_status
varve__row_read_into(
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    struct varve__arena *arena,
    void **record);

/* Makes *row, an initialised struct of the record that nobody else writes into, show the row of a find (whose SELECT has no unknown fields, but
 * for records with optional tensors a column for each of these, in their order: whether it is there).
 * Text and bytes point into SQLite, valid until the statement moves; maps and messages are decoded
 * into the arena. Tensors are not loaded: their count is what the dims say, data is NULL. */
enum varve_status
varve__row_borrow(
    const struct varve__plan *plan, sqlite3_stmt *statement, struct varve__arena *arena, void *row);

/* The value of an integer, bool or enum field as SQLite sees it: 64 bits, the sign kept. */
int64_t
varve__integer_at(ProtobufCType type, const void *value);

#endif
