/* The copy of a database that is made before a migration changes it. */
#ifndef VARVE_TABLE_BACKUP_H
#define VARVE_TABLE_BACKUP_H

#include <sqlite3.h>
#include <stdbool.h>

#include <varve/status.h>

/* Whether any table has a row, varve's own left out. */
enum varve_status
varve__backup_is_due(sqlite3 *database, bool *due);

/* Copies the database at `path`, as it was last committed, to <folder>/backup/<name>.db. When the call
 * returns VARVE_OK the copy is whole and on disk; one of that name is replaced, and never by half. */
enum varve_status
varve__backup_make(const char *path, const char *folder, const char *name);

#endif
