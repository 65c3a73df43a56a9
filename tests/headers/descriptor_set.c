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
    FIELD_TYPE = 5
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

static void
copy_text(char *text, size_t room, struct wire from)
{
    assert_true(from.size < room);
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
        return true;
    }
    return false;
}
