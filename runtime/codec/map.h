/* Maps are repeated entry structs {base, key, value}; these functions know keys. */
#ifndef VARVE_CODEC_MAP_H
#define VARVE_CODEC_MAP_H

#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"
#include "codec/field.h"

/* An entry and its place in the map. */
struct varve__entry {
    const void *entry;
    size_t place;
};

/* The key's field, and the value's: an entry has fields 1 and 2. */
static inline const ProtobufCFieldDescriptor *
varve__entry_key(const struct varve_record *entry_table)
{
    return &entry_table->descriptor->fields[0];
}

/* Sorts by key, equal keys by place. */
void
varve__entries_sort(
    const ProtobufCFieldDescriptor *key, struct varve__entry *entries, size_t count);

/* Below, at or above 0 as key a is less than, equal to or greater than key b. */
int
varve__key_compare(const ProtobufCFieldDescriptor *key, const void *a, const void *b);

/* Drops all but the last entry of each key, in the column's array of pointers to entries; the
 * others keep their order. Fails without memory only. */
enum varve_status
varve__entries_unique(
    const struct varve_record *table,
    const struct varve_column *column,
    void **entries,
    size_t *count);

/* *last is the column's map without the entries whose key comes again. The map itself stays as it
 * is: *last has its array, or a copy of that in the arena, to be given back by
 * varve__entries_release() before anything else is. Fails without memory only. */
enum varve_status
varve__entries_last(
    const struct varve_record *table,
    const struct varve_column *column,
    const struct varve__list *map,
    struct varve__arena *arena,
    struct varve__list *last);

static inline void
varve__entries_release(
    struct varve__arena *arena, const struct varve__list *map, const struct varve__list *last)
{
    if (last->data != map->data)
        varve__arena_shrink(arena, last->data, map->count * sizeof(void *), 0);
}

/* What varve__entries_unique() does in every map of the record, and of those below it. */
enum varve_status
varve__maps_unique(const struct varve_record *table, void *record);

#endif
