/* DEFLATE (in zlib's format), Zstandard and LZF. */
#include "codec/chunk_compress.h"

#include <limits.h>
#include <string.h>

#include <libdeflate.h>
#include <lzf.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/error.h"

enum {
    DEFLATE_LEVEL_SHIFTED = 6, /* the last that stands for the one below */
    DEFLATE_LEVEL_MOST = 12
};

void
varve__chunk_contexts_release(struct varve__chunk_contexts *contexts)
{
    libdeflate_free_compressor(contexts->deflate_compress);
    libdeflate_free_decompressor(contexts->deflate_decompress);
    ZSTD_freeCCtx(contexts->zstd_compress);
    ZSTD_freeDCtx(contexts->zstd_decompress);
    *contexts = (struct varve__chunk_contexts){0};
}

static enum varve_status
fail_context(const char *library)
{
    return varve__fail(
        VARVE_NO_MEMORY, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "out of memory: %s could not get what it needs to work; free some, or set another "
        "compression",
        library);
}

/* ------------------------------------------------------------------ DEFLATE */

/* The level of libdeflate for one of zlib's, which is what a schema's number is taken for: one below makes files
 * as small as zlib's (of shuffled floats 0.94 to 1.01 of them) in less time than its own of that number. */
static int
deflate_level(int level)
{
    if (level <= 1)
        return level < 0 ? 0 : level;
    if (level <= DEFLATE_LEVEL_SHIFTED)
        return level - 1;
    return level < DEFLATE_LEVEL_MOST ? level : DEFLATE_LEVEL_MOST;
}

static enum varve_status
deflate_compress(
    struct varve__chunk_contexts *contexts,
    int level,
    const uint8_t *bytes,
    size_t size,
    uint8_t *to,
    size_t room,
    size_t *written)
{
    level = deflate_level(level);
    if (contexts->deflate_compress && contexts->deflate_level != level) {
        libdeflate_free_compressor(contexts->deflate_compress);
        contexts->deflate_compress = NULL;
    }
    contexts->deflate_level = level;
    if (!contexts->deflate_compress &&
        !(contexts->deflate_compress = libdeflate_alloc_compressor(level)))
        return fail_context("libdeflate");
    *written = libdeflate_zlib_compress(contexts->deflate_compress, bytes, size, to, room);
    return VARVE_OK;
}

static enum varve_status
deflate_decompress(
    struct varve__chunk_contexts *contexts,
    const uint8_t *bytes,
    size_t count,
    uint8_t *to,
    size_t size)
{
    size_t used = 0;
    if (!contexts->deflate_decompress &&
        !(contexts->deflate_decompress = libdeflate_alloc_decompressor()))
        return fail_context("libdeflate");
    enum libdeflate_result result = libdeflate_zlib_decompress_ex(
        contexts->deflate_decompress, bytes, count, to, size, &used, NULL);
    return result == LIBDEFLATE_SUCCESS && used == count ? VARVE_OK : VARVE_CORRUPT;
}

/* ------------------------------------------------------------------ Zstandard */

static enum varve_status
zstd_compress(
    struct varve__chunk_contexts *contexts,
    int level,
    const uint8_t *bytes,
    size_t size,
    uint8_t *to,
    size_t room,
    size_t *written)
{
    if (!contexts->zstd_compress && !(contexts->zstd_compress = ZSTD_createCCtx()))
        return fail_context("zstd");
    size_t made = ZSTD_compressCCtx(contexts->zstd_compress, to, room, bytes, size, level);
    if (!ZSTD_isError(made))
        *written = made;
    else if (ZSTD_getErrorCode(made) != ZSTD_error_dstSize_tooSmall)
        return fail_context("zstd");
    return VARVE_OK;
}

static enum varve_status
zstd_decompress(
    struct varve__chunk_contexts *contexts,
    const uint8_t *bytes,
    size_t count,
    uint8_t *to,
    size_t size)
{
    if (!contexts->zstd_decompress && !(contexts->zstd_decompress = ZSTD_createDCtx()))
        return fail_context("zstd");
    size_t made = ZSTD_decompressDCtx(contexts->zstd_decompress, to, size, bytes, count);
    if (ZSTD_isError(made) && ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation)
        return fail_context("zstd");
    return made == size ? VARVE_OK : VARVE_CORRUPT; /* an error is no size */
}

/* ------------------------------------------------------------------ LZF */

static size_t
lzf_compress_most(const uint8_t *bytes, size_t size, uint8_t *to, size_t room)
{
    if (size > UINT_MAX || room == 0)
        return 0;
    return lzf_compress(bytes, (unsigned)size, to, (unsigned)room);
}

static enum varve_status
lzf_decompress_all(const uint8_t *bytes, size_t count, uint8_t *to, size_t size)
{
    if (count == 0 || count > UINT_MAX || size > UINT_MAX)
        return VARVE_CORRUPT;
    unsigned made = lzf_decompress(bytes, (unsigned)count, to, (unsigned)size);
    return made > 0 && made == size ? VARVE_OK : VARVE_CORRUPT;
}

/* ------------------------------------------------------------------ all of them */

enum varve_status
varve__chunk_compress(
    struct varve__chunk_contexts *contexts,
    const struct varve__chunk_filter *filter,
    const uint8_t *bytes,
    size_t size,
    uint8_t *to,
    size_t room,
    size_t *written)
{
    *written = 0;
    switch (filter->compression) {
    case VARVE_ARCHIVE_DEFLATE:
        return deflate_compress(contexts, filter->level, bytes, size, to, room, written);
    case VARVE_ARCHIVE_ZSTD:
        return zstd_compress(contexts, filter->level, bytes, size, to, room, written);
    case VARVE_ARCHIVE_LZF:
        *written = lzf_compress_most(bytes, size, to, room);
        return VARVE_OK;
    case VARVE_ARCHIVE_SZIP:
        return varve__szip_compress(filter, bytes, size, to, room, written);
    case VARVE_ARCHIVE_NONE:
        break;
    }
    return VARVE_OK;
}

enum varve_status
varve__chunk_decompress(
    struct varve__chunk_contexts *contexts,
    const struct varve__chunk_filter *filter,
    const uint8_t *bytes,
    size_t count,
    uint8_t *to,
    size_t size)
{
    switch (filter->compression) {
    case VARVE_ARCHIVE_DEFLATE:
        return deflate_decompress(contexts, bytes, count, to, size);
    case VARVE_ARCHIVE_ZSTD:
        return zstd_decompress(contexts, bytes, count, to, size);
    case VARVE_ARCHIVE_LZF:
        return lzf_decompress_all(bytes, count, to, size);
    case VARVE_ARCHIVE_SZIP:
        return varve__szip_decompress(filter, bytes, count, to, size);
    case VARVE_ARCHIVE_NONE:
        break;
    }
    return VARVE_CORRUPT;
}
