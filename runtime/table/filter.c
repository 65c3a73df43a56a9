/* Filters are checked here, and their shape worked out. The text is written in filter_sql.c, the
 * parameters are bound in filter_bind.c. */
#include "table/filter.h"

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "codec/field.h"
#include "table/filter_value.h"

enum {
    LIKE_MAX = 50000 /* bytes of a pattern: SQLite's own limit */
};

static const char *
message_of(const struct varve__plan *plan)
{
    return plan->record->descriptor->name;
}

static const char *
name_of(const struct varve__plan *plan, size_t slot)
{
    return plan->slots[slot].column->field->name;
}

/* -------------------------------------------------------------------- values */

static enum varve_status
need_memory(struct varve__filter *filter, size_t size)
{
    size_t sum;
    if (size > SIZE_MAX - VARVE__ARENA_ALIGNMENT ||
        !varve__size_add(filter->memory_size, varve__arena_round(size), &sum))
        return varve__fail_memory(message_of(filter->plan), size);
    filter->memory_size = sum;
    return VARVE_OK;
}

static enum varve_status
read_value(
    struct varve__filter *filter,
    const struct varve__filter_place *place,
    enum varve__family family,
    const void *value)
{
    size_t size;
    enum varve_status status = varve__filter_check_value(place, family, value, &size);
    if (status == VARVE_OK && filter->copies && size > 0)
        status = need_memory(filter, size);
    return status;
}

static enum varve_status
check_count(const struct varve__filter_place *place, const struct varve_condition *condition)
{
    if (condition->count < 0)
        return varve__filter_refuse(
            place, VARVE_FAILURE_RANGE, "a list with a negative count", "say how many there are");
    if (condition->count > 0 && !condition->value.values)
        return varve__filter_refuse(
            place, VARVE_FAILURE_NOT_NULL, "a list with a count above 0 and values NULL",
            "point it at them");
    return VARVE_OK;
}

/* Lists of plain numbers are not looked at. */
static bool
is_checked(enum varve__family family)
{
    return family == VARVE__FAMILY_TEXT || family == VARVE__FAMILY_BYTES ||
           family == VARVE__FAMILY_DOUBLE || family == VARVE__FAMILY_FLOAT;
}

/* The values' own memory is needed in any case; the array and what it points at when copied. */
static enum varve_status
read_list(
    struct varve__filter *filter,
    struct varve__filter_place place,
    enum varve__family family,
    const struct varve_condition *condition)
{
    size_t all;
    size_t payload = 0;
    const char *values = condition->value.values;
    enum varve_status status = check_count(&place, condition);
    if (status == VARVE_OK &&
        !varve__size_multiply((size_t)condition->count, varve__filter_value_size(family), &all))
        status = varve__fail_memory(message_of(filter->plan), SIZE_MAX);
    place.where = VARVE__IN_LIST;
    for (int64_t i = 0; status == VARVE_OK && i < condition->count && is_checked(family); i++) {
        size_t size;
        place.element = i;
        status = varve__filter_check_value(
            &place, family, values + (size_t)i * varve__filter_value_size(family), &size);
        payload += size + (family == VARVE__FAMILY_TEXT);
    }
    if (status == VARVE_OK)
        status = need_memory(filter, sizeof(struct varve__values));
    if (status == VARVE_OK && filter->copies)
        status = need_memory(filter, all);
    if (status == VARVE_OK && filter->copies)
        status = need_memory(filter, payload);
    return status;
}

/* -------------------------------------------------------------------- conditions */

static bool
has_upper_bound(enum varve__family family, const union varve_operand *prefix)
{
    if (family == VARVE__FAMILY_TEXT)
        return *prefix->text != '\0'; /* UTF-8 has no 0xFF */
    for (size_t i = 0; i < prefix->bytes.size; i++) {
        if (prefix->bytes.data[i] != 0xFF)
            return true;
    }
    return false;
}

/* A prefix is a range from itself to the next one of its length, which is made in the memory. */
static enum varve_status
read_prefix(
    struct varve__filter *filter,
    enum varve__family family,
    const union varve_operand *prefix,
    uint32_t *op)
{
    if (!has_upper_bound(family, prefix)) {
        *op = VARVE__OPEN_PREFIX;
        return VARVE_OK;
    }
    bool is_text = family == VARVE__FAMILY_TEXT;
    return need_memory(filter, is_text ? strlen(prefix->text) : prefix->bytes.size);
}

static enum varve_status
check_pattern(const struct varve__filter_place *place, const char *pattern)
{
    if (strlen(pattern) > LIKE_MAX)
        return varve__filter_refuse(
            place, VARVE_FAILURE_SIZE, "a pattern of more than 50000 bytes", "use a shorter one");
    return VARVE_OK;
}

static enum varve_status
read_condition(
    struct varve__filter *filter,
    size_t slot,
    const struct varve_condition *condition,
    uint32_t *op)
{
    const struct varve__filter_place place = {
        .plan = filter->plan, .slot = slot, .where = VARVE__IN_CONDITION};
    enum varve__family family = varve__filter_family(filter->plan->slots[slot].column);
    enum varve_status status = varve__filter_check_operator(&place, family, condition->op);
    *op = (uint32_t)condition->op;
    if (status != VARVE_OK || *op == VARVE_IS_NULL || *op == VARVE_IS_NOT_NULL)
        return status;
    if (*op == VARVE_IN)
        return read_list(filter, place, family, condition);
    status = read_value(filter, &place, family, &condition->value);
    if (status == VARVE_OK && *op == VARVE_BETWEEN)
        status = read_value(filter, &place, family, &condition->high);
    if (status == VARVE_OK && *op == VARVE_PREFIX)
        status = read_prefix(filter, family, &condition->value, op);
    if (status == VARVE_OK && *op == VARVE_LIKE)
        status = check_pattern(&place, condition->value.text);
    return status;
}

/* Makes room for as many words as there may be. */
static enum varve_status
grow_shape(struct varve__filter *filter)
{
    size_t size = (VARVE__SHAPE_HEAD + filter->plan->slot_count) * sizeof *filter->shape;
    uint32_t *words = varve__allocate(size);
    if (!words)
        return varve__fail_memory(message_of(filter->plan), size);
    memcpy(words, filter->few, sizeof filter->few);
    filter->shape = words;
    return VARVE_OK;
}

static enum varve_status
read_conditions(struct varve__filter *filter)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < filter->plan->slot_count && status == VARVE_OK; i++) {
        uint32_t op;
        if (filter->conditions[i].op == VARVE_ANY)
            continue;
        status = read_condition(filter, i, &filter->conditions[i], &op);
        if (status == VARVE_OK && filter->shape_count == VARVE__SHAPE_FEW)
            status = grow_shape(filter);
        if (status == VARVE_OK)
            filter->shape[filter->shape_count++] = (uint32_t)i << 8 | op;
    }
    return status;
}

/* -------------------------------------------------------------------- order, limit, after */

static enum varve_status
misuse(const struct varve__plan *plan, const char *name, uint32_t number, const char *text)
{
    enum varve_status status = varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, message_of(plan), "%s%s%s: %s",
        message_of(plan), *name ? "." : "", name, text);
    if (number != 0)
        varve__failure_add_field(number);
    return status;
}

/* The slot that order_by names, which must be of a kind that has an order. */
static enum varve_status
read_order(const struct varve__plan *plan, int number, uint32_t *word)
{
    size_t slot = number > 0 ? varve__plan_slot(plan, (uint32_t)number) : VARVE__NO_SLOT;
    const struct varve_column *tensor =
        number > 0 ? varve__plan_tensor(plan, (uint32_t)number) : NULL;
    if (tensor)
        return misuse(
            plan, tensor->field->name, (uint32_t)number,
            "order_by names a tensor, which has no order; name a field with a single value");
    if (slot == VARVE__NO_SLOT)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, message_of(plan),
            "%s: order_by is %d, which is the number of none of its fields; name one, or use 0 to "
            "order by the primary key",
            message_of(plan), number);
    enum varve__family family = varve__filter_family(plan->slots[slot].column);
    if (family == VARVE__FAMILY_NULL)
        return misuse(
            plan, name_of(plan, slot), (uint32_t)number,
            "order_by names a map, message or repeated field, which has no order; name a field "
            "with a single value");
    if (family == VARVE__FAMILY_FIXED64)
        return misuse(
            plan, name_of(plan, slot), (uint32_t)number,
            "order_by names a fixed64, which is bits without an order; name another field");
    *word = (uint32_t)slot + 1;
    return VARVE_OK;
}

size_t
varve__filter_order(
    const struct varve__plan *plan, const uint32_t *shape, size_t slots[VARVE__KEY_MAX + 1])
{
    size_t count = 0;
    size_t order = (size_t)shape[VARVE__SHAPE_ORDER] - 1;
    if (shape[VARVE__SHAPE_ORDER] != 0)
        slots[count++] = order;
    for (size_t i = 0; i < plan->key_count; i++) {
        if (shape[VARVE__SHAPE_ORDER] == 0 || plan->keys[i] != order)
            slots[count++] = plan->keys[i];
    }
    return count;
}

/* One field of `after`. */
static enum varve_status
read_after_value(struct varve__filter *filter, size_t slot)
{
    const struct varve__slot *at = &filter->plan->slots[slot];
    const void *member = varve__slot_member(at, filter->tail->after);
    const struct varve__filter_place place = {
        .plan = filter->plan, .slot = slot, .where = VARVE__IN_AFTER};
    if (at->scalar == VARVE__MOVE_UINT64 && *(const uint64_t *)member > INT64_MAX)
        return varve__filter_refuse(
            &place, VARVE_FAILURE_RANGE, "over 9223372036854775807, which a column cannot hold",
            "use a record that a find gave");
    return read_value(filter, &place, varve__filter_family(at->column), member);
}

static enum varve_status
read_after(struct varve__filter *filter)
{
    const struct varve__plan *plan = filter->plan;
    const ProtobufCMessage *after = filter->tail->after;
    size_t slots[VARVE__KEY_MAX + 1];
    if (after->descriptor != plan->record->descriptor)
        return misuse(
            plan, "", 0,
            "`after` points at no such record; pass one that a find gave, or one that is "
            "initialised with its key and its order_by field set");
    filter->shape[VARVE__SHAPE_FLAGS] |= VARVE__SHAPE_AFTER;
    enum varve_status status = VARVE_OK;
    size_t count = varve__filter_order(plan, filter->shape, slots);
    for (size_t i = 0; i < count && status == VARVE_OK; i++) {
        if (varve__is_present(plan->slots[slots[i]].column->field, after))
            status = read_after_value(filter, slots[i]);
        else
            filter->shape[VARVE__SHAPE_FLAGS] |= VARVE__SHAPE_AFTER_NULL; /* no key is absent */
    }
    return status;
}

static enum varve_status
read_tail(struct varve__filter *filter, enum varve__filter_verb verb)
{
    const struct varve_filter_tail *tail = filter->tail;
    uint32_t flags = (tail->descending ? VARVE__SHAPE_DESCENDING : 0u) |
                     (tail->offset > 0 ? VARVE__SHAPE_OFFSET : 0u) |
                     (tail->limit > 0 && verb != VARVE__FILTER_FIND_ONE ? VARVE__SHAPE_LIMIT : 0u);
    filter->shape[VARVE__SHAPE_FLAGS] |= flags;
    if (tail->limit < 0)
        return misuse(
            filter->plan, "", 0,
            "the filter's limit is negative; say how many records are wanted, or 0 for all");
    if (tail->offset < 0)
        return misuse(
            filter->plan, "", 0,
            "the filter's offset is negative; say how many records are to be left out");
    enum varve_status status = VARVE_OK;
    if (tail->order_by != 0)
        status = read_order(filter->plan, tail->order_by, &filter->shape[VARVE__SHAPE_ORDER]);
    if (status == VARVE_OK && tail->after)
        status = read_after(filter);
    return status;
}

enum varve_status
varve__filter_read(
    const struct varve__plan *plan,
    const void *given,
    enum varve__filter_verb verb,
    struct varve__filter *filter)
{
    filter->plan = plan;
    filter->conditions = given;
    filter->tail = NULL;
    filter->copies = verb == VARVE__FILTER_FIND;
    filter->memory_size = 0;
    filter->shape_count = VARVE__SHAPE_HEAD;
    filter->shape = filter->few;
    filter->shape[VARVE__SHAPE_FLAGS] = (uint32_t)verb;
    filter->shape[VARVE__SHAPE_PLAN] = (uint32_t)plan->index;
    filter->shape[VARVE__SHAPE_ORDER] = 0;
    if (!given)
        return VARVE_OK;
    filter->tail = (const void *)((const char *)given + plan->record->table->conditions_size);
    enum varve_status status = read_conditions(filter);
    if (status == VARVE_OK)
        status = read_tail(filter, verb);
    if (status != VARVE_OK)
        varve__filter_release(filter);
    return status;
}

void
varve__filter_release(struct varve__filter *filter)
{
    if (filter->shape != filter->few)
        varve__release(filter->shape);
    filter->shape = filter->few;
}
