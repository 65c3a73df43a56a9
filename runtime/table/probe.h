/* Why a write failed: SQLite names no column of a foreign key and no value of a unique one, so they
 * are looked up afterwards. */
#ifndef VARVE_TABLE_PROBE_H
#define VARVE_TABLE_PROBE_H

#include "table/connection.h"
#include "table/feed.h"

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

/* The same with this value, given as varve__row_bind_value() takes it, in a unique field. */
enum varve_status
varve__not_found_by(const struct varve__plan *plan, size_t slot, const void *value);

/* Records why writing this record answered `code`: as varve__connection_fail(), but of a foreign key it
 * names the field and the missing key, and of a unique constraint the value. `written` says of each
 * slot whether the statement wrote it, NULL: all. The statement must be reset. */
enum varve_status
varve__probe_write(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *record,
    const bool *written,
    const char *what);

/* The same for an array of records whose insert failed, at the feed's index unless a foreign key did. */
enum varve_status
varve__probe_many(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const struct varve__feed *feed);

/* The greatest key that the table ever had, 0 when none. The result is SQLite's. */
int
varve__probe_sequence(
    struct varve__connection *connection, const struct varve__plan *plan, int64_t *greatest);

/* VARVE_FULL: a key is to be assigned and there is none left. */
enum varve_status
varve__fail_no_key(const struct varve__plan *plan, const char *what);

/* Records why deleting answered `code`: of a foreign key it names what refers to the record. `key` NULL:
 * several records. */
enum varve_status
varve__probe_delete(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *const *key);

#endif
