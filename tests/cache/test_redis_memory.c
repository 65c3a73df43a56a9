/* Connections to a real server where memory is refused: it is told, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "dialogue.h"
#include "server.h"

static struct test_server *server;

static int
start(void **state)
{
    (void)state;
    server = server_start(NULL);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    server_stop(server);
    return 0;
}

static size_t until_fails, held;

static void *
allocate(void *context, size_t size)
{
    (void)context;
    if (until_fails > 0 && --until_fails == 0)
        return NULL;
    void *memory = malloc(size);
    assert_non_null(memory);
    held++;
    return memory;
}

static void
release(void *context, void *memory)
{
    (void)context;
    held--;
    free(memory);
}

/* Connects, stores large values and reads them; whatever failed. */
static enum varve_status
work(struct dialogue *dialogue)
{
    dialogue_begin(dialogue, server_socket(server));
    enum varve_status status = dialogue_connect(dialogue);
    dialogue->count = 3;
    for (int round = 0; round < 2 && status == VARVE_OK; round++) {
        dialogue->value_size = round == 0 ? 300000 : 0;
        status = dialogue_exchange(dialogue);
    }
    dialogue_end(dialogue);
    return status;
}

static void
test_no_memory_is_told_and_nothing_is_lost(void **state)
{
    static const struct varve_allocator failing = {allocate, release, NULL};
    static struct dialogue dialogue;
    size_t failures = 0;
    (void)state;
    varve_set_allocator(&failing);
    for (bool failed = true; failed; failures += failed) {
        until_fails = failures + 1;
        enum varve_status status = work(&dialogue);
        failed = status == VARVE_NO_MEMORY;
        assert_true(failed || (status == VARVE_OK && until_fails > 0));
        assert_int_equal(held, 0);
    }
    varve_set_allocator(NULL);
    assert_in_range(failures, 4, 40);
}

static void
test_a_connection_serves_again_after_a_want_of_memory(void **state)
{
    static const struct varve_allocator failing = {allocate, release, NULL};
    static struct dialogue own;
    struct dialogue *dialogue = &own;
    (void)state;
    dialogue_begin(dialogue, server_socket(server));
    assert_int_equal(dialogue_connect(dialogue), VARVE_OK);
    dialogue->count = 1;
    dialogue->value_size = 300000;
    until_fails = 1;
    varve_set_allocator(&failing);
    enum varve_status status = dialogue_exchange(dialogue);
    varve_set_allocator(NULL);
    assert_int_equal(status, VARVE_NO_MEMORY);
    assert_true(varve__redis_is_fit(dialogue->connection));
    assert_int_equal(dialogue_exchange(dialogue), VARVE_OK);
    assert_int_equal(dialogue->right, 1);
    dialogue_end(dialogue);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory_is_told_and_nothing_is_lost),
        cmocka_unit_test(test_a_connection_serves_again_after_a_want_of_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
