/* Errors of the server: what they mean for the call, and that their messages say how to mend them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "cache/redis_connection.h"

struct expectation {
    const char *text;
    enum varve_status status;
    enum varve__redis_error kind;
    const char *mend; /* words of the message */
};

/* As Redis from 6.2 to 7.4 and Valkey say it. */
static const struct expectation expectations[] = {
    {"OOM command not allowed when used memory > 'maxmemory'.", VARVE_FULL, VARVE__REDIS_REFUSED,
     "maxmemory-policy that evicts"},
    {"OOM allow-oom flag is not set on the script", VARVE_FULL, VARVE__REDIS_REFUSED,
     "raise its maxmemory"},
    {"NOAUTH Authentication required.", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED,
     "set redis_password"},
    {"WRONGPASS invalid username-password pair or user is disabled.", VARVE_UNAVAILABLE,
     VARVE__REDIS_REFUSED, "correct redis_username and redis_password"},
    {"READONLY You can't write against a read only replica.", VARVE_UNAVAILABLE,
     VARVE__REDIS_RECONNECT, "connect to its primary"},
    {"UNBLOCKED force unblock from blocking operation", VARVE_UNAVAILABLE, VARVE__REDIS_RECONNECT,
     "became a replica"},
    {"LOADING Redis is loading the dataset in memory", VARVE_UNAVAILABLE, VARVE__REDIS_RETRY,
     "try again soon"},
    {"BUSY Redis is busy running a script.", VARVE_UNAVAILABLE, VARVE__REDIS_RETRY, "SCRIPT KILL"},
    {"BUSYKEY Target key name already exists.", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "its log"},
    {"MASTERDOWN Link with MASTER is down", VARVE_UNAVAILABLE, VARVE__REDIS_RETRY, "the primary"},
    {"TRYAGAIN Multiple keys request during rehashing of slot", VARVE_UNAVAILABLE,
     VARVE__REDIS_RETRY, "try again soon"},
    {"MISCONF Redis is configured to save RDB snapshots", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED,
     "stop-writes-on-bgsave-error"},
    {"WRONGTYPE Operation against a key", VARVE_CORRUPT, VARVE__REDIS_REFUSED, "another program"},
    {"MOVED 3999 127.0.0.1:6381", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "of a cluster"},
    {"ASK 3999 127.0.0.1:6381", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "of a cluster"},
    {"CLUSTERDOWN Hash slot not served", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "of a cluster"},
    {"CROSSSLOT Keys in request don't hash to the same slot", VARVE_UNAVAILABLE,
     VARVE__REDIS_REFUSED, "of a cluster"},
    {"NOSCRIPT No matching script. Please use EVAL.", VARVE_UNAVAILABLE, VARVE__REDIS_NO_SCRIPT,
     "flushed"},
    {"NOPROTO unsupported protocol version", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "6.2"},
    {"DENIED Redis is running in protected mode", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED,
     "protected mode"},
    {"ERR max number of clients reached", VARVE_UNAVAILABLE, VARVE__REDIS_RETRY, "maxclients"},
    {"ERR unknown command 'GETEX', with args beginning with: 'secret'", VARVE_UNAVAILABLE,
     VARVE__REDIS_REFUSED, "Redis 6.2 or newer"},
    {"ERR DB index is out of range", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "redis_db"},
    {"ERR AUTH <password> called without any password configured for the default user.",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "leave redis_password out"},
    {"ERR no such thing", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "its log"},
    {"", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "its log"},
    {"NOPERM this user has no permissions to run the 'set' command", VARVE_UNAVAILABLE,
     VARVE__REDIS_REFUSED, "ACL SETUSER <user> +set "},
    {"NOPERM User bob has no permissions to run the 'config|get' command", VARVE_UNAVAILABLE,
     VARVE__REDIS_REFUSED, "ACL SETUSER bob +config|get "},
    {"NOPERM this user has no permissions to access one of the keys used as arguments",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "ACL SETUSER <user> ~<package>:* "},
    {"ERR The user executing the script can't run this command or subcommand script: ff, on "
     "@user_script:1.",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "ACL SETUSER <user> +<command> "},
    {"ERR Error running script (call to f_4ce3): @user_script:1: WRONGTYPE Operation against",
     VARVE_CORRUPT, VARVE__REDIS_REFUSED, "another program"},
    {"ERR Error running script (call to f_4ce3): @user_script:12: @user_script: 12: -OOM command",
     VARVE_FULL, VARVE__REDIS_REFUSED, "raise its maxmemory"},
    {"ERR Error running script (call to f_4ce3): @user_script:1: @user_script: 1: -READONLY You",
     VARVE_UNAVAILABLE, VARVE__REDIS_RECONNECT, "connect to its primary"},
    {"ERR Error running script (call to f_4ce3): @user_script:1: @user_script: 1: -NOREPLICAS Not",
     VARVE_UNAVAILABLE, VARVE__REDIS_RETRY, "min-replicas-to-write"},
    {"ERR Error running script (call to f_4ce3): @user_script:2: @user_script: 2: -MISCONF Redis",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "stop-writes-on-bgsave-error"},
    {"ERR Error running script (call to f_4ce3): @user_script:1: @user_script: 1: Unknown Redis "
     "command called from Lua script",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "no command renamed"},
    {"ERR Unknown Redis command called from script script: 4ce3, on @user_script:1.",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "no command renamed"},
    {"ERR Unknown command called from script script: 4ce3, on @user_script:1.", VARVE_UNAVAILABLE,
     VARVE__REDIS_REFUSED, "no command renamed"},
    {"ERR Error running script (call to f_4ce3): @user_script:5: @user_script: 5: Write commands "
     "not allowed after non deterministic commands. Call redis.replicate_commands() at the start",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "lua-replicate-commands to yes"},
    {"ERR Error running script (call to f_4ce3): @user_script:1: @user_script: 1: The user "
     "executing the script can't access at least one of the keys mentioned in the command",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "ACL SETUSER <user> ~<package>:* "},
    {"ERR ACL failure in script: User bob has no permissions to run the 'zadd' command script: "
     "4ce3",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "ACL SETUSER bob +zadd "},
    {"ERR ACL failure in script: No permissions to access a key script: 4ce3", VARVE_UNAVAILABLE,
     VARVE__REDIS_REFUSED, "ACL SETUSER <user> ~<package>:* "},
    {"NOPERM No permissions to access a key", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED,
     "ACL SETUSER <user> ~<package>:* "},
    {"NOPERM this user has no permissions to run the 'getex' command or its subcommand",
     VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "ACL SETUSER <user> +getex "},
    {"BUSY Valkey is busy running a script.", VARVE_UNAVAILABLE, VARVE__REDIS_RETRY, "SCRIPT KILL"},
    {"NOSCRIPT No matching script.", VARVE_UNAVAILABLE, VARVE__REDIS_NO_SCRIPT, "flushed"},
    {"DENIED Running in protected mode", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED, "protected mode"},
    {"ERR Error running script (call to f_4ce3)", VARVE_UNAVAILABLE, VARVE__REDIS_REFUSED,
     "its log"},
};

static enum varve_status
fail_text(const char *text, size_t size, enum varve__redis_error *kind)
{
    return varve__redis_fail_reply("/run/redis.sock", "SET", NULL, text, size, kind);
}

static void
test_every_error_says_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        const struct expectation *expected = &expectations[i];
        enum varve__redis_error kind;
        enum varve_status status = fail_text(expected->text, strlen(expected->text), &kind);
        const char *message = varve__thread_error();
        if (status != expected->status || kind != expected->kind ||
            !strstr(message, expected->mend))
            fail_msg("\"%s\": status %d, kind %d, %s", expected->text, status, kind, message);
    }
}

static void
test_a_message_names_the_server_and_what_was_done(void **state)
{
    (void)state;
    static const char text[] = "LOADING Redis is loading the dataset in memory";
    fail_text(text, sizeof text - 1, NULL);
    assert_string_equal(
        varve__thread_error(),
        "SET was refused by Redis at /run/redis.sock: it has just been started and reads its data: "
        "try again soon (it says: LOADING Redis is loading the dataset in memory)");
    assert_int_equal(varve__thread_failure()->tier, VARVE_TIER_CACHE);
}

static void
test_a_message_names_the_record(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor descriptor = {.name = "lab.Note"};
    const struct varve_record record = {.descriptor = &descriptor};
    varve__redis_fail_reply("/r.sock", "put", &record, "OOM", 3, NULL);
    assert_non_null(strstr(varve__thread_error(), "put of lab.Note was refused by Redis"));
    assert_string_equal(varve__thread_failure()->record, "lab.Note");
}

static void
test_arguments_are_not_repeated(void **state)
{
    (void)state;
    static const char text[] = "ERR unknown command 'AUTH', with args beginning with: 'hunter2' ";
    fail_text(text, sizeof text - 1, NULL);
    assert_null(strstr(varve__thread_error(), "hunter2"));
    assert_non_null(strstr(varve__thread_error(), "(it says: ERR unknown command 'AUTH')"));
}

static void
test_strange_bytes_do_not_reach_the_message(void **state)
{
    (void)state;
    static const char text[] = "ERR a\nb\x1B[31m\0c\xFF";
    fail_text(text, sizeof text - 1, NULL);
    assert_non_null(strstr(varve__thread_error(), "(it says: ERR a?b?[31m?c?)"));
}

/* Redis 6.2 has other quotes about them. */
static void
test_arguments_in_other_quotes_are_not_repeated(void **state)
{
    (void)state;
    static const char text[] = "ERR unknown command `AUTH`, with args beginning with: `hunter2`, ";
    fail_text(text, sizeof text - 1, NULL);
    assert_null(strstr(varve__thread_error(), "hunter2"));
    assert_non_null(strstr(varve__thread_error(), "no command renamed (it says: ERR unknown"));
}

static void
test_a_long_error_is_cut(void **state)
{
    (void)state;
    char text[4096];
    memset(text, 'x', sizeof text);
    memcpy(text, "ERR ", 4);
    fail_text(text, sizeof text, NULL);
    assert_in_range(strlen(varve__thread_error()), 150, 300);
}

static void
test_a_name_that_is_no_word_is_left_out(void **state)
{
    (void)state;
    static const char text[] = "NOPERM User \x01 has no permissions to run the 'a b' command";
    fail_text(text, sizeof text - 1, NULL);
    assert_non_null(strstr(varve__thread_error(), "ACL SETUSER <user> +<command> "));
    static const char cut[] = "NOPERM no permissions to run the 'set";
    fail_text(cut, sizeof cut - 1, NULL);
    assert_non_null(strstr(varve__thread_error(), "ACL SETUSER <user> +<command> "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_error_says_what_to_do),
        cmocka_unit_test(test_a_message_names_the_server_and_what_was_done),
        cmocka_unit_test(test_a_message_names_the_record),
        cmocka_unit_test(test_arguments_are_not_repeated),
        cmocka_unit_test(test_arguments_in_other_quotes_are_not_repeated),
        cmocka_unit_test(test_strange_bytes_do_not_reach_the_message),
        cmocka_unit_test(test_a_long_error_is_cut),
        cmocka_unit_test(test_a_name_that_is_no_word_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
