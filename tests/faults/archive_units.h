/* The work of archive_worker.c: a few records with tensors that are written, changed and deleted at random,
 * and what should be stored of them. All of a record follows from its slot and its item. */
#ifndef VARVE_TESTS_FAULTS_ARCHIVE_UNITS_H
#define VARVE_TESTS_FAULTS_ARCHIVE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault.varve.h"

enum {
    SHELVES = 3, /* slots of shelves come first, then tapes, then pictures */
    TAPES = 20,
    PICTURES = 6,
    SLOTS = SHELVES + TAPES + PICTURES,
};

struct item {
    uint32_t version; /* 0: there is no such record */
    uint32_t tensors; /* what is in them; without its lowest bits, their shape */
};

struct vault {
    struct item items[SLOTS];
};

enum act {
    ACT_INSERT, /* one call for all its slots */
    ACT_UPDATE,
    ACT_UPDATE_REST, /* the tensors stay as they are */
    ACT_UPSERT,
    ACT_WRITE_ROWS, /* the tensor of a picture, in pieces */
    ACT_DELETE,
};

struct step {
    enum act act;
    uint32_t slots; /* flags; all get this item */
    struct item item;
};

/* Chooses a step that the vault allows. `counter` makes versions differ. */
struct step
step_choose(const struct vault *vault, uint64_t *random, uint32_t *counter);

/* What the step makes of the vault. */
void
step_apply(const struct step *step, struct vault *vault);

enum varve_status
step_do(struct varve_session *session, const struct step *step);

/* Reads the record of a slot and compares all of it. A status other than VARVE_OK: it cannot be read. */
enum varve_status
slot_look(struct varve_session *session, size_t slot, const struct item *item, bool *equal);

uint64_t
next_random(uint64_t *state);

#endif
