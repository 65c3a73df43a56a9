/* A segment from its first byte to its name. */
#include "archive/segment.h"

#include <errno.h>
#include <string.h>

#include "archive/segment_parts.h"
#include "base/error.h"
#include "base/memory.h"

enum varve_status
varve__segment_create(
    const struct varve__segment_options *options,
    const struct varve__segment_records *records,
    const struct varve__segment_tensor *tensors,
    size_t tensor_count,
    struct varve__segment **made)
{
    const char *name = options->record->descriptor->name;
    struct varve__segment *segment = varve__allocate(sizeof *segment);
    *made = NULL;
    if (!segment)
        return varve__fail_memory(name, sizeof *segment);
    memset(segment, 0, sizeof *segment);
    segment->options = *options;
    segment->records = *records;
    segment->archive = options->record->archive;
    segment->name = name;
    segment->column_count = tensor_count;
    segment->file.handle.file = -1;
    segment->hdf5.handle = &segment->file.handle;
    segment->id = H5I_INVALID_HID;
    enum varve_status status = varve__segment_plan(segment, tensors);
    if (!status)
        status = varve__segment_file_create(&segment->file, options->folder, name);
    if (!status)
        status = varve__segment_make(segment);
    if (status)
        varve__segment_release(segment);
    else
        *made = segment;
    return status;
}

static enum varve_status
fail_missing(const struct varve__segment *segment, const struct varve__segment_column *column)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, segment->name,
        "%s.%s: %lld elements were written of the %lld that the dims of all records make",
        segment->name, column->column->field->name, (long long)column->done,
        (long long)column->total);
}

static enum varve_status
finish(struct varve__segment *segment)
{
    if (segment->spent)
        return varve__fail(
            VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, segment->name,
            "a segment of %s is finished already, or a call on it has failed; release it",
            segment->name);
    for (size_t i = 0; i < segment->column_count; i++)
        if (segment->columns[i].done < segment->columns[i].total)
            return fail_missing(segment, &segment->columns[i]);
    enum varve_status status = varve__segment_unmake(segment);
    return status ? status : varve__segment_file_finish(&segment->file);
}

enum varve_status
varve__segment_finish(struct varve__segment *segment)
{
    enum varve_status status = finish(segment);
    segment->spent = true;
    return status;
}

const char *
varve__segment_file(const struct varve__segment *segment)
{
    return segment->file.name;
}

int64_t
varve__segment_size(const struct varve__segment *segment)
{
    return segment->file.size;
}

uint64_t
varve__segment_hash(const struct varve__segment *segment)
{
    return segment->file.hash;
}

size_t
varve__segment_dataset_count(const struct varve__segment *segment)
{
    return segment->dataset_count;
}

const struct varve__dataset *
varve__segment_dataset(const struct varve__segment *segment, size_t index)
{
    return &segment->datasets[index];
}

bool
varve__segment_place(
    const struct varve__segment *segment,
    size_t record,
    size_t tensor,
    size_t *dataset,
    int64_t *element)
{
    const uint64_t *ends = segment->columns[tensor].ends;
    uint64_t start = record > 0 ? ends[record - 1] : 0;
    bool is_object = segment->archive->layout == VARVE_ARCHIVE_OBJECT;
    if (ends[record] == start)
        return false;
    *dataset = is_object ? segment->places[record * segment->column_count + tensor] : tensor;
    *element = is_object ? 0 : (int64_t)start;
    return true;
}

void
varve__segment_release(struct varve__segment *segment)
{
    struct varve__kept_failure kept;
    if (!segment)
        return;
    /* What is not finished is thrown away: that it cannot be closed either is nobody's business. */
    varve__failure_keep(&kept);
    segment->hdf5.error = segment->hdf5.error ? segment->hdf5.error : ECANCELED;
    (void)!varve__segment_unmake(segment);
    varve__failure_restore(&kept);
    varve__segment_file_close(&segment->file);
    varve__segment_write_release(segment);
    varve__segment_plan_release(segment);
    if (segment->id < 0)
        varve__release(segment);
    /* Else libhdf5 could not close the file, and will try again when it ends: its driver looks at us then. */
}
