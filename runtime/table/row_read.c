/* Reading of rows, with distrust: anybody can change a table. Plain slots are read in a loop for each
 * kind of move, without a decision for each column; what is refused there is looked at again to say
 * why. Knows no SQL text.
 *
 * The types of plain slots are not looked at: the tables are STRICT, which is seen when the store opens
 * (strict.h). Where a damaged file breaks that, SQLite converts what is there: a value like any other,
 * whose range and UTF-8 are checked.
 *
 * A column of which more than one thing is asked is fetched once, with sqlite3_column_value(): what the
 * sqlite3_column functions do for each call is done once then. Such a value may be used because a
 * connection is of one thread at a time. */
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
    FETCHED_MAX = 64 /* columns whose values are kept between sizing and reading them */
};

#define EXACT_MAX (INT64_C(1) << 53) /* every integer up to it is a double */

/* A value that lies outside of the struct: text or bytes of a plain slot, as SQLite has them, or what
 * another slot holds. */
struct payload {
    union {
        const void *data; /* NULL: there are no bytes, or no memory */
        sqlite3_value *value;
    };
    size_t size;
};

/* A row on its way into a record. */
struct reader {
    const struct varve__plan *plan;
    sqlite3_stmt *statement;
    struct varve__arena *arena;
    char *record;
    const struct payload *fetched; /* of COPY: of all slots from the strings on; NULL: not yet */
};

/* What a row is of. */
enum source {
    TABLE,  /* STRICT: types are SQLite's care */
    RESULT, /* of a query: any column may be of any type */
};

/* What becomes of text and bytes. */
enum handling {
    COPY,   /* they go to the arena */
    BORROW, /* they stay in SQLite */
};

/* ------------------------------------------------------------------ scalars */

static inline struct payload
text_of(sqlite3_value *value)
{
    const void *text = sqlite3_value_text(value);
    return (struct payload){.data = text, .size = (size_t)sqlite3_value_bytes(value)};
}

static inline struct payload
bytes_of(sqlite3_value *value)
{
    const void *data = sqlite3_value_blob(value);
    return (struct payload){.data = data, .size = (size_t)sqlite3_value_bytes(value)};
}

/* These read a scalar into a member of its C type. False: it is refused, or there is no memory; the
 * member may have been written. */

static inline __attribute__((always_inline)) bool
read_string(
    struct payload text, enum handling handling, struct varve__arena *arena, const char **member)
{
    if (!text.data || varve__utf8_check(text.data, text.size) < text.size)
        return false;
    *member = text.data;
    if (handling == BORROW)
        return true;
    char *copy = varve__arena_allocate(arena, text.size + 1);
    if (!copy)
        return false;
    memcpy(copy, text.data, text.size + 1);
    *member = copy;
    return true;
}

static inline __attribute__((always_inline)) bool
read_bytes(
    struct payload bytes,
    enum handling handling,
    struct varve__arena *arena,
    struct varve_bytes *member)
{
    *member = (struct varve_bytes){bytes.size, (uint8_t *)(uintptr_t)bytes.data};
    if (handling == BORROW || bytes.size == 0)
        return bytes.data || bytes.size == 0;
    member->data = bytes.data ? varve__arena_allocate(arena, bytes.size) : NULL;
    if (!member->data)
        return false;
    memcpy(member->data, bytes.data, bytes.size);
    return true;
}

static inline __attribute__((always_inline)) bool
read_real(enum varve__move move, double real, void *member)
{
    if (move == VARVE__MOVE_DOUBLE) {
        *(double *)member = real;
        return true;
    }
    if (fabs(real) > (double)FLT_MAX && !isinf(real))
        return false;
    *(float *)member = (float)real;
    return true;
}

static inline __attribute__((always_inline)) bool
read_integer(enum varve__move move, int64_t integer, void *member)
{
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

static inline bool
is_real(enum varve__move move)
{
    return move == VARVE__MOVE_FLOAT || move == VARVE__MOVE_DOUBLE;
}

/* ------------------------------------------------------------------ other slots */

static bool
read_scalar(
    enum varve__move move,
    sqlite3_value *value,
    enum handling handling,
    struct varve__arena *arena,
    void *member)
{
    if (move == VARVE__MOVE_STRING)
        return read_string(text_of(value), handling, arena, member);
    if (move == VARVE__MOVE_BYTES)
        return read_bytes(bytes_of(value), handling, arena, member);
    return is_real(move) ? read_real(move, sqlite3_value_double(value), member)
                         : read_integer(move, sqlite3_value_int64(value), member);
}

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

/* A query's integer may go to a double, as a sum of no rows does, and a whole number that RETURNING gives of a
 * REAL column, which SQLite has as an integer there. */
static inline bool
is_exact(int64_t whole)
{
    return whole >= -EXACT_MAX && whole <= EXACT_MAX;
}

static bool
is_whole_number(const struct reader *reader, const struct varve__slot *slot, sqlite3_value *value)
{
    return reader->plan->query && is_real(slot->scalar) &&
           sqlite3_value_type(value) == SQLITE_INTEGER && is_exact(sqlite3_value_int64(value));
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
    if (found != varve__column_type(slot) && !is_whole_number(reader, slot, value))
        return varve__column_refuse_type(reader->plan, slot, value);
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

/* Makes a record empty that was an initialised one or has been read into, but for what reading writes. */
static inline void
reset(const struct varve__plan *plan, char *record)
{
    const struct varve_record *table = plan->record;
    size_t offset = plan->reset_offset;
    memcpy(
        record + offset, (const char *)table->initial + offset,
        table->descriptor->sizeof_message - offset);
}

/* Of a result's value that is neither text nor bytes: bytes that are not there, which nobody takes. */
static inline __attribute__((always_inline)) struct payload
fetch(
    sqlite3_stmt *statement,
    enum varve__move move,
    enum source source,
    const struct varve__place *at)
{
    sqlite3_value *value = sqlite3_column_value(statement, (int)at->slot);
    if (move == VARVE__MOVE_OTHER)
        return (struct payload){.value = value};
    if (source == RESULT && sqlite3_value_type(value) != varve__scalar_type(move))
        return (struct payload){.data = NULL, .size = 1};
    return move == VARVE__MOVE_STRING ? text_of(value) : bytes_of(value);
}

/* What fetch_payloads() has kept of a slot; NULL when it was not called. */
static inline __attribute__((always_inline)) const struct payload *
fetched_of(const struct reader *reader, const struct varve__place *at, enum handling handling)
{
    if (handling == BORROW || !reader->fetched)
        return NULL;
    return reader->fetched + (at - reader->plan->moves.end[VARVE__MOVE_STRING - 1]);
}

/* A number of a query's result, whatever type it has. */
static inline __attribute__((always_inline)) bool
read_result_number(const struct reader *reader, enum varve__move move, int column, void *member)
{
    sqlite3_value *value = sqlite3_column_value(reader->statement, column);
    int type = sqlite3_value_type(value);
    if (!is_real(move))
        return type == SQLITE_INTEGER && read_integer(move, sqlite3_value_int64(value), member);
    if (type != SQLITE_FLOAT && !(type == SQLITE_INTEGER && is_exact(sqlite3_value_int64(value))))
        return false;
    return read_real(move, sqlite3_value_double(value), member);
}

/* Reads the group of plain slots that begins at *at, and moves *at behind it. False: the slot that it
 * stands at is refused. */
static inline __attribute__((always_inline)) bool
read_numbers(
    const struct reader *reader,
    enum varve__move move,
    enum source source,
    const struct varve__place **at)
{
    for (; *at < reader->plan->moves.end[move]; ++*at) {
        int column = (int)(*at)->slot;
        void *member = reader->record + (*at)->offset;
        bool fits;
        if (source == RESULT)
            fits = read_result_number(reader, move, column, member);
        else if (is_real(move))
            fits = read_real(move, sqlite3_column_double(reader->statement, column), member);
        else
            fits = read_integer(move, sqlite3_column_int64(reader->statement, column), member);
        if (!fits)
            return false;
    }
    return true;
}

/* The same for text and bytes. */
static inline __attribute__((always_inline)) bool
read_payloads(
    const struct reader *reader,
    enum varve__move move,
    enum handling handling,
    enum source source,
    const struct varve__place **at)
{
    for (; *at < reader->plan->moves.end[move]; ++*at) {
        void *member = reader->record + (*at)->offset;
        const struct payload *fetched = fetched_of(reader, *at, handling);
        struct payload payload = fetched ? *fetched : fetch(reader->statement, move, source, *at);
        if (move == VARVE__MOVE_STRING ? !read_string(payload, handling, reader->arena, member)
                                       : !read_bytes(payload, handling, reader->arena, member))
            return false;
    }
    return true;
}

static inline __attribute__((always_inline)) enum varve_status
read_other(const struct reader *reader, const struct varve__place *at, enum handling handling)
{
    const struct varve__slot *slot = &reader->plan->slots[at->slot];
    const struct payload *fetched = fetched_of(reader, at, handling);
    sqlite3_value *value =
        fetched ? fetched->value : sqlite3_column_value(reader->statement, (int)at->slot);
    int type = sqlite3_value_type(value);
    if ((type == SQLITE_NULL && slot->nullable) || is_empty_json(slot, value, type))
        return VARVE_OK;
    return read_present(reader, at, value, handling);
}

static inline __attribute__((always_inline)) enum varve_status
read_slots(const struct reader *reader, enum handling handling, enum source source)
{
    const struct varve__plan *plan = reader->plan;
    const struct varve__place *at = plan->moves.order;
    const struct varve__place *end = plan->moves.end[VARVE__MOVE_OTHER];
    enum varve_status status = VARVE_OK;
    if (!read_numbers(reader, VARVE__MOVE_INT32, source, &at) ||
        !read_numbers(reader, VARVE__MOVE_UINT32, source, &at) ||
        !read_numbers(reader, VARVE__MOVE_INT64, source, &at) ||
        !read_numbers(reader, VARVE__MOVE_UINT64, source, &at) ||
        !read_numbers(reader, VARVE__MOVE_BOOL, source, &at) ||
        !read_numbers(reader, VARVE__MOVE_FLOAT, source, &at) ||
        !read_numbers(reader, VARVE__MOVE_DOUBLE, source, &at) ||
        !read_payloads(reader, VARVE__MOVE_STRING, handling, source, &at) ||
        !read_payloads(reader, VARVE__MOVE_BYTES, handling, source, &at))
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
    if (plan->reset_offset < plan->record->descriptor->sizeof_message)
        reset(plan, row);
    enum varve_status status =
        plan->query ? read_slots(&reader, BORROW, RESULT) : read_slots(&reader, BORROW, TABLE);
    if (status == VARVE_OK && plan->tensor_count > 0)
        status = set_counts(&reader, (int)plan->slot_count);
    return status;
}

/* What a slot that is no plain one takes in an arena: text and bytes exactly, JSON and messages by a
 * guess, which a larger one outgrows. */
static size_t
guess_size(sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    if (type != SQLITE_TEXT && type != SQLITE_BLOB)
        return 0;
    size_t size = (size_t)sqlite3_value_bytes(value);
    size_t structs = size <= 2 ? 0 : size < 256 ? 4 * size : 1024; /* beside the text */
    return varve__arena_round(size + 1) + structs;
}

/* Fetches the values that lie outside of the struct, and sums up what they take in an arena. */
static inline __attribute__((always_inline)) size_t
fetch_payloads(
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    enum source source,
    struct payload *fetched)
{
    const struct varve__moves *moves = &plan->moves;
    const struct varve__place *at = moves->end[VARVE__MOVE_STRING - 1];
    size_t sum = 0;
    for (; at < moves->end[VARVE__MOVE_STRING]; at++, fetched++) {
        *fetched = fetch(statement, VARVE__MOVE_STRING, source, at);
        sum += varve__arena_round(fetched->size + 1);
    }
    for (; at < moves->end[VARVE__MOVE_BYTES]; at++, fetched++) {
        *fetched = fetch(statement, VARVE__MOVE_BYTES, source, at);
        sum += varve__arena_round(fetched->size);
    }
    for (; at < moves->end[VARVE__MOVE_OTHER]; at++, fetched++) {
        *fetched = fetch(statement, VARVE__MOVE_OTHER, source, at);
        sum += guess_size(fetched->value);
    }
    return sum;
}

static inline enum varve_status
read_unknown(const struct reader *reader, int column)
{
    sqlite3_value *value = sqlite3_column_value(reader->statement, column);
    return sqlite3_value_type(value) == SQLITE_BLOB ? read_part(reader, NULL, value) : VARVE_OK;
}

/* Reads the row into a record that lies in the arena. */
static inline enum varve_status
read_record(struct reader *reader, void **record)
{
    const struct varve__plan *plan = reader->plan;
    int unknown = (int)plan->slot_count;
    memcpy(reader->record, plan->record->initial, plan->record->descriptor->sizeof_message);
    enum varve_status status =
        plan->query ? read_slots(reader, COPY, RESULT) : read_slots(reader, COPY, TABLE);
    if (status == VARVE_OK && !plan->query)
        status = read_unknown(reader, unknown);
    if (status == VARVE_OK && plan->tensor_count > 0)
        status = set_counts(reader, unknown + 1);
    if (status == VARVE_OK)
        *record = reader->record;
    return status;
}

/* With NULL as the arena, in one of its own. */
static enum varve_status
read_row(
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    struct varve__arena *given,
    void **record)
{
    struct payload fetched[FETCHED_MAX];
    size_t size = plan->record->descriptor->sizeof_message;
    bool are_few = plan->slot_count - plan->moves.first[VARVE__MOVE_STRING] <= FETCHED_MAX;
    size_t payload = 0;
    if (are_few)
        payload = plan->query ? fetch_payloads(plan, statement, RESULT, fetched)
                              : fetch_payloads(plan, statement, TABLE, fetched);
    struct varve__arena *arena =
        given ? given : varve__arena_create(varve__arena_round(size) + payload);
    void *read = arena ? varve__arena_allocate(arena, size) : NULL;
    *record = NULL;
    if (!read)
        return varve__fail_memory(plan->record->descriptor->name, size + payload);
    struct reader reader = {
        .plan = plan,
        .statement = statement,
        .arena = arena,
        .record = read,
        .fetched = are_few ? fetched : NULL,
    };
    enum varve_status status = read_record(&reader, record);
    if (status != VARVE_OK && !given)
        varve__arena_release(arena);
    return status;
}

enum varve_status
varve__row_read_into(
    const struct varve__plan *plan,
    sqlite3_stmt *statement,
    struct varve__arena *arena,
    void **record)
{
    return read_row(plan, statement, arena, record);
}

enum varve_status
varve__row_read(const struct varve__plan *plan, sqlite3_stmt *statement, void **record)
{
    return read_row(plan, statement, NULL, record);
}
