/* Tables in memory. */
#include "table_fixture.h"

#include <string.h>

#include "base/error.h"
#include "codec/check.h"
#include "table/row.h"

enum {
    BLOBS = 18, /* place of the column that is left out */
    COLUMNS_MAX = 32,
    STATEMENTS_MAX = 32,
};

struct tables tables;

static struct {
    sqlite3_stmt *statement;
    char *sql;
} kept[STATEMENTS_MAX];
static size_t kept_count;

/* ------------------------------------------------------------------ records */

struct varve_record sample_table;
struct varve_record trace_table;
struct varve_record optional_trace_table;

static struct varve_column sample_columns[COLUMNS_MAX];
static struct varve_column trace_columns[COLUMNS_MAX];
static struct varve_column optional_trace_columns[COLUMNS_MAX];
static struct varve_tensor optional_tensor;

static void
flag(const struct varve_record *record, const char *name, uint32_t flags)
{
    for (size_t i = 0; i < record->column_count; i++) {
        if (strcmp(record->columns[i].field->name, name) == 0)
            ((struct varve_column *)(uintptr_t)record->columns)[i].flags |= flags;
    }
}

static void
make_sample(void)
{
    static const size_t key[] = {0};
    static const struct varve_table table = {
        .name = "sample", .primary_key = key, .primary_key_count = 1};
    size_t count = 0;
    for (size_t i = 0; i < lab_sample_record.column_count; i++) {
        if (i != BLOBS)
            sample_columns[count++] = lab_sample_record.columns[i];
    }
    sample_table = lab_sample_record;
    sample_table.columns = sample_columns;
    sample_table.column_count = count;
    sample_table.table = &table;
    flag(&sample_table, "id", VARVE_PRIMARY_KEY | VARVE_GENERATED_KEY);
    flag(&sample_table, "shift", VARVE_ROW_VERSION);
    flag(&sample_table, "root", VARVE_JSON_COPY);
    flag(&sample_table, "nodes", VARVE_JSON_COPY);
}

static void
make_trace(
    struct varve_record *record, struct varve_column *columns, const struct varve_table *table)
{
    memcpy(columns, lab_trace_record.columns, lab_trace_record.column_count * sizeof *columns);
    *record = lab_trace_record;
    record->columns = columns;
    record->table = table;
    flag(record, "title", VARVE_PRIMARY_KEY);
    flag(record, "length", VARVE_PRIMARY_KEY);
}

static void
make_traces(void)
{
    static const size_t key[] = {2, 0};
    static const struct varve_table trace = {
        .name = "trace", .primary_key = key, .primary_key_count = 2};
    static const struct varve_table optional = {
        .name = "optional_trace", .primary_key = key, .primary_key_count = 2};
    make_trace(&trace_table, trace_columns, &trace);
    make_trace(&optional_trace_table, optional_trace_columns, &optional);
    optional_tensor = *trace_columns[1].tensor;
    optional_tensor.optional = true;
    optional_trace_columns[1].tensor = &optional_tensor;
}

/* ------------------------------------------------------------------ statements */

static void
append_columns(sqlite3_str *sql, const struct varve__plan *plan, bool copies)
{
    for (size_t i = 0; i < plan->slot_count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i > 0 ? ", " : "", plan->slots[i].column->field->name);
    for (size_t i = 0; copies && i < plan->copy_count; i++)
        sqlite3_str_appendf(sql, ", \"%w_json\"", plan->slots[plan->copies[i]].column->field->name);
}

void
execute(const char *sql)
{
    if (sqlite3_exec(tables.database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(tables.database));
}

sqlite3_stmt *
prepare(const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(tables.database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(tables.database));
    return statement;
}

/* Takes the SQL text; the same text gives the same statement. */
static sqlite3_stmt *
keep(char *sql)
{
    for (size_t i = 0; i < kept_count; i++) {
        if (strcmp(kept[i].sql, sql) == 0) {
            sqlite3_free(sql);
            sqlite3_reset(kept[i].statement);
            return kept[i].statement;
        }
    }
    assert_true(kept_count < STATEMENTS_MAX);
    kept[kept_count].sql = sql;
    kept[kept_count].statement = prepare(sql);
    return kept[kept_count++].statement;
}

char *
insert_sql(const struct varve__plan *plan, const char *tail)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "INSERT INTO \"%w\" (", plan->record->table->name);
    append_columns(sql, plan, true);
    sqlite3_str_appendf(sql, ", \"varve_unknown\") %s", tail);
    return sqlite3_str_finish(sql);
}

sqlite3_stmt *
insert_statement(const struct varve__plan *plan)
{
    sqlite3_str *values = sqlite3_str_new(NULL);
    sqlite3_str_appendall(values, "VALUES (?");
    for (int i = 1; i < varve__plan_unknown(plan); i++)
        sqlite3_str_appendall(values, ", ?");
    sqlite3_str_appendall(values, ")");
    char *tail = sqlite3_str_finish(values);
    char *sql = insert_sql(plan, tail);
    sqlite3_free(tail);
    return keep(sql);
}

static sqlite3_stmt *
select_statement(const struct varve__plan *plan, bool unknown)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql, "SELECT ");
    append_columns(sql, plan, false);
    if (unknown)
        sqlite3_str_appendall(sql, ", \"varve_unknown\"");
    for (size_t i = 0; i < plan->tensor_count; i++) {
        if (plan->tensors[i]->tensor->optional)
            sqlite3_str_appendall(sql, ", 1");
    }
    sqlite3_str_appendf(sql, " FROM \"%w\"", plan->record->table->name);
    return keep(sqlite3_str_finish(sql));
}

sqlite3_stmt *
get_statement(const struct varve__plan *plan)
{
    return select_statement(plan, true);
}

sqlite3_stmt *
find_statement(const struct varve__plan *plan)
{
    return select_statement(plan, false);
}

int64_t
query(const char *sql)
{
    sqlite3_stmt *statement = prepare(sql);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* ------------------------------------------------------------------ a test's tables */

static void
create_table(const struct varve__plan *plan)
{
    const char *name = plan->record->table->name;
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "CREATE TABLE \"%w\" (", name);
    if (plan->generated_key) {
        /* the key is the first column in all of these */
        sqlite3_str_appendf(sql, "\"%w\" INTEGER PRIMARY KEY", plan->slots[0].column->field->name);
        for (size_t i = 1; i < plan->slot_count; i++)
            sqlite3_str_appendf(sql, ", \"%w\"", plan->slots[i].column->field->name);
        for (size_t i = 0; i < plan->copy_count; i++)
            sqlite3_str_appendf(
                sql, ", \"%w_json\"", plan->slots[plan->copies[i]].column->field->name);
    } else {
        append_columns(sql, plan, true);
    }
    sqlite3_str_appendall(sql, ", \"varve_unknown\")");
    char *text = sqlite3_str_finish(sql);
    execute(text);
    sqlite3_free(text);
}

int
tables_begin(void **state)
{
    static const struct varve_record *const records[] = {
        &lab_node_record, &sample_table, &trace_table, &optional_trace_table};
    static const struct varve_schema schema = {.records = records, .record_count = 4};
    const struct varve_schema *schemas[] = {&schema};
    (void)state;
    make_sample();
    make_traces();
    tables.arena = varve__arena_create(256);
    if (sqlite3_open_v2(
            ":memory:", &tables.database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        varve__plans_create(schemas, 1, &tables.plans) != VARVE_OK)
        return -1;
    for (size_t i = 0; i < tables.plans->count; i++)
        create_table(&tables.plans->plans[i]);
    return 0;
}

int
tables_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < kept_count; i++) {
        sqlite3_finalize(kept[i].statement);
        sqlite3_free(kept[i].sql);
    }
    kept_count = 0;
    varve__plans_release(tables.plans);
    varve__arena_release(tables.arena);
    return sqlite3_close(tables.database) == SQLITE_OK ? 0 : -1;
}

const struct varve__plan *
plan_of(const struct varve_record *record)
{
    const struct varve__plan *plan = varve__plan_of(tables.plans, record);
    assert_non_null(plan);
    return plan;
}

void
store(const struct varve__plan *plan, const void *record)
{
    sqlite3_stmt *statement = insert_statement(plan);
    enum varve_status status =
        varve__record_check(plan->record, record, VARVE__CHECK_UNLOADED, NULL);
    if (status == VARVE_OK)
        status = varve__row_bind(plan, record, tables.arena, statement);
    if (status == VARVE_OK)
        status = varve__row_bind_unknown(plan, record, tables.arena, statement);
    if (status != VARVE_OK)
        fail_msg("%s", varve__thread_error());
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
    varve__arena_reset(tables.arena);
}

void *
load(const struct varve__plan *plan)
{
    void *record;
    sqlite3_stmt *statement = get_statement(plan);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    if (varve__row_read(plan, statement, &record) != VARVE_OK)
        fail_msg("%s", varve__thread_error());
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    return record;
}

struct lab_sample
stored_sample(void)
{
    struct lab_sample sample = full_sample();
    sample.blobs = (struct varve_blobs){0, NULL};
    sample.weights.data = NULL;
    return sample;
}
