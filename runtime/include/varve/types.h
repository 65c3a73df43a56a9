/* The C types of fields that are more than one number: bytes, repeated scalars, tensors.
 *
 *     float values[] = { 0.5f, 0.25f };
 *     concept.embedding = (struct varve_floats){ .count = 2, .data = values };
 *
 * All of them are {count, data} (bytes: {size, data}), the layout that libprotobuf-c packs. In a
 * record none of them owns its memory: in a record of yours `data` is your array and stays yours,
 * in a record that varve returned it lies in the record's own block. Only the bytes that a pack
 * function makes are memory of their own, for varve_bytes_free(); never call it on a record's
 * field.
 *
 * Tensors are row-major: the last dim varies fastest. One with count > 0 and data NULL is "not
 * loaded".
 */
#ifndef VARVE_TYPES_H
#define VARVE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* Bytes of any content. `size` stands first because libprotobuf-c reads it as the presence. */
struct varve_bytes {
    size_t size; /* in bytes */
    uint8_t *data;
};

struct varve_floats {
    size_t count; /* in elements */
    float *data;
};

struct varve_doubles {
    size_t count;
    double *data;
};

struct varve_int8s {
    size_t count;
    int8_t *data;
};

struct varve_uint8s {
    size_t count;
    uint8_t *data;
};

struct varve_int16s {
    size_t count;
    int16_t *data;
};

/* uint16 elements, and the bits of float16 ones. */
struct varve_uint16s {
    size_t count;
    uint16_t *data;
};

struct varve_int32s {
    size_t count;
    int32_t *data;
};

struct varve_uint32s {
    size_t count;
    uint32_t *data;
};

struct varve_int64s {
    size_t count;
    int64_t *data;
};

struct varve_uint64s {
    size_t count;
    uint64_t *data;
};

struct varve_bools {
    size_t count;
    protobuf_c_boolean *data; /* ints: libprotobuf-c reads and writes them as such */
};

struct varve_strings {
    size_t count;
    const char **data; /* UTF-8, NUL-terminated, none of them NULL */
};

struct varve_blobs {
    size_t count;
    struct varve_bytes *data;
};

#endif
