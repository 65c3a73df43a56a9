/* Reads JSON columns: a strict parser of exactly the two shapes that a column can have, and of
 * their strings. It takes the text as hostile; it is linear but for maps whose keys are in no
 * order. Numbers are in json_number.c, writing is in json.c; map.c drops repeated keys. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "codec/field.h"
#include "codec/json.h"
#include "codec/json_number.h"
#include "codec/map.h"

struct reader {
    const struct varve_record *table;
    const struct varve_column *column;
    struct varve__arena *arena;
    const char *text;
    const char *at; /* the next byte */
    const char *end;
    char *strings; /* where the next string goes: there is room for all of the text */
    bool map;
    size_t element_size; /* of an entry's struct or of an array's element, in bytes */
};

/* ------------------------------------------------------------------ failures */

static enum varve_status
refuse(const struct reader *reader, const char *at, const char *expected)
{
    const char *name = reader->table->descriptor->name;
    char found[16] = "the end";
    bool more = at < reader->end;
    if (more && *at > ' ' && *at < 0x7F)
        snprintf(found, sizeof found, "'%c'", *at);
    else if (more)
        snprintf(found, sizeof found, "byte 0x%02X", (unsigned)(uint8_t)*at);
    varve__fail(
        VARVE_TYPE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "%s.%s: its JSON text cannot be read at byte %zu: expected %s, found %s; the row was "
        "changed by hand: write the record again through the API",
        name, reader->column->field->name, (size_t)(at - reader->text), expected, found);
    varve__failure_add_field(reader->column->field->id);
    return VARVE_TYPE;
}

/* Memory for `count` elements, in *memory. */
static enum varve_status
allocate(const struct reader *reader, size_t count, size_t element_size, void *memory)
{
    size_t size = SIZE_MAX;
    void *allocated = NULL;
    if (varve__size_multiply(count, element_size, &size))
        allocated = varve__arena_allocate(reader->arena, size);
    if (!allocated)
        return varve__fail_memory(reader->table->descriptor->name, size);
    memcpy(memory, &allocated, sizeof allocated);
    return VARVE_OK;
}

/* ------------------------------------------------------------------ tokens */

static inline void
skip_space(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
                                        *reader->at == '\r' || *reader->at == '\t'))
        reader->at++;
}

/* Takes the next byte if it is this one. */
static inline bool
take(struct reader *reader, char byte)
{
    if (reader->at == reader->end || *reader->at != byte)
        return false;
    reader->at++;
    return true;
}

static bool
take_word(struct reader *reader, const char *word, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
        return false;
    reader->at += size;
    return true;
}

/* ------------------------------------------------------------------ strings */

/* The value of the four hexadecimal digits at `at`; -1 when they are none. */
static int32_t
read_hex(const struct reader *reader, const char *at)
{
    int32_t value = 0;
    if (reader->end - at < 4)
        return -1;
    for (const char *end = at + 4; at < end; at++) {
        int letter = *at | 0x20;
        if (*at >= '0' && *at <= '9')
            value = value * 16 + (*at - '0');
        else if (letter >= 'a' && letter <= 'f')
            value = value * 16 + (letter - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static char *
put_utf8(char *out, int32_t character)
{
    int shift = character < 0x80 ? 0 : character < 0x800 ? 6 : character < 0x10000 ? 12 : 18;
    static const uint8_t leads[] = {[0] = 0, [6] = 0xC0, [12] = 0xE0, [18] = 0xF0};
    *out++ = (char)(leads[shift] | (character >> shift));
    while (shift > 0) {
        shift -= 6;
        *out++ = (char)(0x80 | ((character >> shift) & 0x3F));
    }
    return out;
}

/* The character of the \uXXXX at reader->at, or of two that are a surrogate pair. */
static enum varve_status
read_unicode(struct reader *reader, int32_t *character)
{
    const char *at = reader->at;
    int32_t first = read_hex(reader, at + 2);
    if (first < 0)
        return refuse(reader, at, "four hexadecimal digits in a \\u escape");
    if (first == 0)
        return refuse(reader, at, "a string without \\u0000, which no field can hold");
    reader->at += 6;
    *character = first;
    if (first < 0xD800 || first > 0xDFFF)
        return VARVE_OK;
    int32_t second = take_word(reader, "\\u", 2) ? read_hex(reader, reader->at) : -1;
    if (first > 0xDBFF || second < 0xDC00 || second > 0xDFFF)
        return refuse(reader, at, "both halves of a surrogate pair");
    reader->at += 4;
    *character = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    return VARVE_OK;
}

/* Reads the escape at reader->at, appends what it stands for. */
static enum varve_status
read_escape(struct reader *reader, char **out)
{
    static const char pairs[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* a letter, what it stands for */
    const char *letter = reader->at + 1;
    if (letter < reader->end && *letter == 'u') {
        int32_t character = 0;
        enum varve_status status = read_unicode(reader, &character);
        if (status == VARVE_OK)
            *out = put_utf8(*out, character);
        return status;
    }
    for (const char *pair = pairs; *pair && letter < reader->end; pair += 2) {
        if (*letter == *pair) {
            *(*out)++ = pair[1];
            reader->at += 2;
            return VARVE_OK;
        }
    }
    return refuse(reader, reader->at, "an escape such as \\n or \\u00e9");
}

/* Reads the string whose opening quote was taken. No string is longer than its text, and the quotes
 * make room for the NUL. */
static enum varve_status
read_string(struct reader *reader, const char **string)
{
    char *out = reader->strings;
    while (!take(reader, '"')) {
        const char *run = reader->at;
        const char *at = run;
        while (at < reader->end && varve__json_is_plain(*at))
            at++;
        size_t size = (size_t)(at - run);
        size_t good = varve__utf8_check(run, size);
        if (good < size)
            return refuse(reader, run + good, "a string in UTF-8");
        memcpy(out, run, size);
        out += size;
        reader->at = at;
        if (at == reader->end)
            return refuse(reader, at, "the quote that ends the string");
        if ((uint8_t)*at < ' ')
            return refuse(reader, at, "control characters as escapes such as \\n or \\u0001");
        if (*at == '\\') {
            enum varve_status status = read_escape(reader, &out);
            if (status != VARVE_OK)
                return status;
        }
    }
    *out++ = '\0';
    *string = reader->strings;
    reader->strings = out;
    return VARVE_OK;
}

/* ------------------------------------------------------------------ values */

/* Reads a number of any type. */
static enum varve_status
read_number(struct reader *reader, ProtobufCType type, void *slot)
{
    const char *expected;
    bool real = type == PROTOBUF_C_TYPE_FLOAT || type == PROTOBUF_C_TYPE_DOUBLE;
    const char *end =
        real ? varve__json_read_real(reader->at, reader->end, type, slot, &expected)
             : varve__json_read_integer(reader->at, reader->end, type, slot, &expected);
    if (!end)
        return refuse(reader, reader->at, expected);
    reader->at = end;
    return VARVE_OK;
}

static enum varve_status
read_bool(struct reader *reader, protobuf_c_boolean *slot)
{
    *slot = take_word(reader, "true", 4);
    if (!*slot && !take_word(reader, "false", 5))
        return refuse(reader, reader->at, "true or false");
    return VARVE_OK;
}

/* Takes the quote that ends an integer or bool, if that was read well. */
static enum varve_status
end_quote(struct reader *reader, enum varve_status status)
{
    if (status != VARVE_OK || take(reader, '"'))
        return status;
    return refuse(reader, reader->at, "the quote that ends the value");
}

static enum varve_status
read_value(struct reader *reader, ProtobufCType type, void *slot)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
        if (!take(reader, '"'))
            return refuse(reader, reader->at, "a string in quotes");
        return read_string(reader, slot);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(reader, slot);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_number(reader, type, slot);
    default:
        if (take(reader, '"'))
            return end_quote(reader, read_number(reader, type, slot));
        return read_number(reader, type, slot);
    }
}

static enum varve_status
read_key(struct reader *reader, ProtobufCType type, void *slot)
{
    if (!take(reader, '"'))
        return refuse(reader, reader->at, "a key in quotes");
    if (type == PROTOBUF_C_TYPE_STRING)
        return read_string(reader, slot);
    if (type == PROTOBUF_C_TYPE_BOOL)
        return end_quote(reader, read_bool(reader, slot));
    return end_quote(reader, read_number(reader, type, slot));
}

static enum varve_status
read_entry(struct reader *reader, void *entry)
{
    const struct varve_record *table = reader->column->record;
    const ProtobufCFieldDescriptor *key = varve__entry_key(table);
    const ProtobufCFieldDescriptor *value = key + 1;
    memcpy(entry, table->initial, table->descriptor->sizeof_message);
    enum varve_status status = read_key(reader, key->type, varve__member_of(entry, key->offset));
    if (status != VARVE_OK)
        return status;
    skip_space(reader);
    if (!take(reader, ':'))
        return refuse(reader, reader->at, "a colon behind the key");
    skip_space(reader);
    return read_value(reader, value->type, varve__member_of(entry, value->offset));
}

/* ------------------------------------------------------------------ arrays and maps */

/* At least the number of elements: all commas outside of strings, and one. Up to the first error
 * the strings are the ones that read_string() sees. */
static size_t
element_bound(const struct reader *reader)
{
    size_t commas = 0;
    bool in_string = false;
    for (const char *at = reader->at; at < reader->end; at++) {
        if (*at == '"')
            in_string = !in_string;
        else if (*at == '\\')
            at += at + 1 < reader->end;
        else
            commas += *at == ',' && !in_string;
    }
    return commas + 1;
}

/* Reads what stands behind the opening bracket; `elements` has room for all. */
static enum varve_status
read_elements(struct reader *reader, char *elements, size_t *count)
{
    char closing = reader->map ? '}' : ']';
    enum varve_status status = VARVE_OK;
    skip_space(reader);
    if (take(reader, closing))
        return VARVE_OK;
    do {
        void *element = elements + reader->element_size * (*count)++;
        skip_space(reader);
        status = reader->map ? read_entry(reader, element)
                             : read_value(reader, reader->column->field->type, element);
        skip_space(reader);
    } while (status == VARVE_OK && take(reader, ','));
    if (status == VARVE_OK && !take(reader, closing))
        status = refuse(reader, reader->at, reader->map ? "a comma or }" : "a comma or ]");
    return status;
}

/* Makes the map's array of pointers, each key once. */
static enum varve_status
link_entries(const struct reader *reader, char *entries, struct varve__list *list)
{
    size_t count = list->count;
    void **pointers = NULL;
    enum varve_status status = allocate(reader, count, sizeof *pointers, &pointers);
    if (status != VARVE_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        pointers[i] = entries + i * reader->element_size;
    list->data = pointers;
    return varve__entries_unique(reader->table, reader->column, pointers, &list->count);
}

static bool
has_strings(const struct varve_column *column)
{
    if (!(column->flags & VARVE_MAP))
        return column->field->type == PROTOBUF_C_TYPE_STRING;
    const ProtobufCFieldDescriptor *key = varve__entry_key(column->record);
    return key[0].type == PROTOBUF_C_TYPE_STRING || key[1].type == PROTOBUF_C_TYPE_STRING;
}

/* Reads the whole text into *list, which is empty. */
static enum varve_status
read_text(struct reader *reader, struct varve__list *list)
{
    char *elements = NULL;
    skip_space(reader);
    if (!take(reader, reader->map ? '{' : '['))
        return refuse(reader, reader->at, reader->map ? "an object, {..}" : "an array, [..]");
    enum varve_status status =
        allocate(reader, element_bound(reader), reader->element_size, &elements);
    if (status == VARVE_OK && has_strings(reader->column))
        status = allocate(reader, (size_t)(reader->end - reader->at), 1, &reader->strings);
    if (status == VARVE_OK)
        status = read_elements(reader, elements, &list->count);
    if (status != VARVE_OK)
        return status;
    skip_space(reader);
    if (reader->at < reader->end)
        return refuse(reader, reader->at, "the end of the text");
    if (list->count == 0)
        return VARVE_OK;
    list->data = elements;
    return reader->map ? link_entries(reader, elements, list) : VARVE_OK;
}

enum varve_status
varve__json_decode(
    const struct varve_record *table,
    const struct varve_column *column,
    const char *text,
    size_t size,
    struct varve__arena *arena,
    void *record)
{
    struct varve__list list = {0, NULL};
    const char *start = size > 0 ? text : "";
    struct reader reader = {
        .table = table,
        .column = column,
        .arena = arena,
        .text = start,
        .at = start,
        .end = start + size,
        .map = (column->flags & VARVE_MAP) != 0,
    };
    reader.element_size = reader.map ? column->record->descriptor->sizeof_message
                                     : varve__element_size(column->field->type);
    enum varve_status status = read_text(&reader, &list);
    if (status != VARVE_OK)
        return status;
    *(size_t *)varve__member_of(record, column->field->quantifier_offset) = list.count;
    *(void **)varve__member_of(record, column->field->offset) = list.data;
    return VARVE_OK;
}
