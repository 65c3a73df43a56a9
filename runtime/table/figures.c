/* What the archive's catalog and tables add up to. */
#include "table/figures.h"

#include "base/error.h"
#include "base/memory.h"
#include "table/sqlite.h"
#include "table/transaction.h"

/* The one row that this text selects, which is released; the caller finalizes the statement whatever the status. */
static enum varve_status
select_row(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    char *text,
    sqlite3_stmt **statement)
{
    *statement = NULL;
    if (!text)
        return varve__fail_memory(plan ? plan->record->descriptor->name : NULL, 0);
    enum varve_status status =
        varve__sqlite_prepare(connection->database, plan ? plan->record : NULL, text, statement);
    sqlite3_free(text);
    if (status != VARVE_OK)
        return status;
    int code = varve__connection_step(connection, *statement);
    return code == SQLITE_ROW
               ? VARVE_OK
               : varve__connection_fail(connection, code, plan, "adding up what the archive has");
}

static enum varve_status
count_message(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve_archive_message *counts)
{
    sqlite3_stmt *row;
    const char *message = plan->record->descriptor->name, *table = plan->record->table->name;
    char *text = sqlite3_mprintf(
        "SELECT * FROM (SELECT count(*), coalesce(sum(size), 0), coalesce(sum(elements), 0) "
        "FROM varve_segment WHERE message = %Q), (SELECT count(*), "
        "coalesce(sum(length(\"bytes\")), 0) FROM \"varve_staged_%w\" WHERE \"dataset\" = 0 AND "
        "length(\"bytes\") > 0 AND \"id\" > "
        "coalesce((SELECT id FROM varve_sealed WHERE name = %Q), 0))",
        message, table, table);
    enum varve_status status = select_row(connection, plan, text, &row);
    if (status == VARVE_OK)
        *counts = (struct varve_archive_message){
            .record = message,
            .segments = sqlite3_column_int64(row, 0),
            .file_bytes = sqlite3_column_int64(row, 1),
            .element_bytes = sqlite3_column_int64(row, 2),
            .staged = sqlite3_column_int64(row, 3),
            .staged_bytes = sqlite3_column_int64(row, 4),
        };
    sqlite3_finalize(row);
    return status;
}

static enum varve_status
count_messages(struct varve__connection *connection, struct varve_archive_health *health)
{
    enum varve_status status = VARVE_OK;
    const struct varve__plans *plans = connection->plans;
    for (size_t i = 0; i < plans->count && status == VARVE_OK; i++)
        if (plans->plans[i].tensor_count > 0)
            status = count_message(
                connection, &plans->plans[i], &health->messages[health->message_count++]);
    return status;
}

static enum varve_status
count_waiting(struct varve__connection *connection, int64_t *files)
{
    sqlite3_stmt *row;
    char *text = sqlite3_mprintf("SELECT count(*) FROM varve_dropped");
    enum varve_status status = select_row(connection, NULL, text, &row);
    if (status == VARVE_OK)
        *files = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return status;
}

enum varve_status
varve__figures_archive(struct varve__connection *connection, struct varve_archive_health *health)
{
    bool begun;
    size_t size = (connection->plans->count + 1) * sizeof *health->messages;
    health->messages = varve__allocate(size);
    if (!health->messages)
        return varve__fail_memory(NULL, size);
    enum varve_status status = varve__read_begin(connection, &begun);
    if (status != VARVE_OK)
        return status;
    status = count_messages(connection, health);
    if (status == VARVE_OK)
        status = count_waiting(connection, &health->files_waiting);
    varve__read_end(connection, begun);
    return status;
}
