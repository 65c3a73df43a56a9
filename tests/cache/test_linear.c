/* Whether gets by way of hot copies are linearizable: several processes read and change two records, one of
 * them also by a cascade, while some are killed at any place, and the server is frozen, killed and started
 * again with the memory of before.
 *
 * Every change has a version, counted in the table in the same transaction; the record's value is the version
 * that wrote it last. Before a get begins, the greatest version that is known to be committed is noted, after it
 * the greatest that was begun: what the get gives must be the state at one of the versions from the one to the
 * other. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "hot_support.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS = 4,
    RECORDS = 2, /* the second one has an owner */
    VERSIONS = 1 << 20,
    CHANGE_EACH = 20, /* calls of a worker: more, and there would be few copies */
    MESSAGE = 300,
    COUNTERS = 1000, /* id of the first one's counter, an owner */
};

/* A record as all processes know it. */
struct known {
    atomic_llong committed;         /* the greatest version that is, for certain */
    atomic_llong begun;             /* the greatest version there may be */
    atomic_llong written[VERSIONS]; /* by version: itself, or 0 when it has deleted the record */
};

struct shared {
    struct known records[RECORDS];
    atomic_bool ended;
    atomic_bool quiet; /* nothing is to be changed */
    atomic_bool failed;
    char message[MESSAGE];
    atomic_llong gets, hits, changes, kills;
};

struct worker {
    struct shared *shared;
    struct varve_store *store;
    struct varve_session *session;
    unsigned long long seed;
};

static unsigned long long
draw(unsigned long long *seed, unsigned long long below)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (*seed >> 33) % below;
}

/* -------------------------------------------------------------------- workers */

/* Ends the process; what the first one says is kept. */
static void
report(const struct worker *worker, const char *what, long long a, long long b, long long c)
{
    struct shared *shared = worker->shared;
    if (!atomic_exchange(&shared->failed, true))
        snprintf(
            shared->message, MESSAGE, "%s (%lld, %lld, %lld) %.150s", what, a, b, c,
            varve_session_error(worker->session));
    _exit(1);
}

static void
expect(const struct worker *worker, enum varve_status status, const char *what)
{
    if (status != VARVE_OK)
        report(worker, what, (long long)status, 0, 0);
}

static void
raise_to(atomic_llong *known, long long version)
{
    long long old = atomic_load(known);
    while (old < version && !atomic_compare_exchange_weak(known, &old, version))
        continue;
}

/* Some version from `first` to `last` has left the record as it was found: 0 when it was not there. */
static bool
is_possible(const struct known *known, long long found, long long first, long long last)
{
    if (found != 0)
        return found >= first && found <= last && atomic_load(&known->written[found]) == found;
    for (long long version = first; version <= last; version++) {
        if (atomic_load(&known->written[version]) == 0)
            return true;
    }
    return false;
}

static void
get(const struct worker *worker, size_t which)
{
    struct hot_item key = HOT_ITEM_INIT;
    struct hot_item *item;
    struct known *known = &worker->shared->records[which];
    long long first = atomic_load(&known->committed);
    key.id = (int64_t)which + 1;
    enum varve_status status = hot_item_cache_get(worker->session, &key, &item);
    long long last = atomic_load(&known->begun);
    if (status != VARVE_NOT_FOUND)
        expect(worker, status, "get");
    long long found = status == VARVE_OK ? item->value : 0;
    hot_item_free(item);
    if (!is_possible(known, found, first, last))
        report(worker, "stale: found, and versions from, to", found, first, last);
    atomic_fetch_add(&worker->shared->gets, 1);
}

/* The next version of the record, in the transaction. */
static long long
count_up(const struct worker *worker, size_t which)
{
    char text[24];
    struct hot_owner counter = HOT_OWNER_INIT;
    struct hot_owner *old;
    counter.id = COUNTERS + (int64_t)which;
    expect(worker, hot_owner_get(worker->session, counter.id, &old), "get the counter");
    long long version = atoll(old->name) + 1;
    hot_owner_free(old);
    snprintf(text, sizeof text, "%lld", version);
    counter.name = text;
    expect(worker, hot_owner_update(worker->session, &counter), "count up");
    return version;
}

static void
insert(const struct worker *worker, struct hot_item *item)
{
    struct hot_owner owner = HOT_OWNER_INIT;
    if (item->id == 2) {
        owner.id = 1;
        expect(worker, hot_owner_upsert(worker->session, &owner), "insert the owner");
        item->has_owner_id = true;
        item->owner_id = owner.id;
    }
    expect(worker, hot_item_insert(worker->session, item), "insert");
}

static void
remove_item(const struct worker *worker, int64_t id)
{
    if (id == 2)
        expect(worker, hot_owner_delete(worker->session, 1), "delete the owner");
    else
        expect(worker, hot_item_delete(worker->session, id), "delete");
}

static void
change_within(struct worker *worker, size_t which)
{
    struct hot_item *old = NULL;
    struct hot_item item = HOT_ITEM_INIT;
    struct known *known = &worker->shared->records[which];
    long long version = count_up(worker, which);
    item.id = (int64_t)which + 1;
    item.value = version;
    enum varve_status status = hot_item_get(worker->session, item.id, &old);
    bool deletes = status == VARVE_OK && draw(&worker->seed, 4) == 0;
    if (version >= VERSIONS)
        report(worker, "there are too many versions", version, 0, 0);
    atomic_store(&known->written[version], deletes ? 0 : version);
    raise_to(&known->begun, version);
    static const enum hot_item_field fields[] = {HOT_ITEM_FIELD_VALUE};
    if (status == VARVE_NOT_FOUND)
        insert(worker, &item);
    else if (deletes)
        remove_item(worker, item.id);
    else
        expect(worker, hot_item_update_fields(worker->session, &item, fields, 1), "update");
    hot_item_free(old);
    expect(worker, varve_commit(worker->session), "commit");
    raise_to(&known->committed, version);
    atomic_fetch_add(&worker->shared->changes, 1);
}

static void
change(struct worker *worker, size_t which)
{
    enum varve_status status = varve_begin(worker->session);
    if (status == VARVE_BUSY)
        return;
    expect(worker, status, "begin");
    change_within(worker, which);
}

/* What the store has counted; that of a process that is killed is lost. */
static void
count_hits(const struct worker *worker)
{
    struct varve_health_report health;
    if (varve_health(worker->store, &health) != VARVE_OK)
        return;
    atomic_fetch_add(&worker->shared->hits, health.cache.hits);
    varve_health_free(&health);
}

static void
work(struct shared *shared, const struct varve_config *config, unsigned long long seed)
{
    struct varve_error error;
    struct worker worker = {.shared = shared, .seed = seed};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (varve_open(&hot_schema, config, &worker.store, &error) != VARVE_OK ||
        varve_session_open(worker.store, &worker.session) != VARVE_OK)
        report(&worker, error.message, 0, 0, 0);
    while (!atomic_load(&shared->ended)) {
        size_t which = draw(&worker.seed, RECORDS);
        if (draw(&worker.seed, CHANGE_EACH) == 0 && !atomic_load(&shared->quiet))
            change(&worker, which);
        else
            get(&worker, which);
    }
    count_hits(&worker);
    varve_session_close(worker.session);
    varve_close(worker.store);
    _exit(0);
}

/* -------------------------------------------------------------------- the trial */

struct trial {
    struct shared *shared;
    struct test_server *server;
    struct varve_config config;
    pid_t workers[WORKERS];
    unsigned long long seed;
};

static void
start_worker(struct trial *trial, size_t i)
{
    unsigned long long seed = draw(&trial->seed, 1ull << 30);
    trial->workers[i] = fork();
    assert_true(trial->workers[i] >= 0);
    if (trial->workers[i] == 0)
        work(trial->shared, &trial->config, seed);
}

static void
pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void
kill_worker(struct trial *trial)
{
    size_t i = draw(&trial->seed, WORKERS);
    kill(trial->workers[i], SIGKILL);
    waitpid(trial->workers[i], NULL, 0);
    atomic_fetch_add(&trial->shared->kills, 1);
    start_worker(trial, i);
}

/* The server comes back with what it had when it was told to SAVE: copies that were deleted after. If nothing is
 * changed meanwhile there is no row either by which they would be found. */
static void
restart_with_old_memory(struct trial *trial)
{
    server_command(trial->server, "SAVE");
    pause_ms((long)draw(&trial->seed, 50));
    atomic_store(&trial->shared->quiet, draw(&trial->seed, 2) == 0);
    pause_ms(10);
    server_kill(trial->server, SIGKILL);
    pause_ms((long)draw(&trial->seed, 50));
    server_restart(trial->server);
    pause_ms(10);
    atomic_store(&trial->shared->quiet, false);
}

/* One thing that goes wrong. */
static void
disturb(struct trial *trial)
{
    switch (draw(&trial->seed, 12)) {
    case 0:
        kill(server_process(trial->server), SIGSTOP);
        pause_ms((long)draw(&trial->seed, 250));
        kill(server_process(trial->server), SIGCONT);
        break;
    case 1:
        restart_with_old_memory(trial);
        break;
    case 2: /* copies can be read, not deleted */
    case 3:
        server_command(trial->server, "CONFIG SET min-replicas-to-write 1");
        pause_ms((long)draw(&trial->seed, 150));
        server_command(trial->server, "CONFIG SET min-replicas-to-write 0");
        break;
    default:
        kill_worker(trial);
    }
}

/* The folder's first program makes the counters. */
static void
prepare(const struct trial *trial)
{
    struct varve_store *store;
    struct varve_session *session;
    struct hot_owner counter = HOT_OWNER_INIT;
    pid_t child = fork();
    if (child == 0) {
        bool fine = varve_open(&hot_schema, &trial->config, &store, NULL) == VARVE_OK &&
                    varve_session_open(store, &session) == VARVE_OK;
        for (size_t i = 0; i < RECORDS && fine; i++) {
            counter.id = COUNTERS + (int64_t)i;
            counter.name = "0";
            fine = hot_owner_insert(session, &counter) == VARVE_OK;
        }
        _exit(!fine);
    }
    int code = 1;
    waitpid(child, &code, 0);
    assert_int_equal(code, 0);
}

static void
run(struct trial *trial, long seconds)
{
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (size_t i = 0; i < WORKERS; i++)
        start_worker(trial, i);
    do {
        pause_ms((long)draw(&trial->seed, 120));
        disturb(trial);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec && !atomic_load(&trial->shared->failed));
    atomic_store(&trial->shared->ended, true);
    for (size_t i = 0; i < WORKERS; i++)
        waitpid(trial->workers[i], NULL, 0);
}

static void
test_no_get_is_ever_stale(void **state)
{
    (void)state;
    char folder[] = "/tmp/varve-test-XXXXXX";
    char command[64];
    const char *seconds = getenv("VARVE_LINEAR_SECONDS");
    struct trial trial = {.seed = (unsigned long long)time(NULL)};
    assert_non_null(mkdtemp(folder));
    trial.shared =
        mmap(NULL, sizeof *trial.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(trial.shared != MAP_FAILED);
    trial.server = server_start(NULL);
    trial.config = (struct varve_config){
        .data_dir = folder,
        .redis_unix_socket = server_socket(trial.server),
        .redis_connect_timeout_ms = 100,
        .redis_timeout_ms = 100,
        .redis_retries = -1,
        .redis_breaker_failures = -1,
        .busy_timeout_ms = 20000,
    };
    prepare(&trial);
    run(&trial, seconds ? atol(seconds) : 5);
    server_stop(trial.server);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    struct shared *shared = trial.shared;
    print_message(
        "%lld gets, %lld hits at least, %lld changes, %lld kills\n", atomic_load(&shared->gets),
        atomic_load(&shared->hits), atomic_load(&shared->changes), atomic_load(&shared->kills));
    if (atomic_load(&shared->failed))
        fail_msg("%s", shared->message);
    assert_true(atomic_load(&shared->gets) > 100 && atomic_load(&shared->hits) > 0);
    munmap(shared, sizeof *shared);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_get_is_ever_stale)};
    return cmocka_run_group_tests_name("linear", tests, NULL, NULL);
}
