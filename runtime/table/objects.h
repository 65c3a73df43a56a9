/* The views and triggers of a database, which are all its user's: they stand in the way of migrations, so
 * they are dropped before and made again after. Indexes of the user's go only where their table is made
 * anew, and are then made again too. */
#ifndef VARVE_TABLE_OBJECTS_H
#define VARVE_TABLE_OBJECTS_H

#include <sqlite3.h>
#include <stdbool.h>

#include <varve/status.h>

#include "base/arena.h"

enum varve__object_kind {
    VARVE__OBJECT_VIEW,
    VARVE__OBJECT_TRIGGER,
    VARVE__OBJECT_INDEX,
};

struct varve__object {
    enum varve__object_kind kind;
    const char *name;
    const char *table; /* of a trigger or an index */
    const char *sql;
    bool works; /* before the migration */
    struct varve__object *next;
};

struct varve__objects {
    struct varve__arena *arena;
    struct varve__object *first; /* in the order in which they were made */
};

/* Keeps all of them, and drops the views and triggers. In a transaction that writes. */
enum varve_status
varve__objects_take(sqlite3 *database, struct varve__objects *objects);

/* Makes them again. VARVE_SCHEMA names one that does not fit the new tables. */
enum varve_status
varve__objects_make(sqlite3 *database, const struct varve__objects *objects);

void
varve__objects_release(struct varve__objects *objects);

#endif
