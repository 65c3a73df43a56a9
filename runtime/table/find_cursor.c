/* Cursors over rows: of a find, of a typed query that reads, of one that has written. */
#include "table/find.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/row.h"
#include "table/trace.h"

enum {
    ROW_ARENA_SIZE = 512,  /* maps and messages of a small row; small enough for a fast malloc */
    KEPT_ARENA_SIZE = 4096 /* the first rows of a write */
};

/* -------------------------------------------------------------------- making */

/* Whether rows have maps, messages or arrays, which are decoded. */
static bool
needs_arena(const struct varve__plan *plan)
{
    const struct varve__moves *moves = &plan->moves;
    const struct varve__place *at = moves->order + moves->first[VARVE__MOVE_OTHER];
    for (; at < moves->end[VARVE__MOVE_OTHER]; at++) {
        if (plan->slots[at->slot].scalar == VARVE__MOVE_OTHER)
            return true;
    }
    return false;
}

struct varve__find_cursor *
varve__find_cursor_make(const struct varve__plan *plan, size_t memory_size, void **memory)
{
    size_t head = varve__arena_round(sizeof(struct varve__find_cursor));
    size_t row = varve__arena_round(plan->record->descriptor->sizeof_message);
    size_t size;
    struct varve__find_cursor *cursor = NULL;
    if (varve__size_add(head + row, memory_size, &size))
        cursor = varve__allocate(size);
    if (!cursor)
        return NULL;
    *cursor = (struct varve__find_cursor){.plan = plan, .row = (char *)cursor + head};
    memcpy(cursor->row, plan->record->initial, plan->record->descriptor->sizeof_message);
    *memory = (char *)cursor + head + row;
    if (needs_arena(plan)) {
        cursor->arena = varve__arena_create(ROW_ARENA_SIZE);
        if (!cursor->arena) {
            varve__release(cursor);
            return NULL;
        }
    }
    return cursor;
}

void
varve__find_cursor_release(struct varve__find_cursor *cursor)
{
    varve__release(cursor->note);
    varve__arena_release(cursor->arena);
    varve__arena_release(cursor->kept.arena);
    varve__release(cursor);
}

/* Others see the cursor from here on .. */
static void
show_rows(struct varve__connection *connection, struct varve__find_cursor *cursor)
{
    pthread_mutex_lock(&connection->open_lock);
    cursor->open_next = connection->open;
    cursor->open_link = &connection->open;
    if (cursor->open_next)
        cursor->open_next->open_link = &cursor->open_next;
    connection->open = cursor;
    pthread_mutex_unlock(&connection->open_lock);
}

/* .. to here. */
static void
hide_rows(struct varve__connection *connection, struct varve__find_cursor *cursor)
{
    pthread_mutex_lock(&connection->open_lock);
    *cursor->open_link = cursor->open_next;
    if (cursor->open_next)
        cursor->open_next->open_link = cursor->open_link;
    pthread_mutex_unlock(&connection->open_lock);
}

static void
unlink_cursor(struct varve__find_cursor *cursor)
{
    *cursor->link = cursor->next;
    if (cursor->next)
        cursor->next->link = cursor->link;
}

/* Gives the statement back, if it is still there. */
static void
end_rows(struct varve__find_cursor *cursor)
{
    sqlite3_stmt *statement = cursor->statement;
    cursor->kept.count = 0;
    if (!statement)
        return;
    hide_rows(cursor->connection, cursor);
    cursor->statement = NULL;
    cursor->base.opened_at = 0;
    if (cursor->note)
        varve__trace_describe(statement, cursor->note);
    if (cursor->query)
        varve__query_give(cursor->query);
    else
        varve__statement_give(cursor->connection, statement);
    cursor->connection->open_rows--;
}

/* After a step, whatever it gave: the first shows which schema the rows are of. */
static enum varve_status
check_schema(struct varve__find_cursor *cursor)
{
    cursor->begun = true;
    return cursor->query ? varve__query_look(cursor->connection, cursor->query)
                         : varve__guard_read(cursor->connection, cursor->statement);
}

/* A step without a statement, or that gave no row. */
static enum varve_status
finish(struct varve__find_cursor *cursor, enum varve_status status)
{
    cursor->failed = status == VARVE_DONE ? VARVE_OK : status;
    end_rows(cursor);
    return status;
}

static enum varve_status
ended(const struct varve__find_cursor *cursor)
{
    if (cursor->failed == VARVE_OK)
        return VARVE_DONE;
    const char *name = cursor->base.record->descriptor->name;
    if (cursor->failed == VARVE_MISUSE)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
            "%s: a rollback has ended the cursor, which was opened inside; close it and find again",
            name);
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "%s: the cursor has failed before (%s); close it and find again", name,
        varve_status_name(cursor->failed));
}

/* The next of rows that are there already. */
static enum varve_status
next_kept(struct varve__find_cursor *cursor, const void **row)
{
    if (cursor->at >= cursor->kept.count)
        return ended(cursor);
    *row = cursor->kept.rows[cursor->at++];
    return VARVE_ROW;
}

static enum varve_status
fail_step(struct varve__find_cursor *cursor, int code)
{
    return cursor->query ? varve__query_fail(cursor->connection, cursor->query->query, code)
                         : varve__connection_fail(cursor->connection, code, cursor->plan, "find");
}

static enum varve_status
next_row(struct varve_cursor *base, const void **row)
{
    struct varve__find_cursor *cursor = (struct varve__find_cursor *)base;
    if (__builtin_expect(!cursor->statement, 0))
        return next_kept(cursor, row);
    if (cursor->arena)
        varve__arena_reset(cursor->arena);
    int code = sqlite3_step(cursor->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return finish(cursor, fail_step(cursor, code));
    enum varve_status status = cursor->begun ? VARVE_OK : check_schema(cursor);
    if (status == VARVE_OK && code == SQLITE_DONE)
        return finish(cursor, VARVE_DONE);
    if (status == VARVE_OK)
        status = varve__row_borrow(cursor->plan, cursor->statement, cursor->arena, cursor->row);
    if (__builtin_expect(status != VARVE_OK, 0))
        return finish(cursor, status);
    *row = cursor->row;
    return VARVE_ROW;
}

static void
close_cursor(struct varve_cursor *base)
{
    struct varve__find_cursor *cursor = (struct varve__find_cursor *)base;
    if (cursor->connection) {
        end_rows(cursor);
        unlink_cursor(cursor);
    }
    varve__find_cursor_release(cursor);
}

static void
end_cursor(struct varve_cursor *base)
{
    struct varve__find_cursor *cursor = (struct varve__find_cursor *)base;
    if (cursor->connection)
        end_rows(cursor);
}

/* -------------------------------------------------------------------- opening */

/* Into the list of the connection's; one in its rows keeps a snapshot, which others are shown. */
static void
link_cursor(struct varve__connection *connection, struct varve__find_cursor *cursor)
{
    cursor->connection = connection;
    cursor->depth = connection->depth;
    cursor->next = connection->cursors;
    cursor->link = &connection->cursors;
    if (cursor->next)
        cursor->next->link = &cursor->next;
    connection->cursors = cursor;
    if (!cursor->statement)
        return;
    cursor->base.opened_at =
        connection->call_began > 0 ? connection->call_began : varve__monotonic_now();
    connection->open_rows++;
    show_rows(connection, cursor);
}

struct varve_cursor *
varve__find_cursor_open(
    struct varve__connection *connection,
    struct varve__find_cursor *cursor,
    const struct varve_record *record)
{
    /* Without memory for it a slow find is told without its SQL. */
    if (connection->trace && cursor->statement &&
        (cursor->note = varve__allocate(sizeof *cursor->note)))
        *cursor->note = (struct varve__trace_note){0};
    cursor->base = (struct varve_cursor){
        .record = record,
        .next = next_row,
        .close = close_cursor,
        .end = end_cursor,
        .note = cursor->note,
    };
    link_cursor(connection, cursor);
    return &cursor->base;
}

enum varve_status
varve__find_query(
    struct varve__connection *connection,
    struct varve__query_statement *query,
    struct varve_cursor **result)
{
    void *memory;
    struct varve__find_cursor *cursor = varve__find_cursor_make(&query->row, 0, &memory);
    if (!cursor) {
        varve__query_give(query);
        return varve__fail_memory(query->query->query->name, sizeof *cursor);
    }
    cursor->query = query;
    cursor->statement = query->statement;
    *result = varve__find_cursor_open(connection, cursor, query->row.record);
    return VARVE_OK;
}

enum varve_status
varve__find_kept(const struct varve_record *record, struct varve__find_cursor **result)
{
    struct varve__find_cursor *cursor = varve__allocate(sizeof *cursor);
    *result = NULL;
    if (!cursor)
        return varve__fail_memory(record->descriptor->name, sizeof *cursor);
    *cursor = (struct varve__find_cursor){.kept.arena = varve__arena_create(KEPT_ARENA_SIZE)};
    if (!cursor->kept.arena) {
        varve__release(cursor);
        return varve__fail_memory(record->descriptor->name, KEPT_ARENA_SIZE);
    }
    cursor->base.record = record;
    *result = cursor;
    return VARVE_OK;
}

enum varve_status
varve__find_keep(
    struct varve__connection *connection,
    struct varve__find_cursor *cursor,
    enum varve_status status,
    struct varve_cursor **result)
{
    if (status != VARVE_OK) {
        varve__find_cursor_release(cursor);
        return status;
    }
    *result = varve__find_cursor_open(connection, cursor, cursor->base.record);
    return VARVE_OK;
}

void
varve__find_detach(struct varve__connection *connection)
{
    struct varve__find_cursor *next;
    for (struct varve__find_cursor *cursor = connection->cursors; cursor; cursor = next) {
        next = cursor->next;
        end_rows(cursor);
        cursor->connection = NULL;
    }
    connection->cursors = NULL;
}

void
varve__find_end_within(struct varve__connection *connection, size_t depth)
{
    for (struct varve__find_cursor *cursor = connection->cursors; cursor; cursor = cursor->next) {
        if ((!cursor->statement && cursor->kept.count == 0) || cursor->depth < depth)
            continue;
        cursor->failed = VARVE_MISUSE;
        end_rows(cursor);
    }
}

void
varve__find_lift(struct varve__connection *connection, size_t depth)
{
    for (struct varve__find_cursor *cursor = connection->cursors; cursor; cursor = cursor->next) {
        if (cursor->depth > depth)
            cursor->depth = depth;
    }
}

/* -------------------------------------------------------------------- all of a connection */

void
varve__find_look(
    struct varve__connection *connection,
    void (*look)(void *context, struct varve_cursor *cursor),
    void *context)
{
    pthread_mutex_lock(&connection->open_lock);
    for (struct varve__find_cursor *cursor = connection->open; cursor; cursor = cursor->open_next)
        look(context, &cursor->base);
    pthread_mutex_unlock(&connection->open_lock);
}
