/* Keys of the cache: encoding and comparing. Decoding is in cache_key_read.c, and what programs call in
 * cache_key_text.c. */
#include "codec/cache_key.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "codec/cache_key_parts.h"
#include "codec/path.h"

/* clang-format off */
const bool varve__key_is_escaped[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['%'] = 1, [':'] = 1, ['{'] = 1, ['}'] = 1, [0x7F] = 1,
};
/* clang-format on */

const char varve__key_digits[17] = "0123456789ABCDEF";

/* ------------------------------------------------------------------ values of fields */

static struct varve__key_integer
signed_integer(int64_t value)
{
    bool negative = value < 0;
    return (struct varve__key_integer){negative ? 0 - (uint64_t)value : (uint64_t)value, negative};
}

static struct varve__key_integer
integer_at(const void *record, const ProtobufCFieldDescriptor *field)
{
    const void *member = varve__member(record, field->offset);
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return signed_integer(*(const int64_t *)member);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return (struct varve__key_integer){*(const uint64_t *)member, false};
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return (struct varve__key_integer){*(const uint32_t *)member, false};
    case PROTOBUF_C_TYPE_BOOL:
        return (struct varve__key_integer){*(const protobuf_c_boolean *)member != 0, false};
    default:
        return signed_integer(*(const int32_t *)member);
    }
}

/* ------------------------------------------------------------------ writing */

/* Functions that write give the place behind what they wrote; NULL: there is no room up to `end`. */

static inline char *
write_fixed(char *at, const char *end, const char *text)
{
    for (; *text; text++) {
        if (at == end)
            return NULL;
        *at++ = *text;
    }
    return at;
}

static size_t
escaped_size(const char *text, size_t size)
{
    size_t escapes = 0;
    for (size_t i = 0; i < size; i++)
        escapes += varve__key_is_escaped[(uint8_t)text[i]];
    return size + escapes * (VARVE__KEY_ESCAPE_SIZE - 1);
}

/* NULL too for a text that is no string: who fails looks why. */
static inline char *
write_string(char *at, const char *end, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    size_t room = (size_t)(end - at);
    if (!text || varve__utf8_check(text, size) != size)
        return NULL;
    if (size > room / VARVE__KEY_ESCAPE_SIZE && (size > room || escaped_size(text, size) > room))
        return NULL;
    for (const char *stop = text + size; text < stop; text++) {
        uint8_t byte = (uint8_t)*text;
        if (__builtin_expect(!varve__key_is_escaped[byte], 1)) {
            *at++ = *text;
            continue;
        }
        *at++ = '%';
        *at++ = varve__key_digits[byte >> 4];
        *at++ = varve__key_digits[byte & 15];
    }
    return at;
}

/* How many decimal digits the value has, 1 to 20. */
static inline unsigned
count_digits(uint64_t value)
{
    static const uint64_t powers[] = {
        UINT64_C(1),
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    unsigned guess = (bits * 1233) >> 12; /* log10(2) is 1233 / 4096, and a little less */
    return guess + ((value | 1) >= powers[guess]);
}

/* The last `count` digits of the value, as 9 - d when it is negative. */
static inline void
write_digits(char *at, unsigned count, struct varve__key_integer value)
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    uint64_t left = value.magnitude;
    for (; count >= 2; count -= 2) {
        unsigned pair = (unsigned)(left % 100);
        left /= 100;
        memcpy(at + count - 2, pairs + 2 * (value.negative ? 99 - pair : pair), 2);
    }
    if (count == 1)
        *at = varve__key_digits[value.negative ? 9 - left : left];
}

static inline char *
write_integer(char *at, const char *end, struct varve__key_integer value)
{
    unsigned count = count_digits(value.magnitude);
    if ((size_t)(end - at) < 1 + count)
        return NULL;
    *at++ = (char)(value.negative ? 'Z' + 1 - (int)count : 'a' - 1 + (int)count);
    write_digits(at, count, value);
    return at + count;
}

static inline char *
write_value(char *at, const char *end, const ProtobufCFieldDescriptor *field, const void *record)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return write_string(at, end, varve__key_string(record, field));
    case PROTOBUF_C_TYPE_BOOL:
        return write_fixed(at, end, integer_at(record, field).magnitude ? "1" : "0");
    default:
        return write_integer(at, end, integer_at(record, field));
    }
}

/* The braces with the value; a cluster takes none for a tag whose braces are empty. */
static char *
write_tag(char *at, const char *end, const ProtobufCFieldDescriptor *field, const void *record)
{
    char *begin = write_fixed(at, end, "{");
    at = begin ? write_value(begin, end, field, record) : NULL;
    if (at && at == begin)
        at = write_fixed(at, end, "%00");
    return at ? write_fixed(at, end, "}") : NULL;
}

static char *
write_part(char *at, const char *end, const struct varve_key_part *part, const void *record)
{
    at = write_fixed(at, end, part->before);
    if (!at || !part->field)
        return at;
    at = part->hash_tag ? write_tag(at, end, part->field, record)
                        : write_value(at, end, part->field, record);
    return at ? write_fixed(at, end, part->after) : NULL;
}

/* ------------------------------------------------------------------ failures of writing */

static enum varve_status
fail_too_long(const struct varve_record *table, const void *record)
{
    struct varve__path path = {.count = 0};
    const ProtobufCFieldDescriptor *longest = NULL;
    size_t most = 0;
    for (size_t i = 0; i < table->cache->part_count; i++) {
        const ProtobufCFieldDescriptor *field = table->cache->parts[i].field;
        size_t size = field && field->type == PROTOBUF_C_TYPE_STRING
                          ? strlen(varve__key_string(record, field))
                          : 0;
        if (size > most) {
            most = size;
            longest = field;
        }
    }
    if (longest)
        varve__path_add(&path, longest, VARVE__NO_INDEX);
    return varve__path_fail(
        &path, table, VARVE_FAILURE_SIZE,
        "has %zu bytes, and makes the key \"%s\" longer than the %d that keys may have; shorten "
        "it, "
        "or store a hash of it",
        most, table->cache->key, VARVE__KEY_MAX_SIZE);
}

/* Looks for the reason why a key could not be written. */
static enum varve_status
fail_write(const struct varve_record *table, const void *record)
{
    struct varve__path path = {.count = 0};
    for (size_t i = 0; i < table->cache->part_count; i++) {
        const ProtobufCFieldDescriptor *field = table->cache->parts[i].field;
        if (!field || field->type != PROTOBUF_C_TYPE_STRING)
            continue;
        const char *text = varve__key_string(record, field);
        size_t size = text ? strlen(text) : 0;
        size_t bad = text ? varve__utf8_check(text, size) : 0;
        if (text && bad == size)
            continue;
        varve__path_add(&path, field, VARVE__NO_INDEX);
        if (!text)
            return varve__path_fail(
                &path, table, VARVE_FAILURE_NOT_NULL,
                "is NULL, and the key is made of it; set a string, \"\" for an empty one");
        return varve__path_fail(
            &path, table, VARVE_FAILURE_UTF8, "is no UTF-8 (byte %zu); convert the text", bad);
    }
    return fail_too_long(table, record);
}

enum varve_status
varve__cache_key_encode(
    const struct varve_record *table, const void *record, char *buffer, size_t *size)
{
    const struct varve_cache *cache = table->cache;
    const char *end = buffer + VARVE__KEY_MAX_SIZE;
    char *at = buffer;
    *size = 0;
    for (size_t i = 0; i < cache->part_count; i++) {
        at = i > 0 ? write_fixed(at, end, ":") : at;
        at = at ? write_part(at, end, &cache->parts[i], record) : NULL;
        if (__builtin_expect(!at, 0))
            return fail_write(table, record);
    }
    *size = (size_t)(at - buffer);
    return VARVE_OK;
}

/* ------------------------------------------------------------------ comparing */

static bool
same_string(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool
varve__cache_key_equal(const struct varve_record *table, const void *a, const void *b)
{
    for (size_t i = 0; i < table->cache->part_count; i++) {
        const ProtobufCFieldDescriptor *field = table->cache->parts[i].field;
        if (!field)
            continue;
        if (field->type == PROTOBUF_C_TYPE_STRING) {
            if (!same_string(varve__key_string(a, field), varve__key_string(b, field)))
                return false;
            continue;
        }
        struct varve__key_integer left = integer_at(a, field);
        struct varve__key_integer right = integer_at(b, field);
        if (left.magnitude != right.magnitude || left.negative != right.negative)
            return false;
    }
    return true;
}
