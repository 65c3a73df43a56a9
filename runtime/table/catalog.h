/* The catalog of the archive: which segments there are, what each of their datasets is, and where each tensor
 * stands. It lies in the database, so that one commit makes rows and tensors true together.
 *
 *     varve_segment   a sealed file: message, path from the archive's folder on, bytes, hash
 *     varve_dataset   one of its datasets, as archive/dataset.h packs it
 *     varve_staged_*  one for each message, a row for each tensor: where dataset is 0 with its bytes, else with the
 *                     element of that dataset where it begins. A delete of the record takes it along. Its id is
 *                     new with each value that is written, by which who moves it knows what he has read.
 *     varve_dropped   files that the catalog names no more, and some reader's snapshot may
 *     varve_sealed    of each varve_staged_*: no row up to this id waits to be moved, but for empty ones
 *     varve_archive   one row: by which the archive's folder is known to be this database's
 */
#ifndef VARVE_TABLE_CATALOG_H
#define VARVE_TABLE_CATALOG_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include <varve/status.h>

#include "archive/archive.h"
#include "archive/segment.h"
#include "table/plan.h"

struct varve__connection;

enum varve__catalog_statement {
    VARVE__CATALOG_DATASET,
    VARVE__CATALOG_NEXT,
    VARVE__CATALOG_ADD_SEGMENT,
    VARVE__CATALOG_ADD_DATASET,
    VARVE__CATALOG_HAS_FILE,
    VARVE__CATALOG_COUNT,
};

/* What a connection has of it. */
struct varve__catalog {
    struct varve__archive *archive; /* NULL: the store has no tensors */
    sqlite3_stmt *statements[VARVE__CATALOG_COUNT];
    struct varve__held_segment
        *held; /* written in the transaction under way: their locks are kept until it ends */
    struct varve__sealed *ahead; /* segments that wait for the write that names them: seal.h */
    bool fresh; /* that transaction has added datasets, whose numbers may come again */
};

enum varve__ending {
    VARVE__ENDING_COMMITTED,
    VARVE__ENDING_UNDONE,
    VARVE__ENDING_UNKNOWN, /* whether the commit is on disk: nothing is deleted */
};

/* Sees that the archive's folder belongs to this database; where it belongs to none yet, it does from now on.
 * VARVE_MISUSE: it is another's. */
enum varve_status
varve__catalog_claim(struct varve__connection *connection);

void
varve__catalog_release(struct varve__catalog *catalog);

/* The dataset with this number, in use: varve__reader_done(). The statement or transaction under way must keep the
 * snapshot in which a row names it. VARVE_CORRUPT: the catalog lacks it, or it is damaged. */
enum varve_status
varve__catalog_dataset(
    struct varve__connection *connection, int64_t id, struct varve__archived **archived);

/* Adds a finished segment, which it takes over whatever the status, in the transaction under way. `bytes` are those
 * of the elements that rows will name. Its datasets have
 * numbers from *first on. */
enum varve_status
varve__catalog_add(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment *segment,
    int64_t bytes,
    int64_t *first);

/* Deletes a finished segment that no catalog will name, and releases it. NULL is fine. */
void
varve__catalog_discard(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment *segment);

/* What the end of a transaction makes of them. */
void
varve__catalog_settle_held(struct varve__connection *connection, enum varve__ending ending);

static inline void
varve__catalog_settle(
    struct varve__connection *connection, struct varve__catalog *catalog, enum varve__ending ending)
{
    if (__builtin_expect(catalog->held != NULL, 0))
        varve__catalog_settle_held(connection, ending);
}

/* The hash of a row of varve_staged_*: of all that says what and where the tensor is, with its bytes where they are
 * in the row. What was written as NULL is not compared. */
int64_t
varve__catalog_hash(
    int64_t record,
    int64_t field,
    int64_t dataset,
    int64_t place,
    const char *dims,
    const void *bytes,
    size_t size);

#endif
