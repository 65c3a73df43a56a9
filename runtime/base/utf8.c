/* Validation of UTF-8, with a fast path for ASCII of 32 bytes a step. */
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* A high bit somewhere when a byte is a NUL or not ASCII: a NUL borrows in the subtraction. */
static inline uint64_t
suspects(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word | (word - ONES);
}

static inline uint32_t
suspects_short(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word | (word - (uint32_t)ONES);
}

/* Whether all is ASCII without NUL. The last words overlap the ones before, so that no byte is
 * looked at alone but in texts of less than four. */
static inline bool
is_ascii(const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    uint64_t any = 0;
    for (; (size_t)(end - at) >= 32 && !(any & HIGHS); at += 32)
        any = suspects(at) | suspects(at + 8) | suspects(at + 16) | suspects(at + 24);
    if (size >= 8) {
        for (; end - at > 8 && !(any & HIGHS); at += 8)
            any |= suspects(at);
        return !((any | suspects(end - 8)) & HIGHS);
    }
    if (size >= 4)
        return !((suspects_short(at) | suspects_short(end - 4)) & (uint32_t)HIGHS);
    for (; at < end; at++)
        any |= (uint64_t)*at | ((uint64_t)*at - 1);
    return !(any & HIGHS);
}

/* The bytes of the ASCII run at `at`, found in whole words; up to 7 more may follow it. */
static inline size_t
ascii_run(const uint8_t *at, size_t size)
{
    size_t run = 0;
    while (size - run >= 8 && !(suspects(at + run) & HIGHS))
        run += 8;
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
varve__utf8_check(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t at = 0;
    if (is_ascii(bytes, size))
        return size;
    while (at < size) {
        at += ascii_run(bytes + at, size - at);
        while (at < size && bytes[at] < 0x80 && bytes[at] != 0)
            at++;
        size_t length = at < size ? long_character(bytes + at, size - at) : 0;
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
