/* Writes JSON copies. One walk serves twice: first it measures, without a buffer, then it writes. */
#include "codec/json_copy.h"

#include "base/error.h"
#include "codec/field.h"
#include "codec/json_write.h"
#include "codec/map.h"
#include "codec/text.h"

struct writer {
    const struct varve_record *table; /* of the whole record */
    struct varve__arena *arena;
    struct varve__text text;
};

static enum varve_status
write_field(struct writer *writer, const struct varve_column *column, const void *message);

static bool
is_measuring(const struct writer *writer)
{
    return !writer->text.buffer;
}

static void
write_scalar(struct writer *writer, ProtobufCType type, const void *value)
{
    if (is_measuring(writer))
        varve__text_add(&writer->text, NULL, varve__json_value_bound(type, value)); /* counts */
    else
        varve__json_add_value(&writer->text, type, value);
}

static void
write_key(struct writer *writer, ProtobufCType type, const void *key)
{
    if (is_measuring(writer))
        varve__text_add(&writer->text, NULL, varve__json_value_bound(type, key));
    else
        varve__json_add_key(&writer->text, type, key);
}

static enum varve_status
write_message(struct writer *writer, const struct varve_record *table, const void *message)
{
    enum varve_status status = VARVE_OK;
    const char *before_name = "{\"";
    for (size_t i = 0; i < table->column_count && status == VARVE_OK; i++) {
        const ProtobufCFieldDescriptor *field = table->columns[i].field;
        if (!varve__is_present(field, message))
            continue;
        varve__text_add_string(&writer->text, before_name);
        varve__text_add_string(&writer->text, field->name);
        varve__text_add(&writer->text, "\":", 2);
        status = write_field(writer, &table->columns[i], message);
        before_name = ",\"";
    }
    varve__text_add_string(&writer->text, *before_name == '{' ? "{}" : "}");
    return status;
}

/* A singular field's value, or an element. In a map's entry a message that is NULL is an empty one. */
static enum varve_status
write_value(struct writer *writer, const struct varve_column *column, const void *value)
{
    if (column->field->type != PROTOBUF_C_TYPE_MESSAGE) {
        write_scalar(writer, column->field->type, value);
        return VARVE_OK;
    }
    const void *message = *(const void *const *)value;
    return write_message(writer, column->record, message ? message : column->record->initial);
}

static enum varve_status
write_array(
    struct writer *writer, const struct varve_column *column, const struct varve__list *list)
{
    enum varve_status status = VARVE_OK;
    size_t element_size = varve__element_size(column->field->type);
    const char *element = list->data;
    for (size_t i = 0; i < list->count && status == VARVE_OK; i++, element += element_size) {
        varve__text_add(&writer->text, i > 0 ? "," : "[", 1);
        status = write_value(writer, column, element);
    }
    varve__text_add_string(&writer->text, list->count > 0 ? "]" : "[]");
    return status;
}

static enum varve_status
write_entries(
    struct writer *writer, const struct varve_record *entry_table, const struct varve__list *map)
{
    enum varve_status status = VARVE_OK;
    const ProtobufCFieldDescriptor *key = varve__entry_key(entry_table);
    const struct varve_column *value = &entry_table->columns[1];
    for (size_t i = 0; i < map->count && status == VARVE_OK; i++) {
        const void *entry = ((void *const *)map->data)[i];
        varve__text_add(&writer->text, i > 0 ? "," : "{", 1);
        write_key(writer, key->type, varve__member(entry, key->offset));
        varve__text_add(&writer->text, ":", 1);
        status = write_value(writer, value, varve__member(entry, value->field->offset));
    }
    varve__text_add_string(&writer->text, map->count > 0 ? "}" : "{}");
    return status;
}

static enum varve_status
write_map(struct writer *writer, const struct varve_column *column, const struct varve__list *map)
{
    struct varve__list last;
    if (is_measuring(writer)) /* with all entries: that is a bound too */
        return write_entries(writer, column->record, map);
    enum varve_status status =
        varve__entries_last(writer->table, column, map, writer->arena, &last);
    if (status == VARVE_OK)
        status = write_entries(writer, column->record, &last);
    varve__entries_release(writer->arena, map, &last);
    return status;
}

static enum varve_status
write_field(struct writer *writer, const struct varve_column *column, const void *message)
{
    if (!varve__is_repeated(column->field))
        return write_value(writer, column, varve__member(message, column->field->offset));
    struct varve__list list = varve__list_at(message, column->field);
    return column->flags & VARVE_MAP ? write_map(writer, column, &list)
                                     : write_array(writer, column, &list);
}

enum varve_status
varve__json_encode_copy(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *record,
    struct varve__arena *arena,
    const char **text,
    size_t *size)
{
    struct writer writer = {.table = table, .arena = arena};
    *text = NULL;
    *size = 0;
    (void)write_field(&writer, column, record); /* measures, which cannot fail */
    size_t bound = writer.text.length;
    char *buffer = varve__arena_allocate(arena, bound);
    if (!buffer)
        return varve__fail_memory(table->descriptor->name, bound);
    writer.text = (struct varve__text){.buffer = buffer, .size = bound};
    enum varve_status status = write_field(&writer, column, record);
    if (status == VARVE_OK) {
        *text = buffer;
        *size = writer.text.length;
    }
    varve__arena_shrink(arena, buffer, bound, *size);
    return status;
}
