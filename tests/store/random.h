/* Random numbers that are the same on every machine. */
#ifndef VARVE_TESTS_STORE_RANDOM_H
#define VARVE_TESTS_STORE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct random {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t
random_bits(struct random *random)
{
    uint64_t z = (random->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline size_t
random_below(struct random *random, size_t limit)
{
    return (size_t)(random_bits(random) % limit);
}

static inline bool
random_one_in(struct random *random, size_t count)
{
    return random_below(random, count) == 0;
}

/* A number from the environment, such as a seed or how much is to be done. */
static inline uint64_t
number_from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

#endif
