/* The working memory of a small network: patterns that fade unless they are rehearsed, spikes of the last minutes,
 * attention weights that can be computed again, and at the end how the cache did.
 *
 *     working_memory                                     with the embedded cache: nothing to set up
 *     REDIS_UNIX_SOCKET=/run/redis.sock working_memory   with Redis, which other programs may read too
 *     REDIS_HOST=cache.lab.org working_memory            the same over the network
 *
 * The program is the same in all three: varve_config_from_env() reads where the cache is. What it puts is
 * described in schema/cortex/working_memory_pattern.proto, spike_cache.proto and attention_weights.proto.
 */
#include <stdio.h>

#include "cortex/cortex.varve.h"

enum {
    UNITS = 8,   /* that hold a pattern */
    BINS = 10,   /* of spikes, one a minute */
    SPIKES = 3,  /* in each bin */
    QUERIES = 2, /* of an attention head */
    KEYS = 4,    /* that each of them attends to */
};

#define SECOND INT64_C(1000000000) /* in nanoseconds */
#define MINUTE (60 * SECOND)

/* -------------------------------------------------------------------- patterns */

/* Holds a pattern in mind. It fades after an hour, as its message says. */
static enum varve_status
hold(struct varve_session *session, const char *hash, double salience)
{
    float activations[UNITS];
    for (int i = 0; i < UNITS; i++)
        activations[i] = (float)(salience / (i + 1));

    struct cortex_working_memory_pattern pattern = CORTEX_WORKING_MEMORY_PATTERN_INIT;
    pattern.pattern_hash = hash;
    pattern.stored_at = varve_now();
    pattern.unit_count = UNITS;
    pattern.activations = (struct varve_floats){.count = UNITS, .data = activations};
    pattern.salience = salience;
    return cortex_working_memory_pattern_cache_put(session, &pattern);
}

/* Gives the pattern another hour. That it has faded already is no failure. */
static enum varve_status
rehearse(struct varve_session *session, const char *hash)
{
    struct cortex_working_memory_pattern key = CORTEX_WORKING_MEMORY_PATTERN_INIT;
    key.pattern_hash = hash;
    enum varve_status status = cortex_working_memory_pattern_cache_touch(session, &key);
    if (status == VARVE_OK)
        printf("rehearsed: %s\n", hash);
    else if (status == VARVE_NOT_FOUND)
        printf("forgotten: %s\n", hash);
    return status == VARVE_NOT_FOUND ? VARVE_OK : status;
}

/* Reads a pattern back by its hash, the one field that the key is made of. */
static enum varve_status
recall(struct varve_session *session, const char *hash)
{
    struct cortex_working_memory_pattern key = CORTEX_WORKING_MEMORY_PATTERN_INIT;
    struct cortex_working_memory_pattern *pattern;
    key.pattern_hash = hash;
    enum varve_status status = cortex_working_memory_pattern_cache_get(session, &key, &pattern);
    if (status != VARVE_OK)
        return status;
    printf(
        "recalled: %s, salience %g, %zu activations\n", pattern->pattern_hash, pattern->salience,
        pattern->activations.count);
    cortex_working_memory_pattern_free(pattern);
    return VARVE_OK;
}

static enum varve_status
think(struct varve_session *session)
{
    /* A reflex is held for a second only. */
    struct cortex_working_memory_pattern reflex = CORTEX_WORKING_MEMORY_PATTERN_INIT;
    reflex.pattern_hash = "blink";
    reflex.stored_at = varve_now();
    enum varve_status status = cortex_working_memory_pattern_cache_put_with(
        session, &reflex, &(struct varve_cache_options){.ttl_seconds = 1});
    if (status == VARVE_OK)
        status = hold(session, "maze/left", 0.5);
    if (status == VARVE_OK)
        status = hold(session, "maze/right", 0.875);
    if (status == VARVE_OK)
        status = rehearse(session, "maze/left");
    if (status == VARVE_OK)
        status = rehearse(session, "maze/exit"); /* which was never held */
    return status == VARVE_OK ? recall(session, "maze/right") : status;
}

/* -------------------------------------------------------------------- spikes */

/* Caches the bins of the last ten minutes in one round trip. */
static enum varve_status
record_spikes(struct varve_session *session, int64_t now)
{
    static int64_t times[SPIKES] = {SECOND, 5 * SECOND, 21 * SECOND};
    static uint32_t neurons[SPIKES] = {17, 4, 17};
    struct cortex_spike_cache bins[BINS];
    for (int i = 0; i < BINS; i++) {
        bins[i] = (struct cortex_spike_cache)CORTEX_SPIKE_CACHE_INIT;
        bins[i].region = "V1";
        bins[i].bin = i;
        bins[i].bin_start = now - (BINS - i) * MINUTE;
        bins[i].bin_duration = MINUTE;
        bins[i].spike_count = SPIKES;
        bins[i].spike_times = (struct varve_int64s){.count = SPIKES, .data = times};
        bins[i].neuron_ids = (struct varve_uint32s){.count = SPIKES, .data = neurons};
    }
    return cortex_spike_cache_cache_put_many(session, bins, BINS);
}

/* Counts the spikes of the last five minutes: bins come by their time, the newest first. */
static enum varve_status
count_spikes(struct varve_session *session, int64_t now)
{
    struct varve_cursor *cursor;
    const struct cortex_spike_cache *bin;
    unsigned bins = 0, spikes = 0;
    enum varve_status status =
        cortex_spike_cache_cache_recent(session, now - 5 * MINUTE, 0, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = cortex_spike_cache_next(cursor, &bin)) == VARVE_ROW) {
        bins++;
        spikes += bin->spike_count;
    }
    varve_cursor_close(cursor);
    if (status == VARVE_DONE)
        printf("spikes: %u in the %u bins of five minutes\n", spikes, bins);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status
listen(struct varve_session *session)
{
    int64_t now = varve_now();
    enum varve_status status = record_spikes(session, now);
    return status == VARVE_OK ? count_spikes(session, now) : status;
}

/* -------------------------------------------------------------------- attention */

/* Computes the weights of a head, and keeps them for who asks again. */
static enum varve_status
compute_weights(struct varve_session *session, const struct cortex_attention_weights *key)
{
    float weights[QUERIES * KEYS];
    for (int i = 0; i < QUERIES * KEYS; i++)
        weights[i] = 1.0f / KEYS;

    struct cortex_attention_weights computed = *key;
    computed.computed_at = varve_now();
    computed.query_length = QUERIES;
    computed.key_length = KEYS;
    computed.weights = (struct varve_floats){.count = QUERIES * KEYS, .data = weights};
    printf("attention: computed\n");
    return cortex_attention_weights_cache_put(session, &computed);
}

/* Weights come from the cache, or are computed when it has none. */
static enum varve_status
attend(struct varve_session *session)
{
    struct cortex_attention_weights key = CORTEX_ATTENTION_WEIGHTS_INIT;
    struct cortex_attention_weights *weights;
    key.query_hash = "where is the exit";
    key.head = 3;
    enum varve_status status = cortex_attention_weights_cache_get(session, &key, &weights);
    if (status == VARVE_NOT_FOUND)
        return compute_weights(session, &key);
    if (status == VARVE_OK)
        printf("attention: %zu weights from the cache\n", weights->weights.count);
    cortex_attention_weights_free(weights);
    return status;
}

/* -------------------------------------------------------------------- how the cache did */

static enum varve_status
print_health(struct varve_store *store)
{
    struct varve_health_report health;
    int64_t bytes = 0, keys = 0;
    enum varve_status status = varve_health(store, &health);
    if (status != VARVE_OK)
        return status;
    for (size_t i = 0; i < health.cache.message_count; i++) {
        keys += health.cache.messages[i].keys;
        bytes += health.cache.messages[i].bytes;
    }
    printf(
        "%s cache: %.0f%% hits, %lld values of %lld bytes, 99 of 100 gets below %.1f us\n",
        health.cache.engine, 100.0 * varve_cache_hit_rate(&health.cache), (long long)keys,
        (long long)bytes,
        (double)varve_latency_quantile(&health.latency[VARVE_OPERATION_CACHE_GET], 0.99) / 1000.0);
    varve_health_free(&health);
    return VARVE_OK;
}

static enum varve_status
live(struct varve_store *store)
{
    struct varve_session *session;
    enum varve_status status = varve_session_open(store, &session);
    if (status != VARVE_OK)
        return status;
    status = think(session);
    if (status == VARVE_OK)
        status = listen(session);
    for (int i = 0; i < 3 && status == VARVE_OK; i++)
        status = attend(session);
    varve_session_close(session);
    return status == VARVE_OK ? print_health(store) : status;
}

int
main(void)
{
    struct varve_config config = {.data_dir = ":memory:"}; /* of tables: this program has none */
    struct varve_store *store = NULL;
    struct varve_error error;
    if (varve_config_from_env(&config, &error) != VARVE_OK ||
        varve_open(&cortex_schema, &config, &store, &error) != VARVE_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    enum varve_status status = live(store);
    if (status != VARVE_OK)
        fprintf(stderr, "%s: %s\n", varve_status_name(status), varve_session_error(NULL));
    varve_close(store);
    return status == VARVE_OK ? 0 : 1;
}
