/* Segments and datasets in the database. */
#include "table/catalog.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <varve/record.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/connection.h"
#include "table/sqlite.h"

/* A segment whose transaction has not ended. */
struct varve__held_segment {
    struct varve__held_segment *next;
    struct varve__segment *segment;
    char file[]; /* from the archive's folder on */
};

static const char *const texts[] = {
    [VARVE__CATALOG_DATASET] = "SELECT d.layout, d.segment, s.file, s.size FROM varve_dataset AS d "
                               "JOIN varve_segment AS s ON s.id = d.segment WHERE d.id = ?1",
    [VARVE__CATALOG_NEXT] = "SELECT coalesce((SELECT seq FROM sqlite_sequence "
                            "WHERE name = 'varve_dataset'), 0) + 1",
    [VARVE__CATALOG_ADD_SEGMENT] = "INSERT INTO varve_segment (message, file, size, hash, "
                                   "elements) VALUES (?1, ?2, ?3, ?4, ?5)",
    [VARVE__CATALOG_ADD_DATASET] =
        "INSERT INTO varve_dataset (id, segment, layout) VALUES (?1, ?2, ?3)",
    [VARVE__CATALOG_HAS_FILE] = "SELECT 1 FROM varve_segment WHERE file = ?1 UNION ALL SELECT 1 "
                                "FROM varve_dropped WHERE file = ?1",
};

void
varve__catalog_release(struct varve__catalog *catalog)
{
    for (size_t i = 0; i < VARVE__CATALOG_COUNT; i++)
        sqlite3_finalize(catalog->statements[i]);
}

static enum varve_status
take(
    struct varve__connection *connection,
    enum varve__catalog_statement which,
    sqlite3_stmt **statement)
{
    sqlite3_stmt **place = &connection->catalog.statements[which];
    enum varve_status status = VARVE_OK;
    if (!*place)
        status = varve__sqlite_prepare(connection->database, NULL, texts[which], place);
    *statement = *place;
    return status;
}

/* What an INSERT of the catalog answers. */
static enum varve_status
step(struct varve__connection *connection, sqlite3_stmt *statement)
{
    int code = varve__connection_step(connection, statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE
               ? VARVE_OK
               : varve__connection_fail(connection, code, NULL, "the archive's catalog");
}

/* Binds a layout to its row: in another place it is not believed. */
static uint64_t
seed_of(int64_t segment, int64_t id)
{
    return (uint64_t)segment * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)id;
}

/* -------------------------------------------------------------------- whose the archive is */

static enum varve_status
fail_identity(void)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "the table varve_archive does not have its one row of 16 bytes: the database was changed "
        "by hand or damaged; "
        "restore a backup");
}

static enum varve_status
read_identity(struct varve__connection *connection, struct varve__archive_identity *identity)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        connection->database, NULL, "SELECT identity FROM varve_archive", &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == sizeof identity->bytes)
        memcpy(identity->bytes, sqlite3_column_blob(statement, 0), sizeof identity->bytes);
    else if (code == SQLITE_ROW || code == SQLITE_DONE)
        status = fail_identity();
    else
        status = varve__connection_fail(connection, code, NULL, "the archive's catalog");
    sqlite3_finalize(statement);
    return status;
}

enum varve_status
varve__catalog_claim(struct varve__connection *connection)
{
    struct varve__archive_identity identity;
    enum varve_status status = read_identity(connection, &identity);
    return status == VARVE_OK ? varve__archive_claim(connection->catalog.archive, &identity)
                              : status;
}

/* -------------------------------------------------------------------- reading */

static enum varve_status
fail_dataset(int64_t id, const char *what)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "the archive's catalog %s dataset %lld, of which a tensor is: the database was changed by "
        "hand or damaged; "
        "restore a backup",
        what, (long long)id);
}

static enum varve_status
add_to_reader(
    struct varve__connection *connection,
    int64_t id,
    sqlite3_stmt *statement,
    struct varve__archived **archived)
{
    struct varve__dataset dataset;
    const void *layout = sqlite3_column_blob(statement, 0);
    size_t size = (size_t)sqlite3_column_bytes(statement, 0);
    const char *file = (const char *)sqlite3_column_text(statement, 2);
    if (!file)
        return varve__fail_memory(NULL, 0);
    enum varve_status status = varve__dataset_unpack(
        layout, size, seed_of(sqlite3_column_int64(statement, 1), id), &dataset);
    if (status == VARVE_CORRUPT)
        return fail_dataset(id, "is damaged at");
    if (status != VARVE_OK)
        return status;
    return varve__reader_add(
        connection->catalog.archive->reader, id, file, sqlite3_column_int64(statement, 3), &dataset,
        !connection->catalog.fresh, archived);
}

enum varve_status
varve__catalog_dataset(
    struct varve__connection *connection, int64_t id, struct varve__archived **archived)
{
    sqlite3_stmt *statement;
    *archived = varve__reader_find(connection->catalog.archive->reader, id);
    if (*archived)
        return VARVE_OK;
    enum varve_status status = take(connection, VARVE__CATALOG_DATASET, &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_int64(statement, 1, id);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        status = add_to_reader(connection, id, statement, archived);
    else if (code == SQLITE_DONE)
        status = fail_dataset(id, "lacks");
    else
        status = varve__connection_fail(connection, code, NULL, "the archive's catalog");
    sqlite3_reset(statement);
    return status;
}

int64_t
varve__catalog_hash(
    int64_t record,
    int64_t field,
    int64_t dataset,
    int64_t place,
    const char *dims,
    const void *bytes,
    size_t size)
{
    const int64_t numbers[] = {record, field, dataset, place};
    uint64_t hash = XXH3_64bits(numbers, sizeof numbers);
    hash = XXH3_64bits_withSeed(dims, strlen(dims), hash);
    hash = XXH3_64bits_withSeed(size > 0 ? bytes : "", size, hash);
    return (int64_t)hash;
}

/* -------------------------------------------------------------------- adding */

void
varve__catalog_discard(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment *segment)
{
    const char *file = segment ? varve__segment_file(segment) : NULL;
    if (file && varve__segment_size(segment) > 0) {
        char *path = sqlite3_mprintf("%s/%s", plan->record->descriptor->name, file);
        struct varve__kept_failure kept;
        varve__failure_keep(&kept);
        enum varve_status ignored =
            path ? varve__archive_unlink(connection->catalog.archive, path) : VARVE_OK;
        (void)ignored; /* a sweep will find it */
        varve__failure_restore(&kept);
        sqlite3_free(path);
    }
    varve__segment_release(segment);
}

static enum varve_status
hold(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment *segment,
    const char **file)
{
    const char *message = plan->record->descriptor->name, *name = varve__segment_file(segment);
    size_t size = strlen(message) + strlen(name) + 2;
    struct varve__held_segment *held = varve__allocate(sizeof *held + size);
    if (!held) {
        varve__catalog_discard(connection, plan, segment);
        return varve__fail_memory(message, sizeof *held + size);
    }
    sqlite3_snprintf((int)size, held->file, "%s/%s", message, name);
    held->segment = segment;
    held->next = connection->catalog.held;
    connection->catalog.held = held;
    connection->catalog.fresh = true;
    *file = held->file;
    return VARVE_OK;
}

static enum varve_status
add_segment(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__segment *segment,
    int64_t bytes,
    const char *file)
{
    sqlite3_stmt *statement;
    enum varve_status status = take(connection, VARVE__CATALOG_ADD_SEGMENT, &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, plan->record->descriptor->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, file, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, varve__segment_size(segment));
    sqlite3_bind_int64(statement, 4, (int64_t)varve__segment_hash(segment));
    sqlite3_bind_int64(statement, 5, bytes);
    return step(connection, statement);
}

/* The number of the next dataset. */
static enum varve_status
next_id(struct varve__connection *connection, int64_t *id)
{
    sqlite3_stmt *statement;
    enum varve_status status = take(connection, VARVE__CATALOG_NEXT, &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *id = sqlite3_column_int64(statement, 0);
    else
        status = varve__connection_fail(connection, code, NULL, "the archive's catalog");
    sqlite3_reset(statement);
    return status;
}

static enum varve_status
add_dataset(
    struct varve__connection *connection,
    int64_t segment,
    int64_t id,
    const struct varve__dataset *dataset)
{
    sqlite3_stmt *statement;
    struct varve_bytes bytes;
    enum varve_status status = take(connection, VARVE__CATALOG_ADD_DATASET, &statement);
    if (status == VARVE_OK)
        status = varve__dataset_pack(dataset, seed_of(segment, id), &bytes);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, segment);
    int code = sqlite3_bind_blob64(statement, 3, bytes.data, bytes.size, SQLITE_STATIC);
    status = code == SQLITE_OK
                 ? step(connection, statement)
                 : varve__connection_fail(connection, code, NULL, "the archive's catalog");
    sqlite3_clear_bindings(statement);
    varve_bytes_free(&bytes);
    return status;
}

enum varve_status
varve__catalog_add(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment *segment,
    int64_t bytes,
    int64_t *first)
{
    const char *file = NULL;
    enum varve_status status = hold(connection, plan, segment, &file);
    if (status == VARVE_OK)
        status = add_segment(connection, plan, segment, bytes, file);
    int64_t number = sqlite3_last_insert_rowid(connection->database);
    if (status == VARVE_OK)
        status = next_id(connection, first);
    for (size_t i = 0; status == VARVE_OK && i < varve__segment_dataset_count(segment); i++)
        status = add_dataset(
            connection, number, *first + (int64_t)i, varve__segment_dataset(segment, i));
    return status;
}

/* -------------------------------------------------------------------- the end of a transaction */

/* A savepoint's rollback may have taken it out of a transaction that was committed. When that cannot be told,
 * it stays: a sweep will find it. */
static bool
is_named(struct varve__connection *connection, const char *file)
{
    sqlite3_stmt *statement;
    if (take(connection, VARVE__CATALOG_HAS_FILE, &statement) != VARVE_OK)
        return true;
    sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code != SQLITE_DONE;
}

static bool
is_garbage(
    struct varve__connection *connection,
    const struct varve__held_segment *held,
    enum varve__ending ending)
{
    if (ending == VARVE__ENDING_COMMITTED)
        return !is_named(connection, held->file);
    return ending == VARVE__ENDING_UNDONE;
}

/* The transaction's own outcome is what is to be told, not what happens here. */
void
varve__catalog_settle_held(struct varve__connection *connection, enum varve__ending ending)
{
    struct varve__catalog *catalog = &connection->catalog;
    struct varve__kept_failure kept;
    varve__failure_keep(&kept);
    while (catalog->held) {
        struct varve__held_segment *held = catalog->held;
        catalog->held = held->next;
        if (is_garbage(connection, held, ending)) {
            enum varve_status ignored = varve__archive_unlink(catalog->archive, held->file);
            (void)ignored; /* a sweep will find it */
        }
        varve__segment_release(held->segment);
        varve__release(held);
    }
    catalog->fresh = false;
    varve__failure_restore(&kept);
}
