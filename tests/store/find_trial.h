/* Random records of lab.Trial, which has a field of every family: to be found, and held to the model. */
#ifndef VARVE_TESTS_STORE_FIND_TRIAL_H
#define VARVE_TESTS_STORE_FIND_TRIAL_H

#include "find_random.h"

#include "lab.varve.h"

/* Sets all but the key. What it points at are constants. */
void
fill_trial(struct lab_trial *trial, struct random *random);

#endif
