/* c_name options replace the name in every C identifier, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#include "words.varve.h"

#include "check_tables.h"

static void
identifiers_have_the_given_names(void **state)
{
    (void)state;
    struct words_token_message message;
    struct words_token_message_part part;
    struct words_token_message_part_fallback_entry entry;
    enum words_lexeme lexeme = WORDS_CLASS_TOKEN;
    words_token_message_init(&message);
    words_token_message_part_init(&part);
    words_token_message_part_fallback_entry_init(&entry);
    message.identity = WORDS_TOKEN_MESSAGE_FIELD_IDENTITY;
    message.class_name = "a";
    message.limit_value = 2;
    message.union_case = WORDS_TOKEN_MESSAGE_UNION_CASE_ENUM_VALUE;
    message.enum_value = lexeme;
    message.end_of_file.count = 1;
    message.end_of_file.data = &lexeme;
    message.made = &part;
    part.has_is_true = 1;
    struct words_token_message *copy;
    assert_int_equal(words_token_message_clone(&message, &copy), VARVE_OK);
    assert_true(copy->made->has_is_true);
    words_token_message_free(copy);
}

static void
filters_have_the_given_names(void **state)
{
    (void)state;
    struct words_token_message_filter filter;
    memset(&filter, 0, sizeof(filter));
    filter.identity = varve_int64_at_least(1);
    filter.class_name = varve_text_equals("a");
    filter.limit_value = varve_int64_in(NULL, 0);
    filter.enum_value = varve_enum_equals(WORDS_CLASS_TOKEN);
    filter.made = varve_is_null();
    filter.end_of_file = varve_is_not_null();
    filter.order_by = WORDS_TOKEN_MESSAGE_FIELD_CLASS_NAME;
    filter.limit = 1;
    const size_t count =
        offsetof(struct words_token_message_filter, order_by) / sizeof(filter.made);
    assert_int_equal(count, words_token_message_record.column_count);
}

static void
stored_names_are_the_schemas(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *message = &words_token_message_descriptor;
    assert_string_equal(message->name, "words.Token_field");
    assert_non_null(protobuf_c_message_descriptor_get_field_by_name(message, "base"));
    assert_non_null(protobuf_c_message_descriptor_get_field_by_name(message, "EOF"));
    assert_null(protobuf_c_message_descriptor_get_field_by_name(message, "identity"));
    assert_string_equal(words_token_message_record.table->name, "token_field");
    assert_non_null(strstr(words_token_message_record.table->ddl, "\"class\""));
    assert_string_equal(words_lexeme_name(WORDS_CLASS_TOKEN), "CLASS");
}

static void
tables_keep_the_rules(void **state)
{
    (void)state;
    check_registry(&words_schema);
    for_each_record(&words_schema, check_fields);
    for_each_record(&words_schema, check_layout);
    for_each_record(&words_schema, check_columns);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_have_the_given_names),
        cmocka_unit_test(filters_have_the_given_names),
        cmocka_unit_test(stored_names_are_the_schemas),
        cmocka_unit_test(tables_keep_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
