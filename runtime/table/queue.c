/* The queue of writers: each waits on a condition of its own, so that the place goes to the first in
 * the queue and wakes nobody else. */
#include "table/queue.h"

#include <errno.h>
#include <time.h>

struct varve__waiter {
    struct varve__watch *watch;
    struct varve__waiter *next;
    pthread_t thread;
    pthread_cond_t turn;
    bool served;
};

void
varve__queue_init(struct varve__queue *queue)
{
    *queue = (struct varve__queue){.last = &queue->first};
    pthread_mutex_init(&queue->lock, NULL);
}

void
varve__queue_destroy(struct varve__queue *queue)
{
    pthread_mutex_destroy(&queue->lock);
}

static void
remove_waiter(struct varve__queue *queue, struct varve__waiter *waiter)
{
    struct varve__waiter **link = &queue->first;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    if (!waiter->next)
        queue->last = link;
}

static void
wait_for_turn(struct varve__queue *queue, struct varve__waiter *waiter)
{
    int64_t end = varve__watch_wait_end(waiter->watch);
    struct timespec until = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    int code = 0;
    while (!waiter->served && code != ETIMEDOUT && !varve__watch_expired(waiter->watch))
        code = pthread_cond_timedwait(&waiter->turn, &queue->lock, &until);
}

static void
init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool
varve__queue_enter(struct varve__queue *queue, struct varve__watch *watch)
{
    pthread_mutex_lock(&queue->lock);
    if (!queue->taken) {
        queue->taken = true;
        queue->holder = pthread_self();
        pthread_mutex_unlock(&queue->lock);
        return true;
    }
    struct varve__waiter waiter = {.watch = watch, .thread = pthread_self()};
    init_condition(&waiter.turn);
    *queue->last = &waiter;
    queue->last = &waiter.next;
    wait_for_turn(queue, &waiter);
    if (!waiter.served)
        remove_waiter(queue, &waiter);
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_destroy(&waiter.turn);
    return waiter.served;
}

void
varve__queue_leave(struct varve__queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct varve__waiter *next = queue->first;
    if (next) {
        remove_waiter(queue, next);
        queue->holder = next->thread;
        next->served = true; /* the place is handed over: it stays taken */
        pthread_cond_signal(&next->turn);
    } else {
        queue->taken = false;
    }
    pthread_mutex_unlock(&queue->lock);
}

bool
varve__queue_is_mine(struct varve__queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool mine = queue->taken && pthread_equal(queue->holder, pthread_self());
    pthread_mutex_unlock(&queue->lock);
    return mine;
}

int64_t
varve__queue_length(struct varve__queue *queue)
{
    int64_t length = 0;
    pthread_mutex_lock(&queue->lock);
    for (struct varve__waiter *waiter = queue->first; waiter; waiter = waiter->next)
        length++;
    pthread_mutex_unlock(&queue->lock);
    return length;
}

void
varve__queue_wake(struct varve__queue *queue, const struct varve__watch *watch)
{
    pthread_mutex_lock(&queue->lock);
    for (struct varve__waiter *waiter = queue->first; waiter; waiter = waiter->next) {
        if (waiter->watch == watch)
            pthread_cond_signal(&waiter->turn);
    }
    pthread_mutex_unlock(&queue->lock);
}
