/* Strict UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF, and no NUL. Nothing outside
 * of the text is read. */
#ifndef VARVE_BASE_UTF8_H
#define VARVE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    VARVE__ASCII_STEP = 16 /* bytes that are looked at together */
};

/* Whether the VARVE__ASCII_STEP bytes at `first` and those at `second` are ASCII without NUL. */
static inline bool
varve__ascii_steps(const char *first, const char *second)
{
#ifdef __SSE2__
    const __m128i zero = _mm_setzero_si128();
    __m128i left = _mm_cmpgt_epi8(_mm_loadu_si128((const void *)first), zero);
    __m128i right = _mm_cmpgt_epi8(_mm_loadu_si128((const void *)second), zero);
    return _mm_movemask_epi8(_mm_and_si128(left, right)) == 0xFFFF;
#else
    uint64_t words[4];
    uint64_t suspects = 0;
    memcpy(words, first, VARVE__ASCII_STEP);
    memcpy(words + 2, second, VARVE__ASCII_STEP);
    for (size_t i = 0; i < 4; i++) /* a NUL borrows; what is below 0x80 has no high bit else */
        suspects |= words[i] | (words[i] - UINT64_C(0x0101010101010101));
    return !(suspects & UINT64_C(0x8080808080808080));
#endif
}

/* What varve__utf8_check() does with a text of any size. */
size_t
varve__utf8_check_any(const char *text, size_t size);

/* The offset of the first byte that begins no character, or is a NUL; `size` when all is well. Most
 * texts are ASCII of a few words: those are seen in place, by steps that overlap. */
static inline size_t
varve__utf8_check(const char *text, size_t size)
{
    enum {
        STEP = VARVE__ASCII_STEP
    };
    if (size >= STEP && size <= 4 * STEP && varve__ascii_steps(text, text + size - STEP) &&
        (size <= 2 * STEP || varve__ascii_steps(text + STEP, text + size - 2 * STEP)))
        return size;
    return varve__utf8_check_any(text, size);
}

/* `length` without the bytes of a character that was cut there: where UTF-8 text that lost its end
 * must stop. */
size_t
varve__utf8_whole(const char *text, size_t length);

#endif
