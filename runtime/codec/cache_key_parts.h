/* What writing and reading of keys share. Private to cache_key.c and cache_key_read.c. */
#ifndef VARVE_CODEC_CACHE_KEY_PARTS_H
#define VARVE_CODEC_CACHE_KEY_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/field.h"

enum {
    VARVE__KEY_ESCAPE_SIZE = 3 /* bytes of %XX */
};

/* Bytes that strings do not show as they are: control bytes, and what has a meaning in keys. */
extern const bool varve__key_is_escaped[256];

/* The capital hexadecimal digits, with a NUL. */
extern const char varve__key_digits[17];

/* Any integer of 64 bits, signed or not. Zero is not negative. */
struct varve__key_integer {
    uint64_t magnitude;
    bool negative;
};

static inline const char *
varve__key_string(const void *record, const ProtobufCFieldDescriptor *field)
{
    return *(const char *const *)varve__member(record, field->offset);
}

#endif
