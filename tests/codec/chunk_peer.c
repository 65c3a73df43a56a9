/* Encodes and decodes LZF chunks for test_chunk_h5py.py: standard input to standard output.
 *
 *     chunk_peer encode ELEMENT SHUFFLE CHECKSUM SIZE          mask, four bytes little-endian, and chunk
 *     chunk_peer decode ELEMENT SHUFFLE CHECKSUM SIZE MASK     raw bytes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/chunk.h"

enum {
    ROOM = 1 << 22 /* more than any chunk of the test */
};

static uint8_t in[ROOM], out[ROOM];

static int
encode(struct varve__chunk_codec *codec, const struct varve__chunk_filter *filter, size_t size)
{
    size_t written;
    uint32_t mask;
    if (varve__chunk_bound(filter, size) > ROOM ||
        varve__chunk_encode(codec, filter, in, size, out, &written, &mask))
        return 1;
    for (unsigned i = 0; i < 4; i++)
        putchar((int)(mask >> (8 * i) & 0xff));
    return fwrite(out, 1, written, stdout) != written;
}

static int
decode(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    uint32_t mask,
    size_t count,
    size_t size)
{
    if (varve__chunk_decode(codec, filter, mask, true, in, count, out, size))
        return 1;
    return fwrite(out, 1, size, stdout) != size;
}

int
main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    const struct varve__chunk_filter filter = {
        .compression = VARVE_ARCHIVE_LZF,
        .element = strtoul(argv[2], NULL, 10),
        .shuffle = *argv[3] == '1',
        .checksum = *argv[4] == '1',
    };
    size_t size = strtoul(argv[5], NULL, 10);
    size_t count = fread(in, 1, ROOM, stdin);
    struct varve__chunk_codec *codec = varve__chunk_codec_create();
    if (!codec || size > ROOM)
        return 1;
    int status;
    if (strcmp(argv[1], "encode") == 0)
        status = count == size ? encode(codec, &filter, size) : 1;
    else
        status = argc < 7
                     ? 2
                     : decode(codec, &filter, (uint32_t)strtoul(argv[6], NULL, 10), count, size);
    varve__chunk_codec_release(codec);
    return status;
}
