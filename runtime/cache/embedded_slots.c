/* The slots of the embedded engine. Knows neither keys nor SQLite. */
#include "cache/embedded_slots.h"

#include <string.h>

#include "base/memory.h"

enum {
    ROOM_AT_FIRST = 64
};

/* Slots and chains of this room, in one block; the chains are empty. NULL: no memory. */
static struct varve__slot *
allocate(uint32_t room, uint32_t **chains)
{
    size_t slots_size = room * sizeof(struct varve__slot);
    struct varve__slot *slots = varve__allocate(slots_size + room * sizeof(uint32_t));
    if (!slots)
        return NULL;
    *chains = (uint32_t *)(slots + room);
    memset(*chains, 0, room * sizeof(uint32_t));
    return slots;
}

bool
varve__slots_init(struct varve__slots *slots)
{
    *slots = (struct varve__slots){.room = ROOM_AT_FIRST, .fresh = 1};
    slots->slots = allocate(ROOM_AT_FIRST, &slots->chains);
    if (slots->slots)
        slots->slots[0] = (struct varve__slot){0};
    return slots->slots != NULL;
}

void
varve__slots_release(struct varve__slots *slots)
{
    varve__release(slots->slots);
    slots->slots = NULL;
}

static void
chain(struct varve__slots *slots, uint32_t slot)
{
    uint32_t *first = &slots->chains[slots->slots[slot].hash & (slots->room - 1)];
    slots->slots[slot].next = *first;
    *first = slot;
}

bool
varve__slots_reserve(struct varve__slots *slots)
{
    if (slots->free || slots->fresh < slots->room)
        return true;
    uint32_t *chains, room = slots->room * 2;
    struct varve__slot *larger = room > slots->room ? allocate(room, &chains) : NULL;
    if (!larger)
        return false;
    memcpy(larger, slots->slots, slots->room * sizeof *larger);
    varve__release(slots->slots);
    slots->slots = larger;
    slots->chains = chains;
    slots->room = room;
    for (uint32_t slot = 1; slot < slots->fresh; slot++) /* none is free: there was no room */
        chain(slots, slot);
    return true;
}

/* -------------------------------------------------------------------- the ring */

static void
enter_ring(struct varve__slots *slots, uint32_t slot)
{
    struct varve__slot *all = slots->slots;
    all[slot].newer = 0;
    all[slot].older = all[0].older;
    all[all[0].older].newer = slot;
    all[0].older = slot;
}

static void
leave_ring(struct varve__slots *slots, uint32_t slot)
{
    struct varve__slot *all = slots->slots;
    all[all[slot].newer].older = all[slot].older;
    all[all[slot].older].newer = all[slot].newer;
}

void
varve__slots_use(struct varve__slots *slots, uint32_t slot)
{
    if (slots->slots[0].older == slot)
        return;
    leave_ring(slots, slot);
    enter_ring(slots, slot);
}

/* -------------------------------------------------------------------- adding and removing */

uint32_t
varve__slots_add(struct varve__slots *slots, uint32_t hash, int64_t size)
{
    uint32_t slot = varve__slots_next(slots);
    if (slots->free)
        slots->free = slots->slots[slot].next;
    else
        slots->fresh++;
    slots->slots[slot].hash = hash;
    slots->slots[slot].size = size;
    slots->bytes += size;
    chain(slots, slot);
    enter_ring(slots, slot);
    return slot;
}

void
varve__slots_remove(struct varve__slots *slots, uint32_t slot)
{
    struct varve__slot *removed = &slots->slots[slot];
    uint32_t *link = &slots->chains[removed->hash & (slots->room - 1)];
    while (*link != slot)
        link = &slots->slots[*link].next;
    *link = removed->next;
    leave_ring(slots, slot);
    slots->bytes -= removed->size;
    removed->next = slots->free;
    slots->free = slot;
}

void
varve__slots_resize(struct varve__slots *slots, uint32_t slot, int64_t size)
{
    slots->bytes += size - slots->slots[slot].size;
    slots->slots[slot].size = size;
}
