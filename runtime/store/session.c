/* Sessions: one thread's connection, its prepared statements and its last failure. */
#include <string.h>

#include "base/memory.h"
#include "store/handles.h"
#include "table/sql.h"
#include "table/sqlite.h"

static size_t
statement_count(const struct varve_store *store)
{
    return store->schema->record_count * VARVE__VERB_COUNT;
}

/* A session counts before it has anything of the store, so that varve_close() waits for it. */
static void
enter_store(struct varve_store *store)
{
    pthread_mutex_lock(&store->lock);
    store->session_count++;
    pthread_mutex_unlock(&store->lock);
}

static void
leave_store(struct varve_store *store)
{
    pthread_mutex_lock(&store->lock);
    if (--store->session_count == 0)
        pthread_cond_broadcast(&store->closed);
    pthread_mutex_unlock(&store->lock);
}

static enum varve_status
open_session(struct varve_store *store, struct varve_session **result)
{
    size_t statements_size = statement_count(store) * sizeof(sqlite3_stmt *);
    struct varve_session *session = varve__allocate(sizeof *session);
    sqlite3_stmt **statements = varve__allocate(statements_size);
    if (!session || !statements) {
        varve__release(session);
        varve__release(statements);
        return varve__fail_memory(NULL, sizeof *session + statements_size);
    }
    memset(statements, 0, statements_size);
    *session = (struct varve_session){.store = store, .statements = statements};
    enum varve_status status =
        varve__sqlite_open(store->database, store->busy_timeout_ms, &session->database);
    if (status != VARVE_OK) {
        varve__release(statements);
        varve__release(session);
        return status;
    }
    *result = session;
    return VARVE_OK;
}

enum varve_status
varve_session_open(struct varve_store *store, struct varve_session **result)
{
    *result = NULL;
    if (!store)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
            "the store is NULL; open one with varve_open() and look at its status");
    enter_store(store);
    enum varve_status status = open_session(store, result);
    if (status != VARVE_OK)
        leave_store(store);
    return status;
}

void
varve_session_close(struct varve_session *session)
{
    if (!session)
        return;
    struct varve_store *store = session->store;
    for (size_t i = 0; i < statement_count(store); i++)
        sqlite3_finalize(session->statements[i]);
    sqlite3_close(session->database);
    varve__release(session->statements);
    varve__release(session);
    leave_store(store);
}

const char *
varve_session_error(const struct varve_session *session)
{
    return session ? session->error : varve__thread_error();
}

const struct varve_failure *
varve_session_failure(const struct varve_session *session)
{
    if (!session)
        return varve__thread_failure();
    return session->failed ? &session->failure : NULL;
}

enum varve_status
varve__session_leave(struct varve_session *session, enum varve_status status)
{
    if (status == VARVE_OK || status == VARVE_ROW || status == VARVE_DONE)
        return status;
    session->failed = true;
    session->failure = *varve__thread_failure();
    if (session->failure.tier == VARVE_TIER_NONE)
        session->failure.tier = VARVE_TIER_TABLE; /* found by the codec, on the way to a table */
    memcpy(session->error, varve__thread_error(), sizeof session->error);
    return status;
}

static enum varve_status
find_record(const struct varve_session *session, const struct varve_record *table, size_t *position)
{
    const struct varve_schema *schema = session->store->schema;
    for (size_t i = 0; i < schema->record_count; i++) {
        if (schema->records[i] == table && table->table) {
            *position = i;
            return VARVE_OK;
        }
    }
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, table->descriptor->name,
        "%s has no table in this store, which was opened with the schema of package %s",
        table->descriptor->name, schema->package);
}

enum varve_status
varve__session_statement(
    struct varve_session *session,
    const struct varve_record *table,
    enum varve__verb verb,
    sqlite3_stmt **statement)
{
    size_t position = 0;
    *statement = NULL;
    enum varve_status status = find_record(session, table, &position);
    if (status != VARVE_OK)
        return status;
    sqlite3_stmt **place = &session->statements[position * VARVE__VERB_COUNT + verb];
    if (!*place) {
        char *sql = verb == VARVE__VERB_INSERT ? varve__sql_insert(table) : varve__sql_get(table);
        if (!sql)
            return varve__fail_memory(table->descriptor->name, 0);
        status = varve__sqlite_prepare(session->database, table, sql, place);
        sqlite3_free(sql);
    }
    *statement = *place;
    return status;
}
