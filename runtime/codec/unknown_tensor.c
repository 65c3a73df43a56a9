/* Tensors among unknown fields, as the elements that their staged rows hold. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/field.h"
#include "codec/unknown_wire.h"
#include "codec/wire.h"

/* Whether the piece holds elements one behind the other. */
static bool
is_packed(const struct varve__piece *piece)
{
    return piece->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

/* The elements in a piece; of bytes that are cut those that are whole. */
static size_t
count_piece(ProtobufCType type, const struct varve__piece *piece)
{
    size_t count = 0;
    if (!is_packed(piece))
        return 1;
    if (varve__wire_type(type) != PROTOBUF_C_WIRE_TYPE_VARINT)
        return (size_t)(piece->end - piece->at) / varve__element_size(type);
    for (const uint8_t *at = piece->at; at < piece->end; at++)
        count += *at < 0x80; /* each has one last byte */
    return count;
}

static size_t
count_elements(const struct varve__unknown_search *search, const uint8_t *at, bool *found)
{
    struct varve__piece piece;
    size_t count = 0;
    *found = false;
    while (at < search->end) {
        at = varve__piece_read(at, search->end, &piece);
        if (piece.number != search->number)
            continue;
        *found = true;
        count += count_piece(search->type->type, &piece);
    }
    return count;
}

/* Adds the elements of a packed piece to those that end at *to. */
static enum varve_status
read_packed(
    const struct varve__unknown_search *search, const struct varve__piece *piece, uint8_t **to)
{
    ProtobufCType type = search->type->type;
    size_t each = varve__element_size(type);
    size_t size = (size_t)(piece->end - piece->at);
    union varve__slot_value slot;
    const uint8_t *at = piece->at;
    if (varve__wire_type(type) != PROTOBUF_C_WIRE_TYPE_VARINT && size % each == 0) {
        memcpy(*to, at, size); /* little-endian, as memory is */
        *to += size;
        return VARVE_OK;
    }
    while (at < piece->end) {
        at = varve__piece_number(at, piece->end, type, &slot);
        if (!at)
            return varve__unknown_fail(search->number, "its packed bytes are cut");
        memcpy(*to, &slot, each);
        *to += each;
    }
    return VARVE_OK;
}

static enum varve_status
read_elements(struct varve__unknown_search *search, const uint8_t *at, uint8_t *to)
{
    struct varve__piece piece;
    union varve__slot_value slot;
    ProtobufCType type = search->type->type;
    enum varve_status status = VARVE_OK;
    while (at < search->end && status == VARVE_OK) {
        at = varve__piece_read(at, search->end, &piece);
        if (piece.number != search->number)
            continue;
        if (is_packed(&piece)) {
            status = read_packed(search, &piece, &to);
            continue;
        }
        status = varve__piece_value(search, &piece, type, &slot);
        if (status != VARVE_OK)
            return status;
        memcpy(to, &slot, varve__element_size(type));
        to += varve__element_size(type);
    }
    return status;
}

enum varve_status
varve__unknown_elements(
    struct varve__unknown_search *search, const uint8_t *at, struct varve__unknown_value *value)
{
    bool found;
    size_t size;
    size_t count = count_elements(search, at, &found);
    if (!found)
        return VARVE_OK;
    if (!varve__size_multiply(count, varve__element_size(search->type->type), &size))
        return varve__fail_memory(NULL, SIZE_MAX);
    uint8_t *elements = varve__arena_allocate(search->arena, size + 1); /* of none a place too */
    if (!elements)
        return varve__fail_memory(NULL, size);
    enum varve_status status = read_elements(search, at, elements);
    if (status == VARVE_OK)
        *value = (struct varve__unknown_value){
            .kind = VARVE__UNKNOWN_BLOB, .data = elements, .size = size};
    return status;
}
