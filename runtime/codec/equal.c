/* Whether two records hold the same values. */
#include <string.h>

#include <varve/record.h>

#include "base/memory.h"
#include "codec/field.h"
#include "codec/map.h"

enum {
    FEW = 32 /* entries that are sorted on the stack */
};

static bool
equal_records(const struct varve_record *table, const void *a, const void *b, unsigned depth);

static bool
equal_bytes(const struct varve_bytes *a, const struct varve_bytes *b, size_t scale)
{
    if (a->size != b->size)
        return false;
    if (!a->data || !b->data) /* not loaded, or empty */
        return a->size == 0 || a->data == b->data;
    return a->size == 0 || memcmp(a->data, b->data, a->size * scale) == 0;
}

static bool
equal_strings(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* In a map's entry a message that is NULL is an empty one, since nothing on the wire differs. */
static bool
equal_messages(
    const struct varve_record *table, const void *a, const void *b, bool in_entry, unsigned depth)
{
    if (a == b)
        return true;
    if (in_entry)
        return equal_records(table, a ? a : table->initial, b ? b : table->initial, depth + 1);
    return a && b && equal_records(table, a, b, depth + 1);
}

/* One value of any type: a singular member or an element of an array. */
static bool
equal_values(
    const struct varve_column *column, const void *a, const void *b, bool in_entry, unsigned depth)
{
    switch (column->field->type) {
    case PROTOBUF_C_TYPE_FLOAT: {
        float left = *(const float *)a;
        float right = *(const float *)b;
        return left == right || (left != left && right != right);
    }
    case PROTOBUF_C_TYPE_DOUBLE: {
        double left = *(const double *)a;
        double right = *(const double *)b;
        return left == right || (left != left && right != right);
    }
    case PROTOBUF_C_TYPE_BOOL:
        return !*(const protobuf_c_boolean *)a == !*(const protobuf_c_boolean *)b;
    case PROTOBUF_C_TYPE_STRING:
        return equal_strings(*(const char *const *)a, *(const char *const *)b);
    case PROTOBUF_C_TYPE_BYTES:
        return equal_bytes(a, b, varve__bytes_scale(column));
    case PROTOBUF_C_TYPE_MESSAGE:
        return equal_messages(
            column->record, *(const void *const *)a, *(const void *const *)b, in_entry, depth);
    default:
        return memcmp(a, b, varve__element_size(column->field->type)) == 0;
    }
}

static bool
equal_lists(
    const struct varve_column *column,
    const struct varve__list *a,
    const struct varve__list *b,
    unsigned depth)
{
    size_t element_size = varve__element_size(column->field->type);
    for (size_t i = 0; i < a->count; i++) {
        const char *left = (const char *)a->data + i * element_size;
        const char *right = (const char *)b->data + i * element_size;
        if (!equal_values(column, left, right, false, depth))
            return false;
    }
    return true;
}

/* Sorts the entries by key and drops all but the last of each; how many are left. */
static size_t
sort_map(
    const ProtobufCFieldDescriptor *key, const struct varve__list *map, struct varve__entry *sorted)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = (struct varve__entry){((void **)map->data)[i], i};
    varve__entries_sort(key, sorted, map->count);
    for (size_t i = 0; i < map->count; i++) {
        if (i + 1 == map->count ||
            varve__key_compare(key, sorted[i].entry, sorted[i + 1].entry) != 0)
            sorted[kept++] = sorted[i];
    }
    return kept;
}

/* The last entry with the key that `entry` has. */
static const void *
find_entry(const ProtobufCFieldDescriptor *key, const struct varve__list *map, const void *entry)
{
    for (size_t i = map->count; i > 0; i--) {
        const void *found = ((void **)map->data)[i - 1];
        if (varve__key_compare(key, found, entry) == 0)
            return found;
    }
    return NULL;
}

/* Without memory to sort in: slow, but an answer. */
static bool
equal_maps_slowly(
    const struct varve_record *table,
    const struct varve__list *a,
    const struct varve__list *b,
    unsigned depth)
{
    const ProtobufCFieldDescriptor *key = varve__entry_key(table);
    for (size_t i = 0; i < a->count; i++) {
        const void *left = find_entry(key, a, ((void **)a->data)[i]);
        if (!equal_records(table, left, find_entry(key, b, left), depth + 1))
            return false;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (!find_entry(key, a, ((void **)b->data)[i]))
            return false;
    }
    return true;
}

/* Such a map cannot be packed; sorting would look into the entry. */
static bool
lacks_entry(const struct varve__list *map)
{
    for (size_t i = 0; i < map->count; i++) {
        if (!map->data || !((void **)map->data)[i])
            return true;
    }
    return false;
}

static bool
equal_maps(
    const struct varve_record *table,
    const struct varve__list *a,
    const struct varve__list *b,
    unsigned depth)
{
    struct varve__entry local[2 * FEW];
    struct varve__entry *sorted = local;
    const ProtobufCFieldDescriptor *key = varve__entry_key(table);
    if (a->count == b->count && (a->count == 0 || a->data == b->data))
        return true;
    if (lacks_entry(a) || lacks_entry(b))
        return false;
    if (a->count > FEW || b->count > FEW)
        sorted = varve__allocate((a->count + b->count) * sizeof *sorted);
    if (!sorted)
        return equal_maps_slowly(table, a, b, depth);
    size_t count = sort_map(key, a, sorted);
    bool equal = sort_map(key, b, sorted + a->count) == count;
    for (size_t i = 0; i < count && equal; i++)
        equal = equal_records(table, sorted[i].entry, sorted[a->count + i].entry, depth + 1);
    if (sorted != local)
        varve__release(sorted);
    return equal;
}

static bool
equal_columns(
    const struct varve_record *table,
    const struct varve_column *column,
    const void *a,
    const void *b,
    unsigned depth)
{
    const ProtobufCFieldDescriptor *field = column->field;
    if (varve__is_repeated(field)) {
        struct varve__list left = varve__list_at(a, field);
        struct varve__list right = varve__list_at(b, field);
        if (column->flags & VARVE_MAP)
            return equal_maps(column->record, &left, &right, depth);
        if (left.count != right.count)
            return false;
        if (left.count == 0 || left.data == right.data)
            return true;
        if (!left.data || !right.data)
            return false;
        return equal_lists(column, &left, &right, depth);
    }
    if (field->quantifier_offset != 0) {
        uint32_t left = *(const uint32_t *)varve__member(a, field->quantifier_offset);
        uint32_t right = *(const uint32_t *)varve__member(b, field->quantifier_offset);
        bool oneof = varve__in_oneof(field);
        if (oneof ? left != right : !left != !right)
            return false;
        if (oneof ? left != field->id : !left)
            return true;
    }
    return equal_values(
        column, varve__member(a, field->offset), varve__member(b, field->offset),
        (table->flags & VARVE_RECORD_MAP_ENTRY) != 0, depth);
}

static bool
equal_unknown(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    if (a->n_unknown_fields != b->n_unknown_fields)
        return false;
    for (unsigned i = 0; i < a->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *left = &a->unknown_fields[i];
        const ProtobufCMessageUnknownField *right = &b->unknown_fields[i];
        if (left->tag != right->tag || left->wire_type != right->wire_type ||
            !equal_bytes(
                &(struct varve_bytes){left->len, left->data},
                &(struct varve_bytes){right->len, right->data}, 1))
            return false;
    }
    return true;
}

static bool
equal_records(const struct varve_record *table, const void *a, const void *b, unsigned depth)
{
    /* A record this deep is a cycle or cannot be stored: it equals nothing. */
    if (depth > VARVE__DEPTH_MAX || !a || !b || !equal_unknown(a, b))
        return false;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!equal_columns(table, &table->columns[i], a, b, depth))
            return false;
    }
    return true;
}

bool
varve_record_equal(const struct varve_record *table, const void *a, const void *b)
{
    return a == b || equal_records(table, a, b, 0);
}
