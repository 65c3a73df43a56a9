// The generated headers as a C++ program uses them: no INIT there, but _init() and assignment, filters
// that begin empty, and the same functions.
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <csetjmp>

extern "C" {
#include <cmocka.h>
}

#include "cortex/cortex.varve.h"
#include "shapes.varve.h"

// What C lays out and libprotobuf-c writes is laid out the same here.
static_assert(std::is_standard_layout<shapes_choice>::value, "a struct of C");
static_assert(std::is_trivial<shapes_tensors>::value, "a struct of C");
static_assert(offsetof(shapes_optionals, base) == 0, "base is the first member");
static_assert(sizeof(shapes_optionals().has_d) == sizeof(int), "a flag is an int");
static_assert(sizeof(shapes_colour) == sizeof(int), "an enum is an int");
static_assert(SHAPES_SPARSE_FIELD_LAST == 536870911, "field numbers");
static_assert(SHAPES_CHOICE_KIND_CASE_LEAF == 9, "oneof cases");
static_assert(std::is_trivial<shapes_families_filter>::value, "a struct of C");
static_assert(
    offsetof(shapes_families_filter, order_by) == 25 * sizeof(varve_condition), "as in C");

// Compiles for a function of this very type.
template <typename Function>
constexpr bool
is_function(Function *)
{
    return true;
}

#define WRAPPER_IS(name, result, ...)                                                              \
    static_assert(is_function<result(__VA_ARGS__)>(name), "a function of this type")
#define CONDITION_IS(message, field, family)                                                       \
    static_assert(                                                                                 \
        std::is_same<decltype(message##_filter::field), varve_##family##_condition>::value,        \
        "another family")

#include "wrapper_types.h"

namespace
{

struct FreeScalars {
    void
    operator()(shapes_scalars *record) const
    {
        shapes_scalars_free(record);
    }
};

using Scalars = std::unique_ptr<shapes_scalars, FreeScalars>;

shapes_leaf
leaf(const char *text, int32_t number)
{
    shapes_leaf made;
    shapes_leaf_init(&made);
    made.text = text;
    made.number = number;
    return made;
}

void
init_makes_an_empty_record(void **)
{
    shapes_scalars record;
    std::memset(&record, 0xa5, sizeof(record));
    shapes_scalars_init(&record);
    assert_ptr_equal(record.base.descriptor, &shapes_scalars_descriptor);
    assert_string_equal(record.text, "");
    assert_null(record.leaf);
    assert_true(record.colour == SHAPES_COLOUR_NONE);

    std::unique_ptr<cortex_episode> episode(new cortex_episode);
    cortex_episode_init(episode.get());
    assert_ptr_equal(episode->base.descriptor, &cortex_episode_descriptor);
}

void
records_are_assigned_like_any_struct(void **)
{
    shapes_leaf first = leaf("a", 1);
    shapes_leaf second;
    shapes_leaf_init(&second);
    second = first;
    assert_true(shapes_leaf_equal(&first, &second));
    std::vector<shapes_leaf> many(3, first);
    many.push_back(leaf("b", 2));
    assert_string_equal(many.back().text, "b");
}

void
enums_have_names(void **)
{
    shapes_colour value = SHAPES_GREEN;
    assert_true(shapes_colour_parse("CRIMSON", &value));
    assert_true(value == SHAPES_RED);
    assert_false(shapes_colour_parse("MAUVE", &value));
    assert_true(value == SHAPES_RED);
    assert_string_equal(shapes_colour_name(value), "RED");
    assert_string_equal(shapes_colour_name(SHAPES_LOWEST), "LOWEST");
}

void
a_record_is_packed_and_unpacked(void **)
{
    shapes_leaf inner = leaf("inner", -3);
    const std::string blob("\x00\x01\x02", 3);
    shapes_scalars record;
    shapes_scalars_init(&record);
    record.d = 0.5;
    record.u64 = UINT64_MAX;
    record.flag = true;
    record.text = "grüße";
    record.blob.size = blob.size();
    record.blob.data = reinterpret_cast<uint8_t *>(const_cast<char *>(blob.data()));
    record.colour = SHAPES_HIGHEST;
    record.leaf = &inner;

    varve_bytes bytes;
    assert_int_equal(shapes_scalars_pack(&record, &bytes), VARVE_OK);
    shapes_scalars *unpacked = nullptr;
    assert_int_equal(shapes_scalars_unpack(bytes.data, bytes.size, &unpacked), VARVE_OK);
    varve_bytes_free(&bytes);
    Scalars owner(unpacked);
    assert_true(shapes_scalars_equal(&record, owner.get()));
    assert_string_equal(owner->text, "grüße");
    assert_string_equal(owner->leaf->text, "inner");

    shapes_scalars *copy = nullptr;
    assert_int_equal(shapes_scalars_clone(owner.get(), &copy), VARVE_OK);
    Scalars copy_owner(copy);
    assert_true(shapes_scalars_equal(&record, copy));
    char text[512];
    assert_int_equal(shapes_scalars_print(copy, text, sizeof(text)), VARVE_OK);
    assert_non_null(std::strstr(text, "inner"));
}

void
damaged_bytes_give_no_record(void **)
{
    const uint8_t damaged[] = {0xff, 0xff, 0xff};
    shapes_scalars local;
    shapes_scalars *unpacked = &local;
    assert_int_equal(shapes_scalars_unpack(damaged, sizeof(damaged), &unpacked), VARVE_INVALID);
    assert_null(unpacked);
}

void
oneofs_and_maps_are_filled_in(void **)
{
    shapes_leaf inner = leaf("x", 4);
    shapes_maps_leaves_entry entry;
    shapes_maps_leaves_entry_init(&entry);
    entry.key = 7;
    entry.value = &inner;
    shapes_maps_leaves_entry *entries[] = {&entry};
    shapes_maps maps;
    shapes_maps_init(&maps);
    maps.leaves.count = 1;
    maps.leaves.data = entries;
    shapes_maps *copy = nullptr;
    assert_int_equal(shapes_maps_clone(&maps, &copy), VARVE_OK);
    assert_int_equal(copy->leaves.data[0]->value->number, 4);
    shapes_maps_free(copy);

    shapes_choice choice;
    shapes_choice_init(&choice);
    assert_true(choice.kind_case == SHAPES_CHOICE_KIND_CASE_NOT_SET);
    choice.kind_case = SHAPES_CHOICE_KIND_CASE_TEXT;
    choice.text = "words";
    shapes_choice *chosen = nullptr;
    assert_int_equal(shapes_choice_clone(&choice, &chosen), VARVE_OK);
    assert_string_equal(chosen->text, "words");
    shapes_choice_free(chosen);
}

void
records_are_stored_and_found(void **)
{
    varve_config config = {};
    varve_store *store = nullptr;
    varve_session *session = nullptr;
    config.data_dir = ":memory:";
    assert_int_equal(varve_open(&shapes_schema, &config, &store, nullptr), VARVE_OK);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    std::vector<shapes_named> records(2);
    for (shapes_named &record : records)
        shapes_named_init(&record);
    records[0].name = "first";
    records[1].name = "second";
    assert_int_equal(shapes_named_insert_many(session, records.data(), 2), VARVE_OK);

    shapes_named_filter filter = {};
    filter.name = varve_text_prefix("f");
    filter.order_by = SHAPES_NAMED_FIELD_NAME;
    varve_cursor *cursor = nullptr;
    const shapes_named *row = nullptr;
    assert_int_equal(shapes_named_find(session, &filter, &cursor), VARVE_OK);
    assert_int_equal(shapes_named_next(cursor, &row), VARVE_ROW);
    assert_string_equal(row->name, "first");
    assert_int_equal(shapes_named_next(cursor, &row), VARVE_DONE);
    varve_cursor_close(cursor);

    shapes_named *found = nullptr;
    assert_int_equal(shapes_named_get(session, "second", &found), VARVE_OK);
    assert_string_equal(found->name, "second");
    shapes_named_free(found);
    const shapes_named_field fields[] = {SHAPES_NAMED_FIELD_PARENT};
    records[1].parent = "first";
    assert_int_equal(shapes_named_update_fields(session, &records[1], fields, 1), VARVE_OK);
    varve_session_close(session);
    varve_close(store);
}

void
records_are_cached(void **)
{
    varve_config config = {};
    varve_store *store = nullptr;
    varve_session *session = nullptr;
    config.data_dir = ":memory:";
    assert_int_equal(varve_open(&shapes_schema, &config, &store, nullptr), VARVE_OK);
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    shapes_hot record;
    shapes_hot_init(&record);
    record.text = "region";
    record.seen_at = 7;
    varve_cache_options options = {};
    options.ttl_seconds = 5;
    assert_int_equal(shapes_hot_cache_put_with(session, &record, &options), VARVE_OK);

    shapes_hot *found = nullptr;
    assert_int_equal(shapes_hot_cache_get(session, &record, &found), VARVE_OK);
    assert_int_equal(found->seen_at, 7);
    shapes_hot_free(found);
    char key[VARVE_KEY_SIZE];
    assert_int_equal(shapes_hot_key(&record, key, sizeof(key)), VARVE_OK);
    assert_string_equal(key, "hot:region:n{a0}:a0x:v-0-:a0:end");
    varve_session_close(session);
    varve_close(store);
}

} // namespace

int
main()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_makes_an_empty_record),
        cmocka_unit_test(records_are_assigned_like_any_struct),
        cmocka_unit_test(enums_have_names),
        cmocka_unit_test(a_record_is_packed_and_unpacked),
        cmocka_unit_test(damaged_bytes_give_no_record),
        cmocka_unit_test(oneofs_and_maps_are_filled_in),
        cmocka_unit_test(records_are_stored_and_found),
        cmocka_unit_test(records_are_cached),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
