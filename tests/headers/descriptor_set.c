/* The few fields of descriptor.proto that descriptor_set.h tells. */
#include "descriptor_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    SET_FILE = 1,
    FILE_PACKAGE = 2,
    FILE_MESSAGE = 4,
    MESSAGE_NAME = 1,
    MESSAGE_FIELD = 2,
    MESSAGE_NESTED = 3,
    MESSAGE_OPTIONS = 7,
    OPTIONS_MAP_ENTRY = 7,
    FIELD_NAME = 1,
    FIELD_NUMBER = 3,
    FIELD_LABEL = 4,
    FIELD_TYPE = 5,
    FIELD_OPTIONS = 8,
    VARVE_TABLE = 52701,  /* the same number in the options of messages .. */
    VARVE_COLUMN = 52701, /* .. and of fields */
    VARVE_CACHE = 52702,  /* of messages .. */
    VARVE_TENSOR = 52702, /* .. and of fields */
    TABLE_INDEX = 2,
    INDEX_FIELD = 1,
    INDEX_UNIQUE = 2,
    INDEX_WHERE = 3,
    COLUMN_PRIMARY_KEY = 1,
    COLUMN_UNIQUE = 2,
    CACHE_KEY = 1,
    CACHE_TTL_SECONDS = 2,
    CACHE_COMPRESS_ABOVE_BYTES = 3,
    CACHE_COMPRESSION = 4,
    CACHE_INDEX_BY = 5,
    CACHE_MODE = 6,
    CACHE_HASH_TAG = 7
};

/* A field on the wire: its number, and a value or a part of the message. */
struct part {
    uint32_t number;
    uint64_t value;
    struct wire bytes;
};

struct walk {
    void (*visit)(const struct set_message *message, void *context);
    void *context;
};

static uint64_t
read_varint(struct wire *wire)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        assert_true(wire->size > 0);
        uint8_t byte = *wire->data++;
        wire->size--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    fail_msg("a varint of more than ten bytes");
    return 0;
}

static struct wire
take(struct wire *wire, uint64_t size)
{
    assert_true(size <= wire->size);
    struct wire taken = {.data = wire->data, .size = (size_t)size};
    wire->data += size;
    wire->size -= (size_t)size;
    return taken;
}

static bool
read_part(struct wire *wire, struct part *part)
{
    if (wire->size == 0)
        return false;
    uint64_t tag = read_varint(wire);
    *part = (struct part){.number = (uint32_t)(tag >> 3)};
    switch (tag & 7) {
    case 0:
        part->value = read_varint(wire);
        break;
    case 1:
        take(wire, 8);
        break;
    case 2:
        part->bytes = take(wire, read_varint(wire));
        break;
    case 5:
        take(wire, 4);
        break;
    default:
        fail_msg("wire type %u in a descriptor set", (unsigned)(tag & 7));
    }
    return true;
}

/* The last part with this number, or an empty one. */
static struct part
find_part(struct wire wire, uint32_t number)
{
    struct part found = {0};
    struct part part;
    while (read_part(&wire, &part))
        if (part.number == number)
            found = part;
    return found;
}

/* Whether any of the parts with this number says so: an option may stand there member by member. */
static bool
is_said(struct wire options, uint32_t number, uint32_t member)
{
    struct part part;
    while (read_part(&options, &part))
        if (part.number == number && find_part(part.bytes, member).value != 0)
            return true;
    return false;
}

static void
copy_text(char *text, size_t room, struct wire from)
{
    assert_true(from.size < room);
    if (from.size > 0)
        memcpy(text, from.data, from.size);
    text[from.size] = '\0';
}

static void
walk_message(const struct walk *walk, struct wire proto, const char *scope)
{
    char name[256];
    struct set_message message = {.proto = proto};
    copy_text(name, sizeof(name), find_part(proto, MESSAGE_NAME).bytes);
    int length = snprintf(message.full_name, sizeof(message.full_name), "%s.%s", scope, name);
    assert_true(length > 0 && (size_t)length < sizeof(message.full_name));
    struct wire options = find_part(proto, MESSAGE_OPTIONS).bytes;
    message.is_map_entry = find_part(options, OPTIONS_MAP_ENTRY).value != 0;
    walk->visit(&message, walk->context);

    struct part part;
    while (read_part(&proto, &part))
        if (part.number == MESSAGE_NESTED)
            walk_message(walk, part.bytes, message.full_name);
}

void
descriptor_set_messages(
    struct wire set,
    const char *package,
    void (*visit)(const struct set_message *message, void *context),
    void *context)
{
    struct walk walk = {.visit = visit, .context = context};
    struct part file;
    while (read_part(&set, &file)) {
        char name[256];
        copy_text(name, sizeof(name), find_part(file.bytes, FILE_PACKAGE).bytes);
        if (file.number != SET_FILE || strcmp(name, package) != 0)
            continue;
        struct part part;
        while (read_part(&file.bytes, &part))
            if (part.number == FILE_MESSAGE)
                walk_message(&walk, part.bytes, package);
    }
}

bool
descriptor_set_next_field(
    const struct set_message *message, size_t *position, struct set_field *field)
{
    struct wire rest = {
        .data = message->proto.data + *position,
        .size = message->proto.size - *position,
    };
    struct part part;
    while (read_part(&rest, &part)) {
        *position = message->proto.size - rest.size;
        if (part.number != MESSAGE_FIELD)
            continue;
        copy_text(field->name, sizeof(field->name), find_part(part.bytes, FIELD_NAME).bytes);
        field->number = (uint32_t)find_part(part.bytes, FIELD_NUMBER).value;
        field->type = (uint32_t)find_part(part.bytes, FIELD_TYPE).value;
        field->label = (uint32_t)find_part(part.bytes, FIELD_LABEL).value;
        struct wire options = find_part(part.bytes, FIELD_OPTIONS).bytes;
        field->is_primary_key = is_said(options, VARVE_COLUMN, COLUMN_PRIMARY_KEY);
        field->is_unique = is_said(options, VARVE_COLUMN, COLUMN_UNIQUE);
        field->is_tensor = find_part(options, VARVE_TENSOR).number != 0;
        return true;
    }
    return false;
}

static struct part
find_table(const struct set_message *message)
{
    return find_part(find_part(message->proto, MESSAGE_OPTIONS).bytes, VARVE_TABLE);
}

bool
descriptor_set_has_table(const struct set_message *message)
{
    return find_table(message).number != 0;
}

static void
read_cache_member(const struct part *member, struct set_cache *cache)
{
    switch (member->number) {
    case CACHE_KEY:
        copy_text(cache->key, sizeof(cache->key), member->bytes);
        break;
    case CACHE_TTL_SECONDS:
        cache->ttl_seconds = (uint32_t)member->value;
        break;
    case CACHE_COMPRESS_ABOVE_BYTES:
        cache->compress_above_bytes = (int64_t)member->value;
        break;
    case CACHE_COMPRESSION:
        cache->compression = (uint32_t)member->value;
        break;
    case CACHE_INDEX_BY:
        copy_text(cache->index_by, sizeof(cache->index_by), member->bytes);
        break;
    case CACHE_MODE:
        cache->mode = (uint32_t)member->value;
        break;
    case CACHE_HASH_TAG:
        copy_text(cache->hash_tag, sizeof(cache->hash_tag), member->bytes);
        break;
    default:
        fail_msg("(varve.cache) has a member %u", member->number);
    }
}

bool
descriptor_set_cache(const struct set_message *message, struct set_cache *cache)
{
    struct wire options = find_part(message->proto, MESSAGE_OPTIONS).bytes;
    struct part option;
    bool found = false;
    *cache = (struct set_cache){.compress_above_bytes = -1};
    while (read_part(&options, &option)) {
        if (option.number != VARVE_CACHE)
            continue;
        found = true;
        struct part member;
        while (read_part(&option.bytes, &member))
            read_cache_member(&member, cache);
    }
    return found;
}

bool
descriptor_set_next_index(
    const struct set_message *message, size_t *position, struct set_index *index)
{
    struct wire table = find_table(message).bytes;
    struct wire rest = {.data = table.data + *position, .size = table.size - *position};
    struct part part;
    while (read_part(&rest, &part)) {
        *position = table.size - rest.size;
        if (part.number != TABLE_INDEX)
            continue;
        *index = (struct set_index){.is_unique = find_part(part.bytes, INDEX_UNIQUE).value != 0};
        copy_text(index->where, sizeof(index->where), find_part(part.bytes, INDEX_WHERE).bytes);
        struct part member;
        while (read_part(&part.bytes, &member)) {
            if (member.number != INDEX_FIELD)
                continue;
            assert_true(index->field_count < 8);
            copy_text(index->fields[index->field_count++], 256, member.bytes);
        }
        return true;
    }
    return false;
}
