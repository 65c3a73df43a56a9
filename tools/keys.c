/* Primary keys in their C types, in SQL, and as text. */
#include "keys.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

union varvectl_key_part {
    int32_t int32;
    uint32_t uint32;
    int64_t int64;
    uint64_t uint64;
};

static size_t
part_count(const struct varve_record *record)
{
    return record->table->primary_key_count;
}

static const ProtobufCFieldDescriptor *
part_field(const struct varve_record *record, size_t part)
{
    return record->columns[record->table->primary_key[part]].field;
}

struct varvectl_key *
varvectl_key_create(const struct varve_record *record)
{
    struct varvectl_key *key = calloc(1, sizeof *key);
    if (!key)
        return NULL;
    key->record = record;
    key->pointers = calloc(part_count(record), sizeof *key->pointers);
    key->parts = calloc(part_count(record), sizeof *key->parts);
    if (key->pointers && key->parts)
        return key;
    varvectl_key_free(key);
    return NULL;
}

void
varvectl_key_free(struct varvectl_key *key)
{
    if (!key)
        return;
    free(key->pointers);
    free(key->parts);
    free(key);
}

void
varvectl_key_of(struct varvectl_key *key, const void *record)
{
    for (size_t i = 0; i < part_count(key->record); i++) {
        const ProtobufCFieldDescriptor *field = part_field(key->record, i);
        const void *member = (const char *)record + field->offset;
        const char *text = NULL;
        if (field->type == PROTOBUF_C_TYPE_STRING)
            memcpy(&text, member, sizeof text);
        key->pointers[i] = text ? (const void *)text : member;
    }
}

void
varvectl_key_of_row(struct varvectl_key *key, struct sqlite3_stmt *row)
{
    for (size_t i = 0; i < part_count(key->record); i++) {
        union varvectl_key_part *part = &key->parts[i];
        int64_t number = sqlite3_column_int64(row, (int)i);
        key->pointers[i] = part;
        switch (part_field(key->record, i)->type) {
        case PROTOBUF_C_TYPE_STRING:
            key->pointers[i] = sqlite3_column_text(row, (int)i);
            if (!key->pointers[i])
                key->pointers[i] = "";
            break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
            part->int64 = number;
            break;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
            part->uint64 = (uint64_t)number;
            break;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
            part->uint32 = (uint32_t)number;
            break;
        default: /* signed integers of 32 bits, and enums */
            part->int32 = (int32_t)number;
        }
    }
}

void
varvectl_key_text(
    const struct varve_record *record,
    struct sqlite3_stmt *row,
    char buffer[VARVECTL_KEY_TEXT_SIZE])
{
    size_t length = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < part_count(record) && length < VARVECTL_KEY_TEXT_SIZE; i++) {
        const char *quote = sqlite3_column_type(row, (int)i) == SQLITE_TEXT ? "\"" : "";
        const unsigned char *text = sqlite3_column_text(row, (int)i);
        int written = snprintf(
            buffer + length, VARVECTL_KEY_TEXT_SIZE - length, "%s%s%s%s", i > 0 ? ", " : "", quote,
            text ? (const char *)text : "NULL", quote);
        length += written > 0 ? (size_t)written : 0;
    }
}

int
varvectl_key_select(
    struct sqlite3 *database,
    const struct varve_record *record,
    const char *rest,
    struct sqlite3_stmt **statement)
{
    *statement = NULL;
    sqlite3_str *sql = sqlite3_str_new(database);
    for (size_t i = 0; i < part_count(record); i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i > 0 ? ", " : "SELECT ", part_field(record, i)->name);
    sqlite3_str_appendf(sql, " FROM \"%w\" %s", record->table->name, rest);
    char *text = sqlite3_str_finish(sql);
    if (!text)
        return SQLITE_NOMEM;
    int code = sqlite3_prepare_v2(database, text, -1, statement, NULL);
    sqlite3_free(text);
    return code;
}
