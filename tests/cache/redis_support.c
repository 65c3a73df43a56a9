/* Engines, values and logs for the tests of the Redis engine. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "redis_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"

static const ProtobufCMessageDescriptor note = {.name = "lab.Note"};
static const struct varve_cache only = {.mode = VARVE_CACHE_ONLY};
static const struct varve_cache read_through = {.mode = VARVE_CACHE_READ_THROUGH};
static const struct varve_record only_record = {.descriptor = &note, .cache = &only};
static const struct varve_record copied_record = {.descriptor = &note, .cache = &read_through};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }
#define PLAIN                                                                                      \
    {                                                                                              \
        .record = &only_record, .number = 0, .prefix = TEXT("lab:00000001:")                       \
    }
#define ORDERED                                                                                    \
    {                                                                                              \
        .record = &only_record, .number = 1, .prefix = TEXT("lab:00000002:"),                      \
        .index = TEXT("lab:00000002%index")                                                        \
    }
#define COPIED                                                                                     \
    {                                                                                              \
        .record = &copied_record, .number = 2, .prefix = TEXT("lab:00000003:")                     \
    }

const struct varve__space plain_space = PLAIN;
const struct varve__space ordered_space = ORDERED;
const struct varve__space copied_space = COPIED;
static struct varve__space spaces[] = {PLAIN, ORDERED, COPIED};
static const char *packages[] = {"lab"};
const struct varve__spaces all_spaces = {
    .spaces = spaces,
    .count = 3,
    .read_through_count = 1,
    .packages = packages,
    .package_count = 1,
};

static void
note_event(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    struct redis_fixture *fixture = context;
    char line[1200];
    assert_int_equal(tier, VARVE_TIER_CACHE);
    snprintf(line, sizeof line, "%d %s\n", (int)level, message);
    pthread_mutex_lock(&fixture->log_lock);
    if (strlen(fixture->log) + strlen(line) < sizeof fixture->log)
        strcat(fixture->log, line);
    pthread_mutex_unlock(&fixture->log_lock);
}

int
set_up_redis(void **state)
{
    struct redis_fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    pthread_mutex_init(&fixture->log_lock, NULL);
    fixture->server = server_start(NULL);
    fixture->options = (struct varve__redis_options){
        .unix_socket = server_socket(fixture->server),
        .needs_run = true,
        .connect_timeout_ms = 1000,
        .timeout_ms = 2000,
        .pool_size = 16,
        .pool_timeout_ms = 1000,
        .retries = 3,
        .breaker_failures = 5,
        .breaker_ms = 100,
        .log = note_event,
        .log_context = fixture,
    };
    *state = fixture;
    return 0;
}

static void
close_engine(struct redis_fixture *fixture)
{
    if (fixture->cache)
        fixture->cache->engine->close(fixture->cache);
    fixture->cache = NULL;
}

int
tear_down_redis(void **state)
{
    struct redis_fixture *fixture = *state;
    close_engine(fixture);
    server_stop(fixture->server);
    pthread_mutex_destroy(&fixture->log_lock);
    free(fixture);
    return 0;
}

void
use_server(struct redis_fixture *fixture, const char *const *arguments)
{
    server_stop(fixture->server);
    fixture->server = NULL; /* where the next does not start */
    fixture->server = server_start(arguments);
    fixture->options.unix_socket = server_socket(fixture->server);
}

struct varve__cache *
open_engine(struct redis_fixture *fixture)
{
    close_engine(fixture);
    assert_int_equal(varve__redis_open(&fixture->options, &fixture->cache), VARVE_OK);
    return fixture->cache;
}

/* -------------------------------------------------------------------- values */

static struct varve__cache_text
write_key(char key[256], const struct varve__space *space, const char *name)
{
    int size = snprintf(key, 256, "%.*s%s", (int)space->prefix.size, space->prefix.text, name);
    return (struct varve__cache_text){key, (size_t)size};
}

enum varve_status
put_text(
    struct redis_fixture *fixture,
    const struct varve__space *space,
    const char *key,
    const char *value,
    int64_t time)
{
    char buffer[256];
    size_t done;
    const struct varve__cache_item item = {
        .key = write_key(buffer, space, key),
        .value = {value, strlen(value)},
        .time = time,
    };
    varve__watch_begin(&fixture->watch);
    enum varve_status status = fixture->cache->engine->put(
        fixture->cache, &fixture->watch, space, &item, 1, NULL, NULL, &done);
    varve__watch_end(&fixture->watch);
    assert_true(done == (status == VARVE_OK));
    return status;
}

static enum varve_status
take_text(void *context, size_t i, struct varve__cache_text value)
{
    assert_int_equal(i, 0);
    assert_true(value.size < 256);
    memcpy(context, value.text, value.size);
    ((char *)context)[value.size] = '\0';
    return VARVE_OK;
}

enum varve_status
get_text(
    struct redis_fixture *fixture,
    const struct varve__space *space,
    const char *key,
    char value[256])
{
    char buffer[256];
    struct varve__cache_text text = write_key(buffer, space, key);
    value[0] = '\1'; /* not found */
    value[1] = '\0';
    varve__watch_begin(&fixture->watch);
    enum varve_status status = fixture->cache->engine->get(
        fixture->cache, &fixture->watch, space, &text, 1, VARVE__TTL_KEEP, take_text, value);
    varve__watch_end(&fixture->watch);
    return status == VARVE_OK && value[0] == '\1' ? VARVE_NOT_FOUND : status;
}

void
expect_text(
    struct redis_fixture *fixture,
    const struct varve__space *space,
    const char *key,
    const char *value)
{
    char found[256];
    assert_int_equal(get_text(fixture, space, key, found), VARVE_OK);
    assert_string_equal(found, value);
}

/* -------------------------------------------------------------------- what happened */

void
expect_recovery(struct redis_fixture *fixture)
{
    int64_t begin = varve__monotonic_now();
    while (put_text(fixture, &plain_space, "later", "well", 0) != VARVE_OK) {
        assert_true(milliseconds_since(begin) < 10000);
        sleep_ms(5);
    }
    expect_text(fixture, &plain_space, "later", "well");
}

void
expect_failure(enum varve_status status, const char *part)
{
    const struct varve_failure *failure = varve__thread_failure();
    assert_non_null(failure);
    assert_int_equal(failure->status, status);
    if (!strstr(varve__thread_error(), part))
        fail_msg("\"%s\" is not in: %s", part, varve__thread_error());
}

size_t
count_in_log(struct redis_fixture *fixture, const char *text)
{
    size_t count = 0;
    pthread_mutex_lock(&fixture->log_lock);
    for (const char *at = fixture->log; (at = strstr(at, text)); at++)
        count++;
    pthread_mutex_unlock(&fixture->log_lock);
    return count;
}

struct varve_cache_health
health_of(struct redis_fixture *fixture)
{
    struct varve_cache_health health = {0};
    struct varve__watch watch = {0};
    varve__watch_begin(&watch);
    /* The numbers of the engine itself are there whether the server answers or not. */
    enum varve_status status = fixture->cache->engine->health(fixture->cache, &watch, &health);
    health.available = status == VARVE_OK;
    return health;
}

int64_t
milliseconds_since(int64_t begin)
{
    return (varve__monotonic_now() - begin) / 1000000;
}

void
sleep_ms(int64_t duration_ms)
{
    struct timespec pause = {duration_ms / 1000, duration_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}
