/* Reading of rows, with distrust: anybody can change a table. Plain slots are read in a loop for each
 * kind of move, without a decision for each column; what is refused there is looked at again to say
 * why. Knows no SQL text.
 *
 * Each column is fetched once, with sqlite3_column_value(): what the sqlite3_column functions do for
 * each call is done once then. Such a value may be used because a connection is of one thread at a
 * time. */
#include "table/row.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "codec/check.h"
#include "codec/field.h"
#include "codec/json.h"
#include "table/column.h"
#include "table/part.h"

enum {
    FETCHED_MAX = 32 /* columns whose values are kept between sizing and reading them */
};

/* A row on its way into a record. */
struct reader {
    const struct varve__plan *plan;
    sqlite3_stmt *statement;
    struct varve__arena *arena;
    char *record;
    sqlite3_value *const *fetched; /* of COPY: values of the slots outside of the struct */
};

/* What becomes of text and bytes. */
enum handling {
    COPY,   /* they go to the arena */
    BORROW, /* they stay in SQLite */
};

/* ------------------------------------------------------------------ scalars */

static inline __attribute__((always_inline)) bool
read_float(sqlite3_value *value, float *member)
{
    double real = sqlite3_value_double(value);
    if (fabs(real) > (double)FLT_MAX && !isinf(real))
        return false;
    *member = (float)real;
    return true;
}

static inline __attribute__((always_inline)) bool
read_string(
    sqlite3_value *value, enum handling handling, struct varve__arena *arena, const char **member)
{
    const char *text = (const char *)sqlite3_value_text(value);
    size_t size = (size_t)sqlite3_value_bytes(value);
    if (!text || varve__utf8_check(text, size) < size)
        return false;
    *member = text;
    if (handling == BORROW)
        return true;
    char *copy = varve__arena_allocate(arena, size + 1);
    if (!copy)
        return false;
    memcpy(copy, text, size + 1);
    *member = copy;
    return true;
}

static inline __attribute__((always_inline)) bool
read_bytes(
    sqlite3_value *value,
    enum handling handling,
    struct varve__arena *arena,
    struct varve_bytes *member)
{
    const void *data = sqlite3_value_blob(value); /* NULL when there are none */
    size_t size = (size_t)sqlite3_value_bytes(value);
    *member = (struct varve_bytes){size, (uint8_t *)(uintptr_t)data};
    if (handling == BORROW || size == 0)
        return data || size == 0;
    member->data = data ? varve__arena_allocate(arena, size) : NULL;
    if (!member->data)
        return false;
    memcpy(member->data, data, size);
    return true;
}

static inline __attribute__((always_inline)) bool
read_integer(enum varve__move move, sqlite3_value *value, void *member)
{
    int64_t integer = sqlite3_value_int64(value);
    switch (move) {
    case VARVE__MOVE_INT32:
        *(int32_t *)member = (int32_t)integer;
        return integer == (int32_t)integer;
    case VARVE__MOVE_UINT32:
        *(uint32_t *)member = (uint32_t)integer;
        return integer == (int64_t)(uint32_t)integer;
    case VARVE__MOVE_BOOL:
        *(protobuf_c_boolean *)member = integer != 0;
        return true;
    case VARVE__MOVE_UINT64:
        *(int64_t *)member = integer;
        return integer >= 0;
    default:
        *(int64_t *)member = integer;
        return true;
    }
}

/* Reads a scalar that moves so into a member of its C type. False: it is refused, or there is no
 * memory; the member may have been written. */
static inline __attribute__((always_inline)) bool
read_scalar(
    enum varve__move move,
    sqlite3_value *value,
    enum handling handling,
    struct varve__arena *arena,
    void *member)
{
    if (sqlite3_value_type(value) != varve__scalar_type(move))
        return false;
    switch (move) {
    case VARVE__MOVE_FLOAT:
        return read_float(value, member);
    case VARVE__MOVE_DOUBLE:
        *(double *)member = sqlite3_value_double(value);
        return true;
    case VARVE__MOVE_STRING:
        return read_string(value, handling, arena, member);
    case VARVE__MOVE_BYTES:
        return read_bytes(value, handling, arena, member);
    default:
        return read_integer(move, value, member);
    }
}

/* ------------------------------------------------------------------ other slots */

static void
set_present(const ProtobufCFieldDescriptor *field, void *record)
{
    if (varve__in_oneof(field))
        *(uint32_t *)varve__member_of(record, field->quantifier_offset) = field->id;
    else if (
        varve__is_explicit(field) && field->type != PROTOBUF_C_TYPE_STRING &&
        field->type != PROTOBUF_C_TYPE_MESSAGE)
        *(protobuf_c_boolean *)varve__member_of(record, field->quantifier_offset) = 1;
}

/* Most maps and arrays are empty, which the record is already. */
static inline __attribute__((always_inline)) bool
is_empty_json(const struct varve__slot *slot, sqlite3_value *value, int type)
{
    if (!slot->empty || type != SQLITE_TEXT)
        return false;
    const unsigned char *text = sqlite3_value_text(value);
    return text && sqlite3_value_bytes(value) == 2 && memcmp(text, slot->empty, 2) == 0;
}

static enum varve_status
read_json(const struct reader *reader, const struct varve_column *column, sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);
    size_t size = (size_t)sqlite3_value_bytes(value);
    if (!text)
        return varve__fail_memory(reader->plan->record->descriptor->name, size);
    return varve__json_decode(
        reader->plan->record, column, text, size, reader->arena, reader->record);
}

/* Reads a field, or with NULL the unknown fields. */
static enum varve_status
read_part(const struct reader *reader, const ProtobufCFieldDescriptor *field, sqlite3_value *value)
{
    const void *data = sqlite3_value_blob(value); /* NULL when there are no bytes */
    size_t size = (size_t)sqlite3_value_bytes(value);
    bool missing = field && !varve__is_repeated(field);
    enum varve_status status = VARVE_OK;
    if (!data && size > 0)
        return varve__fail_memory(reader->plan->record->descriptor->name, size);
    if (size > 0)
        status = varve__part_read(
            reader->plan->record, field, data, size, reader->arena, reader->record, &missing);
    if (status == VARVE_OK && missing)
        return varve__column_refuse(
            reader->plan, field, VARVE_FAILURE_OTHER, "bytes without this field");
    return status;
}

/* A slot that may be absent, or is no scalar; its value is not NULL. */
static enum varve_status
read_present(
    const struct reader *reader,
    const struct varve__place *at,
    sqlite3_value *value,
    enum handling handling)
{
    const struct varve__slot *slot = &reader->plan->slots[at->slot];
    void *member = reader->record + at->offset;
    int found = sqlite3_value_type(value);
    enum varve_status status = VARVE_OK;
    if (found != varve__column_type(slot))
        return varve__column_refuse_type(reader->plan, slot, found);
    if (slot->column->kind == VARVE_COLUMN_JSON)
        status = read_json(reader, slot->column, value);
    else if (slot->column->kind == VARVE_COLUMN_WIRE)
        status = read_part(reader, slot->column->field, value);
    else if (!read_scalar(slot->scalar, value, handling, reader->arena, member))
        status = varve__column_refuse_scalar(reader->plan, slot, value);
    if (status == VARVE_OK)
        set_present(slot->column->field, reader->record);
    return status;
}

/* ------------------------------------------------------------------ rows */

/* The value of a slot from the strings on. */
static inline __attribute__((always_inline)) sqlite3_value *
fetch(const struct reader *reader, const struct varve__place *at, enum handling handling)
{
    if (handling == COPY) {
        size_t index = (size_t)(at - reader->plan->moves.end[VARVE__MOVE_STRING - 1]);
        if (index < FETCHED_MAX)
            return reader->fetched[index];
    }
    return sqlite3_column_value(reader->statement, (int)at->slot);
}

/* Reads the group of plain slots that begins at *at, and moves *at behind it. False: the slot that it
 * stands at is refused. */
static inline __attribute__((always_inline)) bool
read_group(
    const struct reader *reader,
    enum varve__move move,
    enum handling handling,
    const struct varve__place **at)
{
    for (; *at < reader->plan->moves.end[move]; ++*at) {
        sqlite3_value *value = move < VARVE__MOVE_STRING
                                   ? sqlite3_column_value(reader->statement, (int)(*at)->slot)
                                   : fetch(reader, *at, handling);
        void *member = reader->record + (*at)->offset;
        if (!read_scalar(move, value, handling, reader->arena, member))
            return false;
    }
    return true;
}

static inline __attribute__((always_inline)) enum varve_status
read_other(const struct reader *reader, const struct varve__place *at, enum handling handling)
{
    const struct varve__slot *slot = &reader->plan->slots[at->slot];
    sqlite3_value *value = fetch(reader, at, handling);
    int type = sqlite3_value_type(value);
    if ((type == SQLITE_NULL && slot->nullable) || is_empty_json(slot, value, type))
        return VARVE_OK;
    return read_present(reader, at, value, handling);
}

static inline __attribute__((always_inline)) enum varve_status
read_slots(const struct reader *reader, enum handling handling)
{
    const struct varve__plan *plan = reader->plan;
    const struct varve__place *at = plan->moves.order;
    const struct varve__place *end = plan->moves.end[VARVE__MOVE_OTHER];
    enum varve_status status = VARVE_OK;
    if (!read_group(reader, VARVE__MOVE_INT32, handling, &at) ||
        !read_group(reader, VARVE__MOVE_UINT32, handling, &at) ||
        !read_group(reader, VARVE__MOVE_INT64, handling, &at) ||
        !read_group(reader, VARVE__MOVE_UINT64, handling, &at) ||
        !read_group(reader, VARVE__MOVE_BOOL, handling, &at) ||
        !read_group(reader, VARVE__MOVE_FLOAT, handling, &at) ||
        !read_group(reader, VARVE__MOVE_DOUBLE, handling, &at) ||
        !read_group(reader, VARVE__MOVE_STRING, handling, &at) ||
        !read_group(reader, VARVE__MOVE_BYTES, handling, &at))
        return varve__column_refuse_scalar(
            plan, &plan->slots[at->slot], sqlite3_column_value(reader->statement, (int)at->slot));
    for (; at < end && status == VARVE_OK; at++)
        status = read_other(reader, at, handling);
    return status;
}

/* Gives a tensor the count that its dims ask for, and no data. */
static enum varve_status
set_count(const struct reader *reader, const struct varve_column *column)
{
    const ProtobufCFieldDescriptor *field = column->field;
    size_t count;
    size_t which;
    enum varve__check_problem problem =
        varve__tensor_count(column->tensor, reader->record, &count, &which);
    if (problem != VARVE__CHECK_FINE) {
        const struct varve_dim *dim = &column->tensor->dims[which];
        const char *negative =
            problem == VARVE__CHECK_DIM_NEGATIVE ? "is negative" : "is too large";
        return varve__column_refuse(
            reader->plan, dim->field ? dim->field : field, VARVE_FAILURE_DIMS,
            "a dim of %s that %s", field->name, negative);
    }
    unsigned offset = varve__is_repeated(field) ? field->quantifier_offset : field->offset;
    *(size_t *)varve__member_of(reader->record, offset) = count;
    return VARVE_OK;
}

/* Optional tensors have a column each, from `index` on, that says whether they are there; where the
 * statement has no such columns they are absent. */
static enum varve_status
set_counts(const struct reader *reader, int index)
{
    const struct varve__plan *plan = reader->plan;
    bool told = sqlite3_data_count(reader->statement) > index;
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < plan->tensor_count && status == VARVE_OK; i++) {
        const struct varve_column *column = plan->tensors[i];
        if (column->tensor->optional &&
            !(told && sqlite3_column_int(reader->statement, index++) != 0))
            continue;
        status = set_count(reader, column);
        if (status == VARVE_OK && !varve__is_repeated(column->field))
            set_present(column->field, reader->record);
    }
    return status;
}

enum varve_status
varve__row_borrow(
    const struct varve__plan *plan, sqlite3_stmt *statement, struct varve__arena *arena, void *row)
{
    struct reader reader = {.plan = plan, .statement = statement, .arena = arena, .record = row};
    memcpy(row, plan->record->initial, plan->record->descriptor->sizeof_message);
    enum varve_status status = read_slots(&reader, BORROW);
    if (status == VARVE_OK && plan->tensor_count > 0)
        status = set_counts(&reader, (int)plan->slot_count);
    return status;
}

/* Fetches the values that lie outside of the struct, as far as there is room for them, and sums up
 * what they take in an arena: text and bytes exactly, JSON and messages by a guess, which a larger
 * one outgrows. */
static inline size_t
fetch_payload(
    const struct varve__plan *plan, sqlite3_stmt *statement, sqlite3_value *fetched[FETCHED_MAX])
{
    const struct varve__moves *moves = &plan->moves;
    const struct varve__place *at = moves->end[VARVE__MOVE_STRING - 1];
    size_t sum = 0;
    for (size_t i = 0; at < moves->end[VARVE__MOVE_OTHER] && i < FETCHED_MAX; at++, i++) {
        sqlite3_value *value = sqlite3_column_value(statement, (int)at->slot);
        int type = sqlite3_value_type(value);
        fetched[i] = value;
        if (type != SQLITE_TEXT && type != SQLITE_BLOB)
            continue;
        size_t size = (size_t)sqlite3_value_bytes(value);
        sum += varve__arena_round(size + 1);
        if (at >= moves->end[VARVE__MOVE_BYTES] && size > 2) /* structs beside the text */
            sum += size < 256 ? 4 * size : 1024;
    }
    return sum;
}

/* Makes the record in the arena out of values that fetch_payload() has fetched. */
static inline enum varve_status
read_row(
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    struct varve__arena *arena,
    sqlite3_value *const *fetched,
    void **record)
{
    size_t size = plan->record->descriptor->sizeof_message;
    int unknown = (int)plan->slot_count;
    void *read = varve__arena_allocate(arena, size);
    *record = NULL;
    if (!read)
        return varve__fail_memory(plan->record->descriptor->name, size);
    struct reader reader = {
        .plan = plan,
        .statement = statement,
        .arena = arena,
        .record = read,
        .fetched = fetched,
    };
    memcpy(read, plan->record->initial, size);
    enum varve_status status = read_slots(&reader, COPY);
    if (status != VARVE_OK)
        return status;
    sqlite3_value *value = sqlite3_column_value(statement, unknown);
    if (sqlite3_value_type(value) == SQLITE_BLOB)
        status = read_part(&reader, NULL, value);
    if (status == VARVE_OK && plan->tensor_count > 0)
        status = set_counts(&reader, unknown + 1);
    if (status == VARVE_OK)
        *record = read;
    return status;
}

enum varve_status
varve__row_read_into(
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    struct varve__arena *arena,
    void **record)
{
    sqlite3_value *fetched[FETCHED_MAX];
    (void)fetch_payload(plan, statement, fetched);
    return read_row(plan, statement, arena, fetched, record);
}

enum varve_status
varve__row_read(const struct varve__plan *plan, sqlite3_stmt *statement, void **record)
{
    sqlite3_value *fetched[FETCHED_MAX];
    size_t size = varve__arena_round(plan->record->descriptor->sizeof_message);
    size += fetch_payload(plan, statement, fetched);
    struct varve__arena *arena = varve__arena_create(size);
    *record = NULL;
    if (!arena)
        return varve__fail_memory(plan->record->descriptor->name, size);
    enum varve_status status = read_row(plan, statement, arena, fetched, record);
    if (status != VARVE_OK)
        varve__arena_release(arena);
    return status;
}
