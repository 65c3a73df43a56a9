/* Hot copies when memory runs out, at any allocation of varve's or of SQLite's: a call fails or not, and no get is
 * ever stale. */
#include "hot_support.h"

#include <stdlib.h>

#include <sqlite3.h>

/* -------------------------------------------------------------------- memory */

static size_t allocations; /* since counting began */
static size_t fail_at;     /* number of the one that fails; 0: none */

static bool
fails(void)
{
    return ++allocations == fail_at;
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

static int
take_over_memory(void)
{
    static const struct varve_allocator allocator = {.allocate = allocate, .release = release};
    sqlite3_mem_methods methods;
    varve_set_allocator(&allocator);
    int code = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual);
    methods = usual;
    methods.xMalloc = allocate_for_sqlite;
    methods.xRealloc = grow_for_sqlite;
    return code == SQLITE_OK ? sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) : code;
}

/* -------------------------------------------------------------------- trials */

/* The value that the table has. */
static int64_t
stored(const struct hot *hot)
{
    return atoll(hot_query(hot, "SELECT value FROM item WHERE id = 1"));
}

static void
expect_fine(enum varve_status status)
{
    if (status != VARVE_OK && status != VARVE_NO_MEMORY && status != VARVE_UNKNOWN_OUTCOME)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(NULL));
}

/* An update and gets, of which allocation number `at` fails; false: there are not so many. */
static bool
try(struct hot *hot, size_t at)
{
    struct hot_item item = HOT_ITEM_INIT, *got, **many;
    item.id = 1;
    item.value = (int64_t)at;
    allocations = 0;
    fail_at = at;
    expect_fine(hot_item_cache_get(hot->session, &item, &got));
    hot_item_free(got);
    expect_fine(hot_item_update(hot->session, &item));
    expect_fine(hot_item_cache_get_many(hot->session, &item, 1, &many));
    hot_item_free_many(many);
    expect_fine(hot_item_cache_put(hot->session, &item));
    expect_fine(hot_item_cache_touch(hot->session, &item));
    bool failed = allocations >= at;
    fail_at = 0;
    int64_t value = stored(hot);
    assert_int_equal(hot_value(hot->session, 1), value);
    assert_int_equal(hot_value(hot->other_session, 1), value);
    return failed;
}

static void
test_no_memory_makes_no_copy_stale(void **state)
{
    struct hot *hot = *state;
    hot_insert_item(hot, 0, 0);
    hot_open_other(hot, true);
    size_t at = 1;
    while (try(hot, at))
        at++;
    assert_true(at > 20);
    assert_string_equal(hot_waiting(hot), "");
}

/* Opening takes over what is copied, enters it, and drains; what fails there leaves the store without copies. */
static void
test_no_memory_while_opening(void **state)
{
    struct hot *hot = *state;
    struct varve_store *store;
    struct varve_session *session;
    struct varve_config config = {
        .data_dir = hot->folder, .redis_unix_socket = server_socket(hot->server)};
    hot_insert_item(hot, 5, 0);
    bool failed = true;
    for (size_t at = 1; failed; at += 7) {
        hot_execute(hot, "DELETE FROM varve_copied; UPDATE item SET value = value + 1");
        allocations = 0;
        fail_at = at;
        enum varve_status status = varve_open(&hot_schema, &config, &store, NULL);
        failed = allocations >= at;
        fail_at = 0;
        if (status != VARVE_OK)
            continue;
        assert_int_equal(varve_session_open(store, &session), VARVE_OK);
        assert_int_equal(hot_value(session, 1), stored(hot));
        varve_session_close(session);
        varve_close(store);
    }
}

int
main(void)
{
    if (take_over_memory() != SQLITE_OK)
        return 100;
    const struct CMUnitTest tests[] = {
        HOT_TEST(test_no_memory_makes_no_copy_stale),
        HOT_TEST(test_no_memory_while_opening),
    };
    return cmocka_run_group_tests_name("read through, memory", tests, NULL, NULL);
}
