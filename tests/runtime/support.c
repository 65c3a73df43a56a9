/* See support.h. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, setenv */

#include "support.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static struct lab_node leaf = LAB_NODE_INIT;
static struct lab_node root = LAB_NODE_INIT;
static struct lab_node *children[] = {&leaf, &leaf};
static struct lab_sample_metadata_entry metadata[] = {
    LAB_SAMPLE_METADATA_ENTRY_INIT,
    LAB_SAMPLE_METADATA_ENTRY_INIT,
};
static struct lab_sample_metadata_entry *metadata_pointers[] = {&metadata[0], &metadata[1]};
static struct lab_sample_nodes_entry nodes[] = {
    LAB_SAMPLE_NODES_ENTRY_INIT,
    LAB_SAMPLE_NODES_ENTRY_INIT,
};
static struct lab_sample_nodes_entry *nodes_pointers[] = {&nodes[0], &nodes[1]};
static const char *tags[] = {"", "two", "dr\xC3\xA9i"};
static int32_t counts[] = {0, -1, 300, INT32_MIN};
static double weights[] = {0.5, -0.25, 1e300, 0, 5, 6};
static uint8_t bytes[] = {0, 1, 255, '"', '\\'};
static struct varve_bytes blobs[] = {{2, bytes}, {0, NULL}};
static protobuf_c_boolean flags[] = {1, 0, 1};
static enum lab_mode modes[] = {LAB_RUN, LAB_STOP, (enum lab_mode)77};
static int64_t offsets[] = {INT64_MIN, -1, INT64_MAX};
static float ratios[] = {0.1f, -3.5f};

static void
fill_nested(void)
{
    leaf.value = -7;
    leaf.label = "leaf";
    root.value = 1;
    root.left = &leaf;
    root.children.count = 2;
    root.children.data = children;
    metadata[0].key = "source";
    metadata[0].value = "sensor";
    metadata[1].key = "empty";
    nodes[0].key = -5;
    nodes[0].value = &leaf;
    nodes[1].key = 6; /* its value is NULL: an empty node */
}

struct lab_sample
full_sample(void)
{
    struct lab_sample sample = LAB_SAMPLE_INIT;
    fill_nested();
    sample.id = 1234567890123;
    sample.name = "name \"quoted\"\n\x01";
    sample.note = "";
    sample.blob = (struct varve_bytes){sizeof bytes, bytes};
    sample.score = 0.1;
    sample.has_rank = 1;
    sample.mode = LAB_STOP;
    sample.ready = 1;
    sample.tags = (struct varve_strings){3, tags};
    sample.counts = (struct varve_int32s){4, counts};
    sample.metadata.count = 2;
    sample.metadata.data = metadata_pointers;
    sample.root = &root;
    sample.choice_case = LAB_SAMPLE_CHOICE_TEXT;
    sample.text = "chosen";
    sample.weights = (struct varve_doubles){6, weights};
    sample.rows = 2;
    sample.columns = 3;
    sample.nodes.count = 2;
    sample.nodes.data = nodes_pointers;
    sample.blobs = (struct varve_blobs){2, blobs};
    sample.has_raw = 1;
    sample.ratio = 0.1f;
    sample.shift = -64;
    sample.hash = UINT64_MAX;
    sample.flags = (struct varve_bools){3, flags};
    sample.modes.count = 3;
    sample.modes.data = modes;
    sample.offsets = (struct varve_int64s){3, offsets};
    sample.ratios = (struct varve_floats){2, ratios};
    return sample;
}

struct lab_node *
node_chain(size_t levels)
{
    static struct lab_node chain[201];
    for (size_t i = 0; i <= levels; i++) {
        varve_record_init(&lab_node_record, &chain[i]);
        if (i < levels)
            chain[i].left = &chain[i + 1];
    }
    return &chain[0];
}

uint8_t *
packed_chain(size_t levels, size_t *size)
{
    size_t room = levels * 6 + 1;
    uint8_t *data = test_malloc(room);
    uint8_t *at = data + room;
    for (size_t i = 0; i < levels; i++) { /* from the inside out: tag 2, length, what there is */
        size_t length = (size_t)(data + room - at);
        uint8_t prefix[6] = {0x12};
        size_t used = 1;
        for (; length >= 0x80; length >>= 7)
            prefix[used++] = (uint8_t)(length | 0x80);
        prefix[used++] = (uint8_t)length;
        at -= used;
        memcpy(at, prefix, used);
    }
    *size = (size_t)(data + room - at);
    memmove(data, at, *size);
    return data;
}

static struct {
    size_t fail_at;
    size_t asked;
    size_t held;
} counter;

static void *
counted_allocate(void *context, size_t size)
{
    (void)context;
    counter.asked++;
    if (counter.asked == counter.fail_at)
        return NULL;
    void *memory = malloc(size);
    assert_non_null(memory);
    counter.held++;
    return memory;
}

static void
counted_release(void *context, void *memory)
{
    (void)context;
    assert_non_null(memory);
    counter.held--;
    free(memory);
}

void
count_allocations(size_t fail_at)
{
    static const struct varve_allocator counting = {counted_allocate, counted_release, NULL};
    counter.fail_at = fail_at;
    counter.asked = 0;
    counter.held = 0;
    varve_set_allocator(&counting);
}

size_t
stop_counting(void)
{
    varve_set_allocator(NULL);
    assert_int_equal(counter.held, 0);
    return counter.asked;
}

void
assert_failure(enum varve_failure_kind kind, const char *words)
{
    const struct varve_failure *failure = varve__thread_failure();
    assert_non_null(failure);
    if (failure->kind != kind || !strstr(varve__thread_error(), words))
        fail_msg(
            "%s: \"%s\" is expected, got \"%s\"", varve_failure_kind_name(failure->kind), words,
            varve__thread_error());
}

void
missing_on_this_machine(const char *what)
{
    print_message("%s is missing on this machine\n", what);
    if (getenv("CI"))
        fail();
    skip();
}

bool
set_comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "de_DE",
                                        "fr_FR.UTF-8", "nl_NL.UTF-8", "ru_RU.UTF-8"};
    char folder[] = "/tmp/varve-locale-XXXXXX";
    char command[200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (setlocale(LC_NUMERIC, names[i]))
            return true;
    }
    if (!mkdtemp(folder))
        return false;
    snprintf(
        command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1",
        folder);
    bool made = system(command) >= 0; /* it complains of details and succeeds */
    setenv("LOCPATH", folder, 1);
    made = made && setlocale(LC_NUMERIC, "de_DE.UTF-8");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 && made;
}
