#include "table/key_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/utf8.h"
#include "table/value.h"

/* A value as SQLite has it, at `at`; what snprintf() answers. */
static int
print_value(
    const ProtobufCFieldDescriptor *field, const struct varve__value *value, char *at, size_t room)
{
    const char *name = field->name;
    bool is_bits = field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_FIXED64;
    int digits = field->type == PROTOBUF_C_TYPE_FLOAT ? 9 : 17;
    switch (value->type) {
    case SQLITE_TEXT:
        return snprintf(at, room, "%s \"%s\"", name, value->data ? (const char *)value->data : "");
    case SQLITE_BLOB:
        return snprintf(at, room, "%s of %zu bytes", name, value->size);
    case SQLITE_FLOAT:
        return snprintf(at, room, "%s %.*g", name, digits, value->real);
    default:
        break;
    }
    if (is_bits)
        return snprintf(at, room, "%s %" PRIu64, name, (uint64_t)value->integer);
    return snprintf(at, room, "%s %" PRId64, name, value->integer);
}

static size_t
append(
    const ProtobufCFieldDescriptor *field,
    const struct varve__value *value,
    char text[VARVE__KEY_TEXT],
    size_t length)
{
    if (length > 0 && length + 3 < VARVE__KEY_TEXT)
        length += (size_t)snprintf(text + length, VARVE__KEY_TEXT - length, ", ");
    int written = print_value(field, value, text + length, VARVE__KEY_TEXT - length);
    length += written > 0 ? (size_t)written : 0;
    if (length < VARVE__KEY_TEXT)
        return length;
    length = varve__utf8_whole(text, VARVE__KEY_TEXT - 1);
    text[length] = '\0';
    return length;
}

size_t
varve__key_text_append(
    const ProtobufCFieldDescriptor *field,
    enum varve__move move,
    const void *value,
    char text[VARVE__KEY_TEXT],
    size_t length)
{
    struct varve__value taken = {0};
    /* One that no column holds is told all the same. */
    (void)varve__value_take(move, value, &taken);
    return append(field, &taken, text, length);
}

void
varve__key_text(const struct varve__plan *plan, const void *const *key, char text[VARVE__KEY_TEXT])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < plan->key_count; i++) {
        const struct varve__slot *slot = &plan->slots[plan->keys[i]];
        const void *value = slot->scalar == VARVE__MOVE_STRING ? (const void *)&key[i] : key[i];
        length = varve__key_text_append(slot->column->field, slot->scalar, value, text, length);
    }
}

void
varve__key_text_of_row(
    const struct varve__plan *plan, sqlite3_stmt *statement, char text[VARVE__KEY_TEXT])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < plan->key_count; i++) {
        int column = (int)i;
        struct varve__value value = {.type = sqlite3_column_type(statement, column)};
        if (value.type == SQLITE_TEXT)
            value.data = sqlite3_column_text(statement, column);
        else if (value.type == SQLITE_BLOB)
            value.size = (size_t)sqlite3_column_bytes(statement, column);
        else if (value.type == SQLITE_FLOAT)
            value.real = sqlite3_column_double(statement, column);
        else
            value.integer = sqlite3_column_int64(statement, column);
        length = append(plan->slots[plan->keys[i]].column->field, &value, text, length);
    }
}

/* ------------------------------------------------------------------ not found */

static enum varve_status
fail_not_found(const struct varve__plan *plan, const char *text)
{
    const char *name = plan->record->descriptor->name;
    return varve__fail(
        VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name, "there is no %s with %s",
        name, text);
}

enum varve_status
varve__not_found(const struct varve__plan *plan, const void *const *key)
{
    char text[VARVE__KEY_TEXT];
    varve__key_text(plan, key, text);
    return fail_not_found(plan, text);
}

enum varve_status
varve__not_found_by(const struct varve__plan *plan, size_t slot, const void *value)
{
    char text[VARVE__KEY_TEXT];
    const struct varve__slot *at = &plan->slots[slot];
    varve__key_text_append(at->column->field, at->scalar, value, text, 0);
    return fail_not_found(plan, text);
}
