/* The C side of cache_values.py: values of the cache, as files that are named by codec and pattern ("2-3").
 *
 *     cache_peer write FOLDER        writes each pattern with each codec
 *     cache_peer seeds FOLDER        the same as a corpus for fuzz_cache_value: two bytes stand before each
 *     cache_peer read FILE ..        reads such files, and compares their records with the patterns
 *
 * The patterns are made by the same rule there and here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cache_value.h"
#include "cortex/cortex.varve.h"

enum {
    UNITS_MOST = 5000,
    PATTERNS = 5,
    VALUE_MOST = 1 << 20
};

static const uint32_t units[PATTERNS] = {0, 1, 30, 2000, UNITS_MOST};

/* Tells what failed, and ends. */
static void
require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "cache_peer: %s: %s\n", what, varve_session_error(NULL));
    exit(1);
}

static struct cortex_working_memory_pattern
make_pattern(unsigned number)
{
    static float activations[UNITS_MOST];
    static char hash[32];
    struct cortex_working_memory_pattern pattern = CORTEX_WORKING_MEMORY_PATTERN_INIT;
    snprintf(hash, sizeof hash, "pattern-%u", number);
    pattern.pattern_hash = hash;
    pattern.stored_at = INT64_C(1700000000000000000) + number;
    pattern.unit_count = units[number];
    for (unsigned i = 0; i < units[number]; i++)
        activations[i] = i % 16 == 0 ? 0.25f * (float)i - 1.0f : 0.0f;
    pattern.activations = (struct varve_floats){units[number], activations};
    pattern.salience = 0.125 * number;
    pattern.context_hash = "context:\xC3\xA4";
    pattern.rehearsal_count = 7 * number;
    return pattern;
}

static void
write_value(
    const char *folder, size_t before, enum varve_cache_compression compression, unsigned number)
{
    static uint8_t value[VALUE_MOST];
    char path[4096];
    struct varve__cache_codec codec = {0};
    struct varve_bytes bytes;
    size_t size;
    struct cortex_working_memory_pattern pattern = make_pattern(number);
    require(cortex_working_memory_pattern_pack(&pattern, &bytes) == VARVE_OK, "packing");
    enum varve_status status = varve__cache_value_encode(
        &codec, compression, 0, bytes.data, bytes.size, value + before, &size);
    require(status == VARVE_OK, "encoding");
    size += before;
    snprintf(path, sizeof path, "%s/%u-%u", folder, (unsigned)compression, number);
    FILE *file = fopen(path, "wb");
    require(file && fwrite(value, 1, size, file) == size && fclose(file) == 0, path);
    varve_bytes_free(&bytes);
    varve__cache_codec_release(&codec);
}

static void
read_value(const char *path)
{
    static uint8_t value[VALUE_MOST];
    struct varve__cache_codec codec = {0};
    struct cortex_working_memory_pattern *record;
    const uint8_t *bytes;
    size_t size;
    const char *dash = strrchr(path, '-');
    FILE *file = fopen(path, "rb");
    require(dash && file, path);
    struct cortex_working_memory_pattern pattern =
        make_pattern((unsigned)atoi(dash + 1) % PATTERNS);
    size_t value_size = fread(value, 1, sizeof value, file);
    fclose(file);
    enum varve_status status = varve__cache_value_decode(
        &codec, &cortex_working_memory_pattern_record, value, value_size, VALUE_MOST, &bytes,
        &size);
    require(status == VARVE_OK, path);
    require(cortex_working_memory_pattern_unpack(bytes, size, &record) == VARVE_OK, path);
    require(cortex_working_memory_pattern_equal(record, &pattern), path);
    cortex_working_memory_pattern_free(record);
    varve__cache_codec_release(&codec);
}

int
main(int argc, char **argv)
{
    bool seeds = argc == 3 && strcmp(argv[1], "seeds") == 0;
    if (seeds || (argc == 3 && strcmp(argv[1], "write") == 0)) {
        for (unsigned compression = VARVE_CACHE_NONE; compression <= VARVE_CACHE_DEFLATE;
             compression++) {
            for (unsigned number = 0; number < PATTERNS; number++)
                write_value(argv[2], seeds ? 2 : 0, compression, number);
        }
        return 0;
    }
    if (argc < 3 || strcmp(argv[1], "read") != 0) {
        fprintf(stderr, "usage: cache_peer write|seeds FOLDER | cache_peer read FILE ..\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        read_value(argv[i]);
    printf("%d\n", argc - 2);
    return 0;
}
