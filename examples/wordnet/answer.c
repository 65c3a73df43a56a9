/* The most connected concepts, and pages of a search by name. */
#include "answer.h"
#include "print.h"
#include "progress.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOP = 10,
    PAGE = 10,
    PAGES = 2,
};

/* ------------------------------------------------------------------ the most connected */

/* How many relationships start from a concept and lead to it. */
struct degree {
    int64_t id;
    int64_t from, to;
};

/* The highest id of a concept; 0 when there is none. */
static enum varve_status
last_concept(struct varve_session *session, int64_t *id)
{
    const struct cortex_concept_filter filter = {.descending = true, .limit = 1};
    struct cortex_concept *last;
    enum varve_status status = cortex_concept_find_one(session, &filter, &last);
    *id = last ? last->id : 0;
    cortex_concept_free(last);
    return status == VARVE_NOT_FOUND ? VARVE_OK : status;
}

/* Reads all relationships once, in the order in which they lie in the store, and counts them at
 * both ends; degrees[id] is of the concept with that id. */
static enum varve_status
count_degrees(struct varve_session *session, struct degree *degrees, int64_t last, int64_t *read)
{
    struct varve_cursor *cursor;
    const struct cortex_concept_relationship *row;
    enum varve_status status = cortex_concept_relationship_find(session, NULL, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = cortex_concept_relationship_next(cursor, &row)) == VARVE_ROW) {
        if (row->source_id <= last && row->target_id <= last) {
            degrees[row->source_id].from++;
            degrees[row->target_id].to++;
        }
        ++*read;
    }
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* Copies the TOP degrees, the highest first, of one with many and one with as many the earlier. */
static void
pick_top(const struct degree *degrees, int64_t last, struct degree *top)
{
    for (int64_t id = 1; id <= last; id++) {
        struct degree degree = {.id = id, .from = degrees[id].from, .to = degrees[id].to};
        int place = TOP;
        while (place > 0 && top[place - 1].from + top[place - 1].to < degree.from + degree.to)
            place--;
        if (place == TOP)
            continue;
        memmove(&top[place + 1], &top[place], (size_t)(TOP - 1 - place) * sizeof *top);
        top[place] = degree;
    }
}

static enum varve_status
print_top(struct varve_session *session, const struct degree *top)
{
    int64_t ids[TOP];
    struct cortex_concept **concepts;
    for (int i = 0; i < TOP; i++)
        ids[i] = top[i].id;
    enum varve_status status = cortex_concept_get_many(session, ids, TOP, &concepts);
    if (status != VARVE_OK)
        return status;
    for (int i = 0; i < TOP && concepts[i]; i++)
        printf(
            "    %-24s%6s    %s from it, %s to it\n", concepts[i]->name,
            count_text(top[i].from + top[i].to).text, count_text(top[i].from).text,
            count_text(top[i].to).text);
    cortex_concept_free_many(concepts);
    return VARVE_OK;
}

enum varve_status
answer_most_connected(struct varve_session *session)
{
    double start = clock_seconds();
    struct degree top[TOP] = {{.id = 0}}, *degrees = NULL;
    int64_t last = 0, read = 0;
    enum varve_status status = last_concept(session, &last);
    if (status != VARVE_OK)
        return status;
    degrees = calloc((size_t)last + 1, sizeof *degrees);
    if (!degrees)
        return VARVE_NO_MEMORY;
    status = count_degrees(session, degrees, last, &read);
    if (status == VARVE_OK) {
        pick_top(degrees, last, top);
        printf(
            "\nThe most connected concepts, %s relationships counted in %.2f s\n\n",
            count_text(read).text, clock_seconds() - start);
        status = print_top(session, top);
    }
    free(degrees);
    return status;
}

/* ------------------------------------------------------------------ pages */

/* "dog.n.01     a member of the genus Canis .." in one line, up to the gloss's first semicolon. */
static void
print_line(const struct cortex_concept *concept)
{
    const char *gloss = concept_note(concept, "gloss");
    size_t length = strcspn(gloss, ";");
    int column = printf("    %-24s", concept->name);
    size_t room = column > 0 && column + 8 < PRINT_WIDTH ? (size_t)(PRINT_WIDTH - column - 4) : 4;
    if (length > room)
        printf("  %.*s..\n", (int)room, gloss);
    else
        printf("  %.*s\n", (int)length, gloss);
}

/* Prints the page behind *last (NULL: the first) and replaces *last by its own last concept; NULL
 * when no page follows. */
static enum varve_status
print_page(struct varve_session *session, const char *prefix, struct cortex_concept **last)
{
    const struct cortex_concept_filter filter = {
        .name = varve_text_prefix(prefix),
        .order_by = CORTEX_CONCEPT_FIELD_NAME,
        .limit = PAGE,
        .after = *last,
    };
    struct varve_cursor *cursor;
    const struct cortex_concept *row;
    enum varve_status status = cortex_concept_find(session, &filter, &cursor);
    cortex_concept_free(*last); /* the find has copied what it needs */
    *last = NULL;
    for (int count = 1; status == VARVE_OK; count++) {
        status = cortex_concept_next(cursor, &row);
        if (status != VARVE_ROW)
            break;
        print_line(row);
        status = count == PAGE ? cortex_concept_clone(row, last) : VARVE_OK;
    }
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status
print_pages(struct varve_session *session, const char *prefix)
{
    const struct cortex_concept_filter filter = {.name = varve_text_prefix(prefix)};
    struct cortex_concept *last = NULL;
    int64_t count;
    enum varve_status status = cortex_concept_count(session, &filter, &count);
    if (status == VARVE_OK)
        printf("\nNames that begin with \"%s\": %s\n", prefix, count_text(count).text);
    for (int page = 1; page <= PAGES && status == VARVE_OK && count > (page - 1) * PAGE; page++) {
        putchar('\n');
        status = print_page(session, prefix, &last);
    }
    cortex_concept_free(last);
    return status;
}

enum varve_status
answer_pages(struct varve_session *session, const char *word)
{
    size_t size = strlen(word) + 1;
    char *prefix = malloc(size);
    if (!prefix)
        return VARVE_NO_MEMORY;
    for (size_t i = 0; i < size; i++)
        prefix[i] = (char)(word[i] == ' ' ? '_' : tolower((unsigned char)word[i]));
    enum varve_status status = print_pages(session, prefix);
    free(prefix);
    return status;
}
