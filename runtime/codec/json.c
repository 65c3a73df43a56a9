/* Writes JSON columns: arrays, maps, and the refusal of NaN. Reading is in json_read.c; json_write.c
 * writes the values, map.c drops repeated keys. */
#include "codec/json.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "codec/field.h"
#include "codec/json_write.h"
#include "codec/map.h"
#include "codec/text.h"

enum {
    SHOWN_KEY = 80 /* bytes of a key in an error's text */
};

struct writer {
    const struct varve_record *table;
    const struct varve_column *column;
    struct varve__arena *arena;
    bool for_sql;
    struct varve__text text;
};

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
    char number[VARVE__JSON_NUMBER_MAX];
    struct varve__text text = {number, sizeof number, 0};
    varve__text_add_uint64(&text, index);
    return fail_nan(writer, "element ", (int)text.length, number);
}

static enum varve_status
fail_large_element(const struct writer *writer, size_t index)
{
    const char *name = writer->table->descriptor->name;
    enum varve_status status = varve__fail(
        VARVE_INVALID, VARVE_FAILURE_RANGE, VARVE_TIER_TABLE, name,
        "%s.%s: element %zu is over 9223372036854775807, which SQL cannot hold; make the field "
        "fixed64",
        name, writer->column->field->name, index);
    varve__failure_add_field(writer->column->field->id);
    return status;
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
        if (varve__json_is_nan(type, element))
            return fail_nan_element(writer, i);
        if (writer->for_sql && type == PROTOBUF_C_TYPE_UINT64 && *(const int64_t *)element < 0)
            return fail_large_element(writer, i);
        varve__text_add(&writer->text, i > 0 ? "," : "[", 1);
        if (writer->for_sql)
            varve__json_add_for_sql(&writer->text, type, element);
        else
            varve__json_add_value(&writer->text, type, element);
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
    varve__json_add_key(&writer->text, key->type, varve__member(entry, key->offset));
    if (varve__json_is_nan(value->type, varve__member(entry, value->offset)))
        return fail_nan_entry(writer, start, writer->text.length);
    varve__text_add(&writer->text, ":", 1);
    varve__json_add_value(&writer->text, value->type, varve__member(entry, value->offset));
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

static enum varve_status
write_map(struct writer *writer, const struct varve__list *map)
{
    struct varve__list last;
    enum varve_status status =
        varve__entries_last(writer->table, writer->column, map, writer->arena, &last);
    if (status == VARVE_OK)
        status = write_entries(writer, last.data, last.count);
    varve__entries_release(writer->arena, map, &last);
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
            size_t size = varve__json_value_bound(key->type, varve__member(entry, key->offset)) + 2;
            fits = varve__size_add(*bound, size, bound);
            size = varve__json_value_bound(key[1].type, varve__member(entry, key[1].offset));
            fits = fits && varve__size_add(*bound, size, bound);
        } else {
            size_t size = varve__json_value_bound(field->type, element) + 1;
            fits = varve__size_add(*bound, size, bound);
            element += varve__element_size(field->type);
        }
    }
    return fits;
}

static enum varve_status
encode(struct writer *writer, const void *record, const char **text, size_t *size)
{
    const struct varve_column *column = writer->column;
    struct varve__list list = varve__list_at(record, column->field);
    size_t bound;
    *text = NULL;
    *size = 0;
    if (text_bound(column, &list, &bound))
        writer->text.buffer = varve__arena_allocate(writer->arena, bound);
    if (!writer->text.buffer)
        return varve__fail_memory(writer->table->descriptor->name, bound);
    writer->text.size = bound;
    enum varve_status status =
        column->flags & VARVE_MAP ? write_map(writer, &list) : write_array(writer, &list);
    if (status != VARVE_OK) {
        varve__arena_shrink(writer->arena, writer->text.buffer, bound, 0);
        return status;
    }
    *text = writer->text.buffer;
    *size = writer->text.length;
    varve__arena_shrink(writer->arena, writer->text.buffer, bound, *size);
    return VARVE_OK;
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
    struct writer writer = {.table = table, .column = column, .arena = arena};
    return encode(&writer, record, text, size);
}

enum varve_status
varve__json_encode_for_sql(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    struct varve__arena *arena,
    const char **text,
    size_t *size)
{
    struct writer writer = {.table = table, .column = column, .arena = arena, .for_sql = true};
    return encode(&writer, record, text, size);
}
