/* The writer's place: one connection of a process writes at a time, in the order in which they came.
 * SQLite alone would let them fight for it by sleeping and trying again. */
#ifndef VARVE_TABLE_QUEUE_H
#define VARVE_TABLE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

#include "base/watch.h"

struct varve__waiter;

struct varve__queue {
    pthread_mutex_t lock;
    bool taken;
    pthread_t holder;            /* the thread that took the place, while it is taken */
    struct varve__waiter *first; /* those who wait, the longest first */
    struct varve__waiter **last;
};

void
varve__queue_init(struct varve__queue *queue);

void
varve__queue_destroy(struct varve__queue *queue);

/* Takes the writer's place, waiting for it as long as the watch allows. False when its time is up, or
 * the call was interrupted: see varve__watch_expired(). */
bool
varve__queue_enter(struct varve__queue *queue, struct varve__watch *watch);

/* Hands the place to the next in the queue. */
void
varve__queue_leave(struct varve__queue *queue);

/* Whether this thread has taken the place. */
bool
varve__queue_is_mine(struct varve__queue *queue);

/* How many wait. */
int64_t
varve__queue_length(struct varve__queue *queue);

/* Wakes the waiter of this watch, if it waits, to look at it again. From any thread. */
void
varve__queue_wake(struct varve__queue *queue, const struct varve__watch *watch);

#endif
