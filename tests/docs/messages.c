/* Makes varve fail in every way that docs/errors.md shows, and prints what it says: a line for each
 * failure, with status, kind and text between tabs. Works in the current folder, which should be empty. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <sqlite3.h>

#include "cortex/cortex.varve.h"
#include "lab/lab.varve.h"

static struct varve_store *store;
static struct varve_session *session;

/* Prints the failure of a call, which must have failed: of the session, or of the thread. */
static void
failed(enum varve_status status, const struct varve_session *of)
{
    const struct varve_failure *failure = varve_session_failure(of);
    if (status <= VARVE_DONE || !failure) {
        fprintf(stderr, "a call that should fail gave %s\n", varve_status_name(status));
        exit(1);
    }
    printf(
        "%s\t%s\t%s\n", varve_status_name(status), varve_failure_kind_name(failure->kind),
        varve_session_error(of));
}

static void
done(enum varve_status status)
{
    if (status == VARVE_OK)
        return;
    fprintf(stderr, "%s: %s\n", varve_status_name(status), varve_session_error(NULL));
    exit(1);
}

static void
execute(sqlite3 *database, const char *sql)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return;
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database));
    exit(1);
}

static enum varve_status
open_folder(const struct varve_config *config)
{
    static const struct varve_schema *const schemas[] = {&cortex_schema, &lab_schema};
    return varve_open_many(schemas, 2, config, &store, NULL);
}

static void
open_store(const struct varve_config *config)
{
    done(open_folder(config));
    done(varve_session_open(store, &session));
}

static void
close_store(void)
{
    varve_session_close(session);
    varve_close(store);
}

/* -------------------------------------------------------------------- records */

static struct cortex_concept
dog(void)
{
    static float place[] = {0.25f, -1.0f, 0.5f};
    struct cortex_concept concept = CORTEX_CONCEPT_INIT;
    concept.name = "dog";
    concept.embedding = (struct varve_floats){.count = 3, .data = place};
    concept.embedding_size = 3;
    return concept;
}

/* Inserts the first concept, which gets id 1, and fails to insert others like it. */
static void
fail_inserts(void)
{
    struct cortex_concept concept = dog();
    done(cortex_concept_insert(session, &concept));
    failed(cortex_concept_insert(session, &concept), session); /* the key is taken */
    concept = dog();
    failed(cortex_concept_insert(session, &concept), session); /* the name is */
    concept.embedding.count = 2;
    failed(cortex_concept_insert(session, &concept), session);
    concept = dog();
    concept.embedding.data = NULL;
    failed(cortex_concept_insert(session, &concept), session);
    concept = dog();
    concept.name = "\xff";
    failed(cortex_concept_insert(session, &concept), session);
    concept.name = NULL;
    failed(cortex_concept_insert(session, &concept), session);
    concept.name = "wolf";
    concept.access_count = UINT64_MAX;
    failed(cortex_concept_insert(session, &concept), session);
    memset(&concept, 0, sizeof concept);
    failed(cortex_concept_insert(session, &concept), session);
}

static void
fail_columns(void)
{
    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    episode.performance_score = (double)NAN;
    failed(cortex_episode_insert(session, &episode), session);
    episode.performance_score = 2;
    failed(cortex_episode_insert(session, &episode), session);
}

static void
fail_dims(void)
{
    const enum cortex_concept_field fields[] = {CORTEX_CONCEPT_FIELD_EMBEDDING_SIZE};
    struct cortex_concept concept = dog();
    concept.id = 1;
    concept.embedding_size = 4;
    failed(cortex_concept_update_fields(session, &concept, fields, 1), session);
}

static void
fail_reads(void)
{
    struct cortex_concept *concept;
    failed(cortex_concept_get(session, 7, &concept), session);
    failed(cortex_concept_get_by_name(session, "wolf", &concept), session);
}

static void
fail_references(void)
{
    struct cortex_concept_relationship relationship = CORTEX_CONCEPT_RELATIONSHIP_INIT;
    relationship.source_id = 1;
    relationship.target_id = 9;
    failed(cortex_concept_relationship_insert(session, &relationship), session);

    struct lab_site site = LAB_SITE_INIT;
    struct lab_reading reading = LAB_READING_INIT;
    site.code = reading.site = "north";
    done(lab_site_insert(session, &site));
    done(lab_reading_insert(session, &reading));
    failed(lab_site_delete(session, "north"), session);
}

static void
fail_version(void)
{
    struct lab_trial trial = LAB_TRIAL_INIT;
    done(lab_trial_insert(session, &trial));
    struct lab_trial stale = trial;
    done(lab_trial_update(session, &trial));
    failed(lab_trial_update(session, &stale), session);
}

/* -------------------------------------------------------------------- memory and wire */

static void *
refuse(void *context, size_t size)
{
    (void)context;
    (void)size;
    return NULL;
}

static void
give_back(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static void
fail_without_store(void)
{
    char text[8];
    const uint8_t damaged[] = {0x0a, 0xff};
    struct cortex_concept concept = dog();
    struct cortex_concept *result;
    failed(cortex_concept_print(&concept, text, sizeof text), NULL);
    failed(cortex_concept_unpack(damaged, sizeof damaged, &result), NULL);

    struct lab_remark remark = LAB_REMARK_INIT;
    struct varve_bytes bytes;
    remark.answer_to = &remark;
    failed(lab_remark_pack(&remark, &bytes), NULL);

    static const struct varve_allocator none = {.allocate = refuse, .release = give_back};
    varve_set_allocator(&none);
    failed(cortex_concept_clone(&concept, &result), NULL);
    varve_set_allocator(NULL);
}

/* -------------------------------------------------------------------- waiting */

/* The session's own thread may interrupt it too, where SQLite calls back. */
static void
interrupt(void *context, int operation, const char *database, const char *table, sqlite3_int64 row)
{
    (void)operation;
    (void)database;
    (void)table;
    (void)row;
    varve_interrupt(context);
}

static void
fail_interrupted(void)
{
    struct cortex_episode episodes[100];
    for (size_t i = 0; i < 100; i++)
        cortex_episode_init(&episodes[i]);
    sqlite3_update_hook(varve_session_sqlite(session), interrupt, session);
    failed(cortex_episode_insert_many(session, episodes, 100), session);
    sqlite3_update_hook(varve_session_sqlite(session), NULL, NULL);
}

static void
fail_busy(void)
{
    open_store(&(struct varve_config){.data_dir = "data", .busy_timeout_ms = 5});
    struct varve_session *second;
    done(varve_session_open(store, &second));
    done(varve_begin(session));
    failed(varve_begin(second), second);
    varve_session_close(second);
    close_store();
}

/* Another program writes: a connection that varve knows nothing of. */
static void
fail_timeout(void)
{
    sqlite3 *other;
    open_store(&(struct varve_config){.data_dir = "data", .call_timeout_ms = 20});
    if (sqlite3_open("data/varve.db", &other) != SQLITE_OK)
        exit(1);
    execute(other, "BEGIN IMMEDIATE");
    failed(varve_begin(session), session);
    sqlite3_close(other);
    close_store();
}

/* -------------------------------------------------------------------- files */

static void
fail_full(void)
{
    uint8_t *bytes = calloc(1, 1 << 20);
    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    episode.experience = (struct varve_bytes){.size = 1 << 20, .data = bytes};
    execute(
        varve_session_sqlite(session), "PRAGMA max_page_count = 1"); /* none more than there are */
    done(varve_begin(session));
    failed(cortex_episode_insert(session, &episode), session);
    failed(cortex_episode_insert(session, &episode), session); /* undone already */
    failed(varve_commit(session), session);
    free(bytes);
}

/* A limit on the size of files is an I/O error to SQLite. */
static void
fail_commit(void)
{
    struct rlimit limit, small;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 1 << 16;
    done(varve_begin(session));
    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    uint8_t *bytes = calloc(1, 1 << 18);
    episode.experience = (struct varve_bytes){.size = 1 << 18, .data = bytes};
    done(cortex_episode_insert(session, &episode));
    setrlimit(RLIMIT_FSIZE, &small);
    failed(varve_commit(session), session);
    setrlimit(RLIMIT_FSIZE, &limit);
    free(bytes);
}

static void
fail_type(void)
{
    struct cortex_concept *concept;
    execute(varve_session_sqlite(session), "UPDATE concept SET embedding_size = -1 WHERE id = 1");
    failed(cortex_concept_get(session, 1, &concept), session);
}

static void
fail_read_only(void)
{
    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    open_store(&(struct varve_config){.data_dir = "data", .read_only = true});
    failed(cortex_episode_insert(session, &episode), session);
    close_store();
}

/* Another program, played by SQL, migrates the store under a session. */
static void
fail_migrated(void)
{
    struct cortex_episode *episode;
    open_store(&(struct varve_config){.data_dir = "migrated"});
    sqlite3 *database = varve_session_sqlite(session);
    execute(
        database,
        "BEGIN; ALTER TABLE episode RENAME COLUMN experience TO sensation;"
        "INSERT INTO varve_migration VALUES ('cortex', 3, '0003_rename_experience', '', 0, 0, 0);"
        "UPDATE varve_generation SET generation = generation + 1; COMMIT");
    failed(cortex_episode_get(session, 1, &episode), session);
    close_store();
}

static void
fail_opening(void)
{
    failed(open_folder(&(struct varve_config){.data_dir = "migrated"}), NULL);
    failed(open_folder(&(struct varve_config){.data_dir = "missing/data"}), NULL);

    FILE *file = fopen("damaged.db", "w");
    for (int i = 0; i < 1000 && file; i++)
        fputs("no database", file);
    if (!file || fclose(file) != 0)
        exit(1);
    failed(
        open_folder(&(struct varve_config){.data_dir = "data", .database_path = "damaged.db"}),
        NULL);
}

/* No server listens on this socket. */
static void
fail_unavailable(void)
{
    struct cortex_working_memory_pattern pattern = CORTEX_WORKING_MEMORY_PATTERN_INIT;
    open_store(&(struct varve_config){
        .data_dir = "data", .redis_unix_socket = "missing.sock", .redis_retries = -1});
    failed(cortex_working_memory_pattern_cache_put(session, &pattern), session);
    close_store();
}

int
main(void)
{
    open_store(&(struct varve_config){.data_dir = "data"});
    fail_inserts();
    fail_columns();
    fail_dims();
    fail_reads();
    fail_references();
    fail_version();
    fail_without_store();
    fail_interrupted();
    fail_commit();
    fail_full();
    fail_type();
    close_store();
    fail_busy();
    fail_timeout();
    fail_read_only();
    fail_migrated();
    fail_opening();
    fail_unavailable();
    return 0;
}
