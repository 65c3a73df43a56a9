/* Values of the cache that are damaged, lie about their size, or find no memory. */
#define _DEFAULT_SOURCE /* fork(), setrlimit() */

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libdeflate.h>
#include <lz4.h>
#include <zstd.h>

#include "../store/random.h"
#include "base/error.h"
#include "value_fixture.h"

enum {
    MIB = 1 << 20,
    MOST = 128 * MIB /* the store's default */
};

static enum varve_status
decode(struct varve__cache_codec *codec, const void *value, size_t size, size_t most)
{
    const uint8_t *bytes = (const uint8_t *)"";
    size_t bytes_size = 99;
    enum varve_status status = varve__cache_value_decode(
        codec, &lab_sample_record, value, size, most, &bytes, &bytes_size);
    assert_true(status == VARVE_OK || (!bytes && bytes_size == 0));
    return status;
}

/* The value is refused with these words, after so many allocations for it. */
static void
assert_refused_after(const void *value, size_t size, const char *words, size_t allocations)
{
    struct varve__cache_codec codec = {0};
    uint8_t *exact = test_malloc(size + !size);
    memcpy(exact, value, size);
    count_allocations(0);
    assert_int_equal(decode(&codec, exact, size, MOST), VARVE_CORRUPT);
    assert_non_null(strstr(varve__thread_error(), words));
    assert_int_equal(varve__thread_failure()->tier, VARVE_TIER_CACHE);
    assert_string_equal(varve__thread_failure()->record, "lab.Sample");
    assert_true(codec.plain_size <= 2 * MIB);
    varve__cache_codec_release(&codec);
    assert_int_equal(stop_counting(), allocations);
    test_free(exact);
}

#define REFUSED(literal, words) assert_refused_after(literal, sizeof(literal) - 1, words, 0)

static void
a_value_without_a_codec_is_refused(void **state)
{
    (void)state;
    REFUSED("", "is empty");
    REFUSED("\x04", "codec 4");
    REFUSED("\x04rest", "codec 4");
    REFUSED("\xFFrest", "codec 255");
}

static void
a_stream_without_its_header_is_refused(void **state)
{
    (void)state;
    REFUSED("\x01", "is no frame");
    REFUSED("\x01\x28\xB5\x2F", "is no frame");
    REFUSED("\x01\x28\xB5\x2F\xFD", "no header");
    REFUSED("\x01\x50\x2A\x4D\x18\x00\x00\x00\x00", "is no frame"); /* one to be skipped */
    REFUSED("\x02\x01\x00\x00", "ends before");
    REFUSED("\x03", "ends before");
}

static void
a_frame_that_does_not_say_its_size_is_refused(void **state)
{
    (void)state;
    uint8_t value[1000] = {VARVE_CACHE_ZSTD};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_int_equal(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)), 0);
    uint8_t *bytes = make_bytes(SPARSE, 500);
    size_t size = ZSTD_compress2(context, value + 1, sizeof value - 1, bytes, 500);
    assert_int_equal(ZSTD_isError(size), 0);
    assert_refused_after(value, size + 1, "does not say what size", 0);
    test_free(bytes);
    ZSTD_freeCCtx(context);
}

/* ------------------------------------------------------------------ bombs */

static void
a_size_beyond_what_is_allowed_takes_no_memory(void **state)
{
    (void)state;
    /* A frame that says 1 TiB: eight bytes of content size, no window. */
    REFUSED("\x01\x28\xB5\x2F\xFD\xE0\x00\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00", "are allowed");
    REFUSED("\x02\xFF\xFF\xFF\xFF\x1F\x00\x01\x00", "4294967295 packed bytes");
    REFUSED("\x03\x01\x00\x00\x08\x78\x9C\x03\x00\x00\x00\x00\x01", "134217729 packed bytes");
}

static void
a_size_that_so_few_bytes_cannot_have_takes_no_memory(void **state)
{
    (void)state;
    /* 64 MiB each. */
    REFUSED("\x01\x28\xB5\x2F\xFD\xA0\x00\x00\x00\x04\x01\x00\x00", "too short");
    REFUSED("\x02\x00\x00\x00\x04\x1F\x00\x01\x00", "too short");
    REFUSED("\x03\x00\x00\x00\x04\x78\x9C\x03\x00\x00\x00\x00\x01", "too short");
}

/* 100 MiB of zeros whose size is said to be 1 MiB. */
static void
a_stream_that_holds_more_than_it_says_is_refused(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(ZEROS, 100 * MIB);
    struct value zstd = encode_value(&codec, VARVE_CACHE_ZSTD, 0, bytes, 100 * MIB);
    struct value lz4 = encode_value(&codec, VARVE_CACHE_LZ4, 0, bytes, 100 * MIB);
    struct value deflate = encode_value(&codec, VARVE_CACHE_DEFLATE, 0, bytes, 100 * MIB);
    const uint8_t one[] = {0, 0, 0x10, 0};
    assert_int_equal(
        zstd.data[5] >> 6, 2); /* four bytes of content size, behind the descriptor .. */
    size_t window =
        !(zstd.data[5] & 0x20); /* .. and a byte for the window, without "single segment" */
    memcpy(zstd.data + 6 + window, one, sizeof one);
    memcpy(lz4.data + 1, one, sizeof one);
    memcpy(deflate.data + 1, one, sizeof one);
    assert_refused_after(zstd.data, zstd.size, "zstd stream of", 1);
    assert_refused_after(lz4.data, lz4.size, "LZ4 stream of", 1);
    assert_refused_after(deflate.data, deflate.size, "DEFLATE stream of", 1);
    test_free(zstd.data);
    test_free(lz4.data);
    test_free(deflate.data);
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

static void
a_stream_that_holds_less_than_it_says_is_refused(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 5000);
    for (unsigned compression = VARVE_CACHE_LZ4; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        struct value value = encode_value(&codec, compression, 0, bytes, 5000);
        value.data[1]++;
        assert_refused_after(value.data, value.size, "cannot be unpacked", 1);
        test_free(value.data);
    }
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

static void
as_much_as_is_allowed_is_and_a_byte_more_is_not(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 5000);
    for (unsigned compression = VARVE_CACHE_NONE; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        struct value value = encode_value(&codec, compression, 0, bytes, 5000);
        assert_int_equal(decode(&codec, value.data, value.size, 5000), VARVE_OK);
        assert_int_equal(decode(&codec, value.data, value.size, 4999), VARVE_CORRUPT);
        assert_failure(VARVE_FAILURE_SIZE, "has 5000 packed bytes, and 4999 are allowed");
        test_free(value.data);
    }
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

/* ------------------------------------------------------------------ damage */

static void
what_follows_a_stream_is_refused(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 5000);
    for (unsigned compression = VARVE_CACHE_ZSTD; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        struct value value = encode_value(&codec, compression, 0, bytes, 5000);
        uint8_t *longer = test_malloc(2 * value.size);
        memcpy(longer, value.data, value.size);
        memcpy(longer + value.size, value.data + 1, value.size - 1); /* a second stream */
        assert_int_equal(decode(&codec, longer, value.size, MOST), VARVE_OK);
        assert_refused_after(longer, 2 * value.size - 1, "cannot be unpacked", 1);
        longer[value.size] = 0;
        assert_refused_after(longer, value.size + 1, "cannot be unpacked", 1);
        test_free(longer);
        test_free(value.data);
    }
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

/* Frames that add nothing to the content: one to be skipped, and an empty one. */
static void
a_second_frame_is_refused_even_when_it_is_empty(void **state)
{
    (void)state;
    static const char frames[2][9] = {"\x50\x2A\x4D\x18\0\0\0\0", "\x28\xB5\x2F\xFD\x20\0\1\0"};
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 5000);
    struct value value = encode_value(&codec, VARVE_CACHE_ZSTD, 0, bytes, 5000);
    for (size_t i = 0; i < COUNT(frames); i++) {
        size_t size = value.size + (i == 0 ? 8 : 9);
        uint8_t *longer = test_malloc(size);
        memcpy(longer, value.data, value.size);
        memcpy(longer + value.size, frames[i], size - value.size);
        assert_refused_after(longer, size, "cannot be unpacked", 1);
        test_free(longer);
    }
    test_free(value.data);
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

static void
every_value_that_is_cut_is_refused(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 4000);
    for (unsigned compression = VARVE_CACHE_ZSTD; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        struct value value = encode_value(&codec, compression, 0, bytes, 4000);
        assert_int_equal(value.data[0], compression);
        for (size_t size = 0; size < value.size; size++) {
            uint8_t *cut = test_malloc(size + !size);
            memcpy(cut, value.data, size);
            assert_int_equal(decode(&codec, cut, size, MOST), VARVE_CORRUPT);
            test_free(cut);
        }
        assert_decoded(&codec, &value, bytes, 4000); /* the contexts are as good as before */
        test_free(value.data);
    }
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

/* zstd and LZ4 carry no checksum, so a flipped bit may give other bytes; DEFLATE never does. */
static void
flipped_bits_are_refused_or_give_bytes(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    struct random random = {number_from_env("VARVE_TEST_SEED", 11)};
    uint8_t *bytes = make_bytes(SPARSE, 4000);
    for (unsigned compression = VARVE_CACHE_NONE; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        struct value value = encode_value(&codec, compression, 0, bytes, 4000);
        size_t refused = 0;
        for (size_t i = 0; i < 2000; i++) {
            size_t bit = random_below(&random, 8 * value.size);
            const uint8_t *decoded;
            size_t size;
            value.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            enum varve_status status = varve__cache_value_decode(
                &codec, &lab_sample_record, value.data, value.size, MOST, &decoded, &size);
            assert_true(status == VARVE_OK || status == VARVE_CORRUPT);
            refused += status == VARVE_CORRUPT;
            if (status == VARVE_OK && compression == VARVE_CACHE_DEFLATE && bit / 8 > 0)
                assert_true(size == 4000 && memcmp(decoded, bytes, size) == 0);
            value.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_true(compression == VARVE_CACHE_NONE || refused > 0);
        assert_decoded(&codec, &value, bytes, 4000);
        test_free(value.data);
    }
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

/* ------------------------------------------------------------------ memory */

static void
no_memory_for_the_buffer_is_told(void **state)
{
    (void)state;
    struct varve__cache_codec codec = {0};
    uint8_t *bytes = make_bytes(SPARSE, 5000);
    struct value value = encode_value(&codec, VARVE_CACHE_ZSTD, 0, bytes, 5000);
    uint8_t *out = test_malloc(varve__cache_value_bound(5000));
    size_t written = 99;
    memcpy(out + 1, bytes, 5000);
    count_allocations(1);
    assert_int_equal(decode(&codec, value.data, value.size, MOST), VARVE_NO_MEMORY);
    stop_counting();
    count_allocations(1);
    assert_int_equal(
        varve__cache_value_encode(&codec, VARVE_CACHE_ZSTD, 0, out + 1, 5000, out, &written),
        VARVE_NO_MEMORY);
    stop_counting();
    assert_int_equal(written, 0);
    assert_memory_equal(out + 1, bytes, 5000);
    assert_failure(VARVE_FAILURE_OTHER, "out of memory");
    assert_decoded(&codec, &value, bytes, 5000);
    test_free(out);
    test_free(value.data);
    test_free(bytes);
    varve__cache_codec_release(&codec);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Encodes, in a process of its own, after all memory was taken but for pieces of less than `left` bytes. */
static enum varve_status
encode_without_memory(
    enum varve_cache_compression compression, size_t left, const uint8_t *bytes, size_t size)
{
    int code;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct varve__cache_codec codec = {0};
        const struct rlimit none = {1, 1};
        struct value value =
            encode_value(&codec, compression, 0, bytes, size); /* the stack has grown */
        varve__cache_codec_release(&codec);
        void *volatile taken = setrlimit(RLIMIT_AS, &none) == 0 ? &codec : NULL;
        while (taken)
            taken = malloc(left);
        _exit((int)varve__cache_value_encode(
            &codec, compression, 0, bytes, size, value.data, &value.size));
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code));
    return (enum varve_status)WEXITSTATUS(code);
}

static void
no_memory_for_a_codec_is_told(void **state)
{
    (void)state;
    static const size_t left[] = {16, 64 << 10}; /* none for a context; none for what it asks for */
    size_t size = 64 << 10;
    uint8_t *bytes = make_bytes(NOISE, size); /* the value is large enough for NONE */
    for (size_t i = 0; i < COUNT(left); i++) {
        enum varve_status status = encode_without_memory(VARVE_CACHE_ZSTD, left[i], bytes, size);
        assert_int_equal(status, VARVE_NO_MEMORY);
        status = encode_without_memory(VARVE_CACHE_DEFLATE, left[i], bytes, size);
        assert_int_equal(status, VARVE_NO_MEMORY);
        status = encode_without_memory(VARVE_CACHE_LZ4, left[i], bytes, size);
        assert_int_equal(status, VARVE_OK);
    }
    test_free(bytes);
}
#endif

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_without_a_codec_is_refused),
        cmocka_unit_test(a_stream_without_its_header_is_refused),
        cmocka_unit_test(a_frame_that_does_not_say_its_size_is_refused),
        cmocka_unit_test(a_size_beyond_what_is_allowed_takes_no_memory),
        cmocka_unit_test(a_size_that_so_few_bytes_cannot_have_takes_no_memory),
        cmocka_unit_test(a_stream_that_holds_more_than_it_says_is_refused),
        cmocka_unit_test(a_stream_that_holds_less_than_it_says_is_refused),
        cmocka_unit_test(as_much_as_is_allowed_is_and_a_byte_more_is_not),
        cmocka_unit_test(what_follows_a_stream_is_refused),
        cmocka_unit_test(a_second_frame_is_refused_even_when_it_is_empty),
        cmocka_unit_test(every_value_that_is_cut_is_refused),
        cmocka_unit_test(flipped_bits_are_refused_or_give_bytes),
        cmocka_unit_test(no_memory_for_the_buffer_is_told),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(no_memory_for_a_codec_is_told),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
