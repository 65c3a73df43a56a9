/* The SQL text of the statements on one record's table. Names are quoted, values never stand in the
 * text; parameters are numbered as plan.h says. All texts are new memory, NULL when there is none:
 * release them with sqlite3_free(). */
#ifndef VARVE_TABLE_SQL_H
#define VARVE_TABLE_SQL_H

#include <stdbool.h>

#include "table/plan.h"
#include "table/statement.h"

/* The text of a verb. */
char *
varve__sql_verb(const struct varve__plan *plan, enum varve__verb verb);

/* UPDATE of these slots, with their JSON copies. */
struct varve__sql_update {
    const size_t *slots;
    size_t slot_count;
};

char *
varve__sql_update(const struct varve__plan *plan, const void *update);

/* INSERT .. ON CONFLICT (unique) DO UPDATE; `unique` is a struct varve_unique. It returns the key, when
 * that is generated, and the version, when there is one. */
char *
varve__sql_upsert(const struct varve__plan *plan, const void *unique);

/* SELECT of all slots and the unknown fields WHERE this slot (a size_t) = ?1. */
char *
varve__sql_get_by(const struct varve__plan *plan, const void *slot);

/* SELECT as varve__row_read() wants it, of records without their tensors, whose parameters are those of these
 * slots. */
struct varve__sql_bare {
    const size_t *slots;
    size_t slot_count;
};

char *
varve__sql_bare(const struct varve__plan *plan, const void *bare);

/* What the number of a row is called in this table: "rowid", where no field has taken that name. */
const char *
varve__sql_rowid(const struct varve__plan *plan);

/* SELECT of the row with this key, as the column "k"; the parts of the key are ?1 and on. */
char *
varve__sql_rows_by_key(const struct varve__plan *plan);

#endif
