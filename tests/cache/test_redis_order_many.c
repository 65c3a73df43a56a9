/* Many values of an order by time in one put: several at a time are one step of the server. */
#include "redis_support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

enum {
    MANY = 100,
    LARGE = 20000,  /* bytes of a value, at most */
    FAILING_AT = 45 /* in the middle of a step */
};

/* Items whose keys are 000, 001, .. */
struct batch {
    struct varve__cache_item items[MANY];
    char keys[MANY][32];
    char values[MANY][32];
    size_t done;
};

static void
name_item(struct batch *batch, size_t i, const char *name)
{
    int size = snprintf(batch->keys[i], sizeof batch->keys[i], "lab:00000002:%s", name);
    batch->items[i].key = (struct varve__cache_text){batch->keys[i], (size_t)size};
}

static void
fill_batch(struct batch *batch)
{
    memset(batch, 0, sizeof *batch);
    for (size_t i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "%03zu", i);
        name_item(batch, i, name);
        int size = snprintf(batch->values[i], sizeof batch->values[i], "value %zu", i);
        batch->items[i].value = (struct varve__cache_text){batch->values[i], (size_t)size};
        batch->items[i].time = (int64_t)(1000 + i);
    }
}

static enum varve_status
put_batch(struct redis_fixture *fixture, struct batch *batch, varve__cache_make *make)
{
    varve__watch_begin(&fixture->watch);
    return fixture->cache->engine->put(
        fixture->cache, &fixture->watch, &ordered_space, batch->items, MANY, make, batch,
        &batch->done);
}

static int64_t
number_of(struct redis_fixture *fixture, const char *command)
{
    return strtoll(server_command(fixture->server, command), NULL, 10);
}

/* Whether value i is there; and its place in the order, or neither. */
static bool
is_stored(struct redis_fixture *fixture, size_t i)
{
    const char *text = server_command(fixture->server, "EXISTS lab:00000002:%03d", (int)i);
    bool found = strcmp(text, "1") == 0;
    text = server_command(
        fixture->server, "HSTRLEN lab:00000002%%index%%times lab:00000002:%03d", (int)i);
    assert_string_equal(text, found ? "16" : "0");
    return found;
}

static void
expect_stored(struct redis_fixture *fixture, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        assert_true(is_stored(fixture, i));
}

/* The names of the order, the newest first. */
static enum varve_status
add_name(void *context, struct varve__cache_text key, struct varve__cache_text value)
{
    (void)value;
    strncat(context, key.text + strlen("lab:00000002:"), key.size - strlen("lab:00000002:"));
    strcat(context, " ");
    return VARVE_OK;
}

static const char *
read_names(struct redis_fixture *fixture)
{
    static char names[MANY * 16];
    struct varve__cache_place place = {0};
    names[0] = '\0';
    while (!place.done) {
        varve__watch_begin(&fixture->watch);
        assert_int_equal(
            fixture->cache->engine->recent(
                fixture->cache, &fixture->watch, &ordered_space, INT64_MIN, MANY, VARVE__TTL_KEEP,
                &place, add_name, names),
            VARVE_OK);
    }
    return names;
}

static void
test_of_a_key_that_comes_twice_the_last_counts(void **state)
{
    struct redis_fixture *fixture = *state;
    struct batch batch;
    open_engine(fixture);
    fill_batch(&batch);
    for (size_t i = 4; i < MANY; i++) { /* three keys, in every step */
        static const char *const names[] = {"a", "b", "c"};
        name_item(&batch, i, names[i % 3]);
        batch.items[i].time = (int64_t)(5000 - i);
    }
    batch.items[MANY - 1].time = 1; /* "a" */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(put_batch(fixture, &batch, NULL), VARVE_OK);
        assert_int_equal(batch.done, MANY);
        assert_string_equal(read_names(fixture), "b c 003 002 001 000 a ");
        assert_int_equal(number_of(fixture, "ZCARD lab:00000002%%index"), 7);
        assert_int_equal(number_of(fixture, "HLEN lab:00000002%%index%%times"), 7);
    }
    expect_text(fixture, &ordered_space, "a", "value 99");
    expect_text(fixture, &ordered_space, "b", "value 97");
    expect_text(fixture, &ordered_space, "c", "value 98");
    batch.items[0].time = 1000000;
    batch.items[52].time = batch.items[97].time = 7; /* "b", and others between */
    assert_int_equal(put_batch(fixture, &batch, NULL), VARVE_OK);
    assert_string_equal(read_names(fixture), "000 c 003 002 001 b a ");
    assert_int_equal(number_of(fixture, "ZCARD lab:00000002%%index"), 7);
}

static void
test_each_of_many_has_its_life(void **state)
{
    struct redis_fixture *fixture = *state;
    struct batch batch;
    open_engine(fixture);
    fill_batch(&batch);
    for (size_t i = 0; i < MANY; i++)
        batch.items[i].ttl_ms = i % 2 ? 100 : 60000 + (int64_t)i;
    assert_int_equal(put_batch(fixture, &batch, NULL), VARVE_OK);
    int64_t left = number_of(fixture, "PTTL lab:00000002%%index");
    assert_in_range(left, 60098 - 1000, 75123);
    assert_in_range(number_of(fixture, "PTTL lab:00000002:098"), 59000, 60098);
    sleep_ms(150);
    const char *names = read_names(fixture);
    assert_int_equal(strlen(names), MANY / 2 * strlen("000 "));
    assert_memory_equal(names, "098 096 ", 8);
    batch.items[40].ttl_ms = VARVE__TTL_NONE;
    assert_int_equal(put_batch(fixture, &batch, NULL), VARVE_OK);
    assert_int_equal(number_of(fixture, "PTTL lab:00000002%%index"), -1);
    assert_int_equal(number_of(fixture, "PTTL lab:00000002%%index%%times"), -1);
    assert_int_equal(number_of(fixture, "PTTL lab:00000002:040"), -1);
}

/* Values of all sizes, most too large for their step. */
static enum varve_status
make_large(void *context, size_t i, struct varve__cache_text *value)
{
    static char bytes[LARGE];
    (void)context;
    size_t size = (i * 7919) % (LARGE + 1);
    memset(bytes, 'a' + (int)(i % 26), size);
    *value = (struct varve__cache_text){bytes, size};
    return VARVE_OK;
}

static void
test_values_that_a_step_has_no_room_for_go_with_the_next(void **state)
{
    struct redis_fixture *fixture = *state;
    struct batch batch;
    open_engine(fixture);
    fill_batch(&batch);
    assert_int_equal(put_batch(fixture, &batch, make_large), VARVE_OK);
    assert_int_equal(batch.done, MANY);
    expect_stored(fixture, 0, MANY);
    for (size_t i = 0; i < MANY; i++) {
        const char *text = server_command(fixture->server, "STRLEN lab:00000002:%03d", (int)i);
        assert_int_equal(strtoll(text, NULL, 10), (i * 7919) % (LARGE + 1));
        text = server_command(fixture->server, "GETRANGE lab:00000002:%03d 0 0", (int)i);
        assert_int_equal(text[0], i == 0 ? '\0' : 'a' + (int)(i % 26));
    }
    assert_int_equal(strlen(read_names(fixture)), MANY * strlen("000 "));
}

static enum varve_status
fail_in_the_middle(void *context, size_t i, struct varve__cache_text *value)
{
    struct batch *batch = context;
    if (i == FAILING_AT)
        return varve__fail(
            VARVE_INVALID, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL, "no value for you");
    *value = batch->items[i].value;
    return VARVE_OK;
}

static void
test_a_value_that_cannot_be_made_ends_the_put(void **state)
{
    struct redis_fixture *fixture = *state;
    struct batch batch;
    open_engine(fixture);
    fill_batch(&batch);
    assert_int_equal(put_batch(fixture, &batch, fail_in_the_middle), VARVE_INVALID);
    assert_true(batch.done <= FAILING_AT);
    expect_stored(fixture, 0, batch.done);
    for (size_t i = FAILING_AT; i < MANY; i++)
        assert_false(is_stored(fixture, i));
    assert_int_equal(put_batch(fixture, &batch, NULL), VARVE_OK);
    expect_stored(fixture, 0, MANY);
    assert_int_equal(health_of(fixture).reconnects, 0);
}

static void
test_the_one_that_is_refused_is_told(void **state)
{
    struct redis_fixture *fixture = *state;
    struct batch batch;
    server_command(
        fixture->server, "ACL SETUSER ann reset on >pw ~lab:00000002%%* ~lab:00000002:0* +@all");
    fixture->options.username = "ann";
    fixture->options.password = "pw";
    open_engine(fixture);
    fill_batch(&batch);
    name_item(&batch, FAILING_AT, "forbidden");
    assert_int_equal(put_batch(fixture, &batch, NULL), VARVE_UNAVAILABLE);
    assert_int_equal(batch.done, FAILING_AT);
    assert_int_equal(varve__thread_failure()->index, FAILING_AT);
    expect_stored(fixture, 0, FAILING_AT);
    assert_int_equal(number_of(fixture, "EXISTS lab:00000002:forbidden"), 0);
}

static void
test_a_server_that_becomes_full_has_whole_items(void **state)
{
    struct redis_fixture *fixture = *state;
    struct batch batch;
    open_engine(fixture);
    fill_batch(&batch);
    int64_t used = strtoll(
        strstr(server_command(fixture->server, "INFO memory"), "used_memory:") + 12, NULL, 10);
    server_command(fixture->server, "CONFIG SET maxmemory %lld", (long long)used + 600000);
    enum varve_status status = VARVE_OK;
    for (int i = 0; i < 100 && status == VARVE_OK; i++) {
        for (size_t item = 0; item < MANY; item++)
            batch.items[item].time++;
        status = put_batch(fixture, &batch, make_large);
    }
    assert_int_equal(status, VARVE_FULL);
    assert_int_equal(varve__thread_failure()->index, (int64_t)batch.done);
    assert_in_range(batch.done, 1, MANY - 1);
    expect_stored(fixture, 0, batch.done);
    int64_t stored = 0;
    for (size_t i = 0; i < MANY; i++)
        stored += is_stored(fixture, i);
    assert_int_equal(number_of(fixture, "ZCARD lab:00000002%%index"), stored);
    server_command(fixture->server, "CONFIG SET maxmemory 0");
    assert_int_equal(put_batch(fixture, &batch, make_large), VARVE_OK);
    expect_stored(fixture, 0, MANY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        REDIS_TEST(test_of_a_key_that_comes_twice_the_last_counts),
        REDIS_TEST(test_each_of_many_has_its_life),
        REDIS_TEST(test_values_that_a_step_has_no_room_for_go_with_the_next),
        REDIS_TEST(test_a_value_that_cannot_be_made_ends_the_put),
        REDIS_TEST(test_the_one_that_is_refused_is_told),
        REDIS_TEST(test_a_server_that_becomes_full_has_whole_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
