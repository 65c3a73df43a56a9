/* What keeps records from being deleted: a row that refers to one of those that would go, and would not
 * go itself. Which ones would go is asked in one recursive query:
 *
 *     WITH RECURSIVE varve_gone (t, k) AS (
 *         SELECT 3, k FROM (SELECT rowid AS k FROM "shelf" WHERE "id" = ?1)
 *         UNION SELECT 4, c.rowid FROM varve_gone ..           for each reference with CASCADE
 *     )
 *
 * t is the plan's index, k the row. References without an action are checked when the statement is
 * done, so rows of varve_gone keep nothing. */
#include "table/probe.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/row.h"
#include "table/sql.h"

/* What was to be deleted: by key, or all that the filter finds. */
struct search {
    struct varve__connection *connection;
    const struct varve__plan *plan;
    const void *const *key;
    const struct varve__filter *filter; /* NULL: by key */
    void *memory;                       /* for the filter's parameters */
    bool *reached;                      /* by plan: whether rows of it may go */
};

/* A reference from a slot of one plan to another. */
struct edge {
    const struct varve__plan *child;
    size_t slot;
    const struct varve__plan *parent;
};

/* The reference of this slot: false unless there is one that does this and leads to what may go. */
static bool
take_edge(
    const struct search *search,
    const struct varve__plan *child,
    size_t slot,
    enum varve_on_delete on_delete,
    struct edge *edge)
{
    const struct varve_reference *reference = child->slots[slot].column->reference;
    if (!reference || reference->on_delete != on_delete)
        return false;
    *edge =
        (struct edge){child, slot, varve__plan_of(search->connection->plans, reference->record)};
    return edge->parent && search->reached[edge->parent->index];
}

static bool
reach_once(const struct search *search)
{
    bool more = false;
    struct edge edge;
    const struct varve__plans *plans = search->connection->plans;
    for (size_t i = 0; i < plans->count; i++) {
        const struct varve__plan *child = &plans->plans[i];
        for (size_t slot = 0; slot < child->slot_count && !search->reached[i]; slot++) {
            search->reached[i] = take_edge(search, child, slot, VARVE_ON_DELETE_CASCADE, &edge);
            more = more || search->reached[i];
        }
    }
    return more;
}

/* -------------------------------------------------------------------- text */

static char *
sql_of_rows(const struct search *search)
{
    if (search->filter)
        return varve__filter_sql_rows(search->filter);
    return varve__sql_rows_by_key(search->plan);
}

/* `varve_gone JOIN parent AS p JOIN child AS c`, by the reference; CROSS keeps SQLite from beginning with
 * another table. */
static void
append_join(sqlite3_str *sql, const struct edge *edge)
{
    const struct varve_column *column = edge->child->slots[edge->slot].column;
    const struct varve_record *parent = edge->parent->record;
    sqlite3_str_appendf(
        sql,
        " FROM varve_gone AS g CROSS JOIN \"%w\" AS p ON p.%s = g.k CROSS JOIN \"%w\" AS c "
        "ON c.\"%w\" = p.\"%w\" WHERE g.t = %d",
        parent->table->name, varve__sql_rowid(edge->parent), edge->child->record->table->name,
        column->field->name, parent->columns[column->reference->column].field->name,
        (int)edge->parent->index);
}

static void
append_gone(sqlite3_str *sql, const struct search *search)
{
    struct edge edge;
    const struct varve__plans *plans = search->connection->plans;
    char *rows = sql_of_rows(search);
    sqlite3_str_appendf(
        sql, "WITH RECURSIVE varve_gone (t, k) AS (SELECT %d, k FROM (%s)",
        (int)search->plan->index, rows ? rows : "");
    sqlite3_free(rows);
    for (size_t i = 0; i < plans->count; i++) {
        const struct varve__plan *child = &plans->plans[i];
        for (size_t slot = 0; slot < child->slot_count; slot++) {
            if (!take_edge(search, child, slot, VARVE_ON_DELETE_CASCADE, &edge))
                continue;
            sqlite3_str_appendf(sql, " UNION SELECT %d, c.%s", (int)i, varve__sql_rowid(child));
            append_join(sql, &edge);
        }
    }
    sqlite3_str_appendall(sql, ")");
}

/* The key of a record that would go and that a row which stays refers to. */
static char *
sql_of_blocked(const struct search *search, const struct edge *edge)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    append_gone(sql, search);
    for (size_t i = 0; i < edge->parent->key_count; i++) {
        const struct varve__slot *slot = &edge->parent->slots[edge->parent->keys[i]];
        sqlite3_str_appendf(
            sql, "%s p.\"%w\"", i == 0 ? " SELECT" : ",", slot->column->field->name);
    }
    append_join(sql, edge);
    sqlite3_str_appendf(
        sql, " AND c.%s NOT IN (SELECT k FROM varve_gone WHERE t = %d) LIMIT 1",
        varve__sql_rowid(edge->child), (int)edge->child->index);
    return sqlite3_str_finish(sql);
}

/* -------------------------------------------------------------------- sentences */

static void
explain(const struct search *search, const struct edge *edge, sqlite3_stmt *row)
{
    char text[VARVE__KEY_TEXT];
    const char *name = search->plan->record->descriptor->name;
    bool cascaded = edge->parent != search->plan;
    varve__key_text_of_row(edge->parent, row, text);
    varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, name,
        "the %s with %s%s%s%s is still referred to by %s.%s; delete or change what refers to it "
        "first",
        edge->parent->record->descriptor->name, text,
        cascaded ? ", which would be deleted with its " : "", cascaded ? name : "",
        cascaded ? " (on_delete CASCADE)," : "", edge->child->record->descriptor->name,
        edge->child->slots[edge->slot].column->field->name);
}

/* For when it cannot be asked what refers, or another program has changed it since. */
static void
explain_in_general(const struct varve__plan *plan)
{
    const char *name = plan->record->descriptor->name;
    varve__fail(
        VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY, VARVE_TIER_TABLE, name,
        "delete of %s: a record that would be deleted, itself or with another (on_delete CASCADE), "
        "is still referred to; delete or change what refers to it first",
        name);
}

/* -------------------------------------------------------------------- the search */

static bool
bind(const struct search *search, sqlite3_stmt *statement)
{
    if (search->filter)
        return varve__filter_bind(search->filter, statement, search->memory) == SQLITE_OK;
    return varve__row_bind_key(search->plan, search->key, statement, 1) == VARVE_OK;
}

/* Whether rows that stay refer so to ones that would go: then it is told. */
static bool
blocks(const struct search *search, const struct edge *edge)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *database = search->connection->database;
    char *sql = sql_of_blocked(search, edge);
    bool found = sql && sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
                 bind(search, statement) && sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        explain(search, edge, statement);
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return found;
}

static bool
find_blocking(const struct search *search)
{
    struct edge edge;
    const struct varve__plans *plans = search->connection->plans;
    search->reached[search->plan->index] = true;
    while (reach_once(search))
        continue;
    for (size_t i = 0; i < plans->count; i++) {
        const struct varve__plan *child = &plans->plans[i];
        for (size_t slot = 0; slot < child->slot_count; slot++) {
            if (take_edge(search, child, slot, VARVE_ON_DELETE_RESTRICT, &edge) &&
                blocks(search, &edge))
                return true;
        }
    }
    return false;
}

/* Looks for what blocks, and tells it. */
static void
explain_blocking(struct search *search)
{
    size_t count = search->connection->plans->count;
    size_t memory_size = search->filter ? search->filter->memory_size : 0;
    search->reached = varve__allocate(count * sizeof *search->reached);
    search->memory = varve__allocate(memory_size);
    bool found = false;
    if (search->reached && search->memory) {
        memset(search->reached, 0, count * sizeof *search->reached);
        found = find_blocking(search);
    }
    varve__release(search->reached);
    varve__release(search->memory);
    if (!found)
        explain_in_general(search->plan);
}

static enum varve_status
probe(struct search *search, int code)
{
    enum varve_status status =
        varve__connection_fail(search->connection, code, search->plan, "delete");
    if (varve__thread_failure()->kind == VARVE_FAILURE_FOREIGN_KEY) {
        if (search->key || search->filter)
            explain_blocking(search);
        else
            explain_in_general(search->plan);
    }
    return status;
}

enum varve_status
varve__probe_delete(
    struct varve__connection *connection,
    int code,
    const struct varve__plan *plan,
    const void *const *key)
{
    struct search search = {.connection = connection, .plan = plan, .key = key};
    return probe(&search, code);
}

enum varve_status
varve__probe_delete_where(
    struct varve__connection *connection, int code, const struct varve__filter *filter)
{
    struct search search = {.connection = connection, .plan = filter->plan, .filter = filter};
    return probe(&search, code);
}
