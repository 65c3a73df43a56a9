/* Finding by a filter: the cursor of a find, and the calls that need but one statement. */
#include "table/find.h"

#include "base/error.h"
#include "base/memory.h"
#include "table/filter.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/staged.h"
#include "table/transaction.h"

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

/* -------------------------------------------------------------------- many rows */

static enum varve_status
open_cursor(
    struct varve__connection *connection,
    const struct varve__filter *filter,
    struct varve__find_cursor **result)
{
    void *memory;
    struct varve__find_cursor *cursor =
        varve__find_cursor_make(filter->plan, filter->memory_size, &memory);
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
        varve__find_cursor_release(cursor);
        return status;
    }
    *result = cursor;
    return VARVE_OK;
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
    *result = varve__find_cursor_open(connection, cursor, plan->record);
    return VARVE_OK;
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
