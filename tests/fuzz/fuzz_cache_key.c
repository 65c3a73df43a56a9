/* libFuzzer's target for keys of the cache. An input is the number of a template of key_fixture.c and a text:
 * what is taken for a key is what its value is written as. With the number's high bit the rest is a value,
 * 8 bytes of numbers and two strings with a NUL between them, whose key must be read as that value. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cache_key.h"
#include "key_fixture.h"

#include "require.h"

enum {
    VALUE = 0x80, /* the bit that says so */
    NUMBERS = 8   /* bytes */
};

/* Of a text that is a key: the public functions say so too. */
static void
check_public(const struct varve_record *table, const char *text, size_t size)
{
    char copy[VARVE_KEY_SIZE];
    char again[VARVE_KEY_SIZE];
    void *record;
    memcpy(copy, text, size);
    copy[size] = '\0';
    REQUIRE(varve_record_key_parse(table, copy, &record) == VARVE_OK);
    REQUIRE(varve_record_key(table, record, again, sizeof again) == VARVE_OK);
    REQUIRE(strcmp(copy, again) == 0);
    varve_record_free(record);
}

static void
check_text(const struct varve_record *table, const char *text, size_t size)
{
    struct spot spot = SPOT_INIT;
    char again[VARVE__KEY_MAX_SIZE];
    size_t where, other, again_size;
    char *strings = malloc(size + table->cache->part_count);
    REQUIRE(strings);
    bool good = varve__cache_key_decode(table, text, size, &spot, strings, &where);
    REQUIRE(good == varve__cache_key_decode(table, text, size, NULL, NULL, &other));
    REQUIRE(where == other && where <= size);
    if (good) {
        REQUIRE(varve__cache_key_encode(table, &spot, again, &again_size) == VARVE_OK);
        REQUIRE(again_size == size && memcmp(again, text, size) == 0);
        check_public(table, text, size);
    }
    free(strings);
}

/* The strings of the value: what stands before the first NUL, and what behind it up to the next. */
static char *
split(const uint8_t *data, size_t size, const char **behind)
{
    char *text = malloc(size + 2);
    REQUIRE(text);
    memcpy(text, data, size);
    text[size] = text[size + 1] = '\0';
    *behind = text + strlen(text) + 1;
    return text;
}

static void
check_value(const struct varve_record *table, const uint8_t *data, size_t size)
{
    struct spot spot = SPOT_INIT, back = SPOT_INIT;
    char key[VARVE__KEY_MAX_SIZE];
    char strings[VARVE__KEY_MAX_SIZE + 16];
    size_t key_size, where;
    memcpy(&spot.uint64, data, NUMBERS);
    spot.int64 = spot.sint64 = spot.sfixed64 = (int64_t)spot.uint64;
    spot.int32 = spot.sint32 = spot.sfixed32 = (int32_t)spot.uint64;
    spot.uint32 = spot.fixed32 = (uint32_t)(spot.uint64 >> 32);
    spot.fixed64 = ~spot.uint64;
    spot.ready = data[0] & 1;
    spot.mode = (enum spot_mode)spot.int32;
    char *text = split(data + NUMBERS, size - NUMBERS, &spot.name);
    spot.region = text;
    if (varve__cache_key_encode(table, &spot, key, &key_size) == VARVE_OK) {
        REQUIRE(varve__cache_key_decode(table, key, key_size, &back, strings, &where));
        REQUIRE(varve__cache_key_equal(table, &spot, &back));
        check_text(table, key, key_size);
    } else {
        REQUIRE(key_size == 0);
    }
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + NUMBERS)
        return -1; /* not for the corpus */
    const struct varve_record *table = &spot_records[(data[0] & ~VALUE) % SPOT_KEY_COUNT];
    if (data[0] & VALUE)
        check_value(table, data + 1, size - 1);
    else
        check_text(table, (const char *)data + 1, size - 1);
    return 0;
}
