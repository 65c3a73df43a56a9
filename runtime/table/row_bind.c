/* Binding of records to the parameters of statements. */
#include "table/row.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "codec/field.h"
#include "table/sqlite.h"
#include "table/value.h"

static enum varve_status
answer(sqlite3_stmt *statement, int code)
{
    if (code == SQLITE_OK)
        return VARVE_OK;
    return varve__sqlite_fail(sqlite3_db_handle(statement), code, NULL, "binding a value");
}

/* The same of a field's value, which may be too large. */
static enum varve_status
answer_for(const struct varve__plan *plan, size_t slot, sqlite3_stmt *statement, int code)
{
    const char *name = plan->record->descriptor->name;
    const ProtobufCFieldDescriptor *field = plan->slots[slot].column->field;
    if (code != SQLITE_TOOBIG)
        return answer(statement, code);
    enum varve_status status = varve__fail(
        VARVE_FULL, VARVE_FAILURE_SIZE, VARVE_TIER_TABLE, name,
        "%s.%s is larger than 1 GB, which is more than a row holds; split it over several records",
        name, field->name);
    varve__failure_add_field(field->id);
    return status;
}

static enum varve_status
bind(sqlite3_stmt *statement, int parameter, const struct varve__value *value)
{
    return answer(statement, varve__value_bind(statement, parameter, value, SQLITE_STATIC));
}

/* ------------------------------------------------------------------ records */

/* A record on its way into a statement. */
struct binder {
    const struct varve__plan *plan;
    const char *record;
    sqlite3_stmt *statement;
    size_t missing;                /* the slot of a generated key that is 0; else VARVE__NO_SLOT */
    const struct varve__place *at; /* the slot being bound */
    int code;                      /* SQLite's last answer */
};

/* Binds the group of plain slots that begins at binder->at. False: the value there cannot be stored,
 * or was refused by SQLite. */
static inline __attribute__((always_inline)) bool
bind_group(struct binder *binder, enum varve__move move)
{
    for (; binder->at < binder->plan->moves.end[move]; binder->at++) {
        struct varve__value value;
        if (!varve__value_take(move, binder->record + binder->at->offset, &value))
            return false;
        if (move == VARVE__MOVE_INT64 && binder->at->slot == binder->missing)
            value.type = SQLITE_NULL;
        binder->code =
            varve__value_bind(binder->statement, (int)binder->at->slot + 1, &value, SQLITE_STATIC);
        if (binder->code != SQLITE_OK)
            return false;
    }
    return true;
}

static enum varve_status
bind_plain(const struct varve__plan *plan, const void *record, sqlite3_stmt *statement)
{
    struct binder binder = {
        .plan = plan,
        .record = record,
        .statement = statement,
        .missing = varve__row_key_is_missing(plan, record) ? plan->keys[0] : VARVE__NO_SLOT,
        .at = plan->moves.order,
        .code = SQLITE_OK,
    };
    if (bind_group(&binder, VARVE__MOVE_INT32) && bind_group(&binder, VARVE__MOVE_UINT32) &&
        bind_group(&binder, VARVE__MOVE_INT64) && bind_group(&binder, VARVE__MOVE_UINT64) &&
        bind_group(&binder, VARVE__MOVE_BOOL) && bind_group(&binder, VARVE__MOVE_FLOAT) &&
        bind_group(&binder, VARVE__MOVE_DOUBLE) && bind_group(&binder, VARVE__MOVE_STRING) &&
        bind_group(&binder, VARVE__MOVE_BYTES))
        return VARVE_OK;
    if (binder.code != SQLITE_OK)
        return answer_for(plan, binder.at->slot, statement, binder.code);
    return varve__value_refuse_scalar(plan, &plan->slots[binder.at->slot]);
}

static enum varve_status
bind_slot(
    const struct varve__plan *plan,
    size_t slot,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement)
{
    struct varve__value value;
    enum varve_status status =
        varve__value_of_slot(plan, &plan->slots[slot], record, arena, &value);
    if (status != VARVE_OK)
        return status;
    return answer_for(
        plan, slot, statement, varve__value_bind(statement, (int)slot + 1, &value, SQLITE_STATIC));
}

static enum varve_status
bind_copy(
    const struct varve__plan *plan,
    size_t copy,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement)
{
    struct varve__value value;
    const struct varve__slot *slot = &plan->slots[plan->copies[copy]];
    enum varve_status status = varve__value_of_copy(plan, slot, record, arena, &value);
    int parameter = (int)(plan->slot_count + copy) + 1;
    return status == VARVE_OK ? bind(statement, parameter, &value) : status;
}

enum varve_status
varve__row_bind(
    const struct varve__plan *plan,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement)
{
    const struct varve__moves *moves = &plan->moves;
    enum varve_status status = bind_plain(plan, record, statement);
    for (size_t i = moves->first[VARVE__MOVE_OTHER]; i < plan->slot_count && status == VARVE_OK;
         i++)
        status = bind_slot(plan, moves->order[i].slot, record, arena, statement);
    for (size_t i = 0; i < plan->copy_count && status == VARVE_OK; i++)
        status = bind_copy(plan, i, record, arena, statement);
    return status;
}

enum varve_status
varve__row_bind_unknown(
    const struct varve__plan *plan,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement)
{
    struct varve__value value;
    enum varve_status status = varve__value_of_unknown(plan, record, arena, &value);
    return status == VARVE_OK ? bind(statement, varve__plan_unknown(plan), &value) : status;
}

enum varve_status
varve__row_bind_slot(
    const struct varve__plan *plan,
    size_t slot,
    const void *record,
    struct varve__arena *arena,
    sqlite3_stmt *statement)
{
    enum varve_status status = bind_slot(plan, slot, record, arena, statement);
    for (size_t i = 0; i < plan->copy_count && status == VARVE_OK; i++) {
        if (plan->copies[i] == slot)
            status = bind_copy(plan, i, record, arena, statement);
    }
    return status;
}

/* ------------------------------------------------------------------ single values and keys */

enum varve_status
varve__row_bind_value(
    const struct varve__plan *plan,
    size_t slot,
    const void *value,
    sqlite3_stmt *statement,
    int parameter)
{
    struct varve__value made;
    if (!varve__value_take(plan->slots[slot].scalar, value, &made))
        return varve__value_refuse_scalar(plan, &plan->slots[slot]);
    return bind(statement, parameter, &made);
}

static enum varve_status
bind_key_text(
    const struct varve__plan *plan,
    const struct varve__slot *slot,
    const char *text,
    sqlite3_stmt *statement,
    int parameter)
{
    struct varve__value value = {.type = SQLITE_TEXT, .data = text, .size = strlen(text)};
    if (varve__utf8_check(text, value.size) < value.size)
        return varve__value_refuse(
            plan, slot, VARVE_FAILURE_UTF8, "is no UTF-8 as a key; pass text that is");
    return bind(statement, parameter, &value);
}

enum varve_status
varve__row_bind_key(
    const struct varve__plan *plan, const void *const *key, sqlite3_stmt *statement, int parameter)
{
    enum varve_status status = VARVE_OK;
    if (__builtin_expect(!key, 0))
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, plan->record->descriptor->name,
            "the key of a %s is NULL; pass an array of pointers to its parts",
            plan->record->descriptor->name);
    for (size_t i = 0; i < plan->key_count && status == VARVE_OK; i++, parameter++) {
        const struct varve__slot *slot = &plan->slots[plan->keys[i]];
        if (!key[i])
            status = varve__value_refuse(
                plan, slot, VARVE_FAILURE_NOT_NULL, "is NULL as a key; pass a pointer to a value");
        else if (slot->scalar == VARVE__MOVE_INT64)
            status = answer(
                statement, sqlite3_bind_int64(statement, parameter, *(const int64_t *)key[i]));
        else if (slot->scalar == VARVE__MOVE_STRING)
            status = bind_key_text(plan, slot, key[i], statement, parameter);
        else
            status = varve__row_bind_value(plan, plan->keys[i], key[i], statement, parameter);
    }
    return status;
}

void
varve__row_key(const struct varve__plan *plan, const void *record, const void **key)
{
    for (size_t i = 0; i < plan->key_count; i++) {
        const struct varve__slot *slot = &plan->slots[plan->keys[i]];
        const void *member = varve__slot_member(slot, record);
        key[i] = slot->scalar == VARVE__MOVE_STRING ? *(const char *const *)member : member;
    }
}

bool
varve__row_key_is_missing(const struct varve__plan *plan, const void *record)
{
    const int64_t *key = varve__slot_member(&plan->slots[plan->keys[0]], record);
    return plan->generated_key && *key == 0;
}
