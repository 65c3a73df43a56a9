/* The SQL functions that migrations may use:
 *
 *     varve_assert(condition, text)             1, or the error `text` unless the condition is true
 *     varve_unknown_has(blob, number)           1 when the unknown fields have one of this number, else 0
 *     varve_unknown_value(blob, number, type)   its value as a column of this type holds it, NULL when absent
 *     varve_unknown_without(blob, number)       the unknown fields without it, NULL when nothing is left
 *     varve_rebuild_json(message, number)       notes that the JSON copies of this field are to be written anew
 *
 * `type` is in the words of schema.lock: "int64", "repeated string", "map string int64", "message".
 */
#ifndef VARVE_MIGRATE_FUNCTIONS_H
#define VARVE_MIGRATE_FUNCTIONS_H

#include <sqlite3.h>
#include <stdint.h>

#include <varve/status.h>

#include "base/arena.h"

/* A field whose JSON copies a migration has asked for. */
struct varve__mark {
    const char *message; /* its full name */
    uint32_t number;
    struct varve__mark *next;
};

struct varve__functions {
    struct varve__arena *kept;  /* the marks */
    struct varve__arena *arena; /* what one call needs */
    struct varve__mark *marks;
};

/* Makes the functions known to this connection. Release them, when the call fails too. */
enum varve_status
varve__functions_register(sqlite3 *database, struct varve__functions *functions);

/* The connection does not know them any more. */
void
varve__functions_release(sqlite3 *database, struct varve__functions *functions);

#endif
