/* The neighbours of a word. A concept has one name, in which only the first of its words is, so the
 * concepts of a word are found by reading them all: "frump.n.01" is a dog too. What is told of each
 * concept then comes from typed queries: its neighbours, and what is within two hops. */
#include "answer.h"
#include "print.h"
#include "progress.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAMES = 12, /* of one type that are printed */
};

const char *
concept_note(const struct cortex_concept *concept, const char *key)
{
    for (size_t i = 0; i < concept->metadata.count; i++)
        if (strcmp(concept->metadata.data[i]->key, key) == 0)
    return concept->metadata.data[i]->value;
    return "";
}

/* ------------------------------------------------------------------ the concepts of a word */

/* A concept that has the word. */
struct match {
    int64_t id;
    long part;  /* of speech, nouns first */
    long sense; /* which sense of the word it is, the commonest first */
};

struct matches {
    struct match *data;
    int64_t *ids;
    int64_t count, room;
};

/* Letter case is one, and so are the space and the underscore. */
static bool
same_word(const char *text, size_t length, const char *word)
{
    for (size_t i = 0; i < length; i++, word++) {
        int wanted = *word == '_' ? ' ' : tolower((unsigned char)*word);
        if (tolower((unsigned char)text[i]) != wanted)
            return false;
    }
    return *word == '\0';
}

/* Which sense of the word the concept is, from "dog, domestic dog" and "1, 1"; 0: it has it not. */
static long
sense_of(const struct cortex_concept *concept, const char *word)
{
    const char *words = concept_note(concept, "words"), *senses = concept_note(concept, "senses");
    while (*words) {
        size_t length = strcspn(words, ",");
        if (same_word(words, length, word))
            return strtol(senses, NULL, 10);
        words += length + strspn(words + length, ", ");
        senses += strcspn(senses, ",");
        senses += strspn(senses, ", ");
    }
    return 0;
}

/* The n of "dog.n.01" as a number to sort by; a satellite s is an adjective. */
static long
part_of_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    char letter = dot && dot > name ? dot[-1] : '\0';
    const char *parts = "nvar";
    const char *found = strchr(parts, letter == 's' ? 'a' : letter);
    return found ? found - parts : 4;
}

static enum varve_status
add_match(struct matches *matches, const struct match *match)
{
    if (matches->count == matches->room) {
        matches->room = matches->room ? matches->room * 2 : 16;
        struct match *grown = realloc(matches->data, (size_t)matches->room * sizeof *grown);
        if (!grown)
            return VARVE_NO_MEMORY;
        matches->data = grown;
    }
    matches->data[matches->count++] = *match;
    return VARVE_OK;
}

static int
compare_matches(const void *left, const void *right)
{
    const struct match *a = left, *b = right;
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    if (a->sense != b->sense)
        return a->sense < b->sense ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* Reads all concepts and keeps those that have the word. */
static enum varve_status
scan_for_word(struct varve_session *session, const char *word, struct matches *matches)
{
    struct varve_cursor *cursor;
    const struct cortex_concept *row;
    enum varve_status status = cortex_concept_find(session, NULL, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = cortex_concept_next(cursor, &row)) == VARVE_ROW) {
        struct match match = {
            .id = row->id, .part = part_of_name(row->name), .sense = sense_of(row, word)};
        if (match.sense > 0 && (status = add_match(matches, &match)) != VARVE_OK)
            break;
    }
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* The ids of the word's concepts, in the order in which a dictionary has its senses. */
static enum varve_status
find_word(struct varve_session *session, const char *word, struct matches *matches)
{
    enum varve_status status = scan_for_word(session, word, matches);
    if (status != VARVE_OK || matches->count == 0)
        return status;
    qsort(matches->data, (size_t)matches->count, sizeof *matches->data, compare_matches);
    matches->ids = malloc((size_t)matches->count * sizeof *matches->ids);
    if (!matches->ids)
        return VARVE_NO_MEMORY;
    for (int64_t i = 0; i < matches->count; i++)
        matches->ids[i] = matches->data[i].id;
    return VARVE_OK;
}

/* ------------------------------------------------------------------ the neighbours of a concept */

/* Where the relationships of a concept lead to, and how far two of them in a row reach. */
struct neighbours {
    int64_t count, room;
    struct cortex_neighbour **list; /* by type and name */
    int64_t one_hop, two_hops;      /* concepts, each by its shortest way */
};

static void
free_neighbours(struct neighbours *neighbours)
{
    for (int64_t i = 0; i < neighbours->count; i++)
        cortex_neighbour_free(neighbours->list[i]);
    free(neighbours->list);
}

/* A row lives only until the next one, so it is cloned. */
static enum varve_status
add_neighbour(struct neighbours *neighbours, const struct cortex_neighbour *row)
{
    if (neighbours->count == neighbours->room) {
        neighbours->room = neighbours->room ? neighbours->room * 2 : 16;
        struct cortex_neighbour **grown =
            realloc(neighbours->list, (size_t)neighbours->room * sizeof *grown);
        if (!grown)
            return VARVE_NO_MEMORY;
        neighbours->list = grown;
    }
    enum varve_status status = cortex_neighbour_clone(row, &neighbours->list[neighbours->count]);
    neighbours->count += status == VARVE_OK;
    return status;
}

static int
compare_neighbours(const void *left, const void *right)
{
    const struct cortex_neighbour *a = *(struct cortex_neighbour *const *)left,
                                  *b = *(struct cortex_neighbour *const *)right;
    int types = strcmp(a->type, b->type);
    return types != 0 ? types : strcmp(a->name, b->name);
}

/* A typed query: relationships joined with the concepts that they lead to. */
static enum varve_status
read_neighbours(struct varve_session *session, int64_t concept_id, struct neighbours *neighbours)
{
    struct cortex_neighbours_request request = CORTEX_NEIGHBOURS_REQUEST_INIT;
    struct varve_cursor *cursor;
    const struct cortex_neighbour *row;
    request.concept_id = concept_id;
    request.limit = -1;
    enum varve_status status = cortex_concepts_strongest_neighbours(session, &request, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = cortex_neighbour_next(cursor, &row)) == VARVE_ROW) {
        if ((status = add_neighbour(neighbours, row)) != VARVE_OK)
            break;
    }
    varve_cursor_close(cursor);
    if (status != VARVE_DONE)
        return status;
    if (neighbours->count > 0)
        qsort(
            neighbours->list, (size_t)neighbours->count, sizeof(struct cortex_neighbour *),
            compare_neighbours);
    return VARVE_OK;
}

/* The same with recursive SQL. */
static enum varve_status
count_reachable(struct varve_session *session, int64_t concept_id, struct neighbours *neighbours)
{
    struct cortex_reachable_request request = CORTEX_REACHABLE_REQUEST_INIT;
    struct varve_cursor *cursor;
    const struct cortex_reachable_concept *row;
    request.concept_id = concept_id;
    enum varve_status status = cortex_concepts_within_two_hops(session, &request, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = cortex_reachable_concept_next(cursor, &row)) == VARVE_ROW)
        ++*(row->distance == 1 ? &neighbours->one_hop : &neighbours->two_hops);
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* ------------------------------------------------------------------ printing */

/* "hypernym   canine.n.02, domestic_animal.n.01": one type, whose neighbours these are. */
static void
print_type(struct cortex_neighbour *const *list, int64_t count)
{
    struct wrap wrap = {.indent = 28, .column = 28};
    printf("    %-24s", list[0]->type);
    for (int64_t i = 0; i < count && i < NAMES; i++)
        wrap_word(&wrap, list[i]->name, strlen(list[i]->name), i + 1 < count ? "," : "");
    if (count > NAMES) {
        struct count_text more = count_text(count - NAMES);
        wrap_word(&wrap, "and", 3, "");
        wrap_word(&wrap, more.text, strlen(more.text), " more");
    }
    putchar('\n');
}

static void
print_concept(const struct cortex_concept *concept, const struct neighbours *neighbours)
{
    printf(
        "\n%s  %s (%s)\n", concept->name, concept_note(concept, "words"),
        concept_note(concept, "lexfile"));
    wrap_text(2, concept_note(concept, "gloss"));
    for (int64_t from = 0, to = 0; from < neighbours->count; from = to) {
        const char *type = neighbours->list[from]->type;
        while (to < neighbours->count && strcmp(neighbours->list[to]->type, type) == 0)
            to++;
        print_type(&neighbours->list[from], to - from);
    }
    printf(
        "    %-24s%s concepts, and %s in one\n", "in two hops",
        count_text(neighbours->two_hops).text, count_text(neighbours->one_hop).text);
}

static enum varve_status
tell_concept(struct varve_session *session, const struct cortex_concept *concept)
{
    struct neighbours neighbours = {.count = 0};
    enum varve_status status = read_neighbours(session, concept->id, &neighbours);
    if (status == VARVE_OK)
        status = count_reachable(session, concept->id, &neighbours);
    if (status == VARVE_OK)
        print_concept(concept, &neighbours);
    free_neighbours(&neighbours);
    return status;
}

enum varve_status
answer_neighbours(struct varve_session *session, const char *word, int64_t *found)
{
    struct matches matches = {.count = 0};
    struct cortex_concept **concepts = NULL;
    double start = clock_seconds();
    enum varve_status status = find_word(session, word, &matches);
    double seconds = clock_seconds() - start;
    *found = matches.count;
    if (status == VARVE_OK && matches.count > 0) {
        printf(
            "\"%s\" has %s meaning%s, found in %.2f s\n", word, count_text(matches.count).text,
            matches.count == 1 ? "" : "s", seconds);
        status = cortex_concept_get_many(session, matches.ids, matches.count, &concepts);
    }
    for (int64_t i = 0; concepts && i < matches.count && status == VARVE_OK; i++)
        if (concepts[i])
            status = tell_concept(session, concepts[i]);
    cortex_concept_free_many(concepts);
    free(matches.data);
    free(matches.ids);
    return status;
}
