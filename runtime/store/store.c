#define _XOPEN_SOURCE 700 /* nftw() */
/* Stores: the folder, its database, opening and closing. Sessions are in session.c. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "cache/embedded.h"
#include "cache/redis.h"
#include "migrate/migrate.h"
#include "migrate/strict.h"
#include "store/handles.h"
#include "store/read_through.h"
#include "table/sqlite.h"

#define DEFAULT_CACHE_BYTES (INT64_C(64) << 20)

enum {
    DRAIN_AT_OPEN = 1000 /* hot copies; the rest is left to sessions that find them */
};

static enum varve_status
fail_path(const char *what, const char *path)
{
    int error = errno;
    enum varve_status status =
        error == EACCES || error == EROFS || error == EPERM ? VARVE_READ_ONLY : VARVE_IO;
    const char *mend = error == ENOENT ? "make the folder above it first"
                                       : "name a folder in data_dir that this user may write";
    status = varve__fail(
        status, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL, "cannot %s %s: %s; %s", what, path,
        strerror(error), mend);
    varve__failure_set_errno(error);
    return status;
}

static char *
join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = varve__allocate(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static char *
copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = varve__allocate(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* A private folder on a file system in memory, where there is one. */
static enum varve_status
make_memory_folder(struct varve_store *store)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
    store->folder = join(parent ? parent : "/tmp", "varve-XXXXXX");
    if (!store->folder)
        return varve__fail_memory(NULL, 0);
    if (!mkdtemp(store->folder))
        return fail_path("make", store->folder);
    store->in_memory = true;
    return VARVE_OK;
}

static enum varve_status
make_folder(struct varve_store *store, const char *data_dir)
{
    if (strcmp(data_dir, ":memory:") == 0)
        return make_memory_folder(store);
    store->folder = copy_text(data_dir);
    if (!store->folder)
        return varve__fail_memory(NULL, 0);
    struct stat found;
    if (!store->connect.read_only && mkdir(store->folder, 0700) != 0 && errno != EEXIST)
        return fail_path("make the folder", data_dir);
    if (stat(store->folder, &found) == 0 && !S_ISDIR(found.st_mode)) {
        errno = ENOTDIR;
        return fail_path("use", data_dir);
    }
    return VARVE_OK;
}

/* Makes the database file for its owner alone. Only a new file is opened by hand: closing one that
 * SQLite has open in this process would drop SQLite's locks. */
static enum varve_status
make_file(const struct varve_store *store)
{
    int file = open(store->database, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0)
        close(file);
    else if (errno != EEXIST)
        return fail_path("make", store->database);
    return VARVE_OK;
}

static enum varve_status
fail_missing(const struct varve_store *store)
{
    return varve__fail(
        VARVE_NOT_FOUND, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "there is no %s, and with read_only none is made; name the folder of a store in data_dir",
        store->database);
}

static enum varve_status
note_open(struct varve_store *store)
{
    struct stat file;
    bool inherited = false;
    if (stat(store->database, &file) != 0)
        return fail_path("use", store->database);
    if (varve__fork_note_open(file.st_dev, file.st_ino, &inherited)) {
        store->device = file.st_dev;
        store->inode = file.st_ino;
        store->noted = true;
        return VARVE_OK;
    }
    if (!inherited)
        return varve__fail_memory(NULL, 0);
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE, NULL,
        "this process was forked while its parent had %s open, so SQLite's locks on it do not hold "
        "here; fork before opening, or exec",
        store->database);
}

/* The lock that programs with the store open share. Nobody else opens a store in memory. */
static enum varve_status
open_lock(struct varve_store *store)
{
    if (store->in_memory)
        return VARVE_OK;
    char *path = join(store->folder, "varve.lock");
    if (!path)
        return varve__fail_memory(NULL, 0);
    enum varve_status status =
        varve__file_lock_open(&store->file_lock, path, store->connect.read_only);
    varve__release(path);
    return status;
}

/* Makes the tables, or brings them to the state of the schemas. */
static enum varve_status
migrate(
    struct varve_store *store,
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve_config *config)
{
    bool newer = false;
    bool backup = !store->in_memory && config->migration_backup >= 0;
    struct varve__migrate options = {
        .schemas = schemas,
        .count = count,
        .lock = &store->file_lock,
        .path = store->database,
        .folder = backup ? store->folder : NULL,
        .read_only = store->connect.read_only,
        .refuse = config->migrate < 0,
        .page_cache_bytes = store->page_cache_bytes,
        .progress = config->migration_progress,
        .progress_context = config->migration_progress_context,
        .log = {store->log, store->log_context},
    };
    enum varve_status status =
        varve__connection_open(&store->connect, store->plans, &store->queue, &options.connection);
    if (status == VARVE_OK)
        status = varve__migrate(&options, &newer);
    if (status == VARVE_OK &&
        newer) /* else the tables were compared with all that the schemas say */
        status = varve__tables_check(options.connection->database, store->plans);
    varve__connection_close(options.connection);
    return status;
}

static bool
has_tensors(const struct varve__plans *plans)
{
    for (size_t i = 0; i < plans->count; i++) {
        if (plans->plans[i].tensor_count > 0)
            return true;
    }
    return false;
}

static enum varve_status
open_archive(struct varve_store *store, const struct varve_config *config)
{
    if (!has_tensors(store->plans))
        return VARVE_OK;
    bool named = config->archive_dir && *config->archive_dir;
    char *folder = named ? copy_text(config->archive_dir) : join(store->folder, "archive");
    if (!folder)
        return varve__fail_memory(NULL, 0);
    store->archive_options.folder = folder;
    enum varve_status status = varve__archive_open(&store->archive_options, &store->archive);
    store->archive_options.folder = NULL;
    varve__release(folder);
    store->connect.archive = store->archive;
    return status;
}

static enum varve_status
make_database(
    struct varve_store *store,
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve_config *config)
{
    store->database =
        config->database_path ? copy_text(config->database_path) : join(store->folder, "varve.db");
    if (!store->database)
        return varve__fail_memory(NULL, 0);
    store->connect.path = store->database;
    if (store->connect.read_only && access(store->database, F_OK) != 0)
        return fail_missing(store);
    enum varve_status status = store->connect.read_only ? VARVE_OK : make_file(store);
    if (status == VARVE_OK)
        status = note_open(store);
    if (status == VARVE_OK)
        status = open_lock(store);
    if (status == VARVE_OK)
        status = varve__plans_create(schemas, count, &store->plans);
    if (status == VARVE_OK)
        status = open_archive(store, config);
    return status == VARVE_OK ? migrate(store, schemas, count, config) : status;
}

static enum varve_status
check_arguments(
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve_config *config,
    struct varve_store **result)
{
    const char *problem = NULL;
    if (!schemas || count == 0)
        problem = "there is no schema; pass the generated one, such as &cortex_schema";
    else if (!config || !config->data_dir || !*config->data_dir)
        problem = "config.data_dir is not set; name the folder of the store, or \":memory:\"";
    else if (!result)
        problem = "the result is NULL; pass the address of a struct varve_store *";
    for (size_t i = 0; i < count && !problem; i++) {
        if (!schemas[i])
            problem = "schema is NULL; pass the generated schema, such as &cortex_schema";
        else if (schemas[i]->abi != VARVE_ABI)
            problem = "the schema was generated for another varve; generate and compile it again";
    }
    if (!problem)
        return VARVE_OK;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL, "varve_open: %s", problem);
}

static int
remove_entry(const char *path, const struct stat *found, int kind, struct FTW *walk)
{
    (void)found;
    (void)kind;
    (void)walk;
    remove(path);
    return 0;
}

static void
remove_memory_folder(const struct varve_store *store)
{
    nftw(store->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void
release_store(struct varve_store *store)
{
    while (store->idle) {
        struct varve_session *session = store->idle;
        store->idle = session->next;
        varve__session_destroy(session);
    }
    varve__file_lock_close(&store->file_lock);
    if (store->noted)
        varve__fork_note_closed(store->device, store->inode);
    varve__archive_close(store->archive);
    if (store->in_memory)
        remove_memory_folder(store);
    if (store->cache)
        store->cache->engine->close(store->cache);
    varve__spaces_release(store->spaces);
    varve__redis_options_release(store->redis);
    varve__release(store->counts);
    varve__plans_release(store->plans);
    varve__release(store->database);
    varve__release(store->folder);
    varve__queue_destroy(&store->queue);
    pthread_cond_destroy(&store->closed);
    pthread_mutex_destroy(&store->count_lock);
    pthread_mutex_destroy(&store->lock);
    varve__release(store);
}

void
varve__store_log(
    const struct varve_store *store,
    enum varve_log_level level,
    enum varve_tier tier,
    const char *format,
    ...)
{
    char text[VARVE__ERROR_SIZE];
    va_list arguments;
    if (!store->log)
        return;
    va_start(arguments, format);
    int needed = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (needed >= (int)sizeof text)
        text[varve__utf8_whole(text, sizeof text - 1)] = '\0';
    store->log(store->log_context, level, tier, text);
}

/* -------------------------------------------------------------------- the cache */

static int64_t
real_clock(void *context)
{
    (void)context;
    return varve_now();
}

static enum varve_status
open_engine(struct varve_store *store, const struct varve_config *config)
{
    if (store->redis) {
        store->redis->needs_run = store->spaces->read_through_count > 0;
        return varve__redis_open(store->redis, &store->cache);
    }
    const struct varve__embedded_options options = {
        .max_bytes = config->cache_bytes > 0 ? config->cache_bytes : DEFAULT_CACHE_BYTES,
        .clock = config->clock ? config->clock : real_clock,
        .clock_context = config->clock_context,
    };
    return varve__embedded_open(&options, &store->cache);
}

/* The engine, when there are messages for it. */
static enum varve_status
make_cache(
    struct varve_store *store,
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve_config *config)
{
    enum varve_status status = varve__spaces_create(schemas, count, &store->spaces);
    if (status == VARVE_OK && store->spaces->count > 0)
        status = open_engine(store, config);
    if (status == VARVE_OK && store->cache)
        store->connect.keeps_copies = store->cache->engine->copies != NULL;
    store->connect.spaces = store->spaces;
    return status;
}

/* For a program that keeps hot copies: says so in the database, and has those deleted that wait for it. What
 * fails is logged: the table tier needs no cache. varve_maintain() says it where this could not. */
static void
begin_copies(struct varve_store *store)
{
    struct varve_session *session;
    if (!store->connect.keeps_copies || store->spaces->read_through_count == 0 ||
        store->connect.read_only)
        return;
    struct varve__kept_failure kept;
    varve__failure_keep(&kept);
    enum varve_status status = varve_session_open(store, &session);
    if (status == VARVE_OK) {
        status = varve__copies_keep(session->connection);
        atomic_store(&store->copies_unsaid, status != VARVE_OK);
        if (status == VARVE_OK)
            status = varve__read_through_drain(session, DRAIN_AT_OPEN, NULL);
        varve_session_close(session);
    }
    if (status != VARVE_OK)
        varve__store_log(
            store, VARVE_LOG_WARNING, VARVE_TIER_CACHE,
            "hot copies that wait to be deleted were not, and are not read: %s",
            varve__thread_error());
    varve__failure_restore(&kept);
}

static enum varve_status
open_store(
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve_config *config,
    struct varve_store **result)
{
    struct varve_store *store = varve__allocate(sizeof *store);
    if (!store)
        return varve__fail_memory(NULL, sizeof *store);
    memset(store, 0, sizeof *store);
    varve__fork_watch();
    store->fork_count = varve__fork_count;
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->closed, NULL);
    varve__queue_init(&store->queue);
    varve__file_lock_init(&store->file_lock);
    pthread_mutex_init(&store->count_lock, NULL);
    enum varve_status status = varve__config_resolve(config, store);
    if (status == VARVE_OK)
        status = make_cache(store, schemas, count, config);
    if (status == VARVE_OK)
        status = make_folder(store, config->data_dir);
    if (status == VARVE_OK)
        status = make_database(store, schemas, count, config);
    if (status != VARVE_OK) {
        release_store(store);
        return status;
    }
    varve__store_log(store, VARVE_LOG_INFO, VARVE_TIER_TABLE, "opened %s", store->database);
    begin_copies(store);
    *result = store;
    return VARVE_OK;
}

enum varve_status
varve_open_many(
    const struct varve_schema *const *schemas,
    size_t count,
    const struct varve_config *config,
    struct varve_store **store,
    struct varve_error *error)
{
    if (store)
        *store = NULL;
    enum varve_status status = check_arguments(schemas, count, config, store);
    if (status == VARVE_OK)
        status = open_store(schemas, count, config, store);
    return varve__error_report(status, error);
}

enum varve_status
varve_open(
    const struct varve_schema *schema,
    const struct varve_config *config,
    struct varve_store **store,
    struct varve_error *error)
{
    return varve_open_many(&schema, 1, config, store, error);
}

void
varve_close(struct varve_store *store)
{
    /* After a fork the files are the parent's: closing them here could harm them. */
    if (!store || store->fork_count != varve__fork_count)
        return;
    pthread_mutex_lock(&store->lock);
    while (store->session_count > 0)
        pthread_cond_wait(&store->closed, &store->lock);
    pthread_mutex_unlock(&store->lock);
    release_store(store);
}
