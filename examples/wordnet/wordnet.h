/* WordNet 3.0 as plain arrays: parse.c fills them from the files, load.c stores them. Here is no
 * varve yet, so that reading the files can be timed, tested and compared by itself.
 *
 *     struct wordnet wordnet;
 *     struct wordnet_error error;
 *     if (!wordnet_parse("/usr/share/wordnet", &wordnet, &error))
 *         ...                                            error.message says why
 *     wordnet_free(&wordnet);
 */
#ifndef WORDNET_H
#define WORDNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of words that mean one thing. All strings belong to the struct wordnet. */
struct wordnet_synset {
    /* The first word in lower case, the kind of synset (n, v, a, s, r: a satellite is an s) and the
     * word's sense number: "dog.n.01". No two are alike, and NLTK calls them the same. */
    const char *name;
    const char *words; /* "dog, domestic dog, Canis familiaris" */
    const char
        *senses; /* of each word, which of its senses this is, the commonest first: "1, 1, 1" */
    const char *gloss;   /* a definition, often with examples */
    const char *lexfile; /* the lexicographer file it was written in: "noun.animal" */
};

/* What WordNet calls a pointer: from one synset to another, in one way. Each triple of source,
 * target and type is there once, in ascending order of source and target. */
struct wordnet_pointer {
    uint32_t source, target; /* indexes into synsets */
    const char *type;        /* "hypernym", "part_holonym", "antonym" .. A static string */
    /* 1 when it holds between the synsets as wholes, else the part of the pairs of their words
     * that it holds between: an antonym is one of a word. Above 0. */
    double strength;
};

struct wordnet {
    struct wordnet_synset *synsets; /* nouns, verbs, adjectives, adverbs, each as in its file */
    size_t synset_count;
    struct wordnet_pointer *pointers;
    size_t pointer_count;
    size_t pointers_read; /* as many as the files hold, with those that repeat */
    char *texts[5];       /* what the strings lie in: the data files and what was made of them */
};

enum {
    WORDNET_SYNSETS = 117659, /* in WordNet 3.0 */
    WORDNET_POINTERS = 364552,
    WORDNET_POINTERS_READ = 377592,
};

struct wordnet_error {
    char message[512]; /* "/usr/share/wordnet/data.noun:30: .." */
};

/* Reads data.* and index.* of noun, verb, adj and adv in `folder`. Release *wordnet with
 * wordnet_free(), which is fine after a failure too. False: error->message names the file and its
 * line. */
bool
wordnet_parse(const char *folder, struct wordnet *wordnet, struct wordnet_error *error);

void
wordnet_free(struct wordnet *wordnet);

#endif
