#include "wire_pieces.h"

#include <string.h>

#include "require.h"

/* Reads a varint of at most `most` bytes; returns how many it has, 0 when it is cut or longer. */
static size_t
read_varint(const uint8_t *at, const uint8_t *end, size_t most, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < most && at + i < end; i++) {
        *value |= (uint64_t)(at[i] & 0x7F) << (7 * i);
        if (at[i] < 0x80)
            return i + 1;
    }
    return 0;
}

/* Bytes of the value, -1 when it does not end there. */
static int64_t
value_size(unsigned wire_type, const uint8_t *at, const uint8_t *end)
{
    uint64_t number;
    int64_t left = end - at;
    size_t head = read_varint(at, end, wire_type == 0 ? 10 : 5, &number);
    switch (wire_type) {
    case 0:
        return head > 0 ? (int64_t)head : -1;
    case 1:
        return left >= 8 ? 8 : -1;
    case 2:
        if (head == 0 || number > UINT32_MAX || number > (uint64_t)left - head)
            return -1;
        return (int64_t)(head + number);
    case 5:
        return left >= 4 ? 4 : -1;
    default:
        return -1;
    }
}

static bool
read_piece(const uint8_t *at, const uint8_t *end, struct piece *piece)
{
    uint64_t tag;
    size_t head = read_varint(at, end, 5, &tag);
    if (head == 0 || tag > UINT32_MAX || tag < 8)
        return false;
    int64_t size = value_size(tag & 7, at + head, end);
    *piece = (struct piece){
        .number = (uint32_t)(tag >> 3),
        .wire_type = tag & 7,
        .start = at,
        .value = at + head,
        .size = head + (size_t)size};
    return size >= 0;
}

void
pieces_read(const uint8_t *bytes, size_t size, struct pieces *pieces)
{
    const uint8_t *end = bytes + size;
    pieces->count = 0;
    while (bytes < end && read_piece(bytes, end, &pieces->at[pieces->count])) {
        bytes += pieces->at[pieces->count++].size;
        REQUIRE(pieces->count < PIECES_MAX);
    }
    pieces->are_whole = bytes == end;
}

bool
pieces_have(const struct pieces *pieces, uint32_t number)
{
    for (size_t i = 0; i < pieces->count; i++) {
        if (pieces->at[i].number == number)
            return true;
    }
    return false;
}

size_t
pieces_copy(const struct pieces *pieces, const struct pieces *without, uint8_t *to)
{
    size_t size = 0;
    for (size_t i = 0; i < pieces->count; i++) {
        const struct piece *piece = &pieces->at[i];
        if (pieces_have(without, piece->number))
            continue;
        memcpy(to + size, piece->start, piece->size);
        size += piece->size;
    }
    return size;
}

size_t
pieces_pack_above(const struct pieces *pieces, uint32_t known, uint8_t *to)
{
    uint8_t *start = to;
    for (size_t i = 0; i < pieces->count; i++) {
        const struct piece *piece = &pieces->at[i];
        uint32_t tag = piece->number << 3 | piece->wire_type;
        size_t size = piece->size - (size_t)(piece->value - piece->start);
        if (piece->number <= known)
            continue;
        for (; tag >= 0x80; tag >>= 7)
            *to++ = (uint8_t)(tag | 0x80);
        *to++ = (uint8_t)tag;
        memcpy(to, piece->value, size);
        to += size;
    }
    return (size_t)(to - start);
}
