/* Single values as JSON text, for the writers of columns (json.c) and of copies (json_copy.c): each
 * type as json.h has it, and beyond that bytes as base64, a NaN as the string "NaN". */
#ifndef VARVE_CODEC_JSON_WRITE_H
#define VARVE_CODEC_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "codec/text.h"

enum {
    VARVE__JSON_NUMBER_MAX = 26 /* bytes of any number with its quotes */
};

/* Adds a value of any type but a message. `value` points at the member, or at the element; the text
 * has room for varve__json_value_bound(). */
void
varve__json_add_value(struct varve__text *text, ProtobufCType type, const void *value);

/* The same as SQL takes it: 64-bit integers without quotes, a fixed64 by its bits, a bool as 0 or 1. */
void
varve__json_add_for_sql(struct varve__text *text, ProtobufCType type, const void *value);

/* The same for a map's key: always in quotes. */
void
varve__json_add_key(struct varve__text *text, ProtobufCType type, const void *key);

/* At least the bytes that either of them writes. */
size_t
varve__json_value_bound(ProtobufCType type, const void *value);

bool
varve__json_is_nan(ProtobufCType type, const void *value);

#endif
