/* The parameters of a filter's statement, in the order in which filter_sql.c numbers them: those of
 * the conditions, of `after`, then limit and offset. All of it was checked when the filter was
 * read. */
#include <string.h>

#include "base/arena.h"
#include "codec/field.h"
#include "table/filter.h"
#include "table/filter_value.h"
#include "table/row.h"

struct binder {
    sqlite3_stmt *statement;
    int parameter; /* the last one that is bound */
    int code;      /* SQLite's, of the first that failed */
    bool copies;
    char *memory; /* what is left of it */
};

static void
note(struct binder *binder, int code)
{
    if (binder->code == SQLITE_OK)
        binder->code = code;
}

/* -------------------------------------------------------------------- memory */

static void *
take(struct binder *binder, size_t size)
{
    void *taken = binder->memory;
    binder->memory += varve__arena_round(size);
    return taken;
}

/* The data, or a copy of them that stays. */
static const void *
keep(struct binder *binder, const void *data, size_t size)
{
    if (size == 0)
        return ""; /* NULL would be bound as NULL */
    if (!binder->copies)
        return data;
    return memcpy(take(binder, size), data, size);
}

/* -------------------------------------------------------------------- values */

static void
bind_integer(struct binder *binder, int64_t value)
{
    note(binder, sqlite3_bind_int64(binder->statement, ++binder->parameter, value));
}

static void
bind_real(struct binder *binder, double value)
{
    note(binder, sqlite3_bind_double(binder->statement, ++binder->parameter, value));
}

/* Text need not be UTF-8 here: it is compared byte for byte. */
static void
bind_text(struct binder *binder, const char *text, size_t size)
{
    int code = sqlite3_bind_text64(
        binder->statement, ++binder->parameter, text, size, SQLITE_STATIC, SQLITE_UTF8);
    note(binder, code);
}

static void
bind_bytes(struct binder *binder, const void *data, size_t size)
{
    int code =
        sqlite3_bind_blob64(binder->statement, ++binder->parameter, data, size, SQLITE_STATIC);
    note(binder, code);
}

static void
bind_value(struct binder *binder, enum varve__family family, const union varve_operand *value)
{
    size_t size;
    switch (family) {
    case VARVE__FAMILY_INT64:
        bind_integer(binder, value->integer);
        break;
    case VARVE__FAMILY_FIXED64:
        bind_integer(binder, (int64_t)value->bits);
        break;
    case VARVE__FAMILY_BOOL:
        bind_integer(binder, value->flag);
        break;
    case VARVE__FAMILY_ENUM:
        bind_integer(binder, value->number);
        break;
    case VARVE__FAMILY_DOUBLE:
        bind_real(binder, value->real);
        break;
    case VARVE__FAMILY_FLOAT:
        bind_real(binder, (double)value->single);
        break;
    case VARVE__FAMILY_TEXT:
        size = strlen(value->text);
        bind_text(binder, keep(binder, value->text, size), size);
        break;
    case VARVE__FAMILY_BYTES:
        size = value->bytes.size;
        bind_bytes(binder, keep(binder, value->bytes.data, size), size);
        break;
    case VARVE__FAMILY_NULL:
        break;
    }
}

/* -------------------------------------------------------------------- lists and prefixes */

/* Copies of the texts, one behind the other, in place of the pointers to them. */
static void
keep_texts(struct binder *binder, const char **texts, int64_t count)
{
    char *start = binder->memory;
    char *at = start;
    for (int64_t i = 0; i < count; i++) {
        size_t size = strlen(texts[i]) + 1;
        texts[i] = memcpy(at, texts[i], size);
        at += size;
    }
    take(binder, (size_t)(at - start));
}

static void
keep_blobs(struct binder *binder, struct varve_bytes *blobs, int64_t count)
{
    uint8_t *start = (uint8_t *)binder->memory;
    uint8_t *at = start;
    for (int64_t i = 0; i < count; i++) {
        if (blobs[i].size == 0)
            continue;
        blobs[i].data = memcpy(at, blobs[i].data, blobs[i].size);
        at += blobs[i].size;
    }
    take(binder, (size_t)(at - start));
}

static void
bind_list(struct binder *binder, enum varve__family family, const struct varve_condition *condition)
{
    struct varve__values *values = take(binder, sizeof *values);
    size_t size = (size_t)condition->count * varve__filter_value_size(family);
    *values = (struct varve__values){family, condition->count, condition->value.values};
    if (binder->copies && size > 0) {
        void *data = memcpy(take(binder, size), condition->value.values, size);
        values->data = data;
        if (family == VARVE__FAMILY_TEXT)
            keep_texts(binder, data, condition->count);
        else if (family == VARVE__FAMILY_BYTES)
            keep_blobs(binder, data, condition->count);
    }
    int code = sqlite3_bind_pointer(
        binder->statement, ++binder->parameter, values, VARVE__LIST_TYPE, NULL);
    note(binder, code);
}

/* The least value above all that begin with the prefix: without the 0xFF at its end, the last byte
 * one more. */
static void
bind_above_prefix(
    struct binder *binder, enum varve__family family, const union varve_operand *prefix)
{
    bool is_text = family == VARVE__FAMILY_TEXT;
    const void *data = is_text ? (const void *)prefix->text : prefix->bytes.data;
    size_t size = is_text ? strlen(prefix->text) : prefix->bytes.size;
    uint8_t *above = memcpy(take(binder, size), data, size);
    while (above[size - 1] == 0xFF)
        size--;
    above[size - 1]++;
    if (is_text)
        bind_text(binder, (const char *)above, size);
    else
        bind_bytes(binder, above, size);
}

static void
bind_condition(
    struct binder *binder,
    enum varve__family family,
    uint32_t op,
    const struct varve_condition *condition)
{
    if (op == VARVE_IS_NULL || op == VARVE_IS_NOT_NULL)
        return;
    if (op == VARVE_IN) {
        bind_list(binder, family, condition);
        return;
    }
    bind_value(binder, family, &condition->value);
    if (op == VARVE_BETWEEN)
        bind_value(binder, family, &condition->high);
    else if (op == VARVE_PREFIX)
        bind_above_prefix(binder, family, &condition->value);
}

/* -------------------------------------------------------------------- after */

static void
bind_member(struct binder *binder, const struct varve_column *column, const void *member)
{
    const char *text;
    const struct varve_bytes *bytes;
    switch (varve__filter_family(column)) {
    case VARVE__FAMILY_DOUBLE:
        bind_real(binder, *(const double *)member);
        break;
    case VARVE__FAMILY_FLOAT:
        bind_real(binder, (double)*(const float *)member);
        break;
    case VARVE__FAMILY_TEXT:
        text = *(const char *const *)member;
        bind_text(binder, keep(binder, text, strlen(text)), strlen(text));
        break;
    case VARVE__FAMILY_BYTES:
        bytes = member;
        bind_bytes(binder, keep(binder, bytes->data, bytes->size), bytes->size);
        break;
    default:
        bind_integer(binder, varve__integer_at(column->field->type, member));
        break;
    }
}

static void
bind_after(struct binder *binder, const struct varve__filter *filter)
{
    size_t slots[VARVE__KEY_MAX + 1];
    size_t count = varve__filter_order(filter->plan, filter->shape, slots);
    for (size_t i = 0; i < count; i++) {
        const struct varve__slot *slot = &filter->plan->slots[slots[i]];
        if (varve__is_present(slot->column->field, filter->tail->after))
            bind_member(binder, slot->column, varve__slot_member(slot, filter->tail->after));
    }
}

int
varve__filter_bind(const struct varve__filter *filter, sqlite3_stmt *statement, void *memory)
{
    struct binder binder = {.statement = statement, .copies = filter->copies, .memory = memory};
    for (size_t i = VARVE__SHAPE_HEAD; i < filter->shape_count; i++) {
        size_t slot = filter->shape[i] >> 8;
        const struct varve_column *column = filter->plan->slots[slot].column;
        bind_condition(
            &binder, varve__filter_family(column), filter->shape[i] & 0xFF,
            &filter->conditions[slot]);
    }
    uint32_t flags = filter->shape[VARVE__SHAPE_FLAGS];
    if (flags & VARVE__SHAPE_AFTER)
        bind_after(&binder, filter);
    if (flags & VARVE__SHAPE_LIMIT)
        bind_integer(&binder, filter->tail->limit);
    if (flags & VARVE__SHAPE_OFFSET)
        bind_integer(&binder, filter->tail->offset);
    return binder.code;
}
