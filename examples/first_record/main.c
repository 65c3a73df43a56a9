/* The smallest whole program: an Episode goes into a store, comes back, and is packed as plain
 * protobuf, which read_episode.py reads with the same schema.
 *
 *     first_record                     in memory
 *     first_record DATA_DIR FILE       keeps the store in DATA_DIR and the packed episode in FILE
 */
#include <stdio.h>

#include "cortex/cortex.varve.h"

/* Inserts an episode and gives its id. */
static enum varve_status
remember(struct varve_session *session, int64_t *id)
{
    struct cortex_episode_metadata_entry mood = CORTEX_EPISODE_METADATA_ENTRY_INIT;
    mood.key = "mood";
    mood.value = "calm";
    struct cortex_episode_metadata_entry *metadata[] = {&mood};
    uint8_t seen[] = {0x00, 0x5a, 0xff};

    struct cortex_episode episode = CORTEX_EPISODE_INIT;
    episode.occurred_at = varve_now();
    episode.context_hash = "maze/7";
    episode.performance_score = 0.8125;
    episode.experience = (struct varve_bytes){.size = sizeof seen, .data = seen};
    episode.metadata.count = 1;
    episode.metadata.data = metadata;

    enum varve_status status = cortex_episode_insert(session, &episode);
    *id = episode.id;
    return status;
}

/* Reads it back by its key and writes its wire bytes to `path`, when there is one. */
static enum varve_status
recall(struct varve_session *session, int64_t id, const char *path)
{
    struct cortex_episode *episode;
    enum varve_status status = cortex_episode_get(session, id, &episode);
    if (status != VARVE_OK)
        return status;
    printf(
        "read back: %s, score %g, %s %s\n", episode->context_hash, episode->performance_score,
        episode->metadata.data[0]->key, episode->metadata.data[0]->value);

    struct varve_bytes bytes;
    status = cortex_episode_pack(episode, &bytes);
    if (status == VARVE_OK) {
        FILE *file = path ? fopen(path, "wb") : NULL;
        if (file) {
            fwrite(bytes.data, 1, bytes.size, file);
            fclose(file);
        }
        printf("packed: %zu bytes\n", bytes.size);
        varve_bytes_free(&bytes);
    }
    cortex_episode_free(episode);
    return status;
}

int
main(int argc, char **argv)
{
    struct varve_config config = {.data_dir = argc > 1 ? argv[1] : ":memory:"};
    struct varve_store *store = NULL;
    struct varve_session *session = NULL;
    struct varve_error error;
    if (varve_open(&cortex_schema, &config, &store, &error) != VARVE_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }

    int64_t id = 0;
    enum varve_status status = varve_session_open(store, &session);
    if (status == VARVE_OK)
        status = remember(session, &id);
    if (status == VARVE_OK)
        status = recall(session, id, argc > 2 ? argv[2] : NULL);
    if (status != VARVE_OK)
        fprintf(stderr, "%s: %s\n", varve_status_name(status), varve_session_error(NULL));

    varve_session_close(session);
    varve_close(store);
    return status == VARVE_OK ? 0 : 1;
}
