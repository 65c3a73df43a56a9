/* Keys of maps: order, and what happens to repeated ones. */
#include "codec/map.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum {
    FEW = 16 /* up to here every key is compared with every other */
};

#define COMPARE(type)                                                                              \
    (*(const type *)left > *(const type *)right) - (*(const type *)left < *(const type *)right)

int
varve__key_compare(const ProtobufCFieldDescriptor *key, const void *a, const void *b)
{
    const void *left = varve__member(a, key->offset);
    const void *right = varve__member(b, key->offset);
    switch (key->type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *left_text = *(const char *const *)left;
        const char *right_text = *(const char *const *)right;
        return strcmp(left_text ? left_text : "", right_text ? right_text : "");
    }
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return COMPARE(int64_t);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return COMPARE(uint64_t);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return COMPARE(uint32_t);
    case PROTOBUF_C_TYPE_BOOL:
        return (*(const protobuf_c_boolean *)left != 0) - (*(const protobuf_c_boolean *)right != 0);
    default:
        return COMPARE(int32_t);
    }
}

static bool
before(
    const ProtobufCFieldDescriptor *key, const struct varve__entry *a, const struct varve__entry *b)
{
    int order = varve__key_compare(key, a->entry, b->entry);
    return order < 0 || (order == 0 && a->place < b->place);
}

/* Lets the entry at `root` sink until no child of it in [0, count) comes later. */
static void
sift(const ProtobufCFieldDescriptor *key, struct varve__entry *entries, size_t root, size_t count)
{
    struct varve__entry sinking = entries[root];
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            break;
        if (child + 1 < count && before(key, &entries[child], &entries[child + 1]))
            child++;
        if (!before(key, &sinking, &entries[child]))
            break;
        entries[root] = entries[child];
        root = child;
    }
    entries[root] = sinking;
}

/* A heap sort: it needs no memory, and no input makes it slow. */
void
varve__entries_sort(const ProtobufCFieldDescriptor *key, struct varve__entry *entries, size_t count)
{
    for (size_t root = count / 2; root > 0; root--)
        sift(key, entries, root - 1, count);
    for (size_t left = count; left > 1; left--) {
        struct varve__entry last = entries[0];
        entries[0] = entries[left - 1];
        entries[left - 1] = last;
        sift(key, entries, 0, left - 1);
    }
}

static size_t
close_gaps(void **entries, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i])
            entries[kept++] = entries[i];
    }
    return kept;
}

static size_t
unique_few(const ProtobufCFieldDescriptor *key, void **entries, size_t count)
{
    bool repeated = false;
    for (size_t late = 1; late < count; late++) {
        for (size_t early = 0; early < late; early++) {
            if (entries[early] && varve__key_compare(key, entries[early], entries[late]) == 0) {
                entries[early] = NULL;
                repeated = true;
            }
        }
    }
    return repeated ? close_gaps(entries, count) : count;
}

static bool
is_ascending(const ProtobufCFieldDescriptor *key, void *const *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (varve__key_compare(key, entries[i - 1], entries[i]) >= 0)
            return false;
    }
    return true;
}

static enum varve_status
unique_many(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *key,
    void **entries,
    size_t *count)
{
    size_t size = SIZE_MAX;
    struct varve__entry *sorted = NULL;
    if (varve__size_multiply(*count, sizeof *sorted, &size))
        sorted = varve__allocate(size);
    if (!sorted)
        return varve__fail_memory(table->descriptor->name, size);
    for (size_t i = 0; i < *count; i++)
        sorted[i] = (struct varve__entry){entries[i], i};
    varve__entries_sort(key, sorted, *count);
    for (size_t i = 0; i + 1 < *count; i++) {
        if (varve__key_compare(key, sorted[i].entry, sorted[i + 1].entry) == 0)
            entries[sorted[i].place] = NULL;
    }
    *count = close_gaps(entries, *count);
    varve__release(sorted);
    return VARVE_OK;
}

enum varve_status
varve__entries_unique(
    const struct varve_record *table,
    const struct varve_column *column,
    void **entries,
    size_t *count)
{
    const ProtobufCFieldDescriptor *key = varve__entry_key(column->record);
    if (*count <= FEW)
        *count = unique_few(key, entries, *count);
    else if (!is_ascending(key, entries, *count))
        return unique_many(table, key, entries, count);
    return VARVE_OK;
}

enum varve_status
varve__entries_last(
    const struct varve_record *table,
    const struct varve_column *column,
    const struct varve__list *map,
    struct varve__arena *arena,
    struct varve__list *last)
{
    size_t size = map->count * sizeof(void *); /* the array is of this size already */
    *last = *map;
    if (map->count < 2)
        return VARVE_OK;
    last->data = varve__arena_allocate(arena, size);
    if (!last->data) {
        *last = *map;
        return varve__fail_memory(table->descriptor->name, size);
    }
    memcpy(last->data, map->data, size);
    return varve__entries_unique(table, column, last->data, &last->count);
}

static enum varve_status
unique_in_field(const struct varve_record *table, const struct varve_column *column, void *record)
{
    enum varve_status status = VARVE_OK;
    void **single = varve__member_of(record, column->field->offset);
    void **messages = single;
    size_t count = *single != NULL;
    if (varve__is_repeated(column->field)) {
        size_t *list_count = varve__member_of(record, column->field->quantifier_offset);
        messages = *single;
        if (column->flags & VARVE_MAP)
            status = varve__entries_unique(table, column, messages, list_count);
        count = *list_count;
    } else if (varve__in_oneof(column->field) && !varve__is_chosen(record, column->field)) {
        return VARVE_OK;
    }
    if (!(column->record->flags & VARVE_RECORD_MAPS))
        return status;
    for (size_t i = 0; i < count && status == VARVE_OK; i++)
        status = varve__maps_unique(column->record, messages[i]);
    return status;
}

enum varve_status
varve__maps_unique(const struct varve_record *table, void *record)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < table->column_count && status == VARVE_OK; i++) {
        const struct varve_column *column = &table->columns[i];
        if (column->record &&
            ((column->flags & VARVE_MAP) || (column->record->flags & VARVE_RECORD_MAPS)))
            status = unique_in_field(table, column, record);
    }
    return status;
}
