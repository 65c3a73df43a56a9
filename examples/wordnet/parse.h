/* What the files that parse WordNet share: synsets, words and pointers on their way to a struct
 * wordnet. */
#ifndef WORDNET_PARSE_H
#define WORDNET_PARSE_H

#include "read.h"

/* The four kinds of data and index files. */
enum part {
    NOUN,
    VERB,
    ADJECTIVE,
    ADVERB,
    PARTS,
};
extern const char *const part_names[PARTS]; /* "noun" .. */

/* The part of synsets of this kind (n, v, a, s, r); PARTS for another letter. */
enum part
part_of(char letter);

struct word {
    char *text;     /* "domestic_dog" */
    uint32_t sense; /* from 1; 0 before the index was read */
};

/* A synset as its line has it; number i becomes synset i of the struct wordnet. */
struct draft {
    uint32_t offset; /* of the line in its file, by which pointers and indexes name it */
    uint32_t first_word;
    uint8_t word_count;
    char type; /* n, v, a, s, r */
};

/* A pointer as its line has it. */
struct raw_pointer {
    uint32_t source; /* a draft */
    uint32_t target; /* an offset in the data file of `part`; once resolved a draft */
    uint32_t line;   /* in the source's file */
    uint8_t part;
    uint8_t kind;     /* see pointers.c */
    uint8_t from, to; /* the words that it is between, from 1; 0, 0: the synsets as wholes */
};

struct parser {
    const char *folder;
    struct wordnet *wordnet;
    struct wordnet_error *error;
    struct draft *drafts;
    struct word *words;
    struct raw_pointer *pointers;
    size_t draft_count, word_count, pointer_count;
    size_t draft_room, word_room, pointer_room, synset_room;
    size_t first[PARTS + 1]; /* the first draft of each part, and the end */
};

/* The draft with this offset in this part, or -1. All drafts of the part are there already. */
int64_t
parser_find(const struct parser *parser, enum part part, uint32_t offset);

/* Makes room for one more element; false, with the error's message, when there is no memory. */
bool
parser_grow(struct parser *parser, void *array, size_t count, size_t *room, size_t size);

/* pointers.c: the kind of the pointer symbol of a synset of this part, or -1. */
int
pointer_kind(const char *symbol, enum part part);

/* pointers.c: fills wordnet->pointers from parser->pointers. */
bool
resolve_pointers(struct parser *parser);

/* senses.c: numbers the senses of all words as the index.* files order them, and fills name, words
 * and senses of wordnet->synsets. */
bool
read_senses(struct parser *parser);

#endif
