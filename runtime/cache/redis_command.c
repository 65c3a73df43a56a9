/* Writes commands ("*2 $3 GET $1 a", each behind a line's end) straight into what is to be sent. */
#include "base/memory.h"
#include "cache/redis_connection.h"

enum {
    OUT_SIZE = 64 * 1024,
    PREFIX_SIZE = 1 + 20 + 2, /* of "$18446744073709551615" and its line's end */
    NUMBER_SIZE = 20          /* of INT64_MIN */
};

/* 00 01 .. 99 */
static const char pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536"
    "37383940414243444546474849505152535455565758596061626364656667686970717273"
    "7475767778798081828384858687888990919293949596979899";

/* Writes the number's digits so that they end before `end`; where they begin. */
static char *
write_backwards(char *end, uint64_t number)
{
    for (; number >= 100; number /= 100)
        memcpy(end -= 2, pairs + number % 100 * 2, 2);
    if (number >= 10)
        memcpy(end -= 2, pairs + number * 2, 2);
    else
        *--end = (char)('0' + number);
    return end;
}

/* "$12" and its line's end: behind it. */
static inline char *
write_prefix(char *at, char kind, size_t number)
{
    *at++ = kind;
    if (number < 10) {
        *at++ = (char)('0' + number);
    } else if (number < 100) {
        memcpy(at, pairs + number * 2, 2);
        at += 2;
    } else {
        char digits[NUMBER_SIZE];
        const char *begin = write_backwards(digits + sizeof digits, number);
        size_t size = (size_t)(digits + sizeof digits - begin);
        memcpy(at, begin, size);
        at += size;
    }
    memcpy(at, "\r\n", 2);
    return at + 2;
}

char *
varve__redis_grow(struct varve__redis_connection *connection, size_t size)
{
    size_t unsent = connection->out_end - connection->out_begin, needed;
    bool fits = varve__size_add(unsent, size, &needed);
    char *out = connection->out;
    if (!fits || needed > connection->out_size || unsent > connection->out_size / 2) {
        size_t wanted = needed < SIZE_MAX / 4 ? needed + needed / 4 : needed;
        wanted = wanted < OUT_SIZE ? OUT_SIZE : wanted;
        out = fits ? varve__allocate(wanted) : NULL;
        connection->no_memory |= !out;
        if (!out)
            return NULL;
        connection->out_size = wanted;
    }
    if (unsent > 0)
        memmove(out, connection->out + connection->out_begin, unsent);
    if (out != connection->out)
        varve__release(connection->out);
    connection->out = out;
    connection->out_begin = 0;
    connection->out_end = unsent;
    return out + unsent;
}

void
varve__redis_command(struct varve__redis_connection *connection, size_t words)
{
    char *at = varve__redis_room(connection, PREFIX_SIZE);
    if (at)
        connection->out_end = (size_t)(write_prefix(at, '*', words) - connection->out);
}

void
varve__redis_argument(struct varve__redis_connection *connection, const void *bytes, size_t size)
{
    char *at = varve__redis_room(connection, PREFIX_SIZE + size + 2);
    if (!at)
        return;
    at = write_prefix(at, '$', size);
    if (size > 0)
        memcpy(at, bytes, size);
    memcpy(at + size, "\r\n", 2);
    connection->out_end = (size_t)(at + size + 2 - connection->out);
}

void
varve__redis_argument_of_two(
    struct varve__redis_connection *connection,
    const void *first,
    size_t first_size,
    const void *second,
    size_t second_size)
{
    size_t size = first_size + second_size;
    char *at = varve__redis_room(connection, PREFIX_SIZE + size + 2);
    if (!at)
        return;
    at = write_prefix(at, '$', size);
    if (first_size > 0)
        memcpy(at, first, first_size);
    if (second_size > 0)
        memcpy(at + first_size, second, second_size);
    memcpy(at + size, "\r\n", 2);
    connection->out_end = (size_t)(at + size + 2 - connection->out);
}

void
varve__redis_number(struct varve__redis_connection *connection, int64_t number)
{
    char digits[NUMBER_SIZE];
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char *begin = write_backwards(digits + sizeof digits, magnitude);
    if (number < 0)
        *--begin = '-';
    varve__redis_argument(connection, begin, (size_t)(digits + sizeof digits - begin));
}
