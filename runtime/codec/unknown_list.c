/* Arrays and maps of unknown fields, as the JSON text of their columns. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/json_write.h"
#include "codec/unknown_wire.h"
#include "codec/wire.h"

struct entry {
    const char *text; /* "key":value */
    size_t key_size;
    size_t size;
    size_t place;
    bool dropped; /* the key comes again */
};

/* -------------------------------------------------------------------- arrays */

/* A text that grows in the arena. */
struct growing {
    struct varve__arena *arena;
    char *data;
    size_t length;
    size_t room;
};

/* Room for `size` more bytes, as a text of its own to write to; NULL without memory. */
static char *
grow(struct growing *text, size_t size)
{
    if (size > text->room - text->length) {
        size_t room = text->room * 2 + size + 64;
        char *data = varve__arena_allocate(text->arena, room);
        if (!data)
            return NULL;
        if (text->length > 0)
            memcpy(data, text->data, text->length);
        text->data = data;
        text->room = room;
    }
    return text->data + text->length;
}

static enum varve_status
add_bytes(struct growing *text, const char *bytes, size_t size)
{
    char *place = grow(text, size);
    if (!place)
        return varve__fail_memory(NULL, size);
    memcpy(place, bytes, size);
    text->length += size;
    return VARVE_OK;
}

static enum varve_status
add_slot(
    struct varve__unknown_search *search,
    struct growing *text,
    ProtobufCType type,
    const union varve__slot_value *slot,
    bool key)
{
    size_t bound = varve__json_value_bound(type, slot) + 2;
    char *place = grow(text, bound);
    if (!place)
        return varve__fail_memory(NULL, bound);
    if (varve__json_is_nan(type, slot))
        return varve__unknown_fail(
            search->number, "a value in it is NaN, which a column cannot hold");
    struct varve__text written = {.buffer = place, .size = bound};
    if (key)
        varve__json_add_key(&written, type, slot);
    else
        varve__json_add_value(&written, type, slot);
    text->length += written.length;
    return VARVE_OK;
}

static enum varve_status
add_element(
    struct varve__unknown_search *search, struct growing *text, const union varve__slot_value *slot)
{
    enum varve_status status = add_bytes(text, text->length > 0 ? "," : "[", 1);
    return status == VARVE_OK ? add_slot(search, text, search->type->type, slot, false) : status;
}

static enum varve_status
add_packed(
    struct varve__unknown_search *search, struct growing *text, const struct varve__piece *piece)
{
    union varve__slot_value slot;
    enum varve_status status = VARVE_OK;
    for (const uint8_t *at = piece->at; at < piece->end && status == VARVE_OK;) {
        memset(&slot, 0, sizeof slot);
        at = varve__piece_number(at, piece->end, search->type->type, &slot);
        if (!at)
            return varve__unknown_fail(search->number, "its packed bytes are cut");
        status = add_element(search, text, &slot);
    }
    return status;
}

static enum varve_status
finish_text(
    struct growing *text, const char *end, const char *empty, struct varve__unknown_value *value)
{
    enum varve_status status =
        text->length > 0 ? add_bytes(text, end, 1) : add_bytes(text, empty, 2);
    *value = (struct varve__unknown_value){
        .kind = VARVE__UNKNOWN_TEXT, .data = text->data, .size = text->length};
    return status;
}

enum varve_status
varve__unknown_array(
    struct varve__unknown_search *search, const uint8_t *at, struct varve__unknown_value *value)
{
    struct growing text = {.arena = search->arena};
    struct varve__piece piece;
    union varve__slot_value slot;
    bool found = false;
    ProtobufCType type = search->type->type;
    bool packable = varve__wire_type(type) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    enum varve_status status = VARVE_OK;
    while (at < search->end && status == VARVE_OK) {
        at = varve__piece_read(at, search->end, &piece);
        if (piece.number != search->number)
            continue;
        found = true;
        if (packable && piece.wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            status = add_packed(search, &text, &piece);
            continue;
        }
        status = varve__piece_value(search, &piece, type, &slot);
        if (status == VARVE_OK)
            status = add_element(search, &text, &slot);
    }
    return found && status == VARVE_OK ? finish_text(&text, "]", "[]", value) : status;
}

/* -------------------------------------------------------------------- maps */

/* The key, the value of an entry; what is missing is zero. */
static enum varve_status
read_entry(
    struct varve__unknown_search *search,
    const struct varve__piece *entry,
    union varve__slot_value *key,
    union varve__slot_value *value)
{
    struct varve__piece piece;
    enum varve_status status = VARVE_OK;
    memset(key, 0, sizeof *key);
    memset(value, 0, sizeof *value);
    if (search->type->key == PROTOBUF_C_TYPE_STRING)
        key->string = "";
    if (search->type->type == PROTOBUF_C_TYPE_STRING)
        value->string = "";
    for (const uint8_t *at = entry->at; at < entry->end && status == VARVE_OK;) {
        at = varve__piece_read(at, entry->end, &piece);
        if (!at)
            return varve__unknown_fail(
                search->number, "an entry of it holds bytes that are no fields");
        if (piece.number == 1)
            status = varve__piece_value(search, &piece, search->type->key, key);
        else if (piece.number == 2)
            status = varve__piece_value(search, &piece, search->type->type, value);
    }
    return status;
}

/* Writes the entry as "key":value. */
static enum varve_status
write_entry(
    struct varve__unknown_search *search, const struct varve__piece *piece, struct entry *entry)
{
    struct growing text = {.arena = search->arena};
    union varve__slot_value key;
    union varve__slot_value value;
    if (piece->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return varve__unknown_fail(
            search->number, "its bytes are of another type than the schema says");
    enum varve_status status = read_entry(search, piece, &key, &value);
    if (status == VARVE_OK)
        status = add_slot(search, &text, search->type->key, &key, true);
    entry->key_size = text.length;
    if (status == VARVE_OK)
        status = add_bytes(&text, ":", 1);
    if (status == VARVE_OK)
        status = add_slot(search, &text, search->type->type, &value, false);
    entry->text = text.data;
    entry->size = text.length;
    return status;
}

static size_t
count_pieces(const struct varve__unknown_search *search, const uint8_t *at)
{
    struct varve__piece piece;
    size_t count = 0;
    while (at < search->end) {
        at = varve__piece_read(at, search->end, &piece);
        count += piece.number == search->number;
    }
    return count;
}

static int
compare_entries(const void *a, const void *b)
{
    const struct entry *left = *(struct entry *const *)a;
    const struct entry *right = *(struct entry *const *)b;
    size_t size = left->key_size < right->key_size ? left->key_size : right->key_size;
    int order = memcmp(left->text, right->text, size);
    if (order == 0)
        order = (left->key_size > right->key_size) - (left->key_size < right->key_size);
    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

/* Of each key only the last entry stays. */
static enum varve_status
drop_repeated(struct varve__unknown_search *search, struct entry *entries, size_t count)
{
    struct entry **sorted = varve__arena_allocate(search->arena, count * sizeof *sorted);
    if (!sorted)
        return varve__fail_memory(NULL, count * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &entries[i];
    qsort(sorted, count, sizeof *sorted, compare_entries);
    for (size_t i = 0; i + 1 < count; i++) {
        const struct entry *next = sorted[i + 1];
        sorted[i]->dropped = sorted[i]->key_size == next->key_size &&
                             memcmp(sorted[i]->text, next->text, next->key_size) == 0;
    }
    return VARVE_OK;
}

enum varve_status
varve__unknown_map(
    struct varve__unknown_search *search, const uint8_t *at, struct varve__unknown_value *value)
{
    struct growing text = {.arena = search->arena};
    struct varve__piece piece;
    size_t count = count_pieces(search, at);
    size_t next = 0;
    if (count == 0)
        return VARVE_OK;
    struct entry *entries = varve__arena_allocate(search->arena, count * sizeof *entries);
    if (!entries)
        return varve__fail_memory(NULL, count * sizeof *entries);
    memset(entries, 0, count * sizeof *entries);
    enum varve_status status = VARVE_OK;
    while (at < search->end && status == VARVE_OK) {
        at = varve__piece_read(at, search->end, &piece);
        if (piece.number != search->number)
            continue;
        entries[next].place = next;
        status = write_entry(search, &piece, &entries[next++]);
    }
    if (status == VARVE_OK)
        status = drop_repeated(search, entries, count);
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        if (entries[i].dropped)
            continue;
        status = add_bytes(&text, text.length > 0 ? "," : "{", 1);
        if (status == VARVE_OK)
            status = add_bytes(&text, entries[i].text, entries[i].size);
    }
    return status == VARVE_OK ? finish_text(&text, "}", "{}", value) : status;
}
