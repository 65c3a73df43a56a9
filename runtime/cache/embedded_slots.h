/* Which values the embedded engine has: found by the hash of their key, and in the order in which they were
 * used. Kept beside SQLite, because there every get would be an update of a row and of an index. A value's slot
 * is its row's id: numbers from 1 on, those that become free first, so that the table stays dense. */
#ifndef VARVE_CACHE_EMBEDDED_SLOTS_H
#define VARVE_CACHE_EMBEDDED_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct varve__slot {
    int64_t size;          /* bytes that the value counts as */
    uint32_t hash;         /* of its key */
    uint32_t next;         /* with its hash's low bits, or free like it; 0: none */
    uint32_t newer, older; /* in the ring of use */
};

struct varve__slots {
    struct varve__slot *slots; /* slots[0] closes the ring: older is the newest, newer the oldest */
    uint32_t *chains;          /* [room]: the first slot of each chain; 0: none */
    uint32_t room;             /* a power of two; slots 1 .. room - 1 can be used */
    uint32_t fresh;            /* the first slot that was never used */
    uint32_t free;             /* the first that is used no more; 0: none */
    int64_t bytes;             /* of all values */
};

/* False: no memory. */
bool
varve__slots_init(struct varve__slots *slots);

void
varve__slots_release(struct varve__slots *slots);

/* Sees that the next varve__slots_add() has room. False: no memory; nothing changed. */
bool
varve__slots_reserve(struct varve__slots *slots);

/* The slot of a new value, the newest in use: call varve__slots_reserve() before. */
uint32_t
varve__slots_add(struct varve__slots *slots, uint32_t hash, int64_t size);

/* The slot that varve__slots_add() will give. */
static inline uint32_t
varve__slots_next(const struct varve__slots *slots)
{
    return slots->free ? slots->free : slots->fresh;
}

void
varve__slots_remove(struct varve__slots *slots, uint32_t slot);

void
varve__slots_resize(struct varve__slots *slots, uint32_t slot, int64_t size);

/* Makes the value the newest in use. */
void
varve__slots_use(struct varve__slots *slots, uint32_t slot);

/* The value that was not used for longest; 0: there is none. */
static inline uint32_t
varve__slots_oldest(const struct varve__slots *slots)
{
    return slots->slots[0].newer;
}

/* From `slot` on in its chain, the first with this hash; 0: none. Different keys may have one hash. */
static inline uint32_t
varve__slots_match(const struct varve__slots *slots, uint32_t slot, uint32_t hash)
{
    while (slot && slots->slots[slot].hash != hash)
        slot = slots->slots[slot].next;
    return slot;
}

static inline uint32_t
varve__slots_first(const struct varve__slots *slots, uint32_t hash)
{
    return varve__slots_match(slots, slots->chains[hash & (slots->room - 1)], hash);
}

#endif
