/* Columns that hold what no record can. */
#include "table/column.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/utf8.h"

enum varve_status
varve__column_refuse(
    const struct varve__plan *plan,
    const ProtobufCFieldDescriptor *field,
    enum varve_failure_kind kind,
    const char *what,
    ...)
{
    char text[VARVE__ERROR_SIZE];
    const char *name = plan->record->descriptor->name;
    va_list arguments;
    va_start(arguments, what);
    if (vsnprintf(text, sizeof text, what, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    enum varve_status status = varve__fail(
        VARVE_TYPE, kind, VARVE_TIER_TABLE, name,
        "%s.%s: the column holds %s; the table was changed by hand: write the value again", name,
        field->name, text);
    varve__failure_add_field(field->id);
    return status;
}

int
varve__column_type(const struct varve__slot *slot)
{
    if (slot->scalar != VARVE__MOVE_OTHER)
        return varve__scalar_type(slot->scalar);
    return slot->column->kind == VARVE_COLUMN_JSON ? SQLITE_TEXT : SQLITE_BLOB;
}

const char *
varve__column_declared(const struct varve__slot *slot)
{
    static const char *const names[] = {
        [SQLITE_INTEGER] = "INTEGER",
        [SQLITE_FLOAT] = "REAL",
        [SQLITE_TEXT] = "TEXT",
        [SQLITE_BLOB] = "BLOB",
    };
    return names[varve__column_type(slot)];
}

enum varve_status
varve__column_refuse_type(const struct varve__plan *plan, const struct varve__slot *slot, int found)
{
    static const char *const names[] = {
        [SQLITE_INTEGER] = "an integer", [SQLITE_FLOAT] = "a number", [SQLITE_TEXT] = "text",
        [SQLITE_BLOB] = "bytes",         [SQLITE_NULL] = "NULL",
    };
    return varve__column_refuse(
        plan, slot->column->field, VARVE_FAILURE_OTHER, "%s where the schema says %s", names[found],
        names[varve__column_type(slot)]);
}

static const char *
integer_name(const struct varve__slot *slot)
{
    if (slot->column->field->type == PROTOBUF_C_TYPE_ENUM)
        return "an enum";
    return slot->scalar == VARVE__MOVE_INT32    ? "int32"
           : slot->scalar == VARVE__MOVE_UINT32 ? "uint32"
                                                : "uint64";
}

enum varve_status
varve__column_refuse_scalar(
    const struct varve__plan *plan, const struct varve__slot *slot, sqlite3_value *value)
{
    const ProtobufCFieldDescriptor *field = slot->column->field;
    int found = sqlite3_value_type(value);
    if (found != varve__column_type(slot))
        return varve__column_refuse_type(plan, slot, found);
    if (slot->scalar == VARVE__MOVE_FLOAT)
        return varve__column_refuse(
            plan, field, VARVE_FAILURE_RANGE, "%g, which float cannot",
            sqlite3_value_double(value));
    if (found == SQLITE_INTEGER)
        return varve__column_refuse(
            plan, field, VARVE_FAILURE_RANGE, "%" PRId64 ", which %s cannot",
            (int64_t)sqlite3_value_int64(value), integer_name(slot));
    size_t size = (size_t)sqlite3_value_bytes(value);
    const char *text = found == SQLITE_TEXT ? (const char *)sqlite3_value_text(value) : NULL;
    size_t bad = text ? varve__utf8_check(text, size) : size;
    if (bad == size) /* there was no memory to copy it, or in SQLite */
        return varve__fail_memory(plan->record->descriptor->name, size);
    return varve__column_refuse(
        plan, field, VARVE_FAILURE_UTF8, "text that is no UTF-8 or holds a NUL (byte %zu)", bad);
}
