/* The bar and the clock. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, isatty, fileno */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    BAR = 40 /* columns */
};

static void
draw(const struct progress *progress)
{
    int full = (int)(progress->percent * BAR / 100);
    fprintf(stderr, "\r  %-14s [", progress->what);
    for (int i = 0; i < BAR; i++)
        fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %3d%%", (int)progress->percent);
    fflush(stderr);
}

void
progress_start(struct progress *progress, const char *what, int64_t total)
{
    if (!progress)
        return;
    *progress = (struct progress){
        .shown = isatty(fileno(stderr)) != 0, .what = what, .total = total > 0 ? total : 1};
    if (progress->shown)
        draw(progress);
}

void
progress_step(struct progress *progress, int64_t done)
{
    if (!progress || !progress->shown)
        return;
    int64_t percent = done * 100 / progress->total;
    if (percent == progress->percent)
        return;
    progress->percent = percent;
    draw(progress);
}

void
progress_end(struct progress *progress)
{
    if (progress && progress->shown)
        fputs("\r\033[K", stderr); /* to the line's beginning, and clear it */
}

double
clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
