/* What is left of segments: files that the catalog names no more. */
#ifndef VARVE_TABLE_TIDY_H
#define VARVE_TABLE_TIDY_H

#include "table/connection.h"

/* Deletes the files of varve_dropped, once no reader of any program is on a snapshot that names them; else they
 * are left for the next time. Adds to *deleted. The caller has the folder's maintenance lock. */
enum varve_status
varve__tidy_dropped(struct varve__connection *connection, int64_t *deleted);

/* Drops segments that no row of any table of the database names. Adds to *dropped. */
enum varve_status
varve__tidy_unnamed(struct varve__connection *connection, int64_t *dropped);

/* Deletes files in the archive's folders that were never finished, or whose transaction never was committed: those
 * that the catalog does not name and nobody is writing. Others than varve's are left alone. Adds to *deleted. */
enum varve_status
varve__tidy_sweep(struct varve__connection *connection, int64_t *deleted);

/* Gives pages of the database back to the file system that nothing is in. */
enum varve_status
varve__tidy_vacuum(struct varve__connection *connection);

#endif
