/* One run of test_model.c, and its random records and filters. */
#ifndef VARVE_TESTS_STORE_MODEL_RUN_H
#define VARVE_TESTS_STORE_MODEL_RUN_H

#include "club.h"
#include "random.h"

enum {
    DEEPEST = 4, /* nested transactions */
    NAMES = 12,
};

struct run {
    char folder[64];
    uint64_t seed;
    uint64_t step;
    struct random random;
    struct varve_store *store;
    struct varve_session *session;
    uint64_t answers[VARVE_UNKNOWN_OUTCOME + 1]; /* of writes */
    size_t depth;
    struct club clubs[DEEPEST + 1]; /* [depth] is as it should be; below it, as before each begin */
};

/* A filter of any kind, with the list that a condition may point at. */
struct filter {
    union {
        struct club_team_filter team;
        struct club_member_filter member;
        struct club_task_filter task;
    } any;
    int64_t integers[3];
};

extern const char *const some_names[NAMES];

/* The club as the store should hold it now. */
struct club *
now(struct run *run);

enum club_kind
some_kind(struct run *run);

/* Mostly one that is there, if any is. Never one that the store is about to assign: a record that
 * guesses it right refers to itself. */
int64_t
some_id(struct run *run, enum club_kind kind);

/* Fills a record with this id; some amounts break the rules. */
void
fill(struct run *run, enum club_kind kind, void *record, int64_t id);

void
fill_filter(struct run *run, enum club_kind kind, struct filter *filter);

#endif
