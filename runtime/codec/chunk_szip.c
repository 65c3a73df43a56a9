/* SZIP through szlib.h, as HDF5's filter (H5Zszip.c): the size before compression, 32 bits little-endian,
 * then what the library makes of it. libaec has that header; HDF5 links either it or the original, and each
 * reads the other's. */
#include <limits.h>
#include <string.h>

#include <szlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/chunk_compress.h"
#include "codec/chunk_shuffle.h"

enum {
    HEAD_SIZE = 4,
    SCANLINE_MOST = SZ_MAX_PIXELS_PER_SCANLINE,
    BLOCK_SCANLINE = VARVE__SZIP_BLOCK * SZ_MAX_BLOCKS_PER_SCANLINE /* the most for such blocks */
};

/* H5Z__set_local_szip() */
uint32_t
varve__szip_scanline(int64_t last, int64_t count)
{
    if (count < VARVE__SZIP_BLOCK)
        return 0;
    if (last < VARVE__SZIP_BLOCK)
        last = count;
    return last < BLOCK_SCANLINE ? (uint32_t)last : BLOCK_SCANLINE;
}

static bool
has_parameters(const struct varve__chunk_filter *filter, size_t size, SZ_com_t *parameters)
{
    size_t element = filter->element;
    if ((element != 1 && element != 2 && element != 4 && element != 8) || size % element != 0 ||
        size > UINT32_MAX || filter->scanline < 1 || filter->scanline > SCANLINE_MOST)
        return false;
    *parameters = (SZ_com_t){
        .options_mask = VARVE__SZIP_OPTIONS | SZ_RAW_OPTION_MASK | SZ_LSB_OPTION_MASK,
        .bits_per_pixel = (int)(CHAR_BIT * element),
        .pixels_per_block = VARVE__SZIP_BLOCK,
        .pixels_per_scanline = (int)filter->scanline,
    };
    return true;
}

static enum varve_status
fail_memory(void)
{
    return varve__fail(
        VARVE_NO_MEMORY, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, NULL,
        "out of memory: libaec could not get what it needs to work; free some, or set another "
        "compression");
}

enum varve_status
varve__szip_compress(
    const struct varve__chunk_filter *filter,
    const uint8_t *bytes,
    size_t size,
    uint8_t *to,
    size_t room,
    size_t *written)
{
    SZ_com_t parameters;
    *written = 0;
    if (!has_parameters(filter, size, &parameters) || room <= HEAD_SIZE)
        return VARVE_OK;
    size_t made = room - HEAD_SIZE;
    int result = SZ_BufftoBuffCompress(to + HEAD_SIZE, &made, bytes, size, &parameters);
    if (result == SZ_MEM_ERROR)
        return fail_memory();
    if (result != SZ_OK)
        return VARVE_OK; /* it is not smaller */
    for (unsigned i = 0; i < HEAD_SIZE; i++)
        to[i] = (uint8_t)(size >> (CHAR_BIT * i));
    *written = HEAD_SIZE + made;
    return VARVE_OK;
}

/* How szlib.h lays elements out for libaec: those of 4 and 8 bytes shuffled, as pixels of one, and each
 * scanline filled up to whole blocks. */
struct layout {
    size_t pixel;  /* in bytes */
    size_t line;   /* of a scanline, in bytes */
    size_t padded; /* the same filled up */
    size_t lines;
    size_t last; /* bytes of the last scanline */
};

static struct layout
layout_of(const struct varve__chunk_filter *filter, size_t size)
{
    struct layout layout = {.pixel = filter->element == 2 ? 2 : 1};
    size_t blocks = (filter->scanline + VARVE__SZIP_BLOCK - 1) / VARVE__SZIP_BLOCK;
    layout.line = filter->scanline * layout.pixel;
    layout.padded = blocks * VARVE__SZIP_BLOCK * layout.pixel;
    layout.lines = size / layout.line + (size % layout.line > 0);
    layout.last = size - (layout.lines - 1) * layout.line;
    return layout;
}

/* Decodes the padded form and takes the padding out. libaec ends without an error where its input ends too
 * early, and so does szlib.h, which gives what its buffer held before: hence not by that, but by libaec
 * itself, and with a look at how much came out. */
static enum varve_status
decode_lines(
    const struct layout *layout, const uint8_t *bytes, size_t count, uint8_t *lines, size_t room)
{
    struct aec_stream stream = {
        .next_in = bytes,
        .avail_in = count,
        .next_out = lines,
        .avail_out = room,
        .bits_per_sample = (unsigned)(CHAR_BIT * layout->pixel),
        .block_size = VARVE__SZIP_BLOCK,
        .rsi = (unsigned)(layout->padded / layout->pixel / VARVE__SZIP_BLOCK),
        .flags = AEC_DATA_PREPROCESS,
    };
    int result = aec_buffer_decode(&stream);
    if (result == AEC_MEM_ERROR && stream.total_out == 0)
        return fail_memory();
    if (result != AEC_OK || stream.total_out < (layout->lines - 1) * layout->padded + layout->last)
        return VARVE_CORRUPT;
    for (size_t i = 1; layout->padded > layout->line && i < layout->lines; i++)
        memmove(
            lines + i * layout->line, lines + i * layout->padded,
            i + 1 < layout->lines ? layout->line : layout->last);
    return VARVE_OK;
}

enum varve_status
varve__szip_decompress(
    const struct varve__chunk_filter *filter,
    const uint8_t *bytes,
    size_t count,
    uint8_t *to,
    size_t size)
{
    SZ_com_t parameters;
    size_t raw_size = 0;
    if (!has_parameters(filter, size, &parameters) || count <= HEAD_SIZE || size == 0)
        return VARVE_CORRUPT;
    for (unsigned i = 0; i < HEAD_SIZE; i++)
        raw_size |= (size_t)bytes[i] << (CHAR_BIT * i);
    if (raw_size != size)
        return VARVE_CORRUPT;
    struct layout layout = layout_of(filter, size);
    size_t room = layout.lines * layout.padded; /* at most 16 times size */
    uint8_t *lines = varve__allocate(room);
    if (!lines)
        return varve__fail_memory(NULL, room);
    enum varve_status status =
        decode_lines(&layout, bytes + HEAD_SIZE, count - HEAD_SIZE, lines, room);
    if (status == VARVE_OK)
        varve__unshuffle(lines, size, filter->element > 2 ? filter->element : 1, to);
    varve__release(lines);
    return status;
}
