/* Every message of the cortex schema that has a table, filled at random from its own tables, comes back
 * as it was: by insert, insert_many and update, through get and find. */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cortex/cortex.varve.h"

enum {
    RECORDS = 40, /* of each message and test; the keys of those referred to are 1 to RECORDS */
    TABLES = 11,
    DIM_MAX = 7,
    POOL_SIZE = 4 << 20
};

struct cortex {
    struct varve_store *store;
    struct varve_session *session;
    const struct varve_record *tables[TABLES]; /* those that are referred to first */
    uint64_t seed;
    char *pool; /* what the records point at */
    size_t pool_used;
};

/* -------------------------------------------------------------------- random content */

static uint64_t
next_random(struct cortex *cortex)
{
    cortex->seed ^= cortex->seed << 13;
    cortex->seed ^= cortex->seed >> 7;
    cortex->seed ^= cortex->seed << 17;
    return cortex->seed * 0x2545f4914f6cdd1du;
}

static void *
take(struct cortex *cortex, size_t size)
{
    void *memory = cortex->pool + cortex->pool_used;
    cortex->pool_used += (size + 15) / 16 * 16;
    assert_true(cortex->pool_used <= POOL_SIZE);
    return memset(memory, 0, size);
}

static void *
random_bytes(struct cortex *cortex, size_t size)
{
    uint8_t *bytes = take(cortex, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(next_random(cortex) >> 32);
    return bytes;
}

/* Text that is never the same twice. */
static const char *
random_text(struct cortex *cortex)
{
    static const char *const parts[] = {"", "a'b\"c", "K\xc3\xb6ln", "\xf0\x9f\xa7\xa0", "{\\n}%_"};
    char *text = take(cortex, 64);
    snprintf(
        text, 64, "%s%llx", parts[next_random(cortex) % 5],
        (unsigned long long)next_random(cortex));
    return text;
}

/* A value at the C type of a scalar field. */
static void
fill_value(struct cortex *cortex, const ProtobufCFieldDescriptor *field, void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(const char **)value = random_text(cortex);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        ((struct varve_bytes *)value)->size = next_random(cortex) % 100;
        ((struct varve_bytes *)value)->data =
            random_bytes(cortex, ((struct varve_bytes *)value)->size);
        break;
    case PROTOBUF_C_TYPE_DOUBLE: /* 0 to 1: inside of every min and max of the schema */
        *(double *)value = (double)(next_random(cortex) % 1001) / 1000;
        break;
    case PROTOBUF_C_TYPE_INT64:
        *(int64_t *)value = (int64_t)next_random(cortex);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)value = next_random(cortex) >> 1;
        break;
    case PROTOBUF_C_TYPE_UINT32: /* all of them are dims */
        *(uint32_t *)value = (uint32_t)(next_random(cortex) % (DIM_MAX + 1));
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)value = (int)(next_random(cortex) % 8);
        break;
    default:
        fail_msg("%s is of a type that this test does not fill", field->name);
    }
}

static void
fill_map(struct cortex *cortex, const struct varve_column *column, char *record)
{
    const ProtobufCMessageDescriptor *entry = column->record->descriptor;
    size_t count = next_random(cortex) % 4;
    void **entries = take(cortex, count * sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        char *made = take(cortex, entry->sizeof_message);
        varve_record_init(column->record, made);
        for (unsigned f = 0; f < entry->n_fields; f++)
            fill_value(cortex, &entry->fields[f], made + entry->fields[f].offset);
        entries[i] = made;
    }
    *(size_t *)(void *)(record + column->field->quantifier_offset) = count;
    *(void ***)(void *)(record + column->field->offset) = entries;
}

static void
fill_tensor(struct cortex *cortex, const struct varve_column *column, char *record)
{
    const struct varve_tensor *tensor = column->tensor;
    struct varve_bytes list = {1, NULL}; /* of any type: all are a count and a pointer */
    for (size_t i = 0; i < tensor->dim_count; i++) {
        const struct varve_dim *dim = &tensor->dims[i];
        list.size *=
            dim->field ? *(uint32_t *)(void *)(record + dim->field->offset) : (size_t)dim->size;
    }
    if (tensor->optional && next_random(cortex) % 2)
        list.size = 0;
    list.data = random_bytes(cortex, list.size * varve_dtype_size(tensor->dtype));
    if (column->field->label != PROTOBUF_C_LABEL_REPEATED) {
        memcpy(record + column->field->offset, &list, sizeof list);
        return;
    }
    memcpy(record + column->field->quantifier_offset, &list.size, sizeof list.size);
    memcpy(record + column->field->offset, &list.data, sizeof list.data);
}

static void
fill_column(struct cortex *cortex, const struct varve_column *column, char *record)
{
    const ProtobufCFieldDescriptor *field = column->field;
    bool is_optional = field->label == PROTOBUF_C_LABEL_OPTIONAL;
    if (column->kind == VARVE_COLUMN_JSON) {
        fill_map(cortex, column, record);
        return;
    }
    assert_int_equal(column->kind, VARVE_COLUMN_SCALAR);
    if ((column->flags & VARVE_PRIMARY_KEY) || (is_optional && next_random(cortex) % 3 == 0))
        return;
    if (column->reference)
        *(int64_t *)(void *)(record + field->offset) = 1 + (int64_t)(next_random(cortex) % RECORDS);
    else
        fill_value(cortex, field, record + field->offset);
    if (is_optional)
        *(protobuf_c_boolean *)(void *)(record + field->quantifier_offset) = 1;
}

/* Makes *record a valid one with random content and no key. */
static void
fill(struct cortex *cortex, const struct varve_record *table, void *record)
{
    varve_record_init(table, record);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].tensor)
            fill_column(cortex, &table->columns[i], record);
    }
    for (size_t i = 0; i < table->column_count; i++) { /* the dims are known now */
        if (table->columns[i].tensor)
            fill_tensor(cortex, &table->columns[i], record);
    }
}

/* An array of random records. */
static char *
make_many(struct cortex *cortex, const struct varve_record *table)
{
    size_t size = table->descriptor->sizeof_message;
    cortex->pool_used = 0;
    char *records = take(cortex, RECORDS * size);
    for (size_t i = 0; i < RECORDS; i++)
        fill(cortex, table, records + i * size);
    return records;
}

/* -------------------------------------------------------------------- what is checked */

static int64_t *
id_of(const struct varve_record *table, char *record)
{
    return (int64_t *)(void *)(record + table->columns[table->table->primary_key[0]].field->offset);
}

static void
expect_ok(struct cortex *cortex, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(cortex->session));
}

static void
expect_stored(struct cortex *cortex, const struct varve_record *table, char *record)
{
    void *read;
    const void *key[] = {id_of(table, record)};
    expect_ok(cortex, varve_record_get(cortex->session, table, key, &read));
    bool equal = varve_record_equal(table, record, read);
    varve_record_free(read);
    if (!equal)
        fail_msg("%s came back as another", table->descriptor->name);
}

/* The tensors of the row are not loaded, but have the counts of the record: takes its data. */
static void
load_from(const struct varve_record *table, char *row, const char *record)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const ProtobufCFieldDescriptor *field = table->columns[i].field;
        if (!table->columns[i].tensor)
            continue;
        bool is_bytes = field->type == PROTOBUF_C_TYPE_BYTES;
        size_t count = is_bytes ? field->offset : field->quantifier_offset;
        size_t data = field->offset + (is_bytes ? offsetof(struct varve_bytes, data) : 0);
        assert_memory_equal(row + count, record + count, sizeof(size_t));
        assert_null(*(void **)(void *)(row + data));
        memcpy(row + data, record + data, sizeof(void *));
    }
}

/* Every row of a find equals its record; update of the row as it is changes nothing. */
static void
expect_found(struct cortex *cortex, const struct varve_record *table, char *records)
{
    size_t size = table->descriptor->sizeof_message;
    char *copy = take(cortex, size);
    struct varve_cursor *cursor;
    const void *row;
    expect_ok(cortex, varve_begin(cortex->session));
    expect_ok(cortex, varve_record_find(cortex->session, table, NULL, &cursor));
    for (size_t i = 0; i < RECORDS; i++) {
        assert_int_equal(varve_cursor_next(cursor, table, &row), VARVE_ROW);
        memcpy(copy, row, size);
        expect_ok(cortex, varve_record_update(cortex->session, table, copy));
        load_from(table, copy, records + i * size);
        assert_true(varve_record_equal(table, copy, records + i * size));
    }
    assert_int_equal(varve_cursor_next(cursor, table, &row), VARVE_DONE);
    varve_cursor_close(cursor);
    expect_ok(cortex, varve_commit(cortex->session));
}

/* -------------------------------------------------------------------- fixture */

static bool
refers(const struct varve_record *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].reference)
            return true;
    }
    return false;
}

static int
set_up(void **state)
{
    struct varve_config config = {.data_dir = ":memory:"};
    struct cortex *cortex = calloc(1, sizeof *cortex);
    size_t count = 0;
    cortex->seed = 0x9e3779b97f4a7c15u;
    cortex->pool = malloc(POOL_SIZE);
    for (int referring = 0; referring <= 1; referring++) {
        for (size_t i = 0; i < cortex_schema.record_count; i++) {
            const struct varve_record *table = cortex_schema.records[i];
            if (table->table && refers(table) == (referring == 1))
                cortex->tables[count++] = table;
        }
    }
    assert_int_equal(count, TABLES);
    assert_int_equal(varve_open(&cortex_schema, &config, &cortex->store, NULL), VARVE_OK);
    assert_int_equal(varve_session_open(cortex->store, &cortex->session), VARVE_OK);
    *state = cortex;
    return 0;
}

static int
tear_down(void **state)
{
    struct cortex *cortex = *state;
    varve_session_close(cortex->session);
    varve_close(cortex->store);
    free(cortex->pool);
    free(cortex);
    return 0;
}

/* -------------------------------------------------------------------- tests */

static void
test_what_is_inserted_comes_back_by_get(void **state)
{
    struct cortex *cortex = *state;
    for (size_t t = 0; t < TABLES; t++) {
        const struct varve_record *table = cortex->tables[t];
        char *records = make_many(cortex, table);
        for (size_t i = 0; i < RECORDS; i++) {
            char *record = records + i * table->descriptor->sizeof_message;
            expect_ok(cortex, varve_record_insert(cortex->session, table, record));
            assert_int_equal(*id_of(table, record), i + 1);
            expect_stored(cortex, table, record);
        }
    }
}

static void
test_what_is_inserted_at_once_comes_back_by_find(void **state)
{
    struct cortex *cortex = *state;
    for (size_t t = 0; t < TABLES; t++) {
        const struct varve_record *table = cortex->tables[t];
        char *records = make_many(cortex, table);
        expect_ok(cortex, varve_record_insert_many(cortex->session, table, records, RECORDS));
        expect_found(cortex, table, records);
        for (size_t i = 0; i < RECORDS; i++)
            expect_stored(cortex, table, records + i * table->descriptor->sizeof_message);
    }
}

static void
test_what_is_updated_comes_back_by_get(void **state)
{
    struct cortex *cortex = *state;
    for (size_t t = 0; t < TABLES; t++) {
        const struct varve_record *table = cortex->tables[t];
        char *records = make_many(cortex, table);
        expect_ok(cortex, varve_record_insert_many(cortex->session, table, records, RECORDS));
        for (size_t i = 0; i < RECORDS; i++) {
            char *record = records + i * table->descriptor->sizeof_message;
            int64_t id = *id_of(table, record);
            fill(cortex, table, record);
            *id_of(table, record) = id;
            expect_ok(cortex, varve_record_update(cortex->session, table, record));
            expect_stored(cortex, table, record);
        }
        for (size_t i = 0; i < RECORDS; i++)
            expect_stored(cortex, table, records + i * table->descriptor->sizeof_message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_inserted_comes_back_by_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_is_inserted_at_once_comes_back_by_find, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_updated_comes_back_by_get, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("cortex", tests, NULL, NULL);
}
