/* The sides of bench_table: varve, and what it is compared with. Each keeps the same rows in a
 * database of its own and does the same works, counted from the start, so that after the same works
 * they hold the same.
 *
 *     struct side ours, theirs;
 *     ours_open(&setting, &ours);
 *     hand_open(&setting, "C, default pragmas", NULL, &theirs);
 *     ..
 *     side_close(&theirs);
 *     side_close(&ours);
 */
#ifndef VARVE_BENCH_SIDES_H
#define VARVE_BENCH_SIDES_H

#include <stdbool.h>

#include "common/bench.h"
#include "table/rows.h"

/* What is measured. An operation is one call; of insert_many one batch, of those in a transaction
 * one call of those that share it. */
enum work {
    WORK_INSERT_MANY, /* into a table that is made anew when it has all rows */
    WORK_GET,
    WORK_GET_IN_READ,   /* inside a transaction that reads */
    WORK_GET_READ_OURS, /* ours so, theirs by itself: what a caller may gain by it */
    WORK_SCAN,          /* rows of a range of time, in its order */
    WORK_FIND,          /* episodes of one context */
    WORK_COUNT,
    WORK_UPDATE,
    WORK_UPDATE_FIELDS,
    WORK_UPDATE_IN_BEGIN, /* inside a transaction that writes */
    WORK_INSERT,
    WORK_INSERT_IN_BEGIN,
    WORK_COUNT_OF,
};

/* What a side is asked, to see that all agree. */
enum question {
    QUESTION_ALL,   /* every episode, by id */
    QUESTION_GET,   /* the episode with the id n + 1 */
    QUESTION_SCAN,  /* a scan from the row n */
    QUESTION_FIND,  /* the context of the row n */
    QUESTION_COUNT, /* the count, as rows; no checksum */
    QUESTION_COUNT_OF,
};

struct setting {
    const struct rows *rows;
    const char *folder; /* each side makes its own file or folder in it */
    bool full;          /* a commit is on disk; else it survives the program only */
};

struct side {
    const char *name;
    struct bench_side works[WORK_COUNT_OF]; /* function NULL: a work that it has not */
    struct bench_side fill;                 /* inserts batches, as the first of works */
    struct answer (*ask)(void *state, enum question question, size_t n);
    void (*close)(void *state);
    void *state;
};

/* How far a side's works are. */
struct progress {
    size_t inserted;
    uint64_t updated;
    uint64_t picked;
    int64_t sum; /* of what was read: nothing is read in vain */
};

/* varve, by the functions that its generator made. */
void
ours_open(const struct setting *setting, struct side *side);

/* The pragmas that varve's connection has, as SQL. New memory: release it with free(). */
char *
ours_pragmas(const struct side *ours);

/* C by hand on SQLite's own functions. `pragmas` are run first, NULL: SQLite's defaults. */
void
hand_open(const struct setting *setting, const char *name, const char *pragmas, struct side *side);

/* A process of Python: "module" uses its module sqlite3 as it is best used, "class" as the program
 * that varve replaces does. */
void
python_open(const struct setting *setting, const char *name, const char *kind, struct side *side);

static inline void
side_close(struct side *side)
{
    side->close(side->state);
}

#endif
