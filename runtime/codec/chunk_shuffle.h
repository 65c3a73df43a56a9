/* HDF5's shuffle filter (H5Zshuffle.c): the first bytes of all elements, then the second ones, and so on.
 * What is left behind the last whole element stays where it is. */
#ifndef VARVE_CODEC_CHUNK_SHUFFLE_H
#define VARVE_CODEC_CHUNK_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* `size` bytes of elements of `element` bytes each; `from` and `to` do not overlap. */
void
varve__shuffle(const uint8_t *from, size_t size, size_t element, uint8_t *to);

/* The reverse. */
void
varve__unshuffle(const uint8_t *from, size_t size, size_t element, uint8_t *to);

#endif
