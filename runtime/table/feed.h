/* An array of records as a table that SQLite reads: what an insert_many selects from.
 *
 *     INSERT INTO "episode" (slots.., copies.., "varve_unknown")
 *         SELECT * FROM "varve_feed_3"(?1)             3: the plan's index
 *
 * The array is passed with sqlite3_bind_pointer() as a struct varve__feed of the type "varve_feed".
 * Each record is checked as it is read; the first bad one ends the statement with SQLITE_ABORT, and
 * this thread's failure says why. */
#ifndef VARVE_TABLE_FEED_H
#define VARVE_TABLE_FEED_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/arena.h"
#include "table/plan.h"

#define VARVE__FEED_TYPE "varve_feed"

struct varve__feed {
    const void *records; /* structs of the plan's record, one behind the other */
    size_t count;
    struct varve__arena *arena; /* for JSON text and wire bytes; reset for each record */
    bool checked;               /* the records are: varve__record_check() */
    const int64_t *ids; /* generated keys to use instead of the records' own; NULL: theirs */

    /* What the statement leaves behind when it fails. */
    size_t index;             /* the record being read */
    enum varve_status status; /* VARVE_OK, or that of the record at `index` */
};

/* Makes the feed of this plan known to a connection. */
enum varve_status
varve__feed_register(sqlite3 *database, const struct varve__plan *plan);

#endif
