/* A store of tensors in a folder of its own for each test. */
#ifndef VARVE_TESTS_STORE_TENSOR_LAB_H
#define VARVE_TESTS_STORE_TENSOR_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lab_tensors.varve.h>

struct tensor_lab {
    char folder[64];
    struct varve_store *store;
    struct varve_session *session;
};

#define LAB_TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

/* *state is a struct tensor_lab, whose store is open. */
int
lab_set_up(void **state);

int
lab_tear_down(void **state);

/* Closes the store, if one is open, and opens it so. */
void
lab_open(struct tensor_lab *lab, struct varve_config config);

void
lab_close(struct tensor_lab *lab);

/* Runs a command in the folder; gives the first number that it says, else -1. */
int
lab_run(const struct tensor_lab *lab, const char *text);

/* Segments in the archive, those among them that are being written. */
int
lab_segments(const struct tensor_lab *lab);

/* Runs SQL on the database behind varve's back. */
void
lab_execute(const struct tensor_lab *lab, const char *sql);

/* The status was VARVE_OK. */
void
lab_must(const struct tensor_lab *lab, enum varve_status status);

/* The call failed so, and the session's text has these words. */
void
lab_expect(
    const struct tensor_lab *lab,
    enum varve_status got,
    enum varve_status status,
    const char *words);

#endif
