/* See contract_support.h. */
#include "contract_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

// clang-format off
#define TEXT(literal) {literal, sizeof(literal) - 1}
// clang-format on

static const ProtobufCMessageDescriptor descriptor = {.name = "contract.Record"};
static const struct varve_cache only = {.mode = VARVE_CACHE_ONLY};
static const struct varve_cache read_through = {.mode = VARVE_CACHE_READ_THROUGH};
static const struct varve_record record = {.descriptor = &descriptor, .cache = &only};
static const struct varve_record copied = {.descriptor = &descriptor, .cache = &read_through};

const struct varve__space contract_spaces[SPACE_COUNT] = {
    [PLAIN] = {.record = &record, .number = PLAIN, .prefix = TEXT("contract:00000001:")},
    [TIMED] =
        {.record = &record,
         .number = TIMED,
         .prefix = TEXT("contract:00000002:"),
         .index = TEXT("contract:00000002%index")},
    [TIMED_TOO] =
        {.record = &record,
         .number = TIMED_TOO,
         .prefix = TEXT("contract:00000003:"),
         .index = TEXT("contract:00000003%index")},
    [COPIED] = {.record = &copied, .number = COPIED, .prefix = TEXT("contract:00000004:")},
    [FOREIGN] = {.record = &record, .number = FOREIGN, .prefix = TEXT("contractor:00000001:")},
};

/* -------------------------------------------------------------------- the engine */

static const struct contract_factory *used;

void
use_factory(const struct contract_factory *factory)
{
    used = factory;
}

const char *
engine_name(void)
{
    return used->name;
}

void
let_pass(int64_t ms)
{
    used->let_pass(ms);
}

int
open_contract(void **state)
{
    struct contract *contract = calloc(1, sizeof *contract);
    assert_non_null(contract);
    contract->cache = used->open();
    *state = contract;
    return 0;
}

int
close_contract(void **state)
{
    struct contract *contract = *state;
    contract->cache->engine->close(contract->cache);
    free(contract);
    return 0;
}

static void
expect_ok(enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve__thread_error());
}

/* -------------------------------------------------------------------- keys and values */

struct varve__cache_text
key_of(enum contract_space space, const char *name)
{
    static char texts[64][96];
    static size_t next;
    char *text = texts[next++ % 64];
    int size = snprintf(text, sizeof texts[0], "%s%s", contract_spaces[space].prefix.text, name);
    return (struct varve__cache_text){text, (size_t)size};
}

struct varve__cache_text
text_of(const char *text)
{
    return (struct varve__cache_text){text, strlen(text)};
}

unsigned
sum_of(const char *bytes, size_t size)
{
    unsigned sum = (unsigned)size;
    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + (unsigned char)bytes[i];
    return sum;
}

static enum varve_status
note(struct got *got, const char *word, size_t word_size, struct varve__cache_text value)
{
    size_t used_size = strlen(got->order);
    size_t size = value.size < sizeof got->last ? value.size : sizeof got->last - 1;
    got->count++;
    got->sum = sum_of(value.text, value.size);
    memcpy(got->last, value.text, size);
    got->last[size] = '\0';
    if (used_size + word_size + 2 < sizeof got->order) {
        memcpy(got->order + used_size, word, word_size);
        memcpy(got->order + used_size + word_size, " ", 2);
    }
    if (got->count != got->fail_at)
        return VARVE_OK;
    return varve__fail(
        VARVE_CORRUPT, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL, "the test does not take it");
}

enum varve_status
take_value(void *context, size_t i, struct varve__cache_text value)
{
    struct got *got = context;
    char word[24];
    snprintf(word, sizeof word, "%zu", i);
    if (i < sizeof got->sizes / sizeof *got->sizes)
        got->sizes[i] = value.size;
    return note(got, word, strlen(word), value);
}

enum varve_status
take_row(void *context, struct varve__cache_text key, struct varve__cache_text value)
{
    size_t prefix = contract_spaces[TIMED].prefix.size;
    assert_true(key.size > prefix);
    return note(context, key.text + prefix, key.size - prefix, value);
}

/* -------------------------------------------------------------------- verbs */

void
put_items(
    struct contract *contract,
    enum contract_space space,
    const struct varve__cache_item *items,
    size_t count)
{
    size_t done = SIZE_MAX;
    expect_ok(contract->cache->engine->put(
        contract->cache, &contract->watch, &contract_spaces[space], items, count, NULL, NULL,
        &done));
    assert_int_equal(done, count);
}

void
put_value(
    struct contract *contract,
    enum contract_space space,
    const char *name,
    const char *value,
    int64_t ttl_ms,
    int64_t time)
{
    struct varve__cache_item item = {key_of(space, name), text_of(value), ttl_ms, time};
    put_items(contract, space, &item, 1);
}

void
put_numbered(struct contract *contract, enum contract_space space, size_t count)
{
    enum {
        SIZE = 48
    };
    struct varve__cache_item *items = calloc(count, sizeof *items);
    char(*texts)[SIZE] = calloc(count * 2, SIZE);
    assert_true(items && texts);
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[2 * i], SIZE, "%sname%04zu", contract_spaces[space].prefix.text, i);
        snprintf(texts[2 * i + 1], SIZE, "value%04zu", i);
        items[i].key = text_of(texts[2 * i]);
        items[i].value = text_of(texts[2 * i + 1]);
        items[i].time = (int64_t)i;
    }
    put_items(contract, space, items, count);
    free(texts);
    free(items);
}

void
get_keys(
    struct contract *contract,
    enum contract_space space,
    const struct varve__cache_text *keys,
    size_t count,
    int64_t ttl_ms,
    struct got *got)
{
    expect_ok(contract->cache->engine->get(
        contract->cache, &contract->watch, &contract_spaces[space], keys, count, ttl_ms, take_value,
        got));
}

const char *
value_of(struct contract *contract, enum contract_space space, const char *name, int64_t ttl_ms)
{
    static struct got got;
    struct varve__cache_text key = key_of(space, name);
    got = (struct got){0};
    get_keys(contract, space, &key, 1, ttl_ms, &got);
    return got.count > 0 ? got.last : NULL;
}

bool
touch_value(struct contract *contract, enum contract_space space, const char *name, int64_t ttl_ms)
{
    bool found = false;
    expect_ok(contract->cache->engine->touch(
        contract->cache, &contract->watch, &contract_spaces[space], key_of(space, name), ttl_ms,
        &found));
    return found;
}

bool
remove_value(struct contract *contract, enum contract_space space, const char *name)
{
    bool found = false;
    expect_ok(contract->cache->engine->remove(
        contract->cache, &contract->watch, &contract_spaces[space], key_of(space, name), &found));
    return found;
}

void
take_page(
    struct contract *contract,
    enum contract_space space,
    int64_t since,
    size_t count,
    struct varve__cache_place *place,
    struct got *got)
{
    expect_ok(contract->cache->engine->recent(
        contract->cache, &contract->watch, &contract_spaces[space], since, count, VARVE__TTL_KEEP,
        place, take_row, got));
}

const char *
recent_names(struct contract *contract, enum contract_space space, int64_t since, size_t count)
{
    static struct got got;
    struct varve__cache_place place = {0};
    got = (struct got){0};
    for (int pages = 0; !place.done; pages++) {
        assert_true(pages < 10000);
        take_page(contract, space, since, count, &place, &got);
    }
    if (got.count > 0)
        got.order[strlen(got.order) - 1] = '\0';
    return got.order;
}

void
count_value(void *context, const struct varve__space *space, size_t size)
{
    struct counted *counted = context;
    assert_ptr_equal(space, &contract_spaces[space->number]);
    counted->keys[space->number]++;
    counted->bytes[space->number] += size;
}

bool
is_wanted(void *context, struct varve__cache_text key)
{
    const struct counted *counted = context;
    size_t prefix = contract_spaces[PLAIN].prefix.size;
    size_t size = counted->unwanted ? strlen(counted->unwanted) : 0;
    assert_memory_equal(key.text, "contract", strlen("contract"));
    assert_true(key.text[8] == ':');
    if (size == 0 || key.size < prefix + size)
        return true;
    return memcmp(key.text + prefix, counted->unwanted, size) != 0;
}

void
walk_package(struct contract *contract, struct varve__cache_walk *walk)
{
    static const char *packages[] = {"contract"};
    const struct varve__spaces spaces = {
        .spaces = (struct varve__space *)contract_spaces, /* not written to */
        .count = FOREIGN,
        .packages = packages,
        .package_count = 1,
    };
    expect_ok(contract->cache->engine->walk(contract->cache, &contract->watch, &spaces, walk));
}
