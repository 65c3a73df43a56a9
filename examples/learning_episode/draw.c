/* SVG by hand: four panels, each a function with its place on the page in pixels. */
#include "draw.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define INK "#222"
#define PALE "#777"

enum {
    WIDTH = 1250,
    HEIGHT = 985,
    SHOWN = 12, /* tests in a raster */
    LEVELS = 8, /* colours on each side of 0 */
};

/* A panel's inner rectangle. */
struct box {
    double x, y, width, height;
};

/* A population's neurons, for colours and labels. */
struct population {
    const char *name, *color;
    int first, end;
};

static const struct population populations[] = {
    {"sensory", "#4a5568", 0, SENSORY},
    {"decision A", "#2b6cb0", SENSORY, SENSORY + GROUP},
    {"decision B", "#d97706", SENSORY + GROUP, SENSORY + 2 * GROUP},
    {"decision C", "#2f855a", SENSORY + 2 * GROUP, SENSORY + 3 * GROUP},
    {"decision D", "#b83280", SENSORY + 3 * GROUP, EXCITATORY},
    {"inhibitory", "#a0a7b4", EXCITATORY, NEURONS},
};

enum {
    POPULATIONS = sizeof populations / sizeof populations[0]
};

/* The strongest weight of the colour scale, in mV a step; stronger ones look like it. */
static const double strongest = 1.2;

/* ------------------------------------------------------------------ parts */

static void
text(FILE *file, double x, double y, const char *anchor, const char *class, const char *words)
{
    fprintf(
        file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>\n", x, y,
        anchor, class, words);
}

static void
line(FILE *file, double x1, double y1, double x2, double y2, const char *style)
{
    fprintf(
        file, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2,
        style);
}

static void
frame(FILE *file, struct box box)
{
    fprintf(
        file,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" "
        "stroke=\"" INK "\" stroke-width=\"0.8\"/>\n",
        box.x, box.y, box.width, box.height);
}

static void
tick_below(FILE *file, struct box box, double x, const char *label)
{
    double bottom = box.y + box.height;
    line(file, x, bottom, x, bottom + 4, "stroke=\"" INK "\" stroke-width=\"0.8\"");
    text(file, x, bottom + 17, "middle", "tick", label);
}

static void
tick_left(FILE *file, struct box box, double y, const char *label)
{
    line(file, box.x - 4, y, box.x, y, "stroke=\"" INK "\" stroke-width=\"0.8\"");
    text(file, box.x - 8, y + 4, "end", "tick", label);
}

static void
axis_left(FILE *file, double x, double y, const char *words)
{
    fprintf(
        file,
        "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\" "
        "class=\"axis\">%s</text>\n",
        x, y, words);
}

/* ------------------------------------------------------------------ rasters */

/* The time that each test shows its pattern, tinted with the pattern's colour; above it which was shown, and
 * whether the answer was right. */
static void
draw_tests(FILE *file, struct box box, const struct trial *trials)
{
    double trial = box.width / SHOWN;
    for (int i = 0; i < SHOWN; i++) {
        const struct trial *test = &trials[PRACTICE + i];
        const char *color = populations[1 + test->shown % PATTERNS].color;
        bool right = test->shown == test->answered;
        double x = box.x + i * trial, stimulus = trial * STIMULUS / TRIAL;
        char label[2] = {(char)('A' + test->shown % PATTERNS), '\0'};
        fprintf(
            file,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" "
            "fill-opacity=\"0.09\"/>\n",
            x, box.y, stimulus, box.height, color);
        fprintf(
            file,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" class=\"shown\" "
            "fill=\"%s\">%s</text>\n",
            x + stimulus / 2, box.y - 22, color, label);
        text(
            file, x + stimulus / 2, box.y - 7, "middle", right ? "right" : "wrong",
            right ? "&#10003;" : "&#10007;");
    }
}

static void
draw_spikes(FILE *file, struct box box, const struct cortex_spike_train *train, int population)
{
    const struct population *shown = &populations[population];
    const double begin = PRACTICE * TRIAL, span = SHOWN * TRIAL;
    fprintf(file, "<path stroke=\"%s\" stroke-width=\"1.2\" fill=\"none\" d=\"", shown->color);
    for (size_t s = 0; s < train->spike_count; s++) {
        uint32_t neuron = train->neuron_ids.data[s];
        double ms = (double)train->spike_times.data[s] / MEMORY_MILLISECOND - begin;
        if (neuron >= (uint32_t)shown->first && neuron < (uint32_t)shown->end && ms >= 0 &&
            ms < span)
            fprintf(
                file, "M%.1f %.1fv2.2", box.x + (ms + 0.5) / span * box.width,
                box.y + neuron * box.height / NEURONS - 0.4);
    }
    fputs("\"/>\n", file);
}

static void
draw_raster_axes(FILE *file, struct box box, bool named)
{
    for (int p = 0; p < POPULATIONS; p++) {
        const struct population *shown = &populations[p];
        double top = box.y + shown->first * box.height / NEURONS,
               bottom = box.y + shown->end * box.height / NEURONS;
        char number[16];
        snprintf(number, sizeof number, "%d", shown->first);
        tick_left(file, box, top, number);
        if (p > 0)
            line(file, box.x, top, box.x + box.width, top, "stroke=\"#bbb\" stroke-width=\"0.6\"");
        if (named)
            fprintf(
                file,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" class=\"name\" "
                "fill=\"%s\">%s</text>\n",
                box.x - 34, (top + bottom) / 2 + 4, p + 1 == POPULATIONS ? PALE : shown->color,
                shown->name);
    }
    tick_left(file, box, box.y + box.height, "300");
    for (int i = 0; i <= SHOWN; i += 2) {
        char label[16];
        snprintf(label, sizeof label, "%d", i * TRIAL);
        tick_below(file, box, box.x + i * box.width / SHOWN, label);
    }
    text(
        file, box.x + box.width / 2, box.y + box.height + 36, "middle", "axis",
        "time since the tests began (ms)");
}

static void
draw_raster(
    FILE *file,
    struct box box,
    const char *title,
    const struct cortex_episode *episode,
    const struct cortex_spike_train *train)
{
    struct trial trials[TRIALS];
    memcpy(trials, episode->experience.data, sizeof trials);
    text(file, box.x, box.y - 44, "start", "title", title);
    draw_tests(file, box, trials);
    for (int p = 0; p < POPULATIONS; p++)
        draw_spikes(file, box, train, p);
    frame(file, box);
}

static void
draw_rasters(FILE *file, const struct album *album)
{
    struct box before = {.x = 130, .y = 152, .width = 515, .height = 360}, after = before;
    char title[100];
    after.x = 710;
    snprintf(
        title, sizeof title, "Spikes in episode 1: %.0f %% of tests right",
        100 * album->first->performance_score);
    draw_raster(file, before, title, album->first, album->first_train);
    draw_raster_axes(file, before, true);
    snprintf(
        title, sizeof title, "Spikes in episode %zu: %.0f %% of tests right", album->count,
        100 * album->last->performance_score);
    draw_raster(file, after, title, album->last, album->last_train);
    draw_raster_axes(file, after, false);
    axis_left(file, 26, before.y + before.height / 2, "neuron");
}

/* ------------------------------------------------------------------ weights */

/* From white at 0 to a deep red (excites) or blue (inhibits) at 1, quadratic: what learning made strong
 * stands out. */
static void
color_of(double strength, bool excites, char color[8])
{
    static const double red[] = {155, 20, 30}, blue[] = {20, 60, 150};
    const double *deep = excites ? red : blue, share = 0.1 + 0.9 * strength * strength;
    int mixed[3];
    for (int i = 0; i < 3; i++)
        mixed[i] = (int)(255 + (deep[i] - 255) * share + 0.5);
    snprintf(
        color, 8, "#%02x%02x%02x", (unsigned)mixed[0] & 255, (unsigned)mixed[1] & 255,
        (unsigned)mixed[2] & 255);
}

/* 1 to LEVELS for weights that excite, -1 to -LEVELS for those that inhibit, 0 for no synapse. */
static int
level_of(float weight)
{
    double share = (double)weight / strongest;
    int level = (int)(share * LEVELS + (share > 0 ? 1 : -1));
    if (weight == 0)
        return 0;
    return level > LEVELS ? LEVELS : level < -LEVELS ? -LEVELS : level;
}

/* All synapses of one level are one path, a short stroke each. */
static void
draw_level(FILE *file, const float *weights, int level)
{
    char color[8];
    color_of((level > 0 ? level : -level) / (double)LEVELS, level > 0, color);
    fprintf(file, "<path stroke=\"%s\" d=\"", color);
    for (int pre = 0; pre < NEURONS; pre++)
        for (int post = 0; post < NEURONS; post++)
            if (level_of(weights[pre * NEURONS + post]) == level)
                fprintf(file, "M%d %d.5h1", post, pre);
    fputs("\"/>\n", file);
}

static void
draw_matrix(FILE *file, struct box box, const char *title, const float *weights)
{
    static const char *const names[] = {"sensory", "decision", "inhibitory"};
    static const int edges[] = {0, SENSORY, EXCITATORY, NEURONS};
    const double scale = box.width / NEURONS;
    text(file, box.x, box.y - 14, "start", "title", title);
    fprintf(
        file,
        "<g transform=\"translate(%.1f %.1f) scale(%.4f)\" fill=\"none\" stroke-width=\"1\">\n",
        box.x, box.y, scale);
    for (int level = -LEVELS; level <= LEVELS; level++)
        if (level != 0)
            draw_level(file, weights, level);
    fputs("</g>\n", file);
    for (int i = 0; i < 3; i++) {
        double from = edges[i] * scale, to = edges[i + 1] * scale, middle = (from + to) / 2;
        text(file, box.x + middle, box.y + box.height + 17, "middle", "tick", names[i]);
        axis_left(file, box.x - 8, box.y + middle, names[i]);
        if (i > 0) {
            const char *style = "stroke=\"#999\" stroke-width=\"0.7\"";
            line(file, box.x + from, box.y, box.x + from, box.y + box.height, style);
            line(file, box.x, box.y + from, box.x + box.width, box.y + from, style);
        }
    }
    text(
        file, box.x + box.width / 2, box.y + box.height + 36, "middle", "axis",
        "postsynaptic neuron");
    frame(file, box);
}

static void
draw_scale(FILE *file, struct box box)
{
    const double step = box.height / (2 * LEVELS);
    for (int i = 0; i < 2 * LEVELS; i++) {
        int level = i < LEVELS ? LEVELS - i : LEVELS - i - 1;
        char color[8];
        color_of((level > 0 ? level : -level) / (double)LEVELS, level > 0, color);
        fprintf(
            file, "<rect x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\" fill=\"%s\"/>\n",
            box.x, box.y + i * step, box.width, step + 0.1, color);
    }
    for (int i = -2; i <= 2; i++) {
        char label[16];
        snprintf(
            label, sizeof label, "%s%.1f", i < 0 ? "&#8722;" : "",
            strongest / 2 * (i < 0 ? -i : i));
        text(
            file, box.x + box.width + 6, box.y + box.height * (2 - i) / 4 + 4, "start", "tick",
            label);
    }
    axis_left(file, box.x + box.width + 46, box.y + box.height / 2, "weight (mV per step)");
    frame(file, box);
}

static void
draw_matrices(FILE *file, const struct album *album)
{
    struct box box = {.x = 95, .y = 600, .width = 330, .height = 330};
    char title[80];
    draw_matrix(file, box, "Weights at birth", album->newborn->weights.data);
    axis_left(file, box.x - 34, box.y + box.height / 2, "presynaptic neuron");
    snprintf(title, sizeof title, "Weights after episode %zu", album->count);
    box.x = 475;
    draw_matrix(file, box, title, album->grown->weights.data);
    draw_scale(file, (struct box){.x = 820, .y = box.y, .width = 12, .height = box.height});
}

/* ------------------------------------------------------------------ scores */

/* The highest score stays clear of the frame. */
static double
score_y(struct box box, double score)
{
    return box.y + box.height * (1 - score / 1.05);
}

static void
draw_score_axes(FILE *file, struct box box, size_t count)
{
    static const size_t steps[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    size_t s = 0;
    char label[24];
    while (s + 1 < sizeof steps / sizeof steps[0] && count / steps[s] > 8)
        s++;
    for (size_t n = steps[s]; n <= count; n += steps[s]) {
        snprintf(label, sizeof label, "%zu", n);
        tick_below(file, box, box.x + ((double)n - 0.5) / (double)count * box.width, label);
    }
    for (int percent = 0; percent <= 100; percent += 25) {
        double y = score_y(box, percent / 100.0);
        snprintf(label, sizeof label, "%d", percent);
        tick_left(file, box, y, label);
        if (percent > 0)
            line(
                file, box.x, y, box.x + box.width, y,
                percent == 25 ? "stroke=\"" PALE "\" stroke-dasharray=\"5 4\""
                              : "stroke=\"#e2e2e2\" stroke-width=\"0.8\"");
    }
    text(file, box.x + box.width - 6, score_y(box, 1.0 / PATTERNS) - 6, "end", "tick", "chance");
    text(file, box.x + box.width / 2, box.y + box.height + 36, "middle", "axis", "episode");
    axis_left(file, box.x - 38, box.y + box.height / 2, "tests right (%)");
}

static void
draw_scores(FILE *file, const struct album *album)
{
    struct box box = {.x = 970, .y = 600, .width = 255, .height = 330};
    const double step = box.width / (double)album->count;
    text(file, box.x, box.y - 14, "start", "title", "Score");
    draw_score_axes(file, box, album->count);
    fputs("<polyline fill=\"none\" stroke=\"#2b6cb0\" stroke-width=\"2\" points=\"", file);
    for (size_t i = 0; i < album->count; i++)
        fprintf(
            file, "%.1f,%.1f ", box.x + ((double)i + 0.5) * step, score_y(box, album->scores[i]));
    fputs("\"/>\n", file);
    for (size_t i = 0; i < album->count && album->count <= 60; i++)
        fprintf(
            file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.4\" fill=\"#2b6cb0\"/>\n",
            box.x + ((double)i + 0.5) * step, score_y(box, album->scores[i]));
    frame(file, box);
}

/* ------------------------------------------------------------------ the page */

static void
draw_page(FILE *file, const struct album *album)
{
    fprintf(
        file,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
        "height=\"%d\" font-family=\"'DejaVu Sans', Helvetica, Arial, sans-serif\">\n"
        "<title>A spiking network learns to tell four patterns apart</title>\n"
        "<style>text{font-size:12px} .head{font-size:21px;font-weight:bold;fill:" INK "} "
        ".title{font-size:15px;font-weight:bold;fill:" INK "} .axis{font-size:12.5px;fill:" INK
        "} .tick{font-size:11px;fill:" INK "} .sub{font-size:13px;fill:" PALE
        "} .shown{font-size:14px;font-weight:bold} .right{fill:#2f855a} .wrong{fill:#c53030}"
        "</style>\n"
        "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
    text(file, 26, 38, "start", "head", "A spiking network learns to tell four patterns apart");
    text(
        file, 26, 62, "start", "sub",
        "300 leaky integrate-and-fire neurons, 240 excitatory and 60 inhibitory. A tinted stretch "
        "shows a pattern (A to D); the decision group that fires most is the answer.");
    draw_rasters(file, album);
    draw_matrices(file, album);
    draw_scores(file, album);
    fputs("</svg>\n", file);
}

/* Whether the records have the sizes that the panels count on. */
static bool
drawable(const struct album *album)
{
    const size_t cells = (size_t)NEURONS * NEURONS, trials = sizeof(struct trial[TRIALS]);
    return album->newborn->weights.count == cells && album->grown->weights.count == cells &&
           album->first->experience.size == trials && album->last->experience.size == trials;
}

bool
draw_life(const struct album *album, const char *path, char *failure, size_t size)
{
    if (!drawable(album)) {
        snprintf(failure, size, "the store has a network of another size; nothing was drawn");
        return false;
    }
    FILE *file = fopen(path, "w");
    bool good = file != NULL;
    if (file) {
        draw_page(file, album);
        good = !ferror(file);
        good = fclose(file) == 0 && good;
    }
    if (!good)
        snprintf(
            failure, size, "the figure cannot be written to %s: %s; name another file with --svg",
            path, strerror(errno));
    return good;
}
