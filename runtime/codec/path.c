/* Names the place of a failure in words and numbers. */
#include "codec/path.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

enum {
    SHOWN_STEPS = 6, /* outer steps of a deep path that are written out */
    PLACE_SIZE = 320
};

struct place {
    char text[PLACE_SIZE];
    size_t length;
};

void
varve__path_add(struct varve__path *path, const ProtobufCFieldDescriptor *field, size_t index)
{
    if (path->count < sizeof path->steps / sizeof path->steps[0])
        path->steps[path->count++] = (struct varve__step){field, index};
}

static void
place_add(struct place *place, const char *format, ...) VARVE_PRINTF(2, 3);

static void
place_add(struct place *place, const char *format, ...)
{
    va_list arguments;
    size_t left = sizeof place->text - place->length;
    va_start(arguments, format);
    int written = vsnprintf(place->text + place->length, left, format, arguments);
    va_end(arguments);
    if (written > 0)
        place->length += (size_t)written < left ? (size_t)written : left - 1;
}

static const struct varve_column *
column_of(const struct varve_record *table, const ProtobufCFieldDescriptor *field)
{
    for (size_t i = 0; table && i < table->column_count; i++) {
        if (table->columns[i].field == field)
            return &table->columns[i];
    }
    return NULL;
}

/* Writes the steps; the last element is told in words: "X.tags: element 3", "X.metadata: the value
 * of entry 3". */
static void
describe(struct place *place, const struct varve__path *path, const struct varve_record *table)
{
    for (size_t left = path->count; left > 0; left--) {
        const struct varve__step *step = &path->steps[left - 1];
        const struct varve_column *column = column_of(table, step->field);
        bool map = column && (column->flags & VARVE_MAP);
        table = column ? column->record : NULL;
        if (path->count - left >= SHOWN_STEPS && left > 1)
            continue;
        if (path->count > SHOWN_STEPS && left == 1)
            place_add(place, "..");
        place_add(place, ".%s", step->field->name);
        if (step->index == VARVE__NO_INDEX)
            continue;
        if (map && left == 2) {
            const char *part = path->steps[0].field->name;
            place_add(place, ": the %s of entry %zu", part, step->index);
            return;
        }
        if (left == 1)
            place_add(place, ": %s %zu", map ? "entry" : "element", step->index);
        else
            place_add(place, "[%zu]", step->index);
    }
}

enum varve_status
varve__path_fail(
    const struct varve__path *path,
    const struct varve_record *table,
    enum varve_failure_kind kind,
    const char *what,
    ...)
{
    struct place place = {.length = 0};
    char sentence[VARVE__ERROR_SIZE];
    va_list arguments;
    const char *name = table->descriptor->name;
    describe(&place, path, table);
    va_start(arguments, what);
    if (vsnprintf(sentence, sizeof sentence, what, arguments) < 0)
        sentence[0] = '\0';
    va_end(arguments);
    varve__fail(
        VARVE_INVALID, kind, VARVE_TIER_NONE, name, "%s%s%s%s", name, place.text,
        sentence[0] == ':' ? "" : " ", sentence);
    for (size_t left = path->count; left > 0; left--)
        varve__failure_add_field(path->steps[left - 1].field->id);
    return VARVE_INVALID;
}
