/* Segments compared with what the catalog says of them. */
#include "table/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive/segment_file.h"
#include "base/error.h"
#include "table/catalog.h"
#include "table/sqlite.h"
#include "table/transaction.h"

enum {
    PATH_MOST = 4096,
    TEXT_MOST = 512
};

struct verifying {
    struct varve__connection *connection;
    varve_archive_finding *found;
    void *context;
};

/* -------------------------------------------------------------------- the file */

static void
compare_file(const struct verifying *verifying, sqlite3_stmt *row, const char *name, int file)
{
    uint64_t hash;
    char text[TEXT_MOST];
    int64_t size, wanted = sqlite3_column_int64(row, 2);
    if (!varve__segment_file_hash(file, &size, &hash))
        snprintf(
            text, sizeof text, "cannot be read: %s; see what the system's log says of the disk",
            strerror(errno));
    else if (size != wanted)
        snprintf(
            text, sizeof text, "has %lld bytes and was sealed with %lld; restore it from a backup",
            (long long)size, (long long)wanted);
    else if ((int64_t)hash != sqlite3_column_int64(row, 3))
        snprintf(
            text, sizeof text,
            "is not what was sealed: some of its bytes were changed; restore it from a backup");
    else
        return;
    verifying->found(verifying->context, name, text);
}

static void
check_file(const struct verifying *verifying, sqlite3_stmt *row, const char *name)
{
    char path[PATH_MOST], text[TEXT_MOST];
    const char *folder = verifying->connection->catalog.archive->folder;
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = length < PATH_MOST ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        snprintf(
            text, sizeof text, "cannot be opened: %s; restore it from a backup",
            length < PATH_MOST ? strerror(errno) : "its path is too long");
        verifying->found(verifying->context, name, text);
        return;
    }
    compare_file(verifying, row, name, file);
    close(file);
}

/* -------------------------------------------------------------------- the catalog's rows */

static enum varve_status
check_dataset(const struct verifying *verifying, int64_t id, const char *name)
{
    char text[TEXT_MOST];
    struct varve__archived *archived = NULL;
    enum varve_status status = varve__catalog_dataset(verifying->connection, id, &archived);
    if (archived)
        varve__reader_done(verifying->connection->catalog.archive->reader, archived);
    if (status != VARVE_CORRUPT)
        return status;
    snprintf(
        text, sizeof text,
        "its dataset %lld is not what the catalog was given, or its file is gone; restore a backup",
        (long long)id);
    verifying->found(verifying->context, name, text);
    return VARVE_OK;
}

static enum varve_status
check_datasets(const struct verifying *verifying, int64_t segment, const char *name)
{
    int code = SQLITE_DONE;
    sqlite3_stmt *statement;
    struct varve__connection *connection = verifying->connection;
    enum varve_status status = varve__sqlite_prepare(
        connection->database, NULL, "SELECT id FROM varve_dataset WHERE segment = ?1", &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_int64(statement, 1, segment);
    while (status == VARVE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = check_dataset(verifying, sqlite3_column_int64(statement, 0), name);
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, NULL, "verifying the archive");
    sqlite3_finalize(statement);
    return status;
}

/* -------------------------------------------------------------------- all segments */

static enum varve_status
check_all(const struct verifying *verifying)
{
    int code = SQLITE_DONE;
    sqlite3_stmt *row;
    struct varve__connection *connection = verifying->connection;
    enum varve_status status = varve__sqlite_prepare(
        connection->database, NULL, "SELECT id, file, size, hash FROM varve_segment ORDER BY id",
        &row);
    if (status != VARVE_OK)
        return status;
    while (status == VARVE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(row, 1);
        check_file(verifying, row, name ? name : "");
        status = check_datasets(verifying, sqlite3_column_int64(row, 0), name ? name : "");
        if (status == VARVE_OK)
            status = varve__connection_poll(
                connection, &connection->plans->plans[0], "verifying the archive");
    }
    if (status == VARVE_OK && code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, NULL, "verifying the archive");
    sqlite3_finalize(row);
    return status;
}

enum varve_status
varve__verify_segments(
    struct varve__connection *connection, varve_archive_finding *found, void *context)
{
    bool begun;
    const struct verifying verifying = {connection, found, context};
    if (!connection->catalog.archive)
        return VARVE_OK;
    enum varve_status status = varve__read_begin(connection, &begun);
    if (status != VARVE_OK)
        return status;
    status = check_all(&verifying);
    varve__read_end(connection, begun);
    return status;
}
