/* The generated headers as a C program uses them: initialisers wherever C allows one, members where
 * libprotobuf-c needs them, names and numbers of the naming table. usage.cc is the same for C++,
 * tables.c looks at the generated tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cortex/cortex.varve.h"
#include "shapes.varve.h"

/* ------------------------------------------------------------------ layout */

#define BASE_FIRST(message)                                                                        \
    _Static_assert(offsetof(struct message, base) == 0, #message ": base is not the first member")

BASE_FIRST(shapes_nothing);
BASE_FIRST(shapes_leaf);
BASE_FIRST(shapes_scalars);
BASE_FIRST(shapes_optionals);
BASE_FIRST(shapes_repeateds);
BASE_FIRST(shapes_choice);
BASE_FIRST(shapes_maps);
BASE_FIRST(shapes_maps_texts_entry);
BASE_FIRST(shapes_tree);
BASE_FIRST(shapes_outer_middle_inner);
BASE_FIRST(shapes_sparse);
BASE_FIRST(shapes_tensors);
BASE_FIRST(shapes_families);
BASE_FIRST(shapes_hot);
BASE_FIRST(cortex_episode);
BASE_FIRST(cortex_concept);

_Static_assert(sizeof(struct shapes_nothing) == sizeof(ProtobufCMessage), "an empty message");

/* An expression of the type of a member, for sizeof and _Generic. */
#define MEMBER(message, name) (((struct message *)0)->name)
#define HAS_IS_INT(name)                                                                           \
    _Static_assert(                                                                                \
        sizeof(MEMBER(shapes_optionals, has_##name)) == sizeof(protobuf_c_boolean),                \
        "libprotobuf-c writes has_" #name " as an int")

HAS_IS_INT(d);
HAS_IS_INT(f);
HAS_IS_INT(i32);
HAS_IS_INT(i64);
HAS_IS_INT(u32);
HAS_IS_INT(u64);
HAS_IS_INT(s32);
HAS_IS_INT(s64);
HAS_IS_INT(f32);
HAS_IS_INT(f64);
HAS_IS_INT(sf32);
HAS_IS_INT(sf64);
HAS_IS_INT(flag);
HAS_IS_INT(blob);
HAS_IS_INT(colour);

#define MEMBER_IS(type, message, name)                                                             \
    _Static_assert(                                                                                \
        _Generic(MEMBER(message, name), type : 1, default : 0),                                    \
        #message "." #name " is no " #type)

MEMBER_IS(double, shapes_scalars, d);
MEMBER_IS(float, shapes_scalars, f);
MEMBER_IS(int32_t, shapes_scalars, i32);
MEMBER_IS(int64_t, shapes_scalars, i64);
MEMBER_IS(uint32_t, shapes_scalars, u32);
MEMBER_IS(uint64_t, shapes_scalars, u64);
MEMBER_IS(int32_t, shapes_scalars, s32);
MEMBER_IS(int64_t, shapes_scalars, s64);
MEMBER_IS(uint32_t, shapes_scalars, f32);
MEMBER_IS(uint64_t, shapes_scalars, f64);
MEMBER_IS(int32_t, shapes_scalars, sf32);
MEMBER_IS(int64_t, shapes_scalars, sf64);
MEMBER_IS(protobuf_c_boolean, shapes_scalars, flag);
MEMBER_IS(const char *, shapes_scalars, text);
MEMBER_IS(struct varve_bytes, shapes_scalars, blob);
MEMBER_IS(enum shapes_colour, shapes_scalars, colour);
MEMBER_IS(struct shapes_leaf *, shapes_scalars, leaf);
MEMBER_IS(const char *, shapes_optionals, text);
MEMBER_IS(struct varve_bytes, shapes_optionals, blob);
MEMBER_IS(struct shapes_leaf *, shapes_optionals, leaf);
MEMBER_IS(struct varve_doubles, shapes_repeateds, d);
MEMBER_IS(struct varve_floats, shapes_repeateds, f);
MEMBER_IS(struct varve_int32s, shapes_repeateds, s32);
MEMBER_IS(struct varve_int64s, shapes_repeateds, sf64);
MEMBER_IS(struct varve_uint32s, shapes_repeateds, f32);
MEMBER_IS(struct varve_uint64s, shapes_repeateds, f64);
MEMBER_IS(struct varve_bools, shapes_repeateds, flag);
MEMBER_IS(struct varve_strings, shapes_repeateds, text);
MEMBER_IS(struct varve_blobs, shapes_repeateds, blob);
MEMBER_IS(enum shapes_colour *, shapes_repeateds, colour.data);
MEMBER_IS(size_t, shapes_repeateds, colour.count);
MEMBER_IS(struct shapes_leaf **, shapes_repeateds, leaf.data);
MEMBER_IS(struct shapes_maps_leaves_entry **, shapes_maps, leaves.data);
MEMBER_IS(uint64_t, shapes_maps_leaves_entry, key);
MEMBER_IS(struct shapes_leaf *, shapes_maps_leaves_entry, value);
MEMBER_IS(protobuf_c_boolean, shapes_maps_colours_entry, key);
MEMBER_IS(enum shapes_choice_kind_case, shapes_choice, kind_case);
MEMBER_IS(struct varve_floats, shapes_tensors, floats);
MEMBER_IS(struct varve_uint64s, shapes_tensors, fixed64s);
MEMBER_IS(struct varve_int8s, shapes_tensors, int8s);
MEMBER_IS(struct varve_uint8s, shapes_tensors, uint8s);
MEMBER_IS(struct varve_int16s, shapes_tensors, int16s);
MEMBER_IS(struct varve_uint16s, shapes_tensors, uint16s);
MEMBER_IS(struct varve_uint16s, shapes_tensors, float16s);

/* ------------------------------------------------------------------ wrappers and filters */

/* The address makes no call: what the runtime has is for wrappers.c. */
#define WRAPPER_IS(name, result, ...)                                                              \
    _Static_assert(                                                                                \
        _Generic(&name, result(*)(__VA_ARGS__) : 1, default : 0), #name " has other types")
#define CONDITION_IS(message, field, family)                                                       \
    MEMBER_IS(struct varve_##family##_condition, message##_filter, field)

#include "wrapper_types.h"

MEMBER_IS(enum shapes_families_field, shapes_families_filter, order_by);
MEMBER_IS(bool, shapes_families_filter, descending);
MEMBER_IS(int64_t, shapes_families_filter, limit);
MEMBER_IS(int64_t, shapes_families_filter, offset);
MEMBER_IS(const struct shapes_families *, shapes_families_filter, after);

/* ------------------------------------------------------------------ enumerators */

_Static_assert(SHAPES_SCALARS_FIELD_D == 1, "field numbers");
_Static_assert(SHAPES_SCALARS_FIELD_LEAF == 17, "field numbers");
_Static_assert(SHAPES_SPARSE_FIELD_LAST == 536870911, "field numbers");
_Static_assert(SHAPES_SPARSE_FIELD_SECOND == 2, "field numbers");
_Static_assert(SHAPES_CHOICE_FIELD_BLOB == 7, "field numbers of a oneof");
_Static_assert(SHAPES_CHOICE_KIND_CASE_NOT_SET == 0, "oneof cases");
_Static_assert(SHAPES_CHOICE_KIND_CASE_D == 2, "oneof cases are field numbers");
_Static_assert(SHAPES_CHOICE_KIND_CASE_LEAF == 9, "oneof cases are field numbers");
_Static_assert(SHAPES_CHOICE_SINGLE_CASE_ONLY == 10, "oneof cases are field numbers");
_Static_assert(SHAPES_OUTER_MIDDLE_INNER_BOLD == 7, "values of a nested enum");
_Static_assert(SHAPES_RED == 1 && SHAPES_CRIMSON == 1, "aliases");
_Static_assert(SHAPES_HIGHEST == INT32_MAX && SHAPES_LOWEST == INT32_MIN, "extremes");

static enum shapes_sparse_field sparse_field = SHAPES_SPARSE_FIELD_THIRD;
static enum cortex_episode_field episode_field = CORTEX_EPISODE_FIELD_ID;

static void
field_enumerators_find_their_fields(void **state)
{
    (void)state;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&shapes_sparse_descriptor, (unsigned)sparse_field);
    assert_string_equal(field->name, "third");
    field = protobuf_c_message_descriptor_get_field(
        &cortex_episode_descriptor, (unsigned)episode_field);
    assert_string_equal(field->name, "id");
}

/* ------------------------------------------------------------------ initialisers */

struct holder {
    int before;
    struct shapes_leaf leaf;
    struct shapes_choice choices[2];
};

static struct shapes_scalars static_scalars = SHAPES_SCALARS_INIT;
static struct shapes_leaf static_leaves[3] = {SHAPES_LEAF_INIT, SHAPES_LEAF_INIT, SHAPES_LEAF_INIT};
static const struct shapes_tensors static_const_tensors = SHAPES_TENSORS_INIT;
static struct holder static_holder = {
    .before = 1,
    .leaf = SHAPES_LEAF_INIT,
    .choices = {SHAPES_CHOICE_INIT, SHAPES_CHOICE_INIT},
};

static void
expect_empty_leaf(const struct shapes_leaf *leaf)
{
    assert_ptr_equal(leaf->base.descriptor, &shapes_leaf_descriptor);
    assert_int_equal(leaf->base.n_unknown_fields, 0);
    assert_null(leaf->base.unknown_fields);
    assert_string_equal(leaf->text, "");
    assert_int_equal(leaf->number, 0);
}

static void
init_works_in_statics(void **state)
{
    (void)state;
    assert_string_equal(static_scalars.text, "");
    assert_null(static_scalars.leaf);
    assert_int_equal(static_scalars.colour, SHAPES_COLOUR_NONE);
    for (size_t i = 0; i < 3; i++)
        expect_empty_leaf(&static_leaves[i]);
    assert_int_equal(static_const_tensors.float16s.count, 0);
    assert_int_equal(static_holder.before, 1);
    expect_empty_leaf(&static_holder.leaf);
    assert_string_equal(static_holder.choices[1].after, "");
    assert_int_equal(static_holder.choices[1].kind_case, SHAPES_CHOICE_KIND_CASE_NOT_SET);
}

static void
init_works_in_locals_arrays_and_literals(void **state)
{
    (void)state;
    struct shapes_leaf leaf = SHAPES_LEAF_INIT;
    struct shapes_leaf leaves[3] = {SHAPES_LEAF_INIT, SHAPES_LEAF_INIT, SHAPES_LEAF_INIT};
    struct holder holder = {.leaf = SHAPES_LEAF_INIT, .choices = {SHAPES_CHOICE_INIT}};
    const struct shapes_leaf *literal = &(struct shapes_leaf)SHAPES_LEAF_INIT;
    struct shapes_nothing nothing = SHAPES_NOTHING_INIT;
    struct shapes_maps_texts_entry entry = SHAPES_MAPS_TEXTS_ENTRY_INIT;
    expect_empty_leaf(&leaf);
    expect_empty_leaf(&leaves[0]);
    expect_empty_leaf(&leaves[2]);
    expect_empty_leaf(&holder.leaf);
    expect_empty_leaf(literal);
    assert_ptr_equal(nothing.base.descriptor, &shapes_nothing_descriptor);
    assert_string_equal(entry.key, "");
    assert_string_equal(entry.value, "");
    leaf = (struct shapes_leaf)SHAPES_LEAF_INIT;
    expect_empty_leaf(&leaf);
}

static void
optionals_begin_absent(void **state)
{
    (void)state;
    struct shapes_optionals optionals = SHAPES_OPTIONALS_INIT;
    assert_false(optionals.has_d || optionals.has_i32 || optionals.has_flag);
    assert_false(optionals.has_blob || optionals.has_colour);
    assert_null(optionals.text);
    assert_null(optionals.leaf);
}

/* init() of a type must make of any memory what INIT makes. */
#define CHECK_INIT(message, MESSAGE)                                                               \
    do {                                                                                           \
        struct message initialised = MESSAGE##_INIT;                                               \
        struct message *record = malloc(sizeof(*record));                                          \
        assert_non_null(record);                                                                   \
        memset(record, 0xa5, sizeof(*record));                                                     \
        message##_init(record);                                                                    \
        assert_ptr_equal(record->base.descriptor, &message##_descriptor);                          \
        assert_true(message##_equal(record, &initialised));                                        \
        assert_memory_equal(record, message##_record.initial, sizeof(*record));                    \
        free(record);                                                                              \
    } while (0)

static void
init_function_is_init_on_the_heap(void **state)
{
    (void)state;
    CHECK_INIT(shapes_nothing, SHAPES_NOTHING);
    CHECK_INIT(shapes_leaf, SHAPES_LEAF);
    CHECK_INIT(shapes_scalars, SHAPES_SCALARS);
    CHECK_INIT(shapes_optionals, SHAPES_OPTIONALS);
    CHECK_INIT(shapes_repeateds, SHAPES_REPEATEDS);
    CHECK_INIT(shapes_choice, SHAPES_CHOICE);
    CHECK_INIT(shapes_maps, SHAPES_MAPS);
    CHECK_INIT(shapes_tree, SHAPES_TREE);
    CHECK_INIT(shapes_outer_middle_inner, SHAPES_OUTER_MIDDLE_INNER);
    CHECK_INIT(shapes_sparse, SHAPES_SPARSE);
    CHECK_INIT(shapes_tensors, SHAPES_TENSORS);
    CHECK_INIT(shapes_families, SHAPES_FAMILIES);
    CHECK_INIT(shapes_hot, SHAPES_HOT);
    CHECK_INIT(cortex_episode, CORTEX_EPISODE);
    CHECK_INIT(cortex_concept, CORTEX_CONCEPT);
}

static void
init_function_serves_map_entries(void **state)
{
    (void)state;
    struct shapes_maps_texts_entry entry;
    memset(&entry, 0xa5, sizeof(entry));
    shapes_maps_texts_entry_init(&entry);
    assert_ptr_equal(entry.base.descriptor, &shapes_maps_texts_entry_descriptor);
    assert_string_equal(entry.key, "");
    assert_string_equal(entry.value, "");
}

/* ------------------------------------------------------------------ enums */

static void
expect_name(enum shapes_colour value, const char *expected)
{
    const char *name = shapes_colour_name(value);
    assert_non_null(name);
    assert_string_equal(name, expected);
}

static void
enum_names_are_the_schemas(void **state)
{
    (void)state;
    expect_name(SHAPES_COLOUR_NONE, "COLOUR_NONE");
    expect_name(SHAPES_GREEN, "GREEN");
    expect_name(SHAPES_CRIMSON, "RED"); /* of aliases the first */
    expect_name(SHAPES_LOWEST, "LOWEST");
    expect_name(SHAPES_HIGHEST, "HIGHEST"); /* libprotobuf-c's own search misses INT32_MAX */
    assert_null(shapes_colour_name((enum shapes_colour)3));
    assert_null(shapes_colour_name((enum shapes_colour) - 1));
    assert_string_equal(
        shapes_outer_middle_inner_mood_name(SHAPES_OUTER_MIDDLE_INNER_BOLD), "BOLD");
}

static void
enum_parse_knows_every_name_and_alias(void **state)
{
    (void)state;
    enum shapes_colour value = SHAPES_GREEN;
    assert_true(shapes_colour_parse("RED", &value));
    assert_int_equal(value, SHAPES_RED);
    assert_true(shapes_colour_parse("CRIMSON", &value));
    assert_int_equal(value, SHAPES_RED);
    assert_true(shapes_colour_parse("COLOUR_NONE", &value));
    assert_int_equal(value, 0);
    assert_true(shapes_colour_parse("LOWEST", &value));
    assert_int_equal(value, INT32_MIN);
}

static void
enum_parse_leaves_the_value_of_unknown_names(void **state)
{
    (void)state;
    static const char *const unknown[] = {"", "red", "RED ", "SHAPES_RED", "GREENER", "1", "ZZZ"};
    enum shapes_colour value = SHAPES_GREEN;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_false(shapes_colour_parse(unknown[i], &value));
        assert_int_equal(value, SHAPES_GREEN);
    }
}

/* ------------------------------------------------------------------ round trips */

/* Packs, unpacks and compares; returns the copy. */
static struct shapes_choice *
there_and_back(const struct shapes_choice *choice)
{
    struct varve_bytes bytes;
    struct shapes_choice *copy;
    assert_int_equal(shapes_choice_pack(choice, &bytes), VARVE_OK);
    assert_int_equal(shapes_choice_unpack(bytes.data, bytes.size, &copy), VARVE_OK);
    varve_bytes_free(&bytes);
    assert_true(shapes_choice_equal(choice, copy));
    return copy;
}

static void
oneof_members_keep_their_case(void **state)
{
    (void)state;
    uint8_t data[] = {1, 0, 2};
    struct shapes_leaf leaf = SHAPES_LEAF_INIT;
    struct shapes_choice choice = SHAPES_CHOICE_INIT;
    leaf.number = 5;
    choice.kind_case = SHAPES_CHOICE_KIND_CASE_LEAF;
    choice.leaf = &leaf;
    choice.single_case = SHAPES_CHOICE_SINGLE_CASE_ONLY; /* set, to zero */
    struct shapes_choice *copy = there_and_back(&choice);
    assert_int_equal(copy->kind_case, SHAPES_CHOICE_KIND_CASE_LEAF);
    assert_int_equal(copy->leaf->number, 5);
    assert_int_equal(copy->single_case, SHAPES_CHOICE_SINGLE_CASE_ONLY);
    shapes_choice_free(copy);

    choice.kind_case = SHAPES_CHOICE_KIND_CASE_BLOB;
    choice.blob = (struct varve_bytes){.size = 3, .data = data};
    copy = there_and_back(&choice);
    assert_int_equal(copy->kind_case, SHAPES_CHOICE_KIND_CASE_BLOB);
    assert_memory_equal(copy->blob.data, data, 3);
    shapes_choice_free(copy);
}

static void
tensors_and_enum_arrays_come_back(void **state)
{
    (void)state;
    float floats[] = {1, 2, 3, 4, 5, 6};
    uint16_t bits[] = {1, 2, 3, 4, 5, 0xffff};
    double doubles[] = {0.5, 0.25};
    int32_t constants[] = {7, 8, 9};
    int16_t shorts[] = {-1, 2};
    struct shapes_tensors tensors = SHAPES_TENSORS_INIT;
    tensors.rows = 2;
    tensors.columns = 3;
    tensors.floats = (struct varve_floats){.count = 6, .data = floats};
    tensors.float16s = (struct varve_uint16s){.count = 6, .data = bits};
    tensors.doubles = (struct varve_doubles){.count = 2, .data = doubles};
    tensors.int32s = (struct varve_int32s){.count = 3, .data = constants};
    tensors.int16s = (struct varve_int16s){.count = 2, .data = shorts};
    tensors.int8s = (struct varve_int8s){.count = 2, .data = (int8_t[]){-1, 1}};
    tensors.uint8s = (struct varve_uint8s){.count = 2, .data = (uint8_t[]){255, 1}};
    tensors.uint16s = (struct varve_uint16s){.count = 2, .data = bits};
    struct varve_bytes bytes;
    struct shapes_tensors *copy;
    assert_int_equal(shapes_tensors_pack(&tensors, &bytes), VARVE_OK);
    assert_int_equal(shapes_tensors_unpack(bytes.data, bytes.size, &copy), VARVE_OK);
    varve_bytes_free(&bytes);
    assert_int_equal(copy->float16s.count, 6);
    assert_int_equal(copy->float16s.data[5], 0xffff);
    assert_int_equal(copy->int16s.data[0], -1);
    assert_true(shapes_tensors_equal(&tensors, copy));
    shapes_tensors_free(copy);

    struct shapes_repeateds repeateds = SHAPES_REPEATEDS_INIT;
    enum shapes_colour colours[] = {SHAPES_GREEN, SHAPES_LOWEST, (enum shapes_colour)99};
    repeateds.colour.count = 3;
    repeateds.colour.data = colours;
    struct shapes_repeateds *again;
    assert_int_equal(shapes_repeateds_clone(&repeateds, &again), VARVE_OK);
    assert_int_equal(again->colour.data[1], SHAPES_LOWEST);
    assert_int_equal(again->colour.data[2], 99); /* open: an unknown number is kept */
    shapes_repeateds_free(again);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_enumerators_find_their_fields),
        cmocka_unit_test(init_works_in_statics),
        cmocka_unit_test(init_works_in_locals_arrays_and_literals),
        cmocka_unit_test(optionals_begin_absent),
        cmocka_unit_test(init_function_is_init_on_the_heap),
        cmocka_unit_test(init_function_serves_map_entries),
        cmocka_unit_test(enum_names_are_the_schemas),
        cmocka_unit_test(enum_parse_knows_every_name_and_alias),
        cmocka_unit_test(enum_parse_leaves_the_value_of_unknown_names),
        cmocka_unit_test(oneof_members_keep_their_case),
        cmocka_unit_test(tensors_and_enum_arrays_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
