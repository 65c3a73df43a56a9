/* Why a write failed: SQLite names no column of a foreign key and no value of a unique one, so they
 * are looked up afterwards. */
#ifndef VARVE_TABLE_PROBE_H
#define VARVE_TABLE_PROBE_H

#include "table/connection.h"

/* Room for a key as text. */
enum {
    VARVE__KEY_TEXT = 200
};

/* Writes the parts of a key, given as varve_record_get() takes it: `id 7`, `site "a", day 3`. */
void
varve__key_text(const struct varve__plan *plan, const void *const *key, char text[VARVE__KEY_TEXT]);

/* VARVE_NOT_FOUND: there is no record with this key. */
enum varve_status
varve__not_found(const struct varve__plan *plan, const void *const *key);

/* Records why writing this record answered `code`: as varve__connection_fail(), but of a foreign key it
 * names the field and the missing key, and of a unique constraint the value. The statement must be
 * reset. */
enum varve_status
varve__probe_write(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *record,
    const char *what);

/* The same for an array of records whose insert failed, at `index` unless a foreign key did. */
enum varve_status
varve__probe_many(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *records,
    size_t count,
    size_t index);

/* Records why deleting answered `code`: of a foreign key it names what refers to the record. `key` NULL:
 * several records. */
enum varve_status
varve__probe_delete(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *const *key);

#endif
