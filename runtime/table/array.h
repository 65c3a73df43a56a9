/* Arrays in memory as tables that SQLite reads: what feed.c and list.c have in common. Such a table is in
 * every connection where it is registered, without being created. Its columns are c0, c1, .. and a
 * hidden one, the parameter that takes the array: a pointer of the table's own type.
 *
 *     SELECT c0 FROM "varve_list"(?1)         sqlite3_bind_pointer(statement, 1, values, type, NULL)
 *
 * The rows are the array's elements in their order, numbered from 0. The array must stay until the
 * statement is reset. */
#ifndef VARVE_TABLE_ARRAY_H
#define VARVE_TABLE_ARRAY_H

#include <sqlite3.h>
#include <stddef.h>

struct varve__array_cursor {
    sqlite3_vtab_cursor base;
    const void *context; /* of the table */
    void *argument;
    const char *element; /* that the cursor stands on */
    size_t element_size;
    size_t index; /* of the element; the count at the end */
    size_t count;
};

struct varve__array_module {
    sqlite3_module
        methods;      /* VARVE__ARRAY_METHODS, and xColumn for the columns but the hidden one */
    const char *type; /* of the argument: a static string */
    int safety;       /* SQLITE_VTAB_DIRECTONLY or _INNOCUOUS */

    /* Sets the cursor's element to the first of its argument, their size and their count. */
    void (*begin)(struct varve__array_cursor *cursor);
    /* For when the cursor has come to an element or to the end; returns SQLite's result. NULL: nothing
     * is to be done. */
    int (*enter)(struct varve__array_cursor *cursor);
};

/* Makes a table of this name, with so many columns beside the hidden one, known to a connection that the
 * context outlives. The name is copied. Returns SQLite's result. */
int
varve__array_register(
    sqlite3 *database,
    const char *name,
    const struct varve__array_module *module,
    int column_count,
    const void *context);

/* What every module does alike. There is no xCreate: there is one such table, and none can be made
 * under another name. */
#define VARVE__ARRAY_METHODS                                                                       \
    .xConnect = varve__array_connect, .xDisconnect = varve__array_disconnect,                      \
    .xBestIndex = varve__array_plan, .xOpen = varve__array_open, .xClose = varve__array_close,     \
    .xFilter = varve__array_first, .xNext = varve__array_next, .xEof = varve__array_is_at_end,     \
    .xRowid = varve__array_row_id

int
varve__array_connect(
    sqlite3 *database,
    void *registered,
    int count,
    const char *const *arguments,
    sqlite3_vtab **made,
    char **message);
int
varve__array_disconnect(sqlite3_vtab *table);
int
varve__array_plan(sqlite3_vtab *table, sqlite3_index_info *info);
int
varve__array_open(sqlite3_vtab *table, sqlite3_vtab_cursor **made);
int
varve__array_close(sqlite3_vtab_cursor *cursor);
int
varve__array_first(
    sqlite3_vtab_cursor *cursor,
    int number,
    const char *text,
    int count,
    sqlite3_value **arguments);
int
varve__array_next(sqlite3_vtab_cursor *cursor);
int
varve__array_is_at_end(sqlite3_vtab_cursor *cursor);
int
varve__array_row_id(sqlite3_vtab_cursor *cursor, sqlite3_int64 *id);

#endif
