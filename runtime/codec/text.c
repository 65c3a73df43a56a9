/* The text buffer: numbers, quoted strings, the cut at its end. */
#include "codec/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum {
    NUMBER_SIZE = 48
};

void
varve__text_add(struct varve__text *text, const char *bytes, size_t size)
{
    if (text->length < text->size) {
        size_t left = text->size - text->length;
        memcpy(text->buffer + text->length, bytes, size < left ? size : left);
    }
    text->length += size;
}

void
varve__text_add_string(struct varve__text *text, const char *string)
{
    varve__text_add(text, string, strlen(string));
}

void
varve__text_add_spaces(struct varve__text *text, size_t count)
{
    static const char spaces[] = "                ";
    for (; count > sizeof spaces - 1; count -= sizeof spaces - 1)
        varve__text_add(text, spaces, sizeof spaces - 1);
    varve__text_add(text, spaces, count);
}

void
varve__text_add_int64(struct varve__text *text, int64_t value)
{
    char number[NUMBER_SIZE];
    snprintf(number, sizeof number, "%" PRId64, value);
    varve__text_add_string(text, number);
}

void
varve__text_add_uint64(struct varve__text *text, uint64_t value)
{
    char number[NUMBER_SIZE];
    snprintf(number, sizeof number, "%" PRIu64, value);
    varve__text_add_string(text, number);
}

/* Adds what printf made of a finite number; a locale's decimal mark becomes a point. */
static void
add_finite(struct varve__text *text, const char *number)
{
    bool marked = false;
    for (; *number; number++) {
        if (strchr("0123456789+-e", *number)) {
            varve__text_add(text, number, 1);
        } else if (!marked) {
            varve__text_add(text, ".", 1);
            marked = true; /* a mark may be several bytes */
        }
    }
}

/* Whether value is nan or infinite; it is then added. */
static bool
add_special(struct varve__text *text, double value)
{
    if (isnan(value))
        varve__text_add_string(text, "nan");
    else if (isinf(value))
        varve__text_add_string(text, value > 0 ? "inf" : "-inf");
    else
        return false;
    return true;
}

void
varve__text_add_float(struct varve__text *text, float value)
{
    char number[NUMBER_SIZE];
    if (add_special(text, (double)value))
        return;
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, (double)value);
        if (strtof(number, NULL) == value)
            break;
    }
    add_finite(text, number);
}

void
varve__text_add_double(struct varve__text *text, double value)
{
    char number[NUMBER_SIZE];
    if (add_special(text, value))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, value);
        if (strtod(number, NULL) == value)
            break;
    }
    add_finite(text, number);
}

static void
add_escaped(struct varve__text *text, uint8_t byte)
{
    static const char named[] = "\"\"\\\\\nn\rr\tt"; /* pairs: the byte, its letter */
    for (const char *pair = named; *pair; pair += 2) {
        if (byte == (uint8_t)*pair) {
            varve__text_add(text, (char[2]){'\\', pair[1]}, 2);
            return;
        }
    }
    char octal[4] = {
        '\\', (char)('0' + (byte >> 6)), (char)('0' + ((byte >> 3) & 7)), (char)('0' + (byte & 7))};
    varve__text_add(text, octal, sizeof octal);
}

void
varve__text_add_quoted(struct varve__text *text, const void *bytes, size_t size, bool utf8)
{
    const char *at = bytes;
    const char *end = size > 0 ? at + size : at;
    bool raw = utf8 && size > 0 && varve__utf8_check(at, size) == size;
    varve__text_add(text, "\"", 1);
    while (at < end) {
        const char *run = at;
        while (at < end && *at != '"' && *at != '\\' &&
               ((*at >= ' ' && *at < 0x7F) || (raw && (uint8_t)*at >= 0x80)))
            at++;
        varve__text_add(text, run, (size_t)(at - run));
        if (at < end)
            add_escaped(text, (uint8_t)*at++);
    }
    varve__text_add(text, "\"", 1);
}

bool
varve__text_end(struct varve__text *text)
{
    if (text->length < text->size) {
        text->buffer[text->length] = '\0';
        return true;
    }
    if (text->size > 0)
        text->buffer[varve__utf8_whole(text->buffer, text->size - 1)] = '\0';
    return false;
}
