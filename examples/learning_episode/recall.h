/* Reading a life back, and comparing it with what was lived. The first thing that differs, or a call that
 * fails, is said on stderr, and the function gives false. */
#ifndef RECALL_H
#define RECALL_H

#include "memory.h"

/* What was read, for the line that the program prints. */
struct recalled {
    int64_t episodes, events, curriculum_events, spikes, snapshots, traces;
};

/* Says why a call failed. Gives false, so that a caller can return it. */
bool
recall_explain(enum varve_status status, const struct varve_session *session);

/* The cache, through the store that put it there: the embedded one ends with its program. */
bool
recall_cache(struct varve_session *session, const struct chapter *last);

/* Tables and archive, through any store of the folder. `count` chapters, the oldest first. */
bool
recall_life(
    struct varve_session *session,
    const struct chapter *chapters,
    size_t count,
    struct recalled *recalled);

/* Prints which strategies were worth it and how the scores are, of the whole folder: two typed queries. */
bool
recall_gains(struct varve_session *session);

/* What a figure of the whole folder needs, earlier runs included; nothing in it comes from the simulation.
 * Release with album_free(), which is fine after a failure too. */
struct album {
    size_t count; /* of episodes */
    double *scores;
    int64_t first_id, last_id; /* of episodes */
    struct cortex_episode *first, *last;
    struct cortex_spike_train *first_train, *last_train;
    struct cortex_network_snapshot *newborn, *grown;
};

bool
recall_album(struct varve_session *session, struct album *album);

void
album_free(struct album *album);

#endif
