/* The reader. The bytes are known to be good, so that only memory can fail, and the lengths of
 * dtype tensors.
 *
 * It stands beside libprotobuf-c's own unpacking because that loses values: when a message field
 * comes in two parts, which the format allows, 1.4.1 drops the numbers and unknown fields of the
 * first part and refuses messages with an empty oneof. Here the second part is read into the struct
 * of the first. Arrays have their capacity in the word before them, so that elements which come in
 * many runs cost no more than twice the memory.
 */
#include "codec/read.h"

#include "base/error.h"
#include "codec/map.h"
#include "codec/path.h"
#include "codec/scan.h"
#include "codec/wire.h"

static bool
read_message(
    struct varve__arena *arena, ProtobufCMessage *message, const uint8_t *at, const uint8_t *end);

/* Makes room for `more` elements behind the `count` that *data has. */
static bool
reserve(struct varve__arena *arena, void **data, size_t count, size_t more, size_t element_size)
{
    size_t capacity = *data ? ((const size_t *)*data)[-1] : 0;
    if (count + more <= capacity)
        return true;
    /* Twice as much for a second run: it is a sign that more will come. */
    capacity = count + more > 2 * capacity ? count + more : 2 * capacity;
    size_t *block = varve__arena_allocate(arena, sizeof *block + capacity * element_size);
    if (!block)
        return false;
    *block++ = capacity;
    if (count > 0)
        memcpy(block, *data, count * element_size);
    *data = block;
    return true;
}

static const uint8_t *
read_prefix(const uint8_t *at, const uint8_t *end, size_t *size)
{
    uint32_t length = 0;
    at = varve__short_varint_read(at, end, &length);
    *size = length;
    return at;
}

static int32_t
unzigzag32(uint32_t value)
{
    return (int32_t)((value >> 1) ^ (0 - (value & 1)));
}

static int64_t
unzigzag64(uint64_t value)
{
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

/* Reads one number into *member. */
static inline const uint8_t *
read_number(ProtobufCType type, const uint8_t *at, void *member)
{
    uint64_t value;
    unsigned wire_type = varve__wire_type(type);
    if (wire_type == PROTOBUF_C_WIRE_TYPE_64BIT) {
        memcpy(member, at, 8);
        return at + 8;
    }
    if (wire_type == PROTOBUF_C_WIRE_TYPE_32BIT) {
        memcpy(member, at, 4);
        return at + 4;
    }
    at = varve__varint_read(at, &value);
    switch (type) {
    case PROTOBUF_C_TYPE_SINT32:
        *(int32_t *)member = unzigzag32((uint32_t)value);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)member = value;
        break;
    case PROTOBUF_C_TYPE_SINT64:
        *(int64_t *)member = unzigzag64(value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)member = value != 0;
        break;
    default:
        *(uint32_t *)member = (uint32_t)value;
        break;
    }
    return at;
}

static bool
read_string(struct varve__arena *arena, const uint8_t *at, size_t size, char **member)
{
    char *text = varve__arena_allocate(arena, size + 1);
    if (!text)
        return false;
    memcpy(text, at, size);
    text[size] = '\0';
    *member = text;
    return true;
}

static bool
read_bytes(struct varve__arena *arena, const uint8_t *at, size_t size, struct varve_bytes *member)
{
    *member = (struct varve_bytes){.size = size};
    if (size == 0)
        return true;
    member->data = varve__arena_allocate(arena, size);
    if (!member->data)
        return false;
    memcpy(member->data, at, size);
    return true;
}

/* Makes a nested message empty: zeros and default values. Generated descriptors have no
 * message_init, and of a nested message the table with its initial struct is not at hand. */
static void
init_message(const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage *message)
{
    memset(message, 0, descriptor->sizeof_message);
    message->descriptor = descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (field->type == PROTOBUF_C_TYPE_STRING && !varve__is_repeated(field) &&
            field->default_value)
            *(const void **)varve__member_of(message, field->offset) = field->default_value;
    }
}

static bool
read_submessage(
    struct varve__arena *arena,
    const ProtobufCMessageDescriptor *descriptor,
    const uint8_t *at,
    size_t size,
    ProtobufCMessage **member)
{
    if (!*member) {
        ProtobufCMessage *message = varve__arena_allocate(arena, descriptor->sizeof_message);
        if (!message)
            return false;
        init_message(descriptor, message);
        *member = message;
    }
    return read_message(arena, *member, at, at + size);
}

/* Reads one value, with its length where it has one. NULL when there is no memory. */
static inline const uint8_t *
read_value(
    struct varve__arena *arena,
    const ProtobufCFieldDescriptor *field,
    const uint8_t *at,
    const uint8_t *end,
    void *member)
{
    size_t size;
    bool done;
    if (varve__is_number(field->type))
        return read_number(field->type, at, member);
    at = read_prefix(at, end, &size);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        done = read_string(arena, at, size, member);
    else if (field->type == PROTOBUF_C_TYPE_BYTES)
        done = read_bytes(arena, at, size, member);
    else
        done = read_submessage(arena, field->descriptor, at, size, member);
    return done ? at + size : NULL;
}

static const uint8_t *
read_packed(
    struct varve__arena *arena,
    const ProtobufCFieldDescriptor *field,
    size_t *count,
    void **data,
    const uint8_t *at,
    const uint8_t *end)
{
    size_t size;
    size_t element_size = varve__element_size(field->type);
    at = read_prefix(at, end, &size);
    bool varints = varve__wire_type(field->type) == PROTOBUF_C_WIRE_TYPE_VARINT;
    size_t more = varints ? 0 : size / element_size;
    for (size_t i = 0; varints && i < size; i++)
        more += at[i] < 0x80;
    if (more == 0)
        return at + size;
    if (!reserve(arena, data, *count, more, element_size))
        return NULL;
    uint8_t *element = (uint8_t *)*data + *count * element_size;
    *count += more;
    if (!varints) {
        memcpy(element, at, size);
        return at + size;
    }
    for (; more > 0; more--, element += element_size)
        at = read_number(field->type, at, element);
    return at;
}

/* Whether the next field has the same tag, which took tag_size bytes before `at`. */
static inline bool
same_tag(const uint8_t *tag_at, size_t tag_size, const uint8_t *next, const uint8_t *end)
{
    return (size_t)(end - next) >= tag_size && memcmp(tag_at, next, tag_size) == 0;
}

/* Reads a repeated field and all elements that follow it directly. */
static const uint8_t *
read_repeated(
    struct varve__arena *arena,
    const ProtobufCFieldDescriptor *field,
    ProtobufCMessage *message,
    const uint8_t *tag_at,
    const uint8_t *at,
    const uint8_t *end)
{
    size_t *count = varve__member_of(message, field->quantifier_offset);
    void **data = varve__member_of(message, field->offset);
    unsigned wire_type = *tag_at & 7;
    size_t element_size = varve__element_size(field->type);
    size_t tag_size = (size_t)(at - tag_at);
    if (wire_type != varve__wire_type(field->type))
        return read_packed(arena, field, count, data, at, end);
    size_t run = 1;
    const uint8_t *next = varve__value_skip(wire_type, at, end);
    for (; same_tag(tag_at, tag_size, next, end); run++)
        next = varve__value_skip(wire_type, next + tag_size, end);
    if (!reserve(arena, data, *count, run, element_size))
        return NULL;
    uint8_t *element = (uint8_t *)*data + *count * element_size;
    memset(element, 0, run * element_size); /* a message is made where its element is NULL */
    for (; run > 0 && at; run--, element += element_size) {
        at = read_value(arena, field, at, end, element);
        if (run > 1 && at)
            at += tag_size;
        *count += 1;
    }
    return at;
}

static const uint8_t *
read_singular(
    struct varve__arena *arena,
    const ProtobufCFieldDescriptor *field,
    ProtobufCMessage *message,
    const uint8_t *at,
    const uint8_t *end)
{
    void *member = varve__member_of(message, field->offset);
    if (varve__in_oneof(field)) {
        uint32_t *chosen = varve__member_of(message, field->quantifier_offset);
        if (*chosen != field->id)
            memset(member, 0, varve__element_size(field->type));
        *chosen = field->id;
    } else if (field->quantifier_offset != 0) {
        *(protobuf_c_boolean *)varve__member_of(message, field->quantifier_offset) = 1;
    }
    return read_value(arena, field, at, end, member);
}

static const uint8_t *
read_unknown(
    struct varve__arena *arena,
    ProtobufCMessage *message,
    uint32_t tag,
    const uint8_t *at,
    const uint8_t *end)
{
    void *fields = message->unknown_fields;
    size_t size = (size_t)(varve__value_skip(tag & 7, at, end) - at);
    uint8_t *copy = varve__arena_allocate(arena, size);
    if (!copy ||
        !reserve(
            arena, &fields, message->n_unknown_fields, 1, sizeof(ProtobufCMessageUnknownField)))
        return NULL;
    memcpy(copy, at, size);
    message->unknown_fields = fields;
    message->unknown_fields[message->n_unknown_fields++] = (ProtobufCMessageUnknownField){
        .tag = tag >> 3,
        .wire_type = (ProtobufCWireType)(tag & 7),
        .len = size,
        .data = copy,
    };
    return at + size;
}

static bool
read_message(
    struct varve__arena *arena, ProtobufCMessage *message, const uint8_t *at, const uint8_t *end)
{
    unsigned hint = 0;
    while (at && at < end) {
        const uint8_t *tag_at = at;
        uint32_t tag = 0;
        at = varve__short_varint_read(at, end, &tag);
        const ProtobufCFieldDescriptor *field =
            varve__field_find(message->descriptor, tag >> 3, &hint);
        if (!field)
            at = read_unknown(arena, message, tag, at, end);
        else if (varve__is_repeated(field))
            at = read_repeated(arena, field, message, tag_at, at, end);
        else
            at = read_singular(arena, field, message, at, end);
    }
    return at != NULL;
}

/* Counts of dtype tensors: bytes on the wire, elements in memory. */
static enum varve_status
unscale(const struct varve_record *table, void *record)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        if (!column->tensor || column->field->type != PROTOBUF_C_TYPE_BYTES)
            continue;
        struct varve_bytes *bytes = varve__member_of(record, column->field->offset);
        size_t scale = varve__bytes_scale(column);
        if (bytes->size % scale != 0) {
            struct varve__path path = {.count = 0};
            varve__path_add(&path, column->field, VARVE__NO_INDEX);
            return varve__path_fail(
                &path, table, VARVE_FAILURE_WIRE,
                "has %zu bytes, which is no whole number of elements of %zu bytes; sender and "
                "reader have different schemas",
                bytes->size, scale);
        }
        bytes->size /= scale;
    }
    return VARVE_OK;
}

enum varve_status
varve__record_build(
    struct varve__arena *arena,
    const struct varve_record *table,
    const uint8_t *data,
    size_t size,
    void **record)
{
    enum varve_status status = VARVE_OK;
    size_t struct_size = table->descriptor->sizeof_message;
    *record = NULL;
    ProtobufCMessage *message = varve__arena_allocate(arena, struct_size);
    if (!message)
        return varve__fail_memory(table->descriptor->name, struct_size);
    memcpy(message, table->initial, struct_size);
    if (size > 0 && !read_message(arena, message, data, data + size))
        return varve__fail_memory(table->descriptor->name, size);
    if (table->flags & VARVE_RECORD_SCALED)
        status = unscale(table, message);
    if (status == VARVE_OK && (table->flags & VARVE_RECORD_MAPS))
        status = varve__maps_unique(table, message);
    if (status == VARVE_OK)
        *record = message;
    return status;
}

enum varve_status
varve__record_read(
    struct varve__arena *arena,
    const struct varve_record *table,
    const void *data,
    size_t size,
    void **record)
{
    size_t memory;
    enum varve_status status = varve__wire_scan(table, data, size, &memory);
    *record = NULL;
    if (status == VARVE_OK)
        status = varve__record_build(arena, table, data, size, record);
    return status;
}
