/* libFuzzer's target for the text of JSON columns. An input chooses a column of fuzz.Lists, which has
 * one of each kind, and where the text goes: to the codec alone, with an allocation that fails, or into
 * a row that is then read and written through the API. What is read is written and read again and means
 * the same; what is refused leaves the field as it was, and the row for the API to mend. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"
#include "codec/field.h"
#include "codec/json.h"
#include "fuzz.varve.h"

#include "require.h"

enum {
    HEAD_SIZE = 2, /* bytes before the text: which column, which allocation fails */
    COLUMN = 0x1F, /* the bits of the first for the column */
    STORED = 0x40, /* the one that says: into a row; both so that letters make seeds */
    ARENA_SIZE = 64,
    COLUMNS = 32
};

static const struct varve_record *const table = &fuzz_lists_record;
static struct varve_store *store;
static struct varve_session *session;
static sqlite3_stmt *is_valid;        /* what SQLite says of a JSON text */
static sqlite3_stmt *damage[COLUMNS]; /* puts a text into the row, by column */
static sqlite3_stmt *stored[COLUMNS]; /* takes it out */

/* -------------------------------------------------------------------- memory */

static long balance;         /* blocks that are not released */
static unsigned until_fails; /* the allocation that fails is so far away; 0: none does */
static bool has_failed;

static void *
allocate(void *context, size_t size)
{
    (void)context;
    if (until_fails > 0 && --until_fails == 0) {
        has_failed = true;
        return NULL;
    }
    void *memory = malloc(size);
    balance += memory != NULL;
    return memory;
}

static void
release(void *context, void *memory)
{
    (void)context;
    balance -= memory != NULL;
    free(memory);
}

/* -------------------------------------------------------------------- texts */

struct text {
    const char *data;
    size_t size;
};

static bool
is_same(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* How many elements an array has; of an object 0. It must be JSON. */
static size_t
require_valid(struct text text)
{
    sqlite3_bind_text(is_valid, 1, text.data, (int)text.size, SQLITE_STATIC);
    REQUIRE(sqlite3_step(is_valid) == SQLITE_ROW);
    REQUIRE(sqlite3_column_int(is_valid, 0) == 1);
    size_t count = (size_t)sqlite3_column_int64(is_valid, 1);
    sqlite3_reset(is_valid);
    return count;
}

static enum varve_status
decode(
    const struct varve_column *column,
    struct text text,
    struct varve__arena *arena,
    struct fuzz_lists *lists)
{
    fuzz_lists_init(lists);
    const struct fuzz_lists before = *lists;
    enum varve_status status =
        varve__json_decode(table, column, text.data, text.size, arena, lists);
    if (status != VARVE_OK)
        REQUIRE(memcmp(&before, lists, sizeof before) == 0);
    REQUIRE(
        status == VARVE_OK || status == VARVE_TYPE || (status == VARVE_NO_MEMORY && has_failed));
    REQUIRE(status != VARVE_TYPE || strstr(varve__thread_error(), "cannot be read at byte"));
    return status;
}

/* NULL when the allocation failed that was to fail. */
static struct text
encode(
    const struct varve_column *column, const struct fuzz_lists *lists, struct varve__arena *arena)
{
    struct text text;
    enum varve_status status =
        varve__json_encode(table, column, lists, arena, &text.data, &text.size);
    REQUIRE(status == VARVE_OK || (status == VARVE_NO_MEMORY && has_failed));
    REQUIRE((status == VARVE_OK) == (text.data != NULL));
    return text;
}

/* -------------------------------------------------------------------- the codec */

/* What was read of the text: written, it is JSON, means the same, and is written alike again. */
static void
check_decoded(
    const struct varve_column *column,
    struct text text,
    struct fuzz_lists *lists,
    struct varve__arena *arena)
{
    struct fuzz_lists again;
    struct text written = encode(column, lists, arena);
    size_t count = varve__list_at(lists, column->field).count;
    if (!written.data || decode(column, written, arena, &again) != VARVE_OK) {
        REQUIRE(has_failed);
        return;
    }
    REQUIRE(varve_record_equal(table, lists, &again));
    REQUIRE(varve_record_equal(table, &again, lists));
    struct text rewritten = encode(column, &again, arena);
    REQUIRE(!rewritten.data || is_same(written, rewritten));
    if (!(column->flags & VARVE_MAP))
        REQUIRE(require_valid(text) == count && require_valid(written) == count);
    else
        REQUIRE(require_valid(text) == 0 && require_valid(written) == 0);
}

static void
check_codec(const struct varve_column *column, struct text text, unsigned fails)
{
    struct fuzz_lists lists;
    has_failed = false;
    until_fails = fails;
    long before = balance;
    struct varve__arena *arena = varve__arena_create(ARENA_SIZE);
    if (arena && decode(column, text, arena, &lists) == VARVE_OK)
        check_decoded(column, text, &lists, arena);
    varve__arena_release(arena);
    until_fails = 0;
    has_failed = false;
    REQUIRE(balance == before);
}

/* -------------------------------------------------------------------- the store */

/* What stands in the row's column; valid until it is asked again. */
static struct text
stored_text(size_t index)
{
    sqlite3_reset(stored[index]);
    REQUIRE(sqlite3_step(stored[index]) == SQLITE_ROW);
    return (struct text){
        .data = (const char *)sqlite3_column_text(stored[index], 0),
        .size = (size_t)sqlite3_column_bytes(stored[index], 0)};
}

static void
put_text(size_t index, struct text text)
{
    sqlite3_bind_text(damage[index], 1, text.data, (int)text.size, SQLITE_STATIC);
    REQUIRE(sqlite3_step(damage[index]) == SQLITE_DONE);
    sqlite3_reset(damage[index]);
}

static void
check_find(enum varve_status expected)
{
    struct varve_cursor *cursor;
    const struct fuzz_lists *row;
    REQUIRE(fuzz_lists_find(session, NULL, &cursor) == VARVE_OK);
    enum varve_status status = fuzz_lists_next(cursor, &row);
    REQUIRE(status == (expected == VARVE_OK ? VARVE_ROW : expected));
    REQUIRE((status == VARVE_ROW) == (row != NULL));
    if (status == VARVE_ROW)
        REQUIRE(fuzz_lists_next(cursor, &row) == VARVE_DONE);
    varve_cursor_close(cursor);
}

/* A write that leaves the column out leaves it alone; one of the whole record mends it. */
static void
check_update(const struct varve_column *column, size_t index, struct text text, void *read)
{
    static enum fuzz_lists_field fields[] = {FUZZ_LISTS_FIELD_NAME};
    struct fuzz_lists fresh = FUZZ_LISTS_INIT;
    struct fuzz_lists *record = read ? read : &fresh;
    fresh.id = 1;
    record->name = "other";
    REQUIRE(fuzz_lists_update_fields(session, record, fields, 1) == VARVE_OK);
    REQUIRE(is_same(stored_text(index), text));
    sqlite3_reset(stored[index]);
    REQUIRE(fuzz_lists_update(session, record) == VARVE_OK);
    struct varve__arena *arena = varve__arena_create(ARENA_SIZE);
    REQUIRE(arena);
    REQUIRE(is_same(stored_text(index), encode(column, record, arena)));
    sqlite3_reset(stored[index]);
    varve__arena_release(arena);
}

static void
check_row(const struct varve_column *column, size_t index, struct text text)
{
    struct fuzz_lists decoded;
    struct fuzz_lists *record;
    struct fuzz_lists *again;
    struct varve__arena *arena = varve__arena_create(ARENA_SIZE);
    REQUIRE(arena);
    enum varve_status expected = decode(column, text, arena, &decoded);
    decoded.id = 1;
    REQUIRE(varve_begin(session) == VARVE_OK);
    put_text(index, text);
    REQUIRE(fuzz_lists_get(session, 1, &record) == expected);
    REQUIRE((expected == VARVE_OK) == (record != NULL));
    REQUIRE(!record || fuzz_lists_equal(record, &decoded));
    check_find(expected);
    check_update(column, index, text, record);
    REQUIRE(fuzz_lists_get(session, 1, &again) == VARVE_OK);
    REQUIRE(!record || fuzz_lists_equal(again, record));
    REQUIRE(varve_rollback(session) == VARVE_OK);
    fuzz_lists_free(record);
    fuzz_lists_free(again);
    varve__arena_release(arena);
}

/* -------------------------------------------------------------------- the target */

static size_t
json_column(unsigned choice)
{
    size_t index = choice % table->column_count;
    while (table->columns[index].kind != VARVE_COLUMN_JSON)
        index = (index + 1) % table->column_count;
    return index;
}

static sqlite3_stmt *
prepare(const char *format, const char *name)
{
    char sql[200];
    sqlite3_stmt *statement;
    snprintf(sql, sizeof sql, format, name);
    REQUIRE(
        sqlite3_prepare_v2(varve_session_sqlite(session), sql, -1, &statement, NULL) == SQLITE_OK);
    return statement;
}

static void
close_store(void)
{
    sqlite3_finalize(is_valid);
    for (size_t i = 0; i < COLUMNS; i++) {
        sqlite3_finalize(damage[i]);
        sqlite3_finalize(stored[i]);
    }
    varve_session_close(session);
    varve_close(store);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct varve_allocator counting = {.allocate = allocate, .release = release};
    static const struct varve_config config = {.data_dir = ":memory:"};
    struct fuzz_lists lists = FUZZ_LISTS_INIT;
    (void)argc;
    (void)argv;
    varve_set_allocator(&counting);
    REQUIRE(varve_open(&fuzz_schema, &config, &store, NULL) == VARVE_OK);
    REQUIRE(varve_session_open(store, &session) == VARVE_OK);
    REQUIRE(fuzz_lists_insert(session, &lists) == VARVE_OK && lists.id == 1);
    REQUIRE(table->column_count <= COLUMNS);
    is_valid = prepare("SELECT json_valid(?1)%s, json_array_length(?1)", "");
    for (size_t i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i].field->name;
        damage[i] = prepare("UPDATE lists SET %s = ?1 WHERE id = 1", name);
        stored[i] = prepare("SELECT %s FROM lists WHERE id = 1", name);
    }
    atexit(close_store);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_SIZE)
        return -1; /* not for the corpus */
    size_t index = json_column(data[0] & COLUMN);
    const struct varve_column *column = &table->columns[index];
    /* a block of its own, so that no byte too many is read unseen */
    struct text text = {NULL, size - HEAD_SIZE};
    char *copy = malloc(text.size + (text.size == 0));
    REQUIRE(copy);
    memcpy(copy, data + HEAD_SIZE, text.size);
    text.data = copy;
    if (data[0] & STORED)
        check_row(column, index, text);
    else
        check_codec(column, text, data[1]);
    free(copy);
    return 0;
}
