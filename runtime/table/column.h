/* What a column holds by the schema, and the sentences for one that holds something else: anybody can
 * change a table. */
#ifndef VARVE_TABLE_COLUMN_H
#define VARVE_TABLE_COLUMN_H

#include <sqlite3.h>

#include <varve/status.h>

#include "table/plan.h"

/* The type that a scalar of this move has in SQLite. */
static inline __attribute__((always_inline)) int
varve__scalar_type(enum varve__move move)
{
    switch (move) {
    case VARVE__MOVE_FLOAT:
    case VARVE__MOVE_DOUBLE:
        return SQLITE_FLOAT;
    case VARVE__MOVE_STRING:
        return SQLITE_TEXT;
    case VARVE__MOVE_BYTES:
        return SQLITE_BLOB;
    default:
        return SQLITE_INTEGER;
    }
}

/* The type of a slot's values that are not NULL. */
int
varve__column_type(const struct varve__slot *slot);

/* The same as the tables declare it: "INTEGER". */
const char *
varve__column_declared(const struct varve__slot *slot);

/* VARVE_TYPE: the column holds something that varve has not written. `what` says what it is. */
enum varve_status
varve__column_refuse(
    const struct varve__plan *plan,
    const ProtobufCFieldDescriptor *field,
    enum varve_failure_kind kind,
    const char *what,
    ...) VARVE_PRINTF(4, 5);

/* The same for a value of a wrong type. */
enum varve_status
varve__column_refuse_type(
    const struct varve__plan *plan, const struct varve__slot *slot, sqlite3_value *value);

/* Why this value of a scalar slot, not NULL where the slot is nullable, could not be read: its type, its
 * range, its UTF-8; else there was no memory for it. */
enum varve_status
varve__column_refuse_scalar(
    const struct varve__plan *plan, const struct varve__slot *slot, sqlite3_value *value);

#endif
