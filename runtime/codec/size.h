/* Sizes on the wire of single values, as libprotobuf-c packs them. The check before packing sums
 * them up on its way, which spares the walk of protobuf_c_message_get_packed_size(). */
#ifndef VARVE_CODEC_SIZE_H
#define VARVE_CODEC_SIZE_H

#include <stdint.h>

#include "codec/field.h"

static inline size_t
varve__varint_size(uint64_t value)
{
    /* A byte for each 7 bits begun: (bits * 9 + 64) / 64 equals (bits + 6) / 7 for 1 to 64 bits. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return (bits * 9 + 64) / 64;
}

static inline size_t
varve__tag_size(const ProtobufCFieldDescriptor *field)
{
    return field->id < 16 ? 1 : varve__varint_size((uint64_t)field->id << 3);
}

/* A length and what it measures. */
static inline size_t
varve__prefixed_size(size_t size)
{
    return varve__varint_size(size) + size;
}

/* One number without its tag. */
static inline size_t
varve__number_size(ProtobufCType type, const void *value)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM: /* negative ones are sent as 64 bits */
        return varve__varint_size((uint64_t)(int64_t) * (const int32_t *)value);
    case PROTOBUF_C_TYPE_SINT32: {
        int32_t number = *(const int32_t *)value;
        return varve__varint_size(((uint32_t)number << 1) ^ (number < 0 ? UINT32_MAX : 0));
    }
    case PROTOBUF_C_TYPE_UINT32:
        return varve__varint_size(*(const uint32_t *)value);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return varve__varint_size(*(const uint64_t *)value);
    case PROTOBUF_C_TYPE_SINT64: {
        int64_t number = *(const int64_t *)value;
        return varve__varint_size(((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0));
    }
    case PROTOBUF_C_TYPE_BOOL:
        return 1;
    default:
        return varve__element_size(type);
    }
}

/* Whether a number without presence is left out. */
static inline bool
varve__number_is_zero(ProtobufCType type, const void *value)
{
    switch (type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return *(const float *)value == 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)value == 0;
    default:
        return varve__element_size(type) == 8 ? *(const uint64_t *)value == 0
                                              : *(const uint32_t *)value == 0;
    }
}

#endif
