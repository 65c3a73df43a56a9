/* Cursors, and the calls that a filter needs but one statement for. */
#include "table/find.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/filter.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/staged.h"
#include "table/transaction.h"

enum {
    ROW_ARENA_SIZE = 512,  /* maps and messages of a small row; small enough for a fast malloc */
    KEPT_ARENA_SIZE = 4096 /* the first rows of a write */
};

static const char *
message_of(const struct varve__plan *plan)
{
    return plan->record->descriptor->name;
}

static enum varve_status
take_statement(
    struct varve__connection *connection,
    const struct varve__filter *filter,
    sqlite3_stmt **statement)
{
    return varve__statement_take(
        connection, filter->plan, filter->shape, varve__filter_key_size(filter), varve__filter_sql,
        filter, statement);
}

/* -------------------------------------------------------------------- cursors */

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

/* A cursor, its row and `memory_size` bytes in one block. */
static struct varve__find_cursor *
make_cursor(const struct varve__plan *plan, size_t memory_size, void **memory)
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

static void
release_cursor(struct varve__find_cursor *cursor)
{
    varve__arena_release(cursor->arena);
    varve__arena_release(cursor->kept.arena);
    varve__release(cursor);
}

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
    connection->open_rows += cursor->statement != NULL;
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
    cursor->kept.count = 0;
    if (!cursor->statement)
        return;
    if (cursor->query)
        varve__query_give(cursor->query);
    else
        varve__statement_give(cursor->connection, cursor->statement);
    cursor->statement = NULL;
    cursor->connection->open_rows--;
}

static enum varve_status
open_cursor(
    struct varve__connection *connection,
    const struct varve__filter *filter,
    struct varve__find_cursor **result)
{
    void *memory;
    struct varve__find_cursor *cursor = make_cursor(filter->plan, filter->memory_size, &memory);
    if (!cursor)
        return varve__fail_memory(message_of(filter->plan), sizeof *cursor);
    enum varve_status status = take_statement(connection, filter, &cursor->statement);
    if (status == VARVE_OK) {
        int code = varve__filter_bind(filter, cursor->statement, memory);
        if (code != SQLITE_OK)
            status = varve__connection_fail(connection, code, filter->plan, "find");
    }
    if (status != VARVE_OK) {
        varve__statement_give(connection, cursor->statement);
        release_cursor(cursor);
        return status;
    }
    link_cursor(connection, cursor);
    *result = cursor;
    return VARVE_OK;
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
    release_cursor(cursor);
}

enum varve_status
varve__find(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *given,
    struct varve_cursor **result)
{
    struct varve__filter filter;
    struct varve__find_cursor *cursor = NULL;
    *result = NULL;
    enum varve_status status = varve__connection_check(connection);
    if (status == VARVE_OK)
        status = varve__filter_read(plan, given, VARVE__FILTER_FIND, &filter);
    if (status != VARVE_OK)
        return status;
    status = open_cursor(connection, &filter, &cursor);
    varve__filter_release(&filter);
    if (status != VARVE_OK)
        return status;
    cursor->base =
        (struct varve_cursor){.record = plan->record, .next = next_row, .close = close_cursor};
    *result = &cursor->base;
    return VARVE_OK;
}

enum varve_status
varve__find_query(
    struct varve__connection *connection,
    struct varve__query_statement *query,
    struct varve_cursor **result)
{
    void *memory;
    struct varve__find_cursor *cursor = make_cursor(&query->row, 0, &memory);
    if (!cursor) {
        varve__query_give(query);
        return varve__fail_memory(query->query->query->name, sizeof *cursor);
    }
    cursor->query = query;
    cursor->statement = query->statement;
    link_cursor(connection, cursor);
    cursor->base =
        (struct varve_cursor){.record = query->row.record, .next = next_row, .close = close_cursor};
    *result = &cursor->base;
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
    cursor->base = (struct varve_cursor){.record = record, .next = next_row, .close = close_cursor};
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
        release_cursor(cursor);
        return status;
    }
    link_cursor(connection, cursor);
    *result = &cursor->base;
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

/* -------------------------------------------------------------------- single statements */

/* A statement that ends within the call. */
struct run {
    struct varve__connection *connection;
    const struct varve__plan *plan;
    sqlite3_stmt *statement;
    void *memory;
};

static void
end_run(struct run *run)
{
    varve__statement_give(run->connection, run->statement);
    varve__release(run->memory);
    run->statement = NULL;
    run->memory = NULL;
}

static enum varve_status
fail_run(const struct run *run, int code)
{
    return varve__connection_fail(run->connection, code, run->plan, "find");
}

/* The first step of a statement that reads: SQLITE_ROW or SQLITE_DONE where the status is VARVE_OK. */
static int
step_run(const struct run *run, enum varve_status *status)
{
    int code = sqlite3_step(run->statement);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        *status = varve__guard_read(run->connection, run->statement);
    else
        *status = fail_run(run, code);
    return code;
}

static enum varve_status
begin_run(struct run *run, const struct varve__filter *filter)
{
    if (filter->memory_size > 0) {
        run->memory = varve__allocate(filter->memory_size);
        if (!run->memory)
            return varve__fail_memory(message_of(run->plan), filter->memory_size);
    }
    enum varve_status status = take_statement(run->connection, filter, &run->statement);
    if (status == VARVE_OK) {
        int code = varve__filter_bind(filter, run->statement, run->memory);
        if (code != SQLITE_OK)
            status = fail_run(run, code);
    }
    if (status != VARVE_OK)
        end_run(run);
    return status;
}

/* Prepares what the filter asks for: to be stepped, then ended with end_run(). */
static enum varve_status
prepare(struct run *run, const void *given, enum varve__filter_verb verb)
{
    struct varve__filter filter;
    enum varve_status status = varve__connection_check(run->connection);
    if (status == VARVE_OK)
        status = varve__filter_read(run->plan, given, verb, &filter);
    if (status != VARVE_OK)
        return status;
    status = begin_run(run, &filter);
    varve__filter_release(&filter);
    return status;
}

enum varve_status
varve__find_one(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *filter,
    void **record)
{
    struct run run = {.connection = connection, .plan = plan};
    *record = NULL;
    enum varve_status status = prepare(&run, filter, VARVE__FILTER_FIND_ONE);
    if (status != VARVE_OK)
        return status;
    int code = step_run(&run, &status);
    if (status == VARVE_OK && code == SQLITE_ROW)
        status = varve__staged_read_row(connection, plan, run.statement, record);
    else if (status == VARVE_OK)
        status = varve__fail(
            VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, message_of(plan),
            "there is no %s that the filter finds", message_of(plan));
    end_run(&run);
    return status;
}

enum varve_status
varve__find_count(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *filter,
    int64_t *count)
{
    struct run run = {.connection = connection, .plan = plan};
    *count = 0;
    enum varve_status status = prepare(&run, filter, VARVE__FILTER_COUNT);
    if (status != VARVE_OK)
        return status;
    step_run(&run, &status);
    if (status == VARVE_OK)
        *count = sqlite3_column_int64(run.statement, 0);
    end_run(&run);
    return status;
}

/* Deletes within a write that has begun. The statement must be reset before a failure is probed. */
static enum varve_status
delete_rows(struct run *run, const struct varve__filter *filter, int64_t *count)
{
    int code = varve__guard_step(run->connection, run->plan, NULL, run->statement);
    *count = sqlite3_changes64(run->connection->database);
    end_run(run);
    return code == SQLITE_DONE ? VARVE_OK
                               : varve__probe_delete_where(run->connection, code, filter);
}

static enum varve_status
run_delete(struct run *run, const struct varve__filter *filter)
{
    int64_t count = 0;
    struct varve__connection *connection = run->connection;
    enum varve_status status = begin_run(run, filter);
    if (status != VARVE_OK)
        return status;
    enum varve__write kind = varve__write_of_change(connection, VARVE__WRITE_ONE);
    status = varve__write_begin(connection, kind);
    if (status == VARVE_OK)
        status = varve__write_end(connection, kind, delete_rows(run, filter, &count));
    else
        end_run(run);
    if (status == VARVE_OK)
        connection->changes = count;
    return status;
}

enum varve_status
varve__find_delete(
    struct varve__connection *connection, const struct varve__plan *plan, const void *given)
{
    struct varve__filter filter;
    struct run run = {.connection = connection, .plan = plan};
    enum varve_status status = varve__connection_check(connection);
    if (status == VARVE_OK)
        status = varve__filter_read(plan, given, VARVE__FILTER_DELETE, &filter);
    if (status != VARVE_OK)
        return status;
    status = run_delete(&run, &filter);
    varve__filter_release(&filter);
    return status;
}
