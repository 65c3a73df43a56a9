/* The table "varve_list": one column, the value. */
#include "table/list.h"

#include <stdbool.h>
#include <string.h>

#include <varve/types.h>

#include "table/array.h"
#include "table/filter_value.h"

static void
begin_list(struct varve__array_cursor *cursor)
{
    const struct varve__values *values = cursor->argument;
    cursor->element = values->data;
    cursor->element_size = varve__filter_value_size(values->family);
    cursor->count = (size_t)values->count;
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
give_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
    const struct varve__array_cursor *cursor = (const struct varve__array_cursor *)base;
    const struct varve__values *values = cursor->argument;
    const void *value = cursor->element;
    if (index != 0)
        return SQLITE_OK; /* the hidden one: NULL */
    switch (values->family) {
    case VARVE__FAMILY_INT64:
    case VARVE__FAMILY_FIXED64:
        sqlite3_result_int64(context, *(const int64_t *)value);
        break;
    case VARVE__FAMILY_BOOL:
        sqlite3_result_int(context, *(const bool *)value);
        break;
    case VARVE__FAMILY_ENUM:
        sqlite3_result_int(context, *(const int *)value);
        break;
    case VARVE__FAMILY_DOUBLE:
        sqlite3_result_double(context, *(const double *)value);
        break;
    case VARVE__FAMILY_FLOAT:
        sqlite3_result_double(context, (double)*(const float *)value);
        break;
    case VARVE__FAMILY_TEXT:
        give_text(context, *(const char *const *)value);
        break;
    case VARVE__FAMILY_BYTES:
        give_bytes(context, value);
        break;
    case VARVE__FAMILY_NULL:
        break;
    }
    return SQLITE_OK;
}

int
varve__list_register(sqlite3 *database)
{
    static const struct varve__array_module module = {
        .methods = {VARVE__ARRAY_METHODS, .xColumn = give_column},
        .type = VARVE__LIST_TYPE,
        .safety = SQLITE_VTAB_INNOCUOUS,
        .begin = begin_list,
    };
    return varve__array_register(database, "varve_list", &module, 1, NULL);
}
