/* JSON columns of any type for the tests of writing and reading: a schema of one field, made anew
 * for each type, in the shape that the generator writes. */
#ifndef VARVE_TESTS_JSON_FIXTURE_H
#define VARVE_TESTS_JSON_FIXTURE_H

#include "support.h"

#include "base/arena.h"
#include "codec/field.h"
#include "codec/json.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A test with an arena of its own. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, json_begin, json_end)

union scalar {
    int32_t int32;
    uint32_t uint32;
    int64_t int64;
    uint64_t uint64;
    float real32;
    double real64;
    protobuf_c_boolean boolean;
    const char *string;
};

struct entry {
    ProtobufCMessage base;
    union scalar key;
    union scalar value;
};

struct sample {
    ProtobufCMessage base;
    struct varve__list list;
};

/* The message lab.Sample with the one field "things", 7: repeated, or a map. */
struct schema {
    ProtobufCFieldDescriptor field;
    ProtobufCFieldDescriptor entry_fields[2];
    ProtobufCMessageDescriptor descriptor;
    ProtobufCMessageDescriptor entry_descriptor;
    struct entry entry_initial;
    struct varve_record entry_record;
    struct varve_column column;
    struct varve_record record;
};

enum {
    NO_KEY = -1 /* an array */
};

enum shape {
    INTS,
    BIGS,
    DOUBLES,
    BOOLS,
    STRINGS,
    TEXTS,   /* map<string, string> */
    BY_INT,  /* map<int32, int32> */
    BY_BOOL, /* map<bool, int32> */
};

extern struct varve__arena *arena;

/* Replaces the arena by an empty one. */
void
fresh_arena(void);
extern struct schema schema;
extern struct sample sample;

int
json_begin(void **state);

int
json_end(void **state);

/* Makes `schema` and an empty `sample`: an array for NO_KEY, else a map. */
void
use(int key_type, ProtobufCType type);

void
use_shape(enum shape shape);

/* Makes the value the array's only element. */
void
set_element(const union scalar *value);

/* A further entry of the map, without key and value. */
struct entry *
add_entry(void);

struct entry *
entry_at(size_t index);

const char *
string_at(size_t index);

/* The text of `sample`, with a NUL. */
const char *
encode(void);

/* Reads a copy of the text that has nothing behind it, so that no byte too many is read unseen. */
enum varve_status
decode_bytes(const char *text, size_t size);

/* Reads a text that must be good. */
void
decode(const char *text);

/* The text is refused, with this in the sentence. */
void
assert_refused(const char *text, const char *sentence);

/* Deterministic, so that a failure comes again. */
uint64_t
random_bits(void);

#endif
