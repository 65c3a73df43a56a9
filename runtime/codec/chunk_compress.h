/* What compresses chunks, each as HDF5's filter of that name does. */
#ifndef VARVE_CODEC_CHUNK_COMPRESS_H
#define VARVE_CODEC_CHUNK_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "codec/chunk.h"

/* Contexts of the libraries, made when they are needed first. All zeros: none. */
struct varve__chunk_contexts {
    void *deflate_compress; /* struct libdeflate_compressor */
    int deflate_level;      /* of that */
    void *deflate_decompress;
    void *zstd_compress; /* ZSTD_CCtx */
    void *zstd_decompress;
};

void
varve__chunk_contexts_release(struct varve__chunk_contexts *contexts);

/* Compresses into at most `room` bytes; *written is 0 when that is not enough, or there is no compression. */
enum varve_status
varve__chunk_compress(
    struct varve__chunk_contexts *contexts,
    const struct varve__chunk_filter *filter,
    const uint8_t *bytes,
    size_t size,
    uint8_t *to,
    size_t room,
    size_t *written);

/* The reverse; VARVE_CORRUPT unless all of the bytes become `size` bytes. */
enum varve_status
varve__chunk_decompress(
    struct varve__chunk_contexts *contexts,
    const struct varve__chunk_filter *filter,
    const uint8_t *bytes,
    size_t count,
    uint8_t *to,
    size_t size);

/* The part of the two that is SZIP. */
enum varve_status
varve__szip_compress(
    const struct varve__chunk_filter *filter,
    const uint8_t *bytes,
    size_t size,
    uint8_t *to,
    size_t room,
    size_t *written);

enum varve_status
varve__szip_decompress(
    const struct varve__chunk_filter *filter,
    const uint8_t *bytes,
    size_t count,
    uint8_t *to,
    size_t size);

#endif
