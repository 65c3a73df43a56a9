/* What every fuzz target asserts with. */
#ifndef VARVE_TESTS_FUZZ_REQUIRE_H
#define VARVE_TESTS_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

/* An assertion that stays in every build. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
