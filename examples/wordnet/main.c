/* WordNet 3.0, a network of 117,659 meanings of English words, in a store of package cortex: loads
 * it when the store has it not, and answers from it.
 *
 *     wordnet [--data-dir DIR] [--wordnet DIR] [WORD]
 *
 * It exits with 1 when the store then does not hold exactly WordNet 3.0, or knows no such word.
 */
#include "answer.h"
#include "load.h"
#include "print.h"

#include <stdio.h>
#include <string.h>

struct options {
    const char *data_dir, *wordnet, *word;
    bool help;
};

static const char usage[] =
    "usage: wordnet [--data-dir DIR] [--wordnet DIR] [WORD]\n"
    "\n"
    "Loads WordNet 3.0 into a store, unless it is there, and shows the neighbours of WORD in it.\n"
    "\n"
    "  --data-dir DIR   where the store is, or \":memory:\" (wordnet-data)\n"
    "  --wordnet DIR    where WordNet's data and index files are (/usr/share/wordnet)\n"
    "  WORD             in lower or upper case; \"hot dog\" and hot_dog are the same (dog)\n";

static bool
parse_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        const char **value = NULL;
        if (strcmp(option, "--data-dir") == 0)
            value = &options->data_dir;
        else if (strcmp(option, "--wordnet") == 0)
            value = &options->wordnet;
        else if (strcmp(option, "--help") == 0)
            options->help = true;
        else if (*option == '-' || *option == '\0')
            return false;
        else
            options->word = option;
        if (value && ++i == argc)
            return false;
        if (value)
            *value = argv[i];
    }
    return true;
}

/* Says on stderr why a call failed. Gives false, so that a caller can return it. */
static bool
explain(enum varve_status status, const struct varve_session *session)
{
    const char *text = varve_session_error(session);
    if (status == VARVE_NO_MEMORY || *text == '\0')
        text = varve_status_text(status);
    fprintf(stderr, "wordnet: %s\n", text);
    return false;
}

/* ------------------------------------------------------------------ loading */

static void
print_step(const char *what, int64_t rows, const char *noun, double seconds)
{
    printf(
        "    %-8s %8s %-14s %6.2f s %11s/s\n", what, count_text(rows).text, noun, seconds,
        count_text(seconds > 0 ? (int64_t)((double)rows / seconds) : 0).text);
}

/* Reads the files, and refuses what is not WordNet 3.0 before it reaches the store. */
static bool
parse(const char *folder, struct wordnet *wordnet)
{
    struct wordnet_error error;
    double start = clock_seconds();
    bool good = wordnet_parse(folder, wordnet, &error);
    double seconds = clock_seconds() - start;
    if (!good) {
        fprintf(stderr, "wordnet: %s\n", error.message);
        return false;
    }
    if (wordnet->synset_count != WORDNET_SYNSETS ||
        wordnet->pointers_read != WORDNET_POINTERS_READ ||
        wordnet->pointer_count != WORDNET_POINTERS) {
        fprintf(
            stderr,
            "wordnet: %s is not WordNet 3.0: %zu synsets and %zu pointers (%zu with repeats), "
            "not %d and %d (%d)\n",
            folder, wordnet->synset_count, wordnet->pointer_count, wordnet->pointers_read,
            WORDNET_SYNSETS, WORDNET_POINTERS, WORDNET_POINTERS_READ);
        return false;
    }
    printf("WordNet 3.0 from %s\n\n", folder);
    print_step("parsed", (int64_t)wordnet->synset_count, "synsets", seconds);
    print_step("", (int64_t)wordnet->pointers_read, "pointers", seconds);
    fflush(stdout);
    return true;
}

static bool
load(struct varve_session *session, const char *folder)
{
    struct wordnet wordnet;
    struct progress progress;
    struct load_times times;
    bool good = parse(folder, &wordnet);
    if (good) {
        enum varve_status status = wordnet_load(session, &wordnet, &progress, &times);
        good = status == VARVE_OK || explain(status, session);
    }
    if (good) {
        print_step("stored", (int64_t)wordnet.synset_count, "concepts", times.concepts);
        print_step("", (int64_t)wordnet.pointer_count, "relationships", times.relationships);
        printf("    %-32s %6.2f s\n\n", "committed", times.commit);
    }
    wordnet_free(&wordnet);
    return good;
}

/* Counts what the store holds. */
static bool
count(struct varve_session *session, int64_t *concepts, int64_t *relationships)
{
    enum varve_status status = cortex_concept_count(session, NULL, concepts);
    if (status == VARVE_OK)
        status = cortex_concept_relationship_count(session, NULL, relationships);
    return status == VARVE_OK || explain(status, session);
}

/* Loads WordNet into an empty store. In the end the store holds it all, or this fails. */
static bool
prepare(struct varve_session *session, const struct options *options)
{
    int64_t concepts, relationships;
    if (!count(session, &concepts, &relationships))
        return false;
    if (concepts == 0 && relationships == 0 &&
        (!load(session, options->wordnet) || !count(session, &concepts, &relationships)))
        return false;
    if (concepts == WORDNET_SYNSETS && relationships == WORDNET_POINTERS)
        return true;
    fprintf(
        stderr,
        "wordnet: %s holds %lld concepts and %lld relationships, not the %d and %d of "
        "WordNet 3.0; name another folder with --data-dir\n",
        options->data_dir, (long long)concepts, (long long)relationships, WORDNET_SYNSETS,
        WORDNET_POINTERS);
    return false;
}

/* ------------------------------------------------------------------ answering */

/* All answers are of one state of the store. */
static bool
answer(struct varve_session *session, const char *word)
{
    int64_t found = 0;
    enum varve_status status = varve_begin_read(session);
    if (status == VARVE_OK)
        status = answer_neighbours(session, word, &found);
    if (status == VARVE_OK && found == 0) {
        fprintf(stderr, "wordnet: WordNet does not know the word \"%s\"\n", word);
        return false;
    }
    if (status == VARVE_OK)
        status = answer_most_connected(session);
    if (status == VARVE_OK)
        status = answer_pages(session, word);
    if (status == VARVE_OK)
        status = varve_commit(session);
    return status == VARVE_OK || explain(status, session);
}

int
main(int argc, char **argv)
{
    struct options options = {
        .data_dir = "wordnet-data", .wordnet = "/usr/share/wordnet", .word = "dog"};
    if (!parse_options(argc, argv, &options) || options.help) {
        fputs(usage, options.help ? stdout : stderr);
        return options.help ? 0 : 1;
    }
    struct varve_config config = {.data_dir = options.data_dir};
    struct varve_store *store = NULL;
    struct varve_session *session = NULL;
    struct varve_error error;
    if (varve_open(&cortex_schema, &config, &store, &error) != VARVE_OK) {
        fprintf(stderr, "wordnet: %s\n", error.message);
        return 1;
    }
    enum varve_status status = varve_session_open(store, &session);
    bool good = status == VARVE_OK || explain(status, NULL);
    good = good && prepare(session, &options) && answer(session, options.word);
    varve_session_close(session);
    varve_close(store);
    return good ? 0 : 1;
}
