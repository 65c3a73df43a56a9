/* The numbers of JSON text, by its grammar and in any locale alike.
 *
 * Both functions read the number that begins at `at` into a field's slot and return its end. They
 * return NULL when none of the type begins there, with *expected: what should have stood there, as
 * in "expected a number". */
#ifndef VARVE_CODEC_JSON_NUMBER_H
#define VARVE_CODEC_JSON_NUMBER_H

#include <protobuf-c/protobuf-c.h>

/* An integer or enum: any number that is whole and in the type's range, 5.0 and 1e3 too. */
const char *
varve__json_read_integer(
    const char *at, const char *end, ProtobufCType type, void *slot, const char **expected);

/* A float or double, the nearest to the number. What is too large for a double is an infinity, as
 * in SQLite. */
const char *
varve__json_read_real(
    const char *at, const char *end, ProtobufCType type, void *slot, const char **expected);

#endif
