/* The data.* files: a line is a synset with its words, pointers and gloss, as wndb(5WN) has it:
 *
 *     02084071 05 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 023 @ 02083346 n 0000 .. | a ..
 *     offset, lexicographer file, type, words and lex ids, pointers, frames of verbs, gloss
 */
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const part_names[PARTS] = {"noun", "verb", "adj", "adv"};

/* lexnames(5WN); the package has no file of them. */
static const char *const lexfiles[] = {
    "adj.all",          "adj.pert",           "adv.all",
    "noun.Tops",        "noun.act",           "noun.animal",
    "noun.artifact",    "noun.attribute",     "noun.body",
    "noun.cognition",   "noun.communication", "noun.event",
    "noun.feeling",     "noun.food",          "noun.group",
    "noun.location",    "noun.motive",        "noun.object",
    "noun.person",      "noun.phenomenon",    "noun.plant",
    "noun.possession",  "noun.process",       "noun.quantity",
    "noun.relation",    "noun.shape",         "noun.state",
    "noun.substance",   "noun.time",          "verb.body",
    "verb.change",      "verb.cognition",     "verb.communication",
    "verb.competition", "verb.consumption",   "verb.contact",
    "verb.creation",    "verb.emotion",       "verb.motion",
    "verb.perception",  "verb.possession",    "verb.social",
    "verb.stative",     "verb.weather",       "adj.ppl",
};

enum part
part_of(char letter)
{
    switch (letter) {
    case 'n':
        return NOUN;
    case 'v':
        return VERB;
    case 'a':
    case 's':
        return ADJECTIVE;
    case 'r':
        return ADVERB;
    default:
        return PARTS;
    }
}

int64_t
parser_find(const struct parser *parser, enum part part, uint32_t offset)
{
    size_t low = parser->first[part], high = parser->first[part + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (parser->drafts[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < parser->first[part + 1] && parser->drafts[low].offset == offset;
    return found ? (int64_t)low : -1;
}

bool
parser_grow(struct parser *parser, void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t more = *room ? *room * 2 : 4096;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, more * size);
    if (!grown) {
        snprintf(parser->error->message, sizeof parser->error->message, "out of memory");
        return false;
    }
    memcpy(array, &grown, sizeof grown);
    *room = more;
    return true;
}

/* One word; an adjective's "(a)", "(p)" or "(ip)", where it may stand, is no part of it. */
static bool
read_word(struct parser *parser, struct reader *reader)
{
    char *text = reader_word(reader);
    reader_number(reader, 16, 1); /* the lex id, which only lexicographers need */
    text[strcspn(text, "(")] = '\0';
    if (*text == '\0')
        reader_fail(reader, "a word is empty");
    if (!parser_grow(
            parser, &parser->words, parser->word_count, &parser->word_room, sizeof *parser->words))
        return false;
    parser->words[parser->word_count++] = (struct word){.text = text};
    return true;
}

/* One pointer: symbol, offset and part of the target, and the words it is between ("0103"). */
static bool
read_pointer(struct parser *parser, struct reader *reader, enum part part)
{
    const char *symbol = reader_word(reader);
    uint32_t target = reader_number(reader, 10, 8);
    const char *letter = reader_word(reader);
    uint32_t words = reader_number(reader, 16, 4);
    int kind = pointer_kind(symbol, part);
    if (kind < 0)
        reader_fail(reader, "\"%.40s\" is no pointer of WordNet", symbol);
    enum part target_part = part_of(*letter);
    if (target_part == PARTS || letter[1] != '\0')
        reader_fail(reader, "\"%.40s\" is no kind of synset (n, v, a, s, r)", letter);
    if (reader->failed || !parser_grow(
                              parser, &parser->pointers, parser->pointer_count,
                              &parser->pointer_room, sizeof *parser->pointers))
        return false;
    parser->pointers[parser->pointer_count++] = (struct raw_pointer){
        .source = (uint32_t)parser->draft_count,
        .target = target,
        .line = (uint32_t)reader->line_number,
        .part = (uint8_t)target_part,
        .kind = (uint8_t)kind,
        .from = (uint8_t)(words >> 8),
        .to = (uint8_t)(words & 0xff),
    };
    return true;
}

/* The sentences that a verb fits in: read over, since a Concept has no place for them. */
static void
skip_frames(struct reader *reader)
{
    uint32_t count = reader_number(reader, 10, 2);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        if (strcmp(reader_word(reader), "+") != 0)
            reader_fail(reader, "a verb's frame does not begin with +");
        reader_number(reader, 10, 2);
        reader_number(reader, 16, 2);
    }
}

/* What follows "| ", without the spaces at its end. */
static const char *
read_gloss(struct reader *reader)
{
    const char *bar = reader_word(reader);
    if (strcmp(bar, "|") != 0)
        reader_fail(reader, "\"%.40s\" stands where | and the gloss are due", bar);
    if (reader->failed)
        return "";
    size_t length = strlen(reader->at);
    while (length > 0 && reader->at[length - 1] == ' ')
        length--;
    reader->at[length] = '\0';
    return reader->at;
}

/* What stands before the words. */
static struct draft
read_head(struct parser *parser, struct reader *reader, enum part part, const char **lexfile)
{
    struct draft draft = {.first_word = (uint32_t)parser->word_count};
    draft.offset = reader_number(reader, 10, 8);
    if (draft.offset != (size_t)(reader->line - reader->text))
        reader_fail(
            reader, "the synset is at byte %zu but says %08u; is the file damaged?",
            (size_t)(reader->line - reader->text), (unsigned)draft.offset);
    uint32_t number = reader_number(reader, 10, 2);
    if (number >= sizeof lexfiles / sizeof *lexfiles)
        reader_fail(reader, "there is no lexicographer file %u", (unsigned)number);
    else
        *lexfile = lexfiles[number];
    const char *type = reader_word(reader);
    if (part_of(*type) != part || type[1] != '\0')
        reader_fail(reader, "\"%.40s\" is no type of the synsets in this file", type);
    draft.type = *type;
    draft.word_count = (uint8_t)reader_number(reader, 16, 2);
    if (draft.word_count == 0)
        reader_fail(reader, "the synset has no words");
    return draft;
}

static bool
read_synset(struct parser *parser, struct reader *reader, enum part part)
{
    struct wordnet *wordnet = parser->wordnet;
    struct wordnet_synset synset = {.name = ""};
    struct draft draft = read_head(parser, reader, part, &synset.lexfile);
    for (unsigned i = 0; i < draft.word_count && !reader->failed; i++)
        if (!read_word(parser, reader))
            return false;
    uint32_t pointers = reader_number(reader, 10, 3);
    for (uint32_t i = 0; i < pointers && !reader->failed; i++)
        if (!read_pointer(parser, reader, part))
            return false;
    if (part == VERB)
        skip_frames(reader);
    synset.gloss = read_gloss(reader);
    if (reader->failed ||
        !parser_grow(
            parser, &parser->drafts, parser->draft_count, &parser->draft_room,
            sizeof *parser->drafts) ||
        !parser_grow(
            parser, &wordnet->synsets, parser->draft_count, &parser->synset_room,
            sizeof *wordnet->synsets))
        return false;
    wordnet->synsets[parser->draft_count] = synset;
    parser->drafts[parser->draft_count++] = draft;
    return true;
}

/* Reads a data file. Its text stays: words and glosses lie in it. */
static bool
read_data(struct parser *parser, enum part part)
{
    struct reader reader;
    if (!reader_open(&reader, parser->folder, "data", part_names[part], parser->error))
        return false;
    parser->wordnet->texts[part] = reader.text;
    parser->first[part] = parser->draft_count;
    while (reader_line(&reader))
        if (!read_synset(parser, &reader, part))
            return false;
    parser->first[part + 1] = parser->draft_count;
    parser->wordnet->synset_count = parser->draft_count;
    return !reader.failed;
}

bool
wordnet_parse(const char *folder, struct wordnet *wordnet, struct wordnet_error *error)
{
    *wordnet = (struct wordnet){.synsets = NULL};
    struct parser parser = {.folder = folder, .wordnet = wordnet, .error = error};
    bool good = true;
    for (enum part part = NOUN; part < PARTS && good; part++)
        good = read_data(&parser, part);
    good = good && read_senses(&parser) && resolve_pointers(&parser);
    free(parser.drafts);
    free(parser.words);
    free(parser.pointers);
    return good;
}

void
wordnet_free(struct wordnet *wordnet)
{
    for (size_t i = 0; i < sizeof wordnet->texts / sizeof *wordnet->texts; i++)
        free(wordnet->texts[i]);
    free(wordnet->synsets);
    free(wordnet->pointers);
    *wordnet = (struct wordnet){.synsets = NULL};
}
