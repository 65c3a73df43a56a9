/* How the network remembers, with the generated functions of package cortex alone:
 *
 *     tables    an Episode for what happened, a LearningEvent for what it changed
 *     archive   the spikes (SpikeTrain), the network after it (NetworkSnapshot), what homeostasis did
 *               (HomeostaticTrace) and what the decision layer put out in the tests (LayerOutput)
 *     cache     the latest spikes (SpikeCache), the patterns it has in mind (WorkingMemoryPattern), what it
 *               attends to (AttentionWeights)
 *
 * All of an episode is one unit of work: when memory_keep() gives VARVE_OK the store has it whole, and when
 * anything fails, or the machine does, the store has nothing of it. What failed is in
 * varve_session_error(session).
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "cortex/cortex.varve.h"
#include "network.h"

#define MEMORY_CONTEXT "four-patterns/300" /* that all episodes of this program share */
#define MEMORY_TASK "pattern recognition"
#define MEMORY_REGION "column"

enum {
    MEMORY_BIN = 480, /* ms of a bin of cached spikes */
    MEMORY_BINS = DURATION / MEMORY_BIN,
};

#define MEMORY_MILLISECOND INT64_C(1000000) /* in ns, as all times of a store */

/* What a network that wakes up finds of its life. */
struct past {
    int64_t episodes;
    int64_t last_id;  /* of the last Episode; 0: there was none */
    int64_t ended_at; /* when that was over */
    double score;     /* what it scored; before the first, chance */
};

/* An episode and the network after it, to be kept or as it was kept. */
struct chapter {
    int64_t number; /* from 0 */
    int64_t id;     /* of its Episode; memory_keep() sets it */
    int64_t
        started_at; /* on the network's clock, on which episodes follow each other without gaps */
    double score_before;
    struct lived lived;
    struct network *network;
    double commit_seconds;
};

/* Brings back the network as the last episode left it; one that has not lived yet is grown, and a snapshot
 * of it kept that belongs to no episode. */
VARVE_MUST_CHECK enum varve_status
memory_wake(struct varve_session *session, struct network *network, struct past *past);

/* What the last episode attended to: from the cache, or made again from its archived spikes. *cached says
 * which. */
VARVE_MUST_CHECK enum varve_status
memory_attend(
    struct varve_session *session,
    const struct past *past,
    struct attention *attention,
    bool *cached);

/* Keeps an episode, all of it or nothing. */
VARVE_MUST_CHECK enum varve_status
memory_keep(struct varve_session *session, struct chapter *chapter);

/* The names by which things are found again. */
const char *
memory_strategy(enum strategy strategy);
void
memory_attention_key(int64_t number, char key[64]);
void
memory_pattern_hash(const struct network *network, int pattern, char hash[17]);

/* Counts of spikes as float16, as LayerOutput has them. */
void
memory_activations(const struct lived *lived, uint16_t activations[TESTS * DECISION]);

/* Seconds on a clock that only runs forward. */
double
memory_clock(void);

#endif
