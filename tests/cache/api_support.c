#define _POSIX_C_SOURCE 200809L /* mkdtemp, nanosleep */

#include "api_support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct test_server *group_server; /* NULL: the group's cache is embedded */

/* -------------------------------------------------------------------- groups */

int
api_use_embedded(void **state)
{
    (void)state;
    group_server = NULL;
    return 0;
}

int
api_use_redis(void **state)
{
    (void)state;
    group_server = server_start(NULL);
    return 0;
}

int
api_stop_redis(void **state)
{
    (void)state;
    server_stop(group_server);
    group_server = NULL;
    return 0;
}

/* -------------------------------------------------------------------- a store for each test */

static int64_t
moved_clock(void *context)
{
    const struct api *api = context;
    return varve_now() + api->passed;
}

static void
keep_log(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    (void)level, (void)tier;
    struct api *api = context;
    pthread_mutex_lock(&api->log_lock);
    size_t used = strlen(api->log);
    if (used + strlen(message) + 2 < sizeof api->log)
        snprintf(api->log + used, sizeof api->log - used, "%s\n", message);
    pthread_mutex_unlock(&api->log_lock);
}

bool
api_logged(struct api *api, const char *part)
{
    pthread_mutex_lock(&api->log_lock);
    bool found = strstr(api->log, part) != NULL;
    pthread_mutex_unlock(&api->log_lock);
    return found;
}

static struct varve_config
complete(struct api *api, struct varve_config config)
{
    config.data_dir = api->folder;
    config.log = keep_log;
    config.log_context = api;
    config.clock = moved_clock;
    config.clock_context = api;
    if (api->server)
        config.redis_unix_socket = server_socket(api->server);
    return config;
}

struct varve_config
api_config(struct api *api)
{
    return complete(api, (struct varve_config){0});
}

void
api_close(struct api *api)
{
    varve_session_close(api->second);
    varve_session_close(api->session);
    varve_close(api->store);
    api->second = api->session = NULL;
    api->store = NULL;
}

void
api_open_with(struct api *api, struct varve_config config)
{
    struct varve_error error;
    api_close(api);
    config = complete(api, config);
    if (varve_open(&cache_lab_schema, &config, &api->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    api_renew_session(api);
}

int
api_set_up(void **state)
{
    struct api *api = calloc(1, sizeof *api);
    if (!api)
        return -1;
    pthread_mutex_init(&api->log_lock, NULL);
    snprintf(api->folder, sizeof api->folder, "/tmp/varve-test-XXXXXX");
    if (!mkdtemp(api->folder))
        return -1;
    api->server = group_server;
    if (api->server)
        server_command(api->server, "FLUSHALL");
    api_open_with(api, (struct varve_config){0});
    *state = api;
    return 0;
}

int
api_tear_down(void **state)
{
    char command[80];
    struct api *api = *state;
    api_close(api);
    if (api->server && server_process(api->server) == 0)
        server_restart(api->server); /* for the next test */
    snprintf(command, sizeof command, "rm -r %s", api->folder);
    int result = system(command);
    pthread_mutex_destroy(&api->log_lock);
    free(api);
    return result;
}

struct varve_session *
api_second_session(struct api *api)
{
    assert_null(api->second);
    assert_int_equal(varve_session_open(api->store, &api->second), VARVE_OK);
    return api->second;
}

void
api_renew_session(struct api *api)
{
    varve_session_close(api->session);
    api->session = NULL;
    assert_int_equal(varve_session_open(api->store, &api->session), VARVE_OK);
}

void
api_pass_time(struct api *api, int64_t milliseconds)
{
    struct timespec wait = {
        .tv_sec = (time_t)(milliseconds / 1000), .tv_nsec = (long)(milliseconds % 1000 * 1000000)};
    if (api->server)
        nanosleep(&wait, NULL);
    else
        api->passed += milliseconds * 1000000;
}

void
api_kill_server(struct api *api)
{
    server_kill(api->server, SIGKILL);
}

void
api_restart_server(struct api *api)
{
    server_restart(api->server);
}

/* -------------------------------------------------------------------- expectations */

void
expect_ok(const struct varve_session *session, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(session));
}

void
expect_failure(
    const struct varve_session *session,
    enum varve_status got,
    enum varve_status wanted,
    const char *part)
{
    const char *text = varve_session_error(session);
    if (got != wanted)
        fail_msg("%s, not %s: %s", varve_status_name(got), varve_status_name(wanted), text);
    const struct varve_failure *failure = varve_session_failure(session);
    assert_non_null(failure);
    assert_int_equal(failure->status, wanted);
    if (failure->tier != VARVE_TIER_CACHE)
        fail_msg("tier %d: %s", (int)failure->tier, text);
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* -------------------------------------------------------------------- records */

void
put_stored(struct varve_session *session, const char *name, const char *text)
{
    struct cache_lab_stored stored = CACHE_LAB_STORED_INIT;
    stored.name = name;
    stored.text = text;
    expect_ok(session, cache_lab_stored_cache_put(session, &stored));
}

void
expect_stored(struct varve_session *session, const char *name, const char *text)
{
    struct cache_lab_stored key = CACHE_LAB_STORED_INIT;
    struct cache_lab_stored *found;
    key.name = name;
    enum varve_status status = cache_lab_stored_cache_get(session, &key, &found);
    if (!text) {
        expect_failure(session, status, VARVE_NOT_FOUND, "the cache has no");
        assert_null(found);
        return;
    }
    expect_ok(session, status);
    assert_string_equal(found->name, name);
    assert_string_equal(found->text, text);
    cache_lab_stored_free(found);
}

void
put_reading(struct varve_session *session, int64_t id, int64_t taken_at)
{
    struct cache_lab_reading reading = CACHE_LAB_READING_INIT;
    reading.id = id;
    reading.taken_at = taken_at;
    reading.value = (double)id;
    expect_ok(session, cache_lab_reading_cache_put(session, &reading));
}

void
expect_readings(struct varve_cursor *cursor, const int64_t *ids, size_t count)
{
    const struct cache_lab_reading *row;
    for (size_t i = 0; i < count; i++) {
        enum varve_status status = cache_lab_reading_next(cursor, &row);
        if (status != VARVE_ROW)
            fail_msg("row %zu: %s: %s", i, varve_status_name(status), varve_session_error(NULL));
        assert_int_equal(row->id, ids[i]);
        assert_true(row->value == (double)ids[i]);
    }
    assert_int_equal(cache_lab_reading_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);
}

const char *
redis_key(const struct varve_record *table, const void *record)
{
    static char text[VARVE_KEY_SIZE + 100];
    char key[VARVE_KEY_SIZE];
    assert_int_equal(varve_record_key(table, record, key, sizeof key), VARVE_OK);
    snprintf(text, sizeof text, "cache_lab:%08x:%s", (unsigned)table->cache->space, key);
    return text;
}

int64_t
add_person(struct varve_session *session)
{
    struct cache_lab_person person = CACHE_LAB_PERSON_INIT;
    person.name = "before";
    expect_ok(session, cache_lab_person_insert(session, &person));
    return person.id;
}

void
expect_person(struct varve_session *session, int64_t id, const char *name)
{
    struct cache_lab_person key = CACHE_LAB_PERSON_INIT;
    struct cache_lab_person *found;
    key.id = id;
    expect_ok(session, cache_lab_person_cache_get(session, &key, &found));
    assert_string_equal(found->name, name);
    cache_lab_person_free(found);
}
