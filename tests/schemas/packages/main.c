/* Packages with dots and acronyms, across folders; each umbrella and each file's header alone serve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#include "3d/x3d_y2.varve.h"
#include "acme/base/acme_base.varve.h"
#include "acme/eeg/HTTP-log.v2.varve.h"
#include "acme/eeg/acme_eeg_lab_v1.varve.h"
#include "check_tables.h"

static void
packages_are_prefixes_in_snake_case(void **state)
{
    (void)state;
    assert_string_equal(acme_base_schema.package, "acme.base");
    assert_string_equal(acme_eeg_lab_v1_schema.package, "acme.EEGLab.v1");
    assert_string_equal(x3d_y2_schema.package, "x3D.y2");
    assert_int_equal(acme_base_schema.record_count, 1);
    assert_int_equal(acme_eeg_lab_v1_schema.record_count, 3);
    assert_int_equal(x3d_y2_schema.record_count, 1);
}

static void
messages_of_one_name_stay_apart(void **state)
{
    (void)state;
    struct acme_base_session inner;
    struct acme_eeg_lab_v1_session outer;
    struct acme_eeg_lab_v1_session *copy;
    acme_base_session_init(&inner);
    acme_eeg_lab_v1_session_init(&outer);
    inner.id = 3;
    inner.unit = ACME_BASE_MILLIVOLT;
    outer.base_session = &inner;
    outer.has_spare_unit = 1;
    outer.spare_unit = ACME_BASE_MILLIVOLT;
    assert_int_equal(acme_eeg_lab_v1_session_clone(&outer, &copy), VARVE_OK);
    assert_int_equal(copy->base_session->unit, ACME_BASE_MILLIVOLT);
    assert_ptr_equal(copy->base_session->base.descriptor, &acme_base_session_descriptor);
    acme_eeg_lab_v1_session_free(copy);
}

static void
types_are_used_across_packages(void **state)
{
    (void)state;
    struct acme_eeg_lab_v1_http_server_log log;
    struct x3d_y2_lfp_trace3d trace;
    struct acme_eeg_lab_v1_eeg_channel2 channel;
    acme_eeg_lab_v1_http_server_log_init(&log);
    acme_eeg_lab_v1_eeg_channel2_init(&channel);
    x3d_y2_lfp_trace3d_init(&trace);
    trace.log = &log;
    log.channel = &channel;
    assert_int_equal(channel.from_case, ACME_EEG_LAB_V1_EEG_CHANNEL2_FROM_CASE_NOT_SET);
    assert_true(x3d_y2_lfp_trace3d_equal(&trace, &trace));
}

static void
tables_keep_the_rules(void **state)
{
    (void)state;
    const struct varve_schema *const schemas[] = {
        &acme_base_schema, &acme_eeg_lab_v1_schema, &x3d_y2_schema};
    for (size_t i = 0; i < 3; i++) {
        check_registry(schemas[i]);
        for_each_record(schemas[i], check_fields);
        for_each_record(schemas[i], check_layout);
        for_each_record(schemas[i], check_columns);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packages_are_prefixes_in_snake_case),
        cmocka_unit_test(messages_of_one_name_stay_apart),
        cmocka_unit_test(types_are_used_across_packages),
        cmocka_unit_test(tables_keep_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
