/* Unlinking segments. */
#define _DEFAULT_SOURCE /* flock() */
#include "table/tidy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/catalog.h"
#include "table/sqlite.h"
#include "table/transaction.h"

enum {
    PATH_MOST = 4096,
    NAME_DIGITS = 16,       /* of a segment's name, in hexadecimal */
    CHECKPOINT_WAIT_MS = 50 /* for readers; they are asked again the next time */
};

static enum varve_status
fail_io(const char *what, const char *path)
{
    int error = errno;
    enum varve_status status = varve__fail(
        VARVE_IO, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "cannot %s %s: %s; mend that and try again", what, path, strerror(error));
    varve__failure_set_errno(error);
    return status;
}

static enum varve_status
ask(struct varve__connection *connection, const char *text, int64_t *answer)
{
    sqlite3_stmt *statement;
    *answer = 0;
    enum varve_status status = varve__sqlite_prepare(connection->database, NULL, text, &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *answer = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, NULL, "tidying the archive");
    sqlite3_finalize(statement);
    return status;
}

/* A write of one statement with a number bound, in a transaction of its own. */
static enum varve_status
write_number(
    struct varve__connection *connection, const char *text, int64_t number, int64_t *changes)
{
    sqlite3_stmt *statement = NULL;
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    status = varve__sqlite_prepare(connection->database, NULL, text, &statement);
    if (status == VARVE_OK) {
        sqlite3_bind_int64(statement, 1, number);
        int code = varve__connection_step(connection, statement);
        if (code != SQLITE_DONE)
            status = varve__connection_fail(connection, code, NULL, "tidying the archive");
    }
    *changes = status == VARVE_OK ? sqlite3_changes64(connection->database) : 0;
    sqlite3_finalize(statement);
    return varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
}

/* -------------------------------------------------------------------- dropped files */

/* Whether a checkpoint that begins now sees nobody on an older snapshot. */
static bool
all_are_current(struct varve__connection *connection)
{
    int64_t wait = connection->watch.busy_timeout_ms;
    connection->watch.busy_timeout_ms = wait < CHECKPOINT_WAIT_MS ? wait : CHECKPOINT_WAIT_MS;
    connection->watch.wait_end = 0;
    int code =
        sqlite3_wal_checkpoint_v2(connection->database, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL);
    connection->watch.busy_timeout_ms = wait;
    connection->watch.wait_end = 0;
    return code == SQLITE_OK;
}

static enum varve_status
unlink_dropped(struct varve__connection *connection, int64_t last, int64_t *deleted)
{
    int code;
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        connection->database, NULL, "SELECT file FROM varve_dropped WHERE id <= ?1", &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_int64(statement, 1, last);
    while (status == VARVE_OK && (code = sqlite3_step(statement)) != SQLITE_DONE) {
        const char *file =
            code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
        if (file)
            status = varve__archive_unlink(connection->catalog.archive, file);
        else
            status = varve__connection_fail(connection, code, NULL, "tidying the archive");
        *deleted += status == VARVE_OK;
    }
    sqlite3_finalize(statement);
    return status;
}

enum varve_status
varve__tidy_dropped(struct varve__connection *connection, int64_t *deleted)
{
    int64_t last, changes;
    enum varve_status status =
        ask(connection, "SELECT coalesce(max(id), 0) FROM varve_dropped", &last);
    if (status != VARVE_OK || last == 0)
        return status;
    varve__reader_forget(connection->catalog.archive->reader);
    if (!all_are_current(connection))
        return VARVE_OK;
    status = unlink_dropped(connection, last, deleted);
    if (status == VARVE_OK)
        status =
            write_number(connection, "DELETE FROM varve_dropped WHERE id <= ?1", last, &changes);
    return status;
}

/* -------------------------------------------------------------------- unnamed segments */

/* SELECT of all segments that some row of the database names, whatever schema its table is of. NULL: that could not
 * be told. */
static char *
named_segments(sqlite3 *database)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_str *text = sqlite3_str_new(NULL);
    int code = sqlite3_prepare_v2(
        database,
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name LIKE "
        "'varve\\_staged\\_%' ESCAPE '\\'",
        -1, &statement, NULL);
    sqlite3_str_appendall(text, "SELECT 0");
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        sqlite3_str_appendf(
            text,
            " UNION SELECT d.segment FROM \"%w\" AS t JOIN varve_dataset AS d ON d.id = t.dataset "
            "WHERE t.dataset > 0",
            sqlite3_column_text(statement, 0));
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    char *named = sqlite3_str_finish(text);
    if (code == SQLITE_DONE)
        return named;
    sqlite3_free(named);
    return NULL;
}

static enum varve_status
drop_unnamed(struct varve__connection *connection, int64_t *changes)
{
    char *named = named_segments(connection->database);
    char *text =
        named ? sqlite3_mprintf(
                    "CREATE TEMP TABLE varve_unnamed AS SELECT id, file FROM varve_segment "
                    "WHERE id NOT IN (%s);"
                    "INSERT INTO varve_dropped (file) SELECT file FROM temp.varve_unnamed;"
                    "DELETE FROM varve_segment WHERE id IN (SELECT id FROM temp.varve_unnamed);",
                    named)
              : NULL;
    sqlite3_free(named);
    if (!text)
        return varve__fail_memory(NULL, 0);
    enum varve_status status = varve__sqlite_execute(connection->database, text);
    sqlite3_free(text);
    *changes = sqlite3_changes64(connection->database);
    if (status == VARVE_OK)
        status = varve__sqlite_execute(connection->database, "DROP TABLE temp.varve_unnamed");
    return status;
}

enum varve_status
varve__tidy_unnamed(struct varve__connection *connection, int64_t *dropped)
{
    int64_t changes = 0;
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    status = drop_unnamed(connection, &changes);
    status = varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
    *dropped += status == VARVE_OK ? changes : 0;
    return status;
}

/* -------------------------------------------------------------------- the sweep */

/* "0123456789abcdef.h5", or the same with ".tmp" behind. */
static bool
is_ours(const char *name)
{
    size_t digits = strspn(name, "0123456789abcdef");
    return digits == NAME_DIGITS &&
           (strcmp(name + digits, ".h5") == 0 || strcmp(name + digits, ".h5.tmp") == 0);
}

static enum varve_status
is_named(struct varve__connection *connection, const char *file, bool *named)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__sqlite_prepare(
        connection->database, NULL,
        "SELECT 1 FROM varve_segment WHERE file = ?1 UNION ALL SELECT 1 FROM varve_dropped WHERE "
        "file = ?1",
        &statement);
    *named = true;
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    *named = code != SQLITE_DONE;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = varve__connection_fail(connection, code, NULL, "tidying the archive");
    sqlite3_finalize(statement);
    return status;
}

/* A commit that could not be synced may be in the log whole: nobody sees it, and a recovery after a crash makes it
 * true, with the segments that it names. The next commit is written over it. */
static enum varve_status
write_over_unknown(struct varve__connection *connection)
{
    return varve__sqlite_execute(
        connection->database, "INSERT INTO varve_dropped (file) VALUES ('');"
                              "DELETE FROM varve_dropped WHERE file = '';");
}

/* The catalog is read again with the writer's place taken: whoever had the file's lock before us has ended. */
static enum varve_status
sweep_locked(
    struct varve__connection *connection, const char *path, const char *file, int64_t *deleted)
{
    bool named;
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    status = is_named(connection, file, &named);
    if (status == VARVE_OK && !named)
        status = write_over_unknown(connection);
    status = varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
    if (status != VARVE_OK || named)
        return status;
    if (unlink(path) == 0)
        ++*deleted;
    else if (errno != ENOENT)
        return fail_io("delete", path);
    return VARVE_OK;
}

static enum varve_status
sweep_file(struct varve__connection *connection, const char *file, int64_t *deleted)
{
    bool named;
    char path[PATH_MOST];
    enum varve_status status = is_named(connection, file, &named);
    if (status != VARVE_OK || named)
        return status;
    int length = snprintf(path, sizeof path, "%s/%s", connection->catalog.archive->folder, file);
    int handle = length < PATH_MOST ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (handle < 0)
        return VARVE_OK; /* gone, or nothing that we may judge */
    if (flock(handle, LOCK_EX | LOCK_NB) == 0)
        status = sweep_locked(connection, path, file, deleted);
    close(handle);
    return status;
}

static enum varve_status
sweep_folder(struct varve__connection *connection, const char *message, int64_t *deleted)
{
    char path[PATH_MOST];
    const struct dirent *entry;
    enum varve_status status = VARVE_OK;
    int length = snprintf(path, sizeof path, "%s/%s", connection->catalog.archive->folder, message);
    DIR *folder = length < PATH_MOST ? opendir(path) : NULL;
    if (!folder)
        return VARVE_OK;
    while (status == VARVE_OK && (entry = readdir(folder))) {
        if (!is_ours(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s", message, entry->d_name);
        status = sweep_file(connection, path, deleted);
    }
    closedir(folder);
    return status;
}

enum varve_status
varve__tidy_sweep(struct varve__connection *connection, int64_t *deleted)
{
    const struct dirent *entry;
    enum varve_status status = VARVE_OK;
    DIR *archive = opendir(connection->catalog.archive->folder);
    if (!archive)
        return errno == ENOENT ? VARVE_OK : fail_io("list", connection->catalog.archive->folder);
    status = varve__catalog_claim(connection); /* what is another database's is no garbage */
    while (status == VARVE_OK && (entry = readdir(archive))) {
        if (entry->d_name[0] != '.')
            status = sweep_folder(connection, entry->d_name, deleted);
    }
    closedir(archive);
    return status;
}

/* -------------------------------------------------------------------- pages */

/* The pragma gives back a page each step. */
enum varve_status
varve__tidy_vacuum(struct varve__connection *connection)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_ONE);
    if (status != VARVE_OK)
        return status;
    status =
        varve__sqlite_prepare(connection->database, NULL, "PRAGMA incremental_vacuum", &statement);
    int code = SQLITE_DONE;
    if (status == VARVE_OK) {
        do {
            code = sqlite3_step(statement);
        } while (code == SQLITE_ROW);
        sqlite3_finalize(statement);
        if (code != SQLITE_DONE)
            status = varve__connection_fail(connection, code, NULL, "giving pages back");
    }
    return varve__write_end(connection, VARVE__WRITE_ONE, status);
}
