/* Shuffling is a transposition: an element is a row, a byte of equal weight a column. With SSE2, which each
 * x86-64 has, 16 elements of 2, 4 or 8 bytes are done at a time in registers; the rest, and other machines,
 * byte by byte.
 *
 * split() takes two registers of a sequence and gives the bytes at even places and those at odd ones. Doing
 * so log2(size) times brings all first bytes together, all second ones .. join() is its reverse. */
#include "codec/chunk_shuffle.h"

#include <string.h>

enum {
    GROUP = 16 /* elements that are done at a time */
};

#ifdef __SSE2__
#include <emmintrin.h>

static inline __m128i
load(const uint8_t *from)
{
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

static inline void
store(uint8_t *to, __m128i bytes)
{
    _mm_storeu_si128((__m128i *)(void *)to, bytes);
}

static inline void
split(__m128i a, __m128i b, __m128i *even, __m128i *odd)
{
    const __m128i low = _mm_set1_epi16(0xff);
    *even = _mm_packus_epi16(_mm_and_si128(a, low), _mm_and_si128(b, low));
    *odd = _mm_packus_epi16(_mm_srli_epi16(a, 8), _mm_srli_epi16(b, 8));
}

static inline void
join(__m128i even, __m128i odd, __m128i *a, __m128i *b)
{
    *a = _mm_unpacklo_epi8(even, odd);
    *b = _mm_unpackhi_epi8(even, odd);
}

/* planes[0] .. planes[3] of 16 elements of four bytes that stand in a, b, c, d. */
static inline void
split4(__m128i a, __m128i b, __m128i c, __m128i d, __m128i planes[4])
{
    __m128i even0, even1, odd0, odd1;
    split(a, b, &even0, &odd0);
    split(c, d, &even1, &odd1);
    split(even0, even1, &planes[0], &planes[2]);
    split(odd0, odd1, &planes[1], &planes[3]);
}

static inline void
join4(const __m128i planes[4], __m128i elements[4])
{
    __m128i even0, even1, odd0, odd1;
    join(planes[0], planes[2], &even0, &even1);
    join(planes[1], planes[3], &odd0, &odd1);
    join(even0, odd0, &elements[0], &elements[1]);
    join(even1, odd1, &elements[2], &elements[3]);
}

/* The next six do whole groups of `count` elements that are `stride` bytes of a plane. */

static void
shuffle2(const uint8_t *from, size_t count, size_t stride, uint8_t *to)
{
    for (size_t i = 0; i < count; i += GROUP, from += 2 * GROUP) {
        __m128i even, odd;
        split(load(from), load(from + 16), &even, &odd);
        store(to + i, even);
        store(to + stride + i, odd);
    }
}

static void
unshuffle2(const uint8_t *from, size_t count, size_t stride, uint8_t *to)
{
    for (size_t i = 0; i < count; i += GROUP, to += 2 * GROUP) {
        __m128i a, b;
        join(load(from + i), load(from + stride + i), &a, &b);
        store(to, a);
        store(to + 16, b);
    }
}

static void
shuffle4(const uint8_t *from, size_t count, size_t stride, uint8_t *to)
{
    for (size_t i = 0; i < count; i += GROUP, from += 4 * GROUP) {
        __m128i planes[4];
        split4(load(from), load(from + 16), load(from + 32), load(from + 48), planes);
        store(to + i, planes[0]);
        store(to + stride + i, planes[1]);
        store(to + 2 * stride + i, planes[2]);
        store(to + 3 * stride + i, planes[3]);
    }
}

static void
unshuffle4(const uint8_t *from, size_t count, size_t stride, uint8_t *to)
{
    for (size_t i = 0; i < count; i += GROUP, to += 4 * GROUP) {
        __m128i elements[4];
        const __m128i planes[4] = {
            load(from + i), load(from + stride + i), load(from + 2 * stride + i),
            load(from + 3 * stride + i)};
        join4(planes, elements);
        store(to, elements[0]);
        store(to + 16, elements[1]);
        store(to + 32, elements[2]);
        store(to + 48, elements[3]);
    }
}

static void
shuffle8(const uint8_t *from, size_t count, size_t stride, uint8_t *to)
{
    for (size_t i = 0; i < count; i += GROUP, from += 8 * GROUP) {
        __m128i even[4], odd[4], planes[4];
        split(load(from), load(from + 16), &even[0], &odd[0]);
        split(load(from + 32), load(from + 48), &even[1], &odd[1]);
        split(load(from + 64), load(from + 80), &even[2], &odd[2]);
        split(load(from + 96), load(from + 112), &even[3], &odd[3]);
        split4(even[0], even[1], even[2], even[3], planes);
        store(to + i, planes[0]);
        store(to + 2 * stride + i, planes[1]);
        store(to + 4 * stride + i, planes[2]);
        store(to + 6 * stride + i, planes[3]);
        split4(odd[0], odd[1], odd[2], odd[3], planes);
        store(to + stride + i, planes[0]);
        store(to + 3 * stride + i, planes[1]);
        store(to + 5 * stride + i, planes[2]);
        store(to + 7 * stride + i, planes[3]);
    }
}

static void
unshuffle8(const uint8_t *from, size_t count, size_t stride, uint8_t *to)
{
    for (size_t i = 0; i < count; i += GROUP, to += 8 * GROUP) {
        __m128i even[4], odd[4], a, b;
        const __m128i even_planes[4] = {
            load(from + i), load(from + 2 * stride + i), load(from + 4 * stride + i),
            load(from + 6 * stride + i)};
        const __m128i odd_planes[4] = {
            load(from + stride + i), load(from + 3 * stride + i), load(from + 5 * stride + i),
            load(from + 7 * stride + i)};
        join4(even_planes, even);
        join4(odd_planes, odd);
        for (unsigned k = 0; k < 4; k++) {
            join(even[k], odd[k], &a, &b);
            store(to + (size_t)32 * k, a);
            store(to + (size_t)32 * k + 16, b);
        }
    }
}

/* Elements that were done. */
static size_t
shuffle_groups(const uint8_t *from, size_t count, size_t element, uint8_t *to)
{
    size_t whole = count / GROUP * GROUP;
    if (element == 2)
        shuffle2(from, whole, count, to);
    else if (element == 4)
        shuffle4(from, whole, count, to);
    else if (element == 8)
        shuffle8(from, whole, count, to);
    else
        return 0;
    return whole;
}

static size_t
unshuffle_groups(const uint8_t *from, size_t count, size_t element, uint8_t *to)
{
    size_t whole = count / GROUP * GROUP;
    if (element == 2)
        unshuffle2(from, whole, count, to);
    else if (element == 4)
        unshuffle4(from, whole, count, to);
    else if (element == 8)
        unshuffle8(from, whole, count, to);
    else
        return 0;
    return whole;
}

#else /* no SSE2 */

static size_t
shuffle_groups(const uint8_t *from, size_t count, size_t element, uint8_t *to)
{
    (void)from, (void)count, (void)element, (void)to;
    return 0;
}

static size_t
unshuffle_groups(const uint8_t *from, size_t count, size_t element, uint8_t *to)
{
    (void)from, (void)count, (void)element, (void)to;
    return 0;
}

#endif

/* Of no bytes the places may be NULL, which memcpy() does not take. */
static void
copy(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size > 0)
        memcpy(to, from, size);
}

void
varve__shuffle(const uint8_t *from, size_t size, size_t element, uint8_t *to)
{
    if (element <= 1 || size < 2 * element) { /* it is shuffled as it stands */
        copy(to, from, size);
        return;
    }
    size_t count = size / element;
    size_t done = shuffle_groups(from, count, element, to);
    for (size_t plane = 0; plane < element; plane++)
        for (size_t i = done; i < count; i++)
            to[plane * count + i] = from[i * element + plane];
    memcpy(to + count * element, from + count * element, size % element);
}

void
varve__unshuffle(const uint8_t *from, size_t size, size_t element, uint8_t *to)
{
    if (element <= 1 || size < 2 * element) {
        copy(to, from, size);
        return;
    }
    size_t count = size / element;
    size_t done = unshuffle_groups(from, count, element, to);
    for (size_t plane = 0; plane < element; plane++)
        for (size_t i = done; i < count; i++)
            to[i * element + plane] = from[plane * count + i];
    memcpy(to + count * element, from + count * element, size % element);
}
