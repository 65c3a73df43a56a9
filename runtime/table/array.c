#include "table/array.h"

/* What a name was registered with. */
struct registered {
    const struct varve__array_module *module;
    int column_count;
    const void *context;
};

struct table {
    sqlite3_vtab base;
    const struct registered *registered;
};

/* ------------------------------------------------------------------ tables */

static char *
declaration(int column_count)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql, "CREATE TABLE elements (");
    for (int i = 0; i < column_count; i++)
        sqlite3_str_appendf(sql, "c%d, ", i);
    sqlite3_str_appendall(sql, "argument HIDDEN)");
    return sqlite3_str_finish(sql);
}

int
varve__array_connect(
    sqlite3 *database,
    void *context,
    int count,
    const char *const *arguments,
    sqlite3_vtab **made,
    char **message)
{
    const struct registered *registered = context;
    (void)count;
    (void)arguments;
    (void)message;
    char *sql = declaration(registered->column_count);
    int code = sql ? sqlite3_declare_vtab(database, sql) : SQLITE_NOMEM;
    sqlite3_free(sql);
    if (code == SQLITE_OK)
        code = sqlite3_vtab_config(database, registered->module->safety);
    if (code != SQLITE_OK)
        return code;
    struct table *table = sqlite3_malloc64(sizeof *table);
    if (!table)
        return SQLITE_NOMEM;
    *table = (struct table){.registered = registered};
    *made = &table->base;
    return SQLITE_OK;
}

int
varve__array_disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

/* The one way to read it: with the argument. */
int
varve__array_plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
    int hidden = ((const struct table *)base)->registered->column_count;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != hidden || !info->aConstraint[i].usable ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->estimatedCost = 1;
        info->estimatedRows = 10;
        return SQLITE_OK;
    }
    return SQLITE_CONSTRAINT;
}

/* ------------------------------------------------------------------ cursors */

int
varve__array_open(sqlite3_vtab *base, sqlite3_vtab_cursor **made)
{
    struct varve__array_cursor *cursor = sqlite3_malloc64(sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *cursor =
        (struct varve__array_cursor){.context = ((const struct table *)base)->registered->context};
    *made = &cursor->base;
    return SQLITE_OK;
}

int
varve__array_close(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static const struct varve__array_module *
module_of(const struct varve__array_cursor *cursor)
{
    return ((const struct table *)cursor->base.pVtab)->registered->module;
}

static int
enter(struct varve__array_cursor *cursor)
{
    const struct varve__array_module *module = module_of(cursor);
    return module->enter ? module->enter(cursor) : SQLITE_OK;
}

int
varve__array_first(
    sqlite3_vtab_cursor *base, int number, const char *text, int count, sqlite3_value **arguments)
{
    struct varve__array_cursor *cursor = (struct varve__array_cursor *)base;
    const struct varve__array_module *module = module_of(cursor);
    (void)number;
    (void)text;
    cursor->argument = count > 0 ? sqlite3_value_pointer(arguments[0], module->type) : NULL;
    if (!cursor->argument)
        return SQLITE_MISUSE;
    cursor->index = 0;
    module->begin(cursor);
    return enter(cursor);
}

int
varve__array_next(sqlite3_vtab_cursor *base)
{
    struct varve__array_cursor *cursor = (struct varve__array_cursor *)base;
    cursor->index++;
    cursor->element += cursor->element_size;
    return enter(cursor);
}

int
varve__array_is_at_end(sqlite3_vtab_cursor *base)
{
    const struct varve__array_cursor *cursor = (const struct varve__array_cursor *)base;
    return cursor->index >= cursor->count;
}

int
varve__array_row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
    *id = (sqlite3_int64)((const struct varve__array_cursor *)base)->index;
    return SQLITE_OK;
}

/* ------------------------------------------------------------------ names */

int
varve__array_register(
    sqlite3 *database,
    const char *name,
    const struct varve__array_module *module,
    int column_count,
    const void *context)
{
    struct registered *registered = sqlite3_malloc64(sizeof *registered);
    if (!registered)
        return SQLITE_NOMEM;
    *registered = (struct registered){module, column_count, context};
    /* SQLite releases it, also when this fails. */
    return sqlite3_create_module_v2(database, name, &module->methods, registered, sqlite3_free);
}
