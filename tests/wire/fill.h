/* Records made of a seed, for any message: values that sit at the edges of their types, every member
 * of a oneof, unique map keys, tensors whose counts agree with their dims.
 *
 *     struct fill fill = { .state = seed };
 *     void *record = fill_record(&fill, &wiretest_point_record);
 *     fill_free(&fill);
 */
#ifndef VARVE_TESTS_WIRE_FILL_H
#define VARVE_TESTS_WIRE_FILL_H

#include <varve/varve.h>

struct fill_block;

struct fill {
    uint64_t state;            /* the seed; changes with every number that is drawn */
    size_t budget;             /* messages that may still be made; set by fill_record() */
    struct fill_block *blocks; /* all memory of the records */
};

/* The same seed makes the same record. It lives until fill_free(). */
void *
fill_record(struct fill *fill, const struct varve_record *table);

void
fill_free(struct fill *fill);

#endif
