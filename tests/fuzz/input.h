/* Takes values off a fuzzer's bytes; behind their end all is zero. What is taken as memory is a block
 * of its own, of exactly that size, so that a byte too many or too late is seen. */
#ifndef VARVE_TESTS_FUZZ_INPUT_H
#define VARVE_TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "require.h"

enum {
    INPUT_BLOCKS = 256
};

struct input {
    const uint8_t *at;
    const uint8_t *end;
    void *blocks[INPUT_BLOCKS];
    size_t block_count;
};

static inline void
input_take(struct input *input, void *taken, size_t size)
{
    size_t left = (size_t)(input->end - input->at);
    memset(taken, 0, size);
    if (left > 0)
        memcpy(taken, input->at, size < left ? size : left);
    input->at += size < left ? size : left;
}

static inline unsigned
input_byte(struct input *input)
{
    uint8_t byte;
    input_take(input, &byte, 1);
    return byte;
}

static inline uint64_t
input_bits(struct input *input)
{
    uint64_t bits;
    input_take(input, &bits, sizeof bits);
    return bits;
}

/* Zeroed memory; all of it goes with input_release(). */
static inline void *
input_block(struct input *input, size_t size)
{
    void *block = calloc(1, size);
    REQUIRE(input->block_count < INPUT_BLOCKS && (block || size == 0));
    return input->blocks[input->block_count++] = block;
}

static inline void
input_release(struct input *input)
{
    while (input->block_count > 0)
        free(input->blocks[--input->block_count]);
}

#endif
