/* See value_fixture.h. */
#include "value_fixture.h"

#include <string.h>

#include "../store/random.h"

uint8_t *
make_bytes(enum content content, size_t size)
{
    struct random random = {7};
    uint8_t *bytes = test_malloc(size + !size);
    memset(bytes, 0, size);
    for (size_t i = 0; i < size && content != ZEROS; i += content == SPARSE ? 8 : 1)
        bytes[i] = (uint8_t)random_bits(&random);
    return bytes;
}

struct value
encode_value(
    struct varve__cache_codec *codec,
    enum varve_cache_compression compression,
    int64_t above,
    const uint8_t *bytes,
    size_t size)
{
    struct value value = {test_malloc(varve__cache_value_bound(size)), 0};
    enum varve_status status =
        varve__cache_value_encode(codec, compression, above, bytes, size, value.data, &value.size);
    assert_int_equal(status, VARVE_OK);
    assert_true(value.size <= varve__cache_value_bound(size));
    uint8_t *exact = test_malloc(value.size);
    memcpy(exact, value.data, value.size);
    test_free(value.data);
    value.data = exact;
    return value;
}

void
assert_decoded(
    struct varve__cache_codec *codec, const struct value *value, const uint8_t *bytes, size_t size)
{
    const uint8_t *decoded;
    size_t decoded_size;
    enum varve_status status = varve__cache_value_decode(
        codec, &lab_sample_record, value->data, value->size, size, &decoded, &decoded_size);
    assert_int_equal(status, VARVE_OK);
    assert_int_equal(decoded_size, size);
    assert_non_null(decoded);
    assert_int_equal(memcmp(decoded, bytes, size), 0);
}
