/* One figure of a life, as SVG: spikes of tests before and after learning, the weights at birth and now, and
 * the scores of all episodes. It draws what was read from the store and knows no store. */
#ifndef DRAW_H
#define DRAW_H

#include "recall.h"

/* Writes the file, in place of what is there. False: failure, of `size` bytes, has a sentence. */
bool
draw_life(const struct album *album, const char *path, char *failure, size_t size);

#endif
