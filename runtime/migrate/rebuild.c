/* The copies of a field are written by one UPDATE of its table, with a function that reads the wire bytes
 * as the runtime does. */
#include "migrate/rebuild.h"

#include <string.h>

#include <varve/record.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/field.h"
#include "codec/json_copy.h"
#include "table/part.h"
#include "table/sqlite.h"

enum {
    ARENA_SIZE = 4096
};

struct rebuild {
    const struct varve_record *record;
    const struct varve_column *column;
    struct varve__arena *arena;
    enum varve_status status; /* of the row that failed */
};

/* The copy that belongs to these bytes. */
static enum varve_status
copy_of(
    const struct rebuild *rebuild, const void *data, size_t size, const char **text, size_t *length)
{
    bool missing;
    size_t struct_size = rebuild->record->descriptor->sizeof_message;
    ProtobufCMessage *record = varve__arena_allocate(rebuild->arena, struct_size);
    *text = NULL;
    if (!record)
        return varve__fail_memory(rebuild->record->descriptor->name, struct_size);
    varve_record_init(rebuild->record, record);
    enum varve_status status = varve__part_read(
        rebuild->record, rebuild->column->field, data, size, rebuild->arena, record, &missing);
    if (status != VARVE_OK || missing)
        return status;
    return varve__json_encode_copy(
        rebuild->record, rebuild->column, record, rebuild->arena, text, length);
}

/* varve_json_copy(bytes) */
static void
json_copy(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct rebuild *rebuild = sqlite3_user_data(context);
    const char *text;
    size_t length;
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    varve__arena_reset(rebuild->arena);
    const void *data = sqlite3_value_blob(values[0]);
    size_t size = (size_t)sqlite3_value_bytes(values[0]);
    enum varve_status status = copy_of(rebuild, size > 0 ? data : "", size, &text, &length);
    if (status != VARVE_OK) {
        rebuild->status = status;
        sqlite3_result_error(context, varve__thread_error(), -1);
    } else if (text) {
        sqlite3_result_text64(context, text, length, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
}

static enum varve_status
rebuild_column(
    sqlite3 *database, const struct varve_record *record, const struct varve_column *column)
{
    struct rebuild rebuild = {record, column, varve__arena_create(ARENA_SIZE), VARVE_OK};
    const char *name = column->field->name;
    char *sql = sqlite3_mprintf(
        "UPDATE \"%w\" SET \"%w_json\" = varve_json_copy(\"%w\")", record->table->name, name, name);
    enum varve_status status = VARVE_OK;
    if (!rebuild.arena || !sql)
        status = varve__fail_memory(record->descriptor->name, ARENA_SIZE);
    int code = SQLITE_OK;
    if (status == VARVE_OK)
        code = sqlite3_create_function_v2(
            database, "varve_json_copy", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, &rebuild, json_copy,
            NULL, NULL, NULL);
    if (status == VARVE_OK && code == SQLITE_OK)
        code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK && rebuild.status == VARVE_OK)
        status = varve__sqlite_fail(database, code, record, "writing the JSON copies");
    else if (code != SQLITE_OK)
        status = varve__fail_as(rebuild.status);
    sqlite3_create_function_v2(
        database, "varve_json_copy", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL);
    sqlite3_free(sql);
    varve__arena_release(rebuild.arena);
    return status;
}

static enum varve_status
rebuild_mark(sqlite3 *database, const struct varve_record *record, const struct varve__mark *mark)
{
    if (!record->table || strcmp(record->descriptor->name, mark->message) != 0)
        return VARVE_OK;
    for (size_t i = 0; i < record->column_count; i++) {
        const struct varve_column *column = &record->columns[i];
        if (column->field->id == mark->number && column->flags & VARVE_JSON_COPY)
            return rebuild_column(database, record, column);
    }
    return VARVE_OK;
}

enum varve_status
varve__rebuild_json(
    sqlite3 *database,
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve__mark *marks)
{
    enum varve_status status = VARVE_OK;
    for (const struct varve__mark *mark = marks; mark && status == VARVE_OK; mark = mark->next) {
        for (size_t i = 0; i < count && status == VARVE_OK; i++) {
            for (size_t j = 0; j < schemas[i]->record_count && status == VARVE_OK; j++)
                status = rebuild_mark(database, schemas[i]->records[j], mark);
        }
    }
    return status;
}
