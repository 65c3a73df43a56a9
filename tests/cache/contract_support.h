/* What tests of engines share: spaces, and verbs in one line that fail the test when the engine fails. */
#ifndef VARVE_TESTS_CACHE_CONTRACT_SUPPORT_H
#define VARVE_TESTS_CACHE_CONTRACT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "contract.h"

/* Spaces made by hand; all but the last are of package "contract". */
enum contract_space {
    PLAIN, /* without an order */
    TIMED, /* with an order by time */
    TIMED_TOO,
    COPIED,  /* hot copies */
    FOREIGN, /* of package "contractor" */
    SPACE_COUNT
};

extern const struct varve__space contract_spaces[SPACE_COUNT];

/* An engine under test, and the watch of the calls. */
struct contract {
    struct varve__cache *cache;
    struct varve__watch watch;
};

/* -------------------------------------------------------------------- the engine */

void
use_factory(const struct contract_factory *factory);

const char *
engine_name(void);

void
let_pass(int64_t ms);

/* Set-up and tear-down of a test: *state is a struct contract. */
int
open_contract(void **state);
int
close_contract(void **state);

/* -------------------------------------------------------------------- keys and values */

/* The space's prefix and a name; valid for the next 63 calls. */
struct varve__cache_text
key_of(enum contract_space space, const char *name);

struct varve__cache_text
text_of(const char *text);

unsigned
sum_of(const char *bytes, size_t size);

/* What was taken. */
struct got {
    size_t fail_at; /* which value, from 1 on, is answered with VARVE_CORRUPT; 0: none */
    size_t count;
    size_t sizes[8];     /* by their index */
    char last[300];      /* the last value, or its beginning, with a NUL behind */
    unsigned sum;        /* of the last value */
    char order[1 << 16]; /* the indexes, or the names, each with a blank behind */
};

varve__cache_take take_value;
varve__cache_take_row take_row;

/* -------------------------------------------------------------------- verbs */

void
put_items(
    struct contract *contract,
    enum contract_space space,
    const struct varve__cache_item *items,
    size_t count);

void
put_value(
    struct contract *contract,
    enum contract_space space,
    const char *name,
    const char *value,
    int64_t ttl_ms,
    int64_t time);

/* Puts values "value0000", .. under "name0000", .. at times 0, .. for ever, in one call. */
void
put_numbered(struct contract *contract, enum contract_space space, size_t count);

void
get_keys(
    struct contract *contract,
    enum contract_space space,
    const struct varve__cache_text *keys,
    size_t count,
    int64_t ttl_ms,
    struct got *got);

/* The value as a string, until the next call; NULL: there is none. */
const char *
value_of(struct contract *contract, enum contract_space space, const char *name, int64_t ttl_ms);

bool
touch_value(struct contract *contract, enum contract_space space, const char *name, int64_t ttl_ms);

bool
remove_value(struct contract *contract, enum contract_space space, const char *name);

void
take_page(
    struct contract *contract,
    enum contract_space space,
    int64_t since,
    size_t count,
    struct varve__cache_place *place,
    struct got *got);

/* The names of an order, the newest first, with blanks between, read in pages of `count`; until the next
 * call. */
const char *
recent_names(struct contract *contract, enum contract_space space, int64_t since, size_t count);

/* What a walk counted, and which of package "contract"'s keys it does not want. */
struct counted {
    size_t keys[SPACE_COUNT];
    size_t bytes[SPACE_COUNT];
    const char *unwanted; /* beginning of names; NULL: all are wanted */
};

void
count_value(void *context, const struct varve__space *space, size_t size);

bool
is_wanted(void *context, struct varve__cache_text key);

/* Walks through package "contract". */
void
walk_package(struct contract *contract, struct varve__cache_walk *walk);

/* A test of its own: contract_threads.c. */
void
eight_threads_never_see_a_value_in_pieces(void **state);

#endif
