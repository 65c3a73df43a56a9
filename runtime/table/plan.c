/* Plans: worked out from the generated tables, in one arena for all of them. */
#include "table/plan.h"

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "codec/field.h"

enum {
    ARENA_SIZE = 4096 /* a few records; grows */
};

/* ------------------------------------------------------------------ slots */

static enum varve__move
scalar_move(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return VARVE__MOVE_UINT32;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
        return VARVE__MOVE_INT64;
    case PROTOBUF_C_TYPE_UINT64:
        return VARVE__MOVE_UINT64;
    case PROTOBUF_C_TYPE_BOOL:
        return VARVE__MOVE_BOOL;
    case PROTOBUF_C_TYPE_FLOAT:
        return VARVE__MOVE_FLOAT;
    case PROTOBUF_C_TYPE_DOUBLE:
        return VARVE__MOVE_DOUBLE;
    case PROTOBUF_C_TYPE_STRING:
        return VARVE__MOVE_STRING;
    case PROTOBUF_C_TYPE_BYTES:
        return VARVE__MOVE_BYTES;
    default:
        return VARVE__MOVE_INT32;
    }
}

static struct varve__slot
slot_of(const struct varve_column *column)
{
    const ProtobufCFieldDescriptor *field = column->field;
    bool scalar = column->kind == VARVE_COLUMN_SCALAR;
    bool nullable = varve__in_oneof(field) || varve__is_explicit(field);
    enum varve__move move = scalar ? scalar_move(field->type) : VARVE__MOVE_OTHER;
    return (struct varve__slot){
        .column = column,
        .move = nullable ? VARVE__MOVE_OTHER : move,
        .scalar = move,
        .nullable = nullable,
        .empty = column->kind != VARVE_COLUMN_JSON ? NULL
                 : column->flags & VARVE_MAP       ? "{}"
                                                   : "[]",
    };
}

static void
order_moves(const struct varve__plan *plan, struct varve__moves *moves)
{
    size_t count = 0;
    for (int move = 0; move < VARVE__MOVE_COUNT; move++) {
        moves->first[move] = count;
        for (size_t i = 0; i < plan->slot_count; i++) {
            if ((int)plan->slots[i].move == move)
                moves->order[count++] =
                    (struct varve__place){(uint32_t)i, plan->slots[i].column->field->offset};
        }
        moves->end[move] = moves->order + count;
    }
    moves->first[VARVE__MOVE_COUNT] = count;
}

/* ------------------------------------------------------------------ one plan */

static bool
is_plain(const struct varve__plan *plan, const ProtobufCFieldDescriptor *field)
{
    for (const struct varve__place *at = plan->moves.order;
         at < plan->moves.end[VARVE__MOVE_OTHER - 1]; at++) {
        if (plan->slots[at->slot].column->field == field)
            return true;
    }
    return false;
}

static size_t
reset_offset(const struct varve__plan *plan)
{
    const ProtobufCMessageDescriptor *descriptor = plan->record->descriptor;
    size_t first = descriptor->sizeof_message;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        bool counted = varve__is_repeated(field) || varve__in_oneof(field) ||
                       (varve__is_explicit(field) && field->quantifier_offset > 0);
        if (is_plain(plan, field))
            continue;
        if (field->offset < first)
            first = field->offset;
        if (counted && field->quantifier_offset < first)
            first = field->quantifier_offset;
    }
    return first;
}

/* The arrays of a plan while they are filled: behind a plan's pointers they are const. Each has room
 * for a column each. */
struct arrays {
    struct varve__slot *slots;
    struct varve__place *order;
    size_t *copies;
    const struct varve_column **tensors;
    size_t *keys;
};

static bool
allocate_arrays(struct varve__arena *arena, size_t count, struct arrays *arrays)
{
    arrays->slots = varve__arena_allocate(arena, count * sizeof *arrays->slots);
    arrays->order = varve__arena_allocate(arena, count * sizeof *arrays->order);
    arrays->copies = varve__arena_allocate(arena, count * sizeof *arrays->copies);
    arrays->tensors = varve__arena_allocate(arena, count * sizeof *arrays->tensors);
    arrays->keys = varve__arena_allocate(arena, count * sizeof *arrays->keys);
    return arrays->slots && arrays->order && arrays->copies && arrays->tensors && arrays->keys;
}

static void
add_column(struct varve__plan *plan, const struct varve_column *column, const struct arrays *arrays)
{
    if (column->kind == VARVE_COLUMN_TENSOR) {
        plan->optional_tensors |= column->tensor->optional;
        arrays->tensors[plan->tensor_count++] = column;
        return;
    }
    if (column->flags & VARVE_JSON_COPY)
        arrays->copies[plan->copy_count++] = plan->slot_count;
    if (column->flags & VARVE_ROW_VERSION)
        plan->version = plan->slot_count;
    arrays->slots[plan->slot_count++] = slot_of(column);
}

static bool
make_plan(struct varve__arena *arena, const struct varve_record *record, struct varve__plan *plan)
{
    struct arrays arrays;
    const struct varve_table *table = record->table;
    if (!allocate_arrays(arena, record->column_count, &arrays))
        return false;
    plan->record = record;
    plan->version = VARVE__NO_SLOT;
    for (size_t i = 0; i < record->column_count; i++)
        add_column(plan, &record->columns[i], &arrays);
    plan->slots = arrays.slots;
    plan->copies = arrays.copies;
    plan->tensors = arrays.tensors;
    plan->moves.order = arrays.order;
    order_moves(plan, &plan->moves);
    plan->reset_offset = reset_offset(plan);
    for (size_t i = 0; i < table->primary_key_count; i++) {
        const struct varve_column *column = &record->columns[table->primary_key[i]];
        arrays.keys[i] = varve__plan_slot(plan, column->field->id);
        plan->generated_key |= (column->flags & VARVE_GENERATED_KEY) != 0;
    }
    plan->keys = arrays.keys;
    plan->key_count = table->primary_key_count;
    return true;
}

bool
varve__plan_make_query(
    struct varve__arena *arena,
    const struct varve_query *query,
    const struct varve_record *record,
    const struct varve_column *const *columns,
    size_t count,
    struct varve__plan *plan)
{
    struct arrays arrays;
    size_t room = count > record->column_count ? count : record->column_count;
    if (!allocate_arrays(arena, room, &arrays))
        return false;
    *plan = (struct varve__plan){.record = record, .query = query, .version = VARVE__NO_SLOT};
    for (size_t i = 0; i < count; i++) {
        arrays.slots[i] = (struct varve__slot){.move = VARVE__MOVE_COUNT};
        if (columns[i])
            arrays.slots[i] = slot_of(columns[i]);
    }
    for (size_t i = 0; i < record->column_count; i++) {
        if (record->columns[i].kind == VARVE_COLUMN_TENSOR)
            arrays.tensors[plan->tensor_count++] = &record->columns[i];
    }
    plan->slots = arrays.slots;
    plan->slot_count = count;
    plan->tensors = arrays.tensors;
    plan->moves.order = arrays.order;
    order_moves(plan, &plan->moves);
    plan->reset_offset = reset_offset(plan);
    return true;
}

/* ------------------------------------------------------------------ all plans */

static size_t
count_tables(const struct varve_schema *const *schemas, size_t count)
{
    size_t tables = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t r = 0; r < schemas[i]->record_count; r++)
            tables += schemas[i]->records[r]->table != NULL;
    }
    return tables;
}

static size_t
count_queries(const struct varve_schema *const *schemas, size_t count)
{
    size_t queries = 0;
    for (size_t i = 0; i < count; i++)
        queries += schemas[i]->query_count;
    return queries;
}

/* Puts the plan where varve__plan_of() looks for it. */
static void
place_plan(struct varve__plans *plans, const struct varve__plan *plan)
{
    size_t at = ((uintptr_t)plan->record >> 4) & plans->mask;
    while (plans->places[at])
        at = (at + 1) & plans->mask;
    plans->places[at] = plan;
}

/* The places of a hash table that is at most half full, so that a search ends. */
static size_t
room_for(size_t count)
{
    size_t room = 2;
    while (room < 2 * count)
        room *= 2;
    return room;
}

static void *
allocate_zeros(struct varve__arena *arena, size_t size)
{
    void *memory = varve__arena_allocate(arena, size);
    return memory ? memset(memory, 0, size) : NULL;
}

/* Plans and empty hash tables. */
static bool
allocate_plans(
    struct varve__arena *arena, size_t count, size_t query_count, struct varve__plans *plans)
{
    size_t room = room_for(count);
    size_t query_room = room_for(query_count);
    plans->mask = room - 1;
    plans->plans = allocate_zeros(arena, count * sizeof *plans->plans);
    plans->places = allocate_zeros(arena, room * sizeof *plans->places);
    plans->query_mask = query_room - 1;
    plans->queries = allocate_zeros(arena, query_count * sizeof *plans->queries);
    plans->query_places = allocate_zeros(arena, query_room * sizeof *plans->query_places);
    return plans->plans && plans->places && plans->queries && plans->query_places;
}

/* Enters the queries of a schema, whose plans are there. */
static void
add_queries(struct varve__plans *plans, const struct varve_schema *schema)
{
    for (size_t i = 0; i < schema->query_count; i++) {
        const struct varve_query *query = schema->queries[i];
        struct varve__query *made = &plans->queries[plans->query_count];
        size_t at = ((uintptr_t)query >> 4) & plans->query_mask;
        while (plans->query_places[at])
            at = (at + 1) & plans->query_mask;
        plans->query_places[at] = made;
        *made = (struct varve__query){
            .query = query,
            .index = plans->query_count++,
            .written = query->written ? varve__plan_of(plans, query->written) : NULL,
        };
    }
}

static bool
make_plans(
    struct varve__arena *arena,
    const struct varve_schema *const *schemas,
    size_t count,
    struct varve__plans *plans)
{
    plans->schemas = varve__arena_allocate(arena, count * sizeof *plans->schemas);
    if (!plans->schemas ||
        !allocate_plans(arena, count_tables(schemas, count), count_queries(schemas, count), plans))
        return false;
    for (size_t i = 0; i < count; i++) {
        plans->schemas[plans->schema_count++] = schemas[i];
        for (size_t r = 0; r < schemas[i]->record_count; r++) {
            const struct varve_record *record = schemas[i]->records[r];
            struct varve__plan *plan = &plans->plans[plans->count];
            if (!record->table)
                continue;
            if (!make_plan(arena, record, plan))
                return false;
            plan->index = plans->count++;
            place_plan(plans, plan);
        }
        add_queries(plans, schemas[i]);
    }
    return true;
}

enum varve_status
varve__plans_create(
    const struct varve_schema *const *schemas, size_t count, struct varve__plans **plans)
{
    *plans = NULL;
    struct varve__arena *arena = varve__arena_create(ARENA_SIZE);
    struct varve__plans *made = arena ? varve__arena_allocate(arena, sizeof *made) : NULL;
    if (!made)
        return varve__fail_memory(NULL, ARENA_SIZE);
    *made = (struct varve__plans){0};
    if (!make_plans(arena, schemas, count, made)) {
        varve__arena_release(arena);
        return varve__fail_memory(NULL, ARENA_SIZE);
    }
    *plans = made;
    return VARVE_OK;
}

void
varve__plans_release(struct varve__plans *plans)
{
    if (plans)
        varve__arena_release(varve__arena_of(plans));
}

/* ------------------------------------------------------------------ searches */

size_t
varve__plan_slot(const struct varve__plan *plan, uint32_t number)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (plan->slots[i].column->field->id == number)
            return i;
    }
    return VARVE__NO_SLOT;
}

const struct varve_column *
varve__plan_tensor(const struct varve__plan *plan, uint32_t number)
{
    for (size_t i = 0; i < plan->tensor_count; i++) {
        if (plan->tensors[i]->field->id == number)
            return plan->tensors[i];
    }
    return NULL;
}
