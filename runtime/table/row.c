/* Binding and reading of rows. Knows SQLite's values and protobuf-c's fields, no SQL text. */
#include "table/row.h"

#include <math.h>
#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "codec/field.h"
#include "codec/json.h"
#include "codec/pack.h"
#include "codec/read.h"
#include "table/sqlite.h"
#include "table/value.h"

/* -------------------------------------------------------------------- binding */

static enum varve_status
refuse(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    enum varve_failure_kind kind,
    const char *what)
{
    enum varve_status status = varve__fail(
        VARVE_INVALID, kind, VARVE_TIER_TABLE, table->descriptor->name, "%s.%s %s",
        table->descriptor->name, field->name, what);
    varve__failure_add_field(field->id);
    return status;
}

static enum varve_status
bound(sqlite3_stmt *statement, int code)
{
    if (code == SQLITE_OK)
        return VARVE_OK;
    return varve__sqlite_fail(sqlite3_db_handle(statement), code, NULL, "binding a value");
}

static enum varve_status
bind_real(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    double value,
    sqlite3_stmt *statement,
    int parameter)
{
    if (isnan(value))
        return refuse(
            table, field, VARVE_FAILURE_NAN, "is NaN, which a column cannot hold; use a number");
    return bound(statement, sqlite3_bind_double(statement, parameter, value));
}

int64_t
varve__integer_at(ProtobufCType type, const void *value)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return *(const uint32_t *)value;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return *(const int64_t *)value;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)value != 0;
    default:
        return *(const int32_t *)value;
    }
}

static enum varve_status
bind_scalar(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    const void *value,
    sqlite3_stmt *statement,
    int parameter)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return bind_real(table, field, *(const float *)value, statement, parameter);
    case PROTOBUF_C_TYPE_DOUBLE:
        return bind_real(table, field, *(const double *)value, statement, parameter);
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)value;
        int code = sqlite3_bind_text64(
            statement, parameter, text, text ? strlen(text) : 0, SQLITE_STATIC, SQLITE_UTF8);
        return bound(statement, code);
    }
    case PROTOBUF_C_TYPE_BYTES: {
        const struct varve_bytes *bytes = value;
        const void *data =
            bytes->size > 0 ? (const void *)bytes->data : ""; /* NULL would bind NULL */
        int code = sqlite3_bind_blob64(statement, parameter, data, bytes->size, SQLITE_STATIC);
        return bound(statement, code);
    }
    case PROTOBUF_C_TYPE_UINT64:
        if (*(const uint64_t *)value > INT64_MAX)
            return refuse(
                table, field, VARVE_FAILURE_RANGE,
                "is over 9223372036854775807, which a column cannot hold; make the field fixed64");
        break;
    default:
        break;
    }
    return bound(
        statement, sqlite3_bind_int64(statement, parameter, varve__integer_at(field->type, value)));
}

/* Whether the field of this record has a value; those that cannot be absent always have. */
static bool
is_present(const ProtobufCFieldDescriptor *field, const void *record)
{
    if (varve__in_oneof(field))
        return varve__is_chosen(record, field);
    if (!varve__is_explicit(field))
        return true;
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void *const *)varve__member(record, field->offset) != NULL;
    return *(const protobuf_c_boolean *)varve__member(record, field->quantifier_offset) != 0;
}

static enum varve_status
bind_json(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement,
    int parameter)
{
    const char *text;
    size_t size;
    enum varve_status status = varve__json_encode(table, column, record, arena, &text, &size);
    if (status != VARVE_OK)
        return status;
    return bound(
        statement,
        sqlite3_bind_text64(statement, parameter, text, size, SQLITE_STATIC, SQLITE_UTF8));
}

/* Binds the wire bytes of a part of the record: the field, or the unknown fields when it is NULL.
 * The part is packed as a record that has nothing else, so the bytes are read back by unpacking it. */
static enum varve_status
bind_part(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement,
    int parameter)
{
    const ProtobufCMessage *message = record;
    ProtobufCMessage *part = varve__arena_allocate(arena, table->descriptor->sizeof_message);
    if (!part)
        return varve__fail_memory(table->descriptor->name, table->descriptor->sizeof_message);
    varve_record_init(table, part);
    if (!field) {
        part->n_unknown_fields = message->n_unknown_fields;
        part->unknown_fields = message->unknown_fields;
    } else if (varve__is_repeated(field)) {
        struct varve__list list = varve__list_at(record, field);
        memcpy(varve__member_of(part, field->quantifier_offset), &list.count, sizeof list.count);
        memcpy(varve__member_of(part, field->offset), &list.data, sizeof list.data);
    } else {
        memcpy(
            varve__member_of(part, field->offset), varve__member(record, field->offset),
            sizeof(void *));
        if (varve__in_oneof(field))
            memcpy(
                varve__member_of(part, field->quantifier_offset),
                varve__member(record, field->quantifier_offset), sizeof(uint32_t));
    }
    struct varve_bytes bytes;
    enum varve_status status = varve__record_pack_checked(table, part, &bytes);
    if (status != VARVE_OK)
        return status;
    int code = sqlite3_bind_blob64(statement, parameter, bytes.data, bytes.size, SQLITE_TRANSIENT);
    varve_bytes_free(&bytes);
    return bound(statement, code);
}

static enum varve_status
bind_column(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement,
    int parameter)
{
    const ProtobufCFieldDescriptor *field = column->field;
    if (!is_present(field, record))
        return bound(statement, sqlite3_bind_null(statement, parameter));
    if (column->kind == VARVE_COLUMN_JSON)
        return bind_json(table, column, record, arena, statement, parameter);
    if (column->kind == VARVE_COLUMN_WIRE)
        return bind_part(table, field, record, arena, statement, parameter);
    const void *value = varve__member(record, field->offset);
    if ((column->flags & VARVE_GENERATED_KEY) != 0 && *(const int64_t *)value == 0)
        return bound(statement, sqlite3_bind_null(statement, parameter));
    return bind_scalar(table, field, value, statement, parameter);
}

enum varve_status
varve__row_bind(
    const struct varve_record *table,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement)
{
    enum varve_status status = VARVE_OK;
    int parameter = 1;
    for (size_t i = 0; i < table->column_count && status == VARVE_OK; i++) {
        if (table->columns[i].kind != VARVE_COLUMN_TENSOR)
            status = bind_column(table, &table->columns[i], record, arena, statement, parameter++);
    }
    if (status != VARVE_OK)
        return status;
    if (((const ProtobufCMessage *)record)->n_unknown_fields == 0)
        return bound(statement, sqlite3_bind_null(statement, parameter));
    return bind_part(table, NULL, record, arena, statement, parameter);
}

enum varve_status
varve__row_bind_key(
    const struct varve_record *table, const void *const *key, sqlite3_stmt *statement)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < table->table->primary_key_count && status == VARVE_OK; i++) {
        const ProtobufCFieldDescriptor *field = table->columns[table->table->primary_key[i]].field;
        const void *value = field->type == PROTOBUF_C_TYPE_STRING ? &key[i] : key[i];
        if (!key[i])
            return refuse(
                table, field, VARVE_FAILURE_NOT_NULL,
                "is NULL as a key; pass a pointer to a value");
        status = bind_scalar(table, field, value, statement, (int)i + 1);
    }
    return status;
}

/* -------------------------------------------------------------------- reading */

static const char *const type_names[] = {
    [SQLITE_INTEGER] = "an integer", [SQLITE_FLOAT] = "a number", [SQLITE_TEXT] = "text",
    [SQLITE_BLOB] = "bytes",         [SQLITE_NULL] = "NULL",
};

static int
expected_type(const struct varve_column *column)
{
    if (column->kind == VARVE_COLUMN_JSON)
        return SQLITE_TEXT;
    if (column->kind == VARVE_COLUMN_WIRE)
        return SQLITE_BLOB;
    switch (column->field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return SQLITE_FLOAT;
    case PROTOBUF_C_TYPE_STRING:
        return SQLITE_TEXT;
    case PROTOBUF_C_TYPE_BYTES:
        return SQLITE_BLOB;
    default:
        return SQLITE_INTEGER;
    }
}

static void
set_present(const ProtobufCFieldDescriptor *field, void *record)
{
    if (varve__in_oneof(field))
        *(uint32_t *)varve__member_of(record, field->quantifier_offset) = field->id;
    else if (
        varve__is_explicit(field) && field->type != PROTOBUF_C_TYPE_STRING &&
        field->type != PROTOBUF_C_TYPE_MESSAGE)
        *(protobuf_c_boolean *)varve__member_of(record, field->quantifier_offset) = 1;
}

/* Reads back what bind_part() has bound: the field, or the unknown fields when it is NULL. */
static enum varve_status
read_part(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    sqlite3_stmt *statement,
    int index,
    struct varve__arena *arena,
    void *record)
{
    const void *data = sqlite3_column_blob(statement, index);
    size_t size = (size_t)sqlite3_column_bytes(statement, index);
    void *part;
    enum varve_status status = varve__record_read(arena, table, data, size, &part);
    if (status == VARVE_INVALID)
        status = varve__fail_as(VARVE_TYPE);
    if (status != VARVE_OK)
        return status;
    ProtobufCMessage *message = record;
    if (!field) {
        message->n_unknown_fields = ((ProtobufCMessage *)part)->n_unknown_fields;
        message->unknown_fields = ((ProtobufCMessage *)part)->unknown_fields;
        return VARVE_OK;
    }
    if (varve__is_repeated(field))
        memcpy(
            varve__member_of(record, field->quantifier_offset),
            varve__member(part, field->quantifier_offset), sizeof(size_t));
    else if (!is_present(field, part)) /* of a oneof the union may hold another member */
        return varve__value_refuse(table, field, VARVE_FAILURE_OTHER, "bytes without this field");
    memcpy(
        varve__member_of(record, field->offset), varve__member(part, field->offset),
        sizeof(void *));
    return VARVE_OK;
}

static enum varve_status
read_column(
    const struct varve_record *table,
    const struct varve_column *column,
    sqlite3_stmt *statement,
    int index,
    struct varve__arena *arena,
    void *record)
{
    const ProtobufCFieldDescriptor *field = column->field;
    int expected = expected_type(column);
    int found = sqlite3_column_type(statement, index);
    bool nullable = varve__in_oneof(field) || varve__is_explicit(field);
    if (found == SQLITE_NULL && nullable)
        return VARVE_OK;
    if (found != expected)
        return varve__value_refuse(
            table, field, VARVE_FAILURE_OTHER, "%s where the schema says %s", type_names[found],
            type_names[expected]);
    enum varve_status status;
    if (column->kind == VARVE_COLUMN_JSON) {
        const char *text = (const char *)sqlite3_column_text(statement, index);
        size_t size = (size_t)sqlite3_column_bytes(statement, index);
        status = varve__json_decode(table, column, text, size, arena, record);
    } else if (column->kind == VARVE_COLUMN_WIRE) {
        status = read_part(table, field, statement, index, arena, record);
    } else {
        void *member = varve__member_of(record, field->offset);
        status = varve__value_read(table, field, statement, index, arena, member);
    }
    if (status == VARVE_OK)
        set_present(field, record);
    return status;
}

/* Room for the struct and for every byte of the row, with some for alignment and for arrays. */
static size_t
block_size(const struct varve_record *table, sqlite3_stmt *statement)
{
    size_t size = table->descriptor->sizeof_message;
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        int type = sqlite3_column_type(statement, i);
        if (type == SQLITE_TEXT || type == SQLITE_BLOB)
            size += (size_t)sqlite3_column_bytes(statement, i) + 16;
    }
    return size;
}

enum varve_status
varve__row_read(const struct varve_record *table, sqlite3_stmt *statement, void **record)
{
    *record = NULL;
    size_t size = table->descriptor->sizeof_message;
    struct varve__arena *arena = varve__arena_create(block_size(table, statement));
    void *read = arena ? varve__arena_allocate(arena, size) : NULL;
    if (!read)
        return varve__fail_memory(table->descriptor->name, size);
    varve_record_init(table, read);
    enum varve_status status = VARVE_OK;
    int index = 0;
    for (size_t i = 0; i < table->column_count && status == VARVE_OK; i++) {
        if (table->columns[i].kind != VARVE_COLUMN_TENSOR)
            status = read_column(table, &table->columns[i], statement, index++, arena, read);
    }
    if (status == VARVE_OK && sqlite3_column_type(statement, index) == SQLITE_BLOB)
        status = read_part(table, NULL, statement, index, arena, read);
    if (status == VARVE_OK)
        *record = read;
    else
        varve__arena_release(arena);
    return status;
}
