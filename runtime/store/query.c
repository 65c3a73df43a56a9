/* Typed queries of a store: each call looks up the query and asks the table tier. */
#include <varve/query.h>

#include "base/cursor.h"
#include "store/handles.h"
#include "table/query.h"

static enum varve_status
misuse(struct varve_session *session, const struct varve_query *query, const char *text)
{
    return varve__session_leave(
        session, varve__fail(
                     VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL, "%s%s%s",
                     query ? query->name : "", query ? ": " : "", text));
}

/* Begins a call of this query. When it fails the call is over. */
static enum varve_status
enter(
    struct varve_session *session,
    const struct varve_query *query,
    bool result,
    const struct varve__query **found)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    *found = varve__query_of(session->store->plans, query); /* of NULL: NULL */
    if (!query)
        return misuse(session, NULL, "the query is NULL; pass a generated one, P_S_R_query");
    if (!*found || (query->written && !(*found)->written))
        return misuse(
            session, query,
            "this store has not its tables; open the store with the schema that has it");
    if (!result)
        return misuse(
            session, query, "the result is NULL; pass the address of a variable that takes it");
    return VARVE_OK;
}

/* Whether the query gives rows is said by the wrapper that calls; for callers without one: */
static enum varve_status
check_rows(const struct varve_query *query, bool wanted)
{
    if ((query->response != NULL) == wanted)
        return VARVE_OK;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        wanted ? "%s gives no rows; call varve_query_run()"
               : "%s gives rows; call varve_query_rows() or varve_query_one()",
        query->name);
}

enum varve_status
varve_query_rows(
    struct varve_session *session,
    const struct varve_query *query,
    const void *request,
    struct varve_cursor **cursor)
{
    const struct varve__query *found;
    if (cursor)
        *cursor = NULL;
    enum varve_status status = enter(session, query, cursor != NULL, &found);
    if (status != VARVE_OK)
        return status;
    status = check_rows(query, true);
    if (status == VARVE_OK)
        status = varve__query_rows(session->connection, found, request, cursor);
    if (status == VARVE_OK)
        (*cursor)->owner = session;
    return varve__session_leave(session, status);
}

enum varve_status
varve_query_one(
    struct varve_session *session,
    const struct varve_query *query,
    const void *request,
    void **record)
{
    const struct varve__query *found;
    if (record)
        *record = NULL;
    enum varve_status status = enter(session, query, record != NULL, &found);
    if (status != VARVE_OK)
        return status;
    status = check_rows(query, true);
    if (status == VARVE_OK)
        status = varve__query_one(session->connection, found, request, record);
    return varve__session_leave(session, status);
}

enum varve_status
varve_query_run(struct varve_session *session, const struct varve_query *query, const void *request)
{
    const struct varve__query *found;
    enum varve_status status = enter(session, query, true, &found);
    if (status != VARVE_OK)
        return status;
    status = check_rows(query, false);
    if (status == VARVE_OK)
        status = varve__query_run(session->connection, found, request);
    return varve__session_leave(session, status);
}
