/* The order by time as it lies in Redis, and what a walk makes of it: see redis_scripts.c. */
#include "redis_support.h"

#include <stdio.h>
#include <stdlib.h>

#include <varve/memory.h>

#include "base/error.h"

#define INDEX "lab:00000002%%index"
#define TIMES "lab:00000002%%index%%times"

/* Puts value `name` with this life and time. */
static enum varve_status
put_living(struct redis_fixture *fixture, const char *name, int64_t ttl_ms, int64_t time)
{
    char key[64];
    size_t done;
    int size = snprintf(key, sizeof key, "lab:00000002:%s", name);
    const struct varve__cache_item item = {
        .key = {key, (size_t)size}, .value = {name, strlen(name)}, .ttl_ms = ttl_ms, .time = time};
    varve__watch_begin(&fixture->watch);
    return fixture->cache->engine->put(
        fixture->cache, &fixture->watch, &ordered_space, &item, 1, NULL, NULL, &done);
}

static void
must_put(struct redis_fixture *fixture, const char *name, int64_t ttl_ms, int64_t time)
{
    assert_int_equal(put_living(fixture, name, ttl_ms, time), VARVE_OK);
}

static int64_t
number_of(struct redis_fixture *fixture, const char *command)
{
    return strtoll(server_command(fixture->server, command), NULL, 10);
}

static void
expect_entries(struct redis_fixture *fixture, int64_t members, int64_t times)
{
    assert_int_equal(number_of(fixture, "ZCARD " INDEX), members);
    assert_int_equal(number_of(fixture, "HLEN " TIMES), times);
}

static enum varve_status
add_row(void *context, struct varve__cache_text key, struct varve__cache_text value)
{
    char *rows = context;
    assert_true(key.size > value.size);
    strncat(rows, value.text, value.size);
    strcat(rows, " ");
    return VARVE_OK;
}

/* The values from `since` on, a line for each page of `count`. */
static const char *
read_pages(struct redis_fixture *fixture, int64_t since, size_t count, int64_t ttl_ms)
{
    static char rows[4096];
    struct varve__cache_place place = {0};
    rows[0] = '\0';
    while (!place.done) {
        varve__watch_begin(&fixture->watch);
        assert_int_equal(
            fixture->cache->engine->recent(
                fixture->cache, &fixture->watch, &ordered_space, since, count, ttl_ms, &place,
                add_row, rows),
            VARVE_OK);
        strcat(rows, "|");
    }
    return rows;
}

static void
test_times_are_exact_and_pages_end_where_they_change(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    must_put(fixture, "least", 0, INT64_MIN);
    must_put(fixture, "before", 0, -1);
    must_put(fixture, "a", 0, 1700000000000000001);
    must_put(fixture, "b", 0, 1700000000000000002);
    must_put(fixture, "c", 0, 1700000000000000002);
    must_put(fixture, "d", 0, 1700000000000000003);
    must_put(fixture, "most", 0, INT64_MAX);
    const char *all = "most d c b |a before least |";
    assert_string_equal(read_pages(fixture, INT64_MIN, 3, VARVE__TTL_KEEP), all);
    all = "most |d |c b |a |before |least |";
    assert_string_equal(read_pages(fixture, INT64_MIN, 1, VARVE__TTL_KEEP), all);
    all = "most d |c b |";
    assert_string_equal(read_pages(fixture, 1700000000000000002, 2, VARVE__TTL_KEEP), all);
    assert_string_equal(read_pages(fixture, INT64_MAX, 2, VARVE__TTL_KEEP), "most |");
}

/* Counts rows, and checks that keys fall. */
struct descent {
    size_t count;
    char last[64];
};

static enum varve_status
count_down(void *context, struct varve__cache_text key, struct varve__cache_text value)
{
    struct descent *descent = context;
    char text[64] = "";
    memcpy(text, key.text, key.size);
    assert_int_equal(value.size, 1);
    assert_true(descent->count++ == 0 || strcmp(text, descent->last) < 0);
    memcpy(descent->last, text, sizeof text);
    return VARVE_OK;
}

static void
test_a_time_that_very_many_have_is_read_in_parts(void **state)
{
    enum {
        MANY = 40000
    };
    struct redis_fixture *fixture = *state;
    struct descent descent = {0};
    struct varve__cache_place place = {0};
    size_t done, pages = 0;
    open_engine(fixture);
    static struct varve__cache_item items[MANY];
    static char keys[MANY][32];
    for (size_t i = 0; i < MANY; i++) {
        int size = snprintf(keys[i], sizeof keys[i], "lab:00000002:%05zu", i);
        items[i] = (struct varve__cache_item){
            .key = {keys[i], (size_t)size}, .value = {"1", 1}, .time = i < 10 ? 4 : 5};
    }
    varve__watch_begin(&fixture->watch);
    const struct varve__cache_engine *engine = fixture->cache->engine;
    assert_int_equal(
        engine->put(
            fixture->cache, &fixture->watch, &ordered_space, items, MANY, NULL, NULL, &done),
        VARVE_OK);
    for (; !place.done; pages++)
        assert_int_equal(
            engine->recent(
                fixture->cache, &fixture->watch, &ordered_space, 0, 100, VARVE__TTL_KEEP, &place,
                count_down, &descent),
            VARVE_OK);
    assert_int_equal(descent.count, MANY);
    assert_int_equal(pages, 4); /* 16384 twice, the rest of that time, the ten */
}

static void
test_a_key_that_is_put_again_has_one_entry(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    must_put(fixture, "a", 0, 5);
    must_put(fixture, "b", 0, 6);
    must_put(fixture, "a", 0, 7);
    must_put(fixture, "a", 0, 7);
    expect_entries(fixture, 2, 2);
    assert_string_equal(read_pages(fixture, 0, 10, VARVE__TTL_KEEP), "a b |");
    must_put(fixture, "a", 0, 1);
    assert_string_equal(read_pages(fixture, 0, 10, VARVE__TTL_KEEP), "b a |");
}

static void
test_entries_of_expired_values_go_with_later_puts(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    must_put(fixture, "stays", 0, 1);
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "old%d", i);
        must_put(fixture, name, 150, i);
    }
    sleep_ms(200);
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "new%d", i);
        must_put(fixture, name, 0, i);
    }
    int64_t members = number_of(fixture, "ZCARD " INDEX);
    assert_in_range(members, 301, 330);
    assert_int_equal(number_of(fixture, "HLEN " TIMES), members);
}

static void
test_reading_removes_what_it_finds_dead(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    for (int i = 0; i < 30; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        must_put(fixture, name, 0, i);
    }
    for (int i = 0; i < 30; i++) {
        if (i % 3 > 0 || i == 0)
            server_command(fixture->server, "DEL lab:00000002:v%d", i);
    }
    assert_string_equal(
        read_pages(fixture, 0, 15, VARVE__TTL_KEEP), "v27 v24 v21 v18 v15 |v12 v9 v6 v3 |");
    expect_entries(fixture, 9, 9);
}

static void
test_without_the_times_the_order_begins_anew(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    must_put(fixture, "a", 0, 5);
    must_put(fixture, "b", 0, 6);
    server_command(fixture->server, "DEL " TIMES);
    assert_string_equal(read_pages(fixture, 0, 10, VARVE__TTL_KEEP), "b a |");
    must_put(fixture, "a", 0, 9);
    assert_string_equal(read_pages(fixture, 0, 10, VARVE__TTL_KEEP), "a |");
    expect_entries(fixture, 1, 1);
}

static void
test_without_the_set_the_times_do_no_harm(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    must_put(fixture, "a", 0, 5);
    must_put(fixture, "b", 0, 6);
    server_command(fixture->server, "DEL " INDEX);
    must_put(fixture, "a", 0, 9);
    assert_string_equal(read_pages(fixture, 0, 10, VARVE__TTL_KEEP), "a |");
    must_put(fixture, "b", 0, 8);
    assert_string_equal(read_pages(fixture, 0, 10, VARVE__TTL_KEEP), "a b |");
}

static void
test_a_set_of_another_type_fails_the_put_before_anything_is_done(void **state)
{
    struct redis_fixture *fixture = *state;
    open_engine(fixture);
    must_put(fixture, "a", 0, 5);
    server_command(fixture->server, "SET " INDEX " text");
    assert_int_equal(put_living(fixture, "b", 0, 6), VARVE_CORRUPT);
    assert_int_equal(number_of(fixture, "EXISTS lab:00000002:b"), 0);
    assert_int_equal(number_of(fixture, "HLEN " TIMES), 1);
}

static void
expect_life(struct redis_fixture *fixture, int64_t least, int64_t most)
{
    int64_t left[] = {number_of(fixture, "PTTL " INDEX), number_of(fixture, "PTTL " TIMES)};
    for (size_t i = 0; i < 2; i++) {
        if (left[i] < least || left[i] > most)
            fail_msg(
                "%lld is not from %lld to %lld", (long long)left[i], (long long)least,
                (long long)most);
    }
}

static enum varve_status
take_any(void *context, size_t i, struct varve__cache_text value)
{
    (void)context;
    (void)i;
    (void)value;
    return VARVE_OK;
}

static void
test_the_order_lives_as_long_as_its_values(void **state)
{
    struct redis_fixture *fixture = *state;
    static const struct varve__cache_text key = {"lab:00000002:a", 14};
    const struct varve__cache_engine *engine = open_engine(fixture)->engine;
    bool found;
    must_put(fixture, "a", 10000, 5);
    expect_life(fixture, 10000, 12500);
    must_put(fixture, "b", 500, 6);
    expect_life(fixture, 10000, 12500);
    varve__watch_begin(&fixture->watch);
    assert_int_equal(
        engine->touch(fixture->cache, &fixture->watch, &ordered_space, key, 20000, &found),
        VARVE_OK);
    assert_true(found);
    expect_life(fixture, 20000, 25000);
    assert_int_equal(
        engine->get(
            fixture->cache, &fixture->watch, &ordered_space, &key, 1, 40000, take_any, NULL),
        VARVE_OK);
    expect_life(fixture, 40000, 50000);
    read_pages(fixture, 0, 10, 80000);
    expect_life(fixture, 80000, 100000);
    must_put(fixture, "c", VARVE__TTL_NONE, 7);
    expect_life(fixture, -1, -1);
    must_put(fixture, "d", 1000, 8);
    expect_life(fixture, -1, -1);
}

static void
test_a_remove_leaves_nothing(void **state)
{
    struct redis_fixture *fixture = *state;
    static const struct varve__cache_text key = {"lab:00000002:a", 14};
    bool found;
    open_engine(fixture);
    must_put(fixture, "a", 0, 5);
    for (int i = 0; i < 2; i++) {
        varve__watch_begin(&fixture->watch);
        assert_int_equal(
            fixture->cache->engine->remove(
                fixture->cache, &fixture->watch, &ordered_space, key, &found),
            VARVE_OK);
        assert_int_equal(found, i == 0);
    }
    assert_int_equal(number_of(fixture, "DBSIZE"), 0);
}

/* -------------------------------------------------------------------- the walk */

struct walked {
    size_t keys[3];
    size_t bytes[3];
    char asked[2048]; /* keys, a line each */
};

static void
count_key(void *context, const struct varve__space *space, size_t size)
{
    struct walked *walked = context;
    walked->keys[space->number]++;
    walked->bytes[space->number] += size;
}

/* What has no "unwanted" in it. */
static bool
is_wanted(void *context, struct varve__cache_text key)
{
    struct walked *walked = context;
    char text[128] = "";
    assert_true(key.size < sizeof text);
    memcpy(text, key.text, key.size);
    if (strlen(walked->asked) + sizeof text + 1 < sizeof walked->asked)
        strcat(strcat(walked->asked, text), "\n");
    return !strstr(text, "unwanted");
}

static struct varve__cache_walk
walk_all(struct redis_fixture *fixture, struct walked *walked, bool removes)
{
    struct varve__cache_walk walk = {
        .wanted = removes ? is_wanted : NULL, .count = count_key, .context = walked};
    memset(walked, 0, sizeof *walked);
    varve__watch_begin(&fixture->watch);
    assert_int_equal(
        fixture->cache->engine->walk(fixture->cache, &fixture->watch, &all_spaces, &walk),
        VARVE_OK);
    return walk;
}

static void
fill_for_walk(struct redis_fixture *fixture)
{
    char run[17] = "";
    const char *info = server_command(fixture->server, "INFO");
    memcpy(run, strstr(info, "run_id:") + 7, 8);
    memcpy(run + 8, strstr(info, "master_replid:") + 14, 8);
    assert_int_equal(put_text(fixture, &plain_space, "a", "123", 0), VARVE_OK);
    assert_int_equal(put_text(fixture, &plain_space, "mail@deadbeefdeadbeef", "12", 0), VARVE_OK);
    server_command(fixture->server, "SET lab:00000003:copy@%s 1234", run);
    server_command(fixture->server, "SET lab:00000003:copy@%s%%lease token", run);
    server_command(fixture->server, "SET lab:00000003:unwanted@%s 1", run);
    server_command(fixture->server, "SET lab:00000003:copy@0123456701234567 12345");
    server_command(fixture->server, "SET lab:00000009:unwanted 1");
    server_command(fixture->server, "SET label:00000001:unwanted 1");
    server_command(fixture->server, "SET unwanted:lab:1 1");
    server_command(fixture->server, "LPUSH lab:00000001:list 1");
    must_put(fixture, "living", 0, 1);
    must_put(fixture, "dead", 0, 2);
    server_command(fixture->server, "DEL lab:00000002:dead");
}

static void
test_a_walk_counts_and_removes_nothing_else(void **state)
{
    struct redis_fixture *fixture = *state;
    struct walked walked;
    open_engine(fixture);
    fill_for_walk(fixture);
    int64_t before = number_of(fixture, "DBSIZE");
    struct varve__cache_walk walk = walk_all(fixture, &walked, false);
    assert_int_equal(number_of(fixture, "DBSIZE"), before);
    expect_entries(fixture, 2, 2);
    assert_int_equal(walk.keys_removed + walk.entries_removed, 0);
    assert_int_equal(walked.keys[0], 2);
    assert_int_equal(walked.bytes[0], 5);
    assert_int_equal(walked.keys[1], 1);
    assert_int_equal(walked.bytes[1], 6);
    assert_int_equal(walked.keys[2], 2);
    assert_int_equal(walked.bytes[2], 5);
}

static void
test_a_walk_removes_what_is_unwanted_dead_or_of_another_run(void **state)
{
    struct redis_fixture *fixture = *state;
    struct walked walked;
    open_engine(fixture);
    fill_for_walk(fixture);
    struct varve__cache_walk walk = walk_all(fixture, &walked, true);
    assert_int_equal(walk.keys_removed, 3);
    assert_int_equal(walk.entries_removed, 1);
    expect_entries(fixture, 1, 1);
    assert_int_equal(number_of(fixture, "EXISTS label:00000001:unwanted unwanted:lab:1"), 2);
    assert_int_equal(number_of(fixture, "EXISTS lab:00000003:copy@01234567"), 0);
    assert_non_null(strstr(walked.asked, "lab:00000001:mail@deadbeefdeadbeef\n"));
    assert_non_null(strstr(walked.asked, "lab:00000003:copy\n"));
    assert_non_null(strstr(walked.asked, "lab:00000002%index\n"));
    assert_null(strstr(walked.asked, "times"));
    assert_null(strstr(walked.asked, "lease"));
    assert_int_equal(walked.keys[2], 1);
}

static void
test_a_walk_cleans_orders_of_thousands(void **state)
{
    struct redis_fixture *fixture = *state;
    struct walked walked;
    open_engine(fixture);
    for (int i = 0; i < 3000; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        must_put(fixture, name, 0, i);
    }
    for (int i = 0; i < 2500; i++)
        server_command(fixture->server, "DEL lab:00000002:v%d", i);
    struct varve__cache_walk walk = walk_all(fixture, &walked, true);
    assert_int_equal(walk.entries_removed, 2500);
    assert_int_equal(walked.keys[1], 500);
    expect_entries(fixture, 500, 500);
}

/* -------------------------------------------------------------------- without memory */

static size_t fail_at; /* number of the allocation that fails; 0: none */

static void *
allocate(void *context, size_t size)
{
    (void)context;
    return fail_at > 0 && --fail_at == 0 ? NULL : malloc(size);
}

static void
release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* Opens an engine, puts, reads and walks: the status of what failed. */
static enum varve_status
use_engine(struct redis_fixture *fixture)
{
    struct varve__cache_walk walk = {0};
    struct varve__cache_place place = {0};
    static char rows[8192];
    rows[0] = '\0';
    if (varve__redis_open(&fixture->options, &fixture->cache) != VARVE_OK)
        return VARVE_NO_MEMORY;
    const struct varve__cache_engine *engine = fixture->cache->engine;
    enum varve_status status = put_living(fixture, "a", 0, 5);
    varve__watch_begin(&fixture->watch);
    if (status == VARVE_OK)
        status = engine->recent(
            fixture->cache, &fixture->watch, &ordered_space, 0, 500, 60000, &place, add_row, rows);
    if (status == VARVE_OK)
        status = engine->walk(fixture->cache, &fixture->watch, &all_spaces, &walk);
    engine->close(fixture->cache);
    fixture->cache = NULL;
    return status;
}

static void
test_any_allocation_that_fails_fails_the_call_alone(void **state)
{
    struct redis_fixture *fixture = *state;
    const struct varve_allocator failing = {.allocate = allocate, .release = release};
    open_engine(fixture);
    for (int i = 0; i < 200; i++) {
        char name[40];
        snprintf(name, sizeof name, "a long name of a value %d", i);
        must_put(fixture, name, 0, i);
        if (i % 2)
            server_command(fixture->server, "DEL lab:00000002:%s", name);
    }
    fixture->cache->engine->close(fixture->cache);
    fixture->cache = NULL;
    varve_set_allocator(&failing);
    size_t failures = 0;
    for (bool failed = true; failed; failures++) {
        size_t number = fail_at = failures + 1;
        enum varve_status status = use_engine(fixture);
        failed = fail_at == 0;
        assert_int_equal(status, failed ? VARVE_NO_MEMORY : VARVE_OK);
        assert_true(number < 200);
        fail_at = 0;
    }
    varve_set_allocator(NULL);
    assert_true(failures > 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        REDIS_TEST(test_times_are_exact_and_pages_end_where_they_change),
        REDIS_TEST(test_a_time_that_very_many_have_is_read_in_parts),
        REDIS_TEST(test_a_key_that_is_put_again_has_one_entry),
        REDIS_TEST(test_entries_of_expired_values_go_with_later_puts),
        REDIS_TEST(test_reading_removes_what_it_finds_dead),
        REDIS_TEST(test_without_the_times_the_order_begins_anew),
        REDIS_TEST(test_without_the_set_the_times_do_no_harm),
        REDIS_TEST(test_a_set_of_another_type_fails_the_put_before_anything_is_done),
        REDIS_TEST(test_the_order_lives_as_long_as_its_values),
        REDIS_TEST(test_a_remove_leaves_nothing),
        REDIS_TEST(test_a_walk_counts_and_removes_nothing_else),
        REDIS_TEST(test_a_walk_removes_what_is_unwanted_dead_or_of_another_run),
        REDIS_TEST(test_a_walk_cleans_orders_of_thousands),
        REDIS_TEST(test_any_allocation_that_fails_fails_the_call_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
