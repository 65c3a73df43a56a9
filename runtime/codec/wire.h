/* Tags, varints and lengths of the protobuf wire format, and the search for a field by number. */
#ifndef VARVE_CODEC_WIRE_H
#define VARVE_CODEC_WIRE_H

#include <stdint.h>
#include <string.h>

#include <varve/types.h>

#include "codec/field.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "varve copies numbers between memory and wire as they are: it needs a little-endian machine"
#endif

enum {
    VARVE__VARINT_MAX = 10 /* bytes of the longest varint */
};

/* The bytes behind a varint, NULL when it is cut or too long. */
static inline const uint8_t *
varve__varint_skip(const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at < 0x80)
        return at + 1;
    const uint8_t *stop = end - at > VARVE__VARINT_MAX ? at + VARVE__VARINT_MAX : end;
    while (at < stop) {
        if (*at++ < 0x80)
            return at;
    }
    return NULL;
}

/* Reads a varint of which varve__varint_skip() has found the end. */
static inline const uint8_t *
varve__varint_read(const uint8_t *at, uint64_t *value)
{
    uint64_t byte = *at++;
    uint64_t result = byte & 0x7F;
    for (unsigned shift = 7; byte >= 0x80; shift += 7) {
        byte = *at++;
        result |= (byte & 0x7F) << shift;
    }
    *value = result;
    return at;
}

/* Reads a varint of at most 32 bits in at most 5 bytes: a tag or a length. NULL when it is none. */
static inline const uint8_t *
varve__short_varint_read(const uint8_t *at, const uint8_t *end, uint32_t *value)
{
    if (at < end && *at < 0x80) {
        *value = *at;
        return at + 1;
    }
    uint32_t result = 0;
    for (unsigned shift = 0; shift < 35 && at < end; shift += 7) {
        uint32_t byte = *at++;
        if (shift == 28 && byte > 0x0F)
            return NULL;
        result |= (byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = result;
            return at;
        }
    }
    return NULL;
}

/* The bytes behind a value of this wire type. NULL when it goes beyond the end, is a varint that is
 * too long, or is a group or of no wire type there is. */
static inline const uint8_t *
varve__value_skip(unsigned wire_type, const uint8_t *at, const uint8_t *end)
{
    uint32_t size;
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return varve__varint_skip(at, end);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        size = 8;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        size = 4;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        at = varve__short_varint_read(at, end, &size);
        break;
    default:
        return NULL;
    }
    return at && size <= (size_t)(end - at) ? at + size : NULL;
}

/* The wire type of a field's single value. */
static inline unsigned
varve__wire_type(ProtobufCType type)
{
    static const uint8_t types[] = {
        [PROTOBUF_C_TYPE_INT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
        [PROTOBUF_C_TYPE_SINT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
        [PROTOBUF_C_TYPE_SFIXED32] = PROTOBUF_C_WIRE_TYPE_32BIT,
        [PROTOBUF_C_TYPE_INT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
        [PROTOBUF_C_TYPE_SINT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
        [PROTOBUF_C_TYPE_SFIXED64] = PROTOBUF_C_WIRE_TYPE_64BIT,
        [PROTOBUF_C_TYPE_UINT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
        [PROTOBUF_C_TYPE_FIXED32] = PROTOBUF_C_WIRE_TYPE_32BIT,
        [PROTOBUF_C_TYPE_UINT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
        [PROTOBUF_C_TYPE_FIXED64] = PROTOBUF_C_WIRE_TYPE_64BIT,
        [PROTOBUF_C_TYPE_FLOAT] = PROTOBUF_C_WIRE_TYPE_32BIT,
        [PROTOBUF_C_TYPE_DOUBLE] = PROTOBUF_C_WIRE_TYPE_64BIT,
        [PROTOBUF_C_TYPE_BOOL] = PROTOBUF_C_WIRE_TYPE_VARINT,
        [PROTOBUF_C_TYPE_ENUM] = PROTOBUF_C_WIRE_TYPE_VARINT,
        [PROTOBUF_C_TYPE_STRING] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
        [PROTOBUF_C_TYPE_BYTES] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
        [PROTOBUF_C_TYPE_MESSAGE] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
    };
    return types[type];
}

/* The field with this number, NULL when the message has none. *hint remembers where the last one
 * was: writers send fields in order, so the next is usually the same or the one behind. */
static inline const ProtobufCFieldDescriptor *
varve__field_find(const ProtobufCMessageDescriptor *message, uint32_t number, unsigned *hint)
{
    for (unsigned i = *hint; i < message->n_fields && i < *hint + 2; i++) {
        if (message->fields[i].id == number) {
            *hint = i;
            return &message->fields[i];
        }
    }
    unsigned low = 0;
    unsigned high = message->n_fields;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (message->fields[middle].id < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == message->n_fields || message->fields[low].id != number)
        return NULL;
    *hint = low;
    return &message->fields[low];
}

#endif
