/* Values of the cache: one byte that names the codec, then the record's protobuf bytes, compressed by it.
 *
 *     0 NONE      the bytes
 *     1 ZSTD      a zstd frame that says its content's size
 *     2 LZ4       size of the bytes (uint32, little-endian), then an LZ4 block
 *     3 DEFLATE   size of the bytes (uint32, little-endian), then a zlib stream
 *
 * A value that would not get smaller is stored as NONE. */
#ifndef VARVE_CODEC_CACHE_VALUE_H
#define VARVE_CODEC_CACHE_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

/* Contexts of the codecs and a buffer for what they make, reused by every call; one in each session. All
 * zero is a good beginning. */
struct varve__cache_codec {
    void *zstd_compress; /* ZSTD_CCtx, made when it is first needed, as the others are */
    void *zstd_decompress;
    void *deflate_compress; /* struct libdeflate_compressor */
    void *deflate_decompress;
    uint8_t
        *plain; /* of the value that was decoded last, or of one that is compressed in its place */
    size_t plain_size;
};

void
varve__cache_codec_release(struct varve__cache_codec *codec);

/* The size that varve__cache_value_encode() may need for so many bytes: of them all, so that there is always
 * room for NONE. */
static inline size_t
varve__cache_value_bound(size_t size)
{
    return size + 1;
}

/* Writes the value of `size` packed bytes into `out`, of at least varve__cache_value_bound(size) bytes; *written
 * is its size. The bytes may lie in `out` already, from out + 1 on: then NONE moves nothing. Compresses when
 * size > above (-1: never) and the result is smaller than NONE's. VARVE_NO_MEMORY: a context could not be made. */
enum varve_status
varve__cache_value_encode(
    struct varve__cache_codec *codec,
    enum varve_cache_compression compression,
    int64_t above,
    const uint8_t *bytes,
    size_t size,
    uint8_t *out,
    size_t *written);

/* Finds the packed bytes of a value: *bytes points into the value, or into the codec's buffer, until the next
 * call. The value may come from anywhere. VARVE_CORRUPT (tier cache; `record` names it): no such codec, a
 * stream that is damaged or ends early, a size over `most`, which is looked at before any memory is taken. */
enum varve_status
varve__cache_value_decode(
    struct varve__cache_codec *codec,
    const struct varve_record *record,
    const void *value,
    size_t size,
    size_t most,
    const uint8_t **bytes,
    size_t *bytes_size);

#endif
