/* From records in memory to a segment. */
#include "table/seal.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "table/catalog.h"
#include "table/staged.h"
#include "table/tensor.h"
#include "table/write.h"

enum {
    AHEAD_STAGED =
        16, /* times stage_max_bytes: others wait for fewer no longer than for the disk .. */
    AHEAD_LEAST = 4 << 20 /* .. and where nothing is staged, bytes */
};

bool
varve__seal_wanted(const struct varve__connection *connection, size_t bytes)
{
    const struct varve__archive *archive = connection->catalog.archive;
    return archive && bytes > 0 && (int64_t)bytes >= archive->options.stage_max_bytes;
}

static const void *
record_at(const struct varve__plan *plan, const struct varve__seal *what, size_t index)
{
    return (const char *)what->records + index * plan->record->descriptor->sizeof_message;
}

static int64_t
id_at(const struct varve__plan *plan, const struct varve__seal *what, size_t index)
{
    return what->ids ? what->ids[index] : varve__write_id(plan, record_at(plan, what, index));
}

/* Whether the segment gets elements of it. */
static bool
is_sealed(const struct varve_column *tensor, const void *record)
{
    struct varve__list list = varve__tensor_list(tensor, record);
    return varve__tensor_is_stored(tensor, record) && list.count > 0 && list.data;
}

size_t
varve__seal_bytes(const struct varve__plan *plan, const struct varve__seal *what, size_t index)
{
    size_t bytes = 0;
    const void *record = record_at(plan, what, index);
    for (size_t i = 0; i < what->tensor_count; i++) {
        if (is_sealed(what->tensors[i], record))
            bytes += varve__tensor_bytes(what->tensors[i], record);
    }
    return bytes;
}

static const struct varve_schema *
schema_of(const struct varve__plans *plans, const struct varve_record *record)
{
    for (size_t i = 0; i < plans->schema_count; i++) {
        const struct varve_schema *schema = plans->schemas[i];
        for (size_t k = 0; k < schema->record_count; k++) {
            if (schema->records[k] == record)
                return schema;
        }
    }
    return NULL;
}

enum varve_status
varve__seal_options(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__segment_options *options)
{
    const char *folder;
    struct varve__archive *archive = connection->catalog.archive;
    const struct varve_record *record = plan->record;
    enum varve_status status =
        atomic_load(&archive->claimed) ? VARVE_OK : varve__catalog_claim(connection);
    if (status == VARVE_OK)
        status = varve__archive_folder(archive, record->descriptor->name, &folder);
    if (status != VARVE_OK)
        return status;
    *options = (struct varve__segment_options){
        .folder = folder,
        .schema = schema_of(connection->plans, record),
        .record = record,
        .workers = archive->workers,
        .chunk_bytes = record->archive->chunk_bytes,
        .memory_bytes = archive->options.memory_bytes,
        .watch = &connection->watch,
    };
    return VARVE_OK;
}

/* -------------------------------------------------------------------- one segment */

/* A run of the records, and what the segment must know of them: one block of memory. */
struct batch {
    const struct varve__seal *what;
    size_t first;
    size_t count;
    int64_t bytes; /* of elements */
    int64_t *ids;
    int64_t *dims;
    struct varve__segment_tensor *tensors;
};

static void
fill_dims(const struct varve_column *tensor, const void *record, int64_t *dims)
{
    varve__tensor_dims(tensor->tensor, record, dims);
    if (is_sealed(tensor, record) || varve__tensor_is_fixed(tensor))
        return;
    for (size_t i = 0; i < tensor->tensor->dim_count; i++)
        dims[i] = -1;
}

/* Memory for a batch; *size is its bytes where there is none. */
static bool
allocate_batch(struct batch *batch, size_t *size)
{
    const struct varve__seal *what = batch->what;
    size_t axes = 0;
    for (size_t i = 0; i < what->tensor_count; i++)
        axes += what->tensors[i]->tensor->dim_count;
    size_t tensors = what->tensor_count * sizeof *batch->tensors;
    *size = batch->count * (axes + 1) * sizeof(int64_t) + tensors;
    char *memory = varve__allocate(*size);
    if (!memory)
        return false;
    batch->tensors = (struct varve__segment_tensor *)(void *)memory;
    batch->ids = (int64_t *)(void *)(memory + tensors);
    batch->dims = batch->ids + batch->count;
    return true;
}

static void
fill_batch(const struct varve__plan *plan, struct batch *batch)
{
    const struct varve__seal *what = batch->what;
    int64_t *dims = batch->dims;
    for (size_t i = 0; i < batch->count; i++)
        batch->ids[i] = id_at(plan, what, batch->first + i);
    for (size_t t = 0; t < what->tensor_count; t++) {
        size_t rank = what->tensors[t]->tensor->dim_count;
        batch->tensors[t] = (struct varve__segment_tensor){what->tensors[t], dims};
        for (size_t i = 0; i < batch->count; i++, dims += rank)
            fill_dims(what->tensors[t], record_at(plan, what, batch->first + i), dims);
    }
}

/* Where every record has such a tensor one that is not sealed is zeros. */
static enum varve_status
append_zeros(
    struct varve__segment *segment, size_t t, const struct varve_column *tensor, const void *record)
{
    size_t count = varve__tensor_expected(tensor, record);
    size_t size = count * varve_dtype_size(tensor->tensor->dtype);
    if (size == 0)
        return VARVE_OK;
    void *zeros = varve__allocate(size);
    if (!zeros)
        return varve__fail_memory(tensor->field->name, size);
    memset(zeros, 0, size);
    enum varve_status status = varve__segment_append(segment, t, zeros, count);
    varve__release(zeros);
    return status;
}

static enum varve_status
append_all(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct batch *batch,
    struct varve__segment *segment)
{
    const struct varve__seal *what = batch->what;
    enum varve_status status = VARVE_OK;
    for (size_t t = 0; t < what->tensor_count && status == VARVE_OK; t++) {
        const struct varve_column *tensor = what->tensors[t];
        for (size_t i = 0; i < batch->count && status == VARVE_OK; i++) {
            const void *record = record_at(plan, what, batch->first + i);
            struct varve__list list = varve__tensor_list(tensor, record);
            if (is_sealed(tensor, record))
                status = varve__segment_append(segment, t, list.data, list.count);
            else if (varve__tensor_is_fixed(tensor))
                status = append_zeros(segment, t, tensor, record);
        }
        if (status == VARVE_OK)
            status = varve__connection_poll(connection, plan, "writing a segment");
    }
    return status;
}

/* The rows of a record's tensors: archived ones, and those without elements that are present. */
static enum varve_status
insert_rows(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct batch *batch,
    const struct varve__segment *segment,
    int64_t first,
    size_t index)
{
    const struct varve__seal *what = batch->what;
    const void *record = record_at(plan, what, batch->first + index);
    enum varve_status status = VARVE_OK;
    for (size_t t = 0; t < what->tensor_count && status == VARVE_OK; t++) {
        size_t dataset;
        int64_t place;
        const struct varve_column *tensor = what->tensors[t];
        if (!varve__tensor_is_stored(tensor, record) || !varve__tensor_is_loaded(tensor, record))
            continue;
        if (is_sealed(tensor, record) && varve__segment_place(segment, index, t, &dataset, &place))
            status = varve__staged_insert_place(
                connection, plan, tensor, record, batch->ids[index], first + (int64_t)dataset,
                place);
        else
            status = varve__staged_insert(connection, plan, tensor, record, batch->ids[index]);
    }
    return status;
}

static enum varve_status
write_segment(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct batch *batch,
    struct varve__segment **segment)
{
    struct varve__segment_options options;
    const struct varve__segment_records records = {batch->count, batch->ids};
    enum varve_status status = varve__seal_options(connection, plan, &options);
    if (status != VARVE_OK)
        return status;
    status = varve__segment_create(
        &options, &records, batch->tensors, batch->what->tensor_count, segment);
    if (status != VARVE_OK)
        return status;
    status = append_all(connection, plan, batch, *segment);
    return status == VARVE_OK ? varve__segment_finish(*segment) : status;
}

/* -------------------------------------------------------------------- segments and their rows */

/* A segment with the records that are in it. */
struct part {
    struct part *next;
    struct batch batch;
    struct varve__segment *segment; /* NULL: the transaction has it */
};

struct varve__sealed {
    struct varve__seal what;
    struct part *first;
    struct part **end;
};

static void
release_part(
    struct varve__connection *connection, const struct varve__plan *plan, struct part *part)
{
    varve__catalog_discard(connection, plan, part->segment);
    varve__release(part->batch.tensors);
    varve__release(part);
}

static void
release_sealed(
    struct varve__connection *connection, const struct varve__plan *plan, struct varve__sealed *all)
{
    while (all->first) {
        struct part *part = all->first;
        all->first = part->next;
        release_part(connection, plan, part);
    }
}

/* From this record on: as many as a segment may have, at least one. */
static void
choose_batch(
    const struct varve__connection *connection, const struct varve__plan *plan, struct batch *batch)
{
    size_t bytes = 0;
    const struct varve__seal *what = batch->what;
    int64_t limit = plan->record->archive->segment_bytes > 0
                        ? plan->record->archive->segment_bytes
                        : connection->catalog.archive->options.segment_bytes;
    do {
        bytes += varve__seal_bytes(plan, what, batch->first + batch->count);
        batch->count++;
    } while (batch->first + batch->count < what->count && (int64_t)bytes < limit);
    batch->bytes = (int64_t)bytes;
}

static enum varve_status
write_part(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__sealed *all,
    size_t first)
{
    size_t size;
    struct part *part = varve__allocate(sizeof *part);
    if (!part)
        return varve__fail_memory(plan->record->descriptor->name, sizeof *part);
    *part = (struct part){.batch = {.what = &all->what, .first = first}};
    *all->end = part;
    all->end = &part->next;
    choose_batch(connection, plan, &part->batch);
    if (!allocate_batch(&part->batch, &size))
        return varve__fail_memory(plan->record->descriptor->name, size);
    fill_batch(plan, &part->batch);
    return write_segment(connection, plan, &part->batch, &part->segment);
}

static enum varve_status
write_parts(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct varve__sealed *all,
    size_t *failed)
{
    enum varve_status status = VARVE_OK;
    all->end = &all->first;
    for (*failed = 0; *failed < all->what.count && status == VARVE_OK;) {
        struct part **written = all->end;
        status = write_part(connection, plan, all, *failed);
        if (status == VARVE_OK)
            *failed += (*written)->batch.count;
    }
    return status;
}

/* Adds the segment to the catalog, and the rows of its tensors. */
static enum varve_status
place_part(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    struct part *part,
    size_t *failed)
{
    int64_t first = 0;
    struct varve__segment *segment = part->segment;
    part->segment = NULL;
    *failed = part->batch.first;
    enum varve_status status =
        varve__catalog_add(connection, plan, segment, part->batch.bytes, &first);
    for (size_t i = 0; i < part->batch.count && status == VARVE_OK; i++) {
        *failed = part->batch.first + i;
        status = insert_rows(connection, plan, &part->batch, segment, first, i);
    }
    return status;
}

static enum varve_status
place_parts(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__sealed *all,
    size_t *failed)
{
    enum varve_status status = VARVE_OK;
    for (struct part *part = all->first; part && status == VARVE_OK; part = part->next)
        status = place_part(connection, plan, part, failed);
    return status;
}

/* -------------------------------------------------------------------- before the write */

bool
varve__seal_is_ahead(const struct varve__connection *connection, size_t bytes)
{
    const struct varve__archive *archive = connection->catalog.archive;
    if (connection->depth > 0 || !archive || bytes == 0)
        return false;
    int64_t staged = archive->options.stage_max_bytes;
    return staged > 0 ? (int64_t)bytes / AHEAD_STAGED >= staged : bytes >= AHEAD_LEAST;
}

enum varve_status
varve__seal_ahead(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__seal *what,
    size_t *failed)
{
    size_t bytes = 0;
    for (size_t i = 0; i < what->count; i++)
        bytes += varve__seal_bytes(plan, what, i);
    if (!varve__seal_is_ahead(connection, bytes))
        return VARVE_OK;
    struct varve__sealed *all = varve__allocate(sizeof *all);
    if (!all)
        return varve__fail_memory(plan->record->descriptor->name, sizeof *all);
    *all = (struct varve__sealed){.what = *what};
    connection->catalog.ahead = all;
    return write_parts(connection, plan, all, failed);
}

void
varve__seal_forget_all(struct varve__connection *connection, const struct varve__plan *plan)
{
    struct varve__sealed *all = connection->catalog.ahead;
    connection->catalog.ahead = NULL;
    release_sealed(connection, plan, all);
    varve__release(all);
}

/* -------------------------------------------------------------------- in the write */

enum varve_status
varve__seal_write(
    struct varve__connection *connection,
    const struct varve__plan *plan,
    const struct varve__seal *what,
    size_t *failed)
{
    const struct varve__sealed *ahead = connection->catalog.ahead;
    if (ahead && ahead->what.records == what->records && ahead->what.count == what->count &&
        ahead->what.tensor_count == what->tensor_count)
        return place_parts(connection, plan, ahead, failed);
    struct varve__sealed all = {.what = *what};
    enum varve_status status = write_parts(connection, plan, &all, failed);
    if (status == VARVE_OK)
        status = place_parts(connection, plan, &all, failed);
    release_sealed(connection, plan, &all);
    return status;
}
