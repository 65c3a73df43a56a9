/* Values of the cache for the tests of their codec. */
#ifndef VARVE_TESTS_VALUE_FIXTURE_H
#define VARVE_TESTS_VALUE_FIXTURE_H

#include "support.h"

#include "codec/cache_value.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum content {
    ZEROS,
    SPARSE, /* every eighth byte is random, as in a tensor with few spikes */
    NOISE,
};

struct value {
    uint8_t *data; /* test_free(); nothing lies behind it */
    size_t size;
};

/* New memory for test_free(), the same on every call. */
uint8_t *
make_bytes(enum content content, size_t size);

/* Encodes bytes that must be encoded. */
struct value
encode_value(
    struct varve__cache_codec *codec,
    enum varve_cache_compression compression,
    int64_t above,
    const uint8_t *bytes,
    size_t size);

/* The value is decoded to these bytes, with no more allowed than there are. */
void
assert_decoded(
    struct varve__cache_codec *codec, const struct value *value, const uint8_t *bytes, size_t size);

#endif
