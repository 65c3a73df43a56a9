/* The table "varve_list": one column, "value", and a hidden one that is the argument. It exists in
 * every connection without being created. */
#include "table/list.h"

#include <stdbool.h>
#include <string.h>

#include <varve/types.h>

struct cursor {
    sqlite3_vtab_cursor base;
    const struct varve__values *values; /* NULL: none were passed */
    int64_t at;
};

enum column {
    COLUMN_VALUE,
    COLUMN_ARGUMENT,
};

static int
connect_list(
    sqlite3 *database,
    void *context,
    int count,
    const char *const *arguments,
    sqlite3_vtab **table,
    char **error)
{
    (void)context;
    (void)count;
    (void)arguments;
    (void)error;
    int code = sqlite3_declare_vtab(database, "CREATE TABLE varve_list (value, argument HIDDEN)");
    if (code != SQLITE_OK)
        return code;
    sqlite3_vtab_config(database, SQLITE_VTAB_INNOCUOUS);
    *table = sqlite3_malloc64(sizeof **table);
    if (!*table)
        return SQLITE_NOMEM;
    **table = (sqlite3_vtab){0};
    return SQLITE_OK;
}

static int
disconnect_list(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

/* The one way to read it: with the argument. */
static int
plan_list(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != COLUMN_ARGUMENT ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (!info->aConstraint[i].usable)
            return SQLITE_CONSTRAINT;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
    }
    info->estimatedCost = 1;
    info->estimatedRows = 10;
    return SQLITE_OK;
}

static int
open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **result)
{
    (void)table;
    struct cursor *cursor = sqlite3_malloc64(sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *cursor = (struct cursor){0};
    *result = &cursor->base;
    return SQLITE_OK;
}

static int
close_cursor(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int
first(sqlite3_vtab_cursor *base, int number, const char *text, int count, sqlite3_value **arguments)
{
    (void)number;
    (void)text;
    struct cursor *cursor = (struct cursor *)base;
    cursor->values = count > 0 ? sqlite3_value_pointer(arguments[0], VARVE__LIST_TYPE) : NULL;
    cursor->at = 0;
    return SQLITE_OK;
}

static int
next(sqlite3_vtab_cursor *base)
{
    ((struct cursor *)base)->at++;
    return SQLITE_OK;
}

static int
is_at_end(sqlite3_vtab_cursor *base)
{
    const struct cursor *cursor = (const struct cursor *)base;
    return !cursor->values || cursor->at >= cursor->values->count;
}

static void
give_bytes(sqlite3_context *context, const struct varve_bytes *bytes)
{
    const void *data = bytes->size > 0 ? (const void *)bytes->data : ""; /* NULL would be NULL */
    sqlite3_result_blob64(context, data, bytes->size, SQLITE_STATIC);
}

static void
give_text(sqlite3_context *context, const char *text)
{
    sqlite3_result_text64(context, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

static int
column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
    const struct cursor *cursor = (const struct cursor *)base;
    const void *data = cursor->values->data;
    int64_t at = cursor->at;
    if (index != COLUMN_VALUE)
        return SQLITE_OK;
    switch (cursor->values->family) {
    case VARVE__FAMILY_INT64:
    case VARVE__FAMILY_FIXED64:
        sqlite3_result_int64(context, ((const int64_t *)data)[at]);
        break;
    case VARVE__FAMILY_BOOL:
        sqlite3_result_int(context, ((const bool *)data)[at]);
        break;
    case VARVE__FAMILY_ENUM:
        sqlite3_result_int(context, ((const int *)data)[at]);
        break;
    case VARVE__FAMILY_DOUBLE:
        sqlite3_result_double(context, ((const double *)data)[at]);
        break;
    case VARVE__FAMILY_FLOAT:
        sqlite3_result_double(context, (double)((const float *)data)[at]);
        break;
    case VARVE__FAMILY_TEXT:
        give_text(context, ((const char *const *)data)[at]);
        break;
    case VARVE__FAMILY_BYTES:
        give_bytes(context, &((const struct varve_bytes *)data)[at]);
        break;
    case VARVE__FAMILY_NULL:
        break;
    }
    return SQLITE_OK;
}

static int
row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
    *id = ((const struct cursor *)base)->at;
    return SQLITE_OK;
}

int
varve__list_register(sqlite3 *database)
{
    static const sqlite3_module module = {
        .xConnect = connect_list, /* and no xCreate: it cannot be made under another name */
        .xBestIndex = plan_list,
        .xDisconnect = disconnect_list,
        .xOpen = open_cursor,
        .xClose = close_cursor,
        .xFilter = first,
        .xNext = next,
        .xEof = is_at_end,
        .xColumn = column,
        .xRowid = row_id,
    };
    return sqlite3_create_module_v2(database, "varve_list", &module, NULL, NULL);
}
