/* Records as protobuf text format. */
#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "codec/field.h"
#include "codec/size.h"
#include "codec/text.h"

enum {
    INDENT = 2 /* spaces a level */
};

struct printer {
    struct varve__text text;
    bool too_deep;
};

static void
print_record(
    struct printer *printer, const struct varve_record *table, const void *record, unsigned depth);

static void
print_name(struct printer *printer, const ProtobufCFieldDescriptor *field, unsigned depth)
{
    varve__text_add_spaces(&printer->text, depth * INDENT);
    varve__text_add_string(&printer->text, field->name);
}

static void
print_enum(struct varve__text *text, const ProtobufCEnumDescriptor *descriptor, int value)
{
    const char *name = varve_enum_name(descriptor, value);
    if (name)
        varve__text_add_string(text, name);
    else
        varve__text_add_int64(text, value);
}

static void
print_number(struct varve__text *text, const ProtobufCFieldDescriptor *field, const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        varve__text_add_float(text, *(const float *)value);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        varve__text_add_double(text, *(const double *)value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        varve__text_add_string(text, *(const protobuf_c_boolean *)value ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(text, field->descriptor, *(const int *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        varve__text_add_uint64(text, *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        varve__text_add_uint64(text, *(const uint64_t *)value);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        varve__text_add_int64(text, *(const int64_t *)value);
        break;
    default:
        varve__text_add_int64(text, *(const int32_t *)value);
        break;
    }
}

static void
print_message(
    struct printer *printer, const struct varve_column *column, const void *message, unsigned depth)
{
    print_name(printer, column->field, depth);
    varve__text_add_string(&printer->text, " {\n");
    if (message && depth == VARVE__DEPTH_MAX)
        printer->too_deep = true;
    else if (message)
        print_record(printer, column->record, message, depth + 1);
    varve__text_add_spaces(&printer->text, depth * INDENT);
    varve__text_add_string(&printer->text, "}\n");
}

/* A value with its name, on a line of its own. */
static void
print_value(
    struct printer *printer, const struct varve_column *column, const void *value, unsigned depth)
{
    struct varve__text *text = &printer->text;
    if (column->field->type == PROTOBUF_C_TYPE_MESSAGE) {
        print_message(printer, column, *(const void *const *)value, depth);
        return;
    }
    print_name(printer, column->field, depth);
    varve__text_add_string(text, ": ");
    if (column->field->type == PROTOBUF_C_TYPE_STRING) {
        const char *string = *(const char *const *)value;
        varve__text_add_quoted(text, string, string ? strlen(string) : 0, true);
    } else if (column->field->type == PROTOBUF_C_TYPE_BYTES) {
        const struct varve_bytes *bytes = value;
        varve__text_add_quoted(text, bytes->data, bytes->size * varve__bytes_scale(column), false);
    } else {
        print_number(text, column->field, value);
    }
    varve__text_add_string(text, "\n");
}

/* Array or tensor without data: nothing that could be read back, so a comment. */
static void
print_not_loaded(
    struct printer *printer, const ProtobufCFieldDescriptor *field, size_t count, unsigned depth)
{
    varve__text_add_spaces(&printer->text, depth * INDENT);
    varve__text_add_string(&printer->text, "# ");
    varve__text_add_string(&printer->text, field->name);
    varve__text_add_string(&printer->text, ": ");
    varve__text_add_uint64(&printer->text, count);
    varve__text_add_string(&printer->text, " elements, not loaded\n");
}

static void
print_repeated(
    struct printer *printer, const struct varve_column *column, const void *record, unsigned depth)
{
    const ProtobufCFieldDescriptor *field = column->field;
    struct varve__list list = varve__list_at(record, field);
    size_t element_size = varve__element_size(field->type);
    const char *element = list.data;
    if (list.count == 0)
        return;
    if (!list.data) {
        print_not_loaded(printer, field, list.count, depth);
        return;
    }
    if (!varve__is_number(field->type)) {
        for (size_t i = 0; i < list.count && !printer->too_deep; i++)
            print_value(printer, column, element + i * element_size, depth);
        return;
    }
    print_name(printer, field, depth);
    for (size_t i = 0; i < list.count; i++) {
        varve__text_add_string(&printer->text, i == 0 ? ": [" : ", ");
        print_number(&printer->text, field, element + i * element_size);
    }
    varve__text_add_string(&printer->text, "]\n");
}

/* Whether a singular field is printed: a zero that says nothing is not. */
static bool
is_printed(
    const struct varve_record *table, const ProtobufCFieldDescriptor *field, const void *record)
{
    const void *member = varve__member(record, field->offset);
    if (table->flags & VARVE_RECORD_MAP_ENTRY)
        return true; /* key and value are easier to read together */
    if (varve__in_oneof(field) || varve__is_explicit(field))
        return varve__is_present(field, record);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return *(const char *const *)member && **(const char *const *)member;
    case PROTOBUF_C_TYPE_BYTES:
        return ((const struct varve_bytes *)member)->size > 0;
    default:
        return !varve__number_is_zero(field->type, member);
    }
}

static void
print_singular(
    struct printer *printer,
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    unsigned depth)
{
    const ProtobufCFieldDescriptor *field = column->field;
    const void *member = varve__member(record, field->offset);
    const struct varve_bytes *bytes = member;
    if (!is_printed(table, field, record))
        return;
    if (field->type == PROTOBUF_C_TYPE_BYTES && bytes->size > 0 && !bytes->data)
        print_not_loaded(printer, field, bytes->size, depth);
    else
        print_value(printer, column, member, depth);
}

/* By number, as parsers that allow unknown fields read it: numbers as they are,
 * the rest as a string of bytes. */
static void
print_unknown(struct printer *printer, const ProtobufCMessageUnknownField *unknown, unsigned depth)
{
    struct varve__text *text = &printer->text;
    const uint8_t *data = unknown->data;
    size_t size = unknown->len;
    uint64_t number = 0;
    varve__text_add_spaces(text, depth * INDENT);
    varve__text_add_uint64(text, unknown->tag);
    varve__text_add_string(text, ": ");
    if (unknown->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
        while (size > 0 && *data++ >= 0x80) /* the length stands before the content */
            size--;
        varve__text_add_quoted(text, data, size > 0 ? size - 1 : 0, false);
    } else {
        bool varint = unknown->wire_type == PROTOBUF_C_WIRE_TYPE_VARINT;
        for (size_t i = 0; i < size; i++)
            number |= varint ? (uint64_t)(data[i] & 0x7F) << (7 * i) : (uint64_t)data[i] << (8 * i);
        varve__text_add_uint64(text, number);
    }
    varve__text_add_string(text, "\n");
}

static void
print_record(
    struct printer *printer, const struct varve_record *table, const void *record, unsigned depth)
{
    const ProtobufCMessage *message = record;
    for (size_t i = 0; i < table->column_count && !printer->too_deep; i++) {
        const struct varve_column *column = &table->columns[i];
        if (varve__is_repeated(column->field))
            print_repeated(printer, column, record, depth);
        else
            print_singular(printer, table, column, record, depth);
    }
    for (unsigned i = 0; i < message->n_unknown_fields; i++)
        print_unknown(printer, &message->unknown_fields[i], depth);
}

enum varve_status
varve_record_print(const struct varve_record *table, const void *record, char *buffer, size_t size)
{
    const char *name = table->descriptor->name;
    if (!record)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, name,
            "the %s is NULL; pass a record", name);
    struct printer printer = {.text = {.buffer = buffer, .size = size}};
    print_record(&printer, table, record, 0);
    bool fits = varve__text_end(&printer.text);
    if (printer.too_deep)
        return varve__fail(
            VARVE_INVALID, VARVE_FAILURE_DEPTH, VARVE_TIER_NONE, name,
            "%s is nested more than %d levels deep; look for a cycle, or flatten the record", name,
            VARVE__DEPTH_MAX);
    if (fits)
        return VARVE_OK;
    return varve__fail(
        VARVE_INVALID, VARVE_FAILURE_SIZE, VARVE_TIER_NONE, name,
        "%s needs a buffer of %zu bytes to be printed, but got %zu; give a larger one", name,
        printer.text.length + 1, size);
}
