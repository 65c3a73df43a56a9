/* Writes JSON columns. Reading is in json_read.c. */
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
    FEW = 16,        /* entries whose keys are compared pair by pair */
    NUMBER_MAX = 26, /* bytes of any number with its quotes */
    SHOWN_KEY = 80   /* bytes of a key in an error's text */
};

struct writer {
    const struct varve_record *table;
    const struct varve_column *column;
    struct varve__arena *arena;
    struct varve__text text;
};

/* Gives the end of an allocation back to the arena, if nothing was allocated since. */
static void
shrink(struct varve__arena *arena, void *memory, size_t size, size_t kept)
{
    if ((uint8_t *)memory + varve__arena_round(size) == arena->next)
        arena->next = (uint8_t *)memory + varve__arena_round(kept);
}

/* ------------------------------------------------------------------ repeated keys */

static bool
is_ascending(const ProtobufCFieldDescriptor *key, void *const *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (varve__key_compare(key, entries[i - 1], entries[i]) >= 0)
            return false;
    }
    return true;
}

static bool
drop_of_few(const ProtobufCFieldDescriptor *key, void **entries, size_t count)
{
    bool dropped = false;
    for (size_t late = 1; late < count; late++) {
        for (size_t early = 0; early < late; early++) {
            if (entries[early] && varve__key_compare(key, entries[early], entries[late]) == 0) {
                entries[early] = NULL;
                dropped = true;
            }
        }
    }
    return dropped;
}

enum varve_status
varve__json_drop_repeated(
    const struct varve_record *entry_table,
    struct varve__arena *arena,
    void **entries,
    size_t count,
    bool *dropped)
{
    const ProtobufCFieldDescriptor *key = varve__entry_key(entry_table);
    *dropped = false;
    if (count <= FEW) {
        *dropped = drop_of_few(key, entries, count);
        return VARVE_OK;
    }
    if (is_ascending(key, entries, count))
        return VARVE_OK;
    size_t size = SIZE_MAX;
    struct varve__entry *sorted = NULL;
    if (varve__size_multiply(count, sizeof *sorted, &size))
        sorted = varve__arena_allocate(arena, size);
    if (!sorted)
        return varve__fail_memory(entry_table->descriptor->name, size);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct varve__entry){entries[i], i};
    varve__entries_sort(key, sorted, count);
    for (size_t i = 0; i + 1 < count; i++) {
        if (varve__key_compare(key, sorted[i].entry, sorted[i + 1].entry) == 0) {
            entries[sorted[i].place] = NULL;
            *dropped = true;
        }
    }
    shrink(arena, sorted, size, 0);
    return VARVE_OK;
}

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

static void
add_double(struct varve__text *text, double value)
{
    if (isinf(value))
        varve__text_add_string(text, value > 0 ? "9e999" : "-9e999");
    else if (value == 0)
        varve__text_add_string(text, signbit(value) ? "-0.0" : "0"); /* readers take -0 for 0 */
    else
        varve__text_add_double(text, value);
}

static void
add_float(struct varve__text *text, float value)
{
    if (isinf(value) || value == 0)
        add_double(text, (double)value);
    else
        varve__text_add_float(text, value);
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
    else if (type == PROTOBUF_C_TYPE_FLOAT)
        add_float(text, *(const float *)value);
    else if (type == PROTOBUF_C_TYPE_DOUBLE)
        add_double(text, *(const double *)value);
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

/* Entries that are NULL are left out. */
static enum varve_status
write_map(struct writer *writer, void *const *entries, size_t count)
{
    enum varve_status status = VARVE_OK;
    const char *separator = "{";
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        if (!entries[i])
            continue;
        status = write_entry(writer, entries[i], separator);
        separator = ",";
    }
    varve__text_add_string(&writer->text, count > 0 ? "}" : "{}");
    return status;
}

static enum varve_status
write_map_once(struct writer *writer, const struct varve__list *list)
{
    const struct varve_record *entry_table = writer->column->record;
    size_t size = list->count * sizeof(void *); /* list->data is of this size already */
    bool dropped;
    if (list->count < 2)
        return write_map(writer, list->data, list->count);
    void **entries = varve__arena_allocate(writer->arena, size);
    if (!entries)
        return varve__fail_memory(writer->table->descriptor->name, size);
    memcpy(entries, list->data, size);
    enum varve_status status =
        varve__json_drop_repeated(entry_table, writer->arena, entries, list->count, &dropped);
    if (status == VARVE_OK)
        status = write_map(writer, entries, list->count);
    shrink(writer->arena, entries, size, 0);
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
        column->flags & VARVE_MAP ? write_map_once(&writer, &list) : write_array(&writer, &list);
    if (status != VARVE_OK) {
        shrink(arena, writer.text.buffer, bound, 0);
        return status;
    }
    *text = writer.text.buffer;
    *size = writer.text.length;
    shrink(arena, writer.text.buffer, bound, *size);
    return VARVE_OK;
}
