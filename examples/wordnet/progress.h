/* How far a long work has come, as a bar on a terminal, and how long things take. */
#ifndef WORDNET_PROGRESS_H
#define WORDNET_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* One bar. It is drawn on stderr, and only where that is a terminal. */
struct progress {
    bool shown;
    const char *what; /* "concepts" */
    int64_t total;
    int64_t percent; /* drawn last */
};

/* NULL is fine in all three: no bar. `what` must stay until the end, which wipes the bar away. */
void
progress_start(struct progress *progress, const char *what, int64_t total);
void
progress_step(struct progress *progress, int64_t done);
void
progress_end(struct progress *progress);

/* Seconds since some moment in the past. */
double
clock_seconds(void);

#endif
