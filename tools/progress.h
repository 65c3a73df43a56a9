/* A progress bar on stderr: only on a terminal, and when the work takes longer than a second. */
#ifndef VARVE_TOOLS_PROGRESS_H
#define VARVE_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct varvectl_progress {
    const char *what;
    int64_t total; /* 0: not known, seconds are shown */
    int64_t done;
    int64_t started_ms;
    int64_t drawn_ms;
    bool terminal;
    bool drawn; /* the bar is to be seen */
};

/* Whether a bar will be drawn at all: what only the bar needs can be left out otherwise. */
bool
varvectl_progress_possible(void);

/* Begins; `what` must stay valid. */
void
varvectl_progress_begin(struct varvectl_progress *progress, const char *what, int64_t total);

/* One more is done. */
void
varvectl_progress_step(struct varvectl_progress *progress);

/* Takes the bar away: at the end, and before anything else is printed. */
void
varvectl_progress_clear(struct varvectl_progress *progress);

#endif
