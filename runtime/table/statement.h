/* Prepared statements of a connection. Those of fixed text are kept for good, by (plan, verb); those
 * that follow from a call's arguments (the shape of a find, the fields of an update) are kept in a
 * cache of limited size, by a key that says all that the text depends on. */
#ifndef VARVE_TABLE_STATEMENT_H
#define VARVE_TABLE_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/status.h>

#include "table/plan.h"

struct varve__connection;
struct varve__statements;

enum varve__verb {
    VARVE__VERB_INSERT,
    VARVE__VERB_INSERT_FEED,
    VARVE__VERB_GET,
    VARVE__VERB_EXISTS,
    VARVE__VERB_UPDATE,
    VARVE__VERB_UPDATE_UNKNOWN, /* an update that sets the unknown fields, too */
    VARVE__VERB_UPSERT,         /* by primary key */
    VARVE__VERB_DELETE,
    VARVE__VERB_STAGED_INSERT,
    VARVE__VERB_STAGED_READ,
    VARVE__VERB_STAGED_DELETE,
    VARVE__VERB_STAGED_DIMS,
    VARVE__VERB_STAGED_SLICE,
    VARVE__VERB_COUNT,
};

/* An empty set for `plan_count` plans that keeps up to `kept` statements by key. */
enum varve_status
varve__statements_create(size_t plan_count, size_t kept, struct varve__statements **statements);

/* Finalizes all of them. NULL is fine. */
void
varve__statements_release(struct varve__statements *statements);

/* The connection's statement for this plan and verb, prepared at first use: bind, step, reset. */
enum varve_status
varve__statement(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    enum varve__verb verb,
    sqlite3_stmt **statement);

/* What a key begins with, as a size_t: no two kinds of statements meet. */
enum varve__kept {
    VARVE__KEPT_UPDATE = 1,
    VARVE__KEPT_UPSERT,
    VARVE__KEPT_GET_BY,
    VARVE__KEPT_FIND,
    VARVE__KEPT_FIND_ONE,
    VARVE__KEPT_FIND_COUNT,
    VARVE__KEPT_FIND_DELETE,
    VARVE__KEPT_BARE,
};

/* The statement with this key, which must say everything that its text depends on; `write` makes the
 * text (sqlite3_malloc'ed, NULL: no memory) when it is not in the cache. The statement is the
 * caller's until it is given back; a second one with the same key is prepared beside it. */
enum varve_status
varve__statement_take(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *key,
    size_t key_size,
    char *(*write)(const struct varve__plan *plan, const void *context),
    const void *context,
    sqlite3_stmt **statement);

/* Resets the statement and keeps it for the next, unless the cache is full of newer ones. NULL is
 * fine. */
void
varve__statement_give(struct varve__connection *connection, sqlite3_stmt *statement);

#endif
