/* Deep copies. The check before has walked the record, so its pointers are good, its depth bounded,
 * and the size of the copy known. */
#include <string.h>

#include <varve/record.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/check.h"
#include "codec/unknown.h"

static bool
copy_members(struct varve__arena *arena, const struct varve_record *table, void *copy);

/* Replaces *data by a copy of `size` bytes; nothing to copy leaves it NULL. */
static bool
copy_data(struct varve__arena *arena, void **data, size_t size)
{
    void *copy = NULL;
    if (size > 0) {
        copy = varve__arena_allocate(arena, size);
        if (!copy)
            return false;
        memcpy(copy, *data, size);
    }
    *data = copy;
    return true;
}

/* Empty strings, which most unset fields have, share a static one. */
static bool
copy_string(struct varve__arena *arena, const char **text)
{
    void *copy = (void *)(uintptr_t)*text;
    if (*text && **text == '\0') {
        *text = "";
        return true;
    }
    if (copy && !copy_data(arena, &copy, strlen(*text) + 1))
        return false;
    *text = copy;
    return true;
}

static bool
copy_message(struct varve__arena *arena, const struct varve_record *table, void **message)
{
    return !*message || (copy_data(arena, message, table->descriptor->sizeof_message) &&
                         copy_members(arena, table, *message));
}

static bool
copy_repeated(struct varve__arena *arena, const struct varve_column *column, void *copy)
{
    const ProtobufCFieldDescriptor *field = column->field;
    struct varve__list list = varve__list_at(copy, field);
    void **data = varve__member_of(copy, field->offset);
    if (list.count > 0 && !list.data)
        return true; /* a tensor that is not loaded */
    if (!copy_data(arena, data, list.count * varve__element_size(field->type)))
        return false;
    if (varve__is_number(field->type))
        return true;
    for (size_t i = 0; i < list.count; i++) {
        bool done;
        void **pointer = (void **)*data + i;
        struct varve_bytes *bytes = (struct varve_bytes *)*data + i;
        if (field->type == PROTOBUF_C_TYPE_STRING)
            done = copy_string(arena, (const char **)pointer);
        else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            done = copy_message(arena, column->record, pointer);
        else
            done = copy_data(arena, (void **)&bytes->data, bytes->size);
        if (!done)
            return false;
    }
    return true;
}

static bool
copy_bytes(struct varve__arena *arena, const struct varve_column *column, void *copy)
{
    const ProtobufCFieldDescriptor *field = column->field;
    struct varve_bytes *bytes = varve__member_of(copy, field->offset);
    void *data = bytes->data;
    if (varve__is_explicit(field) &&
        !*(const protobuf_c_boolean *)varve__member(copy, field->quantifier_offset))
        *bytes = (struct varve_bytes){0};
    if (bytes->size > 0 && !bytes->data)
        return true; /* a tensor that is not loaded */
    if (!copy_data(arena, &data, bytes->size * varve__bytes_scale(column)))
        return false;
    bytes->data = data;
    return true;
}

static bool
copy_unknown(struct varve__arena *arena, ProtobufCMessage *copy)
{
    void *fields = copy->unknown_fields;
    size_t count = copy->n_unknown_fields;
    if (varve__unknown_is_cleared(copy))
        return true; /* and so is the copy */
    if (!copy_data(arena, &fields, count * sizeof *copy->unknown_fields))
        return false;
    copy->unknown_fields = fields;
    for (size_t i = 0; i < count; i++) {
        void *data = copy->unknown_fields[i].data;
        if (!copy_data(arena, &data, copy->unknown_fields[i].len))
            return false;
        copy->unknown_fields[i].data = data;
    }
    return true;
}

/* `copy` is a shallow copy; what it points at is copied in turn. */
static bool
copy_members(struct varve__arena *arena, const struct varve_record *table, void *copy)
{
    bool done = copy_unknown(arena, copy);
    for (size_t i = 0; i < table->column_count && done; i++) {
        const struct varve_column *column = &table->columns[i];
        const ProtobufCFieldDescriptor *field = column->field;
        void **pointer = varve__member_of(copy, field->offset);
        if (varve__is_repeated(field))
            done = copy_repeated(arena, column, copy);
        else if (varve__is_number(field->type))
            continue;
        else if (varve__in_oneof(field) && !varve__is_chosen(copy, field))
            continue;
        else if (field->type == PROTOBUF_C_TYPE_STRING)
            done = copy_string(arena, (const char **)pointer);
        else if (field->type == PROTOBUF_C_TYPE_BYTES)
            done = copy_bytes(arena, column, copy);
        else
            done = copy_message(arena, column->record, pointer);
    }
    return done;
}

enum varve_status
varve_record_clone(const struct varve_record *table, const void *record, void **copy)
{
    size_t struct_size = table->descriptor->sizeof_message;
    struct varve__sizes sizes;
    *copy = NULL;
    enum varve_status status = varve__record_check(table, record, VARVE__CHECK_UNLOADED, &sizes);
    if (status != VARVE_OK)
        return status;
    size_t memory = sizes.copy + varve__arena_round(struct_size);
    struct varve__arena *arena = varve__arena_create(memory);
    if (!arena)
        return varve__fail_memory(table->descriptor->name, memory);
    void *made = varve__arena_allocate(arena, struct_size);
    if (made)
        memcpy(made, record, struct_size);
    if (!made || !copy_members(arena, table, made)) {
        varve__arena_release(arena);
        return varve__fail_memory(table->descriptor->name, memory);
    }
    *copy = made;
    return VARVE_OK;
}
