/* JSON copies that are written anew, because the names or the shape of what they show have changed. */
#ifndef VARVE_MIGRATE_REBUILD_H
#define VARVE_MIGRATE_REBUILD_H

#include <sqlite3.h>
#include <stddef.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "migrate/functions.h"

/* Writes the copies of all marked fields, as far as the schemas have them with copies. In a transaction
 * that writes. */
enum varve_status
varve__rebuild_json(
    sqlite3 *database,
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve__mark *marks);

#endif
