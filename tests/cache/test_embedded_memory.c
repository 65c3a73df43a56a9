/* The embedded engine when memory runs out, at any allocation of varve's or of SQLite's: the call says so, and
 * what it did is whole: a value with its index entries, its slot and its bytes in the budget, or none of it. */
#include "contract_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <varve/memory.h>

#include "cache/embedded_sql.h"

static size_t allocations; /* since counting began */
static size_t fail_at;     /* number of the first that fails; 0: none */
static size_t fail_count;  /* how many fail from there on */
static int64_t now = 1000000000;

static bool
fails(void)
{
    allocations++;
    return fail_at > 0 && allocations >= fail_at && allocations < fail_at + fail_count;
}

static void *
allocate(void *context, size_t size)
{
    (void)context;
    return fails() ? NULL : malloc(size);
}

static void
release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static sqlite3_mem_methods usual;

static void *
allocate_for_sqlite(int size)
{
    return fails() ? NULL : usual.xMalloc(size);
}

static void *
grow_for_sqlite(void *memory, int size)
{
    return fails() ? NULL : usual.xRealloc(memory, size);
}

static int64_t
tell_time(void *context)
{
    (void)context;
    return now;
}

static enum varve_status
open_small(struct varve__cache **cache)
{
    const struct varve__embedded_options options = {.max_bytes = 40000, .clock = tell_time};
    return varve__embedded_open(&options, cache);
}

/* -------------------------------------------------------------------- what must hold after any failure */

static int64_t
ask(struct varve__embedded *embedded, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(embedded->database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* Rows, slots, ring and budget agree, and every row that has not expired is found by its key. */
static void
check(struct contract *contract)
{
    struct varve__embedded *embedded = (struct varve__embedded *)contract->cache;
    struct varve__slots *slots = &embedded->slots;
    int64_t count = 0, bytes = 0;
    struct got got = {0};
    char expired_rows[80];
    snprintf(
        expired_rows, sizeof expired_rows, "SELECT count(*) FROM value WHERE expires <= %lld",
        (long long)now);
    assert_int_equal(
        ask(embedded, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
        1);
    for (uint32_t slot = slots->slots[0].newer; slot; slot = slots->slots[slot].newer) {
        count++;
        bytes += slots->slots[slot].size;
    }
    assert_int_equal(ask(embedded, "SELECT count(*) FROM value"), count);
    assert_int_equal(
        ask(embedded, "SELECT total(length(key) + length(value) + 128) FROM value"), bytes);
    assert_int_equal(slots->bytes, bytes);
    for (char name[] = "a"; name[0] <= 'z'; name[0]++) {
        struct varve__cache_text key = key_of(TIMED, name);
        get_keys(contract, TIMED, &key, 1, VARVE__TTL_KEEP, &got);
    }
    assert_int_equal(got.count, count - ask(embedded, expired_rows));
}

/* -------------------------------------------------------------------- calls */

static char large[20000];

/* What is there before: a to h, of which a has expired and b is large. */
static void
fill(struct contract *contract)
{
    for (char name[] = "a"; name[0] <= 'h'; name[0]++) {
        struct varve__cache_item item = {
            .key = key_of(TIMED, name),
            .value = {large, name[0] == 'b' ? 9000 : 100},
            .ttl_ms = name[0] == 'a' ? 10 : 60000,
            .time = name[0],
        };
        put_items(contract, TIMED, &item, 1);
    }
    now += 10000000;
}

static enum varve_status
put_one(struct contract *contract, const char *name, size_t size)
{
    size_t done;
    struct varve__cache_item item = {
        .key = key_of(TIMED, name), .value = {large, size}, .ttl_ms = 60000, .time = 7};
    return contract->cache->engine->put(
        contract->cache, &contract->watch, &contract_spaces[TIMED], &item, 1, NULL, NULL, &done);
}

static enum varve_status
put_new(struct contract *contract)
{
    return put_one(contract, "z", 5000);
}

static enum varve_status
put_over(struct contract *contract)
{
    return put_one(contract, "c", 5000);
}

/* Evicts b at least. */
static enum varve_status
put_large(struct contract *contract)
{
    enum varve_status status = put_one(contract, "y", sizeof large);
    return status == VARVE_OK ? put_one(contract, "z", sizeof large - 1000) : status;
}

/* How many values live for so long from now on. */
static int64_t
count_lives_of(struct contract *contract, int64_t ttl_ms)
{
    char sql[80];
    snprintf(
        sql, sizeof sql, "SELECT count(*) FROM value WHERE expires = %lld",
        (long long)(now + ttl_ms * 1000000));
    return ask((struct varve__embedded *)contract->cache, sql);
}

/* A get that says VARVE_OK gave the lives. */
static enum varve_status
get_large(struct contract *contract)
{
    struct got got = {0};
    struct varve__cache_text keys[] = {key_of(TIMED, "b"), key_of(TIMED, "c")};
    enum varve_status status = contract->cache->engine->get(
        contract->cache, &contract->watch, &contract_spaces[TIMED], keys, 2, 70000, take_value,
        &got);
    fail_at = 0;
    assert_true(status != VARVE_OK || count_lives_of(contract, 70000) == 2);
    return status;
}

static enum varve_status
touch_and_remove(struct contract *contract)
{
    const struct varve__cache_engine *engine = contract->cache->engine;
    bool found;
    enum varve_status status = engine->touch(
        contract->cache, &contract->watch, &contract_spaces[TIMED], key_of(TIMED, "b"), 5000,
        &found);
    if (status == VARVE_OK)
        status = engine->remove(
            contract->cache, &contract->watch, &contract_spaces[TIMED], key_of(TIMED, "b"), &found);
    return status;
}

static enum varve_status
read_order(struct contract *contract)
{
    struct got got = {0};
    struct varve__cache_place place = {0};
    enum varve_status status = contract->cache->engine->recent(
        contract->cache, &contract->watch, &contract_spaces[TIMED], 0, 100, 60000, &place, take_row,
        &got);
    assert_true(status != VARVE_OK || (place.done && got.count == 7));
    return status;
}

static enum varve_status
walk(struct contract *contract)
{
    static const char *packages[] = {"contract"};
    const struct varve__spaces spaces = {.packages = packages, .package_count = 1};
    struct counted counted = {.unwanted = "c"};
    struct varve__cache_walk found = {.wanted = is_wanted, .context = &counted};
    enum varve_status status =
        contract->cache->engine->walk(contract->cache, &contract->watch, &spaces, &found);
    assert_true(status != VARVE_OK || (found.keys_removed == 1 && found.expired_removed == 1));
    return status;
}

/* -------------------------------------------------------------------- each allocation fails */

/* The call with its allocations failing from this number on, `count` of them. Whether there was one. */
static bool
try_call(enum varve_status (*call)(struct contract *), size_t number, size_t count)
{
    struct contract contract = {0};
    assert_int_equal(open_small(&contract.cache), VARVE_OK);
    fill(&contract);
    allocations = 0;
    fail_at = number;
    fail_count = count;
    enum varve_status status = call(&contract);
    bool failed = status != VARVE_OK || allocations >= number;
    fail_at = 0;
    assert_true(status == VARVE_OK || (failed && status == VARVE_NO_MEMORY));
    check(&contract);
    assert_int_equal(put_one(&contract, "x", 100), VARVE_OK);
    check(&contract);
    contract.cache->engine->close(contract.cache);
    return failed;
}

static void
a_call_that_fails_leaves_whole_values(void **state)
{
    static enum varve_status (*const calls[])(struct contract * contract) = {
        put_new, put_over, put_large, get_large, touch_and_remove, read_order, walk,
    };
    size_t tried = 0;
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        for (size_t number = 1; try_call(calls[i], number, 1); number++) {
            try_call(calls[i], number, 1000000);
            tried++;
        }
    }
    print_message("%zu allocations failed\n", tried);
    assert_true(tried > 20);
}

static void
a_cache_without_memory_is_not_opened(void **state)
{
    enum varve_status status = VARVE_NO_MEMORY;
    (void)state;
    for (size_t number = 1; status != VARVE_OK; number++) {
        struct varve__cache *cache = (struct varve__cache *)state;
        allocations = 0;
        fail_at = number;
        fail_count = 1;
        status = open_small(&cache);
        fail_at = 0;
        assert_true(status == VARVE_OK || status == VARVE_NO_MEMORY);
        assert_true((cache != NULL) == (status == VARVE_OK));
        if (cache)
            cache->engine->close(cache);
    }
}

/* The slots double at 64, 128 ..; the put that needs it fails, the next does it. */
static void
slots_grow_or_the_put_fails(void **state)
{
    struct contract contract = {0};
    (void)state;
    assert_int_equal(open_small(&contract.cache), VARVE_OK);
    put_numbered(&contract, PLAIN, 63);
    allocations = 0;
    fail_at = 1;
    fail_count = 1;
    assert_int_equal(put_one(&contract, "z", 100), VARVE_NO_MEMORY);
    fail_at = 0;
    assert_null(value_of(&contract, TIMED, "z", VARVE__TTL_KEEP));
    assert_int_equal(put_one(&contract, "z", 100), VARVE_OK);
    assert_non_null(value_of(&contract, TIMED, "z", VARVE__TTL_KEEP));
    assert_string_equal(value_of(&contract, PLAIN, "name0000", VARVE__TTL_KEEP), "value0000");
    assert_string_equal(value_of(&contract, PLAIN, "name0062", VARVE__TTL_KEEP), "value0062");
    contract.cache->engine->close(contract.cache);
}

int
main(void)
{
    static const struct varve_allocator failing = {allocate, release, NULL};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_fails_leaves_whole_values),
        cmocka_unit_test(a_cache_without_memory_is_not_opened),
        cmocka_unit_test(slots_grow_or_the_put_fails),
    };
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual);
    sqlite3_mem_methods methods = usual;
    methods.xMalloc = allocate_for_sqlite;
    methods.xRealloc = grow_for_sqlite;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    varve_set_allocator(&failing);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
