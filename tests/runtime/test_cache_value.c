/* Values of the cache: round trips, sizes, thresholds, and the buffer. What is damaged or lies is in
 * test_cache_value_refuse.c. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "codec/cache_value.h"
#include "value_fixture.h"

static void
every_codec_gives_the_bytes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 7, 63, 64, 65, 255, 4095, 4096, 4097, 16384, 4 << 20};
    struct varve__cache_codec codec = {0};
    for (unsigned compression = VARVE_CACHE_NONE; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            for (int content = ZEROS; content <= NOISE; content++) {
                uint8_t *bytes = make_bytes((enum content)content, sizes[i]);
                struct value value = encode_value(&codec, compression, 0, bytes, sizes[i]);
                assert_decoded(&codec, &value, bytes, sizes[i]);
                test_free(value.data);
                test_free(bytes);
            }
        }
    }
    varve__cache_codec_release(&codec);
}

static void
what_shrinks_is_compressed_and_says_its_codec(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 16384);
    for (unsigned compression = VARVE_CACHE_ZSTD; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        struct value value = encode_value(&codec, compression, 0, bytes, 16384);
        assert_int_equal(value.data[0], compression);
        assert_true(value.size < 16384 / 2);
        test_free(value.data);
    }
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

static void
what_does_not_shrink_stays_as_it_is(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 5, 12, 16384};
    struct varve__cache_codec codec = {0};
    for (unsigned compression = VARVE_CACHE_NONE; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            uint8_t *bytes = make_bytes(NOISE, sizes[i]);
            struct value value = encode_value(&codec, compression, 0, bytes, sizes[i]);
            assert_int_equal(value.data[0], VARVE_CACHE_NONE);
            assert_int_equal(value.size, sizes[i] + 1);
            assert_memory_equal(value.data + 1, bytes, sizes[i]);
            test_free(value.data);
            test_free(bytes);
        }
    }
    varve__cache_codec_release(&codec);
}

static void
only_more_bytes_than_the_threshold_are_compressed(void **state)
{
    (void)state;
    static const struct {
        int64_t above;
        size_t size;
        bool compressed;
    } cases[] = {
        {4096, 4095, false}, {4096, 4096, false}, {4096, 4097, true},       {-1, 1 << 20, false},
        {0, 0, false},       {0, 4096, true},     {INT64_MAX, 4096, false},
    };
    struct varve__cache_codec codec = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t *bytes = make_bytes(ZEROS, cases[i].size);
        struct value value =
            encode_value(&codec, VARVE_CACHE_LZ4, cases[i].above, bytes, cases[i].size);
        assert_int_equal(value.data[0], cases[i].compressed ? VARVE_CACHE_LZ4 : VARVE_CACHE_NONE);
        assert_decoded(&codec, &value, bytes, cases[i].size);
        test_free(value.data);
        test_free(bytes);
    }
    varve__cache_codec_release(&codec);
}

/* Whatever can be saved is: the sizes at which compressing begins to be worth it come one by one. */
static void
a_value_is_never_larger_than_plain(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(ZEROS, 200);
    for (unsigned compression = VARVE_CACHE_ZSTD; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        size_t smallest = 0;
        for (size_t size = 0; size <= 200; size++) {
            struct value value = encode_value(&codec, compression, 0, bytes, size);
            bool compressed = value.data[0] != VARVE_CACHE_NONE;
            assert_true(compressed ? value.size < size + 1 : value.size == size + 1);
            if (compressed && smallest == 0)
                smallest = size;
            assert_decoded(&codec, &value, bytes, size);
            test_free(value.data);
        }
        assert_true(smallest > 0 && smallest < 80);
    }
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

/* The bytes lie where the value is to be, as the store packs them. */
static void
bytes_in_their_place_give_the_same_value(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    for (unsigned compression = VARVE_CACHE_NONE; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        for (int content = ZEROS; content <= NOISE; content++) {
            uint8_t *bytes = make_bytes((enum content)content, 10000);
            uint8_t *out = test_malloc(varve__cache_value_bound(10000));
            size_t written;
            struct value value = encode_value(&codec, compression, 0, bytes, 10000);
            memcpy(out + 1, bytes, 10000);
            enum varve_status status =
                varve__cache_value_encode(&codec, compression, 0, out + 1, 10000, out, &written);
            assert_int_equal(status, VARVE_OK);
            assert_int_equal(written, value.size);
            assert_memory_equal(out, value.data, written);
            test_free(value.data);
            test_free(out);
            test_free(bytes);
        }
    }
    varve__cache_codec_release(&codec);
}

static void
plain_bytes_are_read_where_they_are(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    const uint8_t value[] = {VARVE_CACHE_NONE, 1, 2, 3};
    const uint8_t *bytes;
    size_t size;
    count_allocations(0);
    assert_int_equal(
        varve__cache_value_decode(&codec, &lab_sample_record, value, 4, 3, &bytes, &size),
        VARVE_OK);
    assert_ptr_equal(bytes, value + 1);
    assert_int_equal(size, 3);
    assert_int_equal(
        varve__cache_value_decode(&codec, &lab_sample_record, value, 1, 0, &bytes, &size),
        VARVE_OK);
    assert_ptr_equal(bytes, value + 1);
    assert_int_equal(size, 0);
    assert_int_equal(stop_counting(), 0);
    varve__cache_codec_release(&codec);
}

static void
the_buffer_is_reused(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 900 << 10);
    struct value large = encode_value(&codec, VARVE_CACHE_LZ4, 0, bytes, 900 << 10);
    struct value small = encode_value(&codec, VARVE_CACHE_ZSTD, 0, bytes, 1000);
    count_allocations(0);
    for (size_t i = 0; i < 10; i++) {
        assert_decoded(&codec, &large, bytes, 900 << 10);
        assert_decoded(&codec, &small, bytes, 1000);
    }
    varve__cache_codec_release(&codec);
    assert_int_equal(stop_counting(), 1);
    test_free(small.data);
    test_free(large.data);
    test_free(bytes);
}

/* A session that has seen one large value does not keep its memory. */
static void
a_large_buffer_is_given_back_for_small_values(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 8 << 20);
    struct value large = encode_value(&codec, VARVE_CACHE_LZ4, 0, bytes, 8 << 20);
    struct value half = encode_value(&codec, VARVE_CACHE_LZ4, 0, bytes, 4 << 20);
    struct value small = encode_value(&codec, VARVE_CACHE_LZ4, 0, bytes, 1000);
    struct value plain = encode_value(&codec, VARVE_CACHE_NONE, 0, bytes, 1000);
    assert_decoded(&codec, &large, bytes, 8 << 20);
    assert_decoded(&codec, &half, bytes, 4 << 20);
    assert_true(codec.plain_size >= 8 << 20);
    assert_decoded(&codec, &small, bytes, 1000);
    assert_true(codec.plain_size > 0 && codec.plain_size <= 1 << 20);
    assert_decoded(&codec, &large, bytes, 8 << 20);
    assert_decoded(&codec, &plain, bytes, 1000);
    assert_int_equal(codec.plain_size, 0);
    assert_decoded(&codec, &large, bytes, 8 << 20);
    struct value again = encode_value(&codec, VARVE_CACHE_NONE, 0, bytes, 1000);
    assert_int_equal(codec.plain_size, 0);
    test_free(again.data);
    test_free(plain.data);
    test_free(small.data);
    test_free(half.data);
    test_free(large.data);
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

static void
a_codec_is_released_twice_and_used_again(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 5000);
    varve__cache_codec_release(&codec);
    for (int round = 0; round < 2; round++) {
        struct value value = encode_value(&codec, VARVE_CACHE_DEFLATE, 0, bytes, 5000);
        assert_decoded(&codec, &value, bytes, 5000);
        varve__cache_codec_release(&codec);
        varve__cache_codec_release(&codec);
        test_free(value.data);
    }
    test_free(bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_gives_the_bytes_back),
        cmocka_unit_test(what_shrinks_is_compressed_and_says_its_codec),
        cmocka_unit_test(what_does_not_shrink_stays_as_it_is),
        cmocka_unit_test(only_more_bytes_than_the_threshold_are_compressed),
        cmocka_unit_test(a_value_is_never_larger_than_plain),
        cmocka_unit_test(bytes_in_their_place_give_the_same_value),
        cmocka_unit_test(plain_bytes_are_read_where_they_are),
        cmocka_unit_test(the_buffer_is_reused),
        cmocka_unit_test(a_large_buffer_is_given_back_for_small_values),
        cmocka_unit_test(a_codec_is_released_twice_and_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
