/* What reading relies on: that the tables are STRICT and their columns of the types that varve made
 * them of. Then SQLite itself refuses values of another type, whoever writes them, and a row that is
 * read is not asked for its types. */
#ifndef VARVE_MIGRATE_STRICT_H
#define VARVE_MIGRATE_STRICT_H

#include <sqlite3.h>

#include <varve/status.h>

#include "table/plan.h"

/* Looks at the tables of all plans, as they are declared; for when a store opens. VARVE_SCHEMA names the
 * table or the column that is another. Columns that no plan has are nobody's business. */
enum varve_status
varve__tables_check(sqlite3 *database, const struct varve__plans *plans);

#endif
