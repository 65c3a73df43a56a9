/* Column names that mean another field after a migration: two fields that swap their names, or a new one that takes
 * that of an old one. A view that names such a column would go on working, with the wrong values. */
#ifndef VARVE_MIGRATE_REUSE_H
#define VARVE_MIGRATE_REUSE_H

#include <sqlite3.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "migrate/objects.h"

/* Notes in `reused` the objects that name such a column, from the state that the database says it has of the package
 * to the schema's. Before the migration, while the objects are there. */
enum varve_status
varve__reuse_note(
    sqlite3 *database, const struct varve_schema *schema, struct varve__objects *objects);

#endif
