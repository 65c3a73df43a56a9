/* The walk over a record that finds what must not be packed. It only reports the first problem; the
 * sentences are in check_text.c. */
#include "codec/check.h"

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/utf8.h"
#include "codec/size.h"
#include "codec/wire.h"

static bool
check_record(
    struct varve__check *check,
    const struct varve_record *table,
    const void *record,
    unsigned depth);

static bool
check_singular(
    struct varve__check *check,
    const struct varve_column *column,
    const void *record,
    unsigned depth);

static bool
problem(struct varve__check *check, enum varve__check_problem problem, size_t detail)
{
    check->problem = problem;
    check->detail = detail;
    check->index = VARVE__NO_INDEX;
    return false;
}

/* Looked at behind the unknown fields and every column: a sum that went on could wrap, and what is
 * packed into that many bytes would run over them. One column adds less than 2^63. A copy may be
 * larger than a message: its arena grows. */
static inline bool
check_size(struct varve__check *check)
{
    return check->sizes.wire <= VARVE__WIRE_MAX || check->mode != VARVE__CHECK_LOADED ||
           problem(check, VARVE__CHECK_SIZE, check->sizes.wire);
}

static inline bool
check_string(struct varve__check *check, const char *text, size_t *wire)
{
    if (!text)
        return problem(check, VARVE__CHECK_NULL, 0);
    size_t size = strlen(text);
    if (size > VARVE__WIRE_MAX)
        return problem(check, VARVE__CHECK_SIZE, size);
    size_t bad = varve__utf8_check(text, size);
    if (bad < size)
        return problem(check, VARVE__CHECK_UTF8, bad);
    check->sizes.copy += varve__arena_round(size + 1);
    *wire = varve__prefixed_size(size);
    return true;
}

static bool
check_bytes(struct varve__check *check, const struct varve_bytes *bytes, size_t scale, size_t *wire)
{
    if (bytes->size > VARVE__WIRE_MAX / scale)
        return problem(check, VARVE__CHECK_SIZE, bytes->size);
    if (bytes->size > 0 && !bytes->data)
        return problem(check, VARVE__CHECK_NO_DATA, bytes->size);
    check->sizes.copy += varve__arena_round(bytes->size * scale);
    *wire = varve__prefixed_size(bytes->size * scale);
    return true;
}

static bool
check_message(
    struct varve__check *check,
    const struct varve_record *table,
    const ProtobufCMessage *message,
    unsigned depth,
    size_t *wire)
{
    size_t outer = check->sizes.wire;
    if (depth == VARVE__DEPTH_MAX)
        return problem(check, VARVE__CHECK_DEPTH, 0);
    check->sizes.copy += varve__arena_round(table->descriptor->sizeof_message);
    check->sizes.wire = 0;
    if (!check_record(check, table, message, depth + 1))
        return false;
    *wire = varve__prefixed_size(check->sizes.wire);
    check->sizes.wire = outer;
    return true;
}

static bool
check_element(
    struct varve__check *check,
    const struct varve_column *column,
    const void *element,
    unsigned depth,
    size_t *wire)
{
    const void *value;
    switch (column->field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return check_string(check, *(const char *const *)element, wire);
    case PROTOBUF_C_TYPE_BYTES:
        return check_bytes(check, element, 1, wire);
    default:
        value = *(const void *const *)element;
        return value ? check_message(check, column->record, value, depth, wire)
                     : problem(check, VARVE__CHECK_NULL, 0);
    }
}

static void
add_numbers(
    struct varve__check *check,
    const ProtobufCFieldDescriptor *field,
    const struct varve__list *list)
{
    size_t element_size = varve__element_size(field->type);
    size_t wire = 0;
    if (check->mode != VARVE__CHECK_LOADED)
        return;
    if (varve__wire_type(field->type) != PROTOBUF_C_WIRE_TYPE_VARINT)
        wire = list->count * element_size;
    else
        for (size_t i = 0; i < list->count; i++)
            wire += varve__number_size(field->type, (const char *)list->data + i * element_size);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED)
        check->sizes.wire += varve__tag_size(field) + varve__prefixed_size(wire);
    else
        check->sizes.wire += varve__tag_size(field) * list->count + wire;
}

static bool
check_repeated(
    struct varve__check *check,
    const struct varve_column *column,
    const void *record,
    unsigned depth)
{
    const ProtobufCFieldDescriptor *field = column->field;
    struct varve__list list = varve__list_at(record, field);
    size_t element_size = varve__element_size(field->type);
    if (list.count == 0)
        return true;
    if (list.count > VARVE__WIRE_MAX)
        return problem(check, VARVE__CHECK_SIZE, list.count);
    if (!list.data)
        return problem(check, VARVE__CHECK_NO_DATA, list.count);
    check->sizes.copy += varve__arena_round(list.count * element_size);
    if (varve__is_number(field->type)) {
        add_numbers(check, field, &list);
        return true;
    }
    for (size_t i = 0; i < list.count; i++) {
        size_t wire;
        if (!check_element(
                check, column, (const char *)list.data + i * element_size, depth, &wire)) {
            check->index = i;
            return false;
        }
        check->sizes.wire += varve__tag_size(field) + wire;
    }
    return true;
}

/* A bytes field as a list: empty when it is optional and absent, whatever its count is. */
static struct varve__list
present_bytes(const ProtobufCFieldDescriptor *field, const void *record)
{
    struct varve__list list = {0};
    if (!varve__is_explicit(field) ||
        *(const protobuf_c_boolean *)varve__member(record, field->quantifier_offset))
        memcpy(&list, varve__member(record, field->offset), sizeof list);
    return list;
}

/* A repeated number or a bytes field: its count must be the product of its dims. */
static bool
check_tensor(
    struct varve__check *check,
    const struct varve_column *column,
    const void *record,
    unsigned depth)
{
    bool repeated = varve__is_repeated(column->field);
    struct varve__list list;
    size_t expected;
    size_t which;
    if (repeated)
        list = varve__list_at(record, column->field);
    else
        list = present_bytes(column->field, record);
    check->column = column;
    check->record = record;
    if (list.count > 0 && !list.data)
        return (check->mode == VARVE__CHECK_UNLOADED && depth == 0) ||
               problem(check, VARVE__CHECK_NOT_LOADED, list.count);
    if (list.count == 0 && column->tensor->optional)
        return repeated || check_singular(check, column, record, 0);
    enum varve__check_problem found =
        varve__tensor_count(column->tensor, record, &expected, &which);
    if (found != VARVE__CHECK_FINE)
        return problem(check, found, which);
    check->expected = expected;
    if (list.count != expected)
        return problem(check, VARVE__CHECK_DIMS, list.count);
    return repeated ? check_repeated(check, column, record, 0)
                    : check_singular(check, column, record, 0);
}

/* Adds a number that is not repeated. */
static inline void
add_number(struct varve__check *check, const ProtobufCFieldDescriptor *field, const void *record)
{
    const void *member = varve__member(record, field->offset);
    bool sent;
    if (varve__in_oneof(field))
        sent = varve__is_chosen(record, field);
    else if (varve__is_explicit(field))
        sent = *(const protobuf_c_boolean *)varve__member(record, field->quantifier_offset);
    else
        sent = varve__is_always_sent(field) || !varve__number_is_zero(field->type, member);
    if (sent)
        check->sizes.wire += varve__tag_size(field) + varve__number_size(field->type, member);
}

/* Sets *sent to whether a string, bytes or message field, not repeated, goes on the wire. False
 * when it is NULL and must not be. */
static bool
is_sent(
    struct varve__check *check,
    const ProtobufCFieldDescriptor *field,
    const void *record,
    bool *sent)
{
    const void *member = varve__member(record, field->offset);
    bool oneof = varve__in_oneof(field);
    *sent = !oneof || varve__is_chosen(record, field);
    if (!*sent)
        return true;
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        if (varve__is_explicit(field))
            *sent = *(const protobuf_c_boolean *)varve__member(record, field->quantifier_offset);
        else if (!oneof && !varve__is_always_sent(field))
            *sent = ((const struct varve_bytes *)member)->size > 0;
        return true;
    }
    const char *value = *(const char *const *)member;
    bool string = field->type == PROTOBUF_C_TYPE_STRING;
    if (!value && (oneof || (string && !varve__is_explicit(field))))
        return problem(check, VARVE__CHECK_NULL, 0);
    if (varve__is_always_sent(field))
        return true;
    *sent = value && (!string || oneof || varve__is_explicit(field) || *value);
    /* libprotobuf-c leaves out what points at the default value itself */
    if (value == field->default_value)
        *sent = false;
    return true;
}

/* A string, bytes or message field that is not repeated. */
static bool
check_singular(
    struct varve__check *check,
    const struct varve_column *column,
    const void *record,
    unsigned depth)
{
    const ProtobufCFieldDescriptor *field = column->field;
    const void *member = varve__member(record, field->offset);
    bool sent;
    size_t wire;
    if (!is_sent(check, field, record, &sent))
        return false;
    if (!sent)
        return true;
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        if (!check_bytes(check, member, varve__bytes_scale(column), &wire))
            return false;
    } else if (!check_element(check, column, member, depth, &wire)) {
        return false;
    }
    check->sizes.wire += varve__tag_size(field) + wire;
    return true;
}

/* A string that is neither optional nor in a oneof, as nearly all are: check_singular() in short. */
static inline bool
check_plain_string(
    struct varve__check *check, const ProtobufCFieldDescriptor *field, const void *record)
{
    const char *text = *(const char *const *)varve__member(record, field->offset);
    size_t wire;
    if (text && !*text && !varve__is_always_sent(field))
        return true;
    if (!check_string(check, text, &wire))
        return false;
    check->sizes.wire += varve__tag_size(field) + wire;
    return true;
}

static inline bool
is_plain_string(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING && !varve__is_explicit(field) &&
           !varve__in_oneof(field);
}

static inline bool
check_column(
    struct varve__check *check,
    const struct varve_column *column,
    const void *record,
    unsigned depth)
{
    if (column->tensor)
        return check_tensor(check, column, record, depth);
    if (varve__is_repeated(column->field))
        return check_repeated(check, column, record, depth);
    if (is_plain_string(column->field))
        return check_plain_string(check, column->field, record);
    if (!varve__is_number(column->field->type))
        return check_singular(check, column, record, depth);
    add_number(check, column->field, record);
    return true;
}

static bool
check_unknown(struct varve__check *check, const ProtobufCMessage *message)
{
    const ProtobufCMessageUnknownField *unknown = message->unknown_fields;
    if (!unknown)
        return problem(check, VARVE__CHECK_UNKNOWN, message->n_unknown_fields);
    check->sizes.copy += varve__arena_round(message->n_unknown_fields * sizeof *unknown);
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        if (unknown[i].len > VARVE__WIRE_MAX)
            return problem(check, VARVE__CHECK_SIZE, unknown[i].len);
        const uint8_t *end = unknown[i].data + unknown[i].len;
        if (!unknown[i].data ||
            varve__value_skip(unknown[i].wire_type, unknown[i].data, end) != end)
            return problem(check, VARVE__CHECK_UNKNOWN, unknown[i].len);
        check->sizes.copy += varve__arena_round(unknown[i].len);
        check->sizes.wire += varve__varint_size((uint64_t)unknown[i].tag << 3) + unknown[i].len;
    }
    return check_size(check);
}

static bool
check_record(
    struct varve__check *check,
    const struct varve_record *table,
    const void *record,
    unsigned depth)
{
    const ProtobufCMessage *message = record;
    if (message->descriptor != table->descriptor)
        return problem(
            check, message->descriptor ? VARVE__CHECK_OTHER_MESSAGE : VARVE__CHECK_NOT_INITIALISED,
            0);
    if (message->n_unknown_fields > 0 && !check_unknown(check, message))
        return false;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        if (!check_column(check, column, record, depth) || !check_size(check)) {
            varve__path_add(&check->path, column->field, check->index);
            check->index = VARVE__NO_INDEX;
            return false;
        }
    }
    return true;
}

static enum varve_status
fail_null(const struct varve_record *table)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, table->descriptor->name,
        "the %s is NULL; pass a record", table->descriptor->name);
}

enum varve_status
varve__record_check_message(const struct varve_record *table, const void *record)
{
    const ProtobufCMessage *message = record;
    if (!message)
        return fail_null(table);
    if (message->descriptor == table->descriptor)
        return VARVE_OK;
    struct varve__check check = {.mode = VARVE__CHECK_UNLOADED, .index = VARVE__NO_INDEX};
    problem(
        &check, message->descriptor ? VARVE__CHECK_OTHER_MESSAGE : VARVE__CHECK_NOT_INITIALISED, 0);
    return varve__check_fail(&check, table);
}

enum varve_status
varve__record_check(
    const struct varve_record *table,
    const void *record,
    enum varve__check_mode mode,
    struct varve__sizes *sizes)
{
    if (!record)
        return fail_null(table);
    struct varve__check check;
    check.mode = mode;
    check.sizes = (struct varve__sizes){0};
    check.path.count = 0; /* the rest is written by a failure before it is read */
    if (!check_record(&check, table, record, 0))
        return varve__check_fail(&check, table);
    if (sizes)
        *sizes = check.sizes;
    return VARVE_OK;
}
