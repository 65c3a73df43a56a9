/* Values of the cache: a byte that names the codec, and bytes that it compressed. What is read may come from
 * anywhere, so each size is looked at before memory is taken for it. */
#include "codec/cache_value.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <libdeflate.h>
#include <lz4.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/error.h"
#include "base/memory.h"

enum {
    ZSTD_LEVEL = 1,
    DEFLATE_LEVEL = 1,      /* higher ones take three times the memory, for 5% */
    SIZE_BYTES = 4,         /* of the size before an LZ4 block or a zlib stream */
    BUFFER_STEP = 4 << 10,  /* the buffer grows by so many bytes, .. */
    BUFFER_LARGE = 1 << 20, /* .. and one above this is given back .. */
    BUFFER_MUCH = 4,        /* .. when the next value is so many times smaller */
    ZSTD_MAGIC_SIZE = 4
};

/* The most that a byte of a stream can become, by the formats: an RLE block of zstd has four bytes for 128
 * KiB, a match of LZ4 a byte for 255, one of DEFLATE two bits for 258. */
enum {
    ZSTD_BLOCK_MIN = 4,
    ZSTD_BLOCK_MOST = 128 << 10,
    LZ4_MOST = 255,
    DEFLATE_MOST = 4 * 258
};

/* ------------------------------------------------------------------ the buffer */

static void
drop_buffer(struct varve__cache_codec *codec)
{
    varve__release(codec->plain);
    codec->plain = NULL;
    codec->plain_size = 0;
}

/* Gives a large buffer back once values are small again: a session keeps no megabytes for one of them. */
static inline void
trim_buffer(struct varve__cache_codec *codec, size_t size)
{
    if (codec->plain_size > BUFFER_LARGE && size < codec->plain_size / BUFFER_MUCH)
        drop_buffer(codec);
}

/* Room for `size` bytes; NULL: no memory. */
static uint8_t *
reserve(struct varve__cache_codec *codec, size_t size)
{
    if (codec->plain && size <= codec->plain_size)
        return codec->plain;
    drop_buffer(codec);
    if (size > SIZE_MAX - BUFFER_STEP)
        return NULL;
    size_t rounded = (size / BUFFER_STEP + 1) * BUFFER_STEP;
    codec->plain = varve__allocate(rounded);
    codec->plain_size = codec->plain ? rounded : 0;
    return codec->plain;
}

void
varve__cache_codec_release(struct varve__cache_codec *codec)
{
    ZSTD_freeCCtx(codec->zstd_compress);
    ZSTD_freeDCtx(codec->zstd_decompress);
    libdeflate_free_compressor(codec->deflate_compress);
    libdeflate_free_decompressor(codec->deflate_decompress);
    drop_buffer(codec);
    *codec = (struct varve__cache_codec){0};
}

static enum varve_status
fail_context(const char *record, const char *name)
{
    return varve__fail(
        VARVE_NO_MEMORY, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, record,
        "out of memory: %s could not get what it needs to work; free some, or set another "
        "compression",
        name);
}

static void
write_size(uint8_t *out, size_t size)
{
    for (unsigned i = 0; i < SIZE_BYTES; i++)
        out[i] = (uint8_t)(size >> (8 * i));
}

static size_t
read_size(const uint8_t *at)
{
    return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

/* ------------------------------------------------------------------ compressing */

/* The three below compress into at most `room` bytes; *written is 0 when that is not enough. */

static enum varve_status
compress_zstd(
    struct varve__cache_codec *codec,
    const uint8_t *bytes,
    size_t size,
    uint8_t *out,
    size_t room,
    size_t *written)
{
    if (!codec->zstd_compress && !(codec->zstd_compress = ZSTD_createCCtx()))
        return fail_context(NULL, "zstd");
    size_t made = ZSTD_compressCCtx(codec->zstd_compress, out, room, bytes, size, ZSTD_LEVEL);
    if (!ZSTD_isError(made))
        *written = made;
    else if (ZSTD_getErrorCode(made) != ZSTD_error_dstSize_tooSmall)
        return fail_context(NULL, "zstd");
    return VARVE_OK;
}

static enum varve_status
compress_lz4(const uint8_t *bytes, size_t size, uint8_t *out, size_t room, size_t *written)
{
    if (size > LZ4_MAX_INPUT_SIZE || room <= SIZE_BYTES)
        return VARVE_OK;
    int made = LZ4_compress_default(
        (const char *)bytes, (char *)out + SIZE_BYTES, (int)size, (int)(room - SIZE_BYTES));
    if (made > 0) {
        write_size(out, size);
        *written = SIZE_BYTES + (size_t)made;
    }
    return VARVE_OK;
}

static enum varve_status
compress_deflate(
    struct varve__cache_codec *codec,
    const uint8_t *bytes,
    size_t size,
    uint8_t *out,
    size_t room,
    size_t *written)
{
    if (size > UINT32_MAX || room <= SIZE_BYTES)
        return VARVE_OK;
    if (!codec->deflate_compress &&
        !(codec->deflate_compress = libdeflate_alloc_compressor(DEFLATE_LEVEL)))
        return fail_context(NULL, "libdeflate");
    size_t made = libdeflate_zlib_compress(
        codec->deflate_compress, bytes, size, out + SIZE_BYTES, room - SIZE_BYTES);
    if (made > 0) {
        write_size(out, size);
        *written = SIZE_BYTES + made;
    }
    return VARVE_OK;
}

static enum varve_status
compress(
    struct varve__cache_codec *codec,
    enum varve_cache_compression compression,
    const uint8_t *bytes,
    size_t size,
    uint8_t *out,
    size_t *written)
{
    size_t room = size - 1; /* smaller, or not at all */
    *written = 0;
    switch (compression) {
    case VARVE_CACHE_ZSTD:
        return compress_zstd(codec, bytes, size, out, room, written);
    case VARVE_CACHE_LZ4:
        return compress_lz4(bytes, size, out, room, written);
    case VARVE_CACHE_DEFLATE:
        return compress_deflate(codec, bytes, size, out, room, written);
    default:
        return VARVE_OK;
    }
}

/* Compresses bytes that may lie where the result belongs: by way of the buffer then. */
static enum varve_status
compress_in_place(
    struct varve__cache_codec *codec,
    enum varve_cache_compression compression,
    const uint8_t *bytes,
    size_t size,
    uint8_t *out,
    size_t *written)
{
    if (bytes != out)
        return compress(codec, compression, bytes, size, out, written);
    uint8_t *buffer = reserve(codec, size);
    if (!buffer)
        return varve__fail_memory(NULL, size);
    enum varve_status status = compress(codec, compression, bytes, size, buffer, written);
    if (status == VARVE_OK)
        memcpy(out, buffer, *written);
    return status;
}

enum varve_status
varve__cache_value_encode(
    struct varve__cache_codec *codec,
    enum varve_cache_compression compression,
    int64_t above,
    const uint8_t *bytes,
    size_t size,
    uint8_t *out,
    size_t *written)
{
    size_t compressed = 0;
    trim_buffer(codec, size);
    *written = 0;
    if (compression != VARVE_CACHE_NONE && above >= 0 && size > (uint64_t)above) {
        enum varve_status status =
            compress_in_place(codec, compression, bytes, size, out + 1, &compressed);
        if (status != VARVE_OK)
            return status;
    }
    out[0] = (uint8_t)(compressed > 0 ? compression : VARVE_CACHE_NONE);
    if (compressed == 0 && size > 0 && bytes != out + 1)
        memcpy(out + 1, bytes, size);
    *written = 1 + (compressed > 0 ? compressed : size);
    return VARVE_OK;
}

/* ------------------------------------------------------------------ decompressing */

/* A value that is read: what follows its first byte, and what that says to become. */
struct stream {
    const char *record;
    const char *codec;
    const uint8_t *bytes;
    size_t size;
    size_t plain;   /* bytes that it says to hold */
    uint64_t could; /* bytes that so many can hold at the most */
};

static enum varve_status
fail_damaged(const struct stream *stream, const char *what)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, stream->record,
        "a cached %s is damaged: its %s stream of %zu bytes %s; put it anew, or delete it",
        stream->record, stream->codec, stream->size, what);
}

static enum varve_status
fail_large(const struct stream *stream, size_t most)
{
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_SIZE, VARVE_TIER_CACHE, stream->record,
        "a cached %s says that it has %zu packed bytes, and %zu are allowed; delete it, or raise "
        "cache_value_bytes",
        stream->record, stream->plain, most);
}

static enum varve_status
begin_zstd(struct stream *stream)
{
    static const uint8_t magic[ZSTD_MAGIC_SIZE] = {0x28, 0xB5, 0x2F, 0xFD};
    stream->codec = "zstd";
    if (stream->size < sizeof magic || memcmp(stream->bytes, magic, sizeof magic) != 0)
        return fail_damaged(stream, "is no frame");
    unsigned long long plain = ZSTD_getFrameContentSize(stream->bytes, stream->size);
    if (plain == ZSTD_CONTENTSIZE_ERROR)
        return fail_damaged(stream, "begins with no header of a frame");
    if (plain == ZSTD_CONTENTSIZE_UNKNOWN)
        return fail_damaged(stream, "does not say what size its content has");
    stream->plain = plain > SIZE_MAX ? SIZE_MAX : (size_t)plain;
    stream->could = (uint64_t)stream->size / ZSTD_BLOCK_MIN * ZSTD_BLOCK_MOST;
    return VARVE_OK;
}

static enum varve_status
begin_sized(struct stream *stream, const char *codec, size_t most)
{
    stream->codec = codec;
    if (stream->size < SIZE_BYTES)
        return fail_damaged(stream, "ends before its content's size does");
    stream->plain = read_size(stream->bytes);
    stream->bytes += SIZE_BYTES;
    stream->size -= SIZE_BYTES;
    stream->could = (uint64_t)stream->size * most;
    return VARVE_OK;
}

/* Finds out how large the plain bytes are to be. */
static enum varve_status
begin_stream(struct stream *stream, unsigned codec)
{
    switch (codec) {
    case VARVE_CACHE_ZSTD:
        return begin_zstd(stream);
    case VARVE_CACHE_LZ4:
        return begin_sized(stream, "LZ4", LZ4_MOST);
    case VARVE_CACHE_DEFLATE:
        return begin_sized(stream, "DEFLATE", DEFLATE_MOST);
    default:
        return varve__fail(
            VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, stream->record,
            "a cached %s is of the codec %u, which there is not; put it anew with this version of "
            "varve, or delete it",
            stream->record, codec);
    }
}

/* One frame, and nothing behind it. */
static enum varve_status
decompress_zstd(
    struct varve__cache_codec *codec, const struct stream *stream, uint8_t *out, bool *good)
{
    if (!codec->zstd_decompress && !(codec->zstd_decompress = ZSTD_createDCtx()))
        return fail_context(stream->record, "zstd");
    if (ZSTD_findFrameCompressedSize(stream->bytes, stream->size) != stream->size)
        return VARVE_OK;
    size_t made = ZSTD_decompressDCtx(
        codec->zstd_decompress, out, stream->plain, stream->bytes, stream->size);
    if (ZSTD_isError(made) && ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation)
        return fail_context(stream->record, "zstd");
    *good = made == stream->plain;
    return VARVE_OK;
}

static void
decompress_lz4(const struct stream *stream, uint8_t *out, bool *good)
{
    if (stream->size > INT_MAX || stream->plain > INT_MAX)
        return;
    int made = LZ4_decompress_safe(
        (const char *)stream->bytes, (char *)out, (int)stream->size, (int)stream->plain);
    *good = made >= 0 && (size_t)made == stream->plain;
}

static enum varve_status
decompress_deflate(
    struct varve__cache_codec *codec, const struct stream *stream, uint8_t *out, bool *good)
{
    if (!codec->deflate_decompress &&
        !(codec->deflate_decompress = libdeflate_alloc_decompressor()))
        return fail_context(stream->record, "libdeflate");
    size_t taken = 0;
    enum libdeflate_result result = libdeflate_zlib_decompress_ex(
        codec->deflate_decompress, stream->bytes, stream->size, out, stream->plain, &taken, NULL);
    *good = result == LIBDEFLATE_SUCCESS && taken == stream->size;
    return VARVE_OK;
}

static enum varve_status
decompress(
    struct varve__cache_codec *codec, unsigned which, const struct stream *stream, uint8_t *out)
{
    bool good = false;
    enum varve_status status = VARVE_OK;
    if (which == VARVE_CACHE_ZSTD)
        status = decompress_zstd(codec, stream, out, &good);
    else if (which == VARVE_CACHE_LZ4)
        decompress_lz4(stream, out, &good);
    else
        status = decompress_deflate(codec, stream, out, &good);
    if (status == VARVE_OK && !good)
        return fail_damaged(stream, "cannot be unpacked to what it says to hold");
    return status;
}

static enum varve_status
decode_stream(struct varve__cache_codec *codec, unsigned which, struct stream *stream, size_t most)
{
    enum varve_status status = begin_stream(stream, which);
    if (status != VARVE_OK)
        return status;
    if (stream->plain > most)
        return fail_large(stream, most);
    if (stream->plain > stream->could)
        return fail_damaged(stream, "is too short for what it says to hold");
    trim_buffer(codec, stream->plain);
    uint8_t *buffer = reserve(codec, stream->plain);
    if (!buffer)
        return varve__fail_memory(stream->record, stream->plain);
    return decompress(codec, which, stream, buffer);
}

enum varve_status
varve__cache_value_decode(
    struct varve__cache_codec *codec,
    const struct varve_record *record,
    const void *value,
    size_t size,
    size_t most,
    const uint8_t **bytes,
    size_t *bytes_size)
{
    struct stream stream = {.record = record->descriptor->name};
    const uint8_t *first = value;
    *bytes = NULL;
    *bytes_size = 0;
    if (size == 0)
        return varve__fail(
            VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, stream.record,
            "a cached %s is empty, without the byte that names its codec; put it anew, or delete "
            "it",
            stream.record);
    stream.bytes = first + 1;
    stream.size = size - 1;
    if (first[0] == VARVE_CACHE_NONE) {
        stream.plain = stream.size;
        trim_buffer(codec, stream.size);
        if (stream.plain > most)
            return fail_large(&stream, most);
        *bytes = stream.bytes;
    } else {
        enum varve_status status = decode_stream(codec, first[0], &stream, most);
        if (status != VARVE_OK)
            return status;
        *bytes = codec->plain;
    }
    *bytes_size = stream.plain;
    return VARVE_OK;
}
