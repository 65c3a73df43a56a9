#include "find_random.h"

#include <math.h>
#include <string.h>

/* -------------------------------------------------------------------- values */

static const int64_t integers[POOL] = {
    0, 1, 2, 3, -1, 7, INT32_MIN, INT32_MAX, UINT32_MAX, INT64_MIN, INT64_MAX, INT64_MAX - 1,
};

static const double reals[POOL] = {
    0, -0.0, 1, 0.5, -0.5, 0.1, 1e300, -1e300, HUGE_VAL, -HUGE_VAL, 5e-324, 16777217,
};

static const char *const texts[POOL] = {
    "",
    "a",
    "A",
    "ab",
    "a%b",
    "a_b",
    "a\\b",
    "b' OR 1=1 --",
    "\xc3\xa4",
    "\xc3\xa5"
    "b",
    "\xf4\x8f\xbf\xbf",
    "AB",
};

static const char *const patterns[POOL] = {
    "", "%", "a%", "%b", "_", "__", "a\\%b", "%\\_%", "A_B", "\xc3\xa4", "%\\", "%'%",
};

static uint8_t data[] = {0xFF, 0xFF, 0xFF, 'a', 0x00, 'b', 0x7F, 0xFF};

static const struct varve_bytes blobs[POOL] = {
    {0, NULL},     {1, data},     {2, data},     {3, data},     {1, data + 3}, {2, data + 3},
    {3, data + 3}, {1, data + 4}, {2, data + 6}, {1, data + 6}, {4, data + 2}, {8, data},
};

/* Mostly small ones, so that many records have the same. */
int64_t
some_integer(struct random *random)
{
    return integers
        [random_one_in(random, 4) ? random_below(random, POOL) : random_below(random, 6)];
}

double
some_real(struct random *random)
{
    return reals[random_below(random, POOL)];
}

const char *
some_text(struct random *random)
{
    return texts[random_below(random, POOL)];
}

struct varve_bytes
some_bytes(struct random *random)
{
    return blobs[random_below(random, POOL)];
}

/* -------------------------------------------------------------------- columns */

size_t
slot_count(const struct varve_record *table)
{
    return table->table->conditions_size / sizeof(struct varve_condition);
}

const struct varve_column *
column_of_slot(const struct varve_record *table, size_t slot)
{
    const struct varve_column *column = table->columns;
    while (column->kind == VARVE_COLUMN_TENSOR || slot-- > 0)
        column++;
    return column;
}

bool
has_order(const struct varve_column *column)
{
    return column->kind == VARVE_COLUMN_SCALAR && column->field->type != PROTOBUF_C_TYPE_FIXED64;
}

bool
has_operator(const struct varve_column *column, enum varve_operator op)
{
    ProtobufCType type = column->field->type;
    if (op == VARVE_IS_NULL || op == VARVE_IS_NOT_NULL)
        return true;
    if (column->kind != VARVE_COLUMN_SCALAR)
        return false;
    if (op == VARVE_EQUALS || op == VARVE_NOT_EQUALS || op == VARVE_IN)
        return true;
    if (op == VARVE_LIKE)
        return type == PROTOBUF_C_TYPE_STRING;
    if (op == VARVE_PREFIX)
        return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BYTES;
    return has_order(column) && type != PROTOBUF_C_TYPE_BOOL;
}

/* -------------------------------------------------------------------- conditions */

/* A value of the pool in the member of its family; *size is what it takes in a list. */
static union varve_operand
operand(ProtobufCType type, size_t which, size_t *size)
{
    union varve_operand made;
    memset(&made, 0, sizeof made);
    *size = 8;
    switch (type) {
    case PROTOBUF_C_TYPE_BOOL:
        made.flag = which % 2 == 1;
        *size = sizeof made.flag;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        made.number = (int)integers[which];
        *size = sizeof made.number;
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        made.single = (float)reals[which];
        *size = sizeof made.single;
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        made.real = reals[which];
        break;
    case PROTOBUF_C_TYPE_STRING:
        made.text = texts[which];
        break;
    case PROTOBUF_C_TYPE_BYTES:
        made.bytes = blobs[which];
        *size = sizeof made.bytes;
        break;
    default:
        made.integer = integers[which];
        break;
    }
    return made;
}

static void
fill_list(struct some_filter *filter, size_t slot, ProtobufCType type, struct random *random)
{
    struct varve_condition *condition = &filter->conditions[slot];
    char *list = (char *)filter->lists[slot];
    condition->count = (int64_t)random_below(random, LIST_MAX + 1);
    condition->value.values = list;
    for (int64_t i = 0; i < condition->count; i++) {
        size_t size;
        union varve_operand value = operand(type, random_below(random, POOL), &size);
        memcpy(list + (size_t)i * size, &value, size);
    }
}

void
fill_condition(
    struct some_filter *filter,
    const struct varve_record *table,
    size_t slot,
    enum varve_operator op,
    size_t which,
    struct random *random)
{
    struct varve_condition *condition = &filter->conditions[slot];
    ProtobufCType type = column_of_slot(table, slot)->field->type;
    size_t size;
    condition->op = op;
    if (op == VARVE_IS_NULL || op == VARVE_IS_NOT_NULL)
        return;
    if (op == VARVE_IN) {
        fill_list(filter, slot, type, random);
        return;
    }
    condition->value = operand(type, which, &size);
    condition->high = operand(type, random_below(random, POOL), &size);
    if (op == VARVE_LIKE)
        condition->value.text = patterns[which];
}

/* -------------------------------------------------------------------- filters */

static void
add_condition(struct some_filter *filter, const struct varve_record *table, struct random *random)
{
    size_t slot = random_below(random, slot_count(table));
    enum varve_operator op = (enum varve_operator)(1 + random_below(random, VARVE_IS_NOT_NULL));
    if (has_operator(column_of_slot(table, slot), op))
        fill_condition(filter, table, slot, op, random_below(random, POOL), random);
}

void
fill_filter(struct some_filter *filter, const struct model *model, struct random *random)
{
    const struct varve_record *table = model->table;
    memset(filter, 0, sizeof *filter);
    for (size_t conditions = random_below(random, 3); conditions > 0; conditions--)
        add_condition(filter, table, random);
    struct varve_filter_tail *tail = filter_tail(table, filter);
    const struct varve_column *column =
        column_of_slot(table, random_below(random, slot_count(table)));
    tail->order_by = has_order(column) ? (int)column->field->id : 0;
    tail->descending = random_one_in(random, 2);
    if (random_one_in(random, 3))
        tail->limit = (int64_t)random_below(random, 40);
    if (random_one_in(random, 3))
        tail->offset = (int64_t)random_below(random, 40);
    if (random_one_in(random, 2))
        tail->after = model_record(model, random_below(random, model->count));
}
