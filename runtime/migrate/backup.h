/* The copy of a database that is made before a migration changes it. */
#ifndef VARVE_MIGRATE_BACKUP_H
#define VARVE_MIGRATE_BACKUP_H

#include <sqlite3.h>
#include <stdbool.h>

#include <varve/status.h>

/* Whether any table has a row, varve's own left out. */
enum varve_status
varve__backup_is_due(sqlite3 *database, bool *due);

/* Copies the database at `path`, as it was last committed, to <folder>/backup/<name>.db; when there is one of that
 * name that is not the same, to <name>-2.db, or -3, and so on. When the call returns VARVE_OK the copy is whole and on
 * disk, and *made is its path, for sqlite3_free(). VARVE_CORRUPT: the database is damaged, and no copy was kept. */
enum varve_status
varve__backup_make(const char *path, const char *folder, const char *name, char **made);

#endif
