/* varve_invalidation, varve_copies and varve_copied: reading and writing them. */
#include "table/copies.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/connection.h"
#include "table/sqlite.h"
#include "table/transaction.h"

enum {
    DONE_WAIT_MS = 100, /* for other writers, before rows are left to who finds them */
};

static const char *const texts[] = {
    [VARVE__COPIES_LOOK] = "SELECT folder, (SELECT generation FROM varve_generation), epoch, "
                           "EXISTS (SELECT 1 FROM varve_invalidation WHERE key = ?1) "
                           "FROM varve_copies",
    [VARVE__COPIES_DROP] = "DELETE FROM varve_invalidation WHERE key = ?1",
    [VARVE__COPIES_ADD] = "INSERT INTO varve_invalidation (key) VALUES (?1)",
    [VARVE__COPIES_OLDEST] = "SELECT min(id) FROM varve_invalidation",
    [VARVE__COPIES_DONE] = "DELETE FROM varve_invalidation WHERE id = ?1",
    [VARVE__COPIES_LIST] = "SELECT id, key FROM varve_invalidation ORDER BY id LIMIT ?1",
};

static enum varve_status
fail(struct varve__connection *connection, int code)
{
    return varve__connection_fail(connection, code, NULL, "keeping hot copies true");
}

enum varve_status
varve__copies_statement(
    struct varve__connection *connection,
    enum varve__copies_statement which,
    sqlite3_stmt **statement)
{
    sqlite3_stmt **place = &connection->copies.statements[which];
    int code = SQLITE_OK;
    if (!*place)
        code = sqlite3_prepare_v3(
            connection->database, texts[which], -1, SQLITE_PREPARE_PERSISTENT, place, NULL);
    *statement = *place;
    return code == SQLITE_OK ? VARVE_OK : fail(connection, code);
}

/* Steps a statement that gives no rows, with a number or a key as its parameter. */
static enum varve_status
run(struct varve__connection *connection,
    enum varve__copies_statement which,
    const struct varve__copies_key *key)
{
    sqlite3_stmt *statement;
    enum varve_status status = varve__copies_statement(connection, which, &statement);
    if (status != VARVE_OK)
        return status;
    if (which == VARVE__COPIES_DONE)
        sqlite3_bind_int64(statement, 1, key->id);
    else
        sqlite3_bind_text(statement, 1, key->text, (int)key->size, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? VARVE_OK : fail(connection, code);
}

/* -------------------------------------------------------------------- in the transaction */

static enum varve_status
fail_row(int64_t rows)
{
    return varve__fail(
        VARVE_SCHEMA, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "the database's table varve_copies has %lld rows where it must have one, so that hot "
        "copies "
        "would not be put out of use; it was changed by hand: restore a backup",
        (long long)rows);
}

/* All copies there are will not be used any more, so nothing waits either. */
static enum varve_status
raise_epoch(struct varve__connection *connection)
{
    sqlite3 *database = connection->database;
    enum varve_status status =
        varve__sqlite_execute(database, "UPDATE varve_copies SET epoch = epoch + 1");
    if (status == VARVE_OK && sqlite3_changes64(database) != 1)
        status = fail_row(sqlite3_changes64(database));
    return status == VARVE_OK ? varve__sqlite_execute(database, "DELETE FROM varve_invalidation")
                              : status;
}

/* A key that waits already gets a new row: who is about to delete the old one's copies may have done so before
 * this commit. */
static enum varve_status
write_key(struct varve__connection *connection, struct varve__copies_key *key)
{
    enum varve_status status = run(connection, VARVE__COPIES_DROP, key);
    if (status == VARVE_OK)
        status = run(connection, VARVE__COPIES_ADD, key);
    if (status == VARVE_OK)
        key->id = sqlite3_last_insert_rowid(connection->database);
    return status;
}

/* Whether a server that is away for long has left more rows than are worth keeping. Rows are numbered one by
 * one, so the span of the numbers is a bound. */
static enum varve_status
look_at_span(struct varve__connection *connection, int64_t newest, bool *many)
{
    sqlite3_stmt *statement;
    enum varve_status status =
        varve__copies_statement(connection, VARVE__COPIES_OLDEST, &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    *many =
        code == SQLITE_ROW && newest - sqlite3_column_int64(statement, 0) >= VARVE__COPIES_ROWS_MAX;
    sqlite3_reset(statement);
    return code == SQLITE_ROW ? VARVE_OK : fail(connection, code);
}

static enum varve_status
write_keys(struct varve__connection *connection)
{
    bool many = false;
    struct varve__copies *copies = &connection->copies;
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < copies->count && status == VARVE_OK; i++)
        status = write_key(connection, copies->keys[i]);
    if (status == VARVE_OK)
        status = look_at_span(connection, copies->keys[copies->count - 1]->id, &many);
    return status == VARVE_OK && many ? raise_epoch(connection) : status;
}

enum varve_status
varve__copies_write(struct varve__connection *connection)
{
    struct varve__copies *copies = &connection->copies;
    if (__builtin_expect(!varve__copies_pending(copies), 1))
        return VARVE_OK;
    connection->watch.shielded = true; /* a part of the commit */
    enum varve_status status = copies->overflow ? raise_epoch(connection) : write_keys(connection);
    connection->watch.shielded = false;
    copies->written = status == VARVE_OK;
    return status;
}

/* -------------------------------------------------------------------- looking */

/* "<folder>.<generation>.<epoch>" of the row that the statement stands on. */
static void
write_scope(sqlite3_stmt *statement, char scope[VARVE__COPIES_SCOPE_MAX])
{
    const uint8_t *folder = sqlite3_column_blob(statement, 0);
    int size = sqlite3_column_bytes(statement, 0);
    size_t length = 0;
    scope[0] = '\0';
    for (int i = 0; i < size && i < 8; i++, length += 2)
        snprintf(scope + length, VARVE__COPIES_SCOPE_MAX - length, "%02x", folder[i]);
    snprintf(
        scope + length, VARVE__COPIES_SCOPE_MAX - length, ".%llx.%llx",
        (unsigned long long)sqlite3_column_int64(statement, 1),
        (unsigned long long)sqlite3_column_int64(statement, 2));
}

/* One read of all. *generation is -1 when there is no row. */
static enum varve_status
read_state(
    struct varve__connection *connection,
    const char *key,
    size_t key_size,
    char scope[VARVE__COPIES_SCOPE_MAX],
    bool *waiting,
    int64_t *generation)
{
    sqlite3_stmt *statement;
    *generation = -1;
    enum varve_status status = varve__copies_statement(connection, VARVE__COPIES_LOOK, &statement);
    if (status != VARVE_OK)
        return status;
    sqlite3_bind_text(statement, 1, key, (int)key_size, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        write_scope(statement, scope);
        *generation = sqlite3_column_int64(statement, 1);
        *waiting = sqlite3_column_int(statement, 3) != 0;
    }
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? VARVE_OK : fail(connection, code);
}

enum varve_status
varve__copies_look(
    struct varve__connection *connection,
    const struct varve__space *space,
    const char *key,
    size_t key_size,
    char scope[VARVE__COPIES_SCOPE_MAX],
    bool *waiting,
    bool *usable)
{
    int64_t generation;
    struct varve__guard *guard = &connection->guard;
    *waiting = *usable = false;
    enum varve_status status = read_state(connection, key, key_size, scope, waiting, &generation);
    if (status == VARVE_OK && generation != guard->generation) {
        status = varve__guard_prepared(connection);
        if (status == VARVE_OK)
            status = read_state(connection, key, key_size, scope, waiting, &generation);
    }
    /* When it has moved once more, this call does without. */
    if (status == VARVE_OK && generation == guard->generation)
        *usable = varve__copies_has(&connection->copies, space);
    return status;
}

/* -------------------------------------------------------------------- rows that wait */

/* Where the prefix ends: behind its second colon. */
static size_t
prefix_of(const struct varve__copies_key *key)
{
    size_t at = 0;
    for (size_t colons = 0; at < key->size && colons < 2; at++)
        colons += key->text[at] == ':';
    return at;
}

static enum varve_status
read_rows(
    struct varve__connection *connection,
    sqlite3_stmt *statement,
    struct varve__copies_key **keys,
    size_t *count)
{
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 1);
        size_t size = (size_t)sqlite3_column_bytes(statement, 1);
        if (size > VARVE__COPIES_TEXT_MAX)
            size = VARVE__COPIES_TEXT_MAX; /* written by hand: there are no copies of such a key */
        struct varve__copies_key *key = text ? varve__copies_make(text, size) : NULL;
        if (!key)
            return varve__fail_memory(NULL, size);
        key->id = sqlite3_column_int64(statement, 0);
        key->prefix = prefix_of(key);
        keys[(*count)++] = key;
    }
    return code == SQLITE_DONE ? VARVE_OK : fail(connection, code);
}

enum varve_status
varve__copies_list(
    struct varve__connection *connection,
    size_t most,
    struct varve__copies_key ***result,
    size_t *count)
{
    sqlite3_stmt *statement;
    *result = NULL;
    *count = 0;
    enum varve_status status = varve__copies_statement(connection, VARVE__COPIES_LIST, &statement);
    if (status != VARVE_OK)
        return status;
    struct varve__copies_key **keys = varve__allocate(most * sizeof(void *));
    if (!keys)
        return varve__fail_memory(NULL, most);
    sqlite3_bind_int64(statement, 1, (int64_t)most);
    status = read_rows(connection, statement, keys, count);
    sqlite3_reset(statement);
    if (status == VARVE_OK) {
        *result = keys;
        return VARVE_OK;
    }
    varve__copies_free(keys, *count);
    *count = 0;
    return status;
}

/* Full again after what need not wait for the disk. That must not be forgotten: see connection.h. */
static enum varve_status
wait_for_disk(struct varve__connection *connection, enum varve_status status)
{
    connection->relaxed = true;
    enum varve_status restored = varve__connection_tighten(connection);
    return status == VARVE_OK ? restored : status;
}

static enum varve_status
delete_rows(
    struct varve__connection *connection, struct varve__copies_key *const *keys, size_t count)
{
    enum varve_status status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        status = run(connection, VARVE__COPIES_DONE, keys[i]);
    return varve__write_end(connection, VARVE__WRITE_SEVERAL, status);
}

enum varve_status
varve__copies_done(
    struct varve__connection *connection, struct varve__copies_key *const *keys, size_t count)
{
    sqlite3 *database = connection->database;
    struct varve__watch *watch = &connection->watch;
    int64_t wait_ms = watch->busy_timeout_ms;
    enum varve_status status = VARVE_OK;
    if (connection->read_only || count == 0)
        return VARVE_OK;
    watch->busy_timeout_ms = wait_ms < DONE_WAIT_MS ? wait_ms : DONE_WAIT_MS;
    watch->wait_end = 0; /* a wait of its own */
    if (connection->full_durability)
        status = varve__sqlite_execute(database, "PRAGMA synchronous = NORMAL");
    if (status == VARVE_OK)
        status = delete_rows(connection, keys, count);
    if (connection->full_durability)
        status = wait_for_disk(connection, status);
    watch->busy_timeout_ms = wait_ms;
    watch->wait_end = 0;
    return status;
}

enum varve_status
varve__copies_count(struct varve__connection *connection, int64_t *count)
{
    sqlite3_stmt *statement;
    *count = 0;
    enum varve_status status = varve__sqlite_prepare(
        connection->database, NULL, "SELECT count(*) FROM varve_invalidation", &statement);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *count = sqlite3_column_int64(statement, 0);
    else
        status = fail(connection, code);
    sqlite3_finalize(statement);
    return status;
}
