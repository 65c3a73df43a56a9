/* Eight threads that write one record after the other, each durable before the next: through a writer, which
 * commits those of all threads together, against a commit each, of varve's own and of SQLite's functions
 * with a lock around them. All at synchronous = FULL, each side in a database of its own on the same disk. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bench.h"
#include "common/folder.h"
#include "lab.varve.h"

enum {
    THREADS = 8,
    RECORDS = 100, /* of each thread in a round */
    EXPERIENCE = 256,
};

/* A way to write. */
struct side {
    const char *name;
    char *folder;
    struct varve_store *store;
    struct varve_writer *writer; /* NULL: a commit each */
    sqlite3 *database;           /* of theirs in C */
    sqlite3_stmt *insert;
    pthread_mutex_t lock; /* of these */
    int64_t written;
};

struct worker {
    struct side *side;
    int number;
    void (*write)(struct worker *worker, struct lab_episode *episode);
    struct varve_session *session;
};

static void
must(enum varve_status status, struct varve_session *session)
{
    if (status != VARVE_OK)
        bench_fail("%s", varve_session_error(session));
}

/* -------------------------------------------------------------------- the ways */

static void
write_shared(struct worker *worker, struct lab_episode *episode)
{
    must(lab_episode_write(worker->side->writer, VARVE_WRITER_INSERT, episode), NULL);
}

static void
write_alone(struct worker *worker, struct lab_episode *episode)
{
    must(lab_episode_insert(worker->session, episode), worker->session);
}

static void
write_raw(struct worker *worker, struct lab_episode *episode)
{
    struct side *side = worker->side;
    pthread_mutex_lock(&side->lock);
    sqlite3_bind_int64(side->insert, 1, episode->occurred_at);
    sqlite3_bind_blob(
        side->insert, 2, episode->experience.data, (int)episode->experience.size, SQLITE_STATIC);
    sqlite3_bind_double(side->insert, 3, episode->performance_score);
    sqlite3_bind_text(side->insert, 4, episode->context_hash, -1, SQLITE_STATIC);
    if (sqlite3_step(side->insert) != SQLITE_DONE)
        bench_fail("%s", sqlite3_errmsg(side->database));
    sqlite3_reset(side->insert);
    pthread_mutex_unlock(&side->lock);
}

/* -------------------------------------------------------------------- a round */

static void *
work(void *context)
{
    struct worker *worker = context;
    uint8_t experience[EXPERIENCE];
    memset(experience, worker->number, sizeof experience);
    for (int i = 0; i < RECORDS; i++) {
        char context_hash[32];
        struct lab_episode episode = LAB_EPISODE_INIT;
        snprintf(context_hash, sizeof context_hash, "maze/%d", (worker->number * 31 + i) % 500);
        episode.occurred_at = 1700000000000000000 + i;
        episode.experience = (struct varve_bytes){sizeof experience, experience};
        episode.performance_score = 0.5;
        episode.context_hash = context_hash;
        worker->write(worker, &episode);
    }
    return NULL;
}

static uint64_t
run_round(
    struct side *side,
    void (*write)(struct worker *worker, struct lab_episode *episode),
    bool sessions)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.side = side, .number = i, .write = write};
        if (sessions)
            must(varve_session_open(side->store, &workers[i].session), NULL);
    }
    uint64_t start = bench_now();
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            bench_fail("no thread");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t taken = bench_now() - start;
    for (int i = 0; i < THREADS; i++)
        varve_session_close(workers[i].session);
    side->written += (int64_t)THREADS * RECORDS;
    return taken;
}

static uint64_t
time_shared(void *context, size_t operations)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < operations; i++)
        sum += run_round(context, write_shared, false);
    return sum;
}

static uint64_t
time_alone(void *context, size_t operations)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < operations; i++)
        sum += run_round(context, write_alone, true);
    return sum;
}

static uint64_t
time_raw(void *context, size_t operations)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < operations; i++)
        sum += run_round(context, write_raw, false);
    return sum;
}

/* -------------------------------------------------------------------- the sides */

static void
open_store(struct side *side)
{
    struct varve_config config = {.data_dir = side->folder, .durability = VARVE_DURABILITY_FULL};
    struct varve_error error;
    if (varve_open(&lab_schema, &config, &side->store, &error) != VARVE_OK)
        bench_fail("%s", error.message);
}

static struct side *
make_side(const char *parent, const char *name)
{
    struct side *side = calloc(1, sizeof *side);
    if (!side)
        bench_fail("out of memory");
    side->name = name;
    side->folder = bench_folder_path(parent, name);
    open_store(side);
    return side;
}

static struct side *
make_shared(const char *parent, const char *name, int64_t wait_us)
{
    struct side *side = make_side(parent, name);
    struct varve_writer_options options = {.batch_wait_us = wait_us, .batch_records = THREADS};
    must(varve_writer_open(side->store, &options, &side->writer), NULL);
    return side;
}

/* The tables are varve's; the store is closed. */
static struct side *
make_raw(const char *parent, const char *name)
{
    struct side *side = make_side(parent, name);
    varve_close(side->store);
    side->store = NULL;
    pthread_mutex_init(&side->lock, NULL);
    char *path = bench_folder_path(side->folder, "varve.db");
    if (sqlite3_open(path, &side->database) != SQLITE_OK ||
        sqlite3_exec(
            side->database,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
            "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 10000",
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v3(
            side->database,
            "INSERT INTO episode (occurred_at, experience, performance_score, context_hash) "
            "VALUES (?, ?, ?, ?)",
            -1, SQLITE_PREPARE_PERSISTENT, &side->insert, NULL) != SQLITE_OK)
        bench_fail("%s", sqlite3_errmsg(side->database));
    free(path);
    return side;
}

/* Closes the side; each record that a round has written must be there. */
static void
close_side(struct side *side)
{
    struct varve_session *session;
    int64_t count;
    varve_writer_close(side->writer);
    sqlite3_finalize(side->insert);
    sqlite3_close(side->database);
    if (!side->store)
        open_store(side);
    must(varve_session_open(side->store, &session), NULL);
    must(lab_episode_count(session, NULL, &count), session);
    if (count != side->written)
        bench_fail(
            "%s: %lld records are there, and %lld were written", side->name, (long long)count,
            (long long)side->written);
    varve_session_close(session);
    varve_close(side->store);
    free(side->folder);
    free(side);
}

static void
compare(
    struct bench_run *run,
    const char *name,
    const char *counterpart,
    struct side *ours,
    bench_function *theirs,
    struct side *their_side,
    double bar)
{
    bench_run_compare(
        run, &(struct bench_work){
                 .name = name,
                 .counterpart = counterpart,
                 .ours = {time_shared, ours},
                 .theirs = {theirs, their_side},
                 .bar = bar,
                 .rate = "records/s",
                 .amount = (double)THREADS * RECORDS,
                 .operations = 1,
                 .slices = 1,
                 .uneven = true,
             });
}

int
main(int argc, char **argv)
{
    const char *parent = BENCH_FOLDER;
    const struct bench_option options[] = {
        {"--dir", "FOLDER", "where the databases are made (default: in the build tree)", &parent},
    };
    struct bench_run run;
    bench_run_begin_options(&run, argc, argv, options, 1);
    const char *folder = bench_folder_make(parent);
    struct side *shared = make_shared(folder, "shared", 0);
    struct side *waiting = make_shared(folder, "waiting", 200);
    struct side *alone = make_side(folder, "alone");
    struct side *raw = make_raw(folder, "raw");
    compare(&run, "write by 8 threads", "a commit each", shared, time_alone, alone, 2.5);
    compare(
        &run, "write by 8 threads, batch_wait_us 200", "a commit each", waiting, time_alone, alone,
        2.5);
    compare(&run, "write by 8 threads", "C, sqlite3, a lock", shared, time_raw, raw, 0);
    close_side(shared);
    close_side(waiting);
    close_side(alone);
    close_side(raw);
    return bench_run_end(&run);
}
