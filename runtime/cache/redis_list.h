/* Texts that the server replied with and that are needed after: keys, members of an order. */
#ifndef VARVE_CACHE_REDIS_LIST_H
#define VARVE_CACHE_REDIS_LIST_H

#include "codec/cache_space.h"

/* All zero is empty. */
struct varve__redis_list {
    char *bytes; /* of all texts, one behind the other */
    size_t bytes_room;
    size_t *ends; /* of each text in them */
    size_t ends_room;
    size_t count;
};

/* Adds `first` and `second` as one text. VARVE_NO_MEMORY. */
enum varve_status
varve__redis_list_add(
    struct varve__redis_list *list,
    struct varve__cache_text first,
    struct varve__cache_text second);

/* Borrowed until something is added. */
struct varve__cache_text
varve__redis_list_text(const struct varve__redis_list *list, size_t i);

/* Empties the list, and keeps its memory. */
static inline void
varve__redis_list_clear(struct varve__redis_list *list)
{
    list->count = 0;
}

void
varve__redis_list_release(struct varve__redis_list *list);

#endif
