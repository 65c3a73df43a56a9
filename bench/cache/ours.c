/* varve's side of bench_cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bench.varve.h>

#include "cache/sides.h"

struct ours {
    struct bench_value values[PIPELINE];
    struct bench_dated dated[PIPELINE];
    struct varve_session *session;
    uint8_t *payloads; /* of PIPELINE values */
    size_t payload;
};

static void
must(struct varve_session *session, enum varve_status status)
{
    if (status != VARVE_OK)
        bench_fail("varve: %s", varve_session_error(session));
}

static void *
open_worker(void *side, size_t thread, size_t size)
{
    struct ours *ours = calloc(1, sizeof *ours);
    if (!ours)
        bench_fail("out of memory");
    ours->payload = payload_size(size);
    ours->payloads = malloc(PIPELINE * ours->payload);
    must(NULL, varve_session_open(side, &ours->session));
    for (size_t i = 0; i < PIPELINE; i++) {
        uint8_t *bytes = ours->payloads + i * ours->payload;
        fill_payload(bytes, ours->payload, key_number(thread, i));
        bench_value_init(&ours->values[i]);
        ours->values[i].payload = (struct varve_bytes){ours->payload, bytes};
        ours->values[i].stored_at = varve_now();
        bench_dated_init(&ours->dated[i]);
        ours->dated[i].payload = ours->values[i].payload;
    }
    return ours;
}

static void
close_worker(void *state)
{
    struct ours *ours = state;
    varve_session_close(ours->session);
    free(ours->payloads);
    free(ours);
}

static void
check(const struct ours *ours, const struct bench_value *value, int64_t number)
{
    if (!value || value->number != number || value->payload.size != ours->payload)
        bench_fail("varve: value %lld is missing, or another", (long long)number);
}

static void
put(struct ours *ours, const struct worker *worker, size_t at)
{
    struct bench_value *value = &ours->values[at % PIPELINE];
    value->number = key_number(worker->number, at);
    must(ours->session, bench_value_cache_put(ours->session, value));
}

static void
get(struct ours *ours, const struct worker *worker, size_t at)
{
    struct bench_value key = BENCH_VALUE_INIT, *value;
    key.number = key_number(worker->number, at);
    must(ours->session, bench_value_cache_get(ours->session, &key, &value));
    check(ours, value, key.number);
    bench_value_free(value);
}

static void
put_many(struct ours *ours, const struct worker *worker, size_t at)
{
    for (size_t i = 0; i < PIPELINE; i++)
        ours->values[i].number = key_number(worker->number, at * PIPELINE + i);
    must(ours->session, bench_value_cache_put_many(ours->session, ours->values, PIPELINE));
}

static void
put_dated(struct ours *ours, const struct worker *worker, size_t at)
{
    for (size_t i = 0; i < PIPELINE; i++) {
        ours->dated[i].number = key_number(worker->number, at * PIPELINE + i);
        ours->dated[i].stored_at = varve_now();
    }
    must(ours->session, bench_dated_cache_put_many(ours->session, ours->dated, PIPELINE));
}

static void
get_many(struct ours *ours, const struct worker *worker, size_t at)
{
    struct bench_value **values;
    for (size_t i = 0; i < PIPELINE; i++)
        ours->values[i].number = key_number(worker->number, at * PIPELINE + i);
    must(ours->session, bench_value_cache_get_many(ours->session, ours->values, PIPELINE, &values));
    for (size_t i = 0; i < PIPELINE; i++)
        check(ours, values[i], ours->values[i].number);
    bench_value_free_many(values);
}

static void
run(const struct worker *worker)
{
    static void (*const works[])(struct ours *, const struct worker *, size_t) = {
        [WORK_PUT] = put,
        [WORK_GET] = get,
        [WORK_PUT_MANY] = put_many,
        [WORK_GET_MANY] = get_many,
        [WORK_PUT_DATED] = put_dated,
    };
    for (size_t i = 0; i < worker->operations; i++)
        works[worker->work](worker->state, worker, i);
}

void
ours_open(struct cache_side *side, const char *socket, const char *folder)
{
    struct varve_store *store;
    struct varve_error error;
    struct varve_config config = {
        .data_dir = folder, .redis_unix_socket = socket, .cache_bytes = INT64_C(1) << 30};
    if (varve_open(&bench_schema, &config, &store, &error) != VARVE_OK)
        bench_fail("varve: %s", error.message);
    *side = (struct cache_side){"varve", open_worker, close_worker, run, store};
}

void
ours_close(struct cache_side *side)
{
    varve_close(side->context);
}
