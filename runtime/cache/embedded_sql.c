/* Database and statements of the embedded engine. Knows no lock, no budget and no order of use. */
#include "cache/embedded_sql.h"

#include <string.h>

#include "base/error.h"

/* The journal is what undoes a statement that fails half way. Without the cache's limit SQLite would look for
 * pages to write out, which there are none of, each time that it takes a new one. */
static const char schema[] =
    "PRAGMA journal_mode = MEMORY;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA secure_delete = OFF;"
    "PRAGMA cache_size = 2147483647;"
    "CREATE TABLE value ("
    "    slot INTEGER PRIMARY KEY,"
    "    key BLOB NOT NULL,"
    "    space INTEGER NOT NULL,"
    "    time INTEGER,"    /* of spaces with an order */
    "    expires INTEGER," /* NULL: never */
    "    value BLOB NOT NULL"
    ");"
    "CREATE INDEX value_by_expiry ON value (expires) WHERE expires IS NOT NULL;"
    "CREATE INDEX value_by_time ON value (space, time, key) WHERE time IS NOT NULL";

static const char *const texts[VARVE__EMBEDDED_STATEMENT_COUNT] = {
    [VARVE__EMBEDDED_READ] = "SELECT slot, key, expires, value FROM value WHERE slot = ?1",
    [VARVE__EMBEDDED_WRITE] = "REPLACE INTO value (slot, key, space, time, expires, value) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [VARVE__EMBEDDED_SET_EXPIRY] = "UPDATE value SET expires = ?2 WHERE slot = ?1",
    [VARVE__EMBEDDED_DELETE] = "DELETE FROM value WHERE slot = ?1",
    [VARVE__EMBEDDED_FIRST_TO_EXPIRE] =
        "SELECT slot, expires FROM value WHERE expires IS NOT NULL ORDER BY expires LIMIT 1",
    [VARVE__EMBEDDED_RECENT] =
        "SELECT slot, key, expires, value, time FROM value "
        "WHERE space = ?1 AND time >= ?2 AND (time, key) < (?3, ?4) ORDER BY time DESC, key DESC",
    [VARVE__EMBEDDED_WALK] = "SELECT slot, key, expires FROM value WHERE slot > ?1 ORDER BY slot",
};

static enum varve_status
fail(int code, const struct varve__space *space)
{
    const char *record = space ? space->record->descriptor->name : NULL;
    if ((code & 0xFF) == SQLITE_NOMEM)
        return varve__fail_memory(record, 0);
    if ((code & 0xFF) == SQLITE_TOOBIG)
        return varve__fail(
            VARVE_FULL, VARVE_FAILURE_SIZE, VARVE_TIER_CACHE, record,
            "embedded cache: a value holds less than 1 GB; split the record");
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, record,
        "embedded cache: %s; open the store again", sqlite3_errstr(code));
}

enum varve_status
varve__embedded_sql_open(struct varve__embedded *embedded)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(":memory:", &embedded->database, flags, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(embedded->database, schema, NULL, NULL, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < VARVE__EMBEDDED_STATEMENT_COUNT; i++)
        code = sqlite3_prepare_v3(
            embedded->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &embedded->statements[i],
            NULL);
    sqlite3_randomness(sizeof embedded->seed, &embedded->seed);
    return code == SQLITE_OK ? VARVE_OK : fail(code, NULL);
}

void
varve__embedded_sql_close(struct varve__embedded *embedded)
{
    for (size_t i = 0; i < VARVE__EMBEDDED_STATEMENT_COUNT; i++)
        sqlite3_finalize(embedded->statements[i]);
    sqlite3_close(embedded->database);
}

/* -------------------------------------------------------------------- columns and parameters */

/* A pointer that is NULL would bind NULL. */
static int
bind_text(sqlite3_stmt *statement, int parameter, struct varve__cache_text text)
{
    const char *bytes = text.size > 0 ? text.text : "";
    return sqlite3_bind_blob64(statement, parameter, bytes, text.size, SQLITE_STATIC);
}

static void
bind_expiry(sqlite3_stmt *statement, int parameter, int64_t expires)
{
    if (expires == VARVE__EXPIRES_NEVER)
        sqlite3_bind_null(statement, parameter);
    else
        sqlite3_bind_int64(statement, parameter, expires);
}

/* False: SQLite had no memory to put the bytes into one piece. */
static bool
read_text(sqlite3_stmt *statement, int column, struct varve__cache_text *text)
{
    sqlite3_value *value = sqlite3_column_value(statement, column);
    text->text = sqlite3_value_blob(value);
    text->size = (size_t)sqlite3_value_bytes(value);
    if (text->text)
        return true;
    text->text = "";
    return sqlite3_errcode(sqlite3_db_handle(statement)) != SQLITE_NOMEM;
}

static int64_t
read_expiry(sqlite3_stmt *statement, int column)
{
    sqlite3_value *value = sqlite3_column_value(statement, column);
    bool never = sqlite3_value_type(value) == SQLITE_NULL;
    return never ? VARVE__EXPIRES_NEVER : sqlite3_value_int64(value);
}

/* Steps to a row, and reads slot, key and expires; its slot is 0 when there is none. */
static enum varve_status
step_to_row(
    sqlite3_stmt *statement, const struct varve__space *space, struct varve__embedded_row *row)
{
    *row = (struct varve__embedded_row){0};
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return VARVE_OK;
    if (code != SQLITE_ROW)
        return fail(code, space);
    if (!read_text(statement, 1, &row->key))
        return fail(SQLITE_NOMEM, space);
    row->expires = read_expiry(statement, 2);
    row->slot = (uint32_t)sqlite3_column_int64(statement, 0);
    return VARVE_OK;
}

enum varve_status
varve__embedded_read_value(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    enum varve__embedded_statement from,
    struct varve__embedded_row *row)
{
    bool read = read_text(embedded->statements[from], 3, &row->value);
    return read ? VARVE_OK : fail(SQLITE_NOMEM, space);
}

/* Runs a statement that gives no rows. */
static enum varve_status
run(sqlite3_stmt *statement, const struct varve__space *space)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? VARVE_OK : fail(code, space);
}

/* -------------------------------------------------------------------- by key */

/* Mixes eight bytes at a time; which keys have the same hash depends on the seed. */
static uint32_t
hash_of(uint64_t seed, struct varve__cache_text key)
{
    uint64_t hash = seed ^ key.size, word;
    const char *at = key.text;
    size_t left = key.size;
    for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    word = 0;
    if (left > 0)
        memcpy(&word, at, left);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    hash = (hash ^ hash >> 29) * UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)(hash >> 32);
}

enum varve_status
varve__embedded_find(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    struct varve__cache_text key,
    struct varve__embedded_row *row)
{
    sqlite3_stmt *statement = embedded->statements[VARVE__EMBEDDED_READ];
    uint32_t hash = hash_of(embedded->seed, key);
    uint32_t slot = varve__slots_first(&embedded->slots, hash);
    enum varve_status status = VARVE_OK;
    *row = (struct varve__embedded_row){0};
    while (slot && status == VARVE_OK) {
        sqlite3_bind_int64(statement, 1, slot);
        status = step_to_row(statement, space, row);
        bool is_same = row->key.size == key.size && memcmp(row->key.text, key.text, key.size) == 0;
        if (status != VARVE_OK || is_same)
            break;
        sqlite3_reset(statement);
        *row = (struct varve__embedded_row){0};
        slot = varve__slots_match(&embedded->slots, embedded->slots.slots[slot].next, hash);
    }
    return status;
}

static int
bind_item(
    sqlite3_stmt *statement,
    const struct varve__space *space,
    const struct varve__cache_item *item,
    uint32_t slot,
    int64_t expires)
{
    sqlite3_bind_int64(statement, 1, slot);
    int code = bind_text(statement, 2, item->key);
    sqlite3_bind_int64(statement, 3, (int64_t)space->number);
    if (space->index.size > 0)
        sqlite3_bind_int64(statement, 4, item->time);
    else
        sqlite3_bind_null(statement, 4);
    bind_expiry(statement, 5, expires);
    return code == SQLITE_OK ? bind_text(statement, 6, item->value) : code;
}

static void
note_expiry(struct varve__embedded *embedded, int64_t expires)
{
    if (expires < embedded->next_expiry)
        embedded->next_expiry = expires;
}

enum varve_status
varve__embedded_write(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    const struct varve__cache_item *item,
    uint32_t slot,
    int64_t expires)
{
    struct varve__slots *slots = &embedded->slots;
    sqlite3_stmt *statement = embedded->statements[VARVE__EMBEDDED_WRITE];
    if (!slot && !varve__slots_reserve(slots))
        return varve__fail_memory(space->record->descriptor->name, 0);
    int code = bind_item(statement, space, item, slot ? slot : varve__slots_next(slots), expires);
    enum varve_status status = code == SQLITE_OK ? run(statement, space) : fail(code, space);
    if (status != VARVE_OK)
        return status;
    if (slot)
        varve__slots_resize(slots, slot, varve__embedded_size(item));
    else
        varve__slots_add(slots, hash_of(embedded->seed, item->key), varve__embedded_size(item));
    note_expiry(embedded, expires);
    return VARVE_OK;
}

enum varve_status
varve__embedded_set_expiry(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    uint32_t slot,
    int64_t expires)
{
    sqlite3_stmt *statement = embedded->statements[VARVE__EMBEDDED_SET_EXPIRY];
    sqlite3_bind_int64(statement, 1, slot);
    bind_expiry(statement, 2, expires);
    enum varve_status status = run(statement, space);
    if (status == VARVE_OK)
        note_expiry(embedded, expires);
    return status;
}

enum varve_status
varve__embedded_delete(
    struct varve__embedded *embedded, const struct varve__space *space, uint32_t slot)
{
    sqlite3_stmt *statement = embedded->statements[VARVE__EMBEDDED_DELETE];
    sqlite3_bind_int64(statement, 1, slot);
    enum varve_status status = run(statement, space);
    if (status == VARVE_OK)
        varve__slots_remove(&embedded->slots, slot);
    return status;
}

/* -------------------------------------------------------------------- in an order */

/* Looks which row expires first, and when. */
static enum varve_status
find_first_to_expire(
    struct varve__embedded *embedded, const struct varve__space *space, uint32_t *slot)
{
    sqlite3_stmt *statement = embedded->statements[VARVE__EMBEDDED_FIRST_TO_EXPIRE];
    int code = sqlite3_step(statement);
    *slot = 0;
    if (code == SQLITE_DONE)
        embedded->next_expiry = VARVE__EXPIRES_NEVER;
    if (code == SQLITE_ROW) {
        *slot = (uint32_t)sqlite3_column_int64(statement, 0);
        embedded->next_expiry = sqlite3_column_int64(statement, 1);
    }
    sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? VARVE_OK : fail(code, space);
}

enum varve_status
varve__embedded_delete_expired(
    struct varve__embedded *embedded, const struct varve__space *space, int64_t now, bool *deleted)
{
    uint32_t slot = 0;
    *deleted = false;
    if (embedded->next_expiry > now)
        return VARVE_OK;
    enum varve_status status = find_first_to_expire(embedded, space, &slot);
    if (status != VARVE_OK || !slot || embedded->next_expiry > now)
        return status;
    status = varve__embedded_delete(embedded, space, slot);
    *deleted = status == VARVE_OK;
    embedded->expired += *deleted;
    return status;
}

enum varve_status
varve__embedded_read_recent(
    struct varve__embedded *embedded,
    const struct varve__space *space,
    int64_t since,
    const struct varve__embedded_row *place,
    struct varve__embedded_row *row)
{
    sqlite3_stmt *statement = embedded->statements[VARVE__EMBEDDED_RECENT];
    *row = (struct varve__embedded_row){0};
    sqlite3_bind_int64(statement, 1, (int64_t)space->number);
    sqlite3_bind_int64(statement, 2, since);
    if (place->slot)
        sqlite3_bind_int64(statement, 3, place->time);
    else
        sqlite3_bind_double(statement, 3, 1e19); /* later than any time */
    int code = bind_text(statement, 4, place->key);
    enum varve_status status =
        code == SQLITE_OK ? step_to_row(statement, space, row) : fail(code, space);
    if (row->slot)
        row->time = sqlite3_column_int64(statement, 4);
    return status;
}

enum varve_status
varve__embedded_walk(
    struct varve__embedded *embedded, uint32_t slot, struct varve__embedded_row *row)
{
    sqlite3_stmt *statement = embedded->statements[VARVE__EMBEDDED_WALK];
    if (!sqlite3_stmt_busy(statement))
        sqlite3_bind_int64(statement, 1, slot);
    return step_to_row(statement, NULL, row);
}
