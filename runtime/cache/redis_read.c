/* Reads replies in RESP2. What is strange is refused, not guessed at: it means that the other end is no
 * Redis, or that the two of us no longer agree on where a reply begins. */
#include "cache/redis_read.h"

#include <string.h>

enum {
    DIGITS_MAX = 19 /* of INT64_MAX */
};

/* What stands at `at`; it moves behind what was read. */
struct text {
    const char *at;
    const char *end;
};

/* -------------------------------------------------------------------- lines */

/* The end of a line: PIECE when it is there. */
static enum varve__redis_reading
read_end(struct text *text)
{
    size_t size = (size_t)(text->end - text->at);
    if ((size > 0 && text->at[0] != '\r') || (size > 1 && text->at[1] != '\n'))
        return VARVE__REDIS_NONSENSE;
    if (size < 2)
        return VARVE__REDIS_MORE;
    text->at += 2;
    return VARVE__REDIS_PIECE;
}

/* A number and the end of its line: an optional minus and digits, without a sum that overflows. */
static enum varve__redis_reading
read_number(struct text *text, int64_t *number)
{
    bool negative = text->at < text->end && *text->at == '-';
    const char *begin = text->at + negative, *at = begin;
    uint64_t sum = 0;
    for (; at < text->end && *at >= '0' && *at <= '9'; at++) {
        if (at - begin == DIGITS_MAX)
            return VARVE__REDIS_NONSENSE;
        sum = sum * 10 + (uint64_t)(*at - '0'); /* 19 digits fit 64 bits */
    }
    if (at == begin)
        return at < text->end ? VARVE__REDIS_NONSENSE : VARVE__REDIS_MORE;
    if (sum > (uint64_t)INT64_MAX + negative)
        return VARVE__REDIS_NONSENSE;
    *number = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    text->at = at;
    return read_end(text);
}

static enum varve__redis_reading
read_line(struct text *text, struct varve__redis_piece *piece)
{
    size_t size = (size_t)(text->end - text->at);
    size_t most = size < VARVE__REDIS_LINE_MAX ? size : VARVE__REDIS_LINE_MAX;
    const char *end = memchr(text->at, '\r', most);
    if (!end)
        return size > most ? VARVE__REDIS_NONSENSE : VARVE__REDIS_MORE;
    piece->text = text->at;
    piece->size = (size_t)(end - text->at);
    text->at = end;
    return read_end(text);
}

/* -------------------------------------------------------------------- pieces */

static enum varve__redis_reading
read_string(struct text *text, size_t most, struct varve__redis_piece *piece, size_t *wanted)
{
    int64_t number;
    enum varve__redis_reading reading = read_number(text, &number);
    if (reading != VARVE__REDIS_PIECE)
        return reading;
    if (number < 0) {
        piece->kind = VARVE__REDIS_NIL;
        return number == -1 ? VARVE__REDIS_PIECE : VARVE__REDIS_NONSENSE;
    }
    if ((uint64_t)number > most)
        return VARVE__REDIS_TOO_LARGE;
    size_t size = (size_t)number, there = (size_t)(text->end - text->at);
    if (there < size) {
        *wanted = size - there + 2;
        return VARVE__REDIS_MORE;
    }
    piece->text = text->at;
    piece->size = size;
    text->at += size;
    *wanted = size + 2 - there; /* where the end is missing */
    return read_end(text);
}

static enum varve__redis_reading
read_array(struct text *text, size_t depth, struct varve__redis_piece *piece)
{
    enum varve__redis_reading reading = read_number(text, &piece->number);
    if (reading != VARVE__REDIS_PIECE)
        return reading;
    if (piece->number == -1) {
        piece->kind = VARVE__REDIS_NIL;
        piece->number = 0;
        return VARVE__REDIS_PIECE;
    }
    bool fits = piece->number == 0 || depth < VARVE__REDIS_DEPTH_MAX;
    return piece->number >= 0 && fits ? VARVE__REDIS_PIECE : VARVE__REDIS_NONSENSE;
}

static enum varve__redis_reading
read_one(
    const struct varve__redis_reader *reader,
    struct text *text,
    struct varve__redis_piece *piece,
    size_t *wanted)
{
    switch (*text->at++) {
    case '$':
        piece->kind = VARVE__REDIS_STRING;
        return read_string(text, reader->most, piece, wanted);
    case ':':
        piece->kind = VARVE__REDIS_INTEGER;
        return read_number(text, &piece->number);
    case '*':
        piece->kind = VARVE__REDIS_ARRAY;
        return read_array(text, reader->depth, piece);
    case '+':
        piece->kind = VARVE__REDIS_STATUS;
        return read_line(text, piece);
    case '-':
        piece->kind = VARVE__REDIS_ERROR;
        return read_line(text, piece);
    default:
        return VARVE__REDIS_NONSENSE;
    }
}

/* -------------------------------------------------------------------- where the piece stands */

/* Notes that a piece was read: it is one of its array's, it may open one, and it may end some. */
static void
advance(struct varve__redis_reader *reader, const struct varve__redis_piece *piece)
{
    if (reader->depth > 0) {
        reader->left[reader->depth - 1]--;
        reader->count[reader->depth - 1]++;
    }
    if (piece->kind == VARVE__REDIS_ARRAY && piece->number > 0) {
        reader->left[reader->depth] = (size_t)piece->number;
        reader->count[reader->depth] = 0;
        reader->depth++;
    }
    while (reader->depth > 0 && reader->left[reader->depth - 1] == 0)
        reader->depth--;
}

enum varve__redis_reading
varve__redis_read(
    struct varve__redis_reader *reader,
    struct varve__redis_piece *piece,
    bool *last,
    size_t *wanted)
{
    *wanted = 1;
    if (reader->begin == reader->end)
        return VARVE__REDIS_MORE;
    struct text text = {reader->buffer + reader->begin, reader->buffer + reader->end};
    *piece = (struct varve__redis_piece){
        .reply = reader->reply,
        .index = reader->depth > 0 ? reader->count[reader->depth - 1] : 0,
        .depth = reader->depth,
    };
    enum varve__redis_reading reading = read_one(reader, &text, piece, wanted);
    if (reading != VARVE__REDIS_PIECE)
        return reading;
    reader->begin = (size_t)(text.at - reader->buffer);
    advance(reader, piece);
    *last = reader->depth == 0;
    reader->reply += *last;
    return VARVE__REDIS_PIECE;
}
