/* Keys of the cache: decoding. Takes what cache_key.c writes, and nothing else. */
#include <string.h>

#include "base/utf8.h"
#include "codec/cache_key.h"
#include "codec/cache_key_parts.h"

/* The greatest magnitude that the field holds, of positive numbers or of negative ones. */
static uint64_t
greatest_magnitude(ProtobufCType type, bool negative)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return (uint64_t)INT64_MAX + negative;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return negative ? 0 : UINT64_MAX;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return negative ? 0 : UINT32_MAX;
    default:
        return (uint64_t)INT32_MAX + negative;
    }
}

/* Sets the field to an integer that it holds. */
static void
set_integer(void *record, const ProtobufCFieldDescriptor *field, struct varve__key_integer value)
{
    void *member = varve__member_of(record, field->offset);
    uint64_t bits = value.negative ? 0 - value.magnitude : value.magnitude;
    if (varve__element_size(field->type) == sizeof bits) {
        memcpy(member, &bits, sizeof bits);
    } else {
        uint32_t low = (uint32_t)bits;
        memcpy(member, &low, sizeof low);
    }
}

/* A text that is read. Functions that read say whether there was what they look for; if not, `at` is the
 * byte that is wrong. */
struct reading {
    const char *at;
    const char *end;
    void *record;  /* NULL: only looked at */
    char *strings; /* free room for them; NULL without a record */
};

static bool
read_fixed(struct reading *reading, const char *text)
{
    for (; *text; text++, reading->at++) {
        if (reading->at == reading->end || *reading->at != *text)
            return false;
    }
    return true;
}

/* The value of a capital hexadecimal digit; 16: it is none. */
static unsigned
hex_value(char digit)
{
    const char *found = digit ? strchr(varve__key_digits, digit) : NULL;
    return found ? (unsigned)(found - varve__key_digits) : 16;
}

/* The byte that %XX stands for, if it is one that has to be written so; 0: it is not. */
static uint8_t
read_escape(const char *at, const char *stop)
{
    if (stop - at < VARVE__KEY_ESCAPE_SIZE || *at != '%')
        return 0;
    unsigned high = hex_value(at[1]);
    unsigned low = hex_value(at[2]);
    unsigned byte = high << 4 | low;
    return high < 16 && low < 16 && varve__key_is_escaped[byte] ? (uint8_t)byte : 0;
}

/* Reads the string that ends at `stop` into the free room. */
static bool
read_escaped(struct reading *reading, const char *stop)
{
    const char *begin = reading->at;
    const char *at = begin;
    char *out = reading->strings;
    while (at < stop) {
        uint8_t byte = (uint8_t)*at;
        bool escaped = varve__key_is_escaped[byte];
        if (__builtin_expect(escaped, 0) && !(byte = read_escape(at, stop)))
            break;
        at += escaped ? VARVE__KEY_ESCAPE_SIZE : 1;
        if (out)
            *out++ = (char)byte;
    }
    reading->at = at;
    reading->strings = out;
    if (at < stop)
        return false;
    /* Escapes are ASCII and stand for ASCII: what is UTF-8 with them is so without. */
    reading->at = begin + varve__utf8_check(begin, (size_t)(stop - begin));
    return reading->at == stop;
}

/* Where the string of the part ends: the braces of a tag do so, or the fixed text before the next colon. */
static const char *
find_stop(const struct reading *reading, const struct varve_key_part *part)
{
    size_t left = (size_t)(reading->end - reading->at);
    const char *colon = memchr(reading->at, ':', left);
    const char *stop = colon ? colon : reading->end;
    if (part->hash_tag) {
        const char *brace = memchr(reading->at, '}', (size_t)(stop - reading->at));
        return brace ? brace : stop;
    }
    size_t after = strlen(part->after);
    return after > (size_t)(stop - reading->at) ? NULL : stop - after;
}

static bool
read_string(struct reading *reading, const struct varve_key_part *part)
{
    const char *stop = find_stop(reading, part);
    if (!stop)
        return false;
    size_t size = (size_t)(stop - reading->at);
    char *string = reading->strings;
    if (part->hash_tag && size == 0)
        return false;
    if (part->hash_tag && size == VARVE__KEY_ESCAPE_SIZE && memcmp(reading->at, "%00", size) == 0)
        reading->at = stop;
    else if (!read_escaped(reading, stop))
        return false;
    if (reading->record) {
        *reading->strings++ = '\0';
        *(const char **)varve__member_of(reading->record, part->field->offset) = string;
    }
    return true;
}

static bool
read_bool(struct reading *reading, const ProtobufCFieldDescriptor *field)
{
    if (reading->at == reading->end || (*reading->at != '0' && *reading->at != '1'))
        return false;
    bool value = *reading->at++ == '1';
    if (reading->record)
        *(protobuf_c_boolean *)varve__member_of(reading->record, field->offset) = value;
    return true;
}

/* Reads so many digits, without needless zeros, of a number of at most 64 bits. */
static bool
read_digits(struct reading *reading, unsigned count, struct varve__key_integer *value)
{
    for (unsigned i = 0; i < count; i++, reading->at++) {
        unsigned digit = reading->at < reading->end ? (uint8_t)*reading->at - (unsigned)'0' : 10;
        if (digit > 9)
            return false;
        digit = value->negative ? 9 - digit : digit;
        if (i == 0 && digit == 0 && (count > 1 || value->negative))
            return false;
        if (__builtin_mul_overflow(value->magnitude, 10, &value->magnitude) ||
            __builtin_add_overflow(value->magnitude, digit, &value->magnitude))
            return false;
    }
    return true;
}

static bool
read_integer(struct reading *reading, const ProtobufCFieldDescriptor *field)
{
    const char *begin = reading->at;
    char letter = '\0';
    if (reading->at < reading->end)
        letter = *reading->at;
    struct varve__key_integer value = {0, letter >= 'H' && letter <= 'Z'};
    if (!value.negative && (letter < 'a' || letter > 't'))
        return false;
    unsigned count = (unsigned)(value.negative ? 'Z' + 1 - letter : letter + 1 - 'a');
    reading->at++;
    if (!read_digits(reading, count, &value))
        return false;
    if (value.magnitude > greatest_magnitude(field->type, value.negative)) {
        reading->at = begin;
        return false;
    }
    if (reading->record)
        set_integer(reading->record, field, value);
    return true;
}

static bool
read_value(struct reading *reading, const struct varve_key_part *part)
{
    switch (part->field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return read_string(reading, part);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(reading, part->field);
    default:
        return read_integer(reading, part->field);
    }
}

static bool
read_part(struct reading *reading, const struct varve_key_part *part)
{
    if (!read_fixed(reading, part->before))
        return false;
    if (!part->field)
        return true;
    return read_fixed(reading, part->hash_tag ? "{" : "") && read_value(reading, part) &&
           read_fixed(reading, part->hash_tag ? "}" : "") && read_fixed(reading, part->after);
}

bool
varve__cache_key_decode(
    const struct varve_record *table,
    const char *text,
    size_t size,
    void *record,
    char *strings,
    size_t *where)
{
    const struct varve_cache *cache = table->cache;
    struct reading reading = {text, text + size, record, record ? strings : NULL};
    bool good = size <= VARVE__KEY_MAX_SIZE;
    if (!good)
        reading.at = text + VARVE__KEY_MAX_SIZE;
    for (size_t i = 0; good && i < cache->part_count; i++)
        good = read_fixed(&reading, i > 0 ? ":" : "") && read_part(&reading, &cache->parts[i]);
    *where = (size_t)(reading.at - text);
    return good && reading.at == reading.end;
}
