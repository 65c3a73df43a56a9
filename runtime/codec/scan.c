/* The scan itself: one pass over the bytes, no allocation, depth bounded. A failure is noted as a
 * problem and a place; the path is built while returning, and the sentence at the end. */
#include "codec/scan.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "codec/path.h"
#include "codec/wire.h"

enum problem {
    PROBLEM_TAG,
    PROBLEM_GROUP,
    PROBLEM_WIRE_TYPE,
    PROBLEM_MISMATCH,
    PROBLEM_VARINT,
    PROBLEM_CUT,
    PROBLEM_PACKED,
    PROBLEM_UTF8,
    PROBLEM_DEPTH,
};

struct scan {
    const uint8_t *data;
    size_t memory; /* sum of what the reader will allocate */
    enum problem problem;
    const uint8_t *bad; /* the byte at fault */
    unsigned wire_type; /* that was found */
    struct varve__path path;
};

static const uint8_t *
scan_message(
    struct scan *scan,
    const ProtobufCMessageDescriptor *message,
    const uint8_t *at,
    const uint8_t *end,
    unsigned depth);

static const uint8_t *
fail(struct scan *scan, enum problem problem, const uint8_t *bad)
{
    scan->problem = problem;
    scan->bad = bad;
    return NULL;
}

/* Steps over a length; *end is the end of what it measures. */
static inline const uint8_t *
scan_length(struct scan *scan, const uint8_t *at, const uint8_t **end)
{
    uint32_t size;
    const uint8_t *content = varve__short_varint_read(at, *end, &size);
    if (!content || size > (size_t)(*end - content))
        return fail(scan, PROBLEM_CUT, at);
    *end = content + size;
    return content;
}

/* A field that the schema does not know: kept as it is. */
static const uint8_t *
scan_unknown(struct scan *scan, unsigned wire_type, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *after = varve__value_skip(wire_type, at, end);
    if (!after) {
        switch (wire_type) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            return fail(scan, PROBLEM_VARINT, at);
        case PROTOBUF_C_WIRE_TYPE_64BIT:
        case PROTOBUF_C_WIRE_TYPE_32BIT:
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
            return fail(scan, PROBLEM_CUT, at);
        default:
            return fail(scan, wire_type < 5 ? PROBLEM_GROUP : PROBLEM_WIRE_TYPE, at - 1);
        }
    }
    /* The array of unknown fields doubles, so with its copies it takes up to four times its final
     * size. */
    scan->memory += 4 * sizeof(ProtobufCMessageUnknownField) + sizeof(size_t) +
                    varve__arena_round((size_t)(after - at));
    return after;
}

static const uint8_t *
scan_text(struct scan *scan, const uint8_t *at, const uint8_t *end)
{
    size_t size = (size_t)(end - at);
    size_t bad = varve__utf8_check((const char *)at, size);
    if (bad < size)
        return fail(scan, PROBLEM_UTF8, at + bad);
    scan->memory += varve__arena_round(size + 1);
    return end;
}

/* Numbers one after the other under one length. */
static const uint8_t *
scan_packed(struct scan *scan, ProtobufCType type, const uint8_t *at, const uint8_t *end)
{
    size_t count = 0;
    size_t size = (size_t)(end - at);
    if (varve__wire_type(type) == PROTOBUF_C_WIRE_TYPE_VARINT) {
        while (at < end) {
            const uint8_t *after = varve__varint_skip(at, end);
            if (!after)
                return fail(scan, PROBLEM_VARINT, at);
            at = after;
            count++;
        }
    } else {
        count = size / varve__element_size(type);
        if (size % varve__element_size(type) != 0)
            return fail(scan, PROBLEM_PACKED, at);
    }
    scan->memory += varve__arena_round(count * varve__element_size(type)) + sizeof(size_t);
    return end;
}

static const uint8_t *
scan_prefixed(
    struct scan *scan,
    const ProtobufCFieldDescriptor *field,
    const uint8_t *at,
    const uint8_t *end,
    unsigned depth)
{
    at = scan_length(scan, at, &end);
    if (!at)
        return NULL;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return scan_text(scan, at, end);
    case PROTOBUF_C_TYPE_BYTES:
        scan->memory += varve__arena_round((size_t)(end - at));
        return end;
    case PROTOBUF_C_TYPE_MESSAGE:
        if (depth == VARVE__DEPTH_MAX)
            return fail(scan, PROBLEM_DEPTH, at);
        return scan_message(scan, field->descriptor, at, end, depth + 1);
    default:
        return scan_packed(scan, field->type, at, end);
    }
}

static inline const uint8_t *
scan_value(
    struct scan *scan,
    const ProtobufCFieldDescriptor *field,
    unsigned wire_type,
    const uint8_t *at,
    const uint8_t *end,
    unsigned depth)
{
    bool repeated = varve__is_repeated(field);
    bool prefixed = wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    if (wire_type != varve__wire_type(field->type) && !(prefixed && repeated)) {
        scan->wire_type = wire_type;
        return fail(scan, PROBLEM_MISMATCH, at - 1);
    }
    if (prefixed)
        return scan_prefixed(scan, field, at, end, depth);
    if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
        const uint8_t *after = varve__varint_skip(at, end);
        return after ? after : fail(scan, PROBLEM_VARINT, at);
    }
    size_t size = wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;
    return (size_t)(end - at) >= size ? at + size : fail(scan, PROBLEM_CUT, at);
}

/* What an element takes in its array; the first of a run brings the array's capacity word. */
static inline size_t
element_memory(const ProtobufCFieldDescriptor *field, bool follows)
{
    return varve__element_size(field->type) +
           (follows ? 0 : sizeof(size_t) + VARVE__ARENA_ALIGNMENT);
}

/* Which element of a repeated field the one at `stop` is: counted only after a failure. */
static size_t
element_index(
    const ProtobufCFieldDescriptor *field,
    const ProtobufCMessageDescriptor *message,
    const uint8_t *at,
    const uint8_t *stop)
{
    struct scan scan = {.data = at};
    size_t index = 0;
    unsigned hint = 0;
    if (!varve__is_repeated(field) || varve__is_number(field->type))
        return VARVE__NO_INDEX;
    while (at < stop) {
        uint32_t tag = 0;
        at = varve__short_varint_read(at, stop, &tag);
        index += varve__field_find(message, tag >> 3, &hint) == field;
        at = scan_unknown(&scan, tag & 7, at, stop);
    }
    return index;
}

static const uint8_t *
scan_message(
    struct scan *scan,
    const ProtobufCMessageDescriptor *message,
    const uint8_t *at,
    const uint8_t *end,
    unsigned depth)
{
    const uint8_t *start = at;
    unsigned hint = 0;
    uint32_t last_tag = 0;
    scan->memory += varve__arena_round(message->sizeof_message);
    while (at < end) {
        const uint8_t *field_at = at;
        uint32_t tag;
        at = varve__short_varint_read(at, end, &tag);
        if (!at || tag < 8)
            return fail(scan, PROBLEM_TAG, field_at);
        const ProtobufCFieldDescriptor *field = varve__field_find(message, tag >> 3, &hint);
        if (!field) {
            at = scan_unknown(scan, tag & 7, at, end);
        } else {
            if (varve__is_repeated(field))
                scan->memory += element_memory(field, tag == last_tag);
            at = scan_value(scan, field, tag & 7, at, end, depth);
        }
        last_tag = tag;
        if (!at) {
            if (field)
                varve__path_add(&scan->path, field, element_index(field, message, start, field_at));
            return NULL;
        }
    }
    return end;
}

static const char *
wire_name(unsigned wire_type)
{
    static const char *const names[] = {
        "a varint", "64 bits", "bytes with a length", "a group", "a group", "32 bits",
    };
    return wire_type < sizeof names / sizeof names[0] ? names[wire_type] : "an unknown wire type";
}

#define DAMAGED "; the bytes are damaged, or no such message"

static enum varve_status
fail_scan(const struct scan *scan, const struct varve_record *table)
{
    static const char *const texts[] = {
        [PROBLEM_TAG] = "has no valid tag at byte %zu" DAMAGED,
        [PROBLEM_GROUP] = "has a group at byte %zu; proto3 has none, make it a message",
        [PROBLEM_WIRE_TYPE] = "has an unknown wire type at byte %zu" DAMAGED,
        [PROBLEM_VARINT] = "has a number that is cut or too long at byte %zu" DAMAGED,
        [PROBLEM_CUT] = "goes beyond the end of the data at byte %zu" DAMAGED,
        [PROBLEM_PACKED] = "holds no whole number of elements at byte %zu" DAMAGED,
        [PROBLEM_UTF8] = "is no UTF-8 or holds a NUL (byte %zu of the data); mend the sender, or "
                         "make the field bytes",
    };
    size_t byte = (size_t)(scan->bad - scan->data);
    if (scan->problem == PROBLEM_MISMATCH)
        return varve__path_fail(
            &scan->path, table, VARVE_FAILURE_WIRE,
            "is sent as %s (byte %zu), but its type needs %s; sender and reader have different "
            "schemas",
            wire_name(scan->wire_type), byte,
            wire_name(varve__wire_type(scan->path.steps[0].field->type)));
    if (scan->problem == PROBLEM_DEPTH)
        return varve__path_fail(
            &scan->path, table, VARVE_FAILURE_DEPTH,
            "is nested more than %d levels deep (byte %zu)" DAMAGED, VARVE__DEPTH_MAX, byte);
    return varve__path_fail(
        &scan->path, table, scan->problem == PROBLEM_UTF8 ? VARVE_FAILURE_UTF8 : VARVE_FAILURE_WIRE,
        texts[scan->problem], byte);
}

enum varve_status
varve__wire_scan(const struct varve_record *table, const uint8_t *data, size_t size, size_t *memory)
{
    struct scan scan;
    scan.data = data;
    scan.memory = 0;
    scan.path.count = 0; /* the rest is written by a failure before it is read */
    if (size > VARVE__WIRE_MAX)
        return varve__path_fail(
            &scan.path, table, VARVE_FAILURE_SIZE,
            "cannot have %zu bytes; messages stay below 2 GiB", size);
    if (size > 0 && !scan_message(&scan, table->descriptor, data, data + size, 0))
        return fail_scan(&scan, table);
    if (size == 0)
        scan.memory = varve__arena_round(table->descriptor->sizeof_message);
    *memory = scan.memory;
    return VARVE_OK;
}
