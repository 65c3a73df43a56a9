/* Random numbers for pauses, so that those who failed together do not come again together. */
#ifndef VARVE_CACHE_REDIS_RANDOM_H
#define VARVE_CACHE_REDIS_RANDOM_H

#include <stdint.h>

#define VARVE__RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15) /* added to the state before each number */

/* splitmix64 of a state, from 0 to `most`. */
static inline int64_t
varve__random_up_to(uint64_t state, int64_t most)
{
    uint64_t z = state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)((z ^ (z >> 31)) % ((uint64_t)most + 1));
}

#endif
