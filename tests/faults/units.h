/* The work of worker.c: units that commit once each. A unit has records of its own, so that each can
 * be looked at whatever became of the others. */
#ifndef VARVE_TESTS_FAULTS_UNITS_H
#define VARVE_TESTS_FAULTS_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "bank.varve.h"

enum row_kind {
    ACCOUNT = 1,
    SIGNAL,
};

/* A record: all its fields follow from its unit and these. */
struct row {
    enum row_kind kind; /* 0: the end of the rows */
    int offset;         /* of the id, from the unit's; above LARGE the record is large */
    int value;
    int parent; /* offset of the parent; 0: none */
};

enum {
    ROWS_MOST = 24,
    LARGE = 900,
    UNIT_STEP = 1000, /* between the ids of units */
};

struct unit {
    const char *name;
    enum varve_status (*act)(struct varve_session *session, const struct unit *unit, int64_t id);
    struct row before[ROWS_MOST]; /* as prepared */
    struct row after[ROWS_MOST];
};

extern const struct unit units[];
extern const size_t unit_count;

/* What is stored of a unit: flags. None: it is there in part, or wrong. */
enum state {
    STATE_ABSENT = 1,
    STATE_BEFORE = 2,
    STATE_AFTER = 4,
};

/* Inserts the records of `before` in one transaction. */
enum varve_status
unit_prepare(struct varve_session *session, const struct unit *unit, int64_t id);

/* Reads all of a unit. A status other than VARVE_OK is a failure of the reading. */
enum varve_status
unit_look(struct varve_session *session, const struct unit *unit, int64_t id, unsigned *states);

#endif
