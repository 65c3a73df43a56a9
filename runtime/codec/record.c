/* Small things about records and enums: making them empty, releasing them, forgetting unknown
 * fields, names of values. */
#include <varve/record.h>

#include <string.h>

#include "base/arena.h"
#include "codec/field.h"
#include "codec/unknown.h"

void
varve_record_init(const struct varve_record *table, void *record)
{
    memcpy(record, table->initial, table->descriptor->sizeof_message);
}

void
varve_record_free(void *record)
{
    if (record)
        varve__arena_release(varve__arena_of(record));
}

static void
clear_unknown(const struct varve_record *table, void *record, unsigned depth)
{
    ProtobufCMessage *message = record;
    message->n_unknown_fields = 0;
    message->unknown_fields = NULL;
    for (size_t i = 0; i < table->column_count && depth < VARVE__DEPTH_MAX; i++) {
        const struct varve_column *column = &table->columns[i];
        const ProtobufCFieldDescriptor *field = column->field;
        if (!column->record || (varve__in_oneof(field) && !varve__is_chosen(record, field)))
            continue;
        void **messages = varve__member_of(record, field->offset);
        size_t count = 1;
        if (varve__is_repeated(field)) {
            struct varve__list list = varve__list_at(record, field);
            messages = list.data;
            count = messages ? list.count : 0;
        }
        for (size_t m = 0; m < count; m++) {
            if (messages[m])
                clear_unknown(column->record, messages[m], depth + 1);
        }
    }
}

void
varve_record_clear_unknown(const struct varve_record *table, void *record)
{
    clear_unknown(table, record, 0);
    varve__unknown_clear(record); /* a table stores the nested ones whole: they need no mark */
}

const char *
varve_enum_name(const ProtobufCEnumDescriptor *descriptor, int value)
{
    /* libprotobuf-c's own search overflows at INT_MAX. */
    size_t low = 0;
    size_t high = descriptor->n_values;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (descriptor->values[middle].value == value)
            return descriptor->values[middle].name;
        if (descriptor->values[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool
varve_enum_parse(const ProtobufCEnumDescriptor *descriptor, const char *text, int *value)
{
    const ProtobufCEnumValue *found =
        text ? protobuf_c_enum_descriptor_get_value_by_name(descriptor, text) : NULL;
    if (found)
        *value = found->value;
    return found != NULL;
}
