/* A spiking network lives through episodes, in which it learns to tell four patterns apart. Each is kept in a
 * store as one unit of work; then all is read back through a new handle, compared to the last bit with what
 * was simulated, and drawn.
 *
 *     learning_episode [--data-dir DIR] [--episodes N] [--svg PATH]
 *
 * A second run on the same folder wakes the network up from its last snapshot and goes on. memory.c is the
 * part to read: it is what a program of your own would look like.
 */
#include "draw.h"
#include "recall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EPISODES_MAX = 200 /* of a run, which keeps them in memory to compare */
};

struct options {
    const char *data_dir, *svg;
    size_t episodes;
    bool help;
};

static const char usage[] =
    "usage: learning_episode [--data-dir DIR] [--episodes N] [--svg PATH]\n"
    "\n"
    "A spiking network of 300 neurons learns for N episodes, keeps them in a store, and reads "
    "them\n"
    "back. On a folder that has a network it goes on where that stopped.\n"
    "\n"
    "  --data-dir DIR   where the store is (learning-data)\n"
    "  --episodes N     1 to 200 (12)\n"
    "  --svg PATH       where to draw spikes, weights and scores (DIR/learning_episode.svg)\n";

/* ------------------------------------------------------------------ options */

static bool
refuse(const char *what, const char *value, const char *mend)
{
    fprintf(stderr, "learning_episode: %s \"%s\"; %s\n", what, value, mend);
    return false;
}

static bool
parse_episodes(const char *text, size_t *episodes)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < 1 || number > EPISODES_MAX)
        return refuse("--episodes is", text, "give a whole number from 1 to 200");
    *episodes = (size_t)number;
    return true;
}

static bool
parse_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(option, "--help") == 0) {
            options->help = true;
            return true;
        }
        if (strcmp(option, "--data-dir") != 0 && strcmp(option, "--episodes") != 0 &&
            strcmp(option, "--svg") != 0)
            return refuse("there is no option", option, "--help lists those that are");
        if (!value || *value == '\0')
            return refuse("no value follows", option, "write it behind the option");
        if (strcmp(option, "--data-dir") == 0)
            options->data_dir = value;
        else if (strcmp(option, "--svg") == 0)
            options->svg = value;
        else if (!parse_episodes(value, &options->episodes))
            return false;
        i++;
    }
    if (strcmp(options->data_dir, ":memory:") == 0)
        return refuse(
            "--data-dir is", options->data_dir,
            "name a folder: the store is opened again to read it back");
    return true;
}

/* ------------------------------------------------------------------ living */

static void
print_chapter(const struct chapter *chapter, double seconds, const char *attention)
{
    printf(
        "episode %3lld  %-10s  %2u of %d right (%3.0f %%)  %6zu spikes  lived in %5.1f ms, "
        "committed in %4.1f ms%s\n",
        (long long)chapter->number + 1, memory_strategy(chapter->lived.strategy),
        chapter->lived.right, TESTS, 100 * chapter->lived.score, chapter->lived.spikes.count,
        1000 * seconds, 1000 * chapter->commit_seconds, attention);
}

/* One episode: attend to what the last one found hard, live, keep. Every second one is a curriculum. */
static bool
live_chapter(
    struct varve_session *session,
    struct network *network,
    struct past *past,
    struct chapter *chapter)
{
    struct attention attention;
    bool cached = true, known = past->last_id != 0;
    enum varve_status status = VARVE_OK;
    if (known)
        status = memory_attend(session, past, &attention, &cached);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    double start = memory_clock();
    *chapter = (struct chapter){
        .number = past->episodes, .started_at = past->ended_at, .score_before = past->score};
    if (!network_live(
            network, (uint64_t)past->episodes,
            past->episodes % 2 ? STRATEGY_CURRICULUM : STRATEGY_UNIFORM, known ? &attention : NULL,
            &chapter->lived))
        return recall_explain(VARVE_NO_MEMORY, session);
    double seconds = memory_clock() - start;
    chapter->network = malloc(sizeof *network);
    if (!chapter->network)
        return recall_explain(VARVE_NO_MEMORY, session);
    *chapter->network = *network;
    status = memory_keep(session, chapter);
    if (status != VARVE_OK)
        return recall_explain(status, session);
    past->episodes++;
    past->last_id = chapter->id;
    past->ended_at += DURATION * MEMORY_MILLISECOND;
    past->score = chapter->lived.score;
    print_chapter(chapter, seconds, cached ? "" : "; attention made again from archived spikes");
    return true;
}

/* Wakes the network up. On its clock the episodes of a run end now, or follow those that are there. */
static bool
wake(
    struct varve_session *session,
    const struct options *options,
    struct network *network,
    struct past *past)
{
    enum varve_status status = memory_wake(session, network, past);
    if (status == VARVE_NOT_FOUND)
        return refuse(
            "the network cannot go on: no snapshot of its last episode is in", options->data_dir,
            "name another folder with --data-dir");
    if (status != VARVE_OK)
        return recall_explain(status, session);
    int64_t start = varve_now() - (int64_t)options->episodes * DURATION * MEMORY_MILLISECOND;
    if (past->ended_at < start)
        past->ended_at = start;
    printf(
        past->last_id ? "a network of %d neurons wakes up after %lld episodes\n\n"
                      : "a network of %d neurons is born\n\n",
        NEURONS, (long long)past->episodes);
    return true;
}

static bool
live(struct varve_store *store, const struct options *options, struct chapter *chapters)
{
    struct past past;
    struct varve_session *session = NULL;
    struct network *network = calloc(1, sizeof *network);
    enum varve_status status = network ? varve_session_open(store, &session) : VARVE_NO_MEMORY;
    bool good = status == VARVE_OK || recall_explain(status, NULL);
    good = good && wake(session, options, network, &past);
    for (size_t i = 0; i < options->episodes && good; i++)
        good = live_chapter(session, network, &past, &chapters[i]);
    good = good && recall_cache(session, &chapters[options->episodes - 1]);
    varve_session_close(session);
    free(network);
    return good;
}

/* ------------------------------------------------------------------ reading back */

static bool
draw(const struct album *album, const char *path)
{
    char failure[600];
    if (!draw_life(album, path, failure, sizeof failure)) {
        fprintf(stderr, "learning_episode: %s\n", failure);
        return false;
    }
    printf("drawn        %s\n", path);
    return true;
}

/* All reads are of one state of the store. */
static bool
read_back(
    struct varve_session *session, const struct options *options, const struct chapter *chapters)
{
    struct recalled recalled;
    struct album album = {0};
    double start = memory_clock();
    enum varve_status status = varve_begin_read(session);
    bool good = status == VARVE_OK || recall_explain(status, session);
    good = good && recall_life(session, chapters, options->episodes, &recalled);
    double seconds = memory_clock() - start;
    if (good)
        printf(
            "read back    in %.0f ms through a new handle, all as simulated: %lld episodes, %lld "
            "learning events (%lld by curriculum), %lld spikes, %lld snapshots, %lld traces\n",
            1000 * seconds, (long long)recalled.episodes, (long long)recalled.events,
            (long long)recalled.curriculum_events, (long long)recalled.spikes,
            (long long)recalled.snapshots, (long long)recalled.traces);
    good = good && recall_gains(session);
    good = good && recall_album(session, &album) && draw(&album, options->svg);
    album_free(&album);
    return good;
}

static bool
recall(struct varve_store *store, const struct options *options, const struct chapter *chapters)
{
    struct varve_session *session;
    enum varve_status status = varve_session_open(store, &session);
    if (status != VARVE_OK)
        return recall_explain(status, NULL);
    bool good = read_back(session, options, chapters);
    varve_session_close(session);
    return good;
}

/* ------------------------------------------------------------------ main */

static struct varve_store *
open_store(const struct options *options)
{
    struct varve_config config = {.data_dir = options->data_dir};
    struct varve_store *store = NULL;
    struct varve_error error;
    if (varve_open(&cortex_schema, &config, &store, &error) != VARVE_OK)
        fprintf(stderr, "learning_episode: %s\n", error.message);
    return store;
}

/* What was kept is durable already; this moves tensors from the table to the archive's own files. */
static bool
settle(struct varve_store *store)
{
    double start = memory_clock();
    enum varve_status status = varve_flush(store);
    if (status != VARVE_OK)
        return recall_explain(status, NULL);
    printf("\nflushed      tensors to the archive in %.0f ms\n", 1000 * (memory_clock() - start));
    return true;
}

static bool
run(const struct options *options, struct chapter *chapters)
{
    struct varve_store *store = open_store(options);
    bool good = store && live(store, options, chapters) && settle(store);
    varve_close(store);
    store = good ? open_store(options) : NULL;
    good = store && recall(store, options, chapters);
    varve_close(store);
    if (good)
        printf("kept         %s\n", options->data_dir);
    return good;
}

int
main(int argc, char **argv)
{
    struct options options = {.data_dir = "learning-data", .episodes = 12};
    char svg[4096];
    if (!parse_options(argc, argv, &options))
        return 2;
    if (options.help) {
        fputs(usage, stdout);
        return 0;
    }
    int length = snprintf(svg, sizeof svg, "%s/learning_episode.svg", options.data_dir);
    if (length < 0 || (size_t)length >= sizeof svg) {
        refuse(
            "--data-dir is too long:", options.data_dir, "name a folder of less than 4000 bytes");
        return 2;
    }
    if (!options.svg)
        options.svg = svg;
    struct chapter *chapters = calloc(options.episodes, sizeof *chapters);
    bool good = chapters ? run(&options, chapters) : recall_explain(VARVE_NO_MEMORY, NULL);
    for (size_t i = 0; chapters && i < options.episodes; i++) {
        lived_free(&chapters[i].lived);
        free(chapters[i].network);
    }
    free(chapters);
    return good ? 0 : 1;
}
