/* SQL functions of migrations. */
#include "migrate/functions.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "codec/unknown_value.h"
#include "table/sqlite.h"

enum {
    ARENA_SIZE = 4096,
    NUMBER_MAX = 536870911 /* of a field: 2^29 - 1 */
};

/* -------------------------------------------------------------------- arguments */

/* The bytes of the unknown fields. False: it has said what is wrong. */
static bool
take_blob(sqlite3_context *context, sqlite3_value *value, const uint8_t **bytes, size_t *size)
{
    int type = sqlite3_value_type(value);
    if (type != SQLITE_NULL && type != SQLITE_BLOB) {
        sqlite3_result_error(
            context, "the unknown fields are a BLOB or NULL: pass the column varve_unknown", -1);
        return false;
    }
    *bytes = sqlite3_value_blob(value);
    *size = (size_t)sqlite3_value_bytes(value);
    return true;
}

static bool
take_number(sqlite3_context *context, sqlite3_value *value, uint32_t *number)
{
    int64_t given = sqlite3_value_int64(value);
    if (sqlite3_value_type(value) != SQLITE_INTEGER || given < 1 || given > NUMBER_MAX) {
        sqlite3_result_error(context, "the number of a field is an integer from 1 on", -1);
        return false;
    }
    *number = (uint32_t)given;
    return true;
}

static void
answer_failure(sqlite3_context *context, enum varve_status status)
{
    if (status == VARVE_NO_MEMORY)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_error(context, varve__thread_error(), -1);
}

/* -------------------------------------------------------------------- the functions */

/* Whether SQLite would take the value as true. */
static bool
is_true(sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    return type == SQLITE_INTEGER ? sqlite3_value_int64(value) != 0
                                  : type != SQLITE_NULL && sqlite3_value_double(value) != 0.0;
}

static void
assert_that(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    const char *text = (const char *)sqlite3_value_text(values[1]);
    if (is_true(values[0]))
        sqlite3_result_int(context, 1);
    else
        sqlite3_result_error(context, text ? text : "an assertion does not hold", -1);
}

static void
unknown_has(sqlite3_context *context, int count, sqlite3_value **values)
{
    const uint8_t *bytes;
    size_t size;
    uint32_t number;
    bool has;
    (void)count;
    if (!take_blob(context, values[0], &bytes, &size) || !take_number(context, values[1], &number))
        return;
    enum varve_status status = varve__unknown_has(bytes, size, number, &has);
    if (status == VARVE_OK)
        sqlite3_result_int(context, has);
    else
        answer_failure(context, status);
}

static void
answer_value(sqlite3_context *context, const struct varve__unknown_value *value)
{
    switch (value->kind) {
    case VARVE__UNKNOWN_ABSENT:
        break;
    case VARVE__UNKNOWN_INTEGER:
        sqlite3_result_int64(context, value->integer);
        break;
    case VARVE__UNKNOWN_REAL:
        sqlite3_result_double(context, value->real);
        break;
    case VARVE__UNKNOWN_TEXT:
        sqlite3_result_text64(context, value->data, value->size, SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    case VARVE__UNKNOWN_BLOB:
        if (value->size == 0)
            sqlite3_result_zeroblob(context, 0);
        else
            sqlite3_result_blob64(context, value->data, value->size, SQLITE_TRANSIENT);
        break;
    }
}

static void
unknown_value(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct varve__functions *functions = sqlite3_user_data(context);
    struct varve__unknown_type type;
    struct varve__unknown_value value;
    const uint8_t *bytes;
    size_t size;
    uint32_t number;
    (void)count;
    const char *words = (const char *)sqlite3_value_text(values[2]);
    if (!words || !varve__unknown_type_parse(words, &type)) {
        sqlite3_result_error(
            context, "the type of a field is said as schema.lock does, such as 'repeated string'",
            -1);
        return;
    }
    if (!take_blob(context, values[0], &bytes, &size) || !take_number(context, values[1], &number))
        return;
    varve__arena_reset(functions->arena);
    enum varve_status status =
        varve__unknown_find(bytes, size, number, &type, functions->arena, &value);
    if (status == VARVE_OK)
        answer_value(context, &value);
    else
        answer_failure(context, status);
}

static void
unknown_without(sqlite3_context *context, int count, sqlite3_value **values)
{
    const uint8_t *bytes;
    size_t size;
    size_t rest_size;
    uint32_t number;
    (void)count;
    if (!take_blob(context, values[0], &bytes, &size) ||
        !take_number(context, values[1], &number) || size == 0)
        return;
    uint8_t *rest = varve__allocate(size);
    if (!rest) {
        sqlite3_result_error_nomem(context);
        return;
    }
    enum varve_status status = varve__unknown_without(bytes, size, number, rest, &rest_size);
    if (status != VARVE_OK)
        answer_failure(context, status);
    if (status == VARVE_OK && rest_size > 0)
        sqlite3_result_blob64(context, rest, rest_size, varve__release);
    else
        varve__release(rest);
}

/* Keeps a mark, unless it is there. False without memory. */
static bool
add_mark(struct varve__functions *functions, const char *message, uint32_t number)
{
    for (struct varve__mark *mark = functions->marks; mark; mark = mark->next) {
        if (mark->number == number && strcmp(mark->message, message) == 0)
            return true;
    }
    size_t size = strlen(message) + 1;
    struct varve__mark *mark = varve__arena_allocate(functions->kept, sizeof *mark);
    char *name = varve__arena_allocate(functions->kept, size);
    if (!mark || !name)
        return false;
    memcpy(name, message, size);
    *mark = (struct varve__mark){name, number, functions->marks};
    functions->marks = mark;
    return true;
}

static void
rebuild_json(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint32_t number;
    (void)count;
    const char *message = (const char *)sqlite3_value_text(values[0]);
    if (!message) {
        sqlite3_result_error(context, "the message is its full name, such as 'lab.Sample'", -1);
        return;
    }
    if (!take_number(context, values[1], &number))
        return;
    if (add_mark(sqlite3_user_data(context), message, number))
        sqlite3_result_int(context, 1);
    else
        sqlite3_result_error_nomem(context);
}

/* -------------------------------------------------------------------- registering */

static const struct {
    const char *name;
    int count;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
} all[] = {
    {"varve_assert", 2, assert_that},          {"varve_unknown_has", 2, unknown_has},
    {"varve_unknown_value", 3, unknown_value}, {"varve_unknown_without", 2, unknown_without},
    {"varve_rebuild_json", 2, rebuild_json},
};

enum varve_status
varve__functions_register(sqlite3 *database, struct varve__functions *functions)
{
    functions->marks = NULL;
    functions->kept = varve__arena_create(ARENA_SIZE);
    functions->arena = varve__arena_create(ARENA_SIZE);
    if (!functions->kept || !functions->arena)
        return varve__fail_memory(NULL, ARENA_SIZE);
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && code == SQLITE_OK; i++)
        code = sqlite3_create_function_v2(
            database, all[i].name, all[i].count, SQLITE_UTF8 | SQLITE_DIRECTONLY, functions,
            all[i].call, NULL, NULL, NULL);
    return code == SQLITE_OK ? VARVE_OK : varve__sqlite_fail(database, code, NULL, "migrating");
}

void
varve__functions_release(sqlite3 *database, struct varve__functions *functions)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_create_function_v2(
            database, all[i].name, all[i].count, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL);
    varve__arena_release(functions->kept);
    varve__arena_release(functions->arena);
    *functions = (struct varve__functions){0};
}
