/* Writes JSON columns: strings, keys, values, and the refusal of NaN. Reading is in json_read.c;
 * text.c writes the digits of numbers, map.c drops repeated keys. */
#include "codec/json.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "codec/field.h"
#include "codec/map.h"
#include "codec/text.h"

enum {
    NUMBER_MAX = 26, /* bytes of any number with its quotes */
    SHOWN_KEY = 80   /* bytes of a key in an error's text */
};

struct writer {
    const struct varve_record *table;
    const struct varve_column *column;
    struct varve__arena *arena;
    struct varve__text text;
};

/* ------------------------------------------------------------------ values */

/* The letter of a control character's short escape, 0 when it has none. */
static char
escape_letter(char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void
add_escape(struct varve__text *text, char byte)
{
    static const char hex[] = "0123456789abcdef";
    char letter = escape_letter(byte);
    if (letter) {
        varve__text_add(text, (char[2]){'\\', letter}, 2);
        return;
    }
    char escape[6] = {'\\', 'u', '0', '0', hex[(uint8_t)byte >> 4], hex[byte & 15]};
    varve__text_add(text, escape, sizeof escape);
}

static void
add_string(struct varve__text *text, const char *at)
{
    varve__text_add(text, "\"", 1);
    for (;;) {
        const char *run = at;
        while (varve__json_is_plain(*at))
            at++;
        varve__text_add(text, run, (size_t)(at - run));
        if (!*at)
            break;
        add_escape(text, *at++);
    }
    varve__text_add(text, "\"", 1);
}

/* The size of what add_string() writes. */
static size_t
string_size(const char *at)
{
    size_t size = 2;
    for (; *at; at++)
        size += varve__json_is_plain(*at) ? 1 : escape_letter(*at) ? 2 : 6;
    return size;
}

/* Adds a float or double. */
static void
add_real(struct varve__text *text, ProtobufCType type, const void *value)
{
    bool single = type == PROTOBUF_C_TYPE_FLOAT;
    double real = single ? (double)*(const float *)value : *(const double *)value;
    size_t start = text->length;
    if (isinf(real)) {
        varve__text_add_string(text, real > 0 ? "9e999" : "-9e999");
        return;
    }
    if (single)
        varve__text_add_float(text, *(const float *)value);
    else
        varve__text_add_double(text, real);
    for (size_t i = start; i < text->length; i++) {
        if (text->buffer[i] == '.' || text->buffer[i] == 'e')
            return;
    }
    varve__text_add(text, ".0", 2);
}

static bool
is_int64(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
           type == PROTOBUF_C_TYPE_SFIXED64;
}

static bool
is_uint64(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
}

static void
add_plain_value(struct varve__text *text, ProtobufCType type, const void *value)
{
    if (type == PROTOBUF_C_TYPE_STRING)
        add_string(text, *(const char *const *)value);
    else if (type == PROTOBUF_C_TYPE_BOOL)
        varve__text_add_string(text, *(const protobuf_c_boolean *)value ? "true" : "false");
    else if (type == PROTOBUF_C_TYPE_FLOAT || type == PROTOBUF_C_TYPE_DOUBLE)
        add_real(text, type, value);
    else if (type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32)
        varve__text_add_uint64(text, *(const uint32_t *)value);
    else if (is_uint64(type))
        varve__text_add_uint64(text, *(const uint64_t *)value);
    else if (is_int64(type))
        varve__text_add_int64(text, *(const int64_t *)value);
    else
        varve__text_add_int64(text, *(const int32_t *)value);
}

static void
add_quoted_value(struct varve__text *text, ProtobufCType type, const void *value)
{
    varve__text_add(text, "\"", 1);
    add_plain_value(text, type, value);
    varve__text_add(text, "\"", 1);
}

static void
add_value(struct varve__text *text, ProtobufCType type, const void *value)
{
    if (is_int64(type) || is_uint64(type))
        add_quoted_value(text, type, value);
    else
        add_plain_value(text, type, value);
}

static void
add_key(struct varve__text *text, ProtobufCType type, const void *key)
{
    if (type == PROTOBUF_C_TYPE_STRING)
        add_string(text, *(const char *const *)key);
    else
        add_quoted_value(text, type, key);
}

static bool
is_nan(ProtobufCType type, const void *value)
{
    return (type == PROTOBUF_C_TYPE_FLOAT && isnan(*(const float *)value)) ||
           (type == PROTOBUF_C_TYPE_DOUBLE && isnan(*(const double *)value));
}

/* At least the bytes that add_value() and add_key() write. */
static size_t
value_bound(ProtobufCType type, const void *value)
{
    return type == PROTOBUF_C_TYPE_STRING ? string_size(*(const char *const *)value) : NUMBER_MAX;
}

/* ------------------------------------------------------------------ arrays and maps */

static enum varve_status
fail_nan(const struct writer *writer, const char *place, int shown, const char *key)
{
    const char *name = writer->table->descriptor->name;
    enum varve_status status = varve__fail(
        VARVE_INVALID, VARVE_FAILURE_NAN, VARVE_TIER_TABLE, name,
        "%s.%s: %s%.*s is NaN, which a column cannot hold; leave it out%s", name,
        writer->column->field->name, place, shown, key,
        writer->column->flags & VARVE_MAP ? "" : ", or make the field a tensor");
    varve__failure_add_field(writer->column->field->id);
    return status;
}

static enum varve_status
fail_nan_element(const struct writer *writer, size_t index)
{
    char number[NUMBER_MAX];
    struct varve__text text = {number, sizeof number, 0};
    varve__text_add_uint64(&text, index);
    return fail_nan(writer, "element ", (int)text.length, number);
}

/* The key's text, [start, end) of what is written, names the entry. */
static enum varve_status
fail_nan_entry(const struct writer *writer, size_t start, size_t end)
{
    const char *key = writer->text.buffer + start;
    size_t shown = end - start;
    if (shown > SHOWN_KEY)
        shown = varve__utf8_whole(key, SHOWN_KEY);
    fail_nan(writer, "the value of key ", (int)shown, key);
    varve__failure_add_field(writer->column->record->descriptor->fields[1].id);
    return VARVE_INVALID;
}

static enum varve_status
write_array(struct writer *writer, const struct varve__list *list)
{
    ProtobufCType type = writer->column->field->type;
    size_t element_size = varve__element_size(type);
    const char *element = list->data;
    for (size_t i = 0; i < list->count; i++, element += element_size) {
        if (is_nan(type, element))
            return fail_nan_element(writer, i);
        varve__text_add(&writer->text, i > 0 ? "," : "[", 1);
        add_value(&writer->text, type, element);
    }
    varve__text_add_string(&writer->text, list->count > 0 ? "]" : "[]");
    return VARVE_OK;
}

static enum varve_status
write_entry(struct writer *writer, const void *entry, const char *separator)
{
    const ProtobufCFieldDescriptor *key = varve__entry_key(writer->column->record);
    const ProtobufCFieldDescriptor *value = key + 1;
    varve__text_add(&writer->text, separator, 1);
    size_t start = writer->text.length;
    add_key(&writer->text, key->type, varve__member(entry, key->offset));
    if (is_nan(value->type, varve__member(entry, value->offset)))
        return fail_nan_entry(writer, start, writer->text.length);
    varve__text_add(&writer->text, ":", 1);
    add_value(&writer->text, value->type, varve__member(entry, value->offset));
    return VARVE_OK;
}

static enum varve_status
write_entries(struct writer *writer, void *const *entries, size_t count)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        status = write_entry(writer, entries[i], i > 0 ? "," : "{");
    varve__text_add_string(&writer->text, count > 0 ? "}" : "{}");
    return status;
}

/* Repeated keys are dropped from a copy: the record stays as it is. */
static enum varve_status
write_map(struct writer *writer, const struct varve__list *list)
{
    size_t count = list->count;
    size_t size = count * sizeof(void *); /* list->data is of this size already */
    if (count < 2)
        return write_entries(writer, list->data, count);
    void **entries = varve__arena_allocate(writer->arena, size);
    if (!entries)
        return varve__fail_memory(writer->table->descriptor->name, size);
    memcpy(entries, list->data, size);
    enum varve_status status =
        varve__entries_unique(writer->table, writer->column, entries, &count);
    if (status == VARVE_OK)
        status = write_entries(writer, entries, count);
    varve__arena_shrink(writer->arena, entries, size, 0);
    return status;
}

/* ------------------------------------------------------------------ the whole text */

/* At least the bytes of the whole text. False when that is no size. */
static bool
text_bound(const struct varve_column *column, const struct varve__list *list, size_t *bound)
{
    const ProtobufCFieldDescriptor *field = column->field;
    const char *element = list->data;
    bool fits = true;
    *bound = 2;
    for (size_t i = 0; i < list->count && fits; i++) {
        if (column->flags & VARVE_MAP) {
            const ProtobufCFieldDescriptor *key = varve__entry_key(column->record);
            const void *entry = ((void *const *)list->data)[i];
            size_t size = value_bound(key->type, varve__member(entry, key->offset)) + 2;
            fits = varve__size_add(*bound, size, bound);
            size = value_bound(key[1].type, varve__member(entry, key[1].offset));
            fits = fits && varve__size_add(*bound, size, bound);
        } else {
            size_t size = value_bound(field->type, element) + 1;
            fits = varve__size_add(*bound, size, bound);
            element += varve__element_size(field->type);
        }
    }
    return fits;
}

enum varve_status
varve__json_encode(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    struct varve__arena *arena,
    const char **text,
    size_t *size)
{
    struct varve__list list = varve__list_at(record, column->field);
    struct writer writer = {.table = table, .column = column, .arena = arena};
    size_t bound;
    *text = NULL;
    *size = 0;
    if (text_bound(column, &list, &bound))
        writer.text.buffer = varve__arena_allocate(arena, bound);
    if (!writer.text.buffer)
        return varve__fail_memory(table->descriptor->name, bound);
    writer.text.size = bound;
    enum varve_status status =
        column->flags & VARVE_MAP ? write_map(&writer, &list) : write_array(&writer, &list);
    if (status != VARVE_OK) {
        varve__arena_shrink(arena, writer.text.buffer, bound, 0);
        return status;
    }
    *text = writer.text.buffer;
    *size = writer.text.length;
    varve__arena_shrink(arena, writer.text.buffer, bound, *size);
    return VARVE_OK;
}
