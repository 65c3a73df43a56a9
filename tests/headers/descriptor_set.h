/* Reads an embedded google.protobuf.FileDescriptorSet, as far as the tests need it: the messages of a
 * package and their fields. It reads what the generator wrote and stops the test at anything else. */
#ifndef VARVE_TESTS_DESCRIPTOR_SET_H
#define VARVE_TESTS_DESCRIPTOR_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
    const uint8_t *data;
    size_t size; /* bytes left */
};

/* A message of the schema. `proto` is its DescriptorProto. */
struct set_message {
    char full_name[512];
    struct wire proto;
    bool is_map_entry;
};

struct set_field {
    char name[256];
    uint32_t number;
    uint32_t type;  /* of google.protobuf.FieldDescriptorProto.Type */
    uint32_t label; /* 1 optional, 2 required, 3 repeated */
    bool is_primary_key;
    bool is_unique;
    bool is_tensor;
};

/* An index of (varve.table). */
struct set_index {
    char fields[8][256];
    size_t field_count;
    char where[512];
    bool is_unique;
};

/* The option (varve.cache) of a message. Enums are numbers, as in options.proto. */
struct set_cache {
    char key[512];
    char index_by[256];
    char hash_tag[256];
    uint32_t ttl_seconds;
    int64_t compress_above_bytes; /* -1: not said */
    uint32_t compression;         /* 0 ZSTD, 1 LZ4, 2 DEFLATE, 3 NONE */
    uint32_t mode;                /* 0 AUTO, 1 ONLY, 2 READ_THROUGH */
};

/* Calls `visit` for each message of the package, nested ones and map entries included. */
void
descriptor_set_messages(
    struct wire set,
    const char *package,
    void (*visit)(const struct set_message *message, void *context),
    void *context);

/* The message's next field into *field, beginning with *position 0. False: no more. */
bool
descriptor_set_next_field(
    const struct set_message *message, size_t *position, struct set_field *field);

/* Whether the message has the option (varve.table). */
bool
descriptor_set_has_table(const struct set_message *message);

/* Whether the message has the option (varve.cache), which is then in *cache. */
bool
descriptor_set_cache(const struct set_message *message, struct set_cache *cache);

/* The next index of the message's table into *index, beginning with *position 0. False: no more. */
bool
descriptor_set_next_index(
    const struct set_message *message, size_t *position, struct set_index *index);

#endif
