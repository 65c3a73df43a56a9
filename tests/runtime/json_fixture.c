/* The schema of one JSON column, its record, and calls of the codec on them. */
#include "json_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct varve__arena *arena;
struct schema schema;
struct sample sample;

void
fresh_arena(void)
{
    varve__arena_release(arena);
    arena = varve__arena_create(16384);
}

int
json_begin(void **state)
{
    (void)state;
    arena = varve__arena_create(16384);
    return arena ? 0 : -1;
}

int
json_end(void **state)
{
    (void)state;
    varve__arena_release(arena);
    return 0;
}

void
use(int key_type, ProtobufCType type)
{
    bool map = key_type != NO_KEY;
    memset(&schema, 0, sizeof schema);
    schema.descriptor.name = "lab.Sample";
    schema.field.name = "things";
    schema.field.id = 7;
    schema.field.label = PROTOBUF_C_LABEL_REPEATED;
    schema.field.type = map ? PROTOBUF_C_TYPE_MESSAGE : type;
    schema.field.offset = offsetof(struct sample, list.data);
    schema.field.quantifier_offset = offsetof(struct sample, list.count);
    schema.column.field = &schema.field;
    schema.column.kind = VARVE_COLUMN_JSON;
    schema.record.descriptor = &schema.descriptor;
    schema.record.columns = &schema.column;
    schema.record.column_count = 1;
    sample = (struct sample){.base = {.descriptor = &schema.descriptor}};
    if (!map)
        return;
    schema.column.flags = VARVE_MAP;
    schema.column.record = &schema.entry_record;
    schema.entry_record.descriptor = &schema.entry_descriptor;
    schema.entry_record.initial = &schema.entry_initial;
    schema.entry_descriptor.name = "lab.Sample.ThingsEntry";
    schema.entry_descriptor.sizeof_message = sizeof(struct entry);
    schema.entry_descriptor.fields = schema.entry_fields;
    schema.entry_fields[0].id = 1;
    schema.entry_fields[0].type = (ProtobufCType)key_type;
    schema.entry_fields[0].offset = offsetof(struct entry, key);
    schema.entry_fields[1].id = 2;
    schema.entry_fields[1].type = type;
    schema.entry_fields[1].offset = offsetof(struct entry, value);
    schema.entry_initial.base.descriptor = &schema.entry_descriptor;
}

void
use_shape(enum shape shape)
{
    static const struct {
        int key;
        ProtobufCType type;
    } shapes[] = {
        [INTS] = {NO_KEY, PROTOBUF_C_TYPE_INT32},
        [BIGS] = {NO_KEY, PROTOBUF_C_TYPE_INT64},
        [DOUBLES] = {NO_KEY, PROTOBUF_C_TYPE_DOUBLE},
        [BOOLS] = {NO_KEY, PROTOBUF_C_TYPE_BOOL},
        [STRINGS] = {NO_KEY, PROTOBUF_C_TYPE_STRING},
        [TEXTS] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING},
        [BY_INT] = {PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_INT32},
        [BY_BOOL] = {PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_TYPE_INT32},
    };
    use(shapes[shape].key, shapes[shape].type);
}

void
set_element(const union scalar *value)
{
    sample.list = (struct varve__list){1, varve__arena_allocate(arena, sizeof *value)};
    memcpy(sample.list.data, value, sizeof *value);
}

struct entry *
add_entry(void)
{
    struct entry **entries =
        varve__arena_allocate(arena, (sample.list.count + 1) * sizeof *entries);
    struct entry *entry = varve__arena_allocate(arena, sizeof *entry);
    if (sample.list.count > 0)
        memcpy(entries, sample.list.data, sample.list.count * sizeof *entries);
    *entry = schema.entry_initial;
    entries[sample.list.count++] = entry;
    sample.list.data = entries;
    return entry;
}

struct entry *
entry_at(size_t index)
{
    assert_true(index < sample.list.count);
    return ((struct entry **)sample.list.data)[index];
}

const char *
string_at(size_t index)
{
    assert_true(index < sample.list.count);
    return ((const char **)sample.list.data)[index];
}

const char *
encode(void)
{
    const char *text;
    size_t size;
    enum varve_status status =
        varve__json_encode(&schema.record, &schema.column, &sample, arena, &text, &size);
    if (status != VARVE_OK)
        fail_msg("%s", varve__thread_error());
    char *copy = varve__arena_allocate(arena, size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

enum varve_status
decode_bytes(const char *text, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, text, size);
    enum varve_status status =
        varve__json_decode(&schema.record, &schema.column, copy, size, arena, &sample);
    free(copy);
    return status;
}

void
decode(const char *text)
{
    if (decode_bytes(text, strlen(text)) != VARVE_OK)
        fail_msg("%s: %s", text, varve__thread_error());
}

void
assert_refused(const char *text, const char *sentence)
{
    if (decode_bytes(text, strlen(text)) != VARVE_TYPE)
        fail_msg("%s was read", text);
    if (!strstr(varve__thread_error(), sentence))
        fail_msg("%s: no \"%s\" in: %s", text, sentence, varve__thread_error());
}

uint64_t
random_bits(void)
{
    static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545F4914F6CDD1D);
}
