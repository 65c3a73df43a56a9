/* The text buffer: numbers, quoted strings, the cut at its end. No locale changes a number. */
#include "codec/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

enum {
    NUMBER_SIZE = 48,
    DIGITS = 19,   /* that are computed: more than are written, and they fit 64 bits */
    FIVES_MAX = 27 /* 5^27 fits 64 bits */
};

#define DIGITS_END UINT64_C(10000000000000000000) /* 10^DIGITS */

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;
#else
typedef uint64_t wide; /* too narrow: scale_by_integers() then does nothing */
#endif

_Static_assert(DBL_MANT_DIG == 53 && FLT_MANT_DIG == 24, "doubles are IEEE 754's");

void
varve__text_add(struct varve__text *text, const char *bytes, size_t size)
{
    size_t left = text->length < text->size ? text->size - text->length : 0;
    if (size < left) {
        memcpy(text->buffer + text->length, bytes, size);
        text->length += size;
        return;
    }
    if (left > 0)
        memcpy(text->buffer + text->length, bytes, left);
    if (!varve__size_add(text->length, size, &text->length))
        text->length = SIZE_MAX;
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

/* ------------------------------------------------------------------ integers */

/* Writes the digits so that they end before `end`; where they begin. */
static char *
put_digits(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

static void
add_integer(struct varve__text *text, bool negative, uint64_t magnitude)
{
    char number[NUMBER_SIZE];
    char *end = number + sizeof number;
    char *start = put_digits(end, magnitude);
    if (negative)
        *--start = '-';
    varve__text_add(text, start, (size_t)(end - start));
}

void
varve__text_add_int64(struct varve__text *text, int64_t value)
{
    add_integer(text, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void
varve__text_add_uint64(struct varve__text *text, uint64_t value)
{
    add_integer(text, false, value);
}

/* ------------------------------------------------------------------ digits of reals */

/* A positive number that becomes text. */
struct real {
    double value;
    bool single;     /* a float */
    uint64_t digits; /* the first DIGITS of it; the last of them may be one off */
    bool rounded;    /* the digits are: to round them again may give another number */
    int exponent;    /* ten's, of the first digit */
    double reach;    /* up to here off, in units of the last digit, they still mean the number */
    bool uneven;     /* a power of two or very small: below and above this may differ */
};

/* Finds the digits of a number from about 1e-9 to 1e15; false for others. */
static bool
scale_by_integers(struct real *real, double fraction, int twos)
{
    wide mantissa = (uint64_t)ldexp(fraction, DBL_MANT_DIG);
    if (sizeof(wide) < 16 || twos < -60 || twos > 60)
        return false;
    /* log10(2) is 1233 / 4096, so that this is the first digit's exponent or one less. */
    for (real->exponent = (twos - 1) * 1233 >> 12;; real->exponent++) {
        int tens = DIGITS - 1 - real->exponent; /* value * 10^tens = mantissa * 5^tens / 2^shift */
        int shift = DBL_MANT_DIG - twos - tens;
        uint64_t fives = 1;
        if (tens < 0 || tens > FIVES_MAX || shift < 0)
            return false;
        for (int i = 0; i < tens; i++)
            fives *= 5;
        wide product = mantissa * fives;
        wide digits = product >> shift;
        if (digits < DIGITS_END) {
            bool more = digits << shift != product;
            real->digits = (uint64_t)digits | more; /* what looks like a tie is one */
            return true;
        }
    }
}

/* The first `count` digits, rounded. */
static uint64_t
digits_by_printf(double value, int count, int *exponent)
{
    char number[NUMBER_SIZE];
    const char *at = number;
    uint64_t digits = 0;
    snprintf(number, sizeof number, "%.*e", count - 1, value);
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') /* the locale's decimal mark is not */
            digits = digits * 10 + (uint64_t)(*at - '0');
    }
    *exponent = (int)strtol(at + 1, NULL, 10);
    return digits;
}

static void
scale(struct real *real)
{
    int twos;
    double fraction = frexp(real->value, &twos);
    real->rounded = !scale_by_integers(real, fraction, twos);
    if (real->rounded)
        real->digits = digits_by_printf(real->value, DIGITS, &real->exponent);
    /* Half the distance to the next number: of value, 2^-54 / fraction. */
    real->reach = (double)real->digits * (real->single ? 0x1p-25 : 0x1p-54) / fraction;
    real->uneven = fraction == 0.5 || real->value < (real->single ? (double)FLT_MIN : DBL_MIN);
}

static bool
reads_back_by_strtod(const struct real *real, uint64_t digits)
{
    char number[NUMBER_SIZE];
    struct varve__text text = {number, sizeof number, 0};
    varve__text_add_uint64(&text, digits);
    varve__text_add(&text, "e", 1);
    varve__text_add_int64(&text, real->exponent - (DIGITS - 1));
    varve__text_end(&text);
    return real->single ? strtof(number, NULL) == (float)real->value
                        : strtod(number, NULL) == real->value;
}

/* Whether these digits in place of real->digits still mean the number. */
static bool
reads_back(const struct real *real, uint64_t digits)
{
    const double error = 2; /* of real->digits and of reach */
    double off =
        digits > real->digits ? (double)(digits - real->digits) : (double)(real->digits - digits);
    if (off < real->reach / 2 - error)
        return true;
    if (!real->uneven && (off < real->reach - error || off > real->reach + error))
        return off < real->reach;
    return reads_back_by_strtod(real, digits);
}

/* ------------------------------------------------------------------ text of reals */

/* As printf's %g: with an exponent when it is below -4, or is not below `precision`. */
static void
add_digits(struct varve__text *text, uint64_t digits, int exponent, int precision)
{
    char number[NUMBER_SIZE];
    char *end = number + sizeof number;
    while (digits % 10 == 0)
        digits /= 10;
    const char *start = put_digits(end, digits);
    size_t count = (size_t)(end - start);
    bool scientific = exponent < -4 || exponent >= precision;
    size_t whole = scientific ? 1 : exponent < 0 ? 0 : (size_t)exponent + 1;
    if (whole == 0) {
        varve__text_add(text, "0.000", (size_t)(1 - exponent));
        varve__text_add(text, start, count);
    } else if (count <= whole) {
        varve__text_add(text, start, count);
        for (; count < whole; count++)
            varve__text_add(text, "0", 1);
    } else {
        varve__text_add(text, start, whole);
        varve__text_add(text, ".", 1);
        varve__text_add(text, start + whole, count - whole);
    }
    if (scientific) {
        unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
        varve__text_add(text, exponent < 0 ? "e-0" : "e+0", size < 10 ? 3 : 2);
        varve__text_add_uint64(text, size);
    }
}

/* Writes `least` digits, `most`, or as many between as are needed. */
static void
add_real(struct varve__text *text, struct real real, int least, int most)
{
    uint64_t unit = 1; /* of the last digit that is written */
    uint64_t digits;
    int precision = least;
    scale(&real);
    for (int i = DIGITS; i > least; i--)
        unit *= 10;
    for (;; precision++, unit /= 10) {
        digits = real.digits / unit;
        digits = (real.digits + unit / 2 - 1 + digits % 2) / unit * unit; /* a tie goes to even */
        if (real.rounded && real.digits % unit == unit / 2) { /* only looks like a tie */
            int exponent;
            digits = digits_by_printf(real.value, precision, &exponent) * unit;
            if (exponent > real.exponent)
                digits *= 10;
        }
        if (precision == most || reads_back(&real, digits))
            break;
    }
    if (digits >= DIGITS_END)
        real.exponent++; /* 9.99.. became 10 */
    add_digits(text, digits, real.exponent, precision);
}

/* Adds the sign, and the number if it is no other than a small integer, nan or infinite; else the
 * number is for add_real(). */
static bool
add_simple(struct varve__text *text, double value, double limit)
{
    double magnitude = fabs(value);
    if (isnan(value)) {
        varve__text_add_string(text, "nan");
        return true;
    }
    if (signbit(value))
        varve__text_add(text, "-", 1);
    if (isinf(value))
        varve__text_add_string(text, "inf");
    else if (magnitude < limit && (double)(uint64_t)magnitude == magnitude)
        varve__text_add_uint64(text, (uint64_t)magnitude);
    else
        return false;
    return true;
}

void
varve__text_add_float(struct varve__text *text, float value)
{
    struct real real = {.value = fabs((double)value), .single = true};
    if (!add_simple(text, (double)value, 1e6))
        add_real(text, real, FLT_DIG, FLT_DECIMAL_DIG);
}

void
varve__text_add_double(struct varve__text *text, double value)
{
    struct real real = {.value = fabs(value)};
    if (!add_simple(text, value, 1e15))
        add_real(text, real, DBL_DIG, DBL_DECIMAL_DIG);
}

/* ------------------------------------------------------------------ quoted strings */

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
