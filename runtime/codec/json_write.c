/* JSON text of strings, numbers, bytes and keys; text.c writes the digits. */
#include "codec/json_write.h"

#include <math.h>
#include <string.h>

#include <varve/types.h>

#include "codec/json.h"

/* The letter of a control character's short escape, 0 when it has none. */
static char
escape_letter(char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void
add_escape(struct varve__text *text, char byte)
{
    static const char hex[] = "0123456789abcdef";
    char letter = escape_letter(byte);
    if (letter) {
        varve__text_add(text, (char[2]){'\\', letter}, 2);
        return;
    }
    char escape[6] = {'\\', 'u', '0', '0', hex[(uint8_t)byte >> 4], hex[byte & 15]};
    varve__text_add(text, escape, sizeof escape);
}

static void
add_string(struct varve__text *text, const char *at)
{
    varve__text_add(text, "\"", 1);
    for (;;) {
        const char *run = at;
        while (varve__json_is_plain(*at))
            at++;
        varve__text_add(text, run, (size_t)(at - run));
        if (!*at)
            break;
        add_escape(text, *at++);
    }
    varve__text_add(text, "\"", 1);
}

/* The size of what add_string() writes. */
static size_t
string_size(const char *at)
{
    size_t size = 2;
    for (; *at; at++)
        size += varve__json_is_plain(*at) ? 1 : escape_letter(*at) ? 2 : 6;
    return size;
}

/* Adds the bytes in groups of three, of which each makes four characters. */
static void
add_base64(struct varve__text *text, const struct varve_bytes *bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    varve__text_add(text, "\"", 1);
    for (size_t i = 0; i < bytes->size; i += 3) {
        size_t left = bytes->size - i;
        uint32_t group = (uint32_t)bytes->data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes->data[i + 1] << 8 : 0;
        group |= left > 2 ? bytes->data[i + 2] : 0;
        char characters[4] = {
            digits[group >> 18],
            digits[group >> 12 & 63],
            left > 1 ? digits[group >> 6 & 63] : '=',
            left > 2 ? digits[group & 63] : '=',
        };
        varve__text_add(text, characters, sizeof characters);
    }
    varve__text_add(text, "\"", 1);
}

static size_t
base64_size(const struct varve_bytes *bytes)
{
    return 2 + (bytes->size + 2) / 3 * 4;
}

static void
add_real(struct varve__text *text, ProtobufCType type, const void *value)
{
    bool single = type == PROTOBUF_C_TYPE_FLOAT;
    double real = single ? (double)*(const float *)value : *(const double *)value;
    size_t start = text->length;
    if (isnan(real) || isinf(real)) {
        varve__text_add_string(text, isnan(real) ? "\"NaN\"" : real > 0 ? "9e999" : "-9e999");
        return;
    }
    if (single)
        varve__text_add_float(text, *(const float *)value);
    else
        varve__text_add_double(text, real);
    for (size_t i = start; i < text->length; i++) {
        if (text->buffer[i] == '.' || text->buffer[i] == 'e')
            return;
    }
    varve__text_add(text, ".0", 2);
}

static bool
is_int64(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
           type == PROTOBUF_C_TYPE_SFIXED64;
}

static bool
is_uint64(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
}

static void
add_plain_value(struct varve__text *text, ProtobufCType type, const void *value)
{
    if (type == PROTOBUF_C_TYPE_STRING)
        add_string(text, *(const char *const *)value);
    else if (type == PROTOBUF_C_TYPE_BYTES)
        add_base64(text, value);
    else if (type == PROTOBUF_C_TYPE_BOOL)
        varve__text_add_string(text, *(const protobuf_c_boolean *)value ? "true" : "false");
    else if (type == PROTOBUF_C_TYPE_FLOAT || type == PROTOBUF_C_TYPE_DOUBLE)
        add_real(text, type, value);
    else if (type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32)
        varve__text_add_uint64(text, *(const uint32_t *)value);
    else if (is_uint64(type))
        varve__text_add_uint64(text, *(const uint64_t *)value);
    else if (is_int64(type))
        varve__text_add_int64(text, *(const int64_t *)value);
    else
        varve__text_add_int64(text, *(const int32_t *)value);
}

static void
add_quoted_value(struct varve__text *text, ProtobufCType type, const void *value)
{
    varve__text_add(text, "\"", 1);
    add_plain_value(text, type, value);
    varve__text_add(text, "\"", 1);
}

void
varve__json_add_value(struct varve__text *text, ProtobufCType type, const void *value)
{
    if (is_int64(type) || is_uint64(type))
        add_quoted_value(text, type, value);
    else
        add_plain_value(text, type, value);
}

void
varve__json_add_for_sql(struct varve__text *text, ProtobufCType type, const void *value)
{
    if (type == PROTOBUF_C_TYPE_FIXED64)
        varve__text_add_int64(text, *(const int64_t *)value);
    else if (type == PROTOBUF_C_TYPE_BOOL)
        varve__text_add(text, *(const protobuf_c_boolean *)value ? "1" : "0", 1);
    else
        add_plain_value(text, type, value);
}

void
varve__json_add_key(struct varve__text *text, ProtobufCType type, const void *key)
{
    if (type == PROTOBUF_C_TYPE_STRING)
        add_string(text, *(const char *const *)key);
    else
        add_quoted_value(text, type, key);
}

bool
varve__json_is_nan(ProtobufCType type, const void *value)
{
    return (type == PROTOBUF_C_TYPE_FLOAT && isnan(*(const float *)value)) ||
           (type == PROTOBUF_C_TYPE_DOUBLE && isnan(*(const double *)value));
}

size_t
varve__json_value_bound(ProtobufCType type, const void *value)
{
    if (type == PROTOBUF_C_TYPE_STRING)
        return string_size(*(const char *const *)value);
    if (type == PROTOBUF_C_TYPE_BYTES)
        return base64_size(value);
    return VARVE__JSON_NUMBER_MAX;
}
