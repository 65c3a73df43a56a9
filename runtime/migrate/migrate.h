/* Bringing a database to the state of the program's schemas when a store opens: making their tables, or
 * applying the migrations that they do not have yet. */
#ifndef VARVE_MIGRATE_MIGRATE_H
#define VARVE_MIGRATE_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "base/file_lock.h"
#include "migrate/drift.h"
#include "migrate/history.h"
#include "table/connection.h"
#include "table/newer.h"

struct varve__migrate {
    struct varve__connection *connection; /* of its own: closed after */
    const struct varve_schema *const *schemas;
    size_t count;
    struct varve__file_lock *lock; /* of the store; held shared when the call succeeds */
    const char *path;              /* of the database */
    const char *folder;            /* that gets the backup; NULL: none is made */
    bool read_only;
    bool refuse; /* migrations are named, and not applied */
    int64_t page_cache_bytes;
    void (*progress)(void *context, const char *file, const char *what, size_t done, size_t total);
    void *progress_context;
    struct varve__log log;
};

/* What there is to do in a database. */
struct varve__inspection {
    int system_version;
    struct varve__package *packages; /* one for each schema */
    size_t count;
    const struct varve_schema **settled; /* those that are not newer in the database */
    size_t settled_count;
    bool change;    /* something is to be written */
    bool migrates;  /* migrations are to be applied to tables that are there */
    bool runs;      /* migrations are to be run: in new tables too */
    bool exclusive; /* and some does not suit running programs of the version before */
    bool newer;     /* the database has steps that the program lacks, and they let it go on */
};

/* VARVE_SCHEMA, and the database as it was: it is not one that the migrations lead from, or one of them
 * failed. VARVE_BUSY: other programs have the store open, and the migrations do not suit them; the text names
 * their processes. VARVE_UNKNOWN_OUTCOME: the commit's I/O failed. *newer: the database has migrations that
 * the program lacks, which let it go on, maybe only reading. */
enum varve_status
varve__migrate(const struct varve__migrate *migrate, bool *newer);

/* Fills the inspection in the transaction under way. */
enum varve_status
varve__inspect(const struct varve__migrate *migrate, struct varve__inspection *inspection);

/* Inspects again and does what is to be done, in one transaction. When another program has done it
 * meanwhile, or the lock does not suffice for it any more, nothing is done. */
enum varve_status
varve__apply(const struct varve__migrate *migrate, struct varve__inspection *inspection);

#endif
