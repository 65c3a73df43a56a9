/* Reads through the generated functions alone, and compares to the last bit. */
#include "recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
recall_explain(enum varve_status status, const struct varve_session *session)
{
    const char *text = varve_session_error(session);
    if (status == VARVE_NO_MEMORY || *text == '\0')
        text = varve_status_text(status);
    fprintf(stderr, "learning_episode: %s\n", text);
    return false;
}

/* Says it when what was read is not what was lived. */
static bool
same(bool equal, const char *what, const struct chapter *chapter)
{
    if (!equal)
        fprintf(
            stderr,
            "learning_episode: %s of episode %lld are not what was simulated; the store has other "
            "data than were put into it\n",
            what, (long long)chapter->number + 1);
    return equal;
}

static bool
equal_floats(struct varve_floats read, const float *lived, size_t count)
{
    return read.count == count && memcmp(read.data, lived, count * sizeof *lived) == 0;
}

/* ------------------------------------------------------------------ cache */

/* Whether a bin is the stretch of the episode's spikes that it stands for; *at is where the one after it
 * ends, since bins come the newest first. */
static bool
equal_bin(const struct cortex_spike_cache *bin, const struct chapter *chapter, size_t *at)
{
    const struct spikes *spikes = &chapter->lived.spikes;
    int64_t offset = bin->bin_start - chapter->started_at;
    if (bin->spike_count > *at)
        return false;
    *at -= bin->spike_count;
    for (size_t i = 0; i < bin->spike_count; i++)
        if (bin->spike_times.data[i] + offset != spikes->times[*at + i] ||
            bin->neuron_ids.data[i] != spikes->neurons[*at + i])
            return false;
    return true;
}

static bool
recall_bins(struct varve_session *session, const struct chapter *last)
{
    struct varve_cursor *cursor;
    const struct cortex_spike_cache *bin;
    size_t at = last->lived.spikes.count;
    bool equal = true;
    enum varve_status status =
        cortex_spike_cache_cache_recent(session, last->started_at, 0, &cursor);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    while (equal && (status = cortex_spike_cache_next(cursor, &bin)) == VARVE_ROW)
        equal = equal_bin(bin, last, &at);
    varve_cursor_close(cursor);
    if (equal && status != VARVE_DONE)
        return recall_explain(status, session);
    return same(equal && at == 0, "the cached spikes", last);
}

static bool
recall_patterns(struct varve_session *session, const struct chapter *last)
{
    struct cortex_working_memory_pattern keys[PATTERNS], **found;
    char hashes[PATTERNS][17];
    for (int i = 0; i < PATTERNS; i++) {
        memory_pattern_hash(last->network, i, hashes[i]);
        keys[i] = (struct cortex_working_memory_pattern)CORTEX_WORKING_MEMORY_PATTERN_INIT;
        keys[i].pattern_hash = hashes[i];
    }
    enum varve_status status =
        cortex_working_memory_pattern_cache_get_many(session, keys, PATTERNS, &found);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    bool equal = true;
    for (int i = 0; i < PATTERNS; i++)
        equal = equal && found[i] &&
                equal_floats(found[i]->activations, last->lived.responses[i], NEURONS);
    cortex_working_memory_pattern_free_many(found);
    return same(equal, "the patterns in working memory", last);
}

bool
recall_cache(struct varve_session *session, const struct chapter *last)
{
    struct past past = {.episodes = last->number + 1, .last_id = last->id};
    struct attention attention;
    bool cached;
    enum varve_status status = memory_attend(session, &past, &attention, &cached);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    bool equal = cached && memcmp(&attention, &last->lived.attention, sizeof attention) == 0;
    return same(equal, "the attention weights", last) && recall_bins(session, last) &&
           recall_patterns(session, last);
}

/* ------------------------------------------------------------------ tables */

/* The latest episodes, the newest first. */
static bool
recall_episodes(
    struct varve_session *session,
    const struct chapter *chapters,
    size_t count,
    struct recalled *recalled)
{
    struct varve_cursor *cursor;
    const struct cortex_episode *row;
    bool equal = true;
    struct cortex_recent_episodes_request request = CORTEX_RECENT_EPISODES_REQUEST_INIT;
    request.context_hash = MEMORY_CONTEXT;
    request.limit = (int64_t)count;
    enum varve_status status = cortex_episodes_recent(session, &request, &cursor);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    const struct chapter *chapter = &chapters[count];
    while (equal && (status = cortex_episode_next(cursor, &row)) == VARVE_ROW) {
        chapter--;
        equal = row->id == chapter->id && row->occurred_at == chapter->started_at &&
                row->performance_score == chapter->lived.score &&
                row->experience.size == sizeof chapter->lived.trials &&
                memcmp(row->experience.data, chapter->lived.trials, row->experience.size) == 0;
        recalled->episodes++;
    }
    varve_cursor_close(cursor);
    if (equal && status != VARVE_DONE)
        return recall_explain(status, session);
    return same(
        equal && chapter == chapters, "score or trials",
        chapter == &chapters[count] ? &chapters[count - 1] : chapter);
}

/* What one strategy changed, in the order of time. */
static bool
recall_events(
    struct varve_session *session,
    const struct chapter *chapters,
    size_t count,
    enum strategy strategy,
    int64_t *events)
{
    struct varve_cursor *cursor;
    const struct cortex_learning_event *row;
    const struct chapter *chapter = chapters, *end = &chapters[count];
    bool equal = true;
    enum varve_status status = cortex_learning_event_find(
        session,
        &(struct cortex_learning_event_filter){
            .task_type = varve_text_equals(MEMORY_TASK),
            .strategy_used = varve_text_equals(memory_strategy(strategy)),
            .occurred_at = varve_int64_greater_than(chapters[0].started_at),
            .order_by = CORTEX_LEARNING_EVENT_FIELD_OCCURRED_AT},
        &cursor);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    while (equal && (status = cortex_learning_event_next(cursor, &row)) == VARVE_ROW) {
        while (chapter < end && chapter->lived.strategy != strategy)
            chapter++;
        equal =
            chapter < end && row->performance_delta == chapter->lived.score - chapter->score_before;
        chapter += equal;
        ++*events;
    }
    varve_cursor_close(cursor);
    if (equal && status != VARVE_DONE)
        return recall_explain(status, session);
    while (chapter < end && chapter->lived.strategy != strategy)
        chapter++;
    return same(equal && chapter == end, "the learning events", &chapters[count - 1]);
}

/* ------------------------------------------------------------------ archive */

/* The spike train that was recorded in an episode: a typed query tells its id, a get brings the spikes. */
static enum varve_status
get_spikes(struct varve_session *session, int64_t episode_id, struct cortex_spike_train **train)
{
    struct cortex_episode_recordings_request request = CORTEX_EPISODE_RECORDINGS_REQUEST_INIT;
    struct varve_cursor *cursor;
    const struct cortex_recorded_spikes *row;
    int64_t id = 0;
    request.episode_id = episode_id;
    enum varve_status status = cortex_recordings_spike_trains(session, &request, &cursor);
    if (status != VARVE_OK)
        return status;
    status = cortex_recorded_spikes_next(cursor, &row);
    if (status == VARVE_ROW)
        id = row->id;
    varve_cursor_close(cursor);
    return status == VARVE_ROW || status == VARVE_DONE ? cortex_spike_train_get(session, id, train)
                                                       : status;
}

/* The same of its snapshot of the network. */
static enum varve_status
get_snapshot(
    struct varve_session *session, int64_t episode_id, struct cortex_network_snapshot **snapshot)
{
    struct cortex_episode_recordings_request request = CORTEX_EPISODE_RECORDINGS_REQUEST_INIT;
    struct varve_cursor *cursor;
    const struct cortex_network_snapshot *row;
    int64_t id = 0;
    request.episode_id = episode_id;
    enum varve_status status = cortex_recordings_snapshots(session, &request, &cursor);
    if (status != VARVE_OK)
        return status;
    status = cortex_network_snapshot_next(cursor, &row);
    if (status == VARVE_ROW)
        id = row->id;
    varve_cursor_close(cursor);
    return status == VARVE_ROW || status == VARVE_DONE
               ? cortex_network_snapshot_get(session, id, snapshot)
               : status;
}

static bool
recall_spikes(
    struct varve_session *session, const struct chapter *chapter, struct recalled *recalled)
{
    const struct spikes *lived = &chapter->lived.spikes;
    struct cortex_spike_train *train = NULL;
    enum varve_status status = get_spikes(session, chapter->id, &train);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    bool equal =
        train->spike_count == lived->count && train->spike_times.count == lived->count &&
        train->neuron_ids.count == lived->count &&
        memcmp(train->spike_times.data, lived->times, lived->count * sizeof *lived->times) == 0 &&
        memcmp(train->neuron_ids.data, lived->neurons, lived->count * sizeof *lived->neurons) == 0;
    recalled->spikes += train->spike_count;
    cortex_spike_train_free(train);
    return same(equal, "the spikes", chapter);
}

/* A slice: the synapses of one sensory neuron onto the decision neurons, without the rest of the matrix. */
static bool
recall_row(struct varve_session *session, const struct chapter *chapter, int64_t id)
{
    float row[DECISION];
    int neuron = (int)(chapter->number % SENSORY);
    struct varve_range range = {.start = {neuron, SENSORY}, .count = {1, DECISION}};
    enum varve_status status =
        cortex_network_snapshot_read_weights(session, id, &range, row, sizeof row);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    return same(
        memcmp(row, &chapter->network->weights[neuron][SENSORY], sizeof row) == 0,
        "the weights of one neuron", chapter);
}

static bool
recall_snapshot(
    struct varve_session *session, const struct chapter *chapter, struct recalled *recalled)
{
    const size_t cells = (size_t)NEURONS * NEURONS;
    const struct network *network = chapter->network;
    struct cortex_network_snapshot *snapshot = NULL;
    enum varve_status status = get_snapshot(session, chapter->id, &snapshot);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    int64_t id = snapshot->id;
    bool equal = snapshot->neuron_count == NEURONS && snapshot->adjacency.count == cells &&
                 memcmp(snapshot->adjacency.data, network->adjacency, cells) == 0 &&
                 equal_floats(snapshot->weights, &network->weights[0][0], cells) &&
                 equal_floats(snapshot->neuron_states, network->potential, NEURONS);
    cortex_network_snapshot_free(snapshot);
    recalled->snapshots++;
    return same(equal, "the weights", chapter) && recall_row(session, chapter, id);
}

static bool
recall_trace(
    struct varve_session *session,
    const struct chapter *chapter,
    const char *population,
    size_t first,
    size_t count)
{
    struct cortex_homeostatic_trace *trace;
    enum varve_status status = cortex_homeostatic_trace_find_one(
        session,
        &(struct cortex_homeostatic_trace_filter){
            .population = varve_text_equals(population),
            .episode_id = varve_int64_equals(chapter->id)},
        &trace);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    bool equal =
        equal_floats(trace->actual_rates, &chapter->lived.rates[first], count) &&
        equal_floats(trace->threshold_adjustments, &chapter->lived.adjustments[first], count);
    cortex_homeostatic_trace_free(trace);
    return same(equal, "the homeostatic traces", chapter);
}

static bool
recall_layer(struct varve_session *session, const struct chapter *chapter)
{
    uint16_t lived[TESTS * DECISION];
    struct cortex_layer_output *output;
    memory_activations(&chapter->lived, lived);
    enum varve_status status = cortex_layer_output_find_one(
        session,
        &(struct cortex_layer_output_filter){.episode_id = varve_int64_equals(chapter->id)},
        &output);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    bool equal = output->activations.count == (size_t)TESTS * DECISION &&
                 memcmp(output->activations.data, lived, sizeof lived) == 0;
    cortex_layer_output_free(output);
    return same(equal, "the activations", chapter);
}

bool
recall_life(
    struct varve_session *session,
    const struct chapter *chapters,
    size_t count,
    struct recalled *recalled)
{
    *recalled = (struct recalled){0};
    bool good =
        recall_episodes(session, chapters, count, recalled) &&
        recall_events(session, chapters, count, STRATEGY_UNIFORM, &recalled->events) &&
        recall_events(session, chapters, count, STRATEGY_CURRICULUM, &recalled->curriculum_events);
    for (size_t i = 0; i < count && good; i++) {
        const struct chapter *chapter = &chapters[i];
        good = recall_spikes(session, chapter, recalled) &&
               recall_snapshot(session, chapter, recalled) &&
               recall_trace(session, chapter, "excitatory", 0, EXCITATORY) &&
               recall_trace(session, chapter, "inhibitory", EXCITATORY, INHIBITORY) &&
               recall_layer(session, chapter);
        recalled->traces += 2;
    }
    recalled->events += recalled->curriculum_events;
    return good;
}

/* ------------------------------------------------------------------ what it was good for */

static enum varve_status
tell_strategies(struct varve_session *session)
{
    struct cortex_best_strategies_request request = CORTEX_BEST_STRATEGIES_REQUEST_INIT;
    struct varve_cursor *cursor;
    const struct cortex_strategy_score *row;
    request.task_type = MEMORY_TASK;
    request.limit = 3;
    enum varve_status status = cortex_learning_events_best_strategies(session, &request, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = cortex_strategy_score_next(cursor, &row)) == VARVE_ROW)
        printf(
            "strategy     %s: the score rose %lld times, by %.3f on average\n", row->strategy_used,
            (long long)row->uses, row->average_delta);
    varve_cursor_close(cursor);
    return status;
}

static enum varve_status
tell_scores(struct varve_session *session)
{
    struct varve_cursor *cursor;
    const struct cortex_context_scores *row;
    enum varve_status status = cortex_episodes_scores_by_context(session, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = cortex_context_scores_next(cursor, &row)) == VARVE_ROW)
        printf(
            "context      %s: %lld episodes, scores %.3f to %.3f, %.3f on average\n",
            row->context_hash, (long long)row->episodes, row->minimum, row->maximum, row->mean);
    varve_cursor_close(cursor);
    return status;
}

bool
recall_gains(struct varve_session *session)
{
    enum varve_status status = tell_strategies(session);
    if (status == VARVE_DONE)
        status = tell_scores(session);
    return status == VARVE_DONE || recall_explain(status, session);
}

/* ------------------------------------------------------------------ for the figure */

/* Scores of all episodes, the oldest first. */
static enum varve_status
collect_scores(struct varve_session *session, struct album *album)
{
    struct cortex_episode_filter ours = {
        .context_hash = varve_text_equals(MEMORY_CONTEXT),
        .order_by = CORTEX_EPISODE_FIELD_OCCURRED_AT};
    struct varve_cursor *cursor;
    const struct cortex_episode *row;
    int64_t count;
    enum varve_status status = cortex_episode_count(session, &ours, &count);
    if (status != VARVE_OK)
        return status;
    album->scores = calloc((size_t)count + 1, sizeof *album->scores);
    if (!album->scores)
        return VARVE_NO_MEMORY;
    status = cortex_episode_find(session, &ours, &cursor);
    if (status != VARVE_OK)
        return status;
    while (album->count < (size_t)count &&
           (status = cortex_episode_next(cursor, &row)) == VARVE_ROW) {
        if (album->count == 0)
            album->first_id = row->id;
        album->last_id = row->id;
        album->scores[album->count++] = row->performance_score;
    }
    varve_cursor_close(cursor);
    return status == VARVE_ROW || status == VARVE_DONE ? VARVE_OK : status;
}

bool
recall_album(struct varve_session *session, struct album *album)
{
    *album = (struct album){0};
    enum varve_status status = collect_scores(session, album);
    struct cortex_spike_train_filter first = {.episode_id = varve_int64_equals(album->first_id)},
                                     last = {.episode_id = varve_int64_equals(album->last_id)};
    struct cortex_network_snapshot_filter
        newborn = {.episode_id = varve_int64_is_null(), .limit = 1},
        grown = {.episode_id = varve_int64_equals(album->last_id)};
    if (status == VARVE_OK)
        status = cortex_episode_get(session, album->first_id, &album->first);
    if (status == VARVE_OK)
        status = cortex_episode_get(session, album->last_id, &album->last);
    if (status == VARVE_OK)
        status = cortex_spike_train_find_one(session, &first, &album->first_train);
    if (status == VARVE_OK)
        status = cortex_spike_train_find_one(session, &last, &album->last_train);
    if (status == VARVE_OK)
        status = cortex_network_snapshot_find_one(session, &newborn, &album->newborn);
    if (status == VARVE_OK)
        status = cortex_network_snapshot_find_one(session, &grown, &album->grown);
    return status == VARVE_OK || recall_explain(status, session);
}

void
album_free(struct album *album)
{
    free(album->scores);
    cortex_episode_free(album->first);
    cortex_episode_free(album->last);
    cortex_spike_train_free(album->first_train);
    cortex_spike_train_free(album->last_train);
    cortex_network_snapshot_free(album->newborn);
    cortex_network_snapshot_free(album->grown);
    *album = (struct album){0};
}
