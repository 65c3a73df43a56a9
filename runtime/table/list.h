/* An array of values as a table that SQLite reads: IN "varve_list"(?), whatever their number, with
 * one statement. The array is passed with sqlite3_bind_pointer() as a struct varve__values of the
 * type VARVE__LIST_TYPE; both must stay until the statement is reset. */
#ifndef VARVE_TABLE_LIST_H
#define VARVE_TABLE_LIST_H

#include <sqlite3.h>
#include <stdint.h>

#define VARVE__LIST_TYPE "varve_list"

/* The families of varve/filter.h, in its words: which C type a value has. */
enum varve__family {
    VARVE__FAMILY_INT64,
    VARVE__FAMILY_FIXED64, /* uint64_t, by its bits */
    VARVE__FAMILY_BOOL,    /* bool */
    VARVE__FAMILY_ENUM,    /* int */
    VARVE__FAMILY_DOUBLE,
    VARVE__FAMILY_FLOAT,
    VARVE__FAMILY_TEXT,  /* char *, never NULL */
    VARVE__FAMILY_BYTES, /* struct varve_bytes */
    VARVE__FAMILY_NULL,  /* no values */
};

struct varve__values {
    enum varve__family family;
    int64_t count;
    const void *data; /* an array of the family's C type */
};

/* Makes "varve_list" known to a connection. */
int
varve__list_register(sqlite3 *database);

#endif
