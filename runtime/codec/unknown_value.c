/* Reading single fields of wire bytes without a descriptor: the type comes as words. */
#include "codec/unknown_value.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "codec/unknown_wire.h"
#include "codec/wire.h"

/* -------------------------------------------------------------------- types */

static const struct {
    const char *word;
    ProtobufCType type;
} type_words[] = {
    {"int32", PROTOBUF_C_TYPE_INT32},       {"sint32", PROTOBUF_C_TYPE_SINT32},
    {"sfixed32", PROTOBUF_C_TYPE_SFIXED32}, {"int64", PROTOBUF_C_TYPE_INT64},
    {"sint64", PROTOBUF_C_TYPE_SINT64},     {"sfixed64", PROTOBUF_C_TYPE_SFIXED64},
    {"uint32", PROTOBUF_C_TYPE_UINT32},     {"fixed32", PROTOBUF_C_TYPE_FIXED32},
    {"uint64", PROTOBUF_C_TYPE_UINT64},     {"fixed64", PROTOBUF_C_TYPE_FIXED64},
    {"float", PROTOBUF_C_TYPE_FLOAT},       {"double", PROTOBUF_C_TYPE_DOUBLE},
    {"bool", PROTOBUF_C_TYPE_BOOL},         {"enum", PROTOBUF_C_TYPE_ENUM},
    {"string", PROTOBUF_C_TYPE_STRING},     {"bytes", PROTOBUF_C_TYPE_BYTES},
    {"message", PROTOBUF_C_TYPE_MESSAGE},
};

/* Takes a word off the text. */
static bool
take_word(const char **text, char *word, size_t size)
{
    size_t length = strcspn(*text, " ");
    if (length == 0 || length >= size)
        return false;
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length;
    *text += **text == ' ';
    return true;
}

static bool
take_type(const char **words, ProtobufCType *type)
{
    char word[16];
    if (!take_word(words, word, sizeof word))
        return false;
    for (size_t i = 0; i < sizeof type_words / sizeof *type_words; i++) {
        if (strcmp(type_words[i].word, word) == 0) {
            *type = type_words[i].type;
            return true;
        }
    }
    return false;
}

/* Steps over "label ", when the words begin so. */
static bool
take_label(const char **words, const char *label)
{
    size_t length = strlen(label);
    if (strncmp(*words, label, length) != 0)
        return false;
    *words += length;
    return true;
}

/* Whether tensors have elements of this type. */
static bool
is_element(ProtobufCType type)
{
    return varve__wire_type(type) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED &&
           type != PROTOBUF_C_TYPE_BOOL && type != PROTOBUF_C_TYPE_ENUM;
}

/* Whether maps have keys of this type. */
static bool
is_key(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BOOL ||
           (is_element(type) && type != PROTOBUF_C_TYPE_FLOAT && type != PROTOBUF_C_TYPE_DOUBLE);
}

bool
varve__unknown_type_parse(const char *words, struct varve__unknown_type *type)
{
    *type = (struct varve__unknown_type){.type = PROTOBUF_C_TYPE_INT32};
    if (take_label(&words, "tensor ")) {
        type->tensor = true;
        return take_type(&words, &type->type) && *words == '\0' && is_element(type->type);
    }
    if (take_label(&words, "oneof ")) {
        size_t name = strcspn(words, " ");
        words += name;
        words += *words == ' ';
    } else if (!take_label(&words, "optional ")) {
        type->repeated = take_label(&words, "repeated ");
        type->map = !type->repeated && take_label(&words, "map ");
    }
    if (type->map && !(take_type(&words, &type->key) && is_key(type->key)))
        return false;
    if (!take_type(&words, &type->type))
        return false;
    bool named = type->type == PROTOBUF_C_TYPE_MESSAGE || type->type == PROTOBUF_C_TYPE_ENUM;
    return *words == '\0' || (named && strchr(words, ' ') == NULL);
}

/* -------------------------------------------------------------------- the wire */

enum varve_status
varve__unknown_fail(uint32_t number, const char *what)
{
    return varve__fail(
        VARVE_INVALID, VARVE_FAILURE_WIRE, VARVE_TIER_TABLE, NULL, "unknown field %u: %s",
        (unsigned)number, what);
}

static enum varve_status
fail_malformed(void)
{
    return varve__fail(
        VARVE_INVALID, VARVE_FAILURE_WIRE, VARVE_TIER_TABLE, NULL,
        "the unknown fields hold bytes that are no fields");
}

const uint8_t *
varve__piece_read(const uint8_t *at, const uint8_t *end, struct varve__piece *piece)
{
    uint32_t tag;
    piece->start = at;
    at = varve__short_varint_read(at, end, &tag);
    if (!at || tag < 8)
        return NULL;
    piece->number = tag >> 3;
    piece->wire_type = tag & 7;
    piece->at = at;
    piece->end = varve__value_skip(piece->wire_type, at, end);
    if (piece->end && piece->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
        uint32_t size;
        piece->at = varve__short_varint_read(at, end, &size);
    }
    return piece->end;
}

/* Whether all bytes are fields. What follows that need not look again. */
static bool
is_whole(const uint8_t *at, const uint8_t *end)
{
    struct varve__piece piece;
    while (at && at < end)
        at = varve__piece_read(at, end, &piece);
    return at != NULL || end == NULL;
}

static uint64_t
read_fixed(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, at, size); /* little-endian, as memory is */
    return value;
}

static int64_t
unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (UINT64_C(0) - (value & 1)));
}

/* Puts a number of this type, read as raw bits, into a slot. */
static void
set_number(ProtobufCType type, uint64_t raw, union varve__slot_value *slot)
{
    uint32_t low = (uint32_t)raw;
    switch (type) {
    case PROTOBUF_C_TYPE_SINT32:
        slot->int32 = (int32_t)unzigzag(low);
        break;
    case PROTOBUF_C_TYPE_SINT64:
        slot->int64 = unzigzag(raw);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        slot->boolean = raw != 0;
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        memcpy(&slot->real32, &low, sizeof low);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        memcpy(&slot->real64, &raw, sizeof raw);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        slot->uint64 = raw;
        break;
    default:
        slot->uint32 = low;
    }
}

const uint8_t *
varve__piece_number(
    const uint8_t *at, const uint8_t *end, ProtobufCType type, union varve__slot_value *slot)
{
    uint64_t raw;
    unsigned wire_type = varve__wire_type(type);
    const uint8_t *behind = varve__value_skip(wire_type, at, end);
    if (!behind)
        return NULL;
    if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT)
        varve__varint_read(at, &raw);
    else
        raw = read_fixed(at, wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4);
    set_number(type, raw, slot);
    return behind;
}

/* -------------------------------------------------------------------- values */

static enum varve_status
read_string(
    struct varve__unknown_search *search,
    const struct varve__piece *piece,
    union varve__slot_value *slot)
{
    size_t size = (size_t)(piece->end - piece->at);
    if (varve__utf8_check((const char *)piece->at, size) < size)
        return varve__unknown_fail(search->number, "a string in it is no UTF-8, or holds a NUL");
    char *copy = varve__arena_allocate(search->arena, size + 1);
    if (!copy)
        return varve__fail_memory(NULL, size);
    memcpy(copy, piece->at, size);
    copy[size] = '\0';
    slot->string = copy;
    return VARVE_OK;
}

enum varve_status
varve__piece_value(
    struct varve__unknown_search *search,
    const struct varve__piece *piece,
    ProtobufCType type,
    union varve__slot_value *slot)
{
    memset(slot, 0, sizeof *slot);
    if (piece->wire_type != varve__wire_type(type))
        return varve__unknown_fail(
            search->number, "its bytes are of another type than the schema says");
    if (type == PROTOBUF_C_TYPE_STRING)
        return read_string(search, piece, slot);
    if (type == PROTOBUF_C_TYPE_BYTES)
        slot->bytes =
            (struct varve_bytes){(size_t)(piece->end - piece->at), (uint8_t *)(uintptr_t)piece->at};
    else
        varve__piece_number(piece->at, piece->end, type, slot);
    return VARVE_OK;
}

static enum varve_status
set_real(
    const struct varve__unknown_search *search, double real, struct varve__unknown_value *value)
{
    if (isnan(real))
        return varve__unknown_fail(search->number, "it is NaN, which a column cannot hold");
    value->kind = VARVE__UNKNOWN_REAL;
    value->real = real;
    return VARVE_OK;
}

static enum varve_status
set_uint64(
    const struct varve__unknown_search *search,
    uint64_t integer,
    struct varve__unknown_value *value)
{
    if (integer > INT64_MAX && search->type->type == PROTOBUF_C_TYPE_UINT64)
        return varve__unknown_fail(search->number, "it is larger than a column can hold, 2^63 - 1");
    value->integer = (int64_t)integer;
    return VARVE_OK;
}

/* The column's value of a slot. */
static enum varve_status
set_value(
    const struct varve__unknown_search *search,
    const union varve__slot_value *slot,
    struct varve__unknown_value *value)
{
    value->kind = VARVE__UNKNOWN_INTEGER;
    switch (search->type->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return set_real(search, (double)slot->real32, value);
    case PROTOBUF_C_TYPE_DOUBLE:
        return set_real(search, slot->real64, value);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return set_uint64(search, slot->uint64, value);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        value->integer = slot->uint32;
        return VARVE_OK;
    case PROTOBUF_C_TYPE_BOOL:
        value->integer = slot->boolean;
        return VARVE_OK;
    case PROTOBUF_C_TYPE_STRING:
        *value = (struct varve__unknown_value){
            .kind = VARVE__UNKNOWN_TEXT, .data = slot->string, .size = strlen(slot->string)};
        return VARVE_OK;
    case PROTOBUF_C_TYPE_BYTES:
        *value = (struct varve__unknown_value){
            .kind = VARVE__UNKNOWN_BLOB, .data = slot->bytes.data, .size = slot->bytes.size};
        return VARVE_OK;
    default:
        value->integer = slot->int32;
        return VARVE_OK;
    }
}

/* The last one counts. */
static enum varve_status
find_scalar(
    struct varve__unknown_search *search, const uint8_t *at, struct varve__unknown_value *value)
{
    struct varve__piece piece;
    struct varve__piece last = {.number = 0};
    union varve__slot_value slot;
    while (at < search->end) {
        at = varve__piece_read(at, search->end, &piece);
        if (piece.number == search->number)
            last = piece;
    }
    if (last.number == 0)
        return VARVE_OK;
    enum varve_status status = varve__piece_value(search, &last, search->type->type, &slot);
    return status == VARVE_OK ? set_value(search, &slot, value) : status;
}

/* Messages: the records, one behind the other. */
static enum varve_status
find_messages(
    struct varve__unknown_search *search,
    const uint8_t *at,
    size_t size,
    struct varve__unknown_value *value)
{
    struct varve__piece piece;
    size_t length = 0;
    uint8_t *copy = varve__arena_allocate(search->arena, size);
    if (!copy)
        return varve__fail_memory(NULL, size);
    while (at < search->end) {
        at = varve__piece_read(at, search->end, &piece);
        if (piece.number != search->number)
            continue;
        if (piece.wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            return varve__unknown_fail(
                search->number, "its bytes are of another type than the schema says");
        if (!is_whole(piece.at, piece.end))
            return varve__unknown_fail(
                search->number, "a message in it holds bytes that are no fields");
        memcpy(copy + length, piece.start, (size_t)(piece.end - piece.start));
        length += (size_t)(piece.end - piece.start);
    }
    if (length > 0)
        *value = (struct varve__unknown_value){
            .kind = VARVE__UNKNOWN_BLOB, .data = copy, .size = length};
    return VARVE_OK;
}

/* -------------------------------------------------------------------- the whole */

enum varve_status
varve__unknown_find(
    const uint8_t *bytes,
    size_t size,
    uint32_t number,
    const struct varve__unknown_type *type,
    struct varve__arena *arena,
    struct varve__unknown_value *value)
{
    *value = (struct varve__unknown_value){.kind = VARVE__UNKNOWN_ABSENT};
    if (size == 0)
        return VARVE_OK;
    struct varve__unknown_search search = {bytes + size, number, type, arena};
    if (!is_whole(bytes, search.end))
        return fail_malformed();
    if (type->type == PROTOBUF_C_TYPE_MESSAGE)
        return find_messages(&search, bytes, size, value);
    if (type->tensor)
        return varve__unknown_elements(&search, bytes, value);
    if (type->map)
        return varve__unknown_map(&search, bytes, value);
    return type->repeated ? varve__unknown_array(&search, bytes, value)
                          : find_scalar(&search, bytes, value);
}

enum varve_status
varve__unknown_has(const uint8_t *bytes, size_t size, uint32_t number, bool *has)
{
    struct varve__piece piece;
    *has = false;
    for (const uint8_t *at = bytes, *end = size > 0 ? bytes + size : bytes; at < end;) {
        at = varve__piece_read(at, end, &piece);
        if (!at)
            return fail_malformed();
        *has = *has || piece.number == number;
    }
    return VARVE_OK;
}

enum varve_status
varve__unknown_without(
    const uint8_t *bytes, size_t size, uint32_t number, uint8_t *rest, size_t *rest_size)
{
    struct varve__piece piece;
    *rest_size = 0;
    for (const uint8_t *at = bytes, *end = size > 0 ? bytes + size : bytes; at < end;) {
        at = varve__piece_read(at, end, &piece);
        if (!at)
            return fail_malformed();
        if (piece.number == number)
            continue;
        memcpy(rest + *rest_size, piece.start, (size_t)(at - piece.start));
        *rest_size += (size_t)(at - piece.start);
    }
    return VARVE_OK;
}
