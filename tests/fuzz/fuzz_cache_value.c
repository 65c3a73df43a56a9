/* libFuzzer's target for values of the cache. An input is the number of a message of wiretest, the number of
 * an allocation that fails (0: none), and a value. What is decoded keeps to the size that is allowed, is read
 * as a record, and comes back from every codec. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cache_value.h"
#include "wiretest.varve.h"

#include "require.h"

enum {
    MOST = 1 << 18 /* bytes of a decoded value */
};

static struct varve__cache_codec codec; /* used again by every input, as a session does */
static struct varve__cache_codec other; /* so that what the first decoded stays */
static long balance;                    /* blocks that are not released */
static unsigned until_fails;            /* the allocation that fails is so far away; 0: none does */
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

/* Whether it went well; a refusal is `refusal`, with a text, or no memory when an allocation failed. */
static bool
went_well(enum varve_status status, enum varve_status refusal)
{
    if (status == VARVE_OK)
        return true;
    REQUIRE((status == VARVE_NO_MEMORY && has_failed) || status == refusal);
    REQUIRE(varve_session_failure(NULL)->status == status);
    REQUIRE(strlen(varve_session_error(NULL)) > 0);
    return false;
}

/* Every codec gives the same bytes back. */
static void
check_codecs(const struct varve_record *table, const uint8_t *bytes, size_t size)
{
    uint8_t *value = malloc(varve__cache_value_bound(size));
    REQUIRE(value);
    for (unsigned compression = VARVE_CACHE_NONE; compression <= VARVE_CACHE_DEFLATE;
         compression++) {
        const uint8_t *again;
        size_t written, again_size;
        memcpy(value + 1, bytes, size);
        enum varve_status status =
            varve__cache_value_encode(&other, compression, 0, value + 1, size, value, &written);
        if (!went_well(status, VARVE_OK))
            continue;
        REQUIRE(written <= varve__cache_value_bound(size));
        status =
            varve__cache_value_decode(&other, table, value, written, size, &again, &again_size);
        if (went_well(status, VARVE_OK))
            REQUIRE(again_size == size && memcmp(again, bytes, size) == 0);
    }
    free(value);
}

static void
check_record(const struct varve_record *table, const uint8_t *bytes, size_t size)
{
    void *record;
    if (went_well(varve_record_unpack(table, bytes, size, &record), VARVE_INVALID))
        varve_record_free(record);
    else
        REQUIRE(!record);
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
    const uint8_t *bytes;
    size_t bytes_size;
    if (size < 2)
        return -1; /* not for the corpus */
    const struct varve_record *table =
        wiretest_schema.records[data[0] % wiretest_schema.record_count];
    until_fails = data[1];
    has_failed = false;
    enum varve_status status =
        varve__cache_value_decode(&codec, table, data + 2, size - 2, MOST, &bytes, &bytes_size);
    if (went_well(status, VARVE_CORRUPT)) {
        REQUIRE(bytes && bytes_size <= MOST);
        check_record(table, bytes, bytes_size);
        check_codecs(table, bytes, bytes_size);
    } else {
        REQUIRE(!bytes && bytes_size == 0);
    }
    REQUIRE(codec.plain_size <= 2 * MOST);
    REQUIRE(balance == (codec.plain != NULL) + (other.plain != NULL));
    return 0;
}
