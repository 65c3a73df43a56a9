/* The views and triggers of a database, which are all its user's: they stand in the way of migrations, so
 * they are dropped before and made again after. Indexes of the user's go only where their table is made
 * anew, and are then made again too. */
#ifndef VARVE_MIGRATE_OBJECTS_H
#define VARVE_MIGRATE_OBJECTS_H

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
    const char
        *reused; /* a column that it names, whose name is another field's after; NULL: none */
    struct varve__object *next;
};

struct varve__objects {
    struct varve__arena *arena;
    struct varve__object *first; /* in the order in which they were made */
};

/* Keeps all of them, in memory. */
enum varve_status
varve__objects_load(sqlite3 *database, struct varve__objects *objects);

/* Whether a statement that uses the object can be prepared. What it reads an authorizer sees. */
enum varve_status
varve__objects_try(
    sqlite3 *database, struct varve__arena *arena, const struct varve__object *object, bool *works);

/* Drops the views and triggers. In a transaction that writes. */
enum varve_status
varve__objects_drop(sqlite3 *database, const struct varve__objects *objects);

/* Makes them again. VARVE_SCHEMA names one that does not fit the new tables, or
 * that would mean another field in them. */
enum varve_status
varve__objects_make(sqlite3 *database, const struct varve__objects *objects);

void
varve__objects_release(struct varve__objects *objects);

#endif
