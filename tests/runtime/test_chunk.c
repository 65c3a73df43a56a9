/* Chunks: what is encoded is decoded, the checksum is that of a plain implementation, and damage is found.
 * That HDF5 agrees is for test_chunk_hdf5. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "../store/random.h"
#include "codec/chunk.h"
#include "codec/chunk_shuffle.h"

enum {
    FLIPS = 10000,
    SIZE_MOST = 70000 /* bytes of a chunk */
};

enum content {
    NOISE,
    SPARSE,
    ZEROS,
    STEPS, /* numbers that grow slowly */
    CONTENTS
};

static uint8_t *
make_content(struct random *random, enum content content, size_t size)
{
    uint8_t *bytes = test_calloc(size + !size, 1);
    for (size_t i = 0; i < size; i++)
        if (content == NOISE || (content == SPARSE && random_one_in(random, 10)))
            bytes[i] = (uint8_t)random_bits(random);
        else if (content == STEPS)
            bytes[i] = (uint8_t)(i % 8 ? 0 : i / 800);
    return bytes;
}

/* A chunk in a block of exactly its size. */
struct encoded {
    uint8_t *bytes; /* test_free() */
    size_t size;
    uint32_t mask;
};

static struct encoded
encode(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    const uint8_t *raw,
    size_t size)
{
    size_t bound = varve__chunk_bound(filter, size);
    struct encoded chunk = {.mask = 99};
    uint8_t *room = test_malloc(bound + !bound);
    assert_int_equal(
        varve__chunk_encode(codec, filter, raw, size, room, &chunk.size, &chunk.mask), VARVE_OK);
    assert_true(chunk.size <= bound);
    chunk.bytes = test_malloc(chunk.size + !chunk.size);
    memcpy(chunk.bytes, room, chunk.size);
    test_free(room);
    return chunk;
}

/* Into a block of exactly `size` bytes, that is compared where `raw` is given. */
static enum varve_status
decode(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    const struct encoded *chunk,
    bool verify,
    const uint8_t *raw,
    size_t size)
{
    uint8_t *into = test_malloc(size + !size);
    enum varve_status status = varve__chunk_decode(
        codec, filter, chunk->mask, verify, chunk->bytes, chunk->size, into, size);
    if (status == VARVE_OK && raw)
        assert_memory_equal(into, raw, size);
    test_free(into);
    return status;
}

static struct varve__chunk_filter
random_filter(struct random *random, enum varve_archive_compression compression, size_t size)
{
    struct varve__chunk_filter filter = {
        .compression = compression,
        .level = (int)random_below(random, 9) + 1,
        .shuffle = random_one_in(random, 2),
        .checksum = random_one_in(random, 2),
        .element = (size_t)1 << random_below(random, 4),
    };
    if (compression == VARVE_ARCHIVE_SZIP)
        filter.scanline = varve__szip_scanline(
            1 + (int64_t)random_below(random, 5000), (int64_t)(size / filter.element));
    return filter;
}

static size_t
random_size(struct random *random, size_t element)
{
    size_t most = random_one_in(random, 3) ? SIZE_MOST : 300;
    return random_below(random, most / element) * element;
}

static void
what_is_encoded_is_decoded(void **state)
{
    struct random random = {1};
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    size_t smaller = 0;
    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        size_t size = random_size(&random, 8);
        struct varve__chunk_filter filter =
            random_filter(&random, i % (VARVE_ARCHIVE_ZSTD + 1), size);
        uint8_t *raw = make_content(&random, (enum content)random_below(&random, CONTENTS), size);
        struct encoded chunk = encode(codec, &filter, raw, size);
        assert_int_equal(decode(codec, &filter, &chunk, true, raw, size), VARVE_OK);
        assert_int_equal(decode(codec, &filter, &chunk, false, raw, size), VARVE_OK);
        assert_true(chunk.mask == 0 || chunk.mask == (filter.shuffle ? 2u : 1u));
        smaller += chunk.size < size;
        test_free(chunk.bytes);
        test_free(raw);
    }
    assert_true(smaller > 800);
    varve__chunk_codec_release(codec);
    varve__chunk_codec_release(NULL);
}

/* Sizes that are no multiple of the element, and elements of other sizes, as HDF5 has them. */
static void
whatever_the_size_of_an_element_shuffling_is_undone(void **state)
{
    struct random random = {2};
    (void)state;
    for (size_t element = 0; element <= 20; element++)
        for (size_t size = 0; size < 400; size++) {
            uint8_t *raw = make_content(&random, NOISE, size);
            uint8_t *shuffled = test_malloc(size + !size), *again = test_malloc(size + !size);
            varve__shuffle(raw, size, element, shuffled);
            for (size_t i = 0; element > 0 && i < size / element * element; i++)
                assert_int_equal(shuffled[i % element * (size / element) + i / element], raw[i]);
            varve__unshuffle(shuffled, size, element, again);
            assert_memory_equal(again, raw, size);
            test_free(raw);
            test_free(shuffled);
            test_free(again);
        }
}

static void
what_does_not_become_smaller_is_stored_and_the_mask_says_so(void **state)
{
    struct random random = {3};
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    uint8_t *raw = make_content(&random, NOISE, 4096);
    (void)state;
    for (unsigned i = VARVE_ARCHIVE_DEFLATE; i <= VARVE_ARCHIVE_ZSTD; i++) {
        struct varve__chunk_filter filter = {.compression = i, .level = 1, .element = 1};
        filter.scanline = i == VARVE_ARCHIVE_SZIP ? 2048 : 0;
        struct encoded chunk = encode(codec, &filter, raw, 4096);
        assert_int_equal(chunk.mask, 1);
        assert_int_equal(chunk.size, 4096);
        assert_memory_equal(chunk.bytes, raw, 4096);
        test_free(chunk.bytes);
    }
    test_free(raw);
    varve__chunk_codec_release(codec);
}

/* As H5_checksum_fletcher32() has it. */
static uint32_t
plain_fletcher32(const uint8_t *bytes, size_t size)
{
    uint32_t first = 0, second = 0;
    for (size_t i = 0; i < size; i += 2) {
        first += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0);
        first = (first & 0xffff) + (first >> 16);
        second += first;
        second = (second & 0xffff) + (second >> 16);
    }
    return second << 16 | first;
}

static void
the_checksum_is_that_of_the_definition(void **state)
{
    struct random random = {4};
    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i < 1200 ? i : random_below(&random, SIZE_MOST);
        uint8_t *bytes = make_content(&random, (enum content)(i % CONTENTS), size);
        if (i % 7 == 0)
            memset(bytes, 0xff, size); /* sums that are multiples of 65535 */
        assert_int_equal(varve__fletcher32(bytes, size), plain_fletcher32(bytes, size));
        test_free(bytes);
    }
}

static void
a_checksum_that_does_not_fit_is_found_when_it_is_looked_at(void **state)
{
    struct random random = {5};
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    struct varve__chunk_filter filter = {.checksum = true, .element = 1};
    uint8_t *raw = make_content(&random, NOISE, 999);
    struct encoded chunk = encode(codec, &filter, raw, 999);
    (void)state;
    assert_int_equal(chunk.size, 999 + 4);
    for (size_t bit = 0; bit < 8 * chunk.size; bit++) {
        chunk.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(decode(codec, &filter, &chunk, true, NULL, 999), VARVE_CORRUPT);
        assert_int_equal(decode(codec, &filter, &chunk, false, NULL, 999), VARVE_OK);
        chunk.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    test_free(chunk.bytes);
    test_free(raw);
    varve__chunk_codec_release(codec);
}

/* Flips bits of compressed bytes: with their checksum they are refused, and without it nothing is read or
 * written where it must not be. */
static void
flipped_bits_are_found_or_harmless(void **state)
{
    struct random random = {6};
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    size_t refused = 0;
    (void)state;
    for (size_t i = 0; i < FLIPS / 10; i++) {
        size_t size = 64 + 8 * random_below(&random, 400);
        struct varve__chunk_filter filter =
            random_filter(&random, i % (VARVE_ARCHIVE_ZSTD + 1), size);
        filter.checksum = true;
        uint8_t *raw = make_content(&random, (enum content)(1 + i % 3), size);
        struct encoded chunk = encode(codec, &filter, raw, size);
        for (unsigned flip = 0; flip < 10; flip++) {
            size_t bit = random_below(&random, 8 * chunk.size);
            chunk.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(decode(codec, &filter, &chunk, true, NULL, size), VARVE_CORRUPT);
            enum varve_status status = decode(codec, &filter, &chunk, false, NULL, size);
            assert_true(status == VARVE_OK || status == VARVE_CORRUPT);
            refused += status == VARVE_CORRUPT;
            chunk.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        test_free(chunk.bytes);
        test_free(raw);
    }
    assert_true(refused > FLIPS / 10); /* by the codecs themselves */
    varve__chunk_codec_release(codec);
}

static void
truncated_chunks_are_refused(void **state)
{
    struct random random = {7};
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    (void)state;
    for (unsigned i = 0; i <= VARVE_ARCHIVE_ZSTD; i++) {
        struct varve__chunk_filter filter = {
            .compression = i, .level = 1, .shuffle = true, .element = 4};
        filter.scanline = varve__szip_scanline(100, 500);
        uint8_t *raw = make_content(&random, SPARSE, 2000);
        struct encoded chunk = encode(codec, &filter, raw, 2000);
        for (size_t size = 0; size < chunk.size; size++) {
            struct encoded part = {test_malloc(size + !size), size, chunk.mask};
            memcpy(part.bytes, chunk.bytes, size);
            enum varve_status status = decode(codec, &filter, &part, false, NULL, 2000);
            /* the last byte of SZIP may have but bits that fill it up */
            bool filling = i == VARVE_ARCHIVE_SZIP && size + 1 == chunk.size;
            assert_true(status == VARVE_CORRUPT || (filling && status == VARVE_OK));
            filter.checksum = true;
            assert_int_equal(decode(codec, &filter, &part, true, NULL, 2000), VARVE_CORRUPT);
            filter.checksum = false;
            test_free(part.bytes);
        }
        test_free(chunk.bytes);
        test_free(raw);
    }
    varve__chunk_codec_release(codec);
}

static void
a_chunk_of_another_size_is_refused(void **state)
{
    static const size_t others[] = {0, 1, 4, 996, 999, 1001, 1004, 4000};
    struct random random = {8};
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    (void)state;
    for (unsigned i = 0; i < 2 * (VARVE_ARCHIVE_ZSTD + 1); i++) {
        struct varve__chunk_filter filter = {
            .compression = i / 2, .level = 1, .shuffle = i % 2, .element = 4};
        filter.scanline = varve__szip_scanline(50, 250);
        uint8_t *raw = make_content(&random, SPARSE, 1000);
        struct encoded chunk = encode(codec, &filter, raw, 1000);
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
            assert_int_equal(decode(codec, &filter, &chunk, false, NULL, others[k]), VARVE_CORRUPT);
        test_free(chunk.bytes);
        test_free(raw);
    }
    varve__chunk_codec_release(codec);
}

static void
bytes_behind_the_stream_are_refused(void **state)
{
    static const enum varve_archive_compression compressions[] = {
        VARVE_ARCHIVE_NONE, VARVE_ARCHIVE_DEFLATE, VARVE_ARCHIVE_LZF, VARVE_ARCHIVE_ZSTD};
    struct random random = {9};
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct varve__chunk_filter filter = {
            .compression = compressions[i], .level = 1, .element = 1};
        uint8_t *raw = make_content(&random, SPARSE, 1000), longer[1100] = {0};
        struct encoded chunk = encode(codec, &filter, raw, 1000);
        memcpy(longer, chunk.bytes, chunk.size);
        struct encoded other = {longer, chunk.size + 3, chunk.mask};
        assert_int_equal(decode(codec, &filter, &other, false, NULL, 1000), VARVE_CORRUPT);
        test_free(chunk.bytes);
        test_free(raw);
    }
    varve__chunk_codec_release(codec);
}

static void
a_mask_of_filters_that_are_not_there_is_refused(void **state)
{
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    const struct varve__chunk_filter two = {
        .compression = VARVE_ARCHIVE_DEFLATE, .level = 1, .shuffle = true, .element = 4};
    const struct varve__chunk_filter none = {.element = 4};
    uint8_t raw[64] = {0};
    struct encoded chunk = {raw, sizeof raw, 3};
    (void)state;
    assert_int_equal(decode(codec, &two, &chunk, true, raw, sizeof raw), VARVE_OK);
    chunk.mask = 4 | 3;
    assert_int_equal(decode(codec, &two, &chunk, true, raw, sizeof raw), VARVE_CORRUPT);
    chunk.mask = UINT32_MAX;
    assert_int_equal(decode(codec, &two, &chunk, true, raw, sizeof raw), VARVE_CORRUPT);
    chunk.mask = 1;
    assert_int_equal(decode(codec, &none, &chunk, true, raw, sizeof raw), VARVE_CORRUPT);
    varve__chunk_codec_release(codec);
}

/* Each filter alone may have been left out, by whoever wrote the file. */
static void
each_filter_may_be_left_out(void **state)
{
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    struct varve__chunk_filter all = {VARVE_ARCHIVE_DEFLATE, 1, true, true, 4, 0}, some;
    struct random random = {10};
    uint8_t *raw = make_content(&random, STEPS, 4000);
    (void)state;
    for (uint32_t mask = 0; mask < 8; mask++) {
        some = all;
        some.shuffle = !(mask & 1);
        some.compression = mask & 2 ? VARVE_ARCHIVE_NONE : VARVE_ARCHIVE_DEFLATE;
        some.checksum = !(mask & 4);
        struct encoded chunk = encode(codec, &some, raw, 4000);
        assert_int_equal(chunk.mask, 0);
        chunk.mask = mask;
        assert_int_equal(decode(codec, &all, &chunk, true, raw, 4000), VARVE_OK);
        test_free(chunk.bytes);
    }
    test_free(raw);
    varve__chunk_codec_release(codec);
}

/* The codec has no memory of its own yet. memcpy() of NULL is undefined even of no bytes: UBSan would say so. */
static void
a_chunk_of_nothing_is_read_and_written(void **state)
{
    (void)state;
    for (int compression = 0; compression <= VARVE_ARCHIVE_ZSTD; compression++) {
        const struct varve__chunk_filter filter = {
            (enum varve_archive_compression)compression, 1, true, false, 8, 0};
        struct varve__chunk_codec *codec = varve__chunk_codec_create();
        uint8_t into = 7, room = 7;
        size_t written = 1;
        uint32_t mask;
        enum varve_status status =
            varve__chunk_decode(codec, &filter, 0, false, &room, 0, &into, 0);
        assert_true(status == VARVE_OK || status == VARVE_CORRUPT);
        assert_true(status == VARVE_OK || compression != VARVE_ARCHIVE_NONE);
        assert_int_equal(
            varve__chunk_encode(codec, &filter, NULL, 0, &room, &written, &mask), VARVE_OK);
        assert_int_equal(written, 0);
        assert_int_equal(
            varve__chunk_decode(codec, &filter, mask, false, NULL, 0, &into, 0), VARVE_OK);
        assert_int_equal(into, 7);
        assert_int_equal(room, 7);
        varve__chunk_codec_release(codec);
    }
}

static void
the_bound_of_what_memory_cannot_hold_is_zero(void **state)
{
    struct varve__chunk_filter filter = {.checksum = true, .element = 1};
    (void)state;
    assert_int_equal(varve__chunk_bound(&filter, 100), 104);
    assert_int_equal(varve__chunk_bound(&filter, SIZE_MAX), 0);
    assert_int_equal(varve__chunk_bound(&filter, SIZE_MAX - 3), 0);
    assert_int_equal(varve__chunk_bound(&filter, PTRDIFF_MAX), 0);
    filter.checksum = false;
    assert_int_equal(varve__chunk_bound(&filter, SIZE_MAX), 0);
    assert_int_equal(varve__chunk_bound(&filter, 100), 100);
}

static void
without_memory_nothing_is_shuffled(void **state)
{
    static const struct varve__chunk_filter filter = {VARVE_ARCHIVE_DEFLATE, 1, true, true, 4, 0};
    uint8_t raw[400] = {0}, room[500], again[400];
    size_t written;
    uint32_t mask;
    (void)state;
    count_allocations(1);
    assert_null(varve__chunk_codec_create());
    stop_counting();
    struct varve__chunk_codec *codec;
    count_allocations(2);
    codec = varve__chunk_codec_create();
    assert_int_equal(
        varve__chunk_encode(codec, &filter, raw, sizeof raw, room, &written, &mask),
        VARVE_NO_MEMORY);
    assert_int_equal(
        varve__chunk_encode(codec, &filter, raw, sizeof raw, room, &written, &mask), VARVE_OK);
    assert_int_equal(
        varve__chunk_decode(codec, &filter, mask, true, room, written, again, sizeof raw),
        VARVE_OK);
    assert_memory_equal(again, raw, sizeof raw);
    varve__chunk_codec_release(codec);
    assert_int_equal(stop_counting(), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(whatever_the_size_of_an_element_shuffling_is_undone),
        cmocka_unit_test(what_does_not_become_smaller_is_stored_and_the_mask_says_so),
        cmocka_unit_test(the_checksum_is_that_of_the_definition),
        cmocka_unit_test(a_checksum_that_does_not_fit_is_found_when_it_is_looked_at),
        cmocka_unit_test(flipped_bits_are_found_or_harmless),
        cmocka_unit_test(truncated_chunks_are_refused),
        cmocka_unit_test(a_chunk_of_another_size_is_refused),
        cmocka_unit_test(bytes_behind_the_stream_are_refused),
        cmocka_unit_test(a_mask_of_filters_that_are_not_there_is_refused),
        cmocka_unit_test(each_filter_may_be_left_out),
        cmocka_unit_test(a_chunk_of_nothing_is_read_and_written),
        cmocka_unit_test(the_bound_of_what_memory_cannot_hold_is_zero),
        cmocka_unit_test(without_memory_nothing_is_shuffled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
