/* Chunks on their way into the file: encoded by all threads, handed to libhdf5 in order by the caller's.
 * What is contiguous is written by the threads themselves, beside libhdf5. */
#include <errno.h>
#include <string.h>

#include <xxhash.h>

#include "archive/segment_parts.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    SLOTS_PER_THREAD = 3, /* one that is encoded, one that waits, one that is written */
    SLOTS_MOST = 64
};

/* -------------------------------------------------------------------- a thread's part */

static bool
stop(struct varve__segment *segment, int error)
{
    int none = 0;
    atomic_compare_exchange_strong(&segment->error, &none, error);
    return false;
}

static bool
reserve(struct varve__segment *segment, char **memory, size_t *room, size_t size)
{
    if (*room >= size && *memory)
        return true;
    varve__release(*memory);
    *memory = varve__allocate(size);
    *room = *memory ? size : 0;
    return *memory || stop(segment, ENOMEM);
}

/* The chunk as HDF5 wants it: whole. NULL: no memory. */
static const char *
whole_chunk(
    struct varve__segment *segment,
    const struct varve__segment_piece *piece,
    struct varve__segment_tool *tool)
{
    size_t size = varve__grid_chunk_size(&piece->set->dataset->grid);
    if (piece->size == size)
        return piece->raw;
    if (!reserve(segment, &tool->padded, &tool->room, size))
        return NULL;
    memcpy(tool->padded, piece->raw, piece->size);
    memset(tool->padded + piece->size, 0, size - piece->size);
    return tool->padded;
}

static bool
encode(
    struct varve__segment *segment,
    const struct varve__segment_piece *piece,
    struct varve__segment_tool *tool,
    struct varve__segment_slot *slot)
{
    const struct varve__dataset *dataset = piece->set->dataset;
    size_t size = varve__grid_chunk_size(&dataset->grid);
    size_t bound = varve__chunk_bound(&dataset->filter, size);
    const char *raw = whole_chunk(segment, piece, tool);
    if (!raw || bound == 0 || !reserve(segment, &slot->bytes, &slot->room, bound))
        return stop(segment, ENOMEM);
    if (!tool->codec)
        tool->codec = varve__chunk_codec_create();
    slot->from = slot->bytes;
    return (tool->codec && varve__chunk_encode(
                               tool->codec, &dataset->filter, raw, size, slot->bytes, &slot->size,
                               &slot->mask) == VARVE_OK) ||
           stop(segment, ENOMEM);
}

static uint64_t
contiguous_address(const struct varve__segment_piece *piece)
{
    int64_t first, count;
    const struct varve__grid *grid = &piece->set->dataset->grid;
    varve__grid_chunk(grid, piece->chunk, &first, &count);
    return piece->set->address + (uint64_t)first * grid->element;
}

/* Whether the elements stand in the file as they are. */
static bool
is_raw(const struct varve__segment_piece *piece)
{
    const struct varve__chunk_filter *filter = &piece->set->dataset->filter;
    return filter->compression == VARVE_ARCHIVE_NONE && !filter->checksum &&
           (piece->set->contiguous ||
            piece->size == varve__grid_chunk_size(&piece->set->dataset->grid));
}

static bool
work(void *context, size_t number, size_t worker)
{
    struct varve__segment *segment = context;
    const struct varve__segment_piece *piece = &segment->running[number];
    struct varve__segment_slot *slot = &segment->slots[number % segment->slot_count];
    slot->from = piece->raw;
    slot->size = piece->size;
    slot->mask = 0;
    if (!is_raw(piece) && !encode(segment, piece, &segment->tools[worker], slot))
        return false;
    slot->hash = XXH3_64bits(slot->from, slot->size);
    if (piece->set->contiguous &&
        !varve__hdf5_write_all(
            segment->file.handle.file, slot->from, slot->size, contiguous_address(piece)))
        return stop(segment, errno);
    return true;
}

/* -------------------------------------------------------------------- the caller's part */

/* Where the chunk went that was just written. The driver has seen it; where libhdf5 wrote in several
 * calls, it is asked. */
static bool
find_chunk(
    const struct varve__segment *segment,
    const struct varve__segment_set *set,
    const hsize_t *offset,
    struct varve__chunk *chunk)
{
    haddr_t address;
    hsize_t size;
    unsigned mask;
    if (segment->hdf5.raw_writes == 1 && segment->hdf5.raw_size == chunk->size) {
        chunk->address = segment->hdf5.raw_address;
        return true;
    }
    if (H5Dget_chunk_info_by_coord(set->id, offset, &mask, &address, &size) < 0 ||
        size != chunk->size)
        return false;
    chunk->address = address;
    return true;
}

static bool
write_chunk(
    struct varve__segment *segment,
    struct varve__segment_set *set,
    int64_t number,
    const struct varve__segment_slot *slot)
{
    struct varve__chunk *chunk = &set->dataset->chunks[number];
    uint64_t at[VARVE__RANK_MAX];
    hsize_t offset[VARVE__RANK_MAX];
    varve__grid_offset(&set->dataset->grid, number, at);
    for (size_t i = 0; i < VARVE__RANK_MAX; i++)
        offset[i] = at[i];
    segment->hdf5.raw_writes = 0;
    if (H5Dwrite_chunk(set->id, H5P_DEFAULT, slot->mask, offset, slot->size, slot->from) < 0 ||
        segment->hdf5.error || !find_chunk(segment, set, offset, chunk))
        return false;
    set->left--;
    if (set->left > 0 || segment->archive->layout != VARVE_ARCHIVE_OBJECT)
        return true;
    bool good = H5Dclose(set->id) >= 0; /* there may be very many */
    set->id = H5I_INVALID_HID;
    return good;
}

static enum varve_status
hand_over(
    struct varve__segment *segment,
    const struct varve__segment_piece *piece,
    const struct varve__segment_slot *slot)
{
    struct varve__hdf5_call call;
    enum varve_status status = VARVE_OK;
    if (!varve__hdf5_enter(&call))
        return varve__hdf5_fail_ended(segment->name, segment->file.temporary);
    if (!write_chunk(segment, piece->set, piece->chunk, slot))
        status = varve__hdf5_fail(&segment->hdf5, segment->name, "write", segment->file.temporary);
    varve__hdf5_leave(&call);
    return status;
}

static enum varve_status
look(const struct varve__segment *segment)
{
    struct varve__watch *watch = segment->options.watch;
    if (!watch || !varve__watch_expired(watch))
        return VARVE_OK;
    if (watch->timed_out)
        return varve__fail(
            VARVE_TIMEOUT, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, segment->name,
            "writing a segment of %s took longer than call_timeout_ms, %lld ms; write less in one "
            "call, or raise it",
            segment->name, (long long)watch->call_timeout_ms);
    return varve__fail(
        VARVE_INTERRUPTED, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, segment->name,
        "writing a segment of %s was ended by varve_interrupt()", segment->name);
}

static bool
take(void *context, size_t number)
{
    struct varve__segment *segment = context;
    const struct varve__segment_piece *piece = &segment->running[number];
    const struct varve__segment_slot *slot = &segment->slots[number % segment->slot_count];
    struct varve__chunk *chunk = &piece->set->dataset->chunks[piece->chunk];
    chunk->hash = slot->hash;
    chunk->size = (uint32_t)slot->size;
    chunk->mask = slot->mask;
    segment->status = look(segment);
    if (!segment->status && piece->set->contiguous) {
        chunk->address = contiguous_address(piece);
        piece->set->left--;
    } else if (!segment->status) {
        segment->status = hand_over(segment, piece, slot);
    }
    if (!segment->status)
        varve__segment_file_advance(&segment->file, chunk->address + chunk->size);
    return segment->status == VARVE_OK;
}

/* -------------------------------------------------------------------- together */

/* Slots for about memory_bytes, at least one each thread. */
static bool
prepare(struct varve__segment *segment)
{
    if (segment->slots)
        return true;
    struct varve__workers *workers = segment->options.workers;
    size_t threads = 1 + (workers ? varve__workers_count(workers) : 0);
    size_t largest = 1;
    for (size_t i = 0; i < segment->column_count; i++)
        largest = segment->columns[i].largest > largest ? segment->columns[i].largest : largest;
    int64_t fit =
        segment->options.memory_bytes / 2 / (int64_t)largest; /* the other half: buffers */
    size_t count = threads * SLOTS_PER_THREAD;
    if (fit < (int64_t)count)
        count = fit > (int64_t)threads ? (size_t)fit : threads;
    segment->slot_count = count < SLOTS_MOST ? count : SLOTS_MOST;
    segment->tool_count = threads;
    segment->slots = varve__allocate(segment->slot_count * sizeof *segment->slots);
    segment->tools = varve__allocate(threads * sizeof *segment->tools);
    if (segment->slots)
        memset(segment->slots, 0, segment->slot_count * sizeof *segment->slots);
    if (segment->tools)
        memset(segment->tools, 0, threads * sizeof *segment->tools);
    return segment->slots && segment->tools;
}

static bool
run(struct varve__segment *segment, size_t count)
{
    struct varve__workers *workers = segment->options.workers;
    if (workers && count > 1)
        return varve__workers_run_ordered(workers, work, take, segment, count, segment->slot_count);
    for (size_t i = 0; i < count; i++)
        if (!work(segment, i, 0) || !take(segment, i))
            return false;
    return true;
}

enum varve_status
varve__segment_write(
    struct varve__segment *segment, const struct varve__segment_piece *pieces, size_t count)
{
    if (!prepare(segment))
        return varve__fail_memory(segment->name, segment->slot_count * sizeof *segment->slots);
    segment->running = pieces;
    segment->status = VARVE_OK;
    atomic_store(&segment->error, 0);
    if (run(segment, count))
        return VARVE_OK;
    int error = atomic_load(&segment->error);
    if (segment->status)
        return segment->status;
    return varve__archive_fail_errno(
        error ? error : EIO, segment->name, "write", segment->file.temporary);
}

void
varve__segment_write_release(struct varve__segment *segment)
{
    for (size_t i = 0; segment->slots && i < segment->slot_count; i++)
        varve__release(segment->slots[i].bytes);
    for (size_t i = 0; segment->tools && i < segment->tool_count; i++) {
        varve__chunk_codec_release(segment->tools[i].codec);
        varve__release(segment->tools[i].padded);
    }
    varve__release(segment->slots);
    varve__release(segment->tools);
}
