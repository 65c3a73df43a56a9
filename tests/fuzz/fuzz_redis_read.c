/* libFuzzer's target for replies of Redis. An input is bytes as a server could send them: read at once they
 * must mean what they mean when they come one by one, and no byte behind the end may be read. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/redis_read.h"

#include "require.h"

enum {
    STRING_MOST = 1 << 16
};

/* A reader of a part of the input, which has a block of its own so that the sanitizer sees its end. */
struct part {
    struct varve__redis_reader reader;
    enum varve__redis_reading reading; /* that the last call came to */
    uint64_t pieces;                   /* their sum, which depends on their order */
    uint64_t count;
    size_t wanted;
};

static void
add(struct part *part, uint64_t number)
{
    part->pieces = (part->pieces ^ number) * 1099511628211u;
}

static void
add_piece(struct part *part, const struct varve__redis_piece *piece, bool last)
{
    const struct varve__redis_reader *reader = &part->reader;
    REQUIRE(piece->depth <= VARVE__REDIS_DEPTH_MAX);
    REQUIRE(last == (reader->depth == 0));
    REQUIRE(piece->size <= STRING_MOST);
    REQUIRE(
        !piece->text || (piece->text >= reader->buffer &&
                         piece->text + piece->size <= reader->buffer + reader->begin));
    for (size_t i = 0; i < piece->size; i++)
        add(part, (uint8_t)piece->text[i]);
    add(part, piece->kind);
    add(part, (uint64_t)piece->number);
    add(part, piece->size);
    add(part, piece->reply);
    add(part, piece->index);
    add(part, piece->depth * 2 + last);
    part->count++;
}

/* Reads on, with the input up to `end`. */
static void
read_on(struct part *part, const uint8_t *data, size_t end)
{
    struct varve__redis_piece piece;
    bool last;
    size_t begin = part->reader.begin;
    part->reader.buffer = malloc(end - begin + (end == begin));
    REQUIRE(part->reader.buffer);
    if (end > begin)
        memcpy(part->reader.buffer, data + begin, end - begin);
    part->reader.begin = 0;
    part->reader.end = end - begin;
    while ((part->reading = varve__redis_read(&part->reader, &piece, &last, &part->wanted)) ==
           VARVE__REDIS_PIECE)
        add_piece(part, &piece, last);
    free(part->reader.buffer);
    part->reader.begin += begin;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part whole = {.reader.most = STRING_MOST}, bytes = {.reader.most = STRING_MOST};
    read_on(&whole, data, size);
    for (size_t end = 0; end <= size; end++)
        read_on(&bytes, data, end);
    REQUIRE(whole.count == bytes.count);
    REQUIRE(whole.pieces == bytes.pieces);
    REQUIRE(whole.reading == bytes.reading);
    REQUIRE(whole.wanted == bytes.wanted);
    REQUIRE(whole.reader.begin == bytes.reader.begin);
    return 0;
}
