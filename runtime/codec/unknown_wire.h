/* What reads unknown fields: pieces of the wire, and their values without a descriptor. Private to
 * unknown_value.c, unknown_list.c and unknown_tensor.c. */
#ifndef VARVE_CODEC_UNKNOWN_WIRE_H
#define VARVE_CODEC_UNKNOWN_WIRE_H

#include <varve/types.h>

#include "codec/unknown_value.h"

/* A value, or a key, as a member of a struct holds it. */
union varve__slot_value {
    int32_t int32;
    uint32_t uint32;
    int64_t int64;
    uint64_t uint64;
    float real32;
    double real64;
    protobuf_c_boolean boolean;
    const char *string;
    struct varve_bytes bytes;
};

/* A field on the wire: its value, without the tag. */
struct varve__piece {
    uint32_t number;
    unsigned wire_type;
    const uint8_t *start; /* of the tag */
    const uint8_t *at;    /* of the value; of one with a length, behind that */
    const uint8_t *end;
};

struct varve__unknown_search {
    const uint8_t *end;
    uint32_t number;
    const struct varve__unknown_type *type;
    struct varve__arena *arena;
};

/* VARVE_INVALID: what is wrong with the field. */
enum varve_status
varve__unknown_fail(uint32_t number, const char *what);

/* Reads the field that begins at `at`. NULL: none does. Else what stands behind it. */
const uint8_t *
varve__piece_read(const uint8_t *at, const uint8_t *end, struct varve__piece *piece);

/* Reads a number that begins at `at`; NULL when it is cut. */
const uint8_t *
varve__piece_number(
    const uint8_t *at, const uint8_t *end, ProtobufCType type, union varve__slot_value *slot);

/* Reads the value of the piece, of any type but a message. */
enum varve_status
varve__piece_value(
    struct varve__unknown_search *search,
    const struct varve__piece *piece,
    ProtobufCType type,
    union varve__slot_value *slot);

/* Elements of all fields of the number, packed or not, in the form of memory. */
enum varve_status
varve__unknown_elements(
    struct varve__unknown_search *search, const uint8_t *at, struct varve__unknown_value *value);

/* The two below write JSON of all fields of the number, of bytes that are fields. */
enum varve_status
varve__unknown_array(
    struct varve__unknown_search *search, const uint8_t *at, struct varve__unknown_value *value);

enum varve_status
varve__unknown_map(
    struct varve__unknown_search *search, const uint8_t *at, struct varve__unknown_value *value);

#endif
