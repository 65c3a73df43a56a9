/* Trials: records of lab.proto to be found, and what is expected of the finds. */
#ifndef VARVE_TESTS_STORE_TRIALS_H
#define VARVE_TESTS_STORE_TRIALS_H

#include "support.h"

/* Inserts trials named by their number, two of each started_at, every third without a level. */
void
insert_trials(struct fixture *fixture, int64_t count);

/* The find must succeed. */
struct varve_cursor *
find_trials(struct fixture *fixture, const struct lab_trial_filter *filter);

void
expect_next(struct varve_cursor *cursor, int64_t id);

void
expect_done(struct varve_cursor *cursor);

void
expect_count(struct fixture *fixture, const struct lab_trial_filter *filter, int64_t expected);

/* A condition on each field, that holds for an empty record. */
struct lab_trial_filter
empty_in_all_fields(void);

#endif
