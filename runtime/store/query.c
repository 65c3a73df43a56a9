/* Typed queries of a store: each call looks up the query and asks the table tier. */
#include <varve/query.h>

#include "store/call.h"
#include "store/cursor.h"
#include "table/query.h"

static enum varve_status
misuse(const struct varve__call *call, const struct varve_query *query, const char *text)
{
    enum varve_status status = varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL, "%s%s%s",
        query ? query->name : "", query ? ": " : "", text);
    return varve__call_end(call, VARVE__CALL_NO_ROWS, status);
}

/* A call of a query, and what it gives. */
enum form {
    RUN,
    ONE,
    ROWS,
};

/* Begins a call of this query. When it fails the call is over. */
static enum varve_status
enter(
    struct varve_session *session,
    const struct varve_query *query,
    enum form form,
    bool result,
    const struct varve__query **found,
    struct varve__call *call)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    const struct varve_record *record = !query            ? NULL
                                        : query->response ? query->response
                                                          : query->written;
    *call = form == ROWS ? varve__call_begin(session, VARVE_OPERATION_QUERY, record)
                         : varve__call_begin_short(session, VARVE_OPERATION_QUERY, record);
    *found = varve__query_of(session->store->plans, query); /* of NULL: NULL */
    if (!query)
        return misuse(call, NULL, "the query is NULL; pass a generated one, P_S_R_query");
    if (!*found || (query->written && !(*found)->written))
        return misuse(
            call, query,
            "this store has not its tables; open the store with the schema that has it");
    if (!result)
        return misuse(
            call, query, "the result is NULL; pass the address of a variable that takes it");
    if ((query->response != NULL) != (form != RUN))
        return misuse(
            call, query,
            form == RUN ? "it gives rows; call varve_query_rows() or varve_query_one()"
                        : "it gives no rows; call varve_query_run()");
    return VARVE_OK;
}

enum varve_status
varve_query_rows(
    struct varve_session *session,
    const struct varve_query *query,
    const void *request,
    struct varve_cursor **cursor)
{
    struct varve__call call;
    const struct varve__query *found;
    if (cursor)
        *cursor = NULL;
    enum varve_status status = enter(session, query, ROWS, cursor != NULL, &found, &call);
    if (status != VARVE_OK)
        return status;
    status = varve__query_rows(session->connection, found, request, cursor);
    return varve__cursor_opened(&call, *cursor, status);
}

enum varve_status
varve_query_one(
    struct varve_session *session,
    const struct varve_query *query,
    const void *request,
    void **record)
{
    struct varve__call call;
    const struct varve__query *found;
    if (record)
        *record = NULL;
    enum varve_status status = enter(session, query, ONE, record != NULL, &found, &call);
    if (status != VARVE_OK)
        return status;
    return varve__call_end(&call, 1, varve__query_one(session->connection, found, request, record));
}

enum varve_status
varve_query_run(struct varve_session *session, const struct varve_query *query, const void *request)
{
    struct varve__call call;
    const struct varve__query *found;
    enum varve_status status = enter(session, query, RUN, true, &found, &call);
    if (status != VARVE_OK)
        return status;
    status = varve__query_run(session->connection, found, request);
    return varve__call_end(&call, session->connection->changes, status);
}
