/* The index.* files: a line is a word with the synsets it is in, the commonest sense first:
 *
 *     dog n 7 5 @ ~ #m #p %p 7 1 02084071 10114209 ..
 *     word, part, synsets, kinds of pointers and their symbols, senses, tagged senses, offsets
 *
 * From the order come the sense numbers, and from these the names of the synsets.
 */
#include "parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether an index, whose words are in lower case, means this word. */
static bool
is_word(const char *text, const char *lower)
{
    for (; *text; text++, lower++)
        if (tolower((unsigned char)*text) != (unsigned char)*lower)
            return false;
    return *lower == '\0';
}

/* Says of a word in this synset which of its senses it is. */
static void
number_sense(
    struct parser *parser, struct reader *reader, enum part part, const char *lemma, uint32_t sense)
{
    uint32_t offset = reader_number(reader, 10, 8);
    int64_t found = reader->failed ? -1 : parser_find(parser, part, offset);
    if (found < 0) {
        reader_fail(
            reader,
            "\"%.40s\" is to be in synset %08u, which data.%s does not have; is that cut off?",
            lemma, (unsigned)offset, part_names[part]);
        return;
    }
    const struct draft *draft = &parser->drafts[found];
    bool named = false;
    for (unsigned i = 0; i < draft->word_count; i++) {
        struct word *word = &parser->words[draft->first_word + i];
        if (is_word(word->text, lemma)) {
            word->sense = sense;
            named = true;
        }
    }
    if (!named)
        reader_fail(reader, "\"%.40s\" is no word of synset %08u", lemma, (unsigned)offset);
}

static void
read_lemma(struct parser *parser, struct reader *reader, enum part part)
{
    const char *lemma = reader_word(reader);
    const char *letter = reader_word(reader);
    if (part_of(*letter) != part || letter[1] != '\0')
        reader_fail(reader, "\"%.40s\" is not the part of speech of this file", letter);
    uint32_t synsets = reader_number(reader, 10, 5);
    uint32_t symbols = reader_number(reader, 10, 3);
    for (uint32_t i = 0; i < symbols && !reader->failed; i++)
        reader_word(reader);
    reader_number(reader, 10, 5); /* senses: the same as synsets */
    reader_number(reader, 10, 5); /* how many of them were found in texts */
    for (uint32_t i = 0; i < synsets && !reader->failed; i++)
        number_sense(parser, reader, part, lemma, i + 1);
}

static bool
read_index(struct parser *parser, enum part part)
{
    struct reader reader;
    if (!reader_open(&reader, parser->folder, "index", part_names[part], parser->error))
        return false;
    while (reader_line(&reader))
        read_lemma(parser, &reader, part);
    reader_close(&reader);
    return !reader.failed;
}

/* ------------------------------------------------------------------ names */

enum {
    NUMBER_SIZE = 10 + sizeof ", " /* room for a sense number and what parts it from the next */
};

/* Room for name, words and senses of all synsets. */
static size_t
text_size(const struct parser *parser)
{
    size_t size = 0;
    for (size_t i = 0; i < parser->draft_count; i++)
        size +=
            strlen(parser->words[parser->drafts[i].first_word].text) + sizeof ".n." + NUMBER_SIZE;
    for (size_t i = 0; i < parser->word_count; i++)
        size += strlen(parser->words[i].text) + sizeof ", " + NUMBER_SIZE;
    return size;
}

/* "Canis_familiaris", 1, n: "canis_familiaris.n.01". Gives the end of the text. */
static char *
write_name(char *at, const struct word *word, char type)
{
    for (const char *c = word->text; *c; c++)
        *at++ = (char)tolower((unsigned char)*c);
    return at + sprintf(at, ".%c.%02u", type, (unsigned)word->sense) + 1;
}

static char *
write_words(char *at, const struct word *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        at += sprintf(at, i ? ", " : "");
        for (const char *c = words[i].text; *c; c++)
            *at++ = *c == '_' ? ' ' : *c;
    }
    *at = '\0';
    return at + 1;
}

static char *
write_senses(char *at, const struct word *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        at += sprintf(at, "%s%u", i ? ", " : "", (unsigned)words[i].sense);
    return at + 1;
}

/* Every word must have been in the index, else its synset would have no name. */
static bool
check_senses(const struct parser *parser)
{
    for (size_t i = 0; i < parser->draft_count; i++) {
        const struct draft *draft = &parser->drafts[i];
        for (unsigned k = 0; k < draft->word_count; k++) {
            const struct word *word = &parser->words[draft->first_word + k];
            if (word->sense > 0)
                continue;
            const char *part = part_names[part_of(draft->type)];
            snprintf(
                parser->error->message, sizeof parser->error->message,
                "%s/index.%s does not have \"%.40s\" of synset %08u in data.%s; is it cut off?",
                parser->folder, part, word->text, (unsigned)draft->offset, part);
            return false;
        }
    }
    return true;
}

static bool
write_texts(struct parser *parser)
{
    char *at = malloc(text_size(parser) + 1);
    if (!at) {
        snprintf(parser->error->message, sizeof parser->error->message, "out of memory");
        return false;
    }
    parser->wordnet->texts[PARTS] = at;
    for (size_t i = 0; i < parser->draft_count; i++) {
        const struct draft *draft = &parser->drafts[i];
        const struct word *words = &parser->words[draft->first_word];
        struct wordnet_synset *synset = &parser->wordnet->synsets[i];
        synset->name = at;
        synset->words = at = write_name(at, words, draft->type);
        synset->senses = at = write_words(at, words, draft->word_count);
        at = write_senses(at, words, draft->word_count);
    }
    return true;
}

bool
read_senses(struct parser *parser)
{
    for (enum part part = NOUN; part < PARTS; part++)
        if (!read_index(parser, part))
            return false;
    return check_senses(parser) && write_texts(parser);
}
