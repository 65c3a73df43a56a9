/* Whether a database's tables and indexes are those that the schemas ask for. */
#ifndef VARVE_MIGRATE_DRIFT_H
#define VARVE_MIGRATE_DRIFT_H

#include <sqlite3.h>
#include <stddef.h>

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/store.h>

/* Where events go. */
struct varve__log {
    void (*write)(
        void *context, enum varve_log_level level, enum varve_tier tier, const char *message);
    void *context;
};

/* Formatted as sqlite3_mprintf() does. */
void
varve__log_event(const struct varve__log *log, enum varve_log_level level, const char *format, ...);

/* Compares the database's objects with those of the system tables and the schemas, by their normal form, in
 * the snapshot of the transaction under way. VARVE_SCHEMA says what was expected and what is there, as much as
 * fits; all of it is logged. Tables, indexes, views and triggers of the user's own are not in the way: they
 * are logged once. */
enum varve_status
varve__drift_check(
    sqlite3 *database,
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve__log *log);

#endif
