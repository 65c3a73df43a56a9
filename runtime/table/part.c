/* Parts of records as wire bytes. */
#include "table/part.h"

#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "codec/field.h"
#include "codec/read.h"

/* Copies a field, or with NULL the unknown fields, from one record to another. */
static void
copy_part(const ProtobufCFieldDescriptor *field, const void *from, void *to)
{
    if (!field) {
        const ProtobufCMessage *message = from;
        ((ProtobufCMessage *)to)->n_unknown_fields = message->n_unknown_fields;
        ((ProtobufCMessage *)to)->unknown_fields = message->unknown_fields;
        return;
    }
    *(void **)varve__member_of(to, field->offset) =
        *(void *const *)varve__member(from, field->offset);
    if (varve__is_repeated(field))
        *(size_t *)varve__member_of(to, field->quantifier_offset) =
            *(const size_t *)varve__member(from, field->quantifier_offset);
    else if (varve__in_oneof(field))
        *(uint32_t *)varve__member_of(to, field->quantifier_offset) = field->id;
}

static enum varve_status
fail_size(const struct varve_record *table, const ProtobufCFieldDescriptor *field, size_t size)
{
    const char *name = table->descriptor->name;
    enum varve_status status = varve__fail(
        VARVE_INVALID, VARVE_FAILURE_SIZE, VARVE_TIER_TABLE, name,
        "%s.%s would take %zu bytes; a value stays below 1 GB: split the record", name,
        field ? field->name : "(unknown fields)", size);
    if (field)
        varve__failure_add_field(field->id);
    return status;
}

enum varve_status
varve__part_write(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    const void *record,
    struct varve__arena *arena,
    const void **data,
    size_t *size)
{
    size_t struct_size = table->descriptor->sizeof_message;
    ProtobufCMessage *part = varve__arena_allocate(arena, struct_size);
    if (!part)
        return varve__fail_memory(table->descriptor->name, struct_size);
    varve_record_init(table, part);
    copy_part(field, record, part);
    *size = protobuf_c_message_get_packed_size(part);
    if (*size > VARVE__WIRE_MAX)
        return fail_size(table, field, *size);
    uint8_t *packed = varve__arena_allocate(arena, *size);
    if (!packed)
        return varve__fail_memory(table->descriptor->name, *size);
    protobuf_c_message_pack(part, packed);
    *data = packed;
    return VARVE_OK;
}

enum varve_status
varve__part_read(
    const struct varve_record *table,
    const ProtobufCFieldDescriptor *field,
    const void *data,
    size_t size,
    struct varve__arena *arena,
    void *record,
    bool *missing)
{
    void *part;
    *missing = false;
    enum varve_status status = varve__record_read(arena, table, data, size, &part);
    if (status == VARVE_INVALID)
        status = varve__fail_as(VARVE_TYPE);
    if (status != VARVE_OK)
        return status;
    /* of a oneof the union may hold another member */
    *missing = field && !varve__is_repeated(field) && !varve__is_present(field, part);
    if (!*missing)
        copy_part(field, part, record);
    return VARVE_OK;
}
