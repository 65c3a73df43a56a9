/* The system's wall clock. */
#include <time.h>

#include <varve/memory.h>

int64_t
varve_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock exists and &now is valid */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
