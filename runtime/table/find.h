/* Finding records by a filter: cursors over their rows, counting, deleting. */
#ifndef VARVE_TABLE_FIND_H
#define VARVE_TABLE_FIND_H

#include "base/arena.h"
#include "base/cursor.h"
#include "table/connection.h"
#include "table/query.h"

/* Rows of a query that are there already, each a record in the arena; without one a single record. */
struct varve__query_rows {
    struct varve__arena *arena;
    void **rows;
    size_t count;
    size_t room;
    void *single;
};

/* The rows of a find. In the list of its connection until it is closed; when the connection goes
 * first it is left without one and stands at its end. */
struct varve__find_cursor {
    struct varve_cursor base;
    struct varve__connection *connection; /* NULL: closed under it */
    const struct varve__plan *plan;
    struct varve__find_cursor *next, **link;           /* in the connection's list */
    struct varve__find_cursor *open_next, **open_link; /* in that of cursors in their rows */
    sqlite3_stmt *statement;                           /* NULL: at its end */
    bool begun;                                        /* has been stepped */
    size_t depth;                                      /* begins that it was opened within */
    enum varve_status failed;   /* not OK: of the step that failed; ended by a rollback */
    struct varve__arena *arena; /* of the row's maps and messages */
    void *row;
    struct varve__query_statement *query; /* of a typed query; NULL: a find */
    struct varve__query_rows kept;        /* that a write gave: there is no statement */
    size_t at;                            /* of these, the next */
    struct varve__trace_note
        *note; /* of the statement, when its rows have ended; NULL: not asked for */
};

enum varve_status
varve__find(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *filter,
    struct varve_cursor **cursor);

/* A cursor of no connection yet, its row and `memory_size` bytes in one block; NULL: no memory. */
struct varve__find_cursor *
varve__find_cursor_make(const struct varve__plan *plan, size_t memory_size, void **memory);

/* Releases one that was not opened. */
void
varve__find_cursor_release(struct varve__find_cursor *cursor);

/* Makes it the connection's, in its rows when it has a statement. */
struct varve_cursor *
varve__find_cursor_open(
    struct varve__connection *connection,
    struct varve__find_cursor *cursor,
    const struct varve_record *record);

/* A cursor over the rows of a query that is bound. It gives the statement back, also when the call
 * fails. */
enum varve_status
varve__find_query(
    struct varve__connection *connection,
    struct varve__query_statement *query,
    struct varve_cursor **cursor);

/* A cursor for rows that a write is to put into its `kept`, of no connection yet; and its end: of the
 * connection when the write's status is VARVE_OK, else released. Returns status. */
enum varve_status
varve__find_kept(const struct varve_record *record, struct varve__find_cursor **cursor);

enum varve_status
varve__find_keep(
    struct varve__connection *connection,
    struct varve__find_cursor *cursor,
    enum varve_status status,
    struct varve_cursor **result);

/* Shows the cursors that stand in their rows. From any thread: they do not end meanwhile. */
void
varve__find_look(
    struct varve__connection *connection,
    void (*look)(void *context, struct varve_cursor *cursor),
    void *context);

/* Leaves every cursor of the connection without it, at its end. */
void
varve__find_detach(struct varve__connection *connection);

/* Ends the rows of the cursors that were opened at this depth of begins or deeper, as a failure does:
 * when that is rolled back, what they found may never have been. */
void
varve__find_end_within(struct varve__connection *connection, size_t depth);

/* Makes the cursors that were opened deeper ones of this depth: the nested begin is committed. */
void
varve__find_lift(struct varve__connection *connection, size_t depth);

/* The first record that the filter finds, tensors included: release it with varve_record_free(). */
enum varve_status
varve__find_one(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *filter,
    void **record);

enum varve_status
varve__find_count(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *filter,
    int64_t *count);

/* Deletes what the filter finds; connection->changes counts. */
enum varve_status
varve__find_delete(
    struct varve__connection *connection, const struct varve__plan *plan, const void *filter);

#endif
