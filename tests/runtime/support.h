/* What several tests share: a record with everything set, an allocator that counts and fails, wire
 * bytes by hand. */
#ifndef VARVE_TESTS_SUPPORT_H
#define VARVE_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

/* A sample with a value in every field; of static memory, unchanged by its users. */
struct lab_sample
full_sample(void);

/* A chain of `levels` nodes below the returned one, of static memory. levels <= 200. */
struct lab_node *
node_chain(size_t levels);

/* Wire bytes of a chain of nodes, `levels` below the outermost: release with test_free(). */
uint8_t *
packed_chain(size_t levels, size_t *size);

/* From here on varve's allocations are counted; number fail_at (from 1) fails, 0: none. */
void
count_allocations(size_t fail_at);

/* Back to malloc. Asserts that everything was released; how many allocations there were. */
size_t
stop_counting(void);

/* Asserts that the last call failed with this kind, and that its text contains `words`. */
void
assert_failure(enum varve_failure_kind kind, const char *words);

/* For what a test needs and the machine does not have: an error where CI is set, else a skip that is
 * seen. Does not return. */
void
missing_on_this_machine(const char *what);

/* Sets a locale whose decimal mark is a comma: an installed one, or one compiled for the test. */
bool
set_comma_locale(void);

/* Unpacks a string literal of wire bytes as a lab.Sample. */
#define UNPACK(literal, record)                                                                    \
    varve_record_unpack(&lab_sample_record, literal, sizeof(literal) - 1, record)

#endif
