/* Lists of texts in one block of bytes. */
#include "cache/redis_list.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum {
    ROOM_MIN = 4096 /* bytes */
};

static size_t
used_bytes(const struct varve__redis_list *list)
{
    return list->count == 0 ? 0 : list->ends[list->count - 1];
}

/* Makes room for `wanted` bytes in a block that holds `used`. */
static enum varve_status
grow(void **block, size_t *room, size_t used, size_t wanted)
{
    if (wanted <= *room)
        return VARVE_OK;
    size_t size = *room < ROOM_MIN ? ROOM_MIN : *room;
    while (size < wanted && size <= SIZE_MAX / 2)
        size *= 2;
    void *larger = size < wanted ? NULL : varve__allocate(size);
    if (!larger)
        return varve__fail_memory(NULL, wanted);
    if (used > 0)
        memcpy(larger, *block, used);
    varve__release(*block);
    *block = larger;
    *room = size;
    return VARVE_OK;
}

enum varve_status
varve__redis_list_add(
    struct varve__redis_list *list, struct varve__cache_text first, struct varve__cache_text second)
{
    size_t used = used_bytes(list);
    size_t end = used + first.size + second.size; /* all are in memory: this cannot wrap */
    void *bytes = list->bytes, *ends = list->ends;
    enum varve_status status = grow(&bytes, &list->bytes_room, used, end);
    list->bytes = bytes;
    if (status != VARVE_OK)
        return status;
    size_t size = sizeof *list->ends;
    status = grow(&ends, &list->ends_room, list->count * size, (list->count + 1) * size);
    list->ends = ends;
    if (status != VARVE_OK)
        return status;
    if (first.size > 0)
        memcpy(list->bytes + used, first.text, first.size);
    if (second.size > 0)
        memcpy(list->bytes + used + first.size, second.text, second.size);
    list->ends[list->count++] = end;
    return VARVE_OK;
}

struct varve__cache_text
varve__redis_list_text(const struct varve__redis_list *list, size_t i)
{
    size_t begin = i == 0 ? 0 : list->ends[i - 1];
    return (struct varve__cache_text){list->bytes + begin, list->ends[i] - begin};
}

void
varve__redis_list_release(struct varve__redis_list *list)
{
    varve__release(list->bytes);
    varve__release(list->ends);
    *list = (struct varve__redis_list){0};
}
