/* Counting forks. */
#include "base/fork.h"

#include <pthread.h>

unsigned varve__fork_count;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
count_fork(void)
{
    varve__fork_count++; /* in the child, where there is but this thread */
}

static void
install(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

void
varve__fork_watch(void)
{
    pthread_once(&once, install);
}
