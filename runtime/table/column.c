/* Columns that hold what no record can. */
#include "table/column.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/utf8.h"

enum {
    SHOWN = 60 /* bytes of a text in a sentence */
};

/* The result of a typed query: what the statement made of sound tables. */
static enum varve_status
refuse_result(
    const struct varve__plan *plan,
    const ProtobufCFieldDescriptor *field,
    enum varve_failure_kind kind,
    const char *text)
{
    const char *name = plan->record->descriptor->name;
    enum varve_status status = varve__fail(
        VARVE_TYPE, kind, VARVE_TIER_TABLE, name,
        "%s: the result's column %s is %s; write the query so that it fits %s.%s, or change that "
        "field",
        plan->query->name, field->name, text, name, field->name);
    varve__failure_add_field(field->id);
    return status;
}

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
    if (plan->query)
        return refuse_result(plan, field, kind, text);
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

/* A value for a sentence: what of it is short. */
static void
show(sqlite3_value *value, char *text, size_t size)
{
    int type = sqlite3_value_type(value);
    int length = sqlite3_value_bytes(value);
    const char *shown = type == SQLITE_TEXT ? (const char *)sqlite3_value_text(value) : NULL;
    int most = shown && length > SHOWN ? (int)varve__utf8_whole(shown, SHOWN) : length;
    if (type == SQLITE_INTEGER)
        snprintf(text, size, "the integer %" PRId64, (int64_t)sqlite3_value_int64(value));
    else if (type == SQLITE_FLOAT)
        snprintf(text, size, "the number %.17g", sqlite3_value_double(value));
    else if (shown)
        snprintf(text, size, "the text \"%.*s\"%s", most, shown, most < length ? ".." : "");
    else if (type == SQLITE_BLOB)
        snprintf(text, size, "%d bytes", length);
    else
        snprintf(text, size, "NULL");
}

enum varve_status
varve__column_refuse_type(
    const struct varve__plan *plan, const struct varve__slot *slot, sqlite3_value *value)
{
    static const char *const names[] = {
        [SQLITE_INTEGER] = "an integer", [SQLITE_FLOAT] = "a number", [SQLITE_TEXT] = "text",
        [SQLITE_BLOB] = "bytes",         [SQLITE_NULL] = "NULL",
    };
    char text[SHOWN + 64];
    if (plan->query)
        show(value, text, sizeof text);
    return varve__column_refuse(
        plan, slot->column->field, VARVE_FAILURE_OTHER, "%s where the schema says %s",
        plan->query ? text : names[sqlite3_value_type(value)], names[varve__column_type(slot)]);
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
        return varve__column_refuse_type(plan, slot, value);
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
