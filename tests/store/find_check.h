/* Holds what a store finds to the model. Nothing here asserts, so that tests and fuzz targets ask
 * alike: each gives NULL when store and model agree, else a sentence that says how they differ, valid
 * until the next one is made. */
#ifndef VARVE_TESTS_STORE_FIND_CHECK_H
#define VARVE_TESTS_STORE_FIND_CHECK_H

#include "find_model.h"

enum {
    FOUND_MAX = 512 /* records of a model that is checked */
};

/* Every row of the cursor must be the record that was found there; it is closed. */
const char *
check_cursor(
    struct varve_cursor *cursor, const struct model *model, const size_t *expected, size_t count);

/* The find gives these records. */
const char *
check_rows(
    struct varve_session *session,
    const struct model *model,
    const void *filter,
    const size_t *expected,
    size_t count);

/* Find, count and find_one give what the model finds. */
const char *
check_found(struct varve_session *session, const struct model *model, void *filter);

/* Deletes in a transaction, finds out what is left, and takes it back. */
const char *
check_deleted(struct varve_session *session, const struct model *model, void *filter);

#endif
