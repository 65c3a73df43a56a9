/* Where the keys of each record begin: all texts and tables in one block, made when a store opens. */
#include "codec/cache_space.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libdeflate.h>

#include "base/error.h"
#include "base/memory.h"

enum {
    PACKAGE_MOST = 80, /* bytes of a package's name as it is */
    PACKAGE_CUT = 63,  /* of what is left of a longer one, before a ~ and its CRC-32 in hex */
    PACKAGE_SIZE = PACKAGE_MOST + 1
};

_Static_assert(
    PACKAGE_MOST + 16 <= VARVE__SPACE_PREFIX_MAX, "a colon, eight digits, %index and a NUL");

/* How much there is of what, and with it where each begins in the block: spaces, places, packages, texts. */
struct plan {
    size_t spaces;
    size_t packages;
    size_t places; /* a power of two; some stay free */
};

/* The package's name as keys begin with it. No name has a ~, so what is cut meets no other. */
static void
package_text(const char *package, char text[PACKAGE_SIZE])
{
    size_t size = strlen(package);
    memset(text, 0, PACKAGE_SIZE);
    uint32_t hash = size > PACKAGE_MOST ? libdeflate_crc32(0, package, size) : 0;
    if (size > PACKAGE_MOST)
        snprintf(text, PACKAGE_SIZE, "%.*s~%08" PRIx32, PACKAGE_CUT, package, hash);
    else
        snprintf(text, PACKAGE_SIZE, "%s", package);
}

static struct plan
make_plan(const struct varve_schema *const *schemas, size_t count)
{
    struct plan plan = {.packages = count, .places = 2};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < schemas[i]->record_count; k++)
            plan.spaces += schemas[i]->records[k]->cache != NULL;
    }
    while (plan.places < 2 * plan.spaces)
        plan.places *= 2;
    return plan;
}

/* One block for all; NULL: no memory. */
static struct varve__spaces *
create(const struct plan *plan, char **texts)
{
    struct varve__spaces *spaces;
    size_t size = sizeof *spaces + plan->spaces * sizeof *spaces->spaces +
                  plan->places * sizeof *spaces->places +
                  plan->packages * (sizeof *spaces->packages + PACKAGE_SIZE) +
                  plan->spaces * 2 * VARVE__SPACE_PREFIX_MAX;
    spaces = varve__allocate(size);
    if (!spaces) {
        varve__fail_memory(NULL, size);
        return NULL;
    }
    memset(spaces, 0, size);
    spaces->spaces = (void *)(spaces + 1);
    spaces->places = (void *)(spaces->spaces + plan->spaces);
    spaces->packages = (void *)(spaces->places + plan->places);
    spaces->mask = plan->places - 1;
    *texts = (char *)(spaces->packages + plan->packages);
    return spaces;
}

/* Writes package, hash of the template and ending; the texts go on behind it. */
static struct varve__cache_text
add_text(char **texts, const char *package, uint32_t space, const char *ending)
{
    int size =
        snprintf(*texts, VARVE__SPACE_PREFIX_MAX, "%s:%08" PRIx32 "%s", package, space, ending);
    struct varve__cache_text text = {*texts, size > 0 ? (size_t)size : 0};
    *texts += text.size;
    return text;
}

static void
place_space(struct varve__spaces *spaces, const struct varve__space *space)
{
    size_t at = ((uintptr_t)space->record >> 4) & spaces->mask;
    while (spaces->places[at])
        at = (at + 1) & spaces->mask;
    spaces->places[at] = space;
}

static void
add_space(
    struct varve__spaces *spaces,
    const struct varve_record *record,
    const char *package,
    char **texts)
{
    const struct varve_cache *cache = record->cache;
    struct varve__space *space = &spaces->spaces[spaces->count];
    *space = (struct varve__space){.record = record, .number = spaces->count++};
    space->prefix = add_text(texts, package, cache->space, ":");
    if (cache->index_by)
        space->index = add_text(texts, package, cache->space, "%index");
    spaces->read_through_count += cache->mode == VARVE_CACHE_READ_THROUGH;
    place_space(spaces, space);
}

enum varve_status
varve__spaces_create(
    const struct varve_schema *const *schemas, size_t count, struct varve__spaces **spaces)
{
    char *texts;
    struct plan plan = make_plan(schemas, count);
    struct varve__spaces *made = create(&plan, &texts);
    *spaces = made;
    if (!made)
        return VARVE_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        char package[PACKAGE_SIZE];
        package_text(schemas[i]->package, package);
        memcpy(texts, package, sizeof package);
        made->packages[made->package_count++] = texts;
        texts += sizeof package;
        for (size_t k = 0; k < schemas[i]->record_count; k++) {
            if (schemas[i]->records[k]->cache)
                add_space(made, schemas[i]->records[k], package, &texts);
        }
    }
    return VARVE_OK;
}

void
varve__spaces_release(struct varve__spaces *spaces)
{
    varve__release(spaces);
}
