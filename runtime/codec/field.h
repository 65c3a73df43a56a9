/* Where a field's value lies in a record, and how large its elements are. */
#ifndef VARVE_CODEC_FIELD_H
#define VARVE_CODEC_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/types.h>

enum {
    VARVE__DEPTH_MAX = 100 /* levels of messages below a record */
};

/* The most that a message may weigh on the wire, and the most elements of an array: libprotobuf-c
 * counts both in 32 bits. */
#define VARVE__WIRE_MAX ((size_t)INT32_MAX)

/* Any {count, data} member. */
struct varve__list {
    size_t count;
    void *data;
};

static inline const void *
varve__member(const void *record, unsigned offset)
{
    return (const char *)record + offset;
}

static inline void *
varve__member_of(void *record, unsigned offset)
{
    return (char *)record + offset;
}

static inline struct varve__list
varve__list_at(const void *record, const ProtobufCFieldDescriptor *field)
{
    return (struct varve__list){
        *(const size_t *)varve__member(record, field->quantifier_offset),
        *(void *const *)varve__member(record, field->offset),
    };
}

static inline bool
varve__is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static inline bool
varve__in_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* Of a oneof's member: whether it is the one that is set. */
static inline bool
varve__is_chosen(const void *record, const ProtobufCFieldDescriptor *field)
{
    return *(const uint32_t *)varve__member(record, field->quantifier_offset) == field->id;
}

static inline bool
varve__is_explicit(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_OPTIONAL;
}

/* Whether the field of this record has a value; those that cannot be absent always have. The
 * message of a map's entry is not asked: there NULL is an empty one. */
static inline bool
varve__is_present(const ProtobufCFieldDescriptor *field, const void *record)
{
    if (varve__in_oneof(field))
        return varve__is_chosen(record, field);
    if (!varve__is_explicit(field))
        return true;
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(const void *const *)varve__member(record, field->offset) != NULL;
    return *(const protobuf_c_boolean *)varve__member(record, field->quantifier_offset) != 0;
}

/* Keys and values of map entries: sent whatever they are, as other languages do. */
static inline bool
varve__is_always_sent(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REQUIRED;
}

/* Size in memory of one element of a repeated field, and of a singular member. */
static inline size_t
varve__element_size(ProtobufCType type)
{
    static const uint8_t sizes[] = {
        [PROTOBUF_C_TYPE_INT32] = 4,
        [PROTOBUF_C_TYPE_SINT32] = 4,
        [PROTOBUF_C_TYPE_SFIXED32] = 4,
        [PROTOBUF_C_TYPE_INT64] = 8,
        [PROTOBUF_C_TYPE_SINT64] = 8,
        [PROTOBUF_C_TYPE_SFIXED64] = 8,
        [PROTOBUF_C_TYPE_UINT32] = 4,
        [PROTOBUF_C_TYPE_FIXED32] = 4,
        [PROTOBUF_C_TYPE_UINT64] = 8,
        [PROTOBUF_C_TYPE_FIXED64] = 8,
        [PROTOBUF_C_TYPE_FLOAT] = 4,
        [PROTOBUF_C_TYPE_DOUBLE] = 8,
        [PROTOBUF_C_TYPE_BOOL] = sizeof(protobuf_c_boolean),
        [PROTOBUF_C_TYPE_ENUM] = 4,
        [PROTOBUF_C_TYPE_STRING] = sizeof(char *),
        [PROTOBUF_C_TYPE_BYTES] = sizeof(struct varve_bytes),
        [PROTOBUF_C_TYPE_MESSAGE] = sizeof(void *),
    };
    return sizes[type];
}

/* Whether repeated elements are numbers, which may be packed. */
static inline bool
varve__is_number(ProtobufCType type)
{
    return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES &&
           type != PROTOBUF_C_TYPE_MESSAGE;
}

/* Bytes on the wire of one element of a bytes field: more than 1 for a dtype tensor. */
static inline size_t
varve__bytes_scale(const struct varve_column *column)
{
    return column->tensor ? varve_dtype_size(column->tensor->dtype) : 1;
}

#endif
