/* How long values of the cache live: as their message says, as a call says, and anew. */
#include "api_support.h"

static enum varve_status
put_flash(struct varve_session *session, const char *name, int64_t ttl_seconds)
{
    struct cache_lab_flash flash = CACHE_LAB_FLASH_INIT;
    flash.name = name;
    return cache_lab_flash_cache_put_with(
        session, &flash, &(struct varve_cache_options){ttl_seconds});
}

static bool
has_flash(struct varve_session *session, const char *name)
{
    struct cache_lab_flash key = CACHE_LAB_FLASH_INIT;
    struct cache_lab_flash *found;
    key.name = name;
    enum varve_status status = cache_lab_flash_cache_get(session, &key, &found);
    assert_true(status == VARVE_OK || status == VARVE_NOT_FOUND);
    cache_lab_flash_free(found);
    return status == VARVE_OK;
}

static void
test_a_value_lives_as_long_as_is_said(void **state)
{
    struct api *api = *state;
    struct varve_session *session = api->session;
    expect_ok(session, put_flash(session, "of the message", 0));
    expect_ok(session, put_flash(session, "for good", -1));
    expect_ok(session, put_flash(session, "longer", 60));
    put_stored(session, "kept", "");
    assert_true(has_flash(session, "of the message"));
    api_pass_time(api, 1050);
    assert_false(has_flash(session, "of the message"));
    assert_true(has_flash(session, "for good"));
    assert_true(has_flash(session, "longer"));
    expect_stored(session, "kept", "");
}

static void
test_a_touch_gives_a_new_life(void **state)
{
    struct api *api = *state;
    struct varve_session *session = api->session;
    struct cache_lab_flash key = CACHE_LAB_FLASH_INIT;
    struct cache_lab_flash *found;
    static const char *const names[] = {"touched", "touched for good", "read with", "read"};
    for (size_t i = 0; i < 4; i++)
        expect_ok(session, put_flash(session, names[i], 0));
    api_pass_time(api, 600);
    key.name = names[0];
    expect_ok(session, cache_lab_flash_cache_touch(session, &key));
    key.name = names[1];
    const struct varve_cache_options for_good = {.ttl_seconds = -1};
    expect_ok(session, cache_lab_flash_cache_touch_with(session, &key, &for_good));
    key.name = names[2];
    expect_ok(session, cache_lab_flash_cache_get_with(session, &key, &found, &for_good));
    cache_lab_flash_free(found);
    assert_true(has_flash(session, names[3])); /* which gives it none */
    api_pass_time(api, 550);
    assert_true(has_flash(session, names[0]));
    assert_false(has_flash(session, names[3]));
    api_pass_time(api, 600);
    assert_false(has_flash(session, names[0]));
    assert_true(has_flash(session, names[1]));
    assert_true(has_flash(session, names[2]));
}

static void
test_get_many_gives_a_new_life_when_it_is_asked_to(void **state)
{
    struct api *api = *state;
    struct varve_session *session = api->session;
    const struct varve_cache_options longer = {.ttl_seconds = 60};
    struct cache_lab_flash keys[] = {CACHE_LAB_FLASH_INIT, CACHE_LAB_FLASH_INIT};
    struct cache_lab_flash **found;
    keys[0].name = "a";
    keys[1].name = "absent";
    expect_ok(session, put_flash(session, "a", 0));
    expect_ok(session, put_flash(session, "b", 0));
    expect_ok(session, cache_lab_flash_cache_get_many_with(session, keys, 2, &found, &longer));
    assert_true(found[0] && !found[1]);
    cache_lab_flash_free_many(found);
    api_pass_time(api, 1050);
    assert_true(has_flash(session, "a"));
    assert_false(has_flash(session, "b"));
    assert_false(has_flash(session, "absent"));
}

static void
test_a_life_that_is_none_is_misuse(void **state)
{
    struct varve_session *session = ((struct api *)*state)->session;
    static const int64_t lives[] = {-2, INT64_MIN, INT64_C(3155760001), INT64_MAX};
    struct cache_lab_flash key = CACHE_LAB_FLASH_INIT;
    struct cache_lab_flash *found;
    expect_ok(session, put_flash(session, "a", INT64_C(3155760000)));
    key.name = "a";
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        const struct varve_cache_options options = {.ttl_seconds = lives[i]};
        enum varve_status status = put_flash(session, "b", lives[i]);
        expect_failure(session, status, VARVE_MISUSE, "ttl_seconds is");
        status = cache_lab_flash_cache_touch_with(session, &key, &options);
        expect_failure(session, status, VARVE_MISUSE, "ttl_seconds is");
        status = cache_lab_flash_cache_get_with(session, &key, &found, &options);
        expect_failure(session, status, VARVE_MISUSE, "1 to 3155760000");
    }
    assert_true(has_flash(session, "a"));
    assert_false(has_flash(session, "b"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_a_value_lives_as_long_as_is_said),
        API_TEST(test_a_touch_gives_a_new_life),
        API_TEST(test_get_many_gives_a_new_life_when_it_is_asked_to),
        API_TEST(test_a_life_that_is_none_is_misuse),
    };
    return API_RUN("cache_life", tests);
}
