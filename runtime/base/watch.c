/* Time limits and interruption of calls. */
#include "base/watch.h"

#include <time.h>

int64_t
varve__monotonic_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
varve__monotonic_lately(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
#else
    return varve__monotonic_now();
#endif
}

bool
varve__watch_expired(struct varve__watch *watch)
{
    if (atomic_load_explicit(&watch->interrupted, memory_order_acquire))
        return true;
    if (watch->call_timeout_ms > 0 && varve__monotonic_now() >= watch->call_end)
        watch->timed_out = true;
    return watch->timed_out;
}

int64_t
varve__watch_wait_end(struct varve__watch *watch)
{
    if (watch->wait_end == 0)
        watch->wait_end = varve__monotonic_now() + watch->busy_timeout_ms * 1000000;
    bool call_is_first = watch->call_timeout_ms > 0 && watch->call_end < watch->wait_end;
    return call_is_first ? watch->call_end : watch->wait_end;
}
