/* Spike trains as records of varve. */
#include <stdlib.h>

#include <lab.varve.h>
#include <varve/health.h>

#include "archive/ours.h"
#include "archive/sides.h"

struct state {
    struct trains_setting setting;
    struct ours_store store;
    struct lab_spike_train *batch; /* setting.trains->batch of them */
    size_t inserted;               /* in the store; the n-th train has the id n + 1 */
    uint64_t got;
};

/* ------------------------------------------------------------------ writing */

static void
renew(struct state *state)
{
    ours_store_renew(&state->store);
    state->inserted = 0;
}

static struct lab_spike_train
record_of(const struct train *train)
{
    return (struct lab_spike_train){
        .base = PROTOBUF_C_MESSAGE_INIT(&lab_spike_train_descriptor),
        .spike_count = (uint32_t)train->count,
        .times = {train->count, train->times},
        .neurons = {train->count, train->neurons},
        .amplitudes = {train->count, train->amplitudes},
    };
}

static uint64_t
insert_batch(struct state *state)
{
    const struct trains *trains = state->setting.trains;
    for (size_t i = 0; i < trains->batch; i++)
        state->batch[i] = record_of(&trains->trains[state->inserted + i]);
    uint64_t start = bench_now();
    ours_must(
        &state->store,
        lab_spike_train_insert_many(state->store.session, state->batch, (int64_t)trains->batch),
        "insert_many");
    uint64_t time = bench_now() - start;
    state->inserted += trains->batch;
    return time;
}

static uint64_t
insert(void *context, size_t operations)
{
    struct state *state = context;
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++) {
        if (state->inserted >= state->setting.trains->count)
            renew(state);
        time += insert_batch(state);
    }
    return time;
}

static uint64_t
archive_all(struct state *state)
{
    uint64_t time = 0;
    renew(state);
    for (size_t i = 0; i < BATCHES; i++)
        time += insert_batch(state);
    uint64_t start = bench_now();
    ours_store_flush(&state->store);
    return time + bench_now() - start;
}

static uint64_t
archive(void *context, size_t operations)
{
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += archive_all(context);
    return time;
}

/* Deletes all but every third, in one transaction. */
static void
thin_out(struct state *state)
{
    const struct ours_store *store = &state->store;
    ours_must(store, varve_begin(store->session), "begin");
    for (size_t n = 0; n < state->inserted; n++) {
        if (n % TRAINS_KEPT != 0)
            ours_must(store, lab_spike_train_delete(store->session, (int64_t)n + 1), "delete");
    }
    ours_must(store, varve_commit(store->session), "commit");
}

static uint64_t
compact_once(struct state *state)
{
    struct varve_maintenance_report report;
    archive_all(state);
    thin_out(state);
    uint64_t start = bench_now();
    ours_must(&state->store, varve_maintain(state->store.store, &report), "maintain");
    uint64_t time = bench_now() - start;
    if (report.tensors_moved == 0 || report.files_deleted == 0)
        bench_fail("varve: nothing was compacted");
    renew(state);
    return time;
}

static uint64_t
compact(void *context, size_t operations)
{
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += compact_once(context);
    return time;
}

static void
fill(void *context)
{
    struct state *state = context;
    while (state->inserted < state->setting.trains->count)
        insert_batch(state);
    ours_store_flush(&state->store);
}

/* ------------------------------------------------------------------ reading */

/* Release it with lab_spike_train_free(). */
static struct lab_spike_train *
read_train(const struct state *state, size_t n)
{
    struct lab_spike_train *record;
    ours_must(
        &state->store, lab_spike_train_get(state->store.session, (int64_t)n + 1, &record), "get");
    return record;
}

static uint64_t
get(void *context, size_t operations)
{
    struct state *state = context;
    size_t held = state->setting.trains->count;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++)
        lab_spike_train_free(read_train(state, trains_pick(held, state->got++)));
    return bench_now() - start;
}

static uint32_t
crc(void *context, size_t n)
{
    struct lab_spike_train *record = read_train(context, n);
    size_t count = record->times.count;
    if (record->neurons.count != count || record->amplitudes.count != count)
        bench_fail("varve: the tensors of train %zu differ in their counts", n);
    const struct train train = {
        count, record->times.data, record->neurons.data, record->amplitudes.data};
    uint32_t crc = train_crc(&train);
    lab_spike_train_free(record);
    return crc;
}

/* ------------------------------------------------------------------ the side */

static uint64_t
size(void *context, size_t operations)
{
    const struct state *state = context;
    return ours_store_size(&state->store) * operations / state->inserted;
}

static void
close_side(void *context)
{
    struct state *state = context;
    ours_store_remove(&state->store);
    free(state->batch);
    free(state);
}

void
ours_open_trains(const struct trains_setting *setting, struct trains_side *side)
{
    struct state *state = calloc(1, sizeof *state);
    struct lab_spike_train *batch = calloc(setting->trains->batch, sizeof *batch);
    if (!state || !batch)
        bench_fail("out of memory");
    *state = (struct state){.setting = *setting, .batch = batch};
    ours_store_open(&state->store, setting->folder, "varve");
    *side = (struct trains_side){
        .name = "varve",
        .insert = insert,
        .archive = archive,
        .compact = compact,
        .fill = fill,
        .get = get,
        .held = setting->trains->count,
        .crc = crc,
        .size = size,
        .close = close_side,
        .state = state,
    };
}
