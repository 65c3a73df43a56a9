/* The pipeline of a chunk's filters. Bytes go through the codec's buffer only between two filters that each
 * need a place of their own: shuffle and compression. */
#include "codec/chunk.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/chunk_compress.h"
#include "codec/chunk_shuffle.h"

enum {
    CHECKSUM_SIZE = 4
};

struct varve__chunk_codec {
    struct varve__chunk_contexts contexts;
    uint8_t *buffer;
    size_t buffer_size;
};

struct varve__chunk_codec *
varve__chunk_codec_create(void)
{
    struct varve__chunk_codec *codec = varve__allocate(sizeof *codec);
    if (codec)
        *codec = (struct varve__chunk_codec){0};
    return codec;
}

void
varve__chunk_codec_release(struct varve__chunk_codec *codec)
{
    if (!codec)
        return;
    varve__chunk_contexts_release(&codec->contexts);
    varve__release(codec->buffer);
    varve__release(codec);
}

static enum varve_status
reserve(struct varve__chunk_codec *codec, size_t size)
{
    if (size <= codec->buffer_size)
        return VARVE_OK;
    varve__release(codec->buffer);
    codec->buffer = varve__allocate(size);
    codec->buffer_size = codec->buffer ? size : 0;
    return codec->buffer ? VARVE_OK : varve__fail_memory(NULL, size);
}

/* ------------------------------------------------------------------ the pipeline */

/* The filters of a pipeline: each one's bit in the mask of what is left out, or 0 where it is not in it. */
struct pipeline {
    uint32_t shuffle, compression, checksum;
};

static struct pipeline
pipeline_of(const struct varve__chunk_filter *filter)
{
    uint32_t bit = 1;
    struct pipeline pipeline = {0};
    if (filter->shuffle) {
        pipeline.shuffle = bit;
        bit <<= 1;
    }
    if (filter->compression != VARVE_ARCHIVE_NONE) {
        pipeline.compression = bit;
        bit <<= 1;
    }
    if (filter->checksum)
        pipeline.checksum = bit;
    return pipeline;
}

size_t
varve__chunk_bound(const struct varve__chunk_filter *filter, size_t size)
{
    size_t bound;
    if (!varve__size_add(size, filter->checksum ? CHECKSUM_SIZE : 0, &bound))
        return 0;
    return bound <= PTRDIFF_MAX ? bound : 0;
}

/* ------------------------------------------------------------------ encoding */

static void
write_checksum(uint8_t *to, size_t size)
{
    uint32_t sum = varve__fletcher32(to, size);
    for (unsigned i = 0; i < CHECKSUM_SIZE; i++)
        to[size + i] = (uint8_t)(sum >> (8 * i));
}

/* Shuffles and compresses; *written is 0 when it did not become smaller. */
static enum varve_status
compress(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    const uint8_t *raw,
    size_t size,
    uint8_t *to,
    size_t *written)
{
    enum varve_status status = VARVE_OK;
    *written = 0;
    if (filter->compression == VARVE_ARCHIVE_NONE || size == 0)
        return VARVE_OK;
    if (filter->shuffle && filter->element > 1) {
        if ((status = reserve(codec, size)))
            return status;
        varve__shuffle(raw, size, filter->element, codec->buffer);
        raw = codec->buffer;
    }
    return varve__chunk_compress(&codec->contexts, filter, raw, size, to, size - 1, written);
}

enum varve_status
varve__chunk_encode(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    const void *raw,
    size_t size,
    void *to,
    size_t *written,
    uint32_t *mask)
{
    *mask = 0;
    enum varve_status status = compress(codec, filter, raw, size, to, written);
    if (status)
        return status;
    if (*written == 0) {
        *mask = pipeline_of(filter).compression;
        varve__shuffle(raw, size, filter->shuffle ? filter->element : 1, to);
        *written = size;
    }
    if (filter->checksum) {
        write_checksum(to, *written);
        *written += CHECKSUM_SIZE;
    }
    return VARVE_OK;
}

/* ------------------------------------------------------------------ decoding */

/* Takes the checksum off the end. */
static bool
has_checksum(const uint8_t *bytes, size_t *count, bool verify)
{
    uint32_t sum = 0;
    if (*count < CHECKSUM_SIZE)
        return false;
    *count -= CHECKSUM_SIZE;
    if (!verify)
        return true;
    for (unsigned i = 0; i < CHECKSUM_SIZE; i++)
        sum |= (uint32_t)bytes[*count + i] << (8 * i);
    return sum == varve__fletcher32(bytes, *count);
}

/* What was compressed, to `raw` or by way of the buffer. */
static enum varve_status
decompress(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    size_t element,
    const uint8_t *bytes,
    size_t count,
    uint8_t *raw,
    size_t size)
{
    if (element <= 1)
        return varve__chunk_decompress(&codec->contexts, filter, bytes, count, raw, size);
    enum varve_status status = reserve(codec, size);
    if (!status)
        status =
            varve__chunk_decompress(&codec->contexts, filter, bytes, count, codec->buffer, size);
    if (!status)
        varve__unshuffle(codec->buffer, size, element, raw);
    return status;
}

enum varve_status
varve__chunk_decode(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    uint32_t mask,
    bool verify,
    const void *bytes,
    size_t count,
    void *raw,
    size_t size)
{
    const struct pipeline pipeline = pipeline_of(filter);
    if (mask & ~(pipeline.shuffle | pipeline.compression | pipeline.checksum))
        return VARVE_CORRUPT;
    if (pipeline.checksum & ~mask && !has_checksum(bytes, &count, verify))
        return VARVE_CORRUPT;
    size_t element = pipeline.shuffle & ~mask ? filter->element : 1;
    if (pipeline.compression & ~mask)
        return decompress(codec, filter, element, bytes, count, raw, size);
    if (count != size)
        return VARVE_CORRUPT;
    varve__unshuffle(bytes, size, element, raw);
    return VARVE_OK;
}
