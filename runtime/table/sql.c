/* SQL text from the record tables. Names are quoted, values never stand in the text. */
#include "table/sql.h"

#include <sqlite3.h>

static void
append_columns(sqlite3_str *sql, const struct varve_record *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].kind != VARVE_COLUMN_TENSOR)
            sqlite3_str_appendf(sql, "\"%w\", ", table->columns[i].field->name);
    }
    sqlite3_str_appendall(sql, "\"varve_unknown\"");
}

char *
varve__sql_insert(const struct varve_record *table)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "INSERT INTO \"%w\" (", table->table->name);
    append_columns(sql, table);
    sqlite3_str_appendall(sql, ") VALUES (");
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].kind != VARVE_COLUMN_TENSOR)
            sqlite3_str_appendall(sql, "?, ");
    }
    sqlite3_str_appendall(sql, "?)");
    return sqlite3_str_finish(sql);
}

char *
varve__sql_get(const struct varve_record *table)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql, "SELECT ");
    append_columns(sql, table);
    sqlite3_str_appendf(sql, " FROM \"%w\"", table->table->name);
    for (size_t i = 0; i < table->table->primary_key_count; i++) {
        const ProtobufCFieldDescriptor *field = table->columns[table->table->primary_key[i]].field;
        sqlite3_str_appendf(sql, "%s \"%w\" = ?", i == 0 ? " WHERE" : " AND", field->name);
    }
    return sqlite3_str_finish(sql);
}
