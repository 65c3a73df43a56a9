/* One suite of behaviours that holds every engine of the cache to cache/engine.h.
 *
 *     static const struct contract_factory factory = {"embedded", open_engine, let_time_pass};
 *     failed = contract_run(&factory);
 */
#ifndef VARVE_TESTS_CACHE_CONTRACT_H
#define VARVE_TESTS_CACHE_CONTRACT_H

#include "cache/engine.h"

struct contract_factory {
    const char *name;                   /* of the engine */
    struct varve__cache *(*open)(void); /* an engine with nothing in it; fails the test else */
    void (*let_pass)(int64_t ms);       /* by the engine's clock, at least */
};

/* Runs the suite; how many tests failed. */
int
contract_run(const struct contract_factory *factory);

#endif
