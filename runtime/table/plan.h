/* What the table tier knows of each record, worked out once when a store opens: which columns there
 * are, where their values lie, how they move. Plans are shared by all sessions and never change.
 *
 * A slot is a field that has a column of its own: every one but tensors, in schema order. Slot i is
 * column i of a SELECT and parameter i + 1 of an INSERT or UPDATE. Behind the slots come the JSON
 * copies, then the hidden column of unknown fields:
 *
 *     SELECT  slots.., "varve_unknown"                     (a find leaves the last one out)
 *     INSERT  slots.., copies.., "varve_unknown"           parameters 1 .. varve__plan_unknown()
 */
#ifndef VARVE_TABLE_PLAN_H
#define VARVE_TABLE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "base/arena.h"

/* How a slot's value moves between SQLite and memory. Those before VARVE__MOVE_OTHER are plain: never
 * absent, at a fixed offset. */
enum varve__move {
    VARVE__MOVE_INT32, /* int32, sint32, sfixed32, enum */
    VARVE__MOVE_UINT32,
    VARVE__MOVE_INT64, /* int64, sint64, sfixed64; fixed64 by its bits */
    VARVE__MOVE_UINT64,
    VARVE__MOVE_BOOL,
    VARVE__MOVE_FLOAT,
    VARVE__MOVE_DOUBLE,
    VARVE__MOVE_STRING,
    VARVE__MOVE_BYTES,
    VARVE__MOVE_OTHER, /* may be absent, or is no scalar: JSON, wire bytes */
    VARVE__MOVE_COUNT,
};

struct varve__slot {
    const struct varve_column *column;
    enum varve__move move;
    enum varve__move scalar; /* how a value that is there moves; OTHER: it is no scalar */
    bool nullable;     /* NULL in the table means absent: optional, in a oneof, or a message */
    const char *empty; /* of JSON, the text without elements: "{}" or "[]"; else NULL */
};

/* Where a slot's value lies in the record. */
struct varve__place {
    uint32_t slot;
    uint32_t offset;
};

/* Slots in groups of one move each, for loops without a switch: group g is
 * order[first[g]] .. order[first[g + 1] - 1], and end[g] points behind it. */
struct varve__moves {
    struct varve__place *order;
    const struct varve__place *end[VARVE__MOVE_COUNT];
    size_t first[VARVE__MOVE_COUNT + 1];
};

struct varve__plan {
    const struct varve_record *record;
    size_t index; /* in its varve__plans */
    const struct varve__slot *slots;
    size_t slot_count;
    struct varve__moves moves;
    const size_t *copies; /* slots that have a JSON copy */
    size_t copy_count;
    const struct varve_column *const *tensors;
    size_t tensor_count;
    const size_t *keys; /* slots of the primary key, in declaration order */
    size_t key_count;
    bool generated_key;    /* keys[0] is an int64 that is assigned when 0 */
    bool optional_tensors; /* some tensor may be absent whatever the dims say */
    size_t
        reset_offset; /* of the first member that a read may leave as it was; all are written: the
                            struct's size */
    size_t version;   /* slot of the version, VARVE__NO_SLOT without one */
    const struct varve_query *query; /* of which this is the request or a row; NULL: a table's */
};

/* A typed query that stores know. */
struct varve__query {
    const struct varve_query *query;
    size_t index;                      /* in its varve__plans */
    const struct varve__plan *written; /* whose table it changes; NULL: it reads */
};

#define VARVE__NO_SLOT SIZE_MAX

enum {
    VARVE__KEY_MAX = 16 /* parts of a primary key; the generator refuses more */
};

struct varve__plans {
    struct varve__plan *plans;
    size_t count;
    const struct varve_schema **schemas; /* that the plans are of */
    size_t schema_count;
    const struct varve__plan **places; /* hash table by address of the record; private to plan.c */
    size_t mask;
    struct varve__query *queries;
    size_t query_count;
    const struct varve__query **query_places; /* the same of queries */
    size_t query_mask;
};

/* Plans for every record of the schemas that has a table. Release them with varve__plans_release(),
 * which takes NULL. */
enum varve_status
varve__plans_create(
    const struct varve_schema *const *schemas, size_t count, struct varve__plans **plans);

void
varve__plans_release(struct varve__plans *plans);

/* The plan of this record; NULL when it has no table in these schemas. */
static inline const struct varve__plan *
varve__plan_of(const struct varve__plans *plans, const struct varve_record *record)
{
    size_t at = ((uintptr_t)record >> 4) & plans->mask;
    while (plans->places[at] && plans->places[at]->record != record)
        at = (at + 1) & plans->mask;
    return plans->places[at];
}

/* The typed query of these schemas; NULL when it is none of theirs. */
static inline const struct varve__query *
varve__query_of(const struct varve__plans *plans, const struct varve_query *query)
{
    size_t at = ((uintptr_t)query >> 4) & plans->query_mask;
    while (plans->query_places[at] && plans->query_places[at]->query != query)
        at = (at + 1) & plans->query_mask;
    return plans->query_places[at];
}

/* Makes *plan, in the arena, the plan of a statement of a typed query: slot i is the field columns[i], none
 * where that is NULL. Any of them may hold a value that its field cannot. False: no memory. */
bool
varve__plan_make_query(
    struct varve__arena *arena,
    const struct varve_query *query,
    const struct varve_record *record,
    const struct varve_column *const *columns,
    size_t count,
    struct varve__plan *plan);

/* The slot of the field with this number, VARVE__NO_SLOT when there is none (a tensor, or unknown). */
size_t
varve__plan_slot(const struct varve__plan *plan, uint32_t number);

/* The tensor field with this number, NULL when there is none. */
const struct varve_column *
varve__plan_tensor(const struct varve__plan *plan, uint32_t number);

/* Number of the parameter of the unknown fields: the last one. */
static inline int
varve__plan_unknown(const struct varve__plan *plan)
{
    return (int)(plan->slot_count + plan->copy_count) + 1;
}

/* Whether the primary key is one int64, and so the row's id: always where there are tensors. */
static inline bool
varve__plan_has_id(const struct varve__plan *plan)
{
    return plan->key_count == 1 && plan->slots[plan->keys[0]].scalar == VARVE__MOVE_INT64;
}

/* The member of a slot in a record. */
static inline void *
varve__slot_member(const struct varve__slot *slot, const void *record)
{
    return (char *)(uintptr_t)record + slot->column->field->offset;
}

#endif
