/* The configuration: defaults, checks, and the environment. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cache/redis.h"
#include "store/handles.h"

/* -------------------------------------------------------------------- members */

enum member_kind {
    MEMBER_NUMBER,
    MEMBER_TEXT,
    MEMBER_BOOL,
    MEMBER_DURABILITY,
};

struct member {
    const char *name; /* and in capitals, behind VARVE_, its variable */
    enum member_kind kind;
    size_t offset;
    int64_t least; /* of a number, beside 0, the default; -1: can be turned off */
    int64_t most;
    bool bare; /* the variable is the name alone */
};

#define MEMBER(name) #name, .offset = offsetof(struct varve_config, name)

static const struct member members[] = {
    {MEMBER(data_dir), .kind = MEMBER_TEXT},
    {MEMBER(database_path), .kind = MEMBER_TEXT},
    {MEMBER(busy_timeout_ms), .least = -1, .most = INT32_MAX},
    {MEMBER(call_timeout_ms), .least = -1, .most = INT32_MAX},
    {MEMBER(read_only), .kind = MEMBER_BOOL},
    {MEMBER(durability), .kind = MEMBER_DURABILITY},
    {MEMBER(page_cache_bytes), .least = 1 << 20, .most = INT64_MAX / 4},
    {MEMBER(checkpoint_pages), .least = -1, .most = INT32_MAX},
    {MEMBER(cached_statements), .least = -1, .most = 100000},
    {MEMBER(pooled_sessions), .least = -1, .most = 100000},
    {MEMBER(migrate), .least = -1, .most = -1},
    {MEMBER(migration_backup), .least = -1, .most = -1},
    {MEMBER(cache_bytes), .least = 1 << 10, .most = INT64_MAX / 4},
    {MEMBER(compress_above_bytes), .least = -1, .most = INT32_MAX},
    {MEMBER(cache_value_bytes), .least = 1, .most = INT32_MAX},
    {MEMBER(redis_host), .kind = MEMBER_TEXT, .bare = true},
    {MEMBER(redis_port), .least = 1, .most = 65535, .bare = true},
    {MEMBER(redis_unix_socket), .kind = MEMBER_TEXT, .bare = true},
    {MEMBER(redis_db), .least = 0, .most = INT32_MAX, .bare = true},
    {MEMBER(redis_username), .kind = MEMBER_TEXT, .bare = true},
    {MEMBER(redis_password), .kind = MEMBER_TEXT, .bare = true},
    {MEMBER(redis_tls), .kind = MEMBER_BOOL},
    {MEMBER(redis_tls_ca), .kind = MEMBER_TEXT},
    {MEMBER(redis_tls_cert), .kind = MEMBER_TEXT},
    {MEMBER(redis_tls_key), .kind = MEMBER_TEXT},
    {MEMBER(redis_tls_server_name), .kind = MEMBER_TEXT},
    {MEMBER(redis_connect_timeout_ms), .least = 1, .most = INT32_MAX},
    {MEMBER(redis_timeout_ms), .least = 1, .most = INT32_MAX},
    {MEMBER(redis_pool_size), .least = 1, .most = 100000},
    {MEMBER(redis_pool_timeout_ms), .least = -1, .most = INT32_MAX},
    {MEMBER(redis_retries), .least = -1, .most = 100},
    {MEMBER(redis_breaker_failures), .least = -1, .most = INT32_MAX},
    {MEMBER(redis_breaker_ms), .least = 1, .most = INT32_MAX},
    {MEMBER(archive_dir), .kind = MEMBER_TEXT},
    {MEMBER(stage_max_bytes), .least = -1, .most = 900000000},
    {MEMBER(segment_bytes), .least = 1 << 16, .most = INT64_C(1) << 40},
    {MEMBER(archive_memory_bytes), .least = 1 << 20, .most = INT64_MAX / 4},
    {MEMBER(archive_threads), .least = -1, .most = 256},
    {MEMBER(chunk_cache_bytes), .least = -1, .most = INT64_MAX / 4},
    {MEMBER(slow_call_us), .least = -1, .most = INT32_MAX},
    {MEMBER(cursor_warn_ms), .least = -1, .most = INT32_MAX},
};

/* Variables of other programs that have these files, read before our own. */
static const struct {
    const char *variable;
    const char *member;
} foreign[] = {
    {"SQLITE_DB_PATH", "database_path"},
    {"HDF5_FILE_PATH", "archive_dir"},
    {"HDF5_MAX_FILE_SIZE", "segment_bytes"},
};

enum {
    MEMBER_COUNT = sizeof members / sizeof *members,
    NAME_SIZE = 48,
};

static const void *
value_of(const struct varve_config *config, const struct member *member)
{
    return (const char *)config + member->offset;
}

static enum varve_status
check_numbers(const struct varve_config *config)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const struct member *member = &members[i];
        if (member->kind != MEMBER_NUMBER)
            continue;
        int64_t value = *(const int64_t *)value_of(config, member);
        if (value != 0 && value != member->least && member->least == member->most)
            return varve__fail(
                VARVE_MISUSE, VARVE_FAILURE_RANGE, VARVE_TIER_NONE, NULL,
                "config.%s is %" PRId64 "; 0 is its default, and %" PRId64 " turns it off",
                member->name, value, member->least);
        if (value != 0 && (value < member->least || value > member->most))
            return varve__fail(
                VARVE_MISUSE, VARVE_FAILURE_RANGE, VARVE_TIER_NONE, NULL,
                "config.%s is %" PRId64 "; 0 is its default, else it is %" PRId64 " to %" PRId64,
                member->name, value, member->least, member->most);
    }
    return VARVE_OK;
}

/* 0: the default; -1: off, which is 0 for the store. */
static int64_t
resolved(int64_t value, int64_t otherwise)
{
    if (value == 0)
        return otherwise;
    return value < 0 ? 0 : value;
}

/* -------------------------------------------------------------------- Redis */

enum {
    REDIS_STRING_MOST =
        (512 << 20) - 1, /* its proto-max-bulk-len, with the byte that names the codec */
    TEXT_COUNT = 8       /* of struct varve__redis_options */
};

/* NULL where it is not set. */
static const char *
set_text(const char *text)
{
    return text && *text ? text : NULL;
}

static void
read_texts(const struct varve_config *config, const char *texts[TEXT_COUNT])
{
    const char *given[TEXT_COUNT] = {config->redis_host,     config->redis_unix_socket,
                                     config->redis_username, config->redis_password,
                                     config->redis_tls_ca,   config->redis_tls_cert,
                                     config->redis_tls_key,  config->redis_tls_server_name};
    for (size_t i = 0; i < TEXT_COUNT; i++)
        texts[i] = set_text(given[i]);
}

/* The options and copies of these texts, in one block. */
static struct varve__redis_options *
make_redis_options(const char *texts[TEXT_COUNT])
{
    size_t size = sizeof(struct varve__redis_options);
    for (size_t i = 0; i < TEXT_COUNT; i++)
        size += texts[i] ? strlen(texts[i]) + 1 : 0;
    struct varve__redis_options *options = varve__allocate(size);
    if (!options)
        return NULL;
    char *place = (char *)(options + 1);
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        if (!texts[i])
            continue;
        size_t length = strlen(texts[i]) + 1;
        texts[i] = memcpy(place, texts[i], length);
        place += length;
    }
    *options = (struct varve__redis_options){
        .host = texts[0],
        .unix_socket = texts[1],
        .username = texts[2],
        .password = texts[3],
        .tls_ca = texts[4],
        .tls_cert = texts[5],
        .tls_key = texts[6],
        .tls_server_name = texts[7],
    };
    return options;
}

void
varve__redis_options_release(struct varve__redis_options *options)
{
    varve__release(options);
}

static enum varve_status
misuse(const char *text)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_CACHE, NULL, "varve_open: %s", text);
}

static enum varve_status
check_redis(const struct varve_config *config)
{
    bool named = set_text(config->redis_host) || set_text(config->redis_unix_socket);
    if (set_text(config->redis_username) && !set_text(config->redis_password))
        return misuse("config.redis_username is set and redis_password is not; set both");
    if (!named && (set_text(config->redis_password) || config->redis_tls))
        return misuse("config says how to reach Redis, but not where; set redis_host or "
                      "redis_unix_socket");
    if (config->redis_tls && set_text(config->redis_unix_socket))
        return misuse("config.redis_tls is for redis_host; a Unix socket needs none");
    if (!set_text(config->redis_tls_cert) != !set_text(config->redis_tls_key))
        return misuse("config.redis_tls_cert and redis_tls_key go together; set both or none");
    return VARVE_OK;
}

/* Leaves store->redis NULL where no server is named. */
static enum varve_status
resolve_redis(const struct varve_config *config, struct varve_store *store)
{
    const char *texts[TEXT_COUNT];
    read_texts(config, texts);
    enum varve_status status = check_redis(config);
    if (status == VARVE_OK && (texts[0] || texts[1]) &&
        store->cache_value_bytes > REDIS_STRING_MOST)
        status = misuse("config.cache_value_bytes is more than Redis takes, 536870911; lower it");
    if (status != VARVE_OK || (!texts[0] && !texts[1]))
        return status;
    struct varve__redis_options *options = make_redis_options(texts);
    if (!options)
        return varve__fail_memory(NULL, sizeof *options);
    options->port = (int)resolved(config->redis_port, 6379);
    options->database = config->redis_db;
    options->tls = config->redis_tls;
    options->connect_timeout_ms = resolved(config->redis_connect_timeout_ms, 1000);
    options->timeout_ms = resolved(config->redis_timeout_ms, 2000);
    options->pool_size = (size_t)resolved(config->redis_pool_size, 16);
    options->pool_timeout_ms = resolved(config->redis_pool_timeout_ms, 1000);
    options->retries = resolved(config->redis_retries, 3);
    options->breaker_failures = resolved(config->redis_breaker_failures, 5);
    options->breaker_ms = resolved(config->redis_breaker_ms, 1000);
    options->log = config->log;
    options->log_context = config->log_context;
    store->redis = options;
    return VARVE_OK;
}

/* -------------------------------------------------------------------- the archive */

enum {
    THREADS_MOST = 8
};

static size_t
default_threads(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors <= 1)
        return 0;
    return processors - 1 < THREADS_MOST ? (size_t)processors - 1 : THREADS_MOST;
}

/* All but the folder, which is not known yet. */
static void
resolve_archive(const struct varve_config *config, struct varve__archive_options *options)
{
    *options = (struct varve__archive_options){
        .stage_max_bytes = resolved(config->stage_max_bytes, INT64_C(256) << 10),
        .segment_bytes = resolved(config->segment_bytes, INT64_C(256) << 20),
        .memory_bytes = resolved(config->archive_memory_bytes, INT64_C(64) << 20),
        .threads = config->archive_threads == 0 ? default_threads()
                                                : (size_t)resolved(config->archive_threads, 0),
        .chunk_cache_bytes = (size_t)resolved(config->chunk_cache_bytes, INT64_C(64) << 20),
    };
}

/* -------------------------------------------------------------------- all of it */

/* What the log is told: nothing without one. */
static void
resolve_told(const struct varve_config *config, struct varve_store *store)
{
    if (!config->log)
        return;
    int64_t slow_us = resolved(config->slow_call_us, 0);
    int64_t warn_ms = resolved(config->cursor_warn_ms, 60000);
    store->slow_call_ns = slow_us * 1000;
    store->cursor_warn_ns = warn_ms * 1000000;
    store->connect.traced = store->slow_call_ns > 0;
}

enum varve_status
varve__config_resolve(const struct varve_config *config, struct varve_store *store)
{
    enum varve_status status = check_numbers(config);
    if (status != VARVE_OK)
        return status;
    store->connect = (struct varve__connect){
        .read_only = config->read_only,
        .full_durability = config->durability != VARVE_DURABILITY_NORMAL,
        .busy_timeout_ms = resolved(config->busy_timeout_ms, 5000),
        .call_timeout_ms = resolved(config->call_timeout_ms, 0),
        .checkpoint_pages = resolved(config->checkpoint_pages, 10000),
        .cached_statements = (size_t)resolved(config->cached_statements, 64),
    };
    store->page_cache_bytes = resolved(config->page_cache_bytes, INT64_C(256) << 20);
    store->pooled_sessions = (size_t)resolved(config->pooled_sessions, 16);
    store->compress_above_bytes =
        config->compress_above_bytes == 0 ? 4096 : config->compress_above_bytes;
    store->cache_value_bytes = (size_t)resolved(config->cache_value_bytes, INT64_C(128) << 20);
    store->log = config->log;
    store->log_context = config->log_context;
    store->progress = config->archive_progress;
    store->progress_context = config->archive_progress_context;
    resolve_archive(config, &store->archive_options);
    resolve_told(config, store);
    return resolve_redis(config, store);
}

/* -------------------------------------------------------------------- the environment */

static enum varve_status
fail_variable(const char *variable, const char *text, const char *wanted)
{
    return varve__fail(
        VARVE_INVALID, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
        "the environment variable %s is \"%s\"; it must be %s", variable, text, wanted);
}

static enum varve_status
parse_number(const struct member *member, const char *variable, const char *text, int64_t *number)
{
    char *end;
    char wanted[80];
    errno = 0;
    *number = strtoll(text, &end, 10);
    bool in_range = *number == 0 || (*number >= member->least && *number <= member->most);
    if (*text && !*end && errno == 0 && in_range)
        return VARVE_OK;
    if (member->least == member->most)
        return fail_variable(variable, text, "0 for the default, or -1");
    snprintf(
        wanted, sizeof wanted, "0 for the default, or a number from %" PRId64 " to %" PRId64,
        member->least, member->most);
    return fail_variable(variable, text, wanted);
}

static enum varve_status
parse_bool(const char *variable, const char *text, bool *value)
{
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
        return fail_variable(variable, text, "true, false, 1 or 0");
    *value = yes;
    return VARVE_OK;
}

static enum varve_status
parse_durability(const char *variable, const char *text, enum varve_durability *value)
{
    if (strcmp(text, "FULL") == 0)
        *value = VARVE_DURABILITY_FULL;
    else if (strcmp(text, "NORMAL") == 0)
        *value = VARVE_DURABILITY_NORMAL;
    else
        return fail_variable(variable, text, "FULL or NORMAL");
    return VARVE_OK;
}

static enum varve_status
parse(const struct member *member, const char *variable, const char *text, void *config)
{
    void *value = (char *)config + member->offset;
    switch (member->kind) {
    case MEMBER_NUMBER:
        return parse_number(member, variable, text, value);
    case MEMBER_BOOL:
        return parse_bool(variable, text, value);
    case MEMBER_DURABILITY:
        return parse_durability(variable, text, value);
    case MEMBER_TEXT:
        break;
    }
    memcpy(value, &text, sizeof text);
    return VARVE_OK;
}

/* VARVE_BUSY_TIMEOUT_MS for busy_timeout_ms, REDIS_HOST for redis_host. */
static void
write_variable(const struct member *member, char variable[NAME_SIZE])
{
    snprintf(variable, NAME_SIZE, "%s%s", member->bare ? "" : "VARVE_", member->name);
    for (char *letter = variable; *letter; letter++) {
        if (*letter >= 'a' && *letter <= 'z')
            *letter = (char)(*letter - 'a' + 'A');
    }
}

static const struct member *
member_named(const char *name)
{
    const struct member *member = members;
    while (strcmp(member->name, name) != 0)
        member++;
    return member;
}

static enum varve_status
read_variable(const struct member *member, const char *variable, struct varve_config *config)
{
    const char *text = getenv(variable);
    return text ? parse(member, variable, text, config) : VARVE_OK;
}

static enum varve_status
read_environment(struct varve_config *config)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign && status == VARVE_OK; i++) {
        const char *text = getenv(foreign[i].variable);
        if (text && *text)
            status = read_variable(member_named(foreign[i].member), foreign[i].variable, config);
    }
    for (size_t i = 0; i < MEMBER_COUNT && status == VARVE_OK; i++) {
        char variable[NAME_SIZE];
        write_variable(&members[i], variable);
        status = read_variable(&members[i], variable, config);
    }
    return status;
}

enum varve_status
varve_config_from_env(struct varve_config *config, struct varve_error *error)
{
    if (!config)
        return varve__error_report(
            varve__fail(
                VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
                "varve_config_from_env: config is NULL; pass a struct varve_config"),
            error);
    struct varve_config read = *config;
    enum varve_status status = read_environment(&read);
    if (status == VARVE_OK)
        *config = read;
    return varve__error_report(status, error);
}

enum varve_status
varve__error_report(enum varve_status status, struct varve_error *error)
{
    if (error) {
        error->status = status;
        const char *text = status == VARVE_OK ? "" : varve__thread_error();
        snprintf(error->message, sizeof error->message, "%s", text);
    }
    return status;
}
