/* Boxes of a tensor and the runs in them. */
#include "archive/reader.h"

struct varve__box
varve__box_all(int64_t first, int64_t count)
{
    return (struct varve__box){.first = first, .rank = 1, .dims = {count}, .count = {count}};
}

/* Axes from this one on are read as one: all axes behind it are taken whole. */
static size_t
run_axis(const struct varve__box *box)
{
    size_t axis = box->rank - 1;
    while (axis > 0 && box->start[axis] == 0 && box->count[axis] == box->dims[axis])
        axis--;
    return axis;
}

void
varve__box_runs(const struct varve__box *box, int64_t *runs, int64_t *length)
{
    size_t axis = run_axis(box);
    *runs = 1;
    *length = 1;
    for (size_t i = 0; i < box->rank; i++)
        *(i < axis ? runs : length) *= box->count[i];
    if (*length == 0)
        *runs = 0;
}

int64_t
varve__box_run(const struct varve__box *box, int64_t run)
{
    size_t axis = run_axis(box);
    int64_t step = 1, element = 0;
    for (size_t i = box->rank; i-- > 0;) {
        int64_t index = box->start[i];
        if (i < axis) {
            index += run % box->count[i];
            run /= box->count[i];
        }
        element += index * step;
        step *= box->dims[i];
    }
    return box->first + element;
}
