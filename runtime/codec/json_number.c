/* Reads the numbers of JSON text. What stands around them is in json_read.c, how they are written
 * in json.c and text.c. */
#include "codec/json_number.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/field.h"

enum {
    SAFE_DIGITS = 19,  /* decimal digits that always fit 64 bits */
    DIGITS_MAX = 800,  /* that are converted; the middle of two doubles has 767 at most */
    EXPONENT_SIZE = 24 /* of "e-1000000000000" with its NUL */
};

#define EXPONENT_MAX INT64_C(1000000000000) /* larger ones change nothing any more */

/* An integer before its range is known. */
struct integer {
    bool negative;
    uint64_t magnitude;
};

/* ------------------------------------------------------------------ grammar */

static inline bool
is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static inline bool
is_exponent(const char *at, const char *end)
{
    return at < end && (*at == 'e' || *at == 'E');
}

static const char *
skip_digits(const char *at, const char *end)
{
    while (is_digit(at, end))
        at++;
    return at;
}

/* The end of the number at `at`; NULL when there is none. */
static const char *
number_end(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    const char *first = at;
    at = skip_digits(first, end);
    if (at == first || (*first == '0' && at - first > 1))
        return NULL;
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction, end);
        if (at == fraction)
            return NULL;
    }
    if (is_exponent(at, end)) {
        at++;
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        const char *exponent = at;
        at = skip_digits(exponent, end);
        if (at == exponent)
            return NULL;
    }
    return at;
}

/* The exponent that is written at `at`, which is 'e', 'E' or the number's end. */
static int64_t
read_exponent(const char *at, const char *end)
{
    int64_t exponent = 0;
    if (at == end)
        return 0;
    bool negative = *++at == '-';
    for (at += *at == '-' || *at == '+'; at < end && exponent < EXPONENT_MAX; at++)
        exponent = exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

/* ------------------------------------------------------------------ integers */

/* Multiplies by a power of ten; false when the product does not fit. */
static bool
scale(uint64_t *magnitude, int64_t power)
{
    for (; power > 0 && *magnitude > 0; power--) {
        if (__builtin_mul_overflow(*magnitude, 10, magnitude))
            return false;
    }
    return true;
}

/* The number [at, end), which begins with a digit, as a whole one; false when it is none, or has
 * more than 64 bits. */
static bool
whole_number(const char *at, const char *end, uint64_t *magnitude)
{
    int64_t zeros = 0; /* that were seen and are not in *magnitude yet */
    int64_t fraction = 0;
    bool behind_point = false;
    *magnitude = 0;
    for (; at < end && !is_exponent(at, end); at++) {
        if (*at == '.') {
            behind_point = true;
            continue;
        }
        fraction += behind_point;
        zeros++;
        if (*at == '0')
            continue;
        if (!scale(magnitude, zeros) ||
            __builtin_add_overflow(*magnitude, (uint64_t)(*at - '0'), magnitude))
            return false;
        zeros = 0;
    }
    int64_t power = read_exponent(at, end) + zeros - fraction;
    return *magnitude == 0 || (power >= 0 && scale(magnitude, power));
}

/* Reads a number that must be whole; NULL when there is none at `at`. */
static const char *
read_whole(const char *at, const char *end, struct integer *integer)
{
    const char *start = at;
    integer->negative = at < end && *at == '-';
    at += integer->negative;
    const char *first = at;
    uint64_t magnitude = 0;
    while (is_digit(at, end) && at - first < SAFE_DIGITS)
        magnitude = magnitude * 10 + (uint64_t)(*at++ - '0');
    bool odd = at == first || (*first == '0' && at - first > 1) || is_digit(at, end) ||
               (at < end && *at == '.') || is_exponent(at, end);
    if (odd) {
        at = number_end(start, end);
        if (!at || !whole_number(first, at, &magnitude))
            return NULL;
    }
    integer->magnitude = magnitude;
    return at;
}

struct range {
    uint64_t lowest; /* as a magnitude */
    uint64_t highest;
    const char *expected;
};

static const struct range *
range_of(ProtobufCType type)
{
    static const struct range int32s = {
        UINT64_C(1) << 31, INT32_MAX, "an integer from -2147483648 to 2147483647"};
    static const struct range uint32s = {0, UINT32_MAX, "an integer from 0 to 4294967295"};
    static const struct range int64s = {
        UINT64_C(1) << 63, INT64_MAX,
        "an integer from -9223372036854775808 to 9223372036854775807"};
    static const struct range uint64s = {
        0, UINT64_MAX, "an integer from 0 to 18446744073709551615"};
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return &uint32s;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return &int64s;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return &uint64s;
    default:
        return &int32s;
    }
}

const char *
varve__json_read_integer(
    const char *at, const char *end, ProtobufCType type, void *slot, const char **expected)
{
    const struct range *range = range_of(type);
    struct integer integer;
    at = read_whole(at, end, &integer);
    if (!at || integer.magnitude > (integer.negative ? range->lowest : range->highest)) {
        *expected = range->expected;
        return NULL;
    }
    uint64_t bits = integer.negative ? 0 - integer.magnitude : integer.magnitude;
    if (varve__element_size(type) == sizeof bits)
        *(uint64_t *)slot = bits;
    else
        *(uint32_t *)slot = (uint32_t)bits;
    return at;
}

/* ------------------------------------------------------------------ reals */

/* Writes the number [at, end) without a decimal point, 1.25e3 as 125e1: the point is the only thing
 * that strtod() would look up in the locale. Of the digits behind DIGITS_MAX only matters whether
 * any is not 0. */
static void
rewrite_number(char *out, const char *at, const char *end)
{
    int64_t power = 0;
    int count = 0;
    bool behind_point = false;
    bool more = false;
    if (*at == '-')
        *out++ = *at++;
    *out = '0';
    for (; at < end && !is_exponent(at, end); at++) {
        if (*at == '.') {
            behind_point = true;
            continue;
        }
        power -= behind_point;
        if (count == DIGITS_MAX) {
            power++;
            more = more || *at != '0';
        } else if (count > 0 || *at != '0') {
            out[count++] = *at;
        }
    }
    if (more)
        out[count - 1] |= 1; /* '0' becomes '1' */
    out += count > 0 ? count : 1;
    snprintf(out, EXPONENT_SIZE, "e%" PRId64, power + read_exponent(at, end));
}

const char *
varve__json_read_real(
    const char *at, const char *end, ProtobufCType type, void *slot, const char **expected)
{
    char number[1 + DIGITS_MAX + EXPONENT_SIZE];
    end = number_end(at, end);
    if (!end) {
        *expected = "a number";
        return NULL;
    }
    rewrite_number(number, at, end);
    if (type == PROTOBUF_C_TYPE_DOUBLE) {
        *(double *)slot = strtod(number, NULL);
        return end;
    }
    float value = strtof(number, NULL);
    if (isinf(value) && !isinf(strtod(number, NULL))) {
        *expected = "a number in the range of a 32-bit float";
        return NULL;
    }
    *(float *)slot = value;
    return end;
}
