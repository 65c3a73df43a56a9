/* Typed queries: a statement of the schema's own, with a record for its parameters and one for each row.
 * Names tie them together, when a connection prepares the statement: parameter :x is field x of the request,
 * result column y is field y of the response. */
#ifndef VARVE_TABLE_QUERY_H
#define VARVE_TABLE_QUERY_H

#include "base/arena.h"
#include "base/cursor.h"
#include "table/connection.h"

/* A query as a connection has prepared it. */
struct varve__query_statement {
    const struct varve__query *query;
    sqlite3_stmt *statement;
    struct varve__plan request; /* slot i is parameter i + 1; empty without a request */
    struct varve__plan row;     /* slot i is column i; empty without a response */
    struct varve__arena *arena; /* of the two */
    bool plain_request;         /* it has numbers alone: nothing in it can be wrong but itself */
    bool kept;                  /* in the connection, for the next call */
    bool taken;
};

enum varve_status
varve__query_rows(
    struct varve__connection *connection,
    const struct varve__query *query,
    const void *request,
    struct varve_cursor **cursor);

enum varve_status
varve__query_one(
    struct varve__connection *connection,
    const struct varve__query *query,
    const void *request,
    void **record);

enum varve_status
varve__query_run(
    struct varve__connection *connection, const struct varve__query *query, const void *request);

/* The query's statement, for this call alone until it is given back. */
enum varve_status
varve__query_take(
    struct varve__connection *connection,
    const struct varve__query *query,
    struct varve__query_statement **prepared);

/* Binds the parameters: text and bytes where they lie (SQLITE_STATIC, they and the connection's arena must
 * stay) or, for a statement that outlives the call, copied (SQLITE_TRANSIENT). */
enum varve_status
varve__query_bind(
    struct varve__connection *connection,
    const struct varve__query_statement *prepared,
    const void *request,
    sqlite3_destructor_type copied);

/* What the cursor of a query needs. */

/* Records why a step of the query answered `code`. */
enum varve_status
varve__query_fail(struct varve__connection *connection, const struct varve__query *query, int code);

/* After the first step, before its row is used: the guard's look, and the row's columns again where
 * SQLite has prepared the statement anew. */
enum varve_status
varve__query_look(struct varve__connection *connection, struct varve__query_statement *prepared);

/* Resets the statement and keeps it for the next call. */
void
varve__query_give(struct varve__query_statement *prepared);

/* Finalizes what the connection keeps. */
void
varve__query_release_all(struct varve__connection *connection);

#endif
