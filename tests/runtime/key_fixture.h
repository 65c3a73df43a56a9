/* Records with keys for the cache, in the shape that the generator writes: one message with a field of
 * every type that a key may hold, under several templates. */
#ifndef VARVE_TESTS_KEY_FIXTURE_H
#define VARVE_TESTS_KEY_FIXTURE_H

#include <varve/varve.h>

enum spot_mode {
    SPOT_IDLE = 0,
    SPOT_RUN = 1,
};

struct spot {
    ProtobufCMessage base;
    const char *region;
    const char *name;
    int32_t int32;
    int32_t sint32;
    int32_t sfixed32;
    int64_t int64;
    int64_t sint64;
    int64_t sfixed64;
    uint32_t uint32;
    uint32_t fixed32;
    uint64_t uint64;
    uint64_t fixed64;
    protobuf_c_boolean ready;
    enum spot_mode mode;
    double score; /* in no key */
};

#define SPOT_INIT                                                                                  \
    {                                                                                              \
        .base = {.descriptor = &spot_descriptor}, .region = "", .name = ""                         \
    }

extern const ProtobufCMessageDescriptor spot_descriptor;

/* Templates of tests/runtime/key_fixture.c, by what is special about them. */
enum spot_key {
    SPOT_TEXT,       /* wm:{region} */
    SPOT_BINS,       /* spikes:{region}:{int64} */
    SPOT_TEXTS,      /* {region}:{name} */
    SPOT_AROUND,     /* a-{region}-z:n{int32}m:{name}z */
    SPOT_NUMBERS,    /* every number, bool and enum */
    SPOT_TAG,        /* tag:{region}:{int64} with a hash tag on region */
    SPOT_TAG_AROUND, /* <{region}>:{name} with a hash tag on region */
    SPOT_TAG_NUMBER, /* tags:{name}:i{int64} with a hash tag on int64 */
    SPOT_WHOLE,      /* n:{uint64} */
    SPOT_BOOL,       /* {ready}:b{mode}:end */
    SPOT_KEY_COUNT
};

/* The message under each template. */
extern const struct varve_record spot_records[SPOT_KEY_COUNT];

#endif
