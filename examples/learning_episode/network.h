/* A spiking network that learns to tell four patterns apart, step by step of a millisecond. Here is the
 * simulation alone: memory.c keeps what it did, and no file of varve is needed to read this one.
 *
 *     struct network *network = calloc(1, sizeof *network);
 *     struct lived lived;
 *     network_grow(network);
 *     if (network_live(network, number, STRATEGY_UNIFORM, NULL, &lived))
 *         printf("%g of the tests were right\n", lived.score);
 *     lived_free(&lived);
 *
 * Neurons are leaky integrate-and-fire. A pattern excites about 30 of the 120 sensory neurons; those project
 * to four groups of decision neurons, one for each pattern; inhibitory neurons let the groups compete, and the
 * group that fires most is the answer. Synapses from sensory to decision neurons learn: spike timing leaves a
 * trace in each (STDP), and the reward of the trial turns it into a change of weight. After each episode
 * thresholds move so that every neuron comes nearer to the rate it is meant to have.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Neurons, in this order. */
    SENSORY = 120,
    DECISION = 120,
    EXCITATORY = SENSORY + DECISION,
    INHIBITORY = 60,
    NEURONS = EXCITATORY + INHIBITORY,

    PATTERNS = 4,
    FIELD = SENSORY / PATTERNS,  /* sensory neurons that prefer one pattern */
    GROUP = DECISION / PATTERNS, /* decision neurons that answer with it */

    /* Trials of an episode: practice with learning, then tests without. */
    PRACTICE = 32,
    TESTS = 40,
    TRIALS = PRACTICE + TESTS,
    STIMULUS = 60, /* ms that a pattern is shown */
    TRIAL = 80,    /* ms of a trial: the rest is dark */
    DURATION = TRIALS * TRIAL,
};

/* Which patterns an episode practises. */
enum strategy {
    STRATEGY_UNIFORM,    /* all alike */
    STRATEGY_CURRICULUM, /* those more often that the last episode attended to least */
};

struct network {
    float weights[NEURONS][NEURONS]; /* mV that a spike of the row adds to the column's current */
    uint8_t adjacency[NEURONS][NEURONS]; /* 1: there is a synapse */
    float potential[NEURONS];            /* mV */
    float threshold[NEURONS];            /* mV */
    bool patterns[PATTERNS][SENSORY];    /* the neurons that each pattern excites */
};

/* A pattern was shown, and a group answered: the one that fired most, the first of equals. */
struct trial {
    uint8_t shown, answered;
};

/* All spikes of an episode in the order of their times, and of neurons within one. */
struct spikes {
    size_t count, capacity;
    int64_t *times; /* ns since the episode began */
    uint32_t *neurons;
};

/* Row: a pattern that was shown in tests. Column: the share that a group had in the spikes of all four. Rows
 * sum to 1; what the network has learnt stands on the diagonal. */
struct attention {
    float weights[PATTERNS][PATTERNS];
};

/* What an episode was. */
struct lived {
    enum strategy strategy;
    unsigned right; /* tests that were answered so */
    double score;   /* their part of all tests */
    struct trial trials[TRIALS];
    struct spikes spikes;
    struct attention attention;
    float rates[NEURONS];               /* Hz over the whole episode */
    float adjustments[NEURONS];         /* mV that thresholds moved by at its end */
    uint16_t counts[TESTS][DECISION];   /* spikes of decision neurons in each test */
    float responses[PATTERNS][NEURONS]; /* Hz while a pattern was shown in tests */
};

/* A new network: random and sparse, and the same on each call. */
void
network_grow(struct network *network);

/* Lives episode `number`, from 0: the same network, number, strategy and attention give the same episode.
 * `attention` is that of the last one; NULL where there was none. Release *lived with lived_free(), which is
 * fine after a failure too. False: there is no memory. */
bool
network_live(
    struct network *network,
    uint64_t number,
    enum strategy strategy,
    const struct attention *attention,
    struct lived *lived);

void
lived_free(struct lived *lived);

/* What the decision groups attended to in the tests. `trials` is of TRIALS. */
struct attention
attention_of(const struct trial *trials, const struct spikes *spikes);

/* The rate that homeostasis steers neurons to, in Hz, and the step of learning: for the records. */
double
network_target_rate(bool inhibitory);
double
network_learning_rate(void);

#endif
