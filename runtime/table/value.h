/* One value on its way into SQLite: what a parameter is bound to, what a column of a feed gives. It is
 * made of a record that has passed varve__record_check(). */
#ifndef VARVE_TABLE_VALUE_H
#define VARVE_TABLE_VALUE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/types.h>

#include "base/arena.h"
#include "table/plan.h"

struct varve__value {
    int type; /* SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL */
    union {
        int64_t integer;
        double real;
        struct {
            const void *data; /* in the record or the arena; never NULL */
            size_t size;      /* in bytes */
        };
    };
};

/* Makes a value of a member of the C type that moves so. False: it cannot be stored, and
 * varve__value_refuse_scalar() says why. */
static inline __attribute__((always_inline)) bool
varve__value_take(enum varve__move move, const void *member, struct varve__value *value)
{
    const struct varve_bytes *bytes = member;
    switch (move) {
    case VARVE__MOVE_FLOAT:
    case VARVE__MOVE_DOUBLE:
        value->type = SQLITE_FLOAT;
        value->real = move == VARVE__MOVE_FLOAT ? *(const float *)member : *(const double *)member;
        return value->real == value->real; /* a NaN is not */
    case VARVE__MOVE_STRING:
        value->type = SQLITE_TEXT;
        value->data = *(const char *const *)member;
        value->size = value->data ? strlen(value->data) : 0;
        return value->data != NULL;
    case VARVE__MOVE_BYTES:
        value->type = SQLITE_BLOB;
        value->data = bytes->size > 0 ? (const void *)bytes->data : ""; /* NULL would be NULL */
        value->size = bytes->size;
        return true;
    default:
        value->type = SQLITE_INTEGER;
        break;
    }
    switch (move) {
    case VARVE__MOVE_INT32:
        value->integer = *(const int32_t *)member;
        return true;
    case VARVE__MOVE_UINT32:
        value->integer = *(const uint32_t *)member;
        return true;
    case VARVE__MOVE_BOOL:
        value->integer = *(const protobuf_c_boolean *)member != 0;
        return true;
    case VARVE__MOVE_UINT64:
        value->integer = *(const int64_t *)member;
        return value->integer >= 0;
    default:
        value->integer = *(const int64_t *)member;
        return true;
    }
}

/* Binds the value, text and bytes where they lie (SQLITE_STATIC) or copied (SQLITE_TRANSIENT). SQLite's answer. */
static inline __attribute__((always_inline)) int
varve__value_bind(
    sqlite3_stmt *statement,
    int parameter,
    const struct varve__value *value,
    sqlite3_destructor_type copied)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(statement, parameter, value->integer);
    case SQLITE_FLOAT:
        return sqlite3_bind_double(statement, parameter, value->real);
    case SQLITE_TEXT:
        return sqlite3_bind_text64(
            statement, parameter, value->data, value->size, copied, SQLITE_UTF8);
    case SQLITE_BLOB:
        return sqlite3_bind_blob64(statement, parameter, value->data, value->size, copied);
    default:
        return sqlite3_bind_null(statement, parameter);
    }
}

/* VARVE_INVALID: what varve__value_take() has refused of this slot: a NULL, a NaN, or a uint64 that a
 * column cannot hold. */
enum varve_status
varve__value_refuse_scalar(const struct varve__plan *plan, const struct varve__slot *slot);

/* The value of a slot. A generated key of 0 is NULL. VARVE_INVALID as above, and a NaN in JSON. */
enum varve_status
varve__value_of_slot(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    const void *record,
    struct varve__arena *arena,
    struct varve__value *value);

/* The JSON copy of a slot. */
enum varve_status
varve__value_of_copy(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    const void *record,
    struct varve__arena *arena,
    struct varve__value *value);

/* The record's unknown fields: their wire bytes, NULL without any. */
enum varve_status
varve__value_of_unknown(
    const struct varve__plan *plan,
    const void *record,
    struct varve__arena *arena,
    struct varve__value *value);

/* VARVE_INVALID: "<message>.<field> <what>", with the field's number. */
enum varve_status
varve__value_refuse(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    enum varve_failure_kind kind,
    const char *what);

#endif
