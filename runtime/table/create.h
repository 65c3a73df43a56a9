/* The tables of a schema in a database, and the record of which schema they are of. */
#ifndef VARVE_TABLE_CREATE_H
#define VARVE_TABLE_CREATE_H

#include <sqlite3.h>
#include <stdbool.h>

#include <varve/schema.h>
#include <varve/status.h>

/* Makes the tables of the schemas in an empty database, in one transaction; in one that has them,
 * checks that they are of these very schemas. VARVE_SCHEMA when they are of another, or when the
 * database is no varve's. With `read_only` nothing is made: VARVE_READ_ONLY when there is something to
 * make. */
enum varve_status
varve__tables_create(
    sqlite3 *database, const struct varve_schema *const *schemas, size_t count, bool read_only);

#endif
