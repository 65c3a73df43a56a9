/* One field out of the bytes of unknown fields, as a column would hold it: for migrations that make a
 * column of what older programs kept without knowing it. */
#ifndef VARVE_CODEC_UNKNOWN_VALUE_H
#define VARVE_CODEC_UNKNOWN_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <varve/status.h>

#include "base/arena.h"

/* What a field is, in the words of schema.lock: "int64", "optional string", "repeated enum lab.Mood",
 * "map string message lab.Place", "oneof result bytes". And "tensor int32": a repeated number whose
 * elements are wanted as they lie in memory. */
struct varve__unknown_type {
    ProtobufCType type; /* of a map its values', of a tensor its elements' */
    bool repeated;
    bool tensor;
    bool map;
    ProtobufCType key;
};

/* False: these are no such words. */
bool
varve__unknown_type_parse(const char *words, struct varve__unknown_type *type);

enum varve__unknown_kind {
    VARVE__UNKNOWN_ABSENT = 0,
    VARVE__UNKNOWN_INTEGER,
    VARVE__UNKNOWN_REAL,
    VARVE__UNKNOWN_TEXT, /* JSON too */
    VARVE__UNKNOWN_BLOB, /* of messages: their records with their tags, as they stood; of tensors:
                          * their elements, as their staged rows hold them */
};

struct varve__unknown_value {
    enum varve__unknown_kind kind;
    int64_t integer;
    double real;
    const void *data; /* in the arena, or in the bytes that were given */
    size_t size;
};

/* Finds the field with this number. The text of VARVE_INVALID says what is wrong with the bytes. */
enum varve_status
varve__unknown_find(
    const uint8_t *bytes,
    size_t size,
    uint32_t number,
    const struct varve__unknown_type *type,
    struct varve__arena *arena,
    struct varve__unknown_value *value);

/* Whether there is a field of this number. */
enum varve_status
varve__unknown_has(const uint8_t *bytes, size_t size, uint32_t number, bool *has);

/* Copies the fields of other numbers to `rest`, which has room for all. */
enum varve_status
varve__unknown_without(
    const uint8_t *bytes, size_t size, uint32_t number, uint8_t *rest, size_t *rest_size);

#endif
