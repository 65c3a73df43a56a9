/* Values of the samples, and the comparison of both sides. Counterparts are written after varve's
 * record and from it, so that the values cannot differ. */
#include "wire/samples.h"

#include <stdlib.h>
#include <string.h>

#include <cortex/cortex.varve.h>

#include "common/bench.h"
#include "episode_c.pb-c.h"

enum {
    EXPERIENCE_BYTES = 256,
    EMBEDDING_SIZE = 768
};

/* protobuf-c's strings and arrays are not const; packing only reads them. */
static char *
text(const char *value)
{
    return (char *)(uintptr_t)value;
}

/* ------------------------------------------------------------------ episode */

static struct cortex_episode_metadata_entry episode_metadata[] = {
    {.base = PROTOBUF_C_MESSAGE_INIT(&cortex_episode_metadata_entry_descriptor),
     .key = "experiment",
     .value = "maze-7"},
    {.base = PROTOBUF_C_MESSAGE_INIT(&cortex_episode_metadata_entry_descriptor),
     .key = "operator",
     .value = "jlm"},
    {.base = PROTOBUF_C_MESSAGE_INIT(&cortex_episode_metadata_entry_descriptor),
     .key = "rig",
     .value = "north-bay-2b"},
};
static struct cortex_episode_metadata_entry *episode_entries[] = {
    &episode_metadata[0], &episode_metadata[1], &episode_metadata[2]};
static uint8_t experience[EXPERIENCE_BYTES];

static struct cortex_episode episode = {
    .base = PROTOBUF_C_MESSAGE_INIT(&cortex_episode_descriptor),
    .id = 81234,
    .occurred_at = 1700000000123456789,
    .experience = {.size = EXPERIENCE_BYTES, .data = experience},
    .performance_score = 0.8125,
    .context_hash = "9f86d081884c7d659a2feaa0c55ad015",
    .metadata = {.count = 3, .data = episode_entries},
};

static BenchC__TextEntry episode_metadata_c[3];
static BenchC__TextEntry *episode_entries_c[3];
static BenchC__Episode episode_c;

void
sample_episode(struct sample *sample)
{
    uint32_t state = 1;
    for (size_t i = 0; i < EXPERIENCE_BYTES; i++) {
        state = state * 1664525u + 1013904223u;
        experience[i] = (uint8_t)(state >> 24);
    }
    bench_c__episode__init(&episode_c);
    episode_c.id = episode.id;
    episode_c.occurred_at = episode.occurred_at;
    episode_c.experience = (ProtobufCBinaryData){episode.experience.size, episode.experience.data};
    episode_c.performance_score = episode.performance_score;
    episode_c.context_hash = text(episode.context_hash);
    episode_c.n_metadata = episode.metadata.count;
    episode_c.metadata = episode_entries_c;
    for (size_t i = 0; i < episode.metadata.count; i++) {
        bench_c__text_entry__init(&episode_metadata_c[i]);
        episode_metadata_c[i].key = text(episode_metadata[i].key);
        episode_metadata_c[i].value = text(episode_metadata[i].value);
        episode_entries_c[i] = &episode_metadata_c[i];
    }
    *sample = (struct sample){
        .name = "episode",
        .table = &cortex_episode_record,
        .record = &episode,
        .message = &episode_c.base,
    };
}

/* ------------------------------------------------------------------ learning event */

static struct cortex_learning_event_parameters_entry event_parameters[] = {
    {.base = PROTOBUF_C_MESSAGE_INIT(&cortex_learning_event_parameters_entry_descriptor),
     .key = "rate",
     .value = 0.01},
    {.base = PROTOBUF_C_MESSAGE_INIT(&cortex_learning_event_parameters_entry_descriptor),
     .key = "decay",
     .value = 0.995},
};
static struct cortex_learning_event_parameters_entry *event_entries[] = {
    &event_parameters[0], &event_parameters[1]};

static struct cortex_learning_event event = {
    .base = PROTOBUF_C_MESSAGE_INIT(&cortex_learning_event_descriptor),
    .id = 4711,
    .task_type = "maze",
    .performance_delta = 0.25,
    .strategy_used = "curriculum",
    .occurred_at = 1700000000123456789,
    .parameters = {.count = 2, .data = event_entries},
};

static BenchC__NumberEntry event_parameters_c[2];
static BenchC__NumberEntry *event_entries_c[2];
static BenchC__LearningEvent event_c;

void
sample_learning_event(struct sample *sample)
{
    bench_c__learning_event__init(&event_c);
    event_c.id = event.id;
    event_c.task_type = text(event.task_type);
    event_c.performance_delta = event.performance_delta;
    event_c.strategy_used = text(event.strategy_used);
    event_c.occurred_at = event.occurred_at;
    event_c.n_parameters = event.parameters.count;
    event_c.parameters = event_entries_c;
    for (size_t i = 0; i < event.parameters.count; i++) {
        bench_c__number_entry__init(&event_parameters_c[i]);
        event_parameters_c[i].key = text(event_parameters[i].key);
        event_parameters_c[i].value = event_parameters[i].value;
        event_entries_c[i] = &event_parameters_c[i];
    }
    *sample = (struct sample){
        .name = "learning event",
        .table = &cortex_learning_event_record,
        .record = &event,
        .message = &event_c.base,
    };
}

/* ------------------------------------------------------------------ concept */

static struct cortex_concept_metadata_entry concept_metadata = {
    .base = PROTOBUF_C_MESSAGE_INIT(&cortex_concept_metadata_entry_descriptor),
    .key = "source",
    .value = "lexicon",
};
static struct cortex_concept_metadata_entry *concept_entries[] = {&concept_metadata};
static float embedding[EMBEDDING_SIZE];

static struct cortex_concept concept = {
    .base = PROTOBUF_C_MESSAGE_INIT(&cortex_concept_descriptor),
    .id = 90210,
    .name = "perseverance",
    .embedding = {.count = EMBEDDING_SIZE, .data = embedding},
    .embedding_size = EMBEDDING_SIZE,
    .created_at = 1700000000123456789,
    .last_used_at = 1700000900123456789,
    .access_count = 17,
    .metadata = {.count = 1, .data = concept_entries},
};

static BenchC__TextEntry concept_metadata_c;
static BenchC__TextEntry *concept_entries_c[1];
static BenchC__Concept concept_c;

void
sample_concept(struct sample *sample)
{
    for (size_t i = 0; i < EMBEDDING_SIZE; i++)
        embedding[i] = (float)i / EMBEDDING_SIZE - 0.5f;
    bench_c__concept__init(&concept_c);
    concept_c.id = concept.id;
    concept_c.name = text(concept.name);
    concept_c.n_embedding = concept.embedding.count;
    concept_c.embedding = embedding;
    concept_c.embedding_size = concept.embedding_size;
    concept_c.created_at = concept.created_at;
    concept_c.last_used_at = concept.last_used_at;
    concept_c.access_count = concept.access_count;
    concept_c.n_metadata = 1;
    concept_c.metadata = concept_entries_c;
    bench_c__text_entry__init(&concept_metadata_c);
    concept_metadata_c.key = text(concept_metadata.key);
    concept_metadata_c.value = text(concept_metadata.value);
    concept_entries_c[0] = &concept_metadata_c;
    *sample = (struct sample){
        .name = "concept",
        .table = &cortex_concept_record,
        .record = &concept,
        .message = &concept_c.base,
    };
}

/* ------------------------------------------------------------------ both sides agree */

static void
verify_ours(const struct sample *sample)
{
    void *record = NULL;
    enum varve_status status =
        varve_record_unpack(sample->table, sample->wire.data, sample->wire.size, &record);
    if (status != VARVE_OK || !varve_record_equal(sample->table, sample->record, record))
        bench_fail("%s: varve does not read back what it packed", sample->name);
    varve_record_free(record);
}

static void
verify_theirs(const struct sample *sample)
{
    size_t size = sample->wire.size;
    ProtobufCMessage *message =
        protobuf_c_message_unpack(sample->message->descriptor, NULL, size, sample->wire.data);
    if (!message || protobuf_c_message_get_packed_size(message) != size)
        bench_fail("%s: protobuf-c does not read what varve packed", sample->name);
    uint8_t *again = malloc(size);
    if (!again || protobuf_c_message_pack(message, again) != size ||
        memcmp(again, sample->wire.data, size) != 0)
        bench_fail("%s: protobuf-c reads other values than varve packed", sample->name);
    free(again);
    protobuf_c_message_free_unpacked(message, NULL);
}

void
sample_verify(struct sample *sample)
{
    if (varve_record_pack(sample->table, sample->record, &sample->wire) != VARVE_OK)
        bench_fail("%s: %s", sample->name, varve_session_error(NULL));
    size_t size = protobuf_c_message_get_packed_size(sample->message);
    uint8_t *theirs = malloc(size);
    if (!theirs || protobuf_c_message_pack(sample->message, theirs) != size)
        bench_fail("%s: protobuf-c does not pack it", sample->name);
    if (size != sample->wire.size || memcmp(theirs, sample->wire.data, size) != 0)
        bench_fail("%s: varve and protobuf-c pack different bytes", sample->name);
    free(theirs);
    verify_ours(sample);
    verify_theirs(sample);
}
