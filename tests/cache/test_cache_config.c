/* How a store is told of its cache: members of the configuration and variables, good and bad; a server that is
 * not there, and one that wants a password, which nobody is to read. */
#define _POSIX_C_SOURCE 200809L /* setenv */

#include "api_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Opening must be refused so, and say this. */
static void
expect_refused(struct api *api, struct varve_config config, const char *part)
{
    struct varve_error error;
    struct varve_store *store = (void *)api;
    config.data_dir = api->folder;
    enum varve_status status = varve_open(&cache_lab_schema, &config, &store, &error);
    if (status != VARVE_MISUSE || !strstr(error.message, part))
        fail_msg("%s: \"%s\", not \"%s\"", varve_status_name(status), error.message, part);
    assert_null(store);
}

/* -------------------------------------------------------------------- members */

struct member {
    const char *variable;
    const char *name;
    size_t offset;
    int64_t good;
    int64_t bad[3]; /* 0: none */
};

#define MEMBER(member) #member, .offset = offsetof(struct varve_config, member)

static const struct member numbers[] = {
    {"VARVE_CACHE_BYTES", MEMBER(cache_bytes), .good = 1024, .bad = {-1, 1023, INT64_MAX}},
    {"VARVE_COMPRESS_ABOVE_BYTES", MEMBER(compress_above_bytes), .good = -1,
     .bad = {-2, INT64_C(1) << 31}},
    {"VARVE_CACHE_VALUE_BYTES", MEMBER(cache_value_bytes), .good = 1,
     .bad = {-1, INT64_C(1) << 31}},
    {"REDIS_PORT", MEMBER(redis_port), .good = 65535, .bad = {-1, 65536}},
    {"REDIS_DB", MEMBER(redis_db), .good = 15, .bad = {-1, INT64_C(1) << 31}},
    {"VARVE_REDIS_CONNECT_TIMEOUT_MS", MEMBER(redis_connect_timeout_ms), .good = 1, .bad = {-1}},
    {"VARVE_REDIS_TIMEOUT_MS", MEMBER(redis_timeout_ms), .good = 1, .bad = {-1}},
    {"VARVE_REDIS_POOL_SIZE", MEMBER(redis_pool_size), .good = 1, .bad = {-1, 100001}},
    {"VARVE_REDIS_POOL_TIMEOUT_MS", MEMBER(redis_pool_timeout_ms), .good = -1, .bad = {-2}},
    {"VARVE_REDIS_RETRIES", MEMBER(redis_retries), .good = -1, .bad = {-2, 101}},
    {"VARVE_REDIS_BREAKER_FAILURES", MEMBER(redis_breaker_failures), .good = -1, .bad = {-2}},
    {"VARVE_REDIS_BREAKER_MS", MEMBER(redis_breaker_ms), .good = 1, .bad = {-1}},
};

static const struct member texts[] = {
    {"REDIS_HOST", MEMBER(redis_host)},
    {"REDIS_UNIX_SOCKET", MEMBER(redis_unix_socket)},
    {"REDIS_USERNAME", MEMBER(redis_username)},
    {"REDIS_PASSWORD", MEMBER(redis_password)},
    {"VARVE_REDIS_TLS_CA", MEMBER(redis_tls_ca)},
    {"VARVE_REDIS_TLS_CERT", MEMBER(redis_tls_cert)},
    {"VARVE_REDIS_TLS_KEY", MEMBER(redis_tls_key)},
    {"VARVE_REDIS_TLS_SERVER_NAME", MEMBER(redis_tls_server_name)},
};

enum {
    NUMBERS = sizeof numbers / sizeof *numbers,
    TEXTS = sizeof texts / sizeof *texts
};

static int64_t *
number_of(struct varve_config *config, const struct member *member)
{
    return (int64_t *)(void *)((char *)config + member->offset);
}

static void
test_numbers_out_of_their_range_are_refused(void **state)
{
    struct api *api = *state;
    for (size_t i = 0; i < NUMBERS; i++) {
        for (size_t k = 0; k < 3 && numbers[i].bad[k]; k++) {
            char part[80];
            struct varve_config config = {0};
            *number_of(&config, &numbers[i]) = numbers[i].bad[k];
            snprintf(
                part, sizeof part, "config.%s is %lld", numbers[i].name,
                (long long)numbers[i].bad[k]);
            expect_refused(api, config, part);
        }
    }
}

static void
test_numbers_within_their_range_are_taken(void **state)
{
    struct api *api = *state;
    for (size_t i = 0; i < NUMBERS; i++) {
        struct varve_config config = {0};
        *number_of(&config, &numbers[i]) = numbers[i].good;
        api_open_with(api, config);
    }
}

static void
test_members_that_do_not_go_together_are_refused(void **state)
{
    struct api *api = *state;
    expect_refused(
        api, (struct varve_config){.redis_host = "h", .redis_username = "u"}, "redis_password");
    expect_refused(
        api, (struct varve_config){.redis_password = "p"}, "redis_host or redis_unix_socket");
    expect_refused(api, (struct varve_config){.redis_tls = true}, "redis_host");
    expect_refused(
        api, (struct varve_config){.redis_unix_socket = "/s", .redis_tls = true}, "Unix socket");
    expect_refused(
        api, (struct varve_config){.redis_host = "h", .redis_tls = true, .redis_tls_key = "k"},
        "redis_tls_cert");
    expect_refused(
        api, (struct varve_config){.redis_host = "h", .redis_tls = true, .redis_tls_cert = "c"},
        "redis_tls_key");
    expect_refused(
        api, (struct varve_config){.redis_host = "h", .cache_value_bytes = 512 << 20},
        "cache_value_bytes");
}

static void
test_tls_needs_a_varve_that_has_it(void **state)
{
    struct api *api = *state;
    struct varve_config config = {
        .data_dir = api->folder, .redis_host = "127.0.0.1", .redis_port = 1, .redis_tls = true};
#ifdef TEST_HAS_TLS
    struct varve_store *store;
    assert_int_equal(varve_open(&cache_lab_schema, &config, &store, NULL), VARVE_OK);
    varve_close(store);
#else
    expect_refused(api, config, "TLS");
#endif
}

/* -------------------------------------------------------------------- the environment */

static void
clear_environment(void)
{
    for (size_t i = 0; i < NUMBERS; i++)
        unsetenv(numbers[i].variable);
    for (size_t i = 0; i < TEXTS; i++)
        unsetenv(texts[i].variable);
    unsetenv("VARVE_REDIS_TLS");
}

static void
test_every_member_has_its_variable(void **state)
{
    (void)state;
    char text[24];
    struct varve_config config = {0};
    for (size_t i = 0; i < NUMBERS; i++) {
        snprintf(text, sizeof text, "%lld", (long long)numbers[i].good);
        setenv(numbers[i].variable, text, 1);
    }
    for (size_t i = 0; i < TEXTS; i++)
        setenv(texts[i].variable, texts[i].name, 1);
    setenv("VARVE_REDIS_TLS", "true", 1);
    assert_int_equal(varve_config_from_env(&config, NULL), VARVE_OK);
    for (size_t i = 0; i < NUMBERS; i++)
        assert_int_equal(*number_of(&config, &numbers[i]), numbers[i].good);
    for (size_t i = 0; i < TEXTS; i++) {
        const char *value;
        memcpy(&value, (char *)&config + texts[i].offset, sizeof value);
        assert_string_equal(value, texts[i].name);
    }
    assert_true(config.redis_tls);
    clear_environment();
}

static void
test_a_variable_that_does_not_parse_is_named(void **state)
{
    (void)state;
    struct varve_error error;
    for (size_t i = 0; i < NUMBERS; i++) {
        char text[24];
        struct varve_config config = {.redis_db = 3, .redis_host = "kept"};
        setenv("REDIS_HOST", "other", 1);
        snprintf(text, sizeof text, "%lld", (long long)numbers[i].bad[0]);
        setenv(numbers[i].variable, text, 1);
        assert_int_equal(varve_config_from_env(&config, &error), VARVE_INVALID);
        assert_non_null(strstr(error.message, numbers[i].variable));
        setenv(numbers[i].variable, "12 ", 1);
        assert_int_equal(varve_config_from_env(&config, &error), VARVE_INVALID);
        assert_non_null(strstr(error.message, "\"12 \""));
        assert_string_equal(config.redis_host, "kept");
        assert_int_equal(config.redis_db, 3);
        clear_environment();
    }
    struct varve_config config = {0};
    setenv("VARVE_REDIS_TLS", "yes", 1);
    assert_int_equal(varve_config_from_env(&config, &error), VARVE_INVALID);
    assert_non_null(strstr(error.message, "VARVE_REDIS_TLS"));
    clear_environment();
}

static void
test_an_empty_variable_names_no_server(void **state)
{
    struct api *api = *state;
    struct varve_config config = {.data_dir = api->folder};
    struct varve_health_report health;
    struct varve_store *store;
    setenv("REDIS_HOST", "", 1);
    setenv("REDIS_UNIX_SOCKET", "", 1);
    setenv("REDIS_PASSWORD", "", 1);
    assert_int_equal(varve_config_from_env(&config, NULL), VARVE_OK);
    assert_int_equal(varve_open(&cache_lab_schema, &config, &store, NULL), VARVE_OK);
    clear_environment();
    expect_ok(NULL, varve_health(store, &health));
    assert_string_equal(health.cache.engine, "embedded");
    varve_health_free(&health);
    varve_close(store);
}

/* -------------------------------------------------------------------- a server */

static void
test_a_store_opens_without_its_server(void **state)
{
    struct api *api = *state;
    struct cache_lab_city city = CACHE_LAB_CITY_INIT;
    struct cache_lab_city *found;
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    api_kill_server(api);
    api_open_with(api, (struct varve_config){.redis_retries = -1});
    city.code = "jena";
    expect_ok(api->session, cache_lab_city_insert(api->session, &city));
    expect_ok(api->session, cache_lab_city_cache_get(api->session, &city, &found));
    assert_int_equal(found->id, city.id);
    cache_lab_city_free(found);
    city.founded_at = 1182;
    expect_ok(api->session, cache_lab_city_update(api->session, &city));
    assert_true(api_logged(api, server_socket(api->server)));
    expect_failure(
        api->session, cache_lab_stored_cache_put(api->session, &record), VARVE_UNAVAILABLE,
        server_socket(api->server));
    assert_true(varve_session_failure(api->session)->retryable);
    api_restart_server(api);
    api_open_with(api, (struct varve_config){0});
    put_stored(api->session, "a", "x");
    expect_ok(api->session, cache_lab_city_cache_get(api->session, &city, &found));
    assert_int_equal(found->founded_at, 1182);
    cache_lab_city_free(found);
}

static void
test_databases_of_a_server_are_told_apart(void **state)
{
    struct api *api = *state;
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    put_stored(api->session, "a", "in 0");
    api_open_with(api, (struct varve_config){.redis_db = 3});
    expect_stored(api->session, "a", NULL);
    put_stored(api->session, "a", "in 3");
    api_open_with(api, (struct varve_config){0});
    expect_stored(api->session, "a", "in 0");
    api_open_with(api, (struct varve_config){.redis_db = 999});
    expect_failure(
        api->session, cache_lab_stored_cache_put(api->session, &record), VARVE_UNAVAILABLE,
        "redis_db");
}

static void
test_the_host_is_reached_by_its_port(void **state)
{
    struct api *api = *state;
    struct varve_config config = {
        .data_dir = api->folder, .redis_host = "127.0.0.1", .redis_port = 1, .redis_retries = -1};
    struct varve_store *store;
    struct varve_session *session;
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    assert_int_equal(varve_open(&cache_lab_schema, &config, &store, NULL), VARVE_OK);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    expect_failure(
        session, cache_lab_stored_cache_put(session, &record), VARVE_UNAVAILABLE, "127.0.0.1:1");
    varve_session_close(session);
    varve_close(store);
}

/* -------------------------------------------------------------------- passwords */

#define PASSWORD "open-sesame-73"
#define WRONG "no-such-secret-41"

/* Neither the log nor the last error has any of the passwords. */
static void
expect_secret(struct api *api)
{
    static const char *const secrets[] = {PASSWORD, WRONG};
    for (size_t i = 0; i < 2; i++) {
        assert_null(strstr(varve_session_error(api->session), secrets[i]));
        assert_null(strstr(varve_session_error(NULL), secrets[i]));
        assert_false(api_logged(api, secrets[i]));
    }
}

static void
test_a_password_opens_the_server_and_is_never_said(void **state)
{
    struct api *api = *state;
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    static const struct varve_config wrong[] = {
        {.redis_password = WRONG, .redis_retries = -1},
        {.redis_retries = -1}, /* none at all */
        {.redis_username = "nobody", .redis_password = PASSWORD, .redis_retries = -1},
    };
    struct test_server *of_group = api->server;
    api->server = server_start((const char *const[]){"--requirepass", PASSWORD, NULL});
    api_open_with(api, (struct varve_config){.redis_password = PASSWORD});
    put_stored(api->session, "a", "x");
    expect_secret(api);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        api_open_with(api, wrong[i]);
        expect_failure(
            api->session, cache_lab_stored_cache_put(api->session, &record), VARVE_UNAVAILABLE,
            "redis_password");
        expect_secret(api);
    }
    assert_true(*api->log);
    api_open_with(
        api, (struct varve_config){.redis_username = "default", .redis_password = PASSWORD});
    expect_stored(api->session, "a", "x");
    api_close(api);
    server_stop(api->server);
    api->server = of_group;
}

static void
test_a_user_without_rights_is_told_so(void **state)
{
    struct api *api = *state;
    struct cache_lab_stored record = CACHE_LAB_STORED_INIT;
    struct cache_lab_stored *found;
    put_stored(api->session, "", "x");
    server_command(
        api->server, "ACL SETUSER reader reset on >" PASSWORD " ~* +@read +@connection +info");
    api_open_with(
        api, (struct varve_config){
                 .redis_username = "reader", .redis_password = PASSWORD, .redis_retries = -1});
    expect_ok(api->session, cache_lab_stored_cache_get(api->session, &record, &found));
    cache_lab_stored_free(found);
    enum varve_status status = cache_lab_stored_cache_put(api->session, &record);
    expect_failure(api->session, status, VARVE_UNAVAILABLE, "ACL");
    expect_secret(api);
    server_command(api->server, "ACL DELUSER reader");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_numbers_out_of_their_range_are_refused),
        API_TEST(test_numbers_within_their_range_are_taken),
        API_TEST(test_members_that_do_not_go_together_are_refused),
        API_TEST(test_tls_needs_a_varve_that_has_it),
        API_TEST(test_every_member_has_its_variable),
        API_TEST(test_a_variable_that_does_not_parse_is_named),
        API_TEST(test_an_empty_variable_names_no_server),
        API_TEST(test_the_host_is_reached_by_its_port),
    };
    const struct CMUnitTest with_server[] = {
        API_TEST(test_a_store_opens_without_its_server),
        API_TEST(test_databases_of_a_server_are_told_apart),
        API_TEST(test_a_password_opens_the_server_and_is_never_said),
        API_TEST(test_a_user_without_rights_is_told_so),
    };
    clear_environment();
    return API_RUN("cache_config", tests) + API_RUN_REDIS("cache_config_server", with_server);
}
