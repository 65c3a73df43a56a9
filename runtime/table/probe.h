/* Why a write failed: SQLite names no column of a foreign key and no value of a unique one, so they
 * are looked up afterwards. */
#ifndef VARVE_TABLE_PROBE_H
#define VARVE_TABLE_PROBE_H

#include "table/connection.h"
#include "table/feed.h"
#include "table/filter.h"
#include "table/key_text.h"

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

/* Makes it the greatest key that the table ever had: it must be greater. In a write that has begun. */
enum varve_status
varve__probe_raise_sequence(
    struct varve__connection *connection, const struct varve__plan *plan, int64_t greatest);

/* VARVE_FULL: a key is to be assigned and there is none left. */
enum varve_status
varve__fail_no_key(const struct varve__plan *plan, const char *what);

/* Records why deleting the record with this key answered `code`: of a foreign key it names what refers
 * to it, or to what would be deleted with it. The statement must be reset. `key` NULL: several records,
 * and which is not known. */
enum varve_status
varve__probe_delete(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *const *key);

/* The same of all that the filter, read for VARVE__FILTER_DELETE, finds. What it points at must be there
 * still. */
enum varve_status
varve__probe_delete_where(
    struct varve__connection *connection, int code, const struct varve__filter *filter);

#endif
