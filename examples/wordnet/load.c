/* Loading: the arrays go through insert_many in batches, which are large enough that a batch costs
 * nothing and small enough to stay in the processor's cache. */
#include "load.h"

#include <stdlib.h>

enum {
    BATCH = 1024, /* records of one insert_many */
    NOTES = 4,    /* entries in a concept's metadata */
};

/* A concept and what its map points at. */
struct notes {
    struct cortex_concept_metadata_entry entry[NOTES];
    struct cortex_concept_metadata_entry *pointer[NOTES];
};

/* Room for a batch of either kind. */
struct batch {
    struct cortex_concept concepts[BATCH];
    struct notes notes[BATCH];
    struct cortex_concept_relationship relationships[BATCH];
};

static size_t
batch_size(size_t from, size_t count)
{
    return count - from < BATCH ? count - from : BATCH;
}

/* Makes a concept of a synset; its metadata lie in *notes. */
static void
fill_concept(
    const struct wordnet_synset *synset,
    int64_t now,
    struct cortex_concept *concept,
    struct notes *notes)
{
    static const struct cortex_concept_metadata_entry empty = CORTEX_CONCEPT_METADATA_ENTRY_INIT;
    static const char *const keys[NOTES] = {"words", "senses", "lexfile", "gloss"};
    const char *const values[NOTES] = {
        synset->words, synset->senses, synset->lexfile, synset->gloss};
    for (int i = 0; i < NOTES; i++) {
        notes->entry[i] = empty;
        notes->entry[i].key = keys[i];
        notes->entry[i].value = values[i];
        notes->pointer[i] = &notes->entry[i];
    }
    cortex_concept_init(concept);
    concept->name = synset->name;
    concept->created_at = now;
    concept->metadata.count = NOTES;
    concept->metadata.data = notes->pointer;
}

/* Stores the synsets and gives the id of each concept. */
static enum varve_status
insert_concepts(
    struct varve_session *session,
    const struct wordnet *wordnet,
    struct batch *batch,
    int64_t *ids,
    struct progress *progress)
{
    enum varve_status status = VARVE_OK;
    int64_t now = varve_now();
    progress_start(progress, "concepts", (int64_t)wordnet->synset_count);
    for (size_t from = 0; from < wordnet->synset_count && status == VARVE_OK; from += BATCH) {
        size_t count = batch_size(from, wordnet->synset_count);
        for (size_t i = 0; i < count; i++)
            fill_concept(&wordnet->synsets[from + i], now, &batch->concepts[i], &batch->notes[i]);
        status = cortex_concept_insert_many(session, batch->concepts, (int64_t)count);
        for (size_t i = 0; i < count; i++)
            ids[from + i] = batch->concepts[i].id;
        progress_step(progress, (int64_t)(from + count));
    }
    progress_end(progress);
    return status;
}

static enum varve_status
insert_relationships(
    struct varve_session *session,
    const struct wordnet *wordnet,
    struct batch *batch,
    const int64_t *ids,
    struct progress *progress)
{
    enum varve_status status = VARVE_OK;
    progress_start(progress, "relationships", (int64_t)wordnet->pointer_count);
    for (size_t from = 0; from < wordnet->pointer_count && status == VARVE_OK; from += BATCH) {
        size_t count = batch_size(from, wordnet->pointer_count);
        for (size_t i = 0; i < count; i++) {
            const struct wordnet_pointer *pointer = &wordnet->pointers[from + i];
            struct cortex_concept_relationship *relationship = &batch->relationships[i];
            cortex_concept_relationship_init(relationship);
            relationship->source_id = ids[pointer->source];
            relationship->target_id = ids[pointer->target];
            relationship->type = pointer->type;
            relationship->strength = pointer->strength;
        }
        status =
            cortex_concept_relationship_insert_many(session, batch->relationships, (int64_t)count);
        progress_step(progress, (int64_t)(from + count));
    }
    progress_end(progress);
    return status;
}

/* Ends the transaction by how it went, and gives the status of the whole. */
static enum varve_status
finish(struct varve_session *session, enum varve_status status)
{
    if (status == VARVE_OK)
        return varve_commit(session);
    enum varve_status undone = varve_rollback(session);
    return undone == VARVE_OK ? status : undone;
}

static enum varve_status
load(
    struct varve_session *session,
    const struct wordnet *wordnet,
    struct batch *batch,
    int64_t *ids,
    struct progress *progress,
    struct load_times *times)
{
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK)
        return status;
    double start = clock_seconds();
    status = insert_concepts(session, wordnet, batch, ids, progress);
    double concepts = clock_seconds();
    if (status == VARVE_OK)
        status = insert_relationships(session, wordnet, batch, ids, progress);
    double relationships = clock_seconds();
    status = finish(session, status);
    times->concepts = concepts - start;
    times->relationships = relationships - concepts;
    times->commit = clock_seconds() - relationships;
    return status;
}

enum varve_status
wordnet_load(
    struct varve_session *session,
    const struct wordnet *wordnet,
    struct progress *progress,
    struct load_times *times)
{
    enum varve_status status = VARVE_NO_MEMORY;
    struct load_times taken = {.commit = 0};
    struct batch *batch = malloc(sizeof *batch);
    int64_t *ids = malloc((wordnet->synset_count + 1) * sizeof *ids);
    if (batch && ids)
        status = load(session, wordnet, batch, ids, progress, &taken);
    if (times)
        *times = taken;
    free(batch);
    free(ids);
    return status;
}
