/* Which steps of its migrations a schema's tables have in a database, and whether they are the program's
 * own. */
#ifndef VARVE_MIGRATE_HISTORY_H
#define VARVE_MIGRATE_HISTORY_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include <varve/schema.h>
#include <varve/status.h>

enum varve__package_state {
    VARVE__PACKAGE_CURRENT,
    VARVE__PACKAGE_MISSING, /* the database has none of its tables */
    VARVE__PACKAGE_PENDING, /* some migrations of the program's are not applied */
    VARVE__PACKAGE_NEWER,   /* some that the program does not know are */
    VARVE__PACKAGE_ADOPTED, /* the tables are right, but what the database says of them is not all there */
};

struct varve__package {
    const struct varve_schema *schema;
    enum varve__package_state state;
    size_t applied; /* migrations of the program's that the database has */
};

/* Reads the state of the schema in a database whose system tables are of this version. In a transaction.
 * VARVE_SCHEMA: the database has it otherwise, in a way that no migration of the program's mends; the text
 * says how. */
enum varve_status
varve__history_read(
    sqlite3 *database,
    int system_version,
    const struct varve_schema *schema,
    struct varve__package *package);

/* Notes the migrations from `first` on as applied, and the schema as the database's. */
enum varve_status
varve__history_write(sqlite3 *database, const struct varve_schema *schema, size_t first);

#endif
