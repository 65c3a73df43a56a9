/* Threads that a store has for work that can be cut in pieces: encoding and decoding chunks. They start with
 * the first piece of work and end with the pool; signals are blocked in them. Where the system gives no
 * threads, and in a forked child, the caller does all the work. */
#ifndef VARVE_BASE_WORKERS_H
#define VARVE_BASE_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

#include <varve/status.h>

struct varve__workers;

/* `count` threads beside the callers'; 0: all work is done by who calls. */
enum varve_status
varve__workers_create(size_t count, struct varve__workers **workers);

/* No work may be under way. NULL is fine. */
void
varve__workers_release(struct varve__workers *workers);

size_t
varve__workers_count(const struct varve__workers *workers);

/* One piece of work, by any thread. `worker` is 0 for the caller's thread, 1 .. count for the pool's: an
 * index of memory that each thread has for itself. False ends the whole: pieces that have not begun are left
 * out. */
typedef bool
varve__work(void *context, size_t piece, size_t worker);

/* Does pieces 0 .. count - 1, each once, in about this order, the caller's thread among the workers. Returns
 * when all that have begun are done; false when one returned false. Calls from several threads at once share
 * the pool: each caller does pieces of its own work only, so that none waits for another's. The text of a
 * failure is its thread's: work that fails has to keep it in the context (varve__failure_keep()). */
bool
varve__workers_run(struct varve__workers *workers, varve__work *work, void *context, size_t count);

/* The same for pieces whose results are taken in order by the caller's thread while later ones are under
 * way: `take` is called for pieces 0, 1, 2 .. in this order, each after its work is done. At most `window`
 * pieces are done or under way and not taken: piece i may use slot i % window of the caller's memory. A
 * `take` that returns false ends the whole. The caller's thread works too where there is nothing to take. */
bool
varve__workers_run_ordered(
    struct varve__workers *workers,
    varve__work *work,
    bool (*take)(void *context, size_t piece),
    void *context,
    size_t count,
    size_t window);

#endif
