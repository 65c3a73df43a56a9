/* HDF5's fletcher32 (H5_checksum_fletcher32() of H5checksum.c): sums of 16-bit words, big-endian in each,
 * modulo 65535, where 65535 stands for 0 unless all words are 0.
 *
 * Three things make it fast and change nothing. What is added up is words as a little-endian machine loads
 * them: swapping the bytes of a word is multiplying it by 256 modulo 65535. The remainder is taken once in
 * 360 steps, the most whose sums fit into 32 bits. And a step is eight words, each with sums of its own: of
 * n words the second sum is that of (n - i) * word[i], so it follows from the sums of every eighth. */
#include <string.h>

#include "codec/chunk.h"

enum {
    LANES = 8,             /* words of a step */
    STEPS = 360,           /* of a block */
    STEP_SIZE = 2 * LANES, /* in bytes */
    MODULUS = 65535
};

/* Sums of words, not more than 64 bits each: see add_block(). */
struct sums {
    uint64_t first;  /* of all words */
    uint64_t second; /* of `first` after each word */
};

/* Sums of each lane alone over `steps` steps. */
#ifdef __SSE2__
#include <emmintrin.h>

static void
add_lanes(const uint8_t *bytes, size_t steps, uint32_t first[LANES], uint32_t second[LANES])
{
    const __m128i zero = _mm_setzero_si128();
    __m128i first_low = zero, first_high = zero, second_low = zero, second_high = zero;
    for (size_t i = 0; i < steps; i++, bytes += STEP_SIZE) {
        __m128i words = _mm_loadu_si128((const __m128i *)(const void *)bytes);
        first_low = _mm_add_epi32(first_low, _mm_unpacklo_epi16(words, zero));
        first_high = _mm_add_epi32(first_high, _mm_unpackhi_epi16(words, zero));
        second_low = _mm_add_epi32(second_low, first_low);
        second_high = _mm_add_epi32(second_high, first_high);
    }
    _mm_storeu_si128((__m128i *)(void *)first, first_low);
    _mm_storeu_si128((__m128i *)(void *)(first + 4), first_high);
    _mm_storeu_si128((__m128i *)(void *)second, second_low);
    _mm_storeu_si128((__m128i *)(void *)(second + 4), second_high);
}

#else

static void
add_lanes(const uint8_t *bytes, size_t steps, uint32_t first[LANES], uint32_t second[LANES])
{
    memset(first, 0, LANES * sizeof *first);
    memset(second, 0, LANES * sizeof *second);
    for (size_t i = 0; i < steps; i++, bytes += STEP_SIZE)
        for (unsigned lane = 0; lane < LANES; lane++) {
            first[lane] += bytes[2 * lane] | (uint32_t)bytes[2 * lane + 1] << 8;
            second[lane] += first[lane];
        }
}

#endif

/* 0 stays 0, other multiples of the modulus are 65535. */
static uint64_t
reduce(uint64_t sum)
{
    return sum == 0 ? 0 : (sum - 1) % MODULUS + 1;
}

/* Adds steps * LANES words. Word `lane` of step i counts steps * LANES - i * LANES - lane times, and its
 * lane's second sum has it steps - i times. */
static void
add_block(struct sums *sums, const uint8_t *bytes, size_t steps)
{
    uint32_t first[LANES], second[LANES];
    add_lanes(bytes, steps, first, second);
    uint64_t added = sums->second + sums->first * steps * LANES;
    for (unsigned lane = 0; lane < LANES; lane++) {
        added += (uint64_t)LANES * second[lane] - (uint64_t)lane * first[lane];
        sums->first += first[lane];
    }
    sums->first = reduce(sums->first);
    sums->second = reduce(added);
}

static void
add_word(struct sums *sums, uint32_t word)
{
    sums->first += word;
    sums->second += sums->first;
}

uint32_t
varve__fletcher32(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    struct sums sums = {0};
    size_t steps = size / STEP_SIZE;
    while (steps > 0) {
        size_t block = steps < STEPS ? steps : STEPS;
        add_block(&sums, bytes, block);
        bytes += block * STEP_SIZE;
        steps -= block;
    }
    for (size_t left = size % STEP_SIZE; left >= 2; left -= 2, bytes += 2)
        add_word(&sums, bytes[0] | (uint32_t)bytes[1] << 8);
    if (size % 2 != 0) /* the high byte of a last word */
        add_word(&sums, bytes[0]);
    uint64_t first = reduce(sums.first) * 256, second = reduce(sums.second) * 256;
    return (uint32_t)(reduce(second) << 16 | reduce(first));
}
