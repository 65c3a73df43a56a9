/* The table "varve_feed_<plan>" over an array of records, with a column for each parameter of an
 * INSERT. */
#include "table/feed.h"

#include <stdio.h>

#include "codec/check.h"
#include "table/array.h"
#include "table/sqlite.h"
#include "table/value.h"

/* ------------------------------------------------------------------ records */

static void
begin_feed(struct varve__array_cursor *cursor)
{
    struct varve__feed *feed = cursor->argument;
    const struct varve__plan *plan = cursor->context;
    feed->status = VARVE_OK;
    cursor->element = feed->records;
    cursor->element_size = plan->record->descriptor->sizeof_message;
    cursor->count = feed->count;
}

/* The record that the cursor has come to. Nothing of the one before is needed any more: an INSERT
 * takes all columns of a row before it asks for the next. */
static int
enter_record(struct varve__array_cursor *cursor)
{
    struct varve__feed *feed = cursor->argument;
    const struct varve__plan *plan = cursor->context;
    feed->index = cursor->index;
    if (cursor->index >= cursor->count)
        return SQLITE_OK;
    varve__arena_reset(feed->arena);
    if (!feed->checked)
        feed->status =
            varve__record_check(plan->record, cursor->element, VARVE__CHECK_LOADED, NULL);
    return feed->status == VARVE_OK ? SQLITE_OK : SQLITE_ABORT;
}

/* ------------------------------------------------------------------ columns */

static void
give(sqlite3_context *context, const struct varve__value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        sqlite3_result_int64(context, value->integer);
        break;
    case SQLITE_FLOAT:
        sqlite3_result_double(context, value->real);
        break;
    case SQLITE_TEXT:
        sqlite3_result_text64(context, value->data, value->size, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case SQLITE_BLOB:
        sqlite3_result_blob64(context, value->data, value->size, SQLITE_STATIC);
        break;
    default:
        sqlite3_result_null(context);
        break;
    }
}

static enum varve_status
value_of_slot(const struct varve__array_cursor *cursor, size_t slot, struct varve__value *value)
{
    const struct varve__plan *plan = cursor->context;
    const struct varve__feed *feed = cursor->argument;
    value->type = SQLITE_INTEGER;
    if (feed->ids && slot == plan->keys[0])
        value->integer = feed->ids[cursor->index];
    else if (slot == plan->version)
        value->integer = 1;
    else
        return varve__value_of_slot(plan, &plan->slots[slot], cursor->element, feed->arena, value);
    return VARVE_OK;
}

static enum varve_status
value_of_column(const struct varve__array_cursor *cursor, size_t column, struct varve__value *value)
{
    const struct varve__plan *plan = cursor->context;
    const struct varve__feed *feed = cursor->argument;
    if (column < plan->slot_count)
        return value_of_slot(cursor, column, value);
    column -= plan->slot_count;
    if (column < plan->copy_count)
        return varve__value_of_copy(
            plan, &plan->slots[plan->copies[column]], cursor->element, feed->arena, value);
    return varve__value_of_unknown(plan, cursor->element, feed->arena, value);
}

static int
give_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
    const struct varve__array_cursor *cursor = (const struct varve__array_cursor *)base;
    struct varve__feed *feed = cursor->argument;
    struct varve__value value;
    if (index >= varve__plan_unknown(cursor->context))
        return SQLITE_OK; /* the hidden one: NULL */
    feed->status = value_of_column(cursor, (size_t)index, &value);
    if (feed->status != VARVE_OK)
        return SQLITE_ABORT;
    give(context, &value);
    return SQLITE_OK;
}

/* ------------------------------------------------------------------ the module */

enum varve_status
varve__feed_register(sqlite3 *database, const struct varve__plan *plan)
{
    static const struct varve__array_module module = {
        .methods = {VARVE__ARRAY_METHODS, .xColumn = give_column},
        .type = VARVE__FEED_TYPE,
        .safety = SQLITE_VTAB_DIRECTONLY,
        .begin = begin_feed,
        .enter = enter_record,
    };
    char name[40];
    snprintf(name, sizeof name, "varve_feed_%zu", plan->index);
    int code = varve__array_register(database, name, &module, varve__plan_unknown(plan), plan);
    if (code == SQLITE_OK)
        return VARVE_OK;
    return varve__sqlite_fail(database, code, plan->record, "registering a feed");
}
