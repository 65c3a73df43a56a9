/* The statements of a connection: an array for the verbs, a small cache for the rest. */
#include "table/statement.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/connection.h"
#include "table/feed.h"
#include "table/sql.h"
#include "table/sqlite.h"

/* A statement that is kept by its key. */
struct kept {
    uint64_t hash;
    uint64_t used; /* tick of the last use; 0: the entry is free */
    size_t key_size;
    void *key;
    sqlite3_stmt *statement;
    bool taken;
};

struct varve__statements {
    uint64_t tick;
    size_t verb_count; /* of `verbs`: [plan][verb] */
    size_t kept_count;
    struct kept *kept;
    sqlite3_stmt *verbs[];
};

enum varve_status
varve__statements_create(size_t plan_count, size_t kept, struct varve__statements **result)
{
    size_t verb_count = plan_count * VARVE__VERB_COUNT;
    size_t size = sizeof **result + verb_count * sizeof(sqlite3_stmt *);
    size_t kept_size = kept * sizeof(struct kept);
    struct varve__statements *statements = varve__allocate(size);
    struct kept *entries = varve__allocate(kept_size);
    *result = NULL;
    if (!statements || !entries) {
        varve__release(statements);
        varve__release(entries);
        return varve__fail_memory(NULL, size + kept_size);
    }
    memset(statements, 0, size);
    memset(entries, 0, kept_size);
    statements->verb_count = verb_count;
    statements->kept_count = kept;
    statements->kept = entries;
    *result = statements;
    return VARVE_OK;
}

static void
drop(struct kept *entry)
{
    sqlite3_finalize(entry->statement);
    varve__release(entry->key);
    *entry = (struct kept){0};
}

void
varve__statements_release(struct varve__statements *statements)
{
    if (!statements)
        return;
    for (size_t i = 0; i < statements->verb_count; i++)
        sqlite3_finalize(statements->verbs[i]);
    for (size_t i = 0; i < statements->kept_count; i++)
        drop(&statements->kept[i]);
    varve__release(statements->kept);
    varve__release(statements);
}

static enum varve_status
prepare(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    char *sql,
    sqlite3_stmt **statement)
{
    *statement = NULL;
    if (!sql)
        return varve__fail_memory(plan->record->descriptor->name, 0);
    int code = sqlite3_prepare_v3(
        connection->database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    sqlite3_free(sql);
    if (code != SQLITE_OK)
        return varve__connection_fail(connection, code, plan, "prepare");
    enum varve_status status = varve__guard_prepared(connection);
    if (status != VARVE_OK) {
        sqlite3_finalize(*statement);
        *statement = NULL;
    }
    return status;
}

/* Prepares the statement that is kept at `place`. An insert from a feed needs the feed to be known. */
static enum varve_status
prepare_verb(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    enum varve__verb verb,
    sqlite3_stmt **place,
    sqlite3_stmt **statement)
{
    enum varve_status status = VARVE_OK;
    if (verb == VARVE__VERB_INSERT_FEED)
        status = varve__feed_register(connection->database, plan);
    if (status == VARVE_OK)
        status = prepare(connection, plan, varve__sql_verb(plan, verb), place);
    *statement = *place;
    return status;
}

enum varve_status
varve__statement(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    enum varve__verb verb,
    sqlite3_stmt **statement)
{
    sqlite3_stmt **place =
        &connection->statements->verbs[plan->index * VARVE__VERB_COUNT + (size_t)verb];
    *statement = *place;
    if (__builtin_expect(!*place, 0))
        return prepare_verb(connection, plan, verb, place, statement);
    return VARVE_OK;
}

/* -------------------------------------------------------------------- by key */

static uint64_t
hash_of(const void *key, size_t size)
{
    const uint8_t *bytes = key;
    uint64_t hash = 0xcbf29ce484222325u ^ size;
    for (; size >= sizeof hash; size -= sizeof hash, bytes += sizeof hash) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    for (; size > 0; size--, bytes++)
        hash = (hash ^ *bytes) * 0x100000001b3u;
    return hash;
}

/* The entry to be filled: a free one, or the one that was not used for the longest time. NULL when
 * all are taken. */
static struct kept *
make_room(struct varve__statements *statements)
{
    struct kept *oldest = NULL;
    for (size_t i = 0; i < statements->kept_count; i++) {
        struct kept *entry = &statements->kept[i];
        if (!entry->taken && (!oldest || entry->used < oldest->used))
            oldest = entry;
    }
    if (oldest)
        drop(oldest);
    return oldest;
}

static void
keep(
    struct varve__statements *statements,
    uint64_t hash,
    const void *key,
    size_t key_size,
    sqlite3_stmt *statement)
{
    void *copy = varve__allocate(key_size);
    struct kept *entry = copy ? make_room(statements) : NULL;
    if (!entry) { /* the statement serves once */
        varve__release(copy);
        return;
    }
    memcpy(copy, key, key_size);
    *entry = (struct kept){
        .hash = hash,
        .used = ++statements->tick,
        .key_size = key_size,
        .key = copy,
        .statement = statement,
        .taken = true,
    };
}

enum varve_status
varve__statement_take(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *key,
    size_t key_size,
    char *(*write)(const struct varve__plan *plan, const void *context),
    const void *context,
    sqlite3_stmt **statement)
{
    struct varve__statements *statements = connection->statements;
    uint64_t hash = hash_of(key, key_size);
    bool known = false;
    for (size_t i = 0; i < statements->kept_count; i++) {
        struct kept *entry = &statements->kept[i];
        if (entry->hash != hash || entry->key_size != key_size || !entry->statement ||
            memcmp(entry->key, key, key_size) != 0)
            continue;
        known = true;
        if (!entry->taken) {
            entry->taken = true;
            entry->used = ++statements->tick;
            *statement = entry->statement;
            return VARVE_OK;
        }
    }
    enum varve_status status = prepare(connection, plan, write(plan, context), statement);
    if (status == VARVE_OK && !known)
        keep(statements, hash, key, key_size, *statement);
    return status;
}

void
varve__statement_give(struct varve__connection *connection, sqlite3_stmt *statement)
{
    if (!statement)
        return;
    struct varve__statements *statements = connection->statements;
    for (size_t i = 0; i < statements->kept_count; i++) {
        if (statements->kept[i].statement == statement) {
            sqlite3_reset(statement);
            statements->kept[i].taken = false;
            return;
        }
    }
    sqlite3_finalize(statement);
}
