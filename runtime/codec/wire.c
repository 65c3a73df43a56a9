/* Packing and unpacking of whole records. */
#include <assert.h>
#include <string.h>

#include <varve/record.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "codec/check.h"
#include "codec/pack.h"
#include "codec/read.h"
#include "codec/scan.h"

enum {
    LOCAL_STRUCT = 1024 /* structs up to here are scaled in a copy on the stack */
};

static enum varve_status
pack_message(
    const struct varve_record *table,
    const ProtobufCMessage *message,
    size_t size,
    struct varve_bytes *bytes)
{
    if (size > VARVE__WIRE_MAX)
        return varve__fail(
            VARVE_INVALID, VARVE_FAILURE_SIZE, VARVE_TIER_NONE, table->descriptor->name,
            "%s would take %zu bytes; messages stay below 2 GiB: split the record",
            table->descriptor->name, size);
    uint8_t *data = varve__allocate(size);
    if (!data)
        return varve__fail_memory(table->descriptor->name, size);
    assert(size == protobuf_c_message_get_packed_size(message));
    protobuf_c_message_pack(message, data);
    *bytes = (struct varve_bytes){.size = size, .data = data};
    return VARVE_OK;
}

/* Turns the counts of dtype tensors from elements into bytes. The products were checked. */
static void
scale(const struct varve_record *table, void *copy)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        if (column->tensor && column->field->type == PROTOBUF_C_TYPE_BYTES) {
            struct varve_bytes *bytes = varve__member_of(copy, column->field->offset);
            bytes->size *= varve__bytes_scale(column);
        }
    }
}

/* A copy of the struct with its counts scaled, in `local` if that is large enough; NULL: no memory. */
static void *
scaled_copy(const struct varve_record *table, const void *record, char local[LOCAL_STRUCT])
{
    size_t size = table->descriptor->sizeof_message;
    void *copy = size <= LOCAL_STRUCT ? local : varve__allocate(size);
    if (!copy)
        return NULL;
    memcpy(copy, record, size);
    scale(table, copy);
    return copy;
}

static enum varve_status
fail_scaled(const struct varve_record *table)
{
    return varve__fail_memory(table->descriptor->name, table->descriptor->sizeof_message);
}

static enum varve_status
pack_scaled(const struct varve_record *table, const void *record, struct varve_bytes *bytes)
{
    _Alignas(16) char local[LOCAL_STRUCT];
    void *copy = scaled_copy(table, record, local);
    if (!copy)
        return fail_scaled(table);
    enum varve_status status =
        pack_message(table, copy, protobuf_c_message_get_packed_size(copy), bytes);
    if (copy != local)
        varve__release(copy);
    return status;
}

enum varve_status
varve__record_write(const struct varve_record *table, const void *record, uint8_t *out)
{
    _Alignas(16) char local[LOCAL_STRUCT];
    if (!(table->flags & VARVE_RECORD_SCALED)) {
        protobuf_c_message_pack(record, out);
        return VARVE_OK;
    }
    void *copy = scaled_copy(table, record, local);
    if (!copy)
        return fail_scaled(table);
    protobuf_c_message_pack(copy, out);
    if (copy != local)
        varve__release(copy);
    return VARVE_OK;
}

enum varve_status
varve_record_pack(const struct varve_record *table, const void *record, struct varve_bytes *bytes)
{
    struct varve__sizes sizes;
    *bytes = (struct varve_bytes){0};
    enum varve_status status = varve__record_check(table, record, VARVE__CHECK_LOADED, &sizes);
    if (status != VARVE_OK)
        return status;
    if (table->flags & VARVE_RECORD_SCALED)
        return pack_scaled(table, record, bytes);
    return pack_message(table, record, sizes.wire, bytes);
}

enum varve_status
varve__record_pack_checked(
    const struct varve_record *table, const void *record, struct varve_bytes *bytes)
{
    *bytes = (struct varve_bytes){0};
    if (table->flags & VARVE_RECORD_SCALED)
        return pack_scaled(table, record, bytes);
    return pack_message(table, record, protobuf_c_message_get_packed_size(record), bytes);
}

void
varve_bytes_free(struct varve_bytes *bytes)
{
    if (!bytes)
        return;
    varve__release(bytes->data);
    *bytes = (struct varve_bytes){0};
}

enum varve_status
varve_record_unpack(const struct varve_record *table, const void *data, size_t size, void **record)
{
    size_t memory;
    *record = NULL;
    if (!data && size > 0)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, table->descriptor->name,
            "the data to unpack are NULL, and %zu bytes are expected; pass them", size);
    enum varve_status status = varve__wire_scan(table, data, size, &memory);
    if (status != VARVE_OK)
        return status;
    struct varve__arena *arena = varve__arena_create(memory);
    if (!arena)
        return varve__fail_memory(table->descriptor->name, memory);
    status = varve__record_build(arena, table, data, size, record);
    if (status != VARVE_OK)
        varve__arena_release(arena);
    return status;
}
