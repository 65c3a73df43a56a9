/* The progress bar. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    STEPS_BETWEEN_LOOKS = 256, /* at the clock */
    WAIT_MS = 1000,            /* before the bar is drawn at all */
    REDRAW_MS = 100,
    WIDTH = 30,
};

static int64_t
now_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
varvectl_progress_possible(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void
varvectl_progress_begin(struct varvectl_progress *progress, const char *what, int64_t total)
{
    *progress = (struct varvectl_progress){
        .what = what,
        .total = total,
        .started_ms = now_ms(),
        .terminal = varvectl_progress_possible(),
    };
}

static void
draw_bar(const struct varvectl_progress *progress)
{
    char bar[WIDTH + 1];
    int64_t total = progress->total > progress->done ? progress->total : progress->done;
    int64_t filled = progress->done * WIDTH / total;
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(
        stderr, "\r%s [%s] %" PRId64 " of %" PRId64, progress->what, bar, progress->done, total);
}

void
varvectl_progress_step(struct varvectl_progress *progress)
{
    progress->done++;
    if (!progress->terminal || progress->done % STEPS_BETWEEN_LOOKS != 0)
        return;
    int64_t now = now_ms();
    if (now - progress->started_ms < WAIT_MS || now - progress->drawn_ms < REDRAW_MS)
        return;
    if (progress->total > 0)
        draw_bar(progress);
    else
        fprintf(stderr, "\r%s, %" PRId64 " s", progress->what, (now - progress->started_ms) / 1000);
    fflush(stderr);
    progress->drawn_ms = now;
    progress->drawn = true;
}

void
varvectl_progress_clear(struct varvectl_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
