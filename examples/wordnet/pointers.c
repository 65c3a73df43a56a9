/* Pointers: their symbols, from which synset to which, and each only once. */
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* wninput(5WN). "\" is of an adjective to its noun and of an adverb to its adjective. */
static const struct {
    const char *symbol, *name;
} kinds[] = {
    {"!", "antonym"},
    {"@", "hypernym"},
    {"@i", "instance_hypernym"},
    {"~", "hyponym"},
    {"~i", "instance_hyponym"},
    {"#m", "member_holonym"},
    {"#s", "substance_holonym"},
    {"#p", "part_holonym"},
    {"%m", "member_meronym"},
    {"%s", "substance_meronym"},
    {"%p", "part_meronym"},
    {"=", "attribute"},
    {"+", "derivationally_related"},
    {";c", "domain_topic"},
    {";r", "domain_region"},
    {";u", "domain_usage"},
    {"-c", "member_of_domain_topic"},
    {"-r", "member_of_domain_region"},
    {"-u", "member_of_domain_usage"},
    {"*", "entailment"},
    {">", "cause"},
    {"^", "also_see"},
    {"$", "verb_group"},
    {"&", "similar_to"},
    {"<", "participle_of_verb"},
    {"\\", "pertainym"},
    {"\\", "derived_from_adjective"},
};

enum {
    KINDS = sizeof kinds / sizeof *kinds
};

int
pointer_kind(const char *symbol, enum part part)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(symbol, kinds[i].symbol) == 0)
            return part == ADVERB && *symbol == '\\' ? KINDS - 1 : i;
    return -1;
}

/* Fails with the place of the pointer, whose file is closed by now. */
static bool
fail(const struct parser *parser, const struct raw_pointer *pointer, const char *what)
{
    const char *source = part_names[part_of(parser->drafts[pointer->source].type)];
    snprintf(
        parser->error->message, sizeof parser->error->message,
        "%s/data.%s:%u: a pointer leads to %s %08u in data.%s, %s", parser->folder, source,
        (unsigned)pointer->line, pointer->from ? "a word of" : "the synset",
        (unsigned)pointer->target, part_names[pointer->part], what);
    return false;
}

/* Replaces the offset of the target by its number. */
static bool
resolve(const struct parser *parser, struct raw_pointer *pointer)
{
    int64_t target = parser_find(parser, (enum part)pointer->part, pointer->target);
    if (target < 0)
        return fail(parser, pointer, "which is not there; is that file cut off?");
    if (pointer->from > parser->drafts[pointer->source].word_count ||
        pointer->to > parser->drafts[target].word_count || !pointer->from != !pointer->to)
        return fail(parser, pointer, "between words that are not there");
    pointer->target = (uint32_t)target;
    return true;
}

static int
compare(const void *left, const void *right)
{
    const struct raw_pointer *a = left, *b = right;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind - b->kind;
    return a->from != b->from ? a->from - b->from : a->to - b->to;
}

/* Makes one pointer of the repeats from `first` on, which differ in their words at most, and gives
 * how many those are. */
static size_t
merge(const struct parser *parser, size_t first, struct wordnet_pointer *merged)
{
    const struct raw_pointer *pointer = &parser->pointers[first];
    size_t next = first + 1, pairs = 1;
    for (; next < parser->pointer_count; next++) {
        const struct raw_pointer *other = &parser->pointers[next];
        if (other->source != pointer->source || other->target != pointer->target ||
            other->kind != pointer->kind)
            break;
        pairs += compare(other - 1, other) != 0;
    }
    unsigned all = (unsigned)parser->drafts[pointer->source].word_count *
                   parser->drafts[pointer->target].word_count;
    *merged = (struct wordnet_pointer){
        .source = pointer->source,
        .target = pointer->target,
        .type = kinds[pointer->kind].name,
        .strength = pointer->from ? (double)pairs / all : 1,
    };
    return next - first;
}

bool
resolve_pointers(struct parser *parser)
{
    struct wordnet *wordnet = parser->wordnet;
    for (size_t i = 0; i < parser->pointer_count; i++)
        if (!resolve(parser, &parser->pointers[i]))
            return false;
    if (parser->pointer_count > 0)
        qsort(parser->pointers, parser->pointer_count, sizeof *parser->pointers, compare);
    size_t room = 0;
    for (size_t i = 0; i < parser->pointer_count;) {
        if (!parser_grow(
                parser, &wordnet->pointers, wordnet->pointer_count, &room,
                sizeof *wordnet->pointers))
            return false;
        i += merge(parser, i, &wordnet->pointers[wordnet->pointer_count++]);
    }
    wordnet->pointers_read = parser->pointer_count;
    return true;
}
