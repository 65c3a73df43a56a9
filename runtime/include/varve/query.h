/* Typed queries: the methods of a schema's services that have (varve.sql). The generated functions
 * (P_S_R) are typed one-line wrappers of these.
 *
 *     struct cortex_best_strategies_request request = CORTEX_BEST_STRATEGIES_REQUEST_INIT;
 *     request.task_type = "maze";
 *     request.limit = 5;
 *     if (cortex_learning_events_best_strategies(session, &request, &cursor) == VARVE_OK) {
 *         while ((status = cortex_strategy_score_next(cursor, &row)) == VARVE_ROW)
 *             printf("%s %g\n", row->strategy_used, row->average_delta);
 *         varve_cursor_close(cursor);
 *     }
 *
 * The request's fields are the statement's parameters: an optional one that is absent is NULL, a repeated
 * one is the text of a JSON array, for json_each(). VARVE_INVALID names a field that SQL cannot hold. All
 * of the request is copied, or used up, before the call returns.
 *
 * The statement was tried on SQLite when the schema was built. A result that does not fit its field all the
 * same is VARVE_TYPE, which names column and value. What SQLite itself refuses at run time (an overflow,
 * text that is no JSON) is VARVE_INVALID; a statement that runs too long ends by varve_interrupt() or
 * call_timeout_ms.
 *
 * A query that writes is all or nothing, like every write: hot copies of the records that it changes are
 * deleted after its commit, tensors of those it deletes go with them, varve_changes() counts. Its status is
 * that of other writes: VARVE_CONFLICT (a unique field, a reference), VARVE_INVALID (a check), VARVE_MISUSE
 * (a reading transaction, an open cursor outside of one).
 */
#ifndef VARVE_QUERY_H
#define VARVE_QUERY_H

#include <varve/schema.h>
#include <varve/status.h>
#include <varve/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs a query of many rows. *cursor stands before the first: step with P_M_next() of its response, or
 * varve_cursor_next(); close it with varve_cursor_close(). Rows are as those of a find. A query that
 * writes has done so, durably outside a transaction, when the call returns; its rows are kept in memory. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_query_rows(
    struct varve_session *session,
    const struct varve_query *query,
    const void *request,
    struct varve_cursor **cursor);

/* Runs a query of one row: one block, release it with varve_record_free(). VARVE_NOT_FOUND: it gives
 * none; VARVE_INVALID: it gives several, and what it wrote is undone. */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_query_one(
    struct varve_session *session,
    const struct varve_query *query,
    const void *request,
    void **record);

/* Runs a query that writes and gives no rows. That it changes nothing is no error: varve_changes(). */
VARVE_MUST_CHECK VARVE_EXPORT enum varve_status
varve_query_run(
    struct varve_session *session, const struct varve_query *query, const void *request);

#ifdef __cplusplus
}
#endif

#endif
