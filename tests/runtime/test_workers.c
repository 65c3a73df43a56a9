/* The pool of threads. What a piece writes is not atomic wherever only one thread may be at it, so that the
 * thread sanitizer is a judge too. No test measures time; a wait that never ends is cut after half a
 * minute. */
#define _DEFAULT_SOURCE /* fork() */

#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/workers.h"

enum {
    PIECES = 500,
    THREADS_MOST = 4,
    PATIENCE_SECONDS = 30
};

static atomic_int creations_left = -1; /* threads that may still be made; -1: any number */

int
__real_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);
int
__wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);
int
__wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    if (creations_left == 0)
        return EAGAIN;
    if (creations_left > 0)
        creations_left--;
    return __real_pthread_create(thread, attributes, start, argument);
}

static struct varve__workers *
make_pool(size_t count)
{
    struct varve__workers *workers = NULL;
    assert_int_equal(varve__workers_create(count, &workers), VARVE_OK);
    assert_int_equal(varve__workers_count(workers), count);
    return workers;
}

/* What a call does, and what is seen of it. */
struct trial {
    unsigned done[PIECES];                /* by piece */
    unsigned by_worker[THREADS_MOST + 1]; /* pieces of each */
    unsigned slots[PIECES];               /* by piece % window: a piece's result + 1, until taken */
    atomic_size_t under_way, begun;
    size_t taken; /* by the caller's thread only */
    size_t window;
    size_t fails_at, refuses_at; /* pieces; PIECES: none */
    size_t threads;
    pthread_t caller;
    atomic_bool wrong;
};

static struct trial *
make_trial(size_t threads)
{
    struct trial *trial = calloc(1, sizeof *trial);
    assert_non_null(trial);
    trial->fails_at = trial->refuses_at = PIECES;
    trial->threads = threads;
    trial->window = 1;
    trial->caller = pthread_self();
    return trial;
}

static void
expect(struct trial *trial, bool condition)
{
    if (!condition)
        trial->wrong = true; /* cmocka's assertions are for its own thread */
}

static bool
work(void *context, size_t piece, size_t worker)
{
    struct trial *trial = context;
    trial->under_way++;
    trial->begun++;
    expect(trial, piece < PIECES && worker <= trial->threads);
    expect(trial, (worker == 0) == (pthread_equal(pthread_self(), trial->caller) != 0));
    trial->done[piece]++;
    trial->by_worker[worker]++;
    for (volatile unsigned i = 0; i < (unsigned)(piece * 7919 % 2000); i++)
        ;
    trial->under_way--;
    return piece != trial->fails_at;
}

static bool
work_for_taking(void *context, size_t piece, size_t worker)
{
    struct trial *trial = context;
    unsigned *slot = &trial->slots[piece % trial->window];
    expect(trial, *slot == 0); /* what was there has been taken */
    *slot = (unsigned)piece + 1;
    return work(context, piece, worker);
}

static bool
take(void *context, size_t piece)
{
    struct trial *trial = context;
    unsigned *slot = &trial->slots[piece % trial->window];
    expect(trial, pthread_equal(pthread_self(), trial->caller));
    expect(trial, piece == trial->taken && *slot == piece + 1);
    expect(trial, trial->begun - trial->taken <= trial->window);
    *slot = 0;
    trial->taken++;
    return piece != trial->refuses_at;
}

static void
assert_once(const struct trial *trial, size_t count)
{
    unsigned sum = 0;
    assert_false(trial->wrong);
    assert_int_equal(trial->under_way, 0);
    for (size_t i = 0; i < PIECES; i++)
        assert_int_equal(trial->done[i], i < count);
    for (size_t i = 0; i <= trial->threads; i++)
        sum += trial->by_worker[i];
    assert_int_equal(sum, count);
}

static void
all_pieces_are_done_once(void **state)
{
    static const size_t counts[] = {0, 1, 2, 3, 64, 65, PIECES};
    (void)state;
    for (size_t threads = 0; threads <= THREADS_MOST; threads++) {
        struct varve__workers *workers = make_pool(threads);
        for (size_t i = 0; i < 7 * 10; i++) {
            struct trial *trial = make_trial(threads);
            assert_true(varve__workers_run(workers, work, trial, counts[i % 7]));
            assert_once(trial, counts[i % 7]);
            free(trial);
        }
        varve__workers_release(workers);
    }
    varve__workers_release(NULL);
}

static void
results_are_taken_in_order_within_the_window(void **state)
{
    static const size_t windows[] = {1, 2, 3, 7, 63, 64, 65, PIECES};
    (void)state;
    for (size_t threads = 0; threads <= THREADS_MOST; threads++) {
        struct varve__workers *workers = make_pool(threads);
        for (size_t i = 0; i < 8 * 5; i++) {
            struct trial *trial = make_trial(threads);
            trial->window = windows[i % 8];
            size_t count = i < 8 ? i : PIECES;
            assert_true(varve__workers_run_ordered(
                workers, work_for_taking, take, trial, count, trial->window));
            assert_once(trial, count);
            assert_int_equal(trial->taken, count);
            free(trial);
        }
        varve__workers_release(workers);
    }
}

static void
work_that_fails_ends_the_whole(void **state)
{
    (void)state;
    for (size_t threads = 0; threads <= THREADS_MOST; threads++) {
        struct varve__workers *workers = make_pool(threads);
        for (size_t i = 0; i < 20; i++) {
            struct trial *trial = make_trial(threads);
            trial->fails_at = 10 + i;
            trial->window = 5;
            assert_false(
                i % 2
                    ? varve__workers_run(workers, work, trial, PIECES)
                    : varve__workers_run_ordered(workers, work_for_taking, take, trial, PIECES, 5));
            assert_int_equal(trial->under_way, 0);
            assert_int_equal(trial->done[10 + i], 1);
            assert_false(trial->wrong);
            if (i % 2 == 0)
                assert_true(trial->taken <= 10 + i && trial->begun <= 10 + i + 5);
            if (threads == 0)
                assert_int_equal(trial->begun, 10 + i + 1);
            free(trial);
        }
        varve__workers_release(workers);
    }
}

static void
a_result_that_is_refused_ends_the_whole(void **state)
{
    (void)state;
    for (size_t threads = 0; threads <= THREADS_MOST; threads++) {
        struct varve__workers *workers = make_pool(threads);
        for (size_t i = 0; i < 20; i++) {
            struct trial *trial = make_trial(threads);
            trial->refuses_at = i;
            trial->window = 4;
            assert_false(
                varve__workers_run_ordered(workers, work_for_taking, take, trial, PIECES, 4));
            assert_int_equal(trial->taken, i + 1);
            assert_int_equal(trial->under_way, 0);
            assert_true(trial->begun <= i + 1 + 4);
            assert_false(trial->wrong);
            free(trial);
        }
        varve__workers_release(workers);
    }
}

/* The last piece too: there is nothing left to be kept from beginning. */
static void
a_failure_of_the_last_piece_is_told(void **state)
{
    struct varve__workers *workers = make_pool(2);
    (void)state;
    for (size_t count = 1; count <= 4; count++) {
        struct trial *trial = make_trial(2);
        trial->window = 4;
        trial->fails_at = count - 1;
        assert_false(varve__workers_run(workers, work, trial, count));
        trial->fails_at = PIECES;
        trial->refuses_at = count - 1;
        assert_false(varve__workers_run_ordered(workers, work_for_taking, take, trial, count, 4));
        free(trial);
    }
    varve__workers_release(workers);
}

/* ------------------------------------------------------------------ callers at once */

struct caller {
    struct varve__workers *workers;
    pthread_t id;
    bool wrong;
};

static void *
call_often(void *argument)
{
    struct caller *caller = argument;
    for (size_t i = 0; i < 40; i++) {
        struct trial *trial = calloc(1, sizeof *trial);
        trial->fails_at = trial->refuses_at = PIECES;
        trial->threads = 3;
        trial->window = 1 + i % 6;
        trial->caller = pthread_self();
        bool went_well =
            i % 2 ? varve__workers_run(caller->workers, work, trial, PIECES)
                  : varve__workers_run_ordered(
                        caller->workers, work_for_taking, take, trial, PIECES, trial->window);
        caller->wrong |= !went_well || trial->wrong || trial->under_way != 0;
        for (size_t piece = 0; piece < PIECES; piece++)
            caller->wrong |= trial->done[piece] != 1;
        free(trial);
    }
    return NULL;
}

static void
several_callers_share_the_pool(void **state)
{
    struct varve__workers *workers = make_pool(3);
    struct caller callers[4];
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        callers[i] = (struct caller){.workers = workers};
        assert_int_equal(pthread_create(&callers[i].id, NULL, call_often, &callers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(callers[i].id, NULL);
        assert_false(callers[i].wrong);
    }
    varve__workers_release(workers);
}

/* ------------------------------------------------------------------ what goes on at once */

struct meeting {
    sem_t arrived, other;
    atomic_bool failed;
};

static bool
wait_for(sem_t *semaphore)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    return sem_timedwait(semaphore, &until) == 0;
}

/* Two pieces that end when both have begun. */
static bool
meet(void *context, size_t piece, size_t worker)
{
    struct meeting *meeting = context;
    (void)worker;
    sem_post(piece == 0 ? &meeting->arrived : &meeting->other);
    return wait_for(piece == 0 ? &meeting->other : &meeting->arrived);
}

static void
pieces_are_done_at_the_same_time(void **state)
{
    struct varve__workers *workers = make_pool(1);
    struct meeting meeting = {0};
    (void)state;
    sem_init(&meeting.arrived, 0, 0);
    sem_init(&meeting.other, 0, 0);
    assert_true(varve__workers_run(workers, meet, &meeting, 2));
    varve__workers_release(workers);
}

static bool
announce(void *context, size_t piece, size_t worker)
{
    struct meeting *meeting = context;
    (void)worker;
    if (piece > 0)
        sem_post(&meeting->arrived);
    return true;
}

/* The taking of the first result ends when the work of the second has begun. */
static bool
take_when_announced(void *context, size_t piece)
{
    struct meeting *meeting = context;
    return piece > 0 || wait_for(&meeting->arrived);
}

static void
later_pieces_are_done_while_a_result_is_taken(void **state)
{
    struct varve__workers *workers = make_pool(1);
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        struct meeting meeting = {0};
        sem_init(&meeting.arrived, 0, 0);
        assert_true(
            varve__workers_run_ordered(workers, announce, take_when_announced, &meeting, 2, 2));
    }
    varve__workers_release(workers);
}

/* ------------------------------------------------------------------ threads */

static size_t
thread_count(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void
threads_start_with_work_that_they_can_do(void **state)
{
    struct varve__workers *workers = make_pool(3);
    struct trial *trial = make_trial(3);
    size_t before = thread_count();
    (void)state;
    assert_true(varve__workers_run(workers, work, trial, 1));
    assert_int_equal(thread_count(), before); /* the caller does a single piece */
    assert_true(varve__workers_run(workers, work, trial, 2));
    assert_int_equal(thread_count(), before + 1);
    assert_true(varve__workers_run(workers, work, trial, PIECES));
    assert_int_equal(thread_count(), before + 3);
    varve__workers_release(workers);
    free(trial);
}

static void
without_new_threads_the_work_is_done_all_the_same(void **state)
{
    (void)state;
    for (int allowed = 0; allowed <= 2; allowed++) {
        struct varve__workers *workers = make_pool(4);
        struct trial *trial = make_trial((size_t)allowed);
        creations_left = allowed;
        assert_true(varve__workers_run(workers, work, trial, PIECES));
        assert_once(trial, PIECES);
        free(trial);
        trial = make_trial((size_t)allowed);
        trial->window = 3;
        assert_true(varve__workers_run_ordered(workers, work_for_taking, take, trial, PIECES, 3));
        assert_once(trial, PIECES);
        creations_left = -1;
        varve__workers_release(workers);
        free(trial);
    }
}

static bool
look_at_signals(void *context, size_t piece, size_t worker)
{
    struct meeting *meeting = context;
    static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1, SIGALRM, SIGCHLD, SIGPROF};
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (sigismember(&mask, numbers[i]) != (worker > 0))
            meeting->failed = true;
    return meet(context, piece, worker);
}

static void
signals_are_for_the_programs_own_threads(void **state)
{
    struct varve__workers *workers = make_pool(1);
    struct meeting meeting = {0};
    (void)state;
    sem_init(&meeting.arrived, 0, 0);
    sem_init(&meeting.other, 0, 0);
    assert_true(varve__workers_run(workers, look_at_signals, &meeting, 2)); /* both threads */
    assert_false(meeting.failed);
    varve__workers_release(workers);
}

static void
a_forked_child_works_alone(void **state)
{
    struct varve__workers *workers = make_pool(2);
    struct trial *trial = make_trial(2);
    (void)state;
    assert_true(varve__workers_run(workers, work, trial, PIECES));
    free(trial);
    trial = make_trial(0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(PATIENCE_SECONDS);
        bool fine = varve__workers_run(workers, work, trial, PIECES) && !trial->wrong;
        varve__workers_release(workers);
        _exit(fine ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    varve__workers_release(workers);
    free(trial);
}

static void
a_pool_without_memory_is_refused(void **state)
{
    struct varve__workers *workers = (void *)&workers;
    (void)state;
    count_allocations(1);
    assert_int_equal(varve__workers_create(2, &workers), VARVE_NO_MEMORY);
    assert_null(workers);
    stop_counting();
    assert_int_equal(varve__workers_create(SIZE_MAX, &workers), VARVE_NO_MEMORY);
    assert_int_equal(varve__workers_create(SIZE_MAX / 30, &workers), VARVE_NO_MEMORY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pieces_are_done_once),
        cmocka_unit_test(results_are_taken_in_order_within_the_window),
        cmocka_unit_test(work_that_fails_ends_the_whole),
        cmocka_unit_test(a_result_that_is_refused_ends_the_whole),
        cmocka_unit_test(a_failure_of_the_last_piece_is_told),
        cmocka_unit_test(several_callers_share_the_pool),
        cmocka_unit_test(pieces_are_done_at_the_same_time),
        cmocka_unit_test(later_pieces_are_done_while_a_result_is_taken),
        cmocka_unit_test(threads_start_with_work_that_they_can_do),
        cmocka_unit_test(without_new_threads_the_work_is_done_all_the_same),
        cmocka_unit_test(signals_are_for_the_programs_own_threads),
        cmocka_unit_test(a_forked_child_works_alone),
        cmocka_unit_test(a_pool_without_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
