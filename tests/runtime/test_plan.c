/* Plans: slots, moves, keys, and how they are found. */
#include "table_fixture.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* -------------------------------------------------------------------- slots */

static void
slots_are_the_columns_that_are_no_tensors(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    size_t slot = 0;
    for (size_t i = 0; i < sample_table.column_count; i++) {
        if (!sample_table.columns[i].tensor)
            assert_ptr_equal(plan->slots[slot++].column, &sample_table.columns[i]);
    }
    assert_int_equal(plan->slot_count, slot);
    assert_int_equal(plan->tensor_count, 1);
    assert_string_equal(plan->tensors[0]->field->name, "weights");
    assert_false(plan->optional_tensors);
    assert_true(plan_of(&optional_trace_table)->optional_tensors);
}

static const struct varve__slot *
slot_named(const struct varve__plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (strcmp(plan->slots[i].column->field->name, name) == 0)
            return &plan->slots[i];
    }
    fail_msg("no slot %s", name);
    return NULL;
}

static void
each_kind_of_field_has_its_move(void **state)
{
    static const struct {
        const char *name;
        enum varve__move move;
        enum varve__move scalar;
        const char *empty;
        bool nullable;
    } expected[] = {
        {"id", VARVE__MOVE_INT64, VARVE__MOVE_INT64, NULL, false},
        {"name", VARVE__MOVE_STRING, VARVE__MOVE_STRING, NULL, false},
        {"note", VARVE__MOVE_OTHER, VARVE__MOVE_STRING, NULL, true},
        {"blob", VARVE__MOVE_BYTES, VARVE__MOVE_BYTES, NULL, false},
        {"score", VARVE__MOVE_DOUBLE, VARVE__MOVE_DOUBLE, NULL, false},
        {"rank", VARVE__MOVE_OTHER, VARVE__MOVE_INT32, NULL, true},
        {"mode", VARVE__MOVE_INT32, VARVE__MOVE_INT32, NULL, false},
        {"ready", VARVE__MOVE_BOOL, VARVE__MOVE_BOOL, NULL, false},
        {"tags", VARVE__MOVE_OTHER, VARVE__MOVE_OTHER, "[]", false},
        {"metadata", VARVE__MOVE_OTHER, VARVE__MOVE_OTHER, "{}", false},
        {"root", VARVE__MOVE_OTHER, VARVE__MOVE_OTHER, NULL, true},
        {"number", VARVE__MOVE_OTHER, VARVE__MOVE_INT32, NULL, true},
        {"text", VARVE__MOVE_OTHER, VARVE__MOVE_STRING, NULL, true},
        {"node", VARVE__MOVE_OTHER, VARVE__MOVE_OTHER, NULL, true},
        {"rows", VARVE__MOVE_UINT32, VARVE__MOVE_UINT32, NULL, false},
        {"nodes", VARVE__MOVE_OTHER, VARVE__MOVE_OTHER, NULL, false},
        {"raw", VARVE__MOVE_OTHER, VARVE__MOVE_BYTES, NULL, true},
        {"ratio", VARVE__MOVE_FLOAT, VARVE__MOVE_FLOAT, NULL, false},
        {"shift", VARVE__MOVE_INT64, VARVE__MOVE_INT64, NULL, false},
        {"hash", VARVE__MOVE_INT64, VARVE__MOVE_INT64, NULL, false},
        {"columns", VARVE__MOVE_UINT64, VARVE__MOVE_UINT64, NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct varve__slot *slot = slot_named(plan_of(&sample_table), expected[i].name);
        if (slot->move != expected[i].move || slot->scalar != expected[i].scalar ||
            slot->nullable != expected[i].nullable)
            fail_msg("%s", expected[i].name);
        assert_int_equal(slot->empty == NULL, expected[i].empty == NULL);
        if (slot->empty)
            assert_string_equal(slot->empty, expected[i].empty);
    }
}

static void
every_slot_is_in_the_group_of_its_move(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    const struct varve__moves *moves = &plan->moves;
    assert_int_equal(moves->first[0], 0);
    assert_int_equal(moves->first[VARVE__MOVE_COUNT], plan->slot_count);
    for (size_t group = 0; group < VARVE__MOVE_COUNT; group++) {
        size_t end = moves->first[group + 1];
        assert_ptr_equal(moves->end[group], moves->order + end);
        for (size_t i = moves->first[group]; i < end; i++) {
            const struct varve__slot *slot = &plan->slots[moves->order[i].slot];
            assert_int_equal(slot->move, group);
            assert_int_equal(moves->order[i].offset, slot->column->field->offset);
            if (i > moves->first[group])
                assert_true(moves->order[i].slot > moves->order[i - 1].slot);
        }
    }
}

static void
keys_copies_and_version_are_found(void **state)
{
    (void)state;
    const struct varve__plan *sample = plan_of(&sample_table);
    assert_int_equal(sample->key_count, 1);
    assert_int_equal(sample->keys[0], 0);
    assert_true(sample->generated_key);
    assert_string_equal(sample->slots[sample->version].column->field->name, "shift");
    assert_int_equal(sample->copy_count, 2);
    assert_string_equal(sample->slots[sample->copies[0]].column->field->name, "root");
    assert_string_equal(sample->slots[sample->copies[1]].column->field->name, "nodes");
    assert_int_equal(varve__plan_unknown(sample), sample->slot_count + 3);

    const struct varve__plan *trace = plan_of(&trace_table);
    assert_int_equal(trace->key_count, 2);
    assert_string_equal(trace->slots[trace->keys[0]].column->field->name, "title");
    assert_string_equal(trace->slots[trace->keys[1]].column->field->name, "length");
    assert_false(trace->generated_key);
    assert_true(trace->version == VARVE__NO_SLOT);
}

static void
fields_are_found_by_number(void **state)
{
    (void)state;
    const struct varve__plan *plan = plan_of(&sample_table);
    for (size_t i = 0; i < plan->slot_count; i++)
        assert_int_equal(varve__plan_slot(plan, plan->slots[i].column->field->id), i);
    assert_true(varve__plan_slot(plan, 16) == VARVE__NO_SLOT); /* weights */
    assert_true(varve__plan_slot(plan, 999) == VARVE__NO_SLOT);
    assert_ptr_equal(varve__plan_tensor(plan, 16), plan->tensors[0]);
    assert_null(varve__plan_tensor(plan, 1));
    struct lab_sample sample = LAB_SAMPLE_INIT;
    assert_ptr_equal(varve__slot_member(&plan->slots[1], &sample), &sample.name);
}

/* -------------------------------------------------------------------- all of them */

static void
records_without_a_table_have_no_plan(void **state)
{
    const struct varve_schema empty = {.record_count = 0};
    const struct varve_schema *schemas[] = {&empty};
    struct varve__plans *none;
    (void)state;
    assert_int_equal(tables.plans->count, 3);
    assert_null(varve__plan_of(tables.plans, &lab_node_record));
    assert_int_equal(varve__plans_create(schemas, 1, &none), VARVE_OK);
    assert_int_equal(none->count, 0);
    assert_null(varve__plan_of(none, &sample_table));
    varve__plans_release(none);
    varve__plans_release(NULL);
}

/* Two schemas of a hundred records each, side by side in memory. */
static void
each_of_many_records_finds_its_own_plan(void **state)
{
    static struct varve_record records[200];
    static const struct varve_record *pointers[200];
    struct varve_schema first = {.records = pointers, .record_count = 100};
    struct varve_schema second = {.records = pointers + 100, .record_count = 100};
    const struct varve_schema *schemas[] = {&first, &second};
    struct varve__plans *many;
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        records[i] = trace_table;
        pointers[i] = &records[i];
    }
    assert_int_equal(varve__plans_create(schemas, 2, &many), VARVE_OK);
    assert_int_equal(many->count, 200);
    for (size_t i = 0; i < 200; i++) {
        const struct varve__plan *plan = varve__plan_of(many, &records[i]);
        assert_ptr_equal(plan->record, &records[i]);
        assert_int_equal(plan->index, i);
    }
    assert_null(varve__plan_of(many, &trace_table));
    varve__plans_release(many);
}

static void
plans_without_memory_fail(void **state)
{
    const struct varve_record *records[] = {&sample_table};
    const struct varve_schema schema = {.records = records, .record_count = 1};
    const struct varve_schema *schemas[] = {&schema};
    struct varve__plans *made;
    enum varve_status status = VARVE_NO_MEMORY;
    (void)state;
    for (size_t fail_at = 1; status != VARVE_OK; fail_at++) {
        count_allocations(fail_at);
        status = varve__plans_create(schemas, 1, &made);
        assert_true(status == VARVE_OK || status == VARVE_NO_MEMORY);
        assert_int_equal(made == NULL, status != VARVE_OK);
        varve__plans_release(made);
        stop_counting();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slots_are_the_columns_that_are_no_tensors),
        TEST(each_kind_of_field_has_its_move),
        TEST(every_slot_is_in_the_group_of_its_move),
        TEST(keys_copies_and_version_are_found),
        TEST(fields_are_found_by_number),
        TEST(records_without_a_table_have_no_plan),
        TEST(each_of_many_records_finds_its_own_plan),
        TEST(plans_without_memory_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
