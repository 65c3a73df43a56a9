/* A pool of threads. Everything is under one lock but the work itself and what takes its results: pieces
 * last for milliseconds, the lock for nanoseconds.
 *
 * A call is a job on its caller's stack and stands in the pool's list until its caller leaves, which it does
 * when none of its pieces is under way: so no thread looks at a job that is gone. */
#include "base/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fork.h"
#include "base/memory.h"

enum {
    WINDOW_MOST = 64 /* bits of job.done */
};

struct job {
    varve__work *work;
    bool (*take)(void *context, size_t piece); /* NULL: nothing is taken */
    void *context;
    size_t count;
    size_t window;
    size_t next;            /* the piece that begins next */
    size_t taken;           /* pieces; with them the window moves on */
    size_t active;          /* pieces under way */
    uint64_t done;          /* bit i % 64: piece i is done, of those in the window */
    bool ended;             /* a piece, or its taking, returned false */
    bool waiting;           /* the caller, for .. */
    pthread_cond_t changed; /* .. a piece that ends */
    struct job *previous, *following;
};

struct thread {
    struct varve__workers *workers;
    size_t index; /* from 1 on */
    pthread_t id;
};

struct varve__workers {
    pthread_mutex_t lock;
    pthread_cond_t wanted; /* there is a piece to begin, or the pool ends */
    struct job *first, *last;
    bool ending;
    unsigned fork_count; /* when it was made: the threads are not in forked children */
    size_t started;
    size_t count;
    struct thread threads[];
};

/* ------------------------------------------------------------------ the list of jobs */

static void
append(struct varve__workers *workers, struct job *job)
{
    job->previous = workers->last;
    job->following = NULL;
    *(workers->last ? &workers->last->following : &workers->first) = job;
    workers->last = job;
}

static void
take_out(struct varve__workers *workers, struct job *job)
{
    *(job->previous ? &job->previous->following : &workers->first) = job->following;
    *(job->following ? &job->following->previous : &workers->last) = job->previous;
}

/* Whether a piece may begin now. */
static bool
is_ready(const struct job *job)
{
    return !job->ended && job->next < job->count &&
           (!job->take || job->next - job->taken < job->window);
}

/* A job with a piece that may begin, now the last in the list: all have their turn. NULL: none. */
static struct job *
find_ready(struct varve__workers *workers)
{
    struct job *job = workers->first;
    while (job && !is_ready(job))
        job = job->following;
    if (job && job != workers->last) {
        take_out(workers, job);
        append(workers, job);
    }
    return job;
}

/* ------------------------------------------------------------------ pieces */

/* Does the next piece of a job that is ready. The lock is held before and after, not meanwhile. */
static void
do_piece(struct varve__workers *workers, struct job *job, size_t worker)
{
    size_t piece = job->next++;
    job->active++;
    pthread_mutex_unlock(&workers->lock);
    bool went_well = job->work(job->context, piece, worker);
    pthread_mutex_lock(&workers->lock);
    job->active--;
    job->done |= (uint64_t)1 << piece % WINDOW_MOST;
    job->ended |= !went_well;
    if (job->waiting)
        pthread_cond_signal(&job->changed);
}

/* Whether the result that is next in order is there. */
static bool
is_takeable(const struct job *job)
{
    return job->take && !job->ended && job->taken < job->next &&
           (job->done >> job->taken % WINDOW_MOST & 1);
}

/* The same as do_piece(), for taking a result. */
static void
take_piece(struct varve__workers *workers, struct job *job)
{
    size_t piece = job->taken;
    pthread_mutex_unlock(&workers->lock);
    bool went_well = job->take(job->context, piece);
    pthread_mutex_lock(&workers->lock);
    job->done &= ~((uint64_t)1 << piece % WINDOW_MOST);
    job->taken++;
    job->ended |= !went_well;
    if (is_ready(job))
        pthread_cond_signal(&workers->wanted);
}

/* What the caller does until its job is over: results first, since they make room. */
static void
see_through(struct varve__workers *workers, struct job *job)
{
    for (;;) {
        if (is_takeable(job)) {
            take_piece(workers, job);
        } else if (is_ready(job)) {
            do_piece(workers, job, 0);
        } else if (job->active > 0) {
            job->waiting = true;
            pthread_cond_wait(&job->changed, &workers->lock);
            job->waiting = false;
        } else {
            return;
        }
    }
}

/* ------------------------------------------------------------------ threads */

static void *
serve(void *argument)
{
    struct thread *thread = argument;
    struct varve__workers *workers = thread->workers;
    pthread_mutex_lock(&workers->lock);
    while (!workers->ending) {
        struct job *job = find_ready(workers);
        if (job)
            do_piece(workers, job, thread->index);
        else
            pthread_cond_wait(&workers->wanted, &workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* Has at least `wanted` threads, or as many as the system gives: the next call tries again. The program's
 * signals are for its own threads. */
static void
start_threads(struct varve__workers *workers, size_t wanted)
{
    sigset_t all, before;
    if (workers->started >= wanted)
        return;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before))
        return;
    while (workers->started < wanted) {
        struct thread *thread = &workers->threads[workers->started];
        if (pthread_create(&thread->id, NULL, serve, thread))
            break;
        workers->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ------------------------------------------------------------------ the calls */

enum varve_status
varve__workers_create(size_t count, struct varve__workers **workers)
{
    size_t size;
    *workers = NULL;
    if (!varve__size_multiply(count, sizeof(struct thread), &size) ||
        !varve__size_add(size, sizeof(struct varve__workers), &size))
        return varve__fail_memory(NULL, SIZE_MAX);
    struct varve__workers *made = varve__allocate(size);
    if (!made)
        return varve__fail_memory(NULL, size);
    varve__fork_watch();
    *made = (struct varve__workers){.fork_count = varve__fork_count, .count = count};
    pthread_mutex_init(&made->lock, NULL); /* neither fails, by glibc */
    pthread_cond_init(&made->wanted, NULL);
    for (size_t i = 0; i < count; i++)
        made->threads[i] = (struct thread){.workers = made, .index = i + 1};
    *workers = made;
    return VARVE_OK;
}

void
varve__workers_release(struct varve__workers *workers)
{
    if (!workers)
        return;
    if (workers->fork_count == varve__fork_count) {
        pthread_mutex_lock(&workers->lock);
        workers->ending = true;
        pthread_cond_broadcast(&workers->wanted);
        pthread_mutex_unlock(&workers->lock);
        for (size_t i = 0; i < workers->started; i++)
            pthread_join(workers->threads[i].id, NULL);
        pthread_cond_destroy(&workers->wanted);
        pthread_mutex_destroy(&workers->lock);
    }
    varve__release(workers);
}

size_t
varve__workers_count(const struct varve__workers *workers)
{
    return workers->count;
}

/* Without the pool. */
static bool
do_alone(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        if (!job->work(job->context, i, 0) || (job->take && !job->take(job->context, i)))
            return false;
    return true;
}

static bool
run(struct varve__workers *workers, struct job *job)
{
    if (workers->count == 0 || job->count < 2 || workers->fork_count != varve__fork_count)
        return do_alone(job);
    pthread_cond_init(&job->changed, NULL);
    pthread_mutex_lock(&workers->lock);
    start_threads(workers, job->count - 1 < workers->count ? job->count - 1 : workers->count);
    append(workers, job);
    pthread_cond_broadcast(&workers->wanted);
    see_through(workers, job);
    take_out(workers, job);
    pthread_mutex_unlock(&workers->lock);
    pthread_cond_destroy(&job->changed);
    return !job->ended;
}

bool
varve__workers_run(struct varve__workers *workers, varve__work *work, void *context, size_t count)
{
    struct job job = {.work = work, .context = context, .count = count};
    return run(workers, &job);
}

bool
varve__workers_run_ordered(
    struct varve__workers *workers,
    varve__work *work,
    bool (*take)(void *context, size_t piece),
    void *context,
    size_t count,
    size_t window)
{
    struct job job = {.work = work, .take = take, .context = context, .count = count};
    job.window = window < 1 ? 1 : window < WINDOW_MOST ? window : WINDOW_MOST;
    return run(workers, &job);
}
