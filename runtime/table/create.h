/* The tables of a schema in a database, and the record of which schema they are of. */
#ifndef VARVE_TABLE_CREATE_H
#define VARVE_TABLE_CREATE_H

#include <sqlite3.h>

#include <varve/schema.h>
#include <varve/status.h>

/* Makes the schema's tables in an empty database, in one transaction; in one that has them, checks
 * that they are of this very schema. VARVE_SCHEMA when they are of another. */
enum varve_status
varve__tables_create(sqlite3 *database, const struct varve_schema *schema);

#endif
