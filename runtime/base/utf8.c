/* Validation of UTF-8, with a fast path for ASCII: 32 bytes a step, and shorter texts by a few words
 * that overlap. */
#include "base/utf8.h"

enum {
    STEP = 2 * VARVE__ASCII_STEP /* bytes that are looked at together */
};

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* High bits where a byte is a NUL or not ASCII. A NUL borrows in the subtraction, so that bytes
 * behind the first suspect may be marked too; on a little-endian machine, which the wire format asks
 * for anyway, that first one is in the lowest bits. */
static inline uint64_t
suspects(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return (word | (word - ONES)) & HIGHS;
}

static inline uint32_t
suspects_short(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return (word | (word - (uint32_t)ONES)) & (uint32_t)HIGHS;
}

static inline bool
is_plain(uint8_t byte)
{
    return byte - 1u < 0x7F;
}

/* Whether the next STEP bytes are ASCII without NUL. */
static inline bool
is_ascii_step(const uint8_t *at)
{
    const char *text = (const char *)at;
    return varve__ascii_steps(text, text + VARVE__ASCII_STEP);
}

/* The same of a text that is shorter. */
static inline bool
is_ascii_short(const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    if (size >= VARVE__ASCII_STEP)
        return varve__ascii_steps((const char *)at, (const char *)end - VARVE__ASCII_STEP);
    if (size >= 8)
        return !(suspects(at) | suspects(end - 8));
    if (size >= 4)
        return !(suspects_short(at) | suspects_short(end - 4));
    return size == 0 || (is_plain(at[0]) && is_plain(at[size / 2]) && is_plain(end[-1]));
}

/* How many bytes at the beginning are found to be ASCII without NUL: all of them, or whole steps. */
static inline size_t
ascii_steps(const uint8_t *bytes, size_t size)
{
    size_t found = 0;
    if (size < STEP)
        return is_ascii_short(bytes, size) ? size : 0;
    for (; size - found > STEP; found += STEP) {
        if (!is_ascii_step(bytes + found))
            return found;
    }
    return is_ascii_step(bytes + size - STEP) ? size : found;
}

/* The bytes of the ASCII run at `at`, all of them. */
static inline size_t
ascii_run(const uint8_t *at, size_t size)
{
    size_t run = 0;
    for (; size - run >= 8; run += 8) {
        uint64_t found = suspects(at + run);
        if (found)
            return run + (size_t)__builtin_ctzll(found) / 8;
    }
    while (run < size && is_plain(at[run]))
        run++;
    return run;
}

static inline bool
is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The length of the character whose first byte is not ASCII; 0 when there is none. Which second
 * bytes a first byte allows is table 3-7 of the Unicode standard. */
static size_t
long_character(const uint8_t *at, size_t size)
{
    uint8_t first = at[0];
    if (first < 0xC2 || first > 0xF4 || size < 2 || !is_tail(at[1]))
        return 0;
    if (first < 0xE0)
        return 2;
    if (size < 3 || !is_tail(at[2]))
        return 0;
    if (first < 0xF0) {
        bool overlong = first == 0xE0 && at[1] < 0xA0;
        bool surrogate = first == 0xED && at[1] >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (size < 4 || !is_tail(at[3]))
        return 0;
    bool overlong = first == 0xF0 && at[1] < 0x90;
    bool too_high = first == 0xF4 && at[1] >= 0x90;
    return overlong || too_high ? 0 : 4;
}

size_t
varve__utf8_check_any(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t at = ascii_steps(bytes, size);
    while (at < size) {
        size_t length = bytes[at] < 0x80 ? ascii_run(bytes + at, size - at)
                                         : long_character(bytes + at, size - at);
        if (length == 0)
            return at;
        at += length;
    }
    return size;
}

size_t
varve__utf8_whole(const char *text, size_t length)
{
    size_t last = length;
    while (last > 0 && is_tail((uint8_t)text[last - 1]))
        last--;
    if (last == 0)
        return length;
    uint8_t first = (uint8_t)text[--last];
    size_t needed = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return length - last >= needed ? length : last;
}
