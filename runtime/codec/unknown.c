/* Unknown fields: the merge of stored and given ones, and the mark of a record that was cleared. */
#include "codec/unknown.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "codec/wire.h"

enum {
    FIELD_MIN = 2 /* bytes: a tag and a value */
};

/* Wire bytes that are still to be read. */
struct run {
    const uint8_t *at;
    const uint8_t *end;
};

/* Numbers of fields, ascending. */
struct numbers {
    uint32_t *data;
    size_t count;
};

static struct run
run_of(const uint8_t *bytes, size_t size)
{
    return size > 0 ? (struct run){bytes, bytes + size} : (struct run){0};
}

/* Steps over one field. False, and the run untouched, when none begins there. */
static bool
next_field(struct run *run, uint32_t *number)
{
    uint32_t tag;
    const uint8_t *at = varve__short_varint_read(run->at, run->end, &tag);
    if (!at || tag < 8)
        return false;
    at = varve__value_skip(tag & 7, at, run->end);
    if (!at)
        return false;
    run->at = at;
    *number = tag >> 3;
    return true;
}

/* The bytes at the beginning that are whole fields. */
static size_t
good_size(const uint8_t *bytes, size_t size)
{
    struct run run = run_of(bytes, size);
    uint32_t number;
    while (run.at < run.end && next_field(&run, &number))
        continue;
    return size - (size_t)(run.end - run.at);
}

static enum varve_status
check_runs(const uint8_t *stored, size_t stored_size, const uint8_t *given, size_t given_size)
{
    size_t good = good_size(stored, stored_size);
    if (good < stored_size)
        return varve__fail(
            VARVE_TYPE, VARVE_FAILURE_WIRE, VARVE_TIER_TABLE, NULL,
            "the column varve_unknown holds bytes that are no fields (byte %zu); it was changed by "
            "hand: restore it, or make it NULL",
            good);
    good = good_size(given, given_size);
    if (good < given_size)
        return varve__fail(
            VARVE_INVALID, VARVE_FAILURE_WIRE, VARVE_TIER_TABLE, NULL,
            "the record's unknown fields are no fields (byte %zu of them); encode them as protobuf "
            "does, or clear_unknown",
            good);
    return VARVE_OK;
}

static int
compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Every number in the run, at least once. */
static void
collect_numbers(struct numbers *numbers, struct run run)
{
    uint32_t number;
    while (run.at < run.end && next_field(&run, &number)) {
        if (numbers->count == 0 || numbers->data[numbers->count - 1] != number)
            numbers->data[numbers->count++] = number;
    }
    qsort(numbers->data, numbers->count, sizeof *numbers->data, compare_numbers);
}

/* Copies the fields of other numbers than these. Returns the copy's end. */
static uint8_t *
copy_others(uint8_t *copy, const struct numbers *numbers, struct run run)
{
    const uint8_t *at = run.at;
    uint32_t number;
    for (; at < run.end && next_field(&run, &number); at = run.at) {
        size_t size = (size_t)(run.at - at);
        if (bsearch(&number, numbers->data, numbers->count, sizeof number, compare_numbers))
            continue;
        memcpy(copy, at, size);
        copy += size;
    }
    return copy;
}

enum varve_status
varve__unknown_merge(
    const uint8_t *stored,
    size_t stored_size,
    const uint8_t *given,
    size_t given_size,
    uint8_t **merged,
    size_t *merged_size)
{
    *merged = NULL;
    *merged_size = 0;
    enum varve_status status = check_runs(stored, stored_size, given, given_size);
    if (status != VARVE_OK)
        return status;
    /* One block: the result, and behind it the numbers that are given, which only serve here. */
    size_t room = varve__arena_round(stored_size + given_size); /* of what is in memory already */
    size_t total = SIZE_MAX;
    uint8_t *result = NULL;
    if (varve__size_add(room, given_size / FIELD_MIN * sizeof(uint32_t), &total))
        result = varve__allocate(total);
    if (!result)
        return varve__fail_memory(NULL, total);
    struct numbers numbers = {.data = (uint32_t *)(void *)(result + room)};
    collect_numbers(&numbers, run_of(given, given_size));
    uint8_t *end = copy_others(result, &numbers, run_of(stored, stored_size));
    if (given_size > 0)
        memcpy(end, given, given_size);
    *merged = result;
    *merged_size = (size_t)(end - result) + given_size;
    return VARVE_OK;
}

/* ------------------------------------------------------------------ cleared records */

/* Nothing is read or written here: only the address says something. */
static ProtobufCMessageUnknownField cleared;

void
varve__unknown_clear(ProtobufCMessage *message)
{
    message->n_unknown_fields = 0;
    message->unknown_fields = &cleared;
}

bool
varve__unknown_is_cleared(const ProtobufCMessage *message)
{
    return message->unknown_fields == &cleared;
}
