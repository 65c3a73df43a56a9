/* check_registry() of check_tables.h: the generated tables against the embedded descriptor set, which
 * the generator writes on another way. */
#include "check_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "descriptor_set.h"

/* protobuf-c's words for google.protobuf.FieldDescriptorProto.Type, from 1. */
static const int wire_types[] = {
    -1,
    PROTOBUF_C_TYPE_DOUBLE,
    PROTOBUF_C_TYPE_FLOAT,
    PROTOBUF_C_TYPE_INT64,
    PROTOBUF_C_TYPE_UINT64,
    PROTOBUF_C_TYPE_INT32,
    PROTOBUF_C_TYPE_FIXED64,
    PROTOBUF_C_TYPE_FIXED32,
    PROTOBUF_C_TYPE_BOOL,
    PROTOBUF_C_TYPE_STRING,
    -1,
    PROTOBUF_C_TYPE_MESSAGE,
    PROTOBUF_C_TYPE_BYTES,
    PROTOBUF_C_TYPE_UINT32,
    PROTOBUF_C_TYPE_ENUM,
    PROTOBUF_C_TYPE_SFIXED32,
    PROTOBUF_C_TYPE_SFIXED64,
    PROTOBUF_C_TYPE_SINT32,
    PROTOBUF_C_TYPE_SINT64,
};

static void
compare_fields(const struct set_message *message, const ProtobufCMessageDescriptor *descriptor)
{
    enum {
        LABEL_REPEATED = 3
    };
    struct set_field field;
    unsigned count = 0;
    for (size_t position = 0; descriptor_set_next_field(message, &position, &field); count++) {
        const ProtobufCFieldDescriptor *found =
            protobuf_c_message_descriptor_get_field(descriptor, field.number);
        assert_non_null(found);
        assert_string_equal(found->name, field.name);
        assert_true(field.type < sizeof(wire_types) / sizeof(wire_types[0]));
        assert_int_equal(found->type, wire_types[field.type]);
        bool is_repeated = found->label == PROTOBUF_C_LABEL_REPEATED;
        assert_int_equal(is_repeated, field.label == LABEL_REPEATED);
    }
    assert_int_equal(count, descriptor->n_fields);
}

/* ------------------------------------------------------------------ tables */

/* What a walk over the fields of a message with a table has counted. */
struct table_walk {
    size_t keys;
    size_t uniques;
    size_t conditions;
};

static size_t
count_keys(const struct set_message *message)
{
    size_t count = 0;
    struct set_field field;
    for (size_t position = 0; descriptor_set_next_field(message, &position, &field);)
        count += field.is_primary_key;
    return count;
}

static void
compare_column(
    const struct varve_record *record,
    size_t i,
    const struct set_field *field,
    bool needs_index,
    struct table_walk *walk)
{
    const struct varve_table *table = record->table;
    const struct varve_column *column = &record->columns[i];
    assert_string_equal(column->field->name, field->name); /* in schema order */
    assert_int_equal(column->tensor != NULL, field->is_tensor);
    assert_int_equal((column->flags & VARVE_PRIMARY_KEY) != 0, field->is_primary_key);
    assert_int_equal((column->flags & VARVE_UNIQUE) != 0, needs_index);
    walk->conditions += !field->is_tensor;
    if (field->is_primary_key) {
        assert_true(walk->keys < table->primary_key_count);
        assert_int_equal(table->primary_key[walk->keys++], i);
    }
    if (needs_index) {
        assert_true(walk->uniques < table->unique_count);
        const struct varve_unique *unique = &table->uniques[walk->uniques++];
        assert_int_equal(unique->column_count, 1);
        assert_int_equal(unique->columns[0], i);
        assert_null(unique->where);
    }
}

static void
compare_unique(
    const struct varve_record *record,
    const struct varve_unique *unique,
    const struct set_index *index)
{
    assert_int_equal(unique->column_count, index->field_count);
    for (size_t i = 0; i < unique->column_count; i++) {
        assert_true(unique->columns[i] < record->column_count);
        const struct varve_column *column = &record->columns[unique->columns[i]];
        assert_int_equal(column->kind, VARVE_COLUMN_SCALAR);
        assert_string_equal(column->field->name, index->fields[i]);
    }
    if (index->where[0] == '\0')
        assert_null(unique->where);
    else
        assert_string_equal(unique->where, index->where);
}

/* Primary key, uniques and the size of the filter's conditions are what the options say. */
static void
compare_table(const struct set_message *message, const struct varve_record *record)
{
    assert_int_equal(record->table != NULL, descriptor_set_has_table(message));
    if (record->table == NULL)
        return;
    struct table_walk walk = {0};
    struct set_field field;
    size_t position = 0;
    bool is_composite = count_keys(message) > 1;
    for (size_t i = 0; descriptor_set_next_field(message, &position, &field); i++) {
        bool needs_index = field.is_unique && (is_composite || !field.is_primary_key);
        compare_column(record, i, &field, needs_index, &walk);
    }
    struct set_index index;
    for (position = 0; descriptor_set_next_index(message, &position, &index);) {
        if (!index.is_unique)
            continue;
        assert_true(walk.uniques < record->table->unique_count);
        compare_unique(record, &record->table->uniques[walk.uniques++], &index);
    }
    assert_int_equal(walk.keys, record->table->primary_key_count);
    assert_int_equal(walk.uniques, record->table->unique_count);
    assert_int_equal(
        record->table->conditions_size, walk.conditions * sizeof(struct varve_condition));
}

/* ------------------------------------------------------------------ cache */

/* Writes the template that the parts were made of: fields by name in braces. */
static void
join_parts(const struct varve_cache *cache, char *text, size_t room)
{
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; i < cache->part_count; i++) {
        const struct varve_key_part *part = &cache->parts[i];
        const char *field = part->field ? part->field->name : "";
        int length = snprintf(
            text + size, room - size, "%s%s%s%s%s%s", i > 0 ? ":" : "", part->before,
            part->field ? "{" : "", field, part->field ? "}" : "", part->after);
        assert_true(length > 0 && (size_t)length < room - size);
        size += (size_t)length;
    }
}

static void
compare_key(const struct set_cache *option, const struct varve_cache *cache)
{
    char joined[512];
    join_parts(cache, joined, sizeof(joined));
    assert_string_equal(joined, option->key);
    assert_string_equal(cache->key, option->key);
    for (size_t i = 0; i < cache->part_count; i++) {
        const ProtobufCFieldDescriptor *field = cache->parts[i].field;
        bool is_tag = field != NULL && strcmp(field->name, option->hash_tag) == 0;
        assert_int_equal(cache->parts[i].hash_tag, is_tag);
    }
}

/* The parts join to the template, and the rest is what the options say. */
static void
compare_cache(const struct set_message *message, const struct varve_record *record)
{
    static const enum varve_cache_compression compressions[] = {
        VARVE_CACHE_ZSTD, VARVE_CACHE_LZ4, VARVE_CACHE_DEFLATE, VARVE_CACHE_NONE};
    static const enum varve_cache_mode modes[] = {0, VARVE_CACHE_ONLY, VARVE_CACHE_READ_THROUGH};
    struct set_cache option;
    bool is_cached = descriptor_set_cache(message, &option);
    assert_int_equal(record->cache != NULL, is_cached);
    if (!is_cached)
        return;
    const struct varve_cache *cache = record->cache;
    compare_key(&option, cache);
    assert_true(option.compression < 4 && option.mode < 3);
    assert_int_equal(cache->compression, compressions[option.compression]);
    if (option.mode == 0)
        option.mode = record->table != NULL ? 2 : 1;
    assert_int_equal(cache->mode, modes[option.mode]);
    assert_int_equal(cache->ttl_seconds, option.ttl_seconds);
    assert_int_equal(cache->compress_above_bytes, option.compress_above_bytes);
    assert_string_equal(cache->index_by ? cache->index_by->name : "", option.index_by);
}

/* ------------------------------------------------------------------ registry */

struct registry_walk {
    const struct varve_schema *schema;
    size_t found;
};

static void
find_in_registry(const struct set_message *message, void *context)
{
    struct registry_walk *walk = context;
    const struct varve_record *found = NULL;
    for (size_t i = 0; i < walk->schema->record_count; i++) {
        const struct varve_record *candidate = walk->schema->records[i];
        if (strcmp(candidate->descriptor->name, message->full_name) == 0) {
            assert_null(found);
            found = candidate;
        }
    }
    if (message->is_map_entry) {
        assert_null(found);
        return;
    }
    if (found == NULL)
        fail_msg("the registry has no %s", message->full_name);
    assert_string_equal(found->descriptor->package_name, walk->schema->package);
    compare_fields(message, found->descriptor);
    compare_table(message, found);
    compare_cache(message, found);
    walk->found++;
}

void
check_registry(const struct varve_schema *schema)
{
    assert_int_equal(schema->abi, VARVE_ABI);
    struct wire set = {.data = schema->descriptor_set, .size = schema->descriptor_set_size};
    struct registry_walk walk = {.schema = schema};
    descriptor_set_messages(set, schema->package, find_in_registry, &walk);
    assert_int_equal(walk.found, schema->record_count);
}
