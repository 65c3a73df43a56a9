/* The simulation: how the network grows, lives through trials, learns from reward and keeps its rates. */
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NANOSECONDS_PER_STEP INT64_C(1000000)

/* Of the membrane; potentials in mV, times in ms. */
#define REST -65.0f
#define THRESHOLD -50.0f
#define THRESHOLD_MIN -56.0f
#define THRESHOLD_MAX -42.0f
#define REFRACTORY 3
#define TAU_MEMBRANE 20.0f
#define TAU_SYNAPSE 5.0f
#define TAU_STDP 15.0f

/* Kicks from outside, each in mV a step and with a chance for each neuron and step. */
#define NOISE_KICK 1.2f
#define NOISE_CHANCE 0.05
#define STIMULUS_KICK 2.0f
#define STIMULUS_CHANCE 0.15
#define EXPLORE_KICK 1.5f
#define EXPLORE_CHANCE 0.10

#define WEIGHT_MAX 2.0f
#define LEARNING_RATE 0.011f
#define DEPRESSION 0.4f /* of a spike that comes too late, against one that comes in time */
#define PUNISHMENT -0.6f

#define HOMEOSTASIS 0.03f /* mV that a threshold moves by for each Hz */
#define HOMEOSTASIS_MAX 0.5f
#define TARGET_RATE_EXCITATORY 8.0f
#define TARGET_RATE_INHIBITORY 15.0f

static const uint64_t seed = 3;

/* ------------------------------------------------------------------ chance */

/* splitmix64: the next of the numbers that follow from a seed. */
static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* From 0 up to 1. */
static double
uniform(uint64_t *state)
{
    return (double)(next_random(state) >> 11) * 0x1p-53;
}

static bool
chance(uint64_t *state, double probability)
{
    return uniform(state) < probability;
}

/* ------------------------------------------------------------------ growing */

/* Synapses from neurons of one range to those of another: each with this chance, none to itself. */
static void
connect(
    struct network *network,
    uint64_t *random,
    const int from[2],
    const int to[2],
    double probability,
    float weight)
{
    for (int pre = from[0]; pre < from[1]; pre++)
        for (int post = to[0]; post < to[1]; post++)
            if (pre != post && chance(random, probability)) {
                network->adjacency[pre][post] = 1;
                network->weights[pre][post] = weight * (float)(0.5 + uniform(random));
            }
}

/* A pattern excites most neurons of its own field and some of the others': patterns overlap. */
static void
draw_patterns(struct network *network, uint64_t *random)
{
    for (int pattern = 0; pattern < PATTERNS; pattern++)
        for (int neuron = 0; neuron < SENSORY; neuron++)
            network->patterns[pattern][neuron] =
                chance(random, neuron / FIELD == pattern ? 0.6 : 0.13);
}

void
network_grow(struct network *network)
{
    static const int sensory[] = {0, SENSORY}, decision[] = {SENSORY, EXCITATORY},
                     inhibitory[] = {EXCITATORY, NEURONS};
    uint64_t random = seed;
    memset(network, 0, sizeof *network);
    draw_patterns(network, &random);
    connect(network, &random, sensory, sensory, 0.04, 0.15f);
    connect(network, &random, sensory, decision, 0.30, 0.36f);
    connect(network, &random, sensory, inhibitory, 0.08, 0.30f);
    connect(network, &random, decision, inhibitory, 0.20, 0.40f);
    connect(network, &random, inhibitory, decision, 0.30, -0.80f);
    connect(network, &random, inhibitory, inhibitory, 0.10, -0.30f);
    for (int group = 0; group < PATTERNS; group++) {
        int members[] = {SENSORY + group * GROUP, SENSORY + (group + 1) * GROUP};
        connect(network, &random, members, members, 0.25, 0.20f);
    }
    for (int i = 0; i < NEURONS; i++) {
        network->potential[i] = REST;
        network->threshold[i] = THRESHOLD;
    }
}

/* ------------------------------------------------------------------ a step */

/* What lasts no longer than an episode. */
struct activity {
    uint64_t random;
    int64_t step;
    float current[NEURONS];
    int refractory[NEURONS];
    float trace[NEURONS];                 /* of spikes, decaying: for STDP */
    float eligibility[SENSORY][DECISION]; /* what STDP would change, until a reward decides */
    unsigned group_spikes[PATTERNS];      /* in this trial */
    unsigned neuron_spikes[NEURONS];      /* in this episode */
    unsigned response_spikes[PATTERNS][NEURONS]; /* in its tests */
    int spiked[NEURONS], spiked_count;           /* in this step */
};

/* What excites the network besides noise. */
struct stimulus {
    const bool *pattern; /* sensory neurons; NULL: it is dark */
    int explored; /* a group that is helped, so that answers are tried which the weights do not
                            give yet; -1: none, as in tests */
};

static bool
record_spike(struct spikes *spikes, int64_t time, int neuron)
{
    if (spikes->count == spikes->capacity) {
        size_t capacity = spikes->capacity ? 2 * spikes->capacity : 16384;
        int64_t *times = realloc(spikes->times, capacity * sizeof *times);
        if (times)
            spikes->times = times;
        uint32_t *neurons = realloc(spikes->neurons, capacity * sizeof *neurons);
        if (neurons)
            spikes->neurons = neurons;
        if (!times || !neurons)
            return false;
        spikes->capacity = capacity;
    }
    spikes->times[spikes->count] = time;
    spikes->neurons[spikes->count++] = (uint32_t)neuron;
    return true;
}

static void
kick(struct activity *now, int neuron, double probability, float strength)
{
    if (chance(&now->random, probability))
        now->current[neuron] += strength;
}

/* What reaches the network from outside. */
static void
drive(struct activity *now, const struct stimulus *stimulus)
{
    for (int i = 0; i < NEURONS; i++)
        kick(now, i, NOISE_CHANCE, NOISE_KICK);
    for (int i = 0; stimulus->pattern && i < SENSORY; i++)
        if (stimulus->pattern[i])
            kick(now, i, STIMULUS_CHANCE, STIMULUS_KICK);
    for (int i = 0; stimulus->pattern && stimulus->explored >= 0 && i < GROUP; i++)
        kick(now, SENSORY + stimulus->explored * GROUP + i, EXPLORE_CHANCE, EXPLORE_KICK);
}

/* Moves all membranes on by a millisecond, and lists who fires. */
static void
integrate(struct network *network, struct activity *now)
{
    now->spiked_count = 0;
    for (int i = 0; i < NEURONS; i++) {
        float *v = &network->potential[i];
        if (now->refractory[i] > 0)
            now->refractory[i]--;
        else
            *v += (REST - *v) / TAU_MEMBRANE + now->current[i];
        now->current[i] -= now->current[i] / TAU_SYNAPSE;
        now->trace[i] -= now->trace[i] / TAU_STDP;
        if (*v >= network->threshold[i]) {
            *v = REST;
            now->refractory[i] = REFRACTORY;
            now->spiked[now->spiked_count++] = i;
        }
    }
}

/* STDP: a spike after one of the other side counts for the synapse, one before it against. */
static void
trace_synapses(const struct network *network, struct activity *now, int neuron)
{
    if (neuron < SENSORY) {
        for (int i = 0; i < DECISION; i++)
            if (network->adjacency[neuron][SENSORY + i])
                now->eligibility[neuron][i] -= DEPRESSION * now->trace[SENSORY + i];
    } else if (neuron < EXCITATORY) {
        for (int i = 0; i < SENSORY; i++)
            if (network->adjacency[i][neuron])
                now->eligibility[i][neuron - SENSORY] += now->trace[i];
    }
}

static bool
step(
    struct network *network,
    struct activity *now,
    const struct stimulus *stimulus,
    struct lived *lived)
{
    drive(now, stimulus);
    integrate(network, now);
    for (int s = 0; s < now->spiked_count; s++) {
        int neuron = now->spiked[s];
        for (int post = 0; post < NEURONS; post++)
            now->current[post] += network->weights[neuron][post];
        trace_synapses(network, now, neuron);
        now->trace[neuron] += 1;
        now->neuron_spikes[neuron]++;
        if (neuron >= SENSORY && neuron < EXCITATORY)
            now->group_spikes[(neuron - SENSORY) / GROUP]++;
        if (!record_spike(&lived->spikes, now->step * NANOSECONDS_PER_STEP, neuron))
            return false;
    }
    now->step++;
    return true;
}

/* ------------------------------------------------------------------ a trial */

/* The reward turns what STDP left in the synapses of the group that answered into weight, less the nearer
 * the weight is to its bound. */
static void
learn(struct network *network, const struct activity *now, int group, float reward)
{
    for (int pre = 0; pre < SENSORY; pre++)
        for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
            float *weight = &network->weights[pre][SENSORY + i];
            float change = LEARNING_RATE * reward * now->eligibility[pre][i];
            *weight += change * (change > 0 ? WEIGHT_MAX - *weight : *weight) / WEIGHT_MAX;
            if (*weight < 0)
                *weight = 0;
        }
}

static int
most(const unsigned *group_spikes)
{
    int best = 0;
    for (int group = 1; group < PATTERNS; group++)
        if (group_spikes[group] > group_spikes[best])
            best = group;
    return best;
}

/* One trial. *answer is the group that fired most. */
static bool
show(
    struct network *network,
    struct activity *now,
    struct stimulus stimulus,
    struct lived *lived,
    int *answer)
{
    memset(now->eligibility, 0, sizeof now->eligibility);
    memset(now->group_spikes, 0, sizeof now->group_spikes);
    for (int ms = 0; ms < TRIAL; ms++) {
        if (ms == STIMULUS)
            stimulus.pattern = NULL;
        if (!step(network, now, &stimulus, lived))
            return false;
    }
    *answer = most(now->group_spikes);
    return true;
}

/* ------------------------------------------------------------------ an episode */

static int
choose(uint64_t *random, enum strategy strategy, const struct attention *attention)
{
    double need[PATTERNS], sum = 0;
    for (int i = 0; i < PATTERNS; i++) {
        need[i] = 1;
        if (strategy == STRATEGY_CURRICULUM && attention)
            need[i] = 1.1 - (double)attention->weights[i][i];
        sum += need[i];
    }
    double at = uniform(random) * sum;
    int pattern = 0;
    while (pattern < PATTERNS - 1 && at >= need[pattern])
        at -= need[pattern++];
    return pattern;
}

/* Neurons that fired too often get a higher threshold, those that fired too seldom a lower one. */
static void
keep_rates(struct network *network, const struct activity *now, struct lived *lived)
{
    for (int i = 0; i < NEURONS; i++) {
        float rate = (float)now->neuron_spikes[i] * 1000.0f / DURATION;
        float change = HOMEOSTASIS * (rate - (float)network_target_rate(i >= EXCITATORY));
        change = fminf(fmaxf(change, -HOMEOSTASIS_MAX), HOMEOSTASIS_MAX);
        change = fminf(change, THRESHOLD_MAX - network->threshold[i]);
        change = fmaxf(change, THRESHOLD_MIN - network->threshold[i]);
        lived->rates[i] = rate;
        lived->adjustments[i] = change;
        network->threshold[i] += change;
    }
}

/* Counts spikes of the tests: by test and decision neuron, by pattern and neuron. */
static void
count_tests(struct lived *lived)
{
    int shown[PATTERNS] = {0};
    for (int i = PRACTICE; i < TRIALS; i++)
        shown[lived->trials[i].shown]++;
    for (size_t s = 0; s < lived->spikes.count; s++) {
        int64_t ms = lived->spikes.times[s] / NANOSECONDS_PER_STEP;
        int test = (int)(ms / TRIAL) - PRACTICE;
        uint32_t neuron = lived->spikes.neurons[s];
        if (test < 0)
            continue;
        int pattern = lived->trials[PRACTICE + test].shown;
        if (neuron >= SENSORY && neuron < EXCITATORY)
            lived->counts[test][neuron - SENSORY]++;
        if (ms % TRIAL < STIMULUS)
            lived->responses[pattern][neuron] += 1000.0f / STIMULUS / (float)(shown[pattern]);
    }
}

struct attention
attention_of(const struct trial *trials, const struct spikes *spikes)
{
    unsigned counts[PATTERNS][PATTERNS] = {0}, sums[PATTERNS] = {0};
    for (size_t s = 0; s < spikes->count; s++) {
        int64_t trial = spikes->times[s] / (TRIAL * NANOSECONDS_PER_STEP);
        uint32_t neuron = spikes->neurons[s];
        bool test = trial >= PRACTICE && trial < TRIALS && trials[trial].shown < PATTERNS;
        if (!test || neuron < SENSORY || neuron >= EXCITATORY)
            continue;
        counts[trials[trial].shown][(neuron - SENSORY) / GROUP]++;
        sums[trials[trial].shown]++;
    }
    struct attention attention;
    for (int i = 0; i < PATTERNS; i++)
        for (int j = 0; j < PATTERNS; j++)
            attention.weights[i][j] =
                sums[i] ? (float)counts[i][j] / (float)sums[i] : 1.0f / PATTERNS;
    return attention;
}

/* A trial to learn from: the pattern is one that the strategy chooses, and any group is helped to answer. */
static bool
practise(
    struct network *network,
    struct activity *now,
    const struct attention *attention,
    struct lived *lived,
    struct trial *trial)
{
    int answer, pattern = choose(&now->random, lived->strategy, attention);
    struct stimulus stimulus = {
        network->patterns[pattern], (int)(uniform(&now->random) * PATTERNS)};
    if (!show(network, now, stimulus, lived, &answer))
        return false;
    learn(network, now, answer, answer == pattern ? 1.0f : PUNISHMENT);
    *trial = (struct trial){(uint8_t)pattern, (uint8_t)answer};
    return true;
}

/* A trial that counts. Each pattern comes as often as the others, so that the score is fair. */
static bool
test(struct network *network, struct activity *now, struct lived *lived, struct trial *trial)
{
    int answer, pattern = (int)(trial - lived->trials) % PATTERNS;
    struct stimulus stimulus = {network->patterns[pattern], -1};
    if (!show(network, now, stimulus, lived, &answer))
        return false;
    *trial = (struct trial){(uint8_t)pattern, (uint8_t)answer};
    lived->right += answer == pattern;
    return true;
}

static bool
live_trials(
    struct network *network,
    struct activity *now,
    const struct attention *attention,
    struct lived *lived)
{
    bool good = true;
    for (int i = 0; i < TRIALS && good; i++)
        good = i < PRACTICE ? practise(network, now, attention, lived, &lived->trials[i])
                            : test(network, now, lived, &lived->trials[i]);
    return good;
}

bool
network_live(
    struct network *network,
    uint64_t number,
    enum strategy strategy,
    const struct attention *attention,
    struct lived *lived)
{
    memset(lived, 0, sizeof *lived);
    lived->strategy = strategy;
    struct activity *now = calloc(1, sizeof *now);
    if (!now)
        return false;
    now->random = seed ^ (number + 1) << 32;
    for (int i = 0; i < NEURONS; i++)
        network->potential[i] = REST;
    bool good = live_trials(network, now, attention, lived);
    if (good) {
        lived->score = (double)lived->right / TESTS;
        count_tests(lived);
        lived->attention = attention_of(lived->trials, &lived->spikes);
        keep_rates(network, now, lived);
    }
    free(now);
    return good;
}

void
lived_free(struct lived *lived)
{
    free(lived->spikes.times);
    free(lived->spikes.neurons);
    lived->spikes = (struct spikes){0};
}

double
network_target_rate(bool inhibitory)
{
    return (double)(inhibitory ? TARGET_RATE_INHIBITORY : TARGET_RATE_EXCITATORY);
}

double
network_learning_rate(void)
{
    return (double)LEARNING_RATE;
}
