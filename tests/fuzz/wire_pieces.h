/* The wire format told once more, as plainly as can be, to hold unknown fields to: pieces are fields one
 * behind the other, and a merge looks at each with each. */
#ifndef VARVE_TESTS_FUZZ_WIRE_PIECES_H
#define VARVE_TESTS_FUZZ_WIRE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PIECES_MAX = 1024
};

struct piece {
    uint32_t number;
    unsigned wire_type;
    const uint8_t *start; /* of the tag */
    const uint8_t *value; /* with its length, when it has one */
    size_t size;          /* of all */
};

struct pieces {
    size_t count;
    bool are_whole; /* the bytes are fields to their end */
    struct piece at[PIECES_MAX];
};

void
pieces_read(const uint8_t *bytes, size_t size, struct pieces *pieces);

bool
pieces_have(const struct pieces *pieces, uint32_t number);

/* Those of other numbers than the `without` ones, packed to `to`; returns their size. */
size_t
pieces_copy(const struct pieces *pieces, const struct pieces *without, uint8_t *to);

/* Those with numbers above `known`, with tags as short as can be, packed to `to`. */
size_t
pieces_pack_above(const struct pieces *pieces, uint32_t known, uint8_t *to);

#endif
