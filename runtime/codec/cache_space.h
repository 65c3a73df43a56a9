/* What the cache knows of each record, worked out once when a store opens: where its keys begin.
 *
 *     cortex:1a2b3c4d:wm:a7f3                            a value (ONLY)
 *     cortex:1a2b3c4d%index                              the order by time of a message: its keys
 *     cortex:1a2b3c4d:<folder>.<generation>.<epoch>:episode:a7@<run>        a hot copy (READ_THROUGH)
 *     cortex:1a2b3c4d:<folder>.<generation>.<epoch>:episode:a7@<run>%lease  the token of who fills it
 *
 * 1a2b3c4d is varve_cache.space in eight hex digits: a message whose template changes begins anew, and what
 * the old one left can be told. A % that no two hex digits follow, and an @ behind, are in no other key.
 */
#ifndef VARVE_CODEC_CACHE_SPACE_H
#define VARVE_CODEC_CACHE_SPACE_H

#include <stddef.h>
#include <stdint.h>

#include <varve/schema.h>
#include <varve/status.h>

#include "codec/cache_key.h"

/* Text that is borrowed, without a NUL. */
struct varve__cache_text {
    const char *text;
    size_t size;
};

struct varve__space {
    const struct varve_record *record;
    size_t number;                   /* in its varve__spaces */
    struct varve__cache_text prefix; /* of its keys, with the colon */
    struct varve__cache_text index;  /* key of the order by time; size 0 without index_by */
};

struct varve__spaces {
    struct varve__space
        *spaces; /* of the records with (varve.cache), in the order of the schemas */
    size_t count;
    size_t read_through_count; /* of these, the ones in READ_THROUGH */
    const char **packages;     /* of the schemas, as keys begin with them */
    size_t package_count;
    const struct varve__space **places; /* hash table by address of the record; private */
    size_t mask;
};

/* A package's name is shorter than this; what is longer is cut by a hash: see cache_space.c. */
enum {
    VARVE__SPACE_PREFIX_MAX = 96,
    /* Bytes of the longest key in the engine: prefix, scope, key, run and lease. */
    VARVE__CACHE_KEY_MAX = VARVE__SPACE_PREFIX_MAX + 80 + VARVE__KEY_MAX_SIZE
};

enum varve_status
varve__spaces_create(
    const struct varve_schema *const *schemas, size_t count, struct varve__spaces **spaces);

/* NULL is fine. */
void
varve__spaces_release(struct varve__spaces *spaces);

/* The space of this record; NULL when it has none in these schemas. */
static inline const struct varve__space *
varve__space_of(const struct varve__spaces *spaces, const struct varve_record *record)
{
    size_t at = ((uintptr_t)record >> 4) & spaces->mask;
    while (spaces->places[at] && spaces->places[at]->record != record)
        at = (at + 1) & spaces->mask;
    return spaces->places[at];
}

#endif
