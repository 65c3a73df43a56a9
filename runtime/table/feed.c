/* The virtual table over an array of records. It can be read only with the array: its last, hidden
 * column is the parameter that takes it. */
#include "table/feed.h"

#include <stdio.h>

#include "codec/check.h"
#include "table/sqlite.h"
#include "table/value.h"

struct feed_table {
    sqlite3_vtab base;
    const struct varve__plan *plan;
};

struct feed_cursor {
    sqlite3_vtab_cursor base;
    const struct varve__plan *plan;
    struct varve__feed *feed;
    const char *record; /* that of feed->index */
};

/* ------------------------------------------------------------------ tables */

/* Number of the hidden column, behind one for each parameter of an INSERT. */
static int
hidden_column(const struct varve__plan *plan)
{
    return varve__plan_unknown(plan);
}

static char *
declaration(const struct varve__plan *plan)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql, "CREATE TABLE feed (");
    for (int i = 0; i < hidden_column(plan); i++)
        sqlite3_str_appendf(sql, "c%d, ", i);
    sqlite3_str_appendall(sql, "records HIDDEN)");
    return sqlite3_str_finish(sql);
}

static int
feed_connect(
    sqlite3 *database,
    void *plan,
    int argument_count,
    const char *const *arguments,
    sqlite3_vtab **made,
    char **message)
{
    (void)argument_count;
    (void)arguments;
    (void)message;
    char *sql = declaration(plan);
    int code = sql ? sqlite3_declare_vtab(database, sql) : SQLITE_NOMEM;
    sqlite3_free(sql);
    if (code == SQLITE_OK)
        code = sqlite3_vtab_config(database, SQLITE_VTAB_DIRECTONLY);
    struct feed_table *table = code == SQLITE_OK ? sqlite3_malloc(sizeof *table) : NULL;
    if (!table)
        return code == SQLITE_OK ? SQLITE_NOMEM : code;
    *table = (struct feed_table){.plan = plan};
    *made = &table->base;
    return SQLITE_OK;
}

static int
feed_disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int
feed_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    int hidden = hidden_column(((struct feed_table *)base)->plan);
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn == hidden && info->aConstraint[i].usable &&
            info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ) {
            info->aConstraintUsage[i].argvIndex = 1;
            info->aConstraintUsage[i].omit = 1;
            info->estimatedCost = 1;
            return SQLITE_OK;
        }
    }
    return SQLITE_CONSTRAINT;
}

/* ------------------------------------------------------------------ rows */

static int
feed_open(sqlite3_vtab *base, sqlite3_vtab_cursor **made)
{
    struct feed_cursor *cursor = sqlite3_malloc(sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *cursor = (struct feed_cursor){.plan = ((struct feed_table *)base)->plan};
    *made = &cursor->base;
    return SQLITE_OK;
}

static int
feed_close(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int
feed_eof(sqlite3_vtab_cursor *base)
{
    const struct varve__feed *feed = ((struct feed_cursor *)base)->feed;
    return feed->index >= feed->count;
}

/* The record that the cursor has come to. Nothing of the one before is needed any more: an INSERT
 * takes all columns of a row before it asks for the next. */
static int
enter(struct feed_cursor *cursor)
{
    struct varve__feed *feed = cursor->feed;
    if (feed->index >= feed->count)
        return SQLITE_OK;
    varve__arena_reset(feed->arena);
    feed->status =
        varve__record_check(cursor->plan->record, cursor->record, VARVE__CHECK_LOADED, NULL);
    return feed->status == VARVE_OK ? SQLITE_OK : SQLITE_ABORT;
}

static int
feed_filter(
    sqlite3_vtab_cursor *base,
    int number,
    const char *name,
    int argument_count,
    sqlite3_value **arguments)
{
    struct feed_cursor *cursor = (struct feed_cursor *)base;
    (void)number;
    (void)name;
    cursor->feed =
        argument_count > 0 ? sqlite3_value_pointer(arguments[0], VARVE__FEED_TYPE) : NULL;
    if (!cursor->feed)
        return SQLITE_MISUSE;
    cursor->feed->index = 0;
    cursor->feed->status = VARVE_OK;
    cursor->record = cursor->feed->records;
    return enter(cursor);
}

static int
feed_next(sqlite3_vtab_cursor *base)
{
    struct feed_cursor *cursor = (struct feed_cursor *)base;
    cursor->feed->index++;
    cursor->record += cursor->plan->record->descriptor->sizeof_message;
    return enter(cursor);
}

static int
feed_row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
    *id = (sqlite3_int64)((struct feed_cursor *)base)->feed->index;
    return SQLITE_OK;
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
value_of_slot(const struct feed_cursor *cursor, size_t slot, struct varve__value *value)
{
    const struct varve__plan *plan = cursor->plan;
    const struct varve__feed *feed = cursor->feed;
    value->type = SQLITE_INTEGER;
    if (feed->ids && slot == plan->keys[0])
        value->integer = feed->ids[feed->index];
    else if (slot == plan->version)
        value->integer = 1;
    else
        return varve__value_of_slot(plan, &plan->slots[slot], cursor->record, feed->arena, value);
    return VARVE_OK;
}

static enum varve_status
value_of_column(const struct feed_cursor *cursor, size_t column, struct varve__value *value)
{
    const struct varve__plan *plan = cursor->plan;
    struct varve__arena *arena = cursor->feed->arena;
    if (column < plan->slot_count)
        return value_of_slot(cursor, column, value);
    column -= plan->slot_count;
    if (column < plan->copy_count)
        return varve__value_of_copy(
            plan, &plan->slots[plan->copies[column]], cursor->record, arena, value);
    return varve__value_of_unknown(plan, cursor->record, arena, value);
}

static int
feed_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
    const struct feed_cursor *cursor = (const struct feed_cursor *)base;
    struct varve__value value;
    if (index == hidden_column(cursor->plan))
        return SQLITE_OK; /* NULL */
    cursor->feed->status = value_of_column(cursor, (size_t)index, &value);
    if (cursor->feed->status != VARVE_OK)
        return SQLITE_ABORT;
    give(context, &value);
    return SQLITE_OK;
}

/* ------------------------------------------------------------------ the module */

static const sqlite3_module feed_module = {
    .xConnect =
        feed_connect, /* without xCreate: there is one such table, and no other can be made */
    .xBestIndex = feed_best_index,
    .xDisconnect = feed_disconnect,
    .xOpen = feed_open,
    .xClose = feed_close,
    .xFilter = feed_filter,
    .xNext = feed_next,
    .xEof = feed_eof,
    .xColumn = feed_column,
    .xRowid = feed_row_id,
};

enum varve_status
varve__feed_register(sqlite3 *database, const struct varve__plan *plan)
{
    char name[40];
    snprintf(name, sizeof name, "varve_feed_%zu", plan->index);
    int code =
        sqlite3_create_module_v2(database, name, &feed_module, (void *)(uintptr_t)plan, NULL);
    if (code == SQLITE_OK)
        return VARVE_OK;
    return varve__sqlite_fail(database, code, plan->record, "registering a feed");
}
