/* libFuzzer's target for chunks. An input is a filter, a mask, a size, and the bytes of a chunk. Whatever
 * they are, decoding keeps to its memory and says VARVE_OK or VARVE_CORRUPT; and what came out, or the input
 * itself, comes back from every filter, also in a form that is damaged where the input says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/chunk.h"

#include "require.h"

enum {
    HEAD_SIZE = 6,
    ELEMENTS = 4,
    SIZE_MOST = 1 << 14 /* of the raw chunk */
};

static struct varve__chunk_codec *codec; /* used again by every input, as a thread does */

/* By the bits of two bytes. */
static struct varve__chunk_filter
choose_filter(const uint8_t *data, size_t size)
{
    struct varve__chunk_filter filter = {
        .compression = (enum varve_archive_compression)(data[0] % (VARVE_ARCHIVE_ZSTD + 1)),
        .level = 1 + data[0] / 32,
        .shuffle = data[1] & 1,
        .checksum = data[1] & 2,
        .element = (size_t)1 << (data[1] >> 2) % ELEMENTS,
    };
    filter.scanline =
        varve__szip_scanline(1 + 20 * (data[1] >> 4), (int64_t)(size / filter.element));
    return filter;
}

/* Changes up to three bytes, and cuts some off, as the last raw bytes say. */
static void
damage(uint8_t *bytes, size_t *count, const uint8_t *raw, size_t size)
{
    for (size_t i = 0; i < 3 && size >= 3 * (i + 1); i++) {
        const uint8_t *how = raw + size - 3 * (i + 1);
        bytes[(size_t)(how[0] | how[1] << 8) % *count] ^= how[2];
    }
    if (size > 0 && raw[0] % 4 == 0)
        *count -= raw[0] / 4u % *count;
}

static void
check_damaged(
    const struct varve__chunk_filter *filter,
    uint32_t mask,
    uint8_t *bytes,
    size_t count,
    const uint8_t *raw,
    size_t size)
{
    if (count == 0)
        return;
    damage(bytes, &count, raw, size);
    uint8_t *exact = malloc(count), *again = malloc(size + !size); /* nothing behind them */
    REQUIRE(exact && again);
    memcpy(exact, bytes, count);
    enum varve_status status =
        varve__chunk_decode(codec, filter, mask, false, exact, count, again, size);
    REQUIRE(status == VARVE_OK || status == VARVE_CORRUPT);
    free(exact);
    free(again);
}

static void
check_round_trip(const struct varve__chunk_filter *filter, const uint8_t *raw, size_t size)
{
    size_t written, bound = varve__chunk_bound(filter, size);
    uint32_t mask;
    uint8_t *bytes = malloc(bound + !bound), *again = malloc(size + !size);
    REQUIRE(bytes && again);
    REQUIRE(!varve__chunk_encode(codec, filter, raw, size, bytes, &written, &mask));
    REQUIRE(written <= bound);
    REQUIRE(!varve__chunk_decode(codec, filter, mask, true, bytes, written, again, size));
    REQUIRE(memcmp(raw, again, size) == 0);
    check_damaged(filter, mask, bytes, written, raw, size);
    free(bytes);
    free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_SIZE)
        return -1; /* not for the corpus */
    if (!codec)
        codec = varve__chunk_codec_create();
    REQUIRE(codec);
    size_t raw_size = (size_t)(data[2] | data[3] << 8) % SIZE_MOST;
    struct varve__chunk_filter filter = choose_filter(data, raw_size);
    uint8_t *raw = malloc(raw_size + !raw_size);
    REQUIRE(raw);
    enum varve_status status = varve__chunk_decode(
        codec, &filter, data[4], data[5] & 1, data + HEAD_SIZE, size - HEAD_SIZE, raw, raw_size);
    REQUIRE(status == VARVE_OK || status == VARVE_CORRUPT);
    if (status == VARVE_OK)
        check_round_trip(&filter, raw, raw_size);
    check_round_trip(&filter, data, size);
    free(raw);
    return 0;
}
