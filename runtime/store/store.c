/* Stores: the folder, its database, opening and closing. Sessions are in session.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "store/handles.h"
#include "table/create.h"
#include "table/sqlite.h"

enum {
    BUSY_TIMEOUT_MS = 5000
};

static enum varve_status
fail_path(const char *what, const char *path)
{
    int error = errno;
    enum varve_status status =
        error == EACCES || error == EROFS || error == EPERM ? VARVE_READ_ONLY : VARVE_IO;
    status = varve__fail(
        status, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
        "cannot %s %s: %s; name a folder in data_dir that this user may write", what, path,
        strerror(error));
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
    store->folder = join(data_dir, "");
    if (!store->folder)
        return varve__fail_memory(NULL, 0);
    if (mkdir(store->folder, 0700) != 0 && errno != EEXIST)
        return fail_path("make the folder", data_dir);
    return VARVE_OK;
}

/* Makes the database file for its owner alone. Only a new file is opened by hand: closing one that
 * SQLite has open in this process would drop SQLite's locks. */
static enum varve_status
make_database(struct varve_store *store)
{
    store->database = join(store->folder, "varve.db");
    if (!store->database)
        return varve__fail_memory(NULL, 0);
    int file = open(store->database, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0)
        close(file);
    else if (errno != EEXIST)
        return fail_path("make", store->database);
    sqlite3 *database;
    enum varve_status status =
        varve__sqlite_open(store->database, store->busy_timeout_ms, &database);
    if (status == VARVE_OK)
        status = varve__tables_create(database, store->schema);
    sqlite3_close(database);
    return status;
}

static enum varve_status
check_arguments(const struct varve_schema *schema, const struct varve_config *config)
{
    const char *problem = NULL;
    if (!schema)
        problem = "schema is NULL; pass the generated schema, such as &cortex_schema";
    else if (schema->abi != VARVE_ABI)
        problem = "the schema was generated for another varve; generate and compile it again";
    else if (!config || !config->data_dir || !*config->data_dir)
        problem = "config.data_dir is not set; name the folder of the store, or \":memory:\"";
    if (!problem)
        return VARVE_OK;
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL, "varve_open: %s", problem);
}

static void
remove_memory_folder(const struct varve_store *store)
{
    static const char *const names[] = {"varve.db", "varve.db-wal", "varve.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = join(store->folder, names[i]);
        if (path)
            unlink(path);
        varve__release(path);
    }
    rmdir(store->folder);
}

static void
release_store(struct varve_store *store)
{
    if (store->in_memory)
        remove_memory_folder(store);
    varve__release(store->database);
    varve__release(store->folder);
    pthread_cond_destroy(&store->closed);
    pthread_mutex_destroy(&store->lock);
    varve__release(store);
}

static void
log_opened(const struct varve_store *store)
{
    char text[VARVE__ERROR_SIZE];
    if (!store->log)
        return;
    int needed = snprintf(text, sizeof text, "opened %s", store->database);
    if (needed >= (int)sizeof text)
        text[varve__utf8_whole(text, sizeof text - 1)] = '\0';
    store->log(store->log_context, VARVE_LOG_INFO, VARVE_TIER_TABLE, text);
}

static enum varve_status
open_store(
    const struct varve_schema *schema,
    const struct varve_config *config,
    struct varve_store **result)
{
    struct varve_store *store = varve__allocate(sizeof *store);
    if (!store)
        return varve__fail_memory(NULL, sizeof *store);
    *store = (struct varve_store){
        .schema = schema,
        .busy_timeout_ms = config->busy_timeout_ms ? config->busy_timeout_ms : BUSY_TIMEOUT_MS,
        .log = config->log,
        .log_context = config->log_context,
    };
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->closed, NULL);
    enum varve_status status = make_folder(store, config->data_dir);
    if (status == VARVE_OK)
        status = make_database(store);
    if (status != VARVE_OK) {
        release_store(store);
        return status;
    }
    log_opened(store);
    *result = store;
    return VARVE_OK;
}

enum varve_status
varve_open(
    const struct varve_schema *schema,
    const struct varve_config *config,
    struct varve_store **store,
    struct varve_error *error)
{
    *store = NULL;
    enum varve_status status = check_arguments(schema, config);
    if (status == VARVE_OK)
        status = open_store(schema, config, store);
    if (error) {
        error->status = status;
        const char *text = status == VARVE_OK ? "" : varve__thread_error();
        snprintf(error->message, sizeof error->message, "%s", text);
    }
    return status;
}

void
varve_close(struct varve_store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->lock);
    while (store->session_count > 0)
        pthread_cond_wait(&store->closed, &store->lock);
    pthread_mutex_unlock(&store->lock);
    release_store(store);
}
