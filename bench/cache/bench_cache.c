/* bench_cache: values in the cache, against hiredis, redis-py and redis-benchmark on the same private
 * redis-server, over its Unix socket; and the embedded cache, which has no counterpart.
 *
 * Ours packs, checks and unpacks records; the counterparts move bytes that are packed already.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/server.h"
#include "cache/sides.h"
#include "common/folder.h"
#include "common/peer.h"

/* splitmix64. */
void
fill_payload(uint8_t *bytes, size_t size, int64_t number)
{
    uint64_t state = (uint64_t)number;
    for (size_t i = 0; i < size; i++) {
        state += UINT64_C(0x9E3779B97F4A7C15);
        uint64_t mixed = (state ^ (state >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        bytes[i] = (uint8_t)(mixed >> 56);
    }
}

size_t
payload_size(size_t packed)
{
    return packed - (packed < 1000 ? 16 : 17); /* tags, numbers, times and lengths */
}

/* ------------------------------------------------------------------ threads */

/* One work of one side with a number of threads. */
struct crew {
    const struct cache_side *side;
    struct worker workers[THREADS_MOST];
    size_t threads;
};

static void
open_crew(struct crew *crew, const struct cache_side *side, size_t threads, size_t size)
{
    *crew = (struct crew){.side = side, .threads = threads};
    for (size_t i = 0; i < threads; i++)
        crew->workers[i] =
            (struct worker){.state = side->open(side->context, i, size), .number = i, .size = size};
}

static void
close_crew(struct crew *crew)
{
    for (size_t i = 0; i < crew->threads; i++)
        crew->side->close(crew->workers[i].state);
}

struct task {
    const struct crew *crew;
    struct worker *worker;
};

static void *
run_task(void *context)
{
    const struct task *task = context;
    task->crew->side->run(task->worker);
    return NULL;
}

static void
run_crew(struct crew *crew, enum cache_work work, size_t operations)
{
    pthread_t threads[THREADS_MOST];
    struct task tasks[THREADS_MOST];
    for (size_t i = 0; i < crew->threads; i++) {
        crew->workers[i].work = work;
        crew->workers[i].operations = operations / crew->threads + 1;
        tasks[i] = (struct task){crew, &crew->workers[i]};
    }
    if (crew->threads == 1) {
        run_task(&tasks[0]);
        return;
    }
    for (size_t i = 0; i < crew->threads; i++) {
        if (pthread_create(&threads[i], NULL, run_task, &tasks[i]) != 0)
            bench_fail("cannot start a thread");
    }
    for (size_t i = 0; i < crew->threads; i++)
        pthread_join(threads[i], NULL);
}

/* ------------------------------------------------------------------ works */

struct measured {
    struct crew *crew;
    enum cache_work work;
};

static uint64_t
time_crew(void *context, size_t operations)
{
    const struct measured *measured = context;
    uint64_t start = bench_now();
    run_crew(measured->crew, measured->work, operations);
    return bench_now() - start;
}

struct plan {
    enum cache_work work;
    const char *name;
    double bar;
};

static const struct plan plans[] = {
    {WORK_PUT, "put", 0.95},
    {WORK_GET, "get", 0.95},
    {WORK_PUT_MANY, "put_many 256", 1.3},
    {WORK_GET_MANY, "get_many 256", 1.3},
};

enum {
    PLANS = sizeof plans / sizeof *plans,
    NAME_SIZE = 48,
    NAMES_MOST = 64
};

/* Names live until the run ends. */
static const char *
make_name(const char *work, size_t size, size_t threads)
{
    static char names[NAMES_MOST][NAME_SIZE];
    static size_t count;
    if (count == NAMES_MOST)
        bench_fail("too many works");
    snprintf(
        names[count], NAME_SIZE, "%s %s%s", work, size < 1024 ? "200 B" : "16 KiB",
        threads > 1 ? " 4 threads" : "");
    return names[count++];
}

static bool
is_many(enum cache_work work)
{
    return work >= WORK_PUT_MANY;
}

static void
compare(
    struct bench_run *run,
    const struct server *server,
    const struct plan *plan,
    const char *name,
    struct crew *ours,
    struct crew *theirs)
{
    struct measured left = {ours, plan->work}, right = {theirs, plan->work};
    server_place(server, ours->threads == 1 && !is_many(plan->work));
    const struct bench_work work = {
        .name = name,
        .counterpart = theirs ? theirs->side->name : NULL,
        .ours = {time_crew, &left},
        .theirs = {theirs ? time_crew : NULL, &right},
        .bar = theirs ? plan->bar : 0,
        .rate = "values/s",
        .amount = is_many(plan->work) ? PIPELINE : 1,
    };
    bench_run_compare(run, &work);
}

/* Fills both sides, then measures all works of this size with so many threads. */
static void
compare_sides(
    struct bench_run *run,
    const struct server *server,
    const struct cache_side *ours,
    const struct cache_side *theirs,
    size_t size,
    size_t threads)
{
    struct crew left, right;
    open_crew(&left, ours, threads, size);
    open_crew(&right, theirs, threads, size);
    run_crew(&left, WORK_PUT_MANY, KEYS / PIPELINE * threads);
    run_crew(&right, WORK_PUT_MANY, KEYS / PIPELINE * threads);
    for (size_t i = 0; i < PLANS; i++) {
        const char *name = make_name(plans[i].name, size, threads);
        if (bench_run_wants(run, name))
            compare(run, server, &plans[i], name, &left, &right);
    }
    close_crew(&left);
    close_crew(&right);
}

/* What has no counterpart in hiredis: the embedded cache, and values in an order by time. */
static void
measure_alone(
    struct bench_run *run, const struct cache_side *side, const struct plan *plan, size_t size)
{
    struct crew crew;
    const char *name = make_name(plan->name, size, 1);
    if (!bench_run_wants(run, name))
        return;
    open_crew(&crew, side, 1, size);
    run_crew(&crew, WORK_PUT_MANY, KEYS / PIPELINE);
    struct measured measured = {&crew, plan->work};
    const struct bench_work work = {.name = name, .ours = {time_crew, &measured}};
    bench_run_compare(run, &work);
    close_crew(&crew);
}

/* ------------------------------------------------------------------ other processes */

/* redis-py, or redis-benchmark: one process, answers with the nanoseconds of so many values. */
static void
compare_peer(
    struct bench_run *run,
    struct crew *ours,
    struct bench_peer *peer,
    const char *counterpart,
    const char *verb,
    const struct plan *plan)
{
    struct measured left = {ours, plan->work};
    struct bench_peer_work right = {peer, verb};
    const char *name = make_name(plan->name, ours->workers[0].size, 1);
    if (!bench_run_wants(run, name))
        return;
    const struct bench_work work = {
        .name = name,
        .counterpart = counterpart,
        .ours = {time_crew, &left},
        .theirs = {bench_peer_time, &right},
        .rate = "values/s",
        .amount = is_many(plan->work) ? PIPELINE : 1,
        .operations = is_many(plan->work) ? 400 : 5000,
        .slices = 1,
        .rounds_max = 9,
    };
    bench_run_compare(run, &work);
}

static void
compare_peers(struct bench_run *run, const struct cache_side *ours, const char *socket, size_t size)
{
    static const char *const python_verbs[PLANS] = {"put", "get", "put_many", "get_many"};
    char text[32];
    struct crew crew;
    snprintf(text, sizeof text, "%zu", size);
    const char *const command[] = {BENCH_PYTHON, BENCH_PYTHON_SCRIPT, socket, text, NULL};
    struct bench_peer *peer = bench_peer_start(command);
    open_crew(&crew, ours, 1, size);
    run_crew(&crew, WORK_PUT_MANY, KEYS / PIPELINE);
    for (size_t i = 0; i < PLANS; i++)
        compare_peer(run, &crew, peer, "redis-py", python_verbs[i], &plans[i]);
    compare_peer(run, &crew, peer, "redis-benchmark -P 64", "benchmark_set", &plans[2]);
    compare_peer(run, &crew, peer, "redis-benchmark -P 64", "benchmark_get", &plans[3]);
    close_crew(&crew);
    bench_peer_stop(peer);
}

/* ------------------------------------------------------------------ all */

static void
measure_redis(struct bench_run *run, const char *folder)
{
    static const size_t sizes[] = {200, 16384};
    struct cache_side ours, plain;
    struct server *server = server_start(folder);
    ours_open(&ours, server_socket(server), ":memory:");
    hiredis_open(&plain, server_socket(server));
    for (size_t i = 0; i < 2; i++) {
        compare_sides(run, server, &ours, &plain, sizes[i], 1);
        compare_sides(run, server, &ours, &plain, sizes[i], THREADS_MOST);
        compare_peers(run, &ours, server_socket(server), sizes[i]);
    }
    measure_alone(run, &ours, &(struct plan){WORK_PUT_DATED, "put_many 256 dated", 0}, 200);
    ours_close(&ours);
    server_stop(server);
}

static void
measure_embedded(struct bench_run *run)
{
    static const struct plan alone[] = {
        {WORK_GET, "embedded get", 0},
        {WORK_PUT, "embedded put", 0},
        {WORK_GET_MANY, "embedded get_many 256", 0},
        {WORK_PUT_MANY, "embedded put_many 256", 0},
    };
    struct cache_side ours;
    ours_open(&ours, NULL, ":memory:");
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        measure_alone(run, &ours, &alone[i], 200);
        measure_alone(run, &ours, &alone[i], 16384);
    }
    ours_close(&ours);
}

int
main(int argc, char **argv)
{
    struct bench_run run;
    bench_run_begin(&run, argc, argv);
    measure_embedded(&run);
    measure_redis(&run, bench_folder_make("/tmp"));
    return bench_run_end(&run);
}
