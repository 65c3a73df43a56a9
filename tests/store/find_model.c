#include "find_model.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- values */

struct value {
    enum {
        NOTHING,
        INTEGER,
        REAL,
        BYTES,
    } kind;
    int64_t integer;
    double real;
    const uint8_t *bytes;
    size_t size;
};

static struct value
integer(int64_t value)
{
    return (struct value){.kind = INTEGER, .integer = value};
}

static struct value
real(double value)
{
    return (struct value){.kind = REAL, .real = value};
}

static struct value
bytes(const void *data, size_t size)
{
    return (struct value){.kind = BYTES, .bytes = data, .size = size};
}

static bool
is_absent(const ProtobufCFieldDescriptor *field, const char *record)
{
    const void *quantifier = record + field->quantifier_offset;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)quantifier != field->id;
    if (field->label != PROTOBUF_C_LABEL_OPTIONAL)
        return false;
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
        return !*(void *const *)(const void *)(record + field->offset);
    return !*(const protobuf_c_boolean *)quantifier;
}

static struct value
value_of(const struct varve_column *column, const char *record)
{
    const ProtobufCFieldDescriptor *field = column->field;
    const void *member = record + field->offset;
    if (is_absent(field, record))
        return (struct value){.kind = NOTHING};
    if (column->kind != VARVE_COLUMN_SCALAR)
        return integer(0); /* only whether it is there is asked */
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
        return integer(*(const uint32_t *)member);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return integer(*(const int64_t *)member);
    case PROTOBUF_C_TYPE_FLOAT:
        return real((double)*(const float *)member);
    case PROTOBUF_C_TYPE_DOUBLE:
        return real(*(const double *)member);
    case PROTOBUF_C_TYPE_STRING:
        return bytes(*(char *const *)member, strlen(*(char *const *)member));
    case PROTOBUF_C_TYPE_BYTES:
        return bytes(
            ((const struct varve_bytes *)member)->data, ((const struct varve_bytes *)member)->size);
    default:
        return integer(*(const int32_t *)member);
    }
}

/* The operand of a condition on this field: a value, or one of a list. */
static struct value
operand_value(ProtobufCType type, const void *at)
{
    switch (type) {
    case PROTOBUF_C_TYPE_BOOL:
        return integer(*(const bool *)at);
    case PROTOBUF_C_TYPE_ENUM:
        return integer(*(const int *)at);
    case PROTOBUF_C_TYPE_FLOAT:
        return real((double)*(const float *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return real(*(const double *)at);
    case PROTOBUF_C_TYPE_STRING:
        return bytes(*(char *const *)at, strlen(*(char *const *)at));
    case PROTOBUF_C_TYPE_BYTES:
        return bytes(
            ((const struct varve_bytes *)at)->data, ((const struct varve_bytes *)at)->size);
    default:
        return integer(*(const int64_t *)at);
    }
}

size_t
model_operand_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(bool);
    case PROTOBUF_C_TYPE_ENUM:
        return sizeof(int);
    case PROTOBUF_C_TYPE_FLOAT:
        return sizeof(float);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(struct varve_bytes);
    default:
        return 8;
    }
}

/* Negative, 0, positive. Nothing is below everything, as in ORDER BY. */
static int
compare(struct value a, struct value b)
{
    if (a.kind == NOTHING || b.kind == NOTHING)
        return (a.kind != NOTHING) - (b.kind != NOTHING);
    if (a.kind == INTEGER)
        return (a.integer > b.integer) - (a.integer < b.integer);
    if (a.kind == REAL)
        return (a.real > b.real) - (a.real < b.real);
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared > 0 ? memcmp(a.bytes, b.bytes, shared) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* -------------------------------------------------------------------- conditions */

static uint8_t
lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

/* LIKE with its wildcards, all of text against all of pattern. */
static bool
is_like(const uint8_t *text, const uint8_t *pattern)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '%')
        return is_like(text, pattern + 1) || (*text != '\0' && is_like(text + 1, pattern));
    if (*text == '\0')
        return false;
    if (*pattern == '_') {
        do
            text++;
        while ((*text & 0xC0) == 0x80);
        return is_like(text, pattern + 1);
    }
    if (*pattern == '\\' && *++pattern == '\0')
        return false;
    return lower(*text) == lower(*pattern) && is_like(text + 1, pattern + 1);
}

static bool
is_in(ProtobufCType type, struct value value, const struct varve_condition *condition)
{
    const char *values = condition->value.values;
    for (int64_t i = 0; i < condition->count; i++) {
        if (compare(value, operand_value(type, values + (size_t)i * model_operand_size(type))) == 0)
            return true;
    }
    return false;
}

static bool
begins_with(struct value value, struct value prefix)
{
    return value.size >= prefix.size &&
           (prefix.size == 0 || memcmp(value.bytes, prefix.bytes, prefix.size) == 0);
}

static bool
holds(ProtobufCType type, struct value value, const struct varve_condition *condition)
{
    if (condition->op == VARVE_ANY)
        return true;
    if (condition->op == VARVE_IS_NULL)
        return value.kind == NOTHING;
    if (value.kind == NOTHING || condition->op == VARVE_IS_NOT_NULL)
        return value.kind != NOTHING;
    if (condition->op == VARVE_IN)
        return is_in(type, value, condition);
    struct value operand = operand_value(type, &condition->value);
    int order = compare(value, operand);
    switch (condition->op) {
    case VARVE_EQUALS:
        return order == 0;
    case VARVE_NOT_EQUALS:
        return order != 0;
    case VARVE_LESS_THAN:
        return order < 0;
    case VARVE_AT_MOST:
        return order <= 0;
    case VARVE_GREATER_THAN:
        return order > 0;
    case VARVE_AT_LEAST:
        return order >= 0;
    case VARVE_BETWEEN:
        return order >= 0 && compare(value, operand_value(type, &condition->high)) <= 0;
    case VARVE_PREFIX:
        return begins_with(value, operand);
    default:
        return is_like(value.bytes, operand.bytes);
    }
}

/* -------------------------------------------------------------------- filters */

struct varve_condition *
filter_conditions(void *filter)
{
    return filter;
}

struct varve_filter_tail *
filter_tail(const struct varve_record *table, void *filter)
{
    return (void *)((char *)filter + table->table->conditions_size);
}

size_t
filter_size(const struct varve_record *table)
{
    return table->table->conditions_size + sizeof(struct varve_filter_tail);
}

const void *
model_record(const struct model *model, size_t index)
{
    return model->records + index * model->table->descriptor->sizeof_message;
}

static const struct varve_column *
column_numbered(const struct varve_record *table, int number)
{
    const struct varve_column *column = table->columns;
    while (column->field->id != (uint32_t)number)
        column++;
    return column;
}

static int
compare_keys(const struct varve_record *table, const void *a, const void *b)
{
    int order = 0;
    for (size_t i = 0; i < table->table->primary_key_count && order == 0; i++) {
        const struct varve_column *column = &table->columns[table->table->primary_key[i]];
        order = compare(value_of(column, a), value_of(column, b));
    }
    return order;
}

bool
model_same_key(const struct model *model, const void *a, const void *b)
{
    return compare_keys(model->table, a, b) == 0;
}

static int
compare_records(
    const struct varve_record *table,
    const struct varve_filter_tail *tail,
    const void *a,
    const void *b)
{
    int order = 0;
    if (tail->order_by != 0) {
        const struct varve_column *column = column_numbered(table, tail->order_by);
        order = compare(value_of(column, a), value_of(column, b));
    }
    if (order == 0)
        order = compare_keys(table, a, b);
    return tail->descending ? -order : order;
}

static bool
is_found(const struct model *model, void *filter, const void *record)
{
    const struct varve_record *table = model->table;
    const struct varve_filter_tail *tail = filter_tail(table, filter);
    const struct varve_condition *condition = filter_conditions(filter);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        if (column->kind == VARVE_COLUMN_TENSOR)
            continue;
        if (!holds(column->field->type, value_of(column, record), condition++))
            return false;
    }
    return !tail->after || compare_records(table, tail, record, tail->after) > 0;
}

size_t
model_find(const struct model *model, void *filter, size_t *found)
{
    const struct varve_filter_tail *tail = filter_tail(model->table, filter);
    size_t count = 0;
    for (size_t i = 0; i < model->count; i++) {
        const void *record = model_record(model, i);
        if (!is_found(model, filter, record))
            continue;
        size_t at = count++; /* sorted by insertion */
        for (; at > 0; at--) {
            const void *before = model_record(model, found[at - 1]);
            if (compare_records(model->table, tail, before, record) < 0)
                break;
            found[at] = found[at - 1];
        }
        found[at] = i;
    }
    size_t skipped = (size_t)tail->offset < count ? (size_t)tail->offset : count;
    count -= skipped;
    memmove(found, found + skipped, count * sizeof *found);
    return tail->limit > 0 && (size_t)tail->limit < count ? (size_t)tail->limit : count;
}
