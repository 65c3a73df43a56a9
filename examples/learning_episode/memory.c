/* What an episode leaves in the store, and how a network wakes up from it. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double
memory_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ------------------------------------------------------------------ names */

const char *
memory_strategy(enum strategy strategy)
{
    return strategy == STRATEGY_CURRICULUM ? "curriculum" : "uniform";
}

void
memory_attention_key(int64_t number, char key[64])
{
    snprintf(key, 64, MEMORY_CONTEXT "/%lld", (long long)number);
}

/* FNV-1a of the neurons that the pattern excites. */
void
memory_pattern_hash(const struct network *network, int pattern, char hash[17])
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (int i = 0; i < SENSORY; i++)
        sum = (sum ^ network->patterns[pattern][i]) * UINT64_C(0x100000001b3);
    snprintf(hash, 17, "%016llx", (unsigned long long)sum);
}

static int64_t
end_of(const struct chapter *chapter)
{
    return chapter->started_at + DURATION * MEMORY_MILLISECOND;
}

/* ------------------------------------------------------------------ tables */

static enum varve_status
keep_episode(struct varve_session *session, struct chapter *chapter)
{
    struct cortex_episode_metadata_entry strategy = CORTEX_EPISODE_METADATA_ENTRY_INIT;
    struct cortex_episode_metadata_entry *metadata[] = {&strategy};
    strategy.key = "strategy";
    strategy.value = memory_strategy(chapter->lived.strategy);

    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    episode.occurred_at = chapter->started_at;
    episode.experience.size = sizeof chapter->lived.trials;
    episode.experience.data = (uint8_t *)chapter->lived.trials;
    episode.performance_score = chapter->lived.score;
    episode.context_hash = MEMORY_CONTEXT;
    episode.metadata.count = 1;
    episode.metadata.data = metadata;

    enum varve_status status = cortex_episode_insert(session, &episode);
    chapter->id = episode.id;
    return status;
}

static enum varve_status
keep_event(struct varve_session *session, const struct chapter *chapter)
{
    struct cortex_learning_event_parameters_entry rate =
                                                      CORTEX_LEARNING_EVENT_PARAMETERS_ENTRY_INIT,
                                                  trials =
                                                      CORTEX_LEARNING_EVENT_PARAMETERS_ENTRY_INIT;
    struct cortex_learning_event_parameters_entry *parameters[] = {&rate, &trials};
    rate.key = "learning_rate";
    rate.value = network_learning_rate();
    trials.key = "practice_trials";
    trials.value = PRACTICE;

    struct cortex_learning_event event = CORTEX_LEARNING_EVENT_INIT;
    event.task_type = MEMORY_TASK;
    event.performance_delta = chapter->lived.score - chapter->score_before;
    event.strategy_used = memory_strategy(chapter->lived.strategy);
    event.occurred_at = end_of(chapter);
    event.parameters.count = 2;
    event.parameters.data = parameters;
    return cortex_learning_event_insert(session, &event);
}

/* ------------------------------------------------------------------ archive */

/* A tensor is a pointer and a count beside the record's other fields; its shape is in the fields that its
 * dims name, here spike_count. */
static enum varve_status
keep_spikes(struct varve_session *session, const struct chapter *chapter)
{
    const struct spikes *spikes = &chapter->lived.spikes;
    struct cortex_spike_train train = CORTEX_SPIKE_TRAIN_INIT;
    train.recorded_at = chapter->started_at;
    train.spike_count = (uint32_t)spikes->count;
    train.spike_times = (struct varve_int64s){.count = spikes->count, .data = spikes->times};
    train.neuron_ids = (struct varve_uint32s){.count = spikes->count, .data = spikes->neurons};
    train.has_episode_id = true;
    train.episode_id = chapter->id;
    return cortex_spike_train_insert(session, &train);
}

/* episode_id 0: of the newborn network. */
static enum varve_status
keep_snapshot(
    struct varve_session *session, struct network *network, int64_t taken_at, int64_t episode_id)
{
    struct cortex_network_snapshot snapshot = CORTEX_NETWORK_SNAPSHOT_INIT;
    snapshot.taken_at = taken_at;
    snapshot.neuron_count = NEURONS;
    snapshot.adjacency.count = snapshot.weights.count = (size_t)NEURONS * NEURONS;
    snapshot.adjacency.data = &network->adjacency[0][0];
    snapshot.weights.data = &network->weights[0][0];
    snapshot.neuron_states.count = NEURONS;
    snapshot.neuron_states.data = network->potential;
    snapshot.has_episode_id = episode_id != 0;
    snapshot.episode_id = episode_id;
    return cortex_network_snapshot_insert(session, &snapshot);
}

static enum varve_status
keep_trace(struct varve_session *session, struct chapter *chapter, bool inhibitory)
{
    int first = inhibitory ? EXCITATORY : 0;
    size_t count = inhibitory ? INHIBITORY : EXCITATORY;
    struct cortex_homeostatic_trace trace = CORTEX_HOMEOSTATIC_TRACE_INIT;
    trace.population = inhibitory ? "inhibitory" : "excitatory";
    trace.recorded_at = end_of(chapter);
    trace.neuron_count = (uint32_t)count;
    trace.target_rate = network_target_rate(inhibitory);
    trace.window_duration = DURATION;
    trace.actual_rates = (struct varve_floats){count, &chapter->lived.rates[first]};
    trace.threshold_adjustments = (struct varve_floats){count, &chapter->lived.adjustments[first]};
    trace.has_episode_id = true;
    trace.episode_id = chapter->id;
    return cortex_homeostatic_trace_insert(session, &trace);
}

/* Whole numbers below 2048 are exact in float16: 5 bits of exponent, 10 of what follows the leading one. */
static uint16_t
half(unsigned number)
{
    unsigned exponent = 0;
    if (number == 0)
        return 0;
    while (number >> (exponent + 1))
        exponent++;
    return (uint16_t)((exponent + 15) << 10 | (number << (10 - exponent) & 0x3ff));
}

void
memory_activations(const struct lived *lived, uint16_t activations[TESTS * DECISION])
{
    for (int test = 0; test < TESTS; test++)
        for (int i = 0; i < DECISION; i++)
            activations[test * DECISION + i] = half(lived->counts[test][i]);
}

static enum varve_status
keep_layer(struct varve_session *session, const struct chapter *chapter)
{
    uint16_t activations[TESTS * DECISION];
    memory_activations(&chapter->lived, activations);
    struct cortex_layer_output output = CORTEX_LAYER_OUTPUT_INIT;
    output.network = MEMORY_CONTEXT;
    output.layer = "decision";
    output.recorded_at = end_of(chapter);
    output.batch_size = TESTS;
    output.width = DECISION;
    output.activations = (struct varve_uint16s){.count = TESTS * DECISION, .data = activations};
    output.has_episode_id = true;
    output.episode_id = chapter->id;
    return cortex_layer_output_insert(session, &output);
}

/* ------------------------------------------------------------------ cache */

/* The same spikes again, cut into bins for those who want to know what is going on right now. They are in
 * order, so each bin is a stretch of the arrays; its times count from its own beginning. */
static enum varve_status
cache_spikes(struct varve_session *session, const struct chapter *chapter)
{
    const struct spikes *spikes = &chapter->lived.spikes;
    const int64_t bin_duration = MEMORY_BIN * MEMORY_MILLISECOND;
    struct cortex_spike_cache bins[MEMORY_BINS];
    int64_t *times = malloc((spikes->count + 1) * sizeof *times);
    if (!times)
        return VARVE_NO_MEMORY;
    for (size_t b = 0, s = 0; b < MEMORY_BINS; b++) {
        const int64_t begin = (int64_t)b * bin_duration;
        size_t first = s;
        for (; s < spikes->count && spikes->times[s] < begin + bin_duration; s++)
            times[s] = spikes->times[s] - begin;
        bins[b] = (struct cortex_spike_cache)CORTEX_SPIKE_CACHE_INIT;
        bins[b].region = MEMORY_REGION;
        bins[b].bin = chapter->number * MEMORY_BINS + (int64_t)b;
        bins[b].bin_start = chapter->started_at + begin;
        bins[b].bin_duration = bin_duration;
        bins[b].spike_count = (uint32_t)(s - first);
        bins[b].spike_times = (struct varve_int64s){s - first, &times[first]};
        bins[b].neuron_ids = (struct varve_uint32s){s - first, &spikes->neurons[first]};
    }
    enum varve_status status = cortex_spike_cache_cache_put_many(session, bins, MEMORY_BINS);
    free(times);
    return status;
}

/* What each pattern makes of the network stays in mind for an hour. */
static enum varve_status
cache_patterns(struct varve_session *session, struct chapter *chapter)
{
    struct cortex_working_memory_pattern patterns[PATTERNS];
    char hashes[PATTERNS][17];
    for (int i = 0; i < PATTERNS; i++) {
        memory_pattern_hash(chapter->network, i, hashes[i]);
        patterns[i] = (struct cortex_working_memory_pattern)CORTEX_WORKING_MEMORY_PATTERN_INIT;
        patterns[i].pattern_hash = hashes[i];
        patterns[i].stored_at = end_of(chapter);
        patterns[i].unit_count = NEURONS;
        patterns[i].activations = (struct varve_floats){NEURONS, chapter->lived.responses[i]};
        patterns[i].salience = 1 - (double)chapter->lived.attention.weights[i][i];
        patterns[i].context_hash = MEMORY_CONTEXT;
        patterns[i].rehearsal_count = (uint32_t)chapter->number;
    }
    return cortex_working_memory_pattern_cache_put_many(session, patterns, PATTERNS);
}

static enum varve_status
cache_attention(
    struct varve_session *session, int64_t number, int64_t computed_at, struct attention *attention)
{
    struct cortex_attention_weights weights = CORTEX_ATTENTION_WEIGHTS_INIT;
    char key[64];
    memory_attention_key(number, key);
    weights.query_hash = key;
    weights.computed_at = computed_at;
    weights.query_length = PATTERNS;
    weights.key_length = PATTERNS;
    weights.weights.count = (size_t)PATTERNS * PATTERNS;
    weights.weights.data = &attention->weights[0][0];
    return cortex_attention_weights_cache_put(session, &weights);
}

/* ------------------------------------------------------------------ one unit of work */

/* What is put in the cache here goes there after the commit: nobody sees an episode that is not kept. */
static enum varve_status
keep_all(struct varve_session *session, struct chapter *chapter)
{
    enum varve_status status = keep_episode(session, chapter);
    if (status == VARVE_OK)
        status = keep_event(session, chapter);
    if (status == VARVE_OK)
        status = keep_spikes(session, chapter);
    if (status == VARVE_OK)
        status = keep_snapshot(session, chapter->network, end_of(chapter), chapter->id);
    if (status == VARVE_OK)
        status = keep_trace(session, chapter, false);
    if (status == VARVE_OK)
        status = keep_trace(session, chapter, true);
    if (status == VARVE_OK)
        status = keep_layer(session, chapter);
    if (status == VARVE_OK)
        status = cache_spikes(session, chapter);
    if (status == VARVE_OK)
        status = cache_patterns(session, chapter);
    if (status == VARVE_OK)
        status =
            cache_attention(session, chapter->number, end_of(chapter), &chapter->lived.attention);
    return status;
}

enum varve_status
memory_keep(struct varve_session *session, struct chapter *chapter)
{
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK)
        return status;
    status = keep_all(session, chapter);
    if (status != VARVE_OK) {
        enum varve_status undone = varve_rollback(session);
        (void)undone; /* closing the session undoes it all the same */
        return status;
    }
    double start = memory_clock();
    status = varve_commit(session);
    chapter->commit_seconds = memory_clock() - start;
    return status;
}

/* ------------------------------------------------------------------ waking up */

/* Thresholds are where all the adjustments of a life brought them. */
static enum varve_status
restore_thresholds(
    struct varve_session *session, const char *population, float *thresholds, size_t count)
{
    float adjustments[EXCITATORY];
    struct varve_cursor *cursor;
    const struct cortex_homeostatic_trace *trace;
    enum varve_status status = cortex_homeostatic_trace_find(
        session,
        &(struct cortex_homeostatic_trace_filter){.population = varve_text_equals(population)},
        &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = cortex_homeostatic_trace_next(cursor, &trace)) == VARVE_ROW) {
        status = cortex_homeostatic_trace_read_threshold_adjustments(
            session, trace->id, NULL, adjustments, count * sizeof *adjustments);
        if (status != VARVE_OK)
            break;
        for (size_t i = 0; i < count; i++)
            thresholds[i] += adjustments[i];
    }
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* A row of a find says all but the tensors, which are read when they are wanted. */
static enum varve_status
find_snapshot(struct varve_session *session, int64_t episode_id, int64_t *id)
{
    struct varve_cursor *cursor;
    const struct cortex_network_snapshot *snapshot;
    enum varve_status status = cortex_network_snapshot_find(
        session,
        &(struct cortex_network_snapshot_filter){.episode_id = varve_int64_equals(episode_id)},
        &cursor);
    if (status != VARVE_OK)
        return status;
    status = cortex_network_snapshot_next(cursor, &snapshot);
    if (status == VARVE_ROW)
        *id = snapshot->id;
    varve_cursor_close(cursor);
    return status == VARVE_ROW ? VARVE_OK : status == VARVE_DONE ? VARVE_NOT_FOUND : status;
}

/* The tensors of the last snapshot go straight to where the network has them. */
static enum varve_status
restore_network(struct varve_session *session, struct network *network, int64_t episode_id)
{
    int64_t id = 0;
    enum varve_status status = find_snapshot(session, episode_id, &id);
    if (status == VARVE_OK)
        status = cortex_network_snapshot_read_weights(
            session, id, NULL, &network->weights[0][0], sizeof network->weights);
    if (status == VARVE_OK)
        status = cortex_network_snapshot_read_adjacency(
            session, id, NULL, &network->adjacency[0][0], sizeof network->adjacency);
    if (status == VARVE_OK)
        status = cortex_network_snapshot_read_neuron_states(
            session, id, NULL, network->potential, sizeof network->potential);
    if (status == VARVE_OK)
        status = restore_thresholds(session, "excitatory", network->threshold, EXCITATORY);
    if (status == VARVE_OK)
        status =
            restore_thresholds(session, "inhibitory", &network->threshold[EXCITATORY], INHIBITORY);
    return status;
}

/* The last episode, and how many there were. */
static enum varve_status
find_past(struct varve_session *session, struct past *past)
{
    struct cortex_episode_filter ours = {
        .context_hash = varve_text_equals(MEMORY_CONTEXT),
        .order_by = CORTEX_EPISODE_FIELD_OCCURRED_AT,
        .descending = true};
    struct cortex_episode *last;
    *past = (struct past){.score = 1.0 / PATTERNS};
    enum varve_status status = cortex_episode_count(session, &ours, &past->episodes);
    if (status != VARVE_OK || past->episodes == 0)
        return status;
    status = cortex_episode_find_one(session, &ours, &last);
    if (status != VARVE_OK)
        return status;
    past->last_id = last->id;
    past->ended_at = last->occurred_at + DURATION * MEMORY_MILLISECOND;
    past->score = last->performance_score;
    cortex_episode_free(last);
    return VARVE_OK;
}

enum varve_status
memory_wake(struct varve_session *session, struct network *network, struct past *past)
{
    network_grow(network);
    enum varve_status status = find_past(session, past);
    if (status != VARVE_OK || past->last_id != 0)
        return status == VARVE_OK ? restore_network(session, network, past->last_id) : status;
    int64_t newborns;
    struct cortex_network_snapshot_filter newborn = {.episode_id = varve_int64_is_null()};
    status = cortex_network_snapshot_count(session, &newborn, &newborns);
    if (status == VARVE_OK && newborns == 0)
        status = keep_snapshot(session, network, varve_now(), 0);
    return status;
}

/* ------------------------------------------------------------------ attention */

/* From what is archived: the trials that the episode was made of, and its spikes. */
static enum varve_status
attend_again(struct varve_session *session, int64_t episode_id, struct attention *attention)
{
    struct trial trials[TRIALS] = {{0}};
    struct cortex_episode *episode;
    struct cortex_spike_train *train = NULL;
    enum varve_status status = cortex_episode_get(session, episode_id, &episode);
    if (status == VARVE_OK)
        status = cortex_spike_train_find_one(
            session,
            &(struct cortex_spike_train_filter){.episode_id = varve_int64_equals(episode_id)},
            &train);
    if (status == VARVE_OK) {
        size_t size = episode->experience.size;
        if (size > 0)
            memcpy(trials, episode->experience.data, size < sizeof trials ? size : sizeof trials);
        struct spikes spikes = {
            .count = train->spike_count,
            .times = train->spike_times.data,
            .neurons = train->neuron_ids.data};
        *attention = attention_of(trials, &spikes);
    }
    cortex_spike_train_free(train);
    cortex_episode_free(episode);
    return status;
}

enum varve_status
memory_attend(
    struct varve_session *session,
    const struct past *past,
    struct attention *attention,
    bool *cached)
{
    struct cortex_attention_weights key = CORTEX_ATTENTION_WEIGHTS_INIT, *weights;
    char name[64];
    memory_attention_key(past->episodes - 1, name);
    key.query_hash = name;
    enum varve_status status = cortex_attention_weights_cache_get(session, &key, &weights);
    *cached = status == VARVE_OK && weights->weights.count == (size_t)PATTERNS * PATTERNS;
    if (*cached)
        memcpy(attention->weights, weights->weights.data, sizeof attention->weights);
    cortex_attention_weights_free(weights);
    if (*cached || (status != VARVE_OK && status != VARVE_NOT_FOUND))
        return status;
    status = attend_again(session, past->last_id, attention);
    if (status == VARVE_OK)
        status = cache_attention(session, past->episodes - 1, varve_now(), attention);
    return status;
}
