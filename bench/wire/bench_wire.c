/* bench_wire: packing and unpacking of records, against plain protobuf-c and Python's protobuf.
 *
 * Both sides call what the typed functions of their generated code wrap in one line each: _pack and
 * _unpack of varve, __pack and __unpack of protobuf-c. protobuf-c packs unchecked and unpacks with
 * its default allocator; varve checks both ways and unpacks into one block.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bench.h"
#include "common/peer.h"
#include "wire/samples.h"

static const double PACK_BAR = 0.75;
static const double UNPACK_BAR = 1.2;

/* ------------------------------------------------------------------ varve */

static uint64_t
pack_ours(void *context, size_t operations)
{
    const struct sample *sample = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        struct varve_bytes bytes;
        if (varve_record_pack(sample->table, sample->record, &bytes) != VARVE_OK)
            bench_fail("pack %s: %s", sample->name, varve_session_error(NULL));
        varve_bytes_free(&bytes);
    }
    return bench_now() - start;
}

static uint64_t
unpack_ours(void *context, size_t operations)
{
    const struct sample *sample = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        void *record;
        if (varve_record_unpack(sample->table, sample->wire.data, sample->wire.size, &record) !=
            VARVE_OK)
            bench_fail("unpack %s: %s", sample->name, varve_session_error(NULL));
        varve_record_free(record);
    }
    return bench_now() - start;
}

/* ------------------------------------------------------------------ protobuf-c */

static uint64_t
pack_theirs(void *context, size_t operations)
{
    const struct sample *sample = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        size_t size = protobuf_c_message_get_packed_size(sample->message);
        uint8_t *data = malloc(size);
        if (!data || protobuf_c_message_pack(sample->message, data) != size)
            bench_fail("pack %s: protobuf-c failed", sample->name);
        free(data);
    }
    return bench_now() - start;
}

static uint64_t
unpack_theirs(void *context, size_t operations)
{
    const struct sample *sample = context;
    uint64_t start = bench_now();
    for (size_t i = 0; i < operations; i++) {
        ProtobufCMessage *message = protobuf_c_message_unpack(
            sample->message->descriptor, NULL, sample->wire.size, sample->wire.data);
        if (!message)
            bench_fail("unpack %s: protobuf-c failed", sample->name);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return bench_now() - start;
}

static void
compare_with_c(struct bench_run *run, struct sample *sample, const char *const *names, bool bars)
{
    const struct bench_work pack = {
        .name = names[0],
        .counterpart = "protobuf-c",
        .ours = {pack_ours, sample},
        .theirs = {pack_theirs, sample},
        .bar = bars ? PACK_BAR : 0,
    };
    const struct bench_work unpack = {
        .name = names[1],
        .counterpart = "protobuf-c",
        .ours = {unpack_ours, sample},
        .theirs = {unpack_theirs, sample},
        .bar = bars ? UNPACK_BAR : 0,
    };
    bench_run_compare(run, &pack);
    bench_run_compare(run, &unpack);
}

/* ------------------------------------------------------------------ Python's protobuf */

static char *
hex(struct varve_bytes bytes)
{
    char *text = malloc(2 * bytes.size + 1);
    if (!text)
        bench_fail("out of memory");
    for (size_t i = 0; i < bytes.size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
    return text;
}

static struct varve_bytes
from_hex(const char *text)
{
    struct varve_bytes bytes = {.size = strlen(text) / 2};
    bytes.data = malloc(bytes.size + 1);
    if (!bytes.data)
        bench_fail("out of memory");
    for (size_t i = 0; i < bytes.size; i++) {
        const char digits[] = {text[2 * i], text[2 * i + 1], '\0'};
        bytes.data[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return bytes;
}

/* Gives the packed sample to Python, which packs what it read; that must mean the same. */
static void
load(struct bench_peer *peer, const struct sample *sample)
{
    char *text = hex(sample->wire);
    size_t size = strlen(text) + 128;
    char *line = malloc(size);
    void *record = NULL;
    if (!line)
        bench_fail("out of memory");
    snprintf(line, size, "load %s %s", sample->table->descriptor->name, text);
    struct varve_bytes bytes = from_hex(bench_peer_ask(peer, line));
    if (varve_record_unpack(sample->table, bytes.data, bytes.size, &record) != VARVE_OK ||
        !varve_record_equal(sample->table, sample->record, record))
        bench_fail("%s: Python reads other values than varve packed", sample->name);
    varve_record_free(record);
    free(bytes.data);
    free(line);
    free(text);
}

static void
compare_with_python(struct bench_run *run, struct sample *sample, const char *const *names)
{
    static const char *const command[] = {
        BENCH_PYTHON, BENCH_PYTHON_SCRIPT, BENCH_DESCRIPTORS, NULL};
    if (!bench_run_wants(run, names[0]) && !bench_run_wants(run, names[1]))
        return;
    struct bench_peer *peer = bench_peer_start(command);
    load(peer, sample);
    struct bench_peer_work python_pack = {.peer = peer, .name = "pack"};
    struct bench_peer_work python_unpack = {.peer = peer, .name = "unpack"};
    const struct bench_work pack = {
        .name = names[0],
        .counterpart = "python3-protobuf",
        .ours = {pack_ours, sample},
        .theirs = {bench_peer_time, &python_pack},
    };
    const struct bench_work unpack = {
        .name = names[1],
        .counterpart = "python3-protobuf",
        .ours = {unpack_ours, sample},
        .theirs = {bench_peer_time, &python_unpack},
    };
    bench_run_compare(run, &pack);
    bench_run_compare(run, &unpack);
    bench_peer_stop(peer);
}

int
main(int argc, char **argv)
{
    static const char *const episode_names[] = {"pack episode", "unpack episode"};
    static const char *const event_names[] = {"pack learning event", "unpack learning event"};
    static const char *const concept_names[] = {"pack concept", "unpack concept"};
    struct bench_run run;
    struct sample episode, event, concept;
    bench_run_begin(&run, argc, argv);
    sample_episode(&episode);
    sample_learning_event(&event);
    sample_concept(&concept);
    sample_verify(&episode);
    sample_verify(&event);
    sample_verify(&concept);

    compare_with_c(&run, &episode, episode_names, true);
    compare_with_c(&run, &event, event_names, false);
    compare_with_c(&run, &concept, concept_names, false);
    compare_with_python(&run, &episode, episode_names);
    printf(
        "packed: episode %zu bytes, learning event %zu, concept %zu\n", episode.wire.size,
        event.wire.size, concept.wire.size);

    varve_bytes_free(&episode.wire);
    varve_bytes_free(&event.wire);
    varve_bytes_free(&concept.wire);
    return bench_run_end(&run);
}
