/* Scalars as SQLite hands them out. */
#include "table/value.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "codec/field.h"

enum varve_status
varve__value_refuse(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    enum varve_failure_kind kind,
    const char *what,
    ...)
{
    char text[VARVE__ERROR_SIZE];
    va_list arguments;
    va_start(arguments, what);
    if (vsnprintf(text, sizeof text, what, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    enum varve_status status = varve__fail(
        VARVE_TYPE, kind, VARVE_TIER_TABLE, table->descriptor->name,
        "%s.%s: the column holds %s; the table was changed by hand: write the value again",
        table->descriptor->name, field->name, text);
    varve__failure_add_field(field->id);
    return status;
}

static enum varve_status
read_integer(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    int64_t value,
    void *member)
{
    int64_t least = INT32_MIN;
    int64_t most = INT32_MAX;
    const char *type = field->type == PROTOBUF_C_TYPE_ENUM ? "an enum" : "int32";
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64: /* the bits are the same, signed or not */
        *(int64_t *)member = value;
        return VARVE_OK;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)member = value != 0;
        return VARVE_OK;
    case PROTOBUF_C_TYPE_UINT64:
        least = 0;
        most = INT64_MAX;
        type = "uint64";
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        least = 0;
        most = UINT32_MAX;
        type = "uint32";
        break;
    default:
        break;
    }
    if (value < least || value > most)
        return varve__value_refuse(
            table, field, VARVE_FAILURE_RANGE, "%" PRId64 ", which %s cannot", value, type);
    memcpy(member, &value, varve__element_size(field->type)); /* little-endian, as codec/wire.h */
    return VARVE_OK;
}

static enum varve_status
read_float(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    double value,
    float *member)
{
    if (isfinite(value) && fabs(value) > (double)FLT_MAX)
        return varve__value_refuse(
            table, field, VARVE_FAILURE_RANGE, "%g, which float cannot", value);
    *member = (float)value;
    return VARVE_OK;
}

/* Text or bytes: copied into the arena with a NUL behind them. */
static enum varve_status
read_bytes(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    const void *data,
    size_t size,
    struct varve__arena *arena,
    void *member)
{
    bool string = field->type == PROTOBUF_C_TYPE_STRING;
    size_t bad = string && size > 0 ? varve__utf8_check(data, size) : size;
    if (bad < size)
        return varve__value_refuse(
            table, field, VARVE_FAILURE_UTF8, "text that is no UTF-8 or holds a NUL (byte %zu)",
            bad);
    uint8_t *copy = varve__arena_allocate(arena, size + 1);
    if (!copy)
        return varve__fail_memory(table->descriptor->name, size);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = 0;
    if (string)
        *(char **)member = (char *)copy;
    else
        *(struct varve_bytes *)member = (struct varve_bytes){size, copy};
    return VARVE_OK;
}

enum varve_status
varve__value_read(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    sqlite3_stmt *statement,
    int index,
    struct varve__arena *arena,
    void *member)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return read_float(table, field, sqlite3_column_double(statement, index), member);
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)member = sqlite3_column_double(statement, index);
        return VARVE_OK;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES: {
        const void *data = sqlite3_column_blob(statement, index);
        size_t size = (size_t)sqlite3_column_bytes(statement, index);
        return read_bytes(table, field, data, size, arena, member);
    }
    default:
        return read_integer(table, field, sqlite3_column_int64(statement, index), member);
    }
}
