/* Records without their tensors. */
#include "table/bare.h"

#include <string.h>

#include <varve/record.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/cache_key.h"
#include "codec/check.h"
#include "codec/field.h"
#include "codec/pack.h"
#include "codec/read.h"
#include "codec/wire.h"
#include "table/probe.h"
#include "table/row.h"
#include "table/sql.h"

/* -------------------------------------------------------------------- reading */

static bool
is_in_key(const struct varve__plan *plan, size_t slot)
{
    const struct varve_cache *cache = plan->record->cache;
    for (size_t i = 0; i < cache->part_count; i++) {
        if (cache->parts[i].field == plan->slots[slot].column->field)
            return true;
    }
    return false;
}

/* The fields that find the record: the primary key where the cache's key has all of it, else the unique field
 * that it has. Returns their count. */
static size_t
choose_slots(const struct varve__plan *plan, size_t slots[VARVE__KEY_MAX])
{
    const struct varve_table *table = plan->record->table;
    size_t count = 0;
    while (count < plan->key_count && is_in_key(plan, plan->keys[count])) {
        slots[count] = plan->keys[count];
        count++;
    }
    if (count == plan->key_count)
        return count;
    for (size_t i = 0; i < table->unique_count; i++) {
        const struct varve_unique *unique = &table->uniques[i];
        const struct varve_column *column = &plan->record->columns[unique->columns[0]];
        slots[0] = varve__plan_slot(plan, column->field->id);
        if (unique->column_count == 1 && !unique->where && slots[0] != VARVE__NO_SLOT &&
            is_in_key(plan, slots[0]))
            return 1;
    }
    return 0;
}

static enum varve_status
bind_slots(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__sql_bare *bare,
    const void *key,
    sqlite3_stmt *statement)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < bare->slot_count && status == VARVE_OK; i++)
        status = varve__row_bind_slot(plan, bare->slots[i], key, connection->arena, statement);
    return status;
}

static enum varve_status
not_found(const struct varve__plan *plan)
{
    const char *name = plan->record->descriptor->name;
    return varve__fail(
        VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, name,
        "the table has no %s with this key", name);
}

/* Reads the row; what is found by a part of the key may have another one. */
static enum varve_status
take_row(
    const struct varve__plan *plan,
    const void *key,
    sqlite3_stmt *statement,
    struct varve__arena *arena,
    void **record)
{
    enum varve_status status = arena ? varve__row_read_into(plan, statement, arena, record)
                                     : varve__row_read(plan, statement, record);
    if (status != VARVE_OK || varve__cache_key_equal(plan->record, *record, key))
        return status;
    if (!arena)
        varve_record_free(*record);
    *record = NULL;
    return not_found(plan);
}

/* Steps the statement, which is bound. */
static enum varve_status
step(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *key,
    sqlite3_stmt *statement,
    struct varve__arena *arena,
    void **record)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return varve__connection_fail(connection, code, plan, "get");
    enum varve_status status = varve__guard_read(connection, statement);
    if (status != VARVE_OK)
        return status;
    return code == SQLITE_ROW ? take_row(plan, key, statement, arena, record) : not_found(plan);
}

enum varve_status
varve__bare_get(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const void *key,
    struct varve__arena *arena,
    void **record)
{
    sqlite3_stmt *statement = NULL;
    size_t slots[VARVE__KEY_MAX];
    const struct varve__sql_bare bare = {slots, choose_slots(plan, slots)};
    const size_t kept[] = {VARVE__KEPT_BARE, plan->index};
    *record = NULL;
    enum varve_status status = varve__connection_check(connection);
    if (status == VARVE_OK)
        status = varve__statement_take(
            connection, plan, kept, sizeof kept, varve__sql_bare, &bare, &statement);
    if (status != VARVE_OK)
        return status;
    varve__arena_reset(connection->arena);
    status = bind_slots(connection, plan, &bare, key, statement);
    if (status == VARVE_OK)
        status = step(connection, plan, key, statement, arena, record);
    varve__statement_give(connection, statement);
    return status;
}

/* -------------------------------------------------------------------- as bytes */

enum {
    TAG_MAX = 6 /* bytes of a tag, and of a length of 0 */
};

/* A tensor's member of elements: a repeated field's count is beside it. */
static size_t *
count_of(const struct varve_column *tensor, void *record)
{
    const ProtobufCFieldDescriptor *field = tensor->field;
    return varve__member_of(
        record, varve__is_repeated(field) ? field->quantifier_offset : field->offset);
}

static bool
has_flag(const struct varve_column *tensor)
{
    return !varve__is_repeated(tensor->field) && varve__is_explicit(tensor->field);
}

/* Whether a tensor that may be absent is there. */
static bool
is_there(const struct varve_column *tensor, void *record)
{
    if (has_flag(tensor))
        return varve__is_present(tensor->field, record);
    return *count_of(tensor, record) > 0;
}

/* Makes the tensor absent, and writes that it was there, if it was. Returns the bytes written. */
static size_t
take_out(const struct varve_column *tensor, void *record, uint8_t *out)
{
    size_t size = 0;
    if (tensor->tensor->optional && is_there(tensor, record)) {
        uint64_t tag = (uint64_t)tensor->field->id << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
        for (; tag >= 0x80; tag >>= 7)
            out[size++] = (uint8_t)(tag | 0x80);
        out[size++] = (uint8_t)tag;
        out[size++] = 0;
    }
    *count_of(tensor, record) = 0;
    if (has_flag(tensor))
        *(protobuf_c_boolean *)varve__member_of(record, tensor->field->quantifier_offset) = 0;
    return size;
}

static enum varve_status
append(const struct varve__plan *plan, struct varve_bytes *bytes, const uint8_t *end, size_t size)
{
    if (size == 0)
        return VARVE_OK;
    uint8_t *grown = varve__allocate(bytes->size + size);
    if (!grown) {
        varve_bytes_free(bytes);
        return varve__fail_memory(plan->record->descriptor->name, size);
    }
    if (bytes->size > 0)
        memcpy(grown, bytes->data, bytes->size);
    memcpy(grown + bytes->size, end, size);
    struct varve_bytes joined = {bytes->size + size, grown};
    varve_bytes_free(bytes);
    *bytes = joined;
    return VARVE_OK;
}

enum varve_status
varve__bare_pack(const struct varve__plan *plan, const void *record, struct varve_bytes *bytes)
{
    size_t struct_size = plan->record->descriptor->sizeof_message;
    *bytes = (struct varve_bytes){0};
    if (plan->tensor_count == 0)
        return varve__record_pack_checked(plan->record, record, bytes);
    size_t size = struct_size + plan->tensor_count * TAG_MAX;
    void *copy = varve__allocate(size);
    if (!copy)
        return varve__fail_memory(plan->record->descriptor->name, size);
    memcpy(copy, record, struct_size);
    uint8_t *end = (uint8_t *)copy + struct_size;
    size = 0;
    for (size_t i = 0; i < plan->tensor_count; i++)
        size += take_out(plan->tensors[i], copy, end + size);
    enum varve_status status = varve__record_pack_checked(plan->record, copy, bytes);
    if (status == VARVE_OK)
        status = append(plan, bytes, end, size);
    varve__release(copy);
    return status;
}

/* Whether the bytes, which have been built, have a field of this number. */
static bool
has_field(const uint8_t *at, size_t size, uint32_t number)
{
    const uint8_t *end = at + size;
    uint32_t tag = 0;
    while (at && at < end) {
        at = varve__short_varint_read(at, end, &tag);
        if (at && tag >> 3 == number)
            return true;
        if (at)
            at = varve__value_skip(tag & 7, at, end);
    }
    return false;
}

/* Gives a tensor the count that its dims ask for, and no data: it is not loaded. */
static enum varve_status
unload(
    const struct varve__plan *plan,
    const struct varve_column *tensor,
    const uint8_t *bytes,
    size_t size,
    void *record)
{
    size_t count = 0;
    size_t which;
    bool there = !tensor->tensor->optional || has_field(bytes, size, tensor->field->id);
    const char *name = plan->record->descriptor->name;
    if (there && varve__tensor_count(tensor->tensor, record, &count, &which) != VARVE__CHECK_FINE)
        return varve__fail(
            VARVE_INVALID, VARVE_FAILURE_DIMS, VARVE_TIER_CACHE, name,
            "the copy of a %s has dims that are none", name);
    *count_of(tensor, record) = count;
    if (varve__is_repeated(tensor->field))
        *(void **)varve__member_of(record, tensor->field->offset) = NULL;
    else
        ((struct varve_bytes *)varve__member_of(record, tensor->field->offset))->data = NULL;
    return VARVE_OK;
}

enum varve_status
varve__bare_build(
    const struct varve__plan *plan,
    const uint8_t *bytes,
    size_t size,
    struct varve__arena *arena,
    void **record)
{
    enum varve_status status = arena ? varve__record_read(arena, plan->record, bytes, size, record)
                                     : varve_record_unpack(plan->record, bytes, size, record);
    for (size_t i = 0; i < plan->tensor_count && status == VARVE_OK; i++)
        status = unload(plan, plan->tensors[i], bytes, size, *record);
    if (status != VARVE_OK && *record && !arena)
        varve_record_free(*record);
    if (status != VARVE_OK)
        *record = NULL;
    return status;
}
