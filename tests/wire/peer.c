/* The C side of differential.py. Commands come on stdin, answers go to stdout, both with their length
 * before them (32 bits, little-endian). A command is a letter, the number of a message (16 bits) and
 * data:
 *
 *     L            names of all messages, a line each
 *     D            the descriptor set of the schema
 *     A bytes      unpack, then all that can be done with the record: see examine()
 *     E n a b      whether the records of two packed messages are equal; n: length of a (32 bits)
 *     S seed       a record made of the seed: packed, and as text
 *     Q seed bytes whether that record equals what the bytes say
 *
 * An answer is 0 and parts, each with its length, or 1 and three lines: where it failed with which
 * status, the kind of failure, the error's text. Every command ends with the allocator's balance at
 * zero, or the answer is that it does not.
 *
 *     wire_peer --seeds FOLDER COUNT     writes packed records as a corpus for fuzz_unpack
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fill.h"
#include "wiretest.varve.h"

/* ---------------------------------------------------------------------------- memory */

static long allocated; /* blocks of the runtime that are not released */

static void *
count_allocate(void *context, size_t size)
{
    (void)context;
    void *memory = malloc(size);
    allocated += memory != NULL;
    return memory;
}

static void
count_release(void *context, void *memory)
{
    (void)context;
    allocated -= memory != NULL;
    free(memory);
}

/* An answer, or a copy of some bytes. */
struct text {
    size_t size;
    char *data;
};

static void
add(struct text *text, const void *data, size_t size)
{
    char *grown = realloc(text->data, text->size + size + 1);
    if (!grown)
        abort();
    if (size > 0)
        memcpy(grown + text->size, data, size);
    text->data = grown;
    text->size += size;
}

static void
add_part(struct text *answer, const void *data, size_t size)
{
    uint32_t length = (uint32_t)size;
    add(answer, &length, sizeof length);
    add(answer, data, size);
}

static void
add_flag(struct text *answer, bool flag)
{
    add_part(answer, flag ? "1" : "0", 1);
}

/* ---------------------------------------------------------------------------- steps */

/* Makes the answer a failure; its text is that of the call before. */
static bool
fail(struct text *answer, const char *step, enum varve_status status)
{
    char line[1024];
    const struct varve_failure *failure = varve_session_failure(NULL);
    int size = snprintf(
        line, sizeof line, "%c%s %s\n%s\n%s", 1, step, varve_status_name(status),
        failure ? varve_failure_kind_name(failure->kind) : "none", varve_session_error(NULL));
    answer->size = 0;
    add(answer, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
    return false;
}

/* The bytes are in a block of exactly their size, which is gone when the record is used. */
static bool
unpack(
    struct text *answer,
    const struct varve_record *table,
    const char *data,
    size_t size,
    void **record)
{
    char *copy = malloc(size);
    if (size > 0)
        memcpy(copy, data, size);
    enum varve_status status = varve_record_unpack(table, size > 0 ? copy : NULL, size, record);
    if (copy)
        memset(copy, 0xA5, size);
    free(copy);
    if (status == VARVE_OK)
        return true;
    return fail(answer, *record ? "unpack-kept-a-record" : "unpack", status);
}

static bool
pack(struct text *answer, const struct varve_record *table, const void *record)
{
    struct varve_bytes bytes;
    enum varve_status status = varve_record_pack(table, record, &bytes);
    if (status != VARVE_OK)
        return fail(answer, bytes.data ? "pack-kept-bytes" : "pack", status);
    add_part(answer, bytes.data, bytes.size);
    varve_bytes_free(&bytes);
    return true;
}

/* First into a buffer that is too small, with nothing behind it. */
static bool
print(struct text *answer, const struct varve_record *table, const void *record)
{
    enum varve_status status = VARVE_INVALID;
    char *buffer = NULL;
    for (size_t size = 7; status == VARVE_INVALID && size < (size_t)1 << 30; size *= 8) {
        free(buffer);
        buffer = malloc(size);
        if (!buffer)
            abort();
        status = varve_record_print(table, record, buffer, size);
        if (strlen(buffer) >= size)
            abort();
    }
    if (status == VARVE_OK)
        add_part(answer, buffer, strlen(buffer));
    free(buffer);
    return status == VARVE_OK || fail(answer, "print", status);
}

/* Whether a record equals what comes back after packing and unpacking. */
static bool
survives(struct text *answer, const struct varve_record *table, const void *record)
{
    struct varve_bytes bytes;
    void *again = NULL;
    enum varve_status status = varve_record_pack(table, record, &bytes);
    if (status != VARVE_OK)
        return fail(answer, "pack", status);
    bool done = unpack(answer, table, (const char *)bytes.data, bytes.size, &again);
    if (done)
        add_flag(
            answer,
            varve_record_equal(table, record, again) && varve_record_equal(table, again, record));
    varve_bytes_free(&bytes);
    varve_record_free(again);
    return done;
}

/* Parts: packed; text; equal to its clone; survives packing; the clone packed when the record is
 * gone; text and packed bytes without unknown fields. */
static void
examine(struct text *answer, const struct varve_record *table, const char *data, size_t size)
{
    void *record = NULL;
    void *copy = NULL;
    if (!unpack(answer, table, data, size, &record))
        return;
    bool done = pack(answer, table, record) && print(answer, table, record);
    enum varve_status status = varve_record_clone(table, record, &copy);
    if (done && status != VARVE_OK)
        done = fail(answer, "clone", status);
    if (done)
        add_flag(
            answer,
            varve_record_equal(table, record, copy) && varve_record_equal(table, copy, record));
    done = done && survives(answer, table, record);
    varve_record_free(record);
    done = done && pack(answer, table, copy);
    if (done) {
        varve_record_clear_unknown(table, copy);
        done = print(answer, table, copy) && pack(answer, table, copy);
    }
    varve_record_free(copy);
}

static void
compare(struct text *answer, const struct varve_record *table, const char *data, size_t size)
{
    uint32_t first;
    void *a = NULL;
    void *b = NULL;
    memcpy(&first, data, sizeof first);
    data += sizeof first;
    size -= sizeof first;
    if (unpack(answer, table, data, first, &a) &&
        unpack(answer, table, data + first, size - first, &b))
        add_flag(answer, varve_record_equal(table, a, b));
    varve_record_free(a);
    varve_record_free(b);
}

static void
make(struct text *answer, const struct varve_record *table, const char *data)
{
    struct fill fill = {0};
    memcpy(&fill.state, data, sizeof fill.state);
    void *record = fill_record(&fill, table);
    if (pack(answer, table, record))
        print(answer, table, record);
    fill_free(&fill);
}

static void
make_and_compare(
    struct text *answer, const struct varve_record *table, const char *data, size_t size)
{
    struct fill fill = {0};
    void *read = NULL;
    memcpy(&fill.state, data, sizeof fill.state);
    void *record = fill_record(&fill, table);
    if (unpack(answer, table, data + sizeof fill.state, size - sizeof fill.state, &read))
        add_flag(
            answer,
            varve_record_equal(table, record, read) && varve_record_equal(table, read, record));
    varve_record_free(read);
    fill_free(&fill);
}

static void
list(struct text *answer)
{
    struct text names = {0};
    for (size_t i = 0; i < wiretest_schema.record_count; i++) {
        const char *name = wiretest_schema.records[i]->descriptor->name;
        add(&names, name, strlen(name));
        add(&names, "\n", 1);
    }
    add_part(answer, names.data, names.size);
    free(names.data);
}

/* ---------------------------------------------------------------------------- the loop */

static void
run(const struct text *command, struct text *answer)
{
    uint16_t number;
    if (command->size < 3)
        abort();
    memcpy(&number, command->data + 1, sizeof number);
    if (number >= wiretest_schema.record_count)
        abort();
    const struct varve_record *table = wiretest_schema.records[number];
    const char *data = command->data + 3;
    size_t size = command->size - 3;
    add(answer, "", 1);
    switch (command->data[0]) {
    case 'L':
        list(answer);
        break;
    case 'D':
        add_part(answer, wiretest_schema.descriptor_set, wiretest_schema.descriptor_set_size);
        break;
    case 'A':
        examine(answer, table, data, size);
        break;
    case 'E':
        compare(answer, table, data, size);
        break;
    case 'S':
        make(answer, table, data);
        break;
    case 'Q':
        make_and_compare(answer, table, data, size);
        break;
    default:
        abort();
    }
}

static bool
read_command(struct text *command)
{
    uint32_t size;
    if (fread(&size, sizeof size, 1, stdin) != 1)
        return false;
    command->data = malloc(size + 1u);
    command->size = size;
    return command->data && fread(command->data, 1, size, stdin) == size;
}

static int
serve(void)
{
    struct text command = {0};
    while (read_command(&command)) {
        struct text answer = {0};
        run(&command, &answer);
        if (allocated != 0) {
            answer.size = 0;
            add(&answer, "\1leak VARVE_?\n?\nblocks are left", 31);
            allocated = 0;
        }
        uint32_t size = (uint32_t)answer.size;
        fwrite(&size, sizeof size, 1, stdout);
        fwrite(answer.data, 1, answer.size, stdout);
        fflush(stdout);
        free(answer.data);
        free(command.data);
        command = (struct text){0};
    }
    free(command.data);
    return 0;
}

/* As fuzz_unpack reads its inputs: the message, which allocation fails, the packed record. */
static int
write_seed(const char *folder, unsigned number)
{
    char path[4096];
    size_t message = number % wiretest_schema.record_count;
    const struct varve_record *table = wiretest_schema.records[message];
    struct fill fill = {.state = number};
    struct varve_bytes bytes = {0};
    snprintf(path, sizeof path, "%s/%s.%u", folder, table->descriptor->name, number);
    enum varve_status status = varve_record_pack(table, fill_record(&fill, table), &bytes);
    FILE *file = fopen(path, "wb");
    int failed = status != VARVE_OK || !file;
    if (!failed && bytes.size < 4096) {
        const uint8_t head[2] = {(uint8_t)message, 0};
        failed = fwrite(head, 1, sizeof head, file) != sizeof head ||
                 fwrite(bytes.data, 1, bytes.size, file) != bytes.size;
    }
    if (file)
        failed |= fclose(file) != 0;
    if (failed)
        fprintf(stderr, "%s: not written: %s\n", path, varve_session_error(NULL));
    varve_bytes_free(&bytes);
    fill_free(&fill);
    return failed;
}

int
main(int argc, char **argv)
{
    static const struct varve_allocator counting = {
        .allocate = count_allocate, .release = count_release};
    varve_set_allocator(&counting);
    if (argc == 1)
        return serve();
    if (argc != 4 || strcmp(argv[1], "--seeds") != 0) {
        fprintf(stderr, "usage: wire_peer [--seeds FOLDER COUNT]\n");
        return 2;
    }
    for (unsigned i = 0; i < (unsigned)atoi(argv[3]); i++) {
        if (write_seed(argv[2], i) != 0)
            return 1;
    }
    return 0;
}
