/* Keys of the cache: a template with the values of a record's fields in it, and back again. Both are exact
 * inverses: two records with different values never share a key, and a text that is not what encoding
 * writes is no key.
 *
 *     "spikes:{region}:{bin}"     region "V1:left", bin 42     spikes:V1%3Aleft:b42
 *
 *     string   as it is, but : { } % and control bytes (below 0x20, 0x7F) as % and two capital hex digits
 *     bool     0, 1
 *     numbers  in decimal behind a letter that counts the digits, so that bytes sort as the numbers do: a7,
 *              b42, c117 .. s9223372036854775807, t for uint64's twenty digits; of negative ones the letters
 *              run from Z (one digit) down to H, and each digit d is written as 9 - d: -1 is Z8, -42 is Y57,
 *              -100 is X899. Enums and fixed kinds are numbers too.
 *
 * The part of a hash tag has its value in braces: spikes:{V1}:b42. There the empty string is written %00,
 * since a Redis cluster does not take {} for a tag. */
#ifndef VARVE_CODEC_CACHE_KEY_H
#define VARVE_CODEC_CACHE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include <varve/cache.h>
#include <varve/schema.h>
#include <varve/status.h>

enum {
    VARVE__KEY_MAX_SIZE = VARVE_KEY_SIZE - 1 /* bytes of the longest key */
};

/* Writes the record's key, without a NUL, into `buffer` of VARVE__KEY_MAX_SIZE bytes. The record was
 * initialised (varve__record_check_message()); its strings need not have been checked.
 * VARVE_INVALID, with the field: a string that is NULL, no UTF-8 or has a NUL inside is _NOT_NULL or _UTF8, a
 * key that is too long _SIZE. *size is then 0. */
enum varve_status
varve__cache_key_encode(
    const struct varve_record *table, const void *record, char *buffer, size_t *size);

/* Whether `size` bytes of text are a key of this template; and where `record`, initialised, is not NULL, its
 * key's fields are set: strings are decoded into `strings`, which has room for `size` bytes and as many NULs
 * as there are parts. *where is the byte that is wrong. */
bool
varve__cache_key_decode(
    const struct varve_record *table,
    const char *text,
    size_t size,
    void *record,
    char *strings,
    size_t *where);

/* Whether two records have the same key: a value that was read against what was asked for. */
bool
varve__cache_key_equal(const struct varve_record *table, const void *a, const void *b);

#endif
