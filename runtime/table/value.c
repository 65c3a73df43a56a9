/* Values for SQLite out of the fields of records. */
#include "table/value.h"

#include "base/error.h"
#include "codec/field.h"
#include "codec/json.h"
#include "codec/json_copy.h"
#include "table/part.h"
#include "table/row.h"

enum varve_status
varve__value_refuse(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    enum varve_failure_kind kind,
    const char *what)
{
    const char *name = plan->record->descriptor->name;
    const ProtobufCFieldDescriptor *field = slot->column->field;
    enum varve_status status = varve__fail(
        VARVE_INVALID, kind, VARVE_TIER_TABLE, name, "%s.%s %s", name, field->name, what);
    varve__failure_add_field(field->id);
    return status;
}

enum varve_status
varve__value_refuse_scalar(const struct varve__plan *plan, const struct varve__slot *slot)
{
    switch (slot->scalar) {
    case VARVE__MOVE_STRING:
        return varve__value_refuse(
            plan, slot, VARVE_FAILURE_NOT_NULL, "is NULL; set a string, \"\" for an empty one");
    case VARVE__MOVE_UINT64:
        return varve__value_refuse(
            plan, slot, VARVE_FAILURE_RANGE,
            "is over 9223372036854775807, which a column cannot hold; make the field fixed64");
    default:
        return varve__value_refuse(
            plan, slot, VARVE_FAILURE_NAN, "is NaN, which a column cannot hold; use a number");
    }
}

int64_t
varve__integer_at(ProtobufCType type, const void *value)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return *(const uint32_t *)value;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return *(const int64_t *)value;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)value != 0;
    default:
        return *(const int32_t *)value;
    }
}

/* Most maps and arrays are empty: their text is there already. */
static enum varve_status
json_value(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    const void *record,
    struct varve__arena *arena,
    struct varve__value *value)
{
    const struct varve_column *column = slot->column;
    const char *text = slot->empty;
    size_t size = 2;
    if (varve__list_at(record, column->field).count > 0) {
        enum varve_status status =
            varve__json_encode(plan->record, column, record, arena, &text, &size);
        if (status != VARVE_OK)
            return status;
    }
    value->type = SQLITE_TEXT;
    value->data = text;
    value->size = size;
    return VARVE_OK;
}

/* A field of messages, or with NULL the unknown fields. */
static enum varve_status
wire_value(
    const struct varve__plan *plan,
    const ProtobufCFieldDescriptor *field,
    const void *record,
    struct varve__arena *arena,
    struct varve__value *value)
{
    value->type = SQLITE_BLOB;
    value->data = "";
    value->size = 0;
    if (field && varve__is_repeated(field) && varve__list_at(record, field).count == 0)
        return VARVE_OK;
    return varve__part_write(plan->record, field, record, arena, &value->data, &value->size);
}

enum varve_status
varve__value_of_slot(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    const void *record,
    struct varve__arena *arena,
    struct varve__value *value)
{
    const struct varve_column *column = slot->column;
    const void *member = varve__slot_member(slot, record);
    value->type = SQLITE_NULL;
    if (slot->nullable && !varve__is_present(column->field, record))
        return VARVE_OK;
    if ((column->flags & VARVE_GENERATED_KEY) && *(const int64_t *)member == 0)
        return VARVE_OK;
    if (column->kind == VARVE_COLUMN_JSON)
        return json_value(plan, slot, record, arena, value);
    if (column->kind == VARVE_COLUMN_WIRE)
        return wire_value(plan, column->field, record, arena, value);
    if (!varve__value_take(slot->scalar, member, value))
        return varve__value_refuse_scalar(plan, slot);
    return VARVE_OK;
}

enum varve_status
varve__value_of_copy(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    const void *record,
    struct varve__arena *arena,
    struct varve__value *value)
{
    const char *text;
    value->type = SQLITE_NULL;
    if (slot->nullable && !varve__is_present(slot->column->field, record))
        return VARVE_OK;
    enum varve_status status =
        varve__json_encode_copy(plan->record, slot->column, record, arena, &text, &value->size);
    if (status != VARVE_OK)
        return status;
    value->type = SQLITE_TEXT;
    value->data = text;
    return VARVE_OK;
}

enum varve_status
varve__value_of_unknown(
    const struct varve__plan *plan,
    const void *record,
    struct varve__arena *arena,
    struct varve__value *value)
{
    value->type = SQLITE_NULL;
    if (((const ProtobufCMessage *)record)->n_unknown_fields == 0)
        return VARVE_OK;
    return wire_value(plan, NULL, record, arena, value);
}
