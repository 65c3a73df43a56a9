/* Chunks of a dataset: raw elements to the bytes that stand in the file and back, by HDF5's filters in
 * HDF5's order (shuffle, compression, fletcher32), bit-exact with its own, so that any HDF5 program reads
 * what we write and we read what it wrote. Pure functions over memory: any thread, no HDF5 in here.
 *
 * Formats: the HDF5 File Format Specification 3.0, section IV.A.2.l (filter pipeline); LZF as in h5py's
 * lzf_filter.c (filter 32000), Zstandard as filter 32015. */
#ifndef VARVE_CODEC_CHUNK_H
#define VARVE_CODEC_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

/* What is done to the chunks of one dataset. */
struct varve__chunk_filter {
    enum varve_archive_compression compression;
    int level;         /* of DEFLATE and ZSTD */
    bool shuffle;      /* bytes of equal weight together; in the pipeline also where element is 1 */
    bool checksum;     /* fletcher32 behind the rest */
    size_t element;    /* bytes of one element */
    uint32_t scanline; /* of SZIP, in elements: varve__szip_scanline(); 0 for the others */
};

/* What H5Pset_szip() is given for datasets that varve__chunk_encode() writes. */
enum {
    VARVE__SZIP_OPTIONS = 32, /* H5_SZIP_NN_OPTION_MASK */
    VARVE__SZIP_BLOCK = 16    /* pixels_per_block */
};

/* The scanline that HDF5 chooses for chunks whose last axis is `last` long and that have `count` elements. 0:
 * they are less than a block, and HDF5 has no SZIP for that. */
uint32_t
varve__szip_scanline(int64_t last, int64_t count);

/* A thread's working memory: compressors that are kept, a buffer for the shuffled chunk. */
struct varve__chunk_codec;

struct varve__chunk_codec *
varve__chunk_codec_create(void); /* NULL: out of memory */

void
varve__chunk_codec_release(struct varve__chunk_codec *codec); /* NULL is fine */

/* The most bytes that a chunk of `size` raw bytes takes. 0: more than memory can address. */
size_t
varve__chunk_bound(const struct varve__chunk_filter *filter, size_t size);

/* Encodes a whole chunk into `to`, which has room for varve__chunk_bound(). Where compression does not make
 * it smaller that filter is left out, and *mask says so as HDF5 does: bit i for the i-th filter of the
 * pipeline. VARVE_NO_MEMORY only. */
enum varve_status
varve__chunk_encode(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    const void *raw,
    size_t size,
    void *to,
    size_t *written,
    uint32_t *mask);

/* Decodes a chunk into `raw`, which has room for `size` bytes: what the chunk must have. The fletcher32 is
 * compared when `verify`. VARVE_CORRUPT, without a text: the bytes are not such a chunk. Never reads or
 * writes outside of what it is given, whatever the bytes are. */
enum varve_status
varve__chunk_decode(
    struct varve__chunk_codec *codec,
    const struct varve__chunk_filter *filter,
    uint32_t mask,
    bool verify,
    const void *bytes,
    size_t count,
    void *raw,
    size_t size);

/* HDF5's checksum: of 16-bit words, big-endian in each, as H5_checksum_fletcher32(). */
uint32_t
varve__fletcher32(const void *bytes, size_t size);

#endif
