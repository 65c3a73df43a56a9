/* libFuzzer's target for everything that is done with bytes of unknown origin. An input is the number
 * of a message of wiretest, the number of an allocation that fails (0: none), and wire data. What is
 * accepted must pack, unpack, clone and print; every allocation is released, whatever failed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wiretest.varve.h"

#include "require.h"

static long balance;         /* blocks that are not released */
static unsigned until_fails; /* the allocation that fails is so far away; 0: none does */
static bool has_failed;

static void *
allocate(void *context, size_t size)
{
    (void)context;
    if (until_fails > 0 && --until_fails == 0) {
        has_failed = true;
        return NULL;
    }
    void *memory = malloc(size);
    balance += memory != NULL;
    return memory;
}

static void
release(void *context, void *memory)
{
    (void)context;
    balance -= memory != NULL;
    free(memory);
}

/* Whether it went well. No memory is fine when an allocation failed; another refusal only where the
 * data may be at fault, and it has a text. */
static bool
went_well(enum varve_status status, bool may_refuse)
{
    if (status == VARVE_OK)
        return true;
    REQUIRE((status == VARVE_NO_MEMORY && has_failed) || (status == VARVE_INVALID && may_refuse));
    REQUIRE(varve_session_failure(NULL)->status == status);
    REQUIRE(strlen(varve_session_error(NULL)) > 0);
    return false;
}

static void
print(const struct varve_record *table, const void *record, size_t size)
{
    char *buffer = malloc(size);
    REQUIRE(buffer);
    enum varve_status status = varve_record_print(table, record, buffer, size);
    went_well(status, true); /* it may not fit */
    REQUIRE(strlen(buffer) < size);
    free(buffer);
}

/* What was packed is read again, and means the same. */
static void
check_packed(const struct varve_record *table, const void *record, const struct varve_bytes *bytes)
{
    void *again = NULL;
    if (went_well(varve_record_unpack(table, bytes->data, bytes->size, &again), false)) {
        REQUIRE(varve_record_equal(table, record, again));
        REQUIRE(varve_record_equal(table, again, record));
    } else {
        REQUIRE(!again);
    }
    varve_record_free(again);
}

/* A tensor whose count is not that of its dims is read, but not packed or cloned. */
static void
check_pack(const struct varve_record *table, const void *record)
{
    struct varve_bytes bytes;
    if (went_well(varve_record_pack(table, record, &bytes), true))
        check_packed(table, record, &bytes);
    else
        REQUIRE(!bytes.data && bytes.size == 0);
    varve_bytes_free(&bytes);
}

static void
check_clone(const struct varve_record *table, const void *record)
{
    void *copy = NULL;
    if (!went_well(varve_record_clone(table, record, &copy), true)) {
        REQUIRE(!copy);
        return;
    }
    REQUIRE(varve_record_equal(table, record, copy));
    varve_record_clear_unknown(table, copy);
    check_pack(table, copy);
    varve_record_free(copy);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct varve_allocator counting = {.allocate = allocate, .release = release};
    (void)argc;
    (void)argv;
    varve_set_allocator(&counting);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *record = NULL;
    if (size < 2)
        return -1; /* not for the corpus */
    const struct varve_record *table =
        wiretest_schema.records[data[0] % wiretest_schema.record_count];
    until_fails = data[1];
    has_failed = false;
    if (went_well(varve_record_unpack(table, data + 2, size - 2, &record), true)) {
        check_pack(table, record);
        check_clone(table, record);
        print(table, record, 1 + size % 61);
        print(table, record, 1 << 16);
        varve_record_free(record);
    } else {
        REQUIRE(!record);
    }
    REQUIRE(balance == 0);
    return 0;
}
