/* libFuzzer's target for filters. An input chooses conditions on a message with a field of every
 * family, their values (good ones of a pool, or bytes as they come: NaN, NULL, no UTF-8), the order,
 * and the record to begin behind. The store finds what the model of tests/store finds by looking at
 * each record, or it refuses the filter, and then only for a reason that the contract names. */
#include <math.h>
#include <stdint.h>

#include "base/utf8.h"

#include "find_check.h"
#include "find_trial.h"
#include "input.h"

enum {
    TRIALS = 60,
    NONE = 0xFF, /* of a byte that says a size: NULL instead */
    LENGTH_MAX = 12,
    COUNT_MAX = 6,
    OPERATORS = VARVE_IS_NOT_NULL + 2, /* and one that there is not */
    CONDITIONS = 4                     /* at most that many in a filter */
};

static const struct varve_record *const table = &lab_trial_record;
static struct lab_trial trials[TRIALS];
static const struct model model = {&lab_trial_record, (const char *)trials, TRIALS};
static struct varve_store *store;
static struct varve_session *session;

/* -------------------------------------------------------------------- making filters */

static const char *
take_text(struct input *input)
{
    unsigned size = input_byte(input);
    if (size == NONE)
        return NULL;
    char *text = input_block(input, size % LENGTH_MAX + 1);
    input_take(input, text, size % LENGTH_MAX);
    return text;
}

static struct varve_bytes
take_bytes(struct input *input)
{
    unsigned size = input_byte(input);
    struct varve_bytes bytes = {.size = size % LENGTH_MAX};
    if (size == NONE)
        return bytes; /* of a size, but NULL */
    bytes.data = input_block(input, bytes.size);
    if (bytes.size > 0)
        input_take(input, bytes.data, bytes.size);
    return bytes;
}

/* Any value there is of the type, and some that there are not. */
static union varve_operand
take_operand(struct input *input, ProtobufCType type)
{
    union varve_operand operand;
    memset(&operand, 0, sizeof operand);
    if (type == PROTOBUF_C_TYPE_STRING)
        operand.text = take_text(input);
    else if (type == PROTOBUF_C_TYPE_BYTES)
        operand.bytes = take_bytes(input);
    else if (type == PROTOBUF_C_TYPE_BOOL)
        operand.flag = input_byte(input) % 2 == 1;
    else
        input_take(input, &operand, model_operand_size(type));
    return operand;
}

static void
take_list(struct input *input, ProtobufCType type, struct varve_condition *condition)
{
    unsigned count = input_byte(input);
    size_t size = model_operand_size(type);
    if (count >= NONE - 1) { /* NULL, or a negative count */
        condition->count = count == NONE ? -1 : 2;
        return;
    }
    condition->count = count % COUNT_MAX;
    char *values = input_block(input, (size_t)condition->count * size);
    for (int64_t i = 0; i < condition->count; i++) {
        union varve_operand operand = take_operand(input, type);
        memcpy(values + (size_t)i * size, &operand, size);
    }
    condition->value.values = values;
}

static void
take_condition(struct input *input, struct some_filter *filter)
{
    size_t slot = input_byte(input) % slot_count(table);
    unsigned choice = input_byte(input);
    enum varve_operator op = (enum varve_operator)(choice % OPERATORS);
    const struct varve_column *column = column_of_slot(table, slot);
    struct varve_condition *condition = &filter->conditions[slot];
    if (choice < 128 && op != VARVE_ANY && has_operator(column, op)) {
        struct random random = {input_byte(input)};
        fill_condition(filter, table, slot, op, random_below(&random, POOL), &random);
        return;
    }
    *condition = (struct varve_condition){.op = op};
    if (column->kind != VARVE_COLUMN_SCALAR)
        return;
    if (op == VARVE_IN) {
        take_list(input, column->field->type, condition);
        return;
    }
    condition->value = take_operand(input, column->field->type);
    condition->high = take_operand(input, column->field->type);
}

/* One of those that are stored, another one, one with any values, or a record of another message. */
static const void *
take_after(struct input *input)
{
    static struct lab_visit visit = LAB_VISIT_INIT;
    unsigned choice = input_byte(input);
    struct lab_trial *after = input_block(input, sizeof *after);
    struct random random = {choice};
    if (choice == NONE)
        return &visit;
    if (choice < TRIALS) {
        *after = trials[choice];
        return after;
    }
    fill_trial(after, &random);
    after->id = (int64_t)input_byte(input);
    if (choice % 2 == 0)
        return after;
    after->total = input_bits(input);
    after->score = take_operand(input, PROTOBUF_C_TYPE_DOUBLE).real;
    after->ratio = take_operand(input, PROTOBUF_C_TYPE_FLOAT).single;
    after->name = take_text(input);
    after->note = take_text(input);
    after->blob = take_bytes(input);
    return after;
}

static int64_t
take_size(struct input *input)
{
    unsigned choice = input_byte(input);
    return choice < 250 ? choice % 70 : (int64_t)input_bits(input);
}

static void
take_tail(struct input *input, struct varve_filter_tail *tail)
{
    unsigned parts = input_byte(input);
    unsigned order = input_byte(input);
    if (parts & 1)
        tail->order_by = order == NONE ? -1 : (int)(order % 28); /* 25 are fields */
    tail->descending = (parts & 2) != 0;
    if (parts & 4)
        tail->limit = take_size(input);
    if (parts & 8)
        tail->offset = take_size(input);
    if (parts & 16)
        tail->after = take_after(input);
}

/* -------------------------------------------------------------------- what the contract says */

/* Statuses, as bits, that a value may be refused with. */
static unsigned
value_refusals(ProtobufCType type, const void *value)
{
    bool is_bad = false;
    if (type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *)value;
        is_bad = !text || varve__utf8_check(text, strlen(text)) < strlen(text);
    } else if (type == PROTOBUF_C_TYPE_BYTES) {
        const struct varve_bytes *bytes = value;
        is_bad = bytes->size > 0 && !bytes->data;
    } else if (type == PROTOBUF_C_TYPE_DOUBLE) {
        is_bad = isnan(*(const double *)value);
    } else if (type == PROTOBUF_C_TYPE_FLOAT) {
        is_bad = isnan(*(const float *)value);
    }
    return is_bad ? 1u << VARVE_INVALID : 0;
}

static unsigned
list_refusals(ProtobufCType type, const struct varve_condition *condition)
{
    unsigned refusals = 0;
    const char *values = condition->value.values;
    if (condition->count < 0 || (condition->count > 0 && !values))
        return 1u << VARVE_INVALID;
    for (int64_t i = 0; i < condition->count; i++)
        refusals |= value_refusals(type, values + (size_t)i * model_operand_size(type));
    return refusals;
}

static unsigned
condition_refusals(const struct varve_column *column, const struct varve_condition *condition)
{
    ProtobufCType type = column->field->type;
    if (condition->op == VARVE_ANY)
        return 0;
    if (condition->op > VARVE_IS_NOT_NULL || !has_operator(column, condition->op))
        return 1u << VARVE_MISUSE;
    if (condition->op == VARVE_IS_NULL || condition->op == VARVE_IS_NOT_NULL)
        return 0;
    if (condition->op == VARVE_IN)
        return list_refusals(type, condition);
    return value_refusals(type, &condition->value) |
           (condition->op == VARVE_BETWEEN ? value_refusals(type, &condition->high) : 0);
}

/* The column that order_by names, NULL when it has no order or there is none. */
static const struct varve_column *
order_column(int number)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct varve_column *column = &table->columns[i];
        if (column->field->id == (uint32_t)number)
            return has_order(column) ? column : NULL;
    }
    return NULL;
}

/* Nothing is asked of fields that are absent, nor of those that do not order. */
static unsigned
after_refusals(const struct varve_column *order, const struct lab_trial *after)
{
    const ProtobufCFieldDescriptor *field = order ? order->field : NULL;
    if (after->base.descriptor != table->descriptor)
        return 1u << VARVE_MISUSE;
    if (!field || field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ||
        field->label == PROTOBUF_C_LABEL_OPTIONAL)
        return 0; /* those of the pool */
    if (field->id == LAB_TRIAL_FIELD_TOTAL && after->total > INT64_MAX)
        return 1u << VARVE_INVALID;
    return value_refusals(field->type, (const char *)after + field->offset);
}

static unsigned
tail_refusals(const struct varve_filter_tail *tail)
{
    const struct varve_column *order = order_column(tail->order_by);
    if (tail->limit < 0 || tail->offset < 0 || (tail->order_by != 0 && !order))
        return 1u << VARVE_MISUSE;
    unsigned refusals = tail->after ? after_refusals(order, tail->after) : 0;
    const struct lab_trial *after = tail->after;
    if (!refusals && after && tail->order_by == LAB_TRIAL_FIELD_NOTE && after->note)
        refusals = value_refusals(PROTOBUF_C_TYPE_STRING, &after->note);
    return refusals;
}

static unsigned
filter_refusals(struct some_filter *filter)
{
    unsigned refusals = tail_refusals(filter_tail(table, filter));
    for (size_t slot = 0; slot < slot_count(table); slot++)
        refusals |= condition_refusals(column_of_slot(table, slot), &filter->conditions[slot]);
    return refusals;
}

/* -------------------------------------------------------------------- asking the store */

static void
require_same(const char *difference)
{
    if (difference)
        fprintf(stderr, "%s\n", difference);
    REQUIRE(!difference);
}

static void
require_refused(enum varve_status status, unsigned refusals)
{
    if (!(1u << status & refusals))
        fprintf(stderr, "%s: %s\n", varve_status_name(status), varve_session_error(session));
    REQUIRE(1u << status & refusals);
    REQUIRE(strlen(varve_session_error(session)) > 0);
}

static void
check_refused(const struct some_filter *filter, unsigned refusals)
{
    struct varve_cursor *cursor;
    void *record;
    int64_t count;
    require_refused(varve_record_find(session, table, filter, &cursor), refusals);
    REQUIRE(!cursor);
    require_refused(varve_record_count(session, table, filter, &count), refusals);
    require_refused(varve_record_find_one(session, table, filter, &record), refusals);
    REQUIRE(!record);
    require_refused(varve_record_delete_where(session, table, filter), refusals);
    REQUIRE(varve_record_count(session, table, NULL, &count) == VARVE_OK && count == TRIALS);
}

/* The find copies what it needs: all that the filter points at is gone when the first row comes. */
static void
check_kept(struct input *input, struct some_filter *filter)
{
    size_t expected[TRIALS];
    struct varve_cursor *cursor;
    size_t count = model_find(&model, filter, expected);
    REQUIRE(varve_record_find(session, table, filter, &cursor) == VARVE_OK);
    input_release(input);
    memset(filter, 0xA5, sizeof *filter);
    require_same(check_cursor(cursor, &model, expected, count));
}

/* -------------------------------------------------------------------- the target */

static void
close_store(void)
{
    varve_session_close(session);
    varve_close(store);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct random random = {1};
    (void)argc;
    (void)argv;
    REQUIRE(
        varve_open(&lab_schema, &(struct varve_config){.data_dir = ":memory:"}, &store, NULL) ==
        VARVE_OK);
    atexit(close_store);
    REQUIRE(varve_session_open(store, &session) == VARVE_OK);
    for (size_t i = 0; i < TRIALS; i++)
        fill_trial(&trials[i], &random);
    REQUIRE(lab_trial_insert_many(session, trials, TRIALS) == VARVE_OK);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.at = data, .end = data + size};
    struct some_filter filter;
    memset(&filter, 0, sizeof filter);
    unsigned choice = input_byte(&input);
    take_tail(&input, filter_tail(table, &filter));
    for (unsigned i = choice % (CONDITIONS + 1); i > 0; i--)
        take_condition(&input, &filter);
    unsigned refusals = filter_refusals(&filter);
    if (refusals) {
        check_refused(&filter, refusals);
    } else {
        require_same(check_found(session, &model, &filter));
        if (choice >= 192)
            require_same(check_deleted(session, &model, &filter));
        check_kept(&input, &filter);
    }
    input_release(&input);
    return 0;
}
