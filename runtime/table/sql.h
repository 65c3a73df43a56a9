/* The SQL text of the statements on one record's table. */
#ifndef VARVE_TABLE_SQL_H
#define VARVE_TABLE_SQL_H

#include <varve/schema.h>

/* INSERT INTO .. VALUES, a parameter for each column. New memory, NULL when there is none: release
 * it with sqlite3_free(). */
char *
varve__sql_insert(const struct varve_record *table);

/* SELECT .. WHERE primary key, a parameter for each part. The same. */
char *
varve__sql_get(const struct varve_record *table);

#endif
