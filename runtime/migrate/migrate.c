/* What is to be done in a database, who may do it, and the locks that it takes. */
#include "migrate/migrate.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/sqlite.h"
#include "table/system.h"

enum {
    PAUSE_NS = 5000000, /* between two tries of the lock */
    HOLDERS_SIZE = 160, /* bytes of the processes that are named */
    NAMES_SIZE = 300,   /* of the files */
};

/* -------------------------------------------------------------------- inspecting */

/* A database that has packages, but none of these, is not added to: it is the wrong one. */
static enum varve_status
check_packages(const struct varve__migrate *migrate, const struct varve__inspection *inspection)
{
    sqlite3_stmt *statement = NULL;
    for (size_t i = 0; i < inspection->count; i++) {
        if (inspection->packages[i].state != VARVE__PACKAGE_MISSING)
            return VARVE_OK;
    }
    sqlite3 *database = migrate->connection->database;
    enum varve_status status = varve__sqlite_prepare(
        database, NULL, "SELECT package FROM varve_schema ORDER BY package", &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        status = varve__fail(
            VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "the database holds the schema of package %s, and none of this program's; name another "
            "folder in data_dir",
            sqlite3_column_text(statement, 0));
    else if (code != SQLITE_DONE)
        status = varve__sqlite_fail(database, code, NULL, "reading the schema");
    sqlite3_finalize(statement);
    return status;
}

/* Steps that the program does not know must suit it. */
static enum varve_status
check_newer(const struct varve__migrate *migrate)
{
    struct varve__newer newer;
    enum varve_status status =
        varve__newer_check(migrate->connection->database, migrate->schemas, migrate->count, &newer);
    if (status != VARVE_OK || newer.reads_ok)
        return status;
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database is newer than this program: it has the migration %s of package %s, which "
        "does "
        "not suit older programs; use a program that has it, or restore a backup",
        newer.name, newer.package ? newer.package : "?");
}

static bool
is_exclusive(const struct varve__package *package)
{
    bool exclusive = false;
    if (package->state != VARVE__PACKAGE_PENDING)
        return false;
    for (size_t i = package->applied; i < package->schema->migration_count; i++)
        exclusive = exclusive || !package->schema->migrations[i].writes_ok;
    return exclusive;
}

static void
sum_up(struct varve__inspection *inspection)
{
    inspection->settled_count = 0;
    inspection->change = inspection->system_version < VARVE__SYSTEM_VERSION;
    inspection->migrates = inspection->runs = inspection->exclusive = inspection->newer = false;
    for (size_t i = 0; i < inspection->count; i++) {
        const struct varve__package *package = &inspection->packages[i];
        enum varve__package_state state = package->state;
        bool new_files = state == VARVE__PACKAGE_MISSING && package->schema->migration_count > 0;
        bool newer = state == VARVE__PACKAGE_NEWER;
        inspection->newer = inspection->newer || newer;
        inspection->change = inspection->change || (state != VARVE__PACKAGE_CURRENT && !newer);
        inspection->migrates = inspection->migrates || state == VARVE__PACKAGE_PENDING;
        inspection->runs = inspection->runs || inspection->migrates || new_files;
        inspection->exclusive = inspection->exclusive || is_exclusive(package);
        if (!newer)
            inspection->settled[inspection->settled_count++] = package->schema;
    }
}

/* With read_only nothing is noted, as long as the tables are right without. */
static enum varve_status
read_package(
    const struct varve__migrate *migrate,
    int system_version,
    size_t index,
    struct varve__package *package)
{
    enum varve_status status = varve__history_read(
        migrate->connection->database, system_version, migrate->schemas[index], package);
    if (migrate->read_only && package->state == VARVE__PACKAGE_ADOPTED)
        package->state = VARVE__PACKAGE_CURRENT;
    return status;
}

enum varve_status
varve__inspect(const struct varve__migrate *migrate, struct varve__inspection *inspection)
{
    sqlite3 *database = migrate->connection->database;
    enum varve_status status = varve__system_version(database, &inspection->system_version);
    for (size_t i = 0; i < migrate->count && status == VARVE_OK; i++)
        status = read_package(migrate, inspection->system_version, i, &inspection->packages[i]);
    inspection->change = false;
    if (status != VARVE_OK)
        return status;
    sum_up(inspection);
    if (inspection->system_version > 0)
        status = check_packages(migrate, inspection);
    return status == VARVE_OK && inspection->newer ? check_newer(migrate) : status;
}

/* Inspects in one snapshot; where nothing is to be done, the tables must be as the schemas say. */
static enum varve_status
look(const struct varve__migrate *migrate, struct varve__inspection *inspection)
{
    sqlite3 *database = migrate->connection->database;
    migrate->connection->watch.wait_end = 0; /* a wait begins now */
    enum varve_status status = varve__sqlite_execute(database, "BEGIN");
    if (status != VARVE_OK)
        return status;
    status = varve__inspect(migrate, inspection);
    if (status == VARVE_OK && !inspection->change)
        status = varve__drift_check(
            database, inspection->settled, inspection->settled_count, &migrate->log);
    return varve__sqlite_roll_back(database, status);
}

/* -------------------------------------------------------------------- permission */

/* The files that are to be applied, cut to size. */
static void
list_pending(const struct varve__inspection *inspection, char *names, size_t size)
{
    *names = '\0';
    for (size_t i = 0; i < inspection->count; i++) {
        const struct varve__package *package = &inspection->packages[i];
        for (size_t j = package->applied;
             package->state == VARVE__PACKAGE_PENDING && j < package->schema->migration_count;
             j++) {
            size_t length = strlen(names);
            sqlite3_snprintf(
                (int)(size - length), names + length, "%s%s.sql", length > 0 ? ", " : "",
                package->schema->migrations[j].name);
        }
    }
}

static enum varve_status
fail_pending(const struct varve__inspection *inspection, const char *reason, const char *mend)
{
    char names[NAMES_SIZE];
    list_pending(inspection, names, sizeof names);
    if (inspection->migrates)
        return varve__fail(
            VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
            "migrations are to be applied, and %s: %s; %s", reason, names, mend);
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database is of an older varve, whose system tables are to be moved, and %s; %s",
        reason, mend);
}

static enum varve_status
fail_read_only(const struct varve_schema *schema)
{
    return varve__fail(
        VARVE_READ_ONLY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database has no tables of package %s, and with read_only none are made; open it "
        "without once",
        schema->package);
}

/* Whether the configuration allows what is to be done. Making tables is no migration. */
static enum varve_status
check_permission(const struct varve__migrate *migrate, const struct varve__inspection *inspection)
{
    bool moves =
        inspection->system_version > 0 && inspection->system_version < VARVE__SYSTEM_VERSION;
    for (size_t i = 0; i < inspection->count; i++) {
        if (migrate->read_only && inspection->packages[i].state == VARVE__PACKAGE_MISSING)
            return fail_read_only(inspection->packages[i].schema);
    }
    if (migrate->read_only)
        return fail_pending(
            inspection, "the store is opened with read_only", "open it without once");
    if (migrate->refuse && (inspection->migrates || moves))
        return fail_pending(
            inspection, "the configuration refuses that (migrate = -1)",
            "back up the folder, and open it once with migrate = 0 or run the ctl program's "
            "migrate");
    return VARVE_OK;
}

/* -------------------------------------------------------------------- locks */

static enum varve_status
fail_busy(const struct varve__migrate *migrate, const char *holders, bool exclusive)
{
    long long timeout = (long long)migrate->connection->watch.busy_timeout_ms;
    return varve__fail(
        VARVE_BUSY, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        exclusive ? "migrations are to be applied that do not suit running programs, and %s%s has "
                    "the store open, for more than busy_timeout_ms, %lld ms; end it, and open again"
                  : "%s%s migrates the store, for more than busy_timeout_ms, %lld ms; try again "
                    "later",
        *holders ? "" : "another program", holders, timeout);
}

static void
pause_briefly(void)
{
    struct timespec time = {.tv_nsec = PAUSE_NS};
    nanosleep(&time, NULL);
}

/* One try of the lock, and a pause when it fails. VARVE_BUSY when the time is up. */
static enum varve_status
try_lock(const struct varve__migrate *migrate, bool exclusive, int64_t end, bool *taken)
{
    char holders[HOLDERS_SIZE];
    enum varve_status status = varve__file_lock_try(migrate->lock, exclusive);
    *taken = status == VARVE_OK;
    if (status != VARVE_BUSY)
        return status;
    if (varve__monotonic_now() >= end) {
        varve__file_lock_holders(migrate->lock, holders, sizeof holders);
        return fail_busy(migrate, holders, exclusive);
    }
    pause_briefly();
    return VARVE_OK;
}

static int64_t
wait_end(const struct varve__migrate *migrate)
{
    return varve__monotonic_now() + migrate->connection->watch.busy_timeout_ms * 1000000;
}

static enum varve_status
lock_shared(const struct varve__migrate *migrate)
{
    bool taken = false;
    int64_t end = wait_end(migrate);
    enum varve_status status = VARVE_OK;
    while (status == VARVE_OK && !taken)
        status = try_lock(migrate, false, end, &taken);
    return status;
}

/* While others have the store open, one of them may be another that migrates it: then nothing may be left
 * to do, and waiting for that one would be in vain, as it keeps the store open. */
static enum varve_status
lock_exclusively(
    const struct varve__migrate *migrate, struct varve__inspection *inspection, bool *taken)
{
    int64_t end = wait_end(migrate);
    enum varve_status status = VARVE_OK;
    *taken = false;
    while (status == VARVE_OK && !*taken && inspection->change && inspection->exclusive) {
        status = try_lock(migrate, true, end, taken);
        if (status == VARVE_OK && !*taken)
            status = look(migrate, inspection);
    }
    return status;
}

/* -------------------------------------------------------------------- all of it */

/* Two schemas in one database need tables of different names. */
static enum varve_status
check_names(const struct varve_schema *const *schemas, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(schemas[i]->package, schemas[j]->package) == 0)
                return varve__fail(
                    VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
                    "the schema of package %s is given twice", schemas[i]->package);
        }
    }
    return VARVE_OK;
}

/* One try; what it has done, or others meanwhile, is to be seen by looking again. */
static enum varve_status
try_to_migrate(const struct varve__migrate *migrate, struct varve__inspection *inspection)
{
    bool taken = true;
    enum varve_status status = check_permission(migrate, inspection);
    if (status == VARVE_OK && inspection->exclusive)
        status = lock_exclusively(migrate, inspection, &taken);
    return status == VARVE_OK && taken ? varve__apply(migrate, inspection) : status;
}

/* Between giving up the exclusive lock and taking the shared one another program may go on to a newer
 * version. So the lock is shared again before the last look. */
static enum varve_status
migrate_until_done(const struct varve__migrate *migrate, struct varve__inspection *inspection)
{
    for (;;) {
        enum varve_status status = lock_shared(migrate);
        if (status == VARVE_OK)
            status = look(migrate, inspection);
        if (status != VARVE_OK || !inspection->change)
            return status;
        status = try_to_migrate(migrate, inspection);
        if (status != VARVE_OK)
            return status;
    }
}

/* What an older program may do with a newer database, its sessions find out by themselves. */
static void
log_newer(const struct varve__migrate *migrate)
{
    varve__log_event(
        &migrate->log, VARVE_LOG_WARNING,
        "%s is newer than this program, and opened as far as its migrations allow", migrate->path);
}

enum varve_status
varve__migrate(const struct varve__migrate *migrate, bool *newer)
{
    struct varve__inspection inspection = {.count = migrate->count};
    enum varve_status status = check_names(migrate->schemas, migrate->count);
    if (status != VARVE_OK)
        return status;
    inspection.packages = varve__allocate(migrate->count * sizeof *inspection.packages);
    inspection.settled = varve__allocate(migrate->count * sizeof *inspection.settled);
    if (inspection.packages && inspection.settled)
        status = migrate_until_done(migrate, &inspection);
    else
        status = varve__fail_memory(NULL, migrate->count);
    *newer = inspection.newer;
    if (status == VARVE_OK && inspection.newer)
        log_newer(migrate);
    varve__release(inspection.packages);
    varve__release(inspection.settled);
    return status;
}
