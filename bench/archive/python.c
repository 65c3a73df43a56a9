/* The sides of bench_archive that are processes of Python: see python_archive.py. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/sides.h"
#include "common/peer.h"

enum {
    INSERTED_MOST = 300, /* trains of a measured file */
    FILLED_MOST = 2000   /* of the file that they are got from */
};

struct state {
    const struct trains *trains; /* NULL: it has a matrix */
    struct bench_peer *peer;
    size_t inserted;
    size_t filled;
};

static struct state *
start(const char *kind, const char *file, const char *folder, size_t number)
{
    char text[32];
    struct state *state = calloc(1, sizeof *state);
    if (!state)
        bench_fail("out of memory");
    snprintf(text, sizeof text, "%zu", number);
    const char *const command[] = {BENCH_PYTHON, BENCH_PYTHON_SCRIPT, kind, file, folder, text,
                                   NULL};
    state->peer = bench_peer_start(command);
    return state;
}

static uint64_t
request(const struct state *state, const char *verb, size_t number)
{
    struct bench_peer_work work = {state->peer, verb};
    return bench_peer_time(&work, number);
}

static void
close_side(void *context)
{
    struct state *state = context;
    bench_peer_stop(state->peer);
    free(state);
}

/* ------------------------------------------------------------------ matrices */

static uint64_t
write_matrix(void *context, size_t operations)
{
    return request(context, "write", operations);
}

static uint64_t
get_matrix(void *context, size_t operations)
{
    return request(context, "read", operations);
}

static uint64_t
slice(void *context, size_t operations)
{
    return request(context, "slice", operations);
}

static uint32_t
crc(void *context)
{
    return (uint32_t)request(context, "ask_all", 0);
}

static uint32_t
band_crc(void *context, size_t first_row)
{
    return (uint32_t)request(context, "ask_band", first_row);
}

static uint64_t
size(void *context, size_t operations)
{
    return request(context, "ask_size", 0) * operations;
}

void
python_open_matrix(const struct matrix_setting *setting, struct matrix_side *side)
{
    const struct matrix *matrix = setting->matrix;
    *side = (struct matrix_side){
        .name = "h5py",
        .write = write_matrix,
        .get = get_matrix,
        .slice = slice,
        .crc = crc,
        .band_crc = band_crc,
        .size = size,
        .close = close_side,
        .state = start("matrix", matrix->file, setting->folder, matrix->side),
    };
}

/* ------------------------------------------------------------------ spike trains */

/* Writes a file, and works out from it how long so many trains take. */
static uint64_t
time_of(const struct state *state, size_t trains)
{
    double time = (double)request(state, "insert", state->inserted);
    return (uint64_t)(time * (double)trains / (double)state->inserted);
}

static uint64_t
insert(void *context, size_t operations)
{
    const struct state *state = context;
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += time_of(state, state->trains->batch);
    return time;
}

static uint64_t
archive(void *context, size_t operations)
{
    const struct state *state = context;
    uint64_t time = 0;
    for (size_t i = 0; i < operations; i++)
        time += time_of(state, state->trains->count);
    return time;
}

static void
fill(void *context)
{
    const struct state *state = context;
    request(state, "insert", state->filled);
}

static uint64_t
get(void *context, size_t operations)
{
    return request(context, "get", operations);
}

static uint32_t
crc_of_train(void *context, size_t n)
{
    return (uint32_t)request(context, "ask_train", n);
}

static uint64_t
size_of_train(void *context, size_t operations)
{
    const struct state *state = context;
    return request(state, "ask_size", 0) * operations / state->filled;
}

void
python_open_trains(const struct trains_setting *setting, struct trains_side *side)
{
    const struct trains *trains = setting->trains;
    struct state *state = start("trains", trains->file, setting->folder, trains->filed);
    state->trains = trains;
    state->inserted = trains->filed < INSERTED_MOST ? trains->filed : INSERTED_MOST;
    state->filled = trains->filed < FILLED_MOST ? trains->filed : FILLED_MOST;
    *side = (struct trains_side){
        .name = "h5py",
        .insert = insert,
        .archive = archive,
        .fill = fill,
        .get = get,
        .held = state->filled,
        .crc = crc_of_train,
        .size = size_of_train,
        .close = close_side,
        .state = state,
    };
}
