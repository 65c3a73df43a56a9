/* The SQL of a migration, run statement by statement. */
#ifndef VARVE_MIGRATE_SCRIPT_H
#define VARVE_MIGRATE_SCRIPT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include <varve/schema.h>
#include <varve/status.h>

/* Several migrations, run one after the other. */
struct varve__script {
    sqlite3 *database;
    void (*progress)(void *context, const char *file, const char *what, size_t done, size_t total);
    void *context;
    size_t done;           /* statements */
    size_t total;          /* of all the migrations, as varve__script_count() says */
    bool check_references; /* rows may refer now to others that are not there */
    bool preparing;        /* what is authorized is the migration's own */
    bool temporary;        /* there may be tables or views of this connection's alone */
    const char *denied;    /* why a statement was not authorized */
};

/* The migration's statements; 0 without memory too. */
size_t
varve__script_count(const struct varve_migration *migration);

/* Runs the migration's statements. The failure names the file and the statement. What would
 * reach out of the transaction or the database is refused, and so are changes of the system tables and pragmas. */
enum varve_status
varve__script_run(
    struct varve__script *script,
    const struct varve_schema *schema,
    const struct varve_migration *migration);

#endif
