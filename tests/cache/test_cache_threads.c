/* Eight threads on one store: each puts, gets and deletes values, alone and many, in transactions and without.
 * A value carries a checksum over its key, its version and its filling; none that does not add up may ever come
 * back, nor one older than what its only writer has put. */
#include "api_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    THREADS = 8,
    ROUNDS = 600,
    SHARED = 16, /* keys that all threads write */
    OWN = 8,     /* keys of each thread's own */
    MANY = 6,
};

struct town {
    struct api *api;
    atomic_bool is_over;
    atomic_llong found;
    pthread_mutex_t lock;
    char problem[600]; /* the first one */
};

struct person {
    struct town *town;
    size_t index;
    uint64_t random;
    struct varve_session *session;
    int64_t versions[OWN]; /* that this thread put last; 0: none, or deleted */
};

/* A value with its texts. */
struct made {
    struct cache_lab_zstd record;
    char name[32];
    char text[400];
};

static uint64_t
below(struct person *person, uint64_t bound)
{
    person->random ^= person->random << 13;
    person->random ^= person->random >> 7;
    person->random ^= person->random << 17;
    return person->random % bound;
}

/* Threads cannot use cmocka's assertions. */
static bool
expect(struct person *person, bool holds, const char *what)
{
    struct town *town = person->town;
    if (holds)
        return true;
    pthread_mutex_lock(&town->lock);
    if (!*town->problem)
        snprintf(
            town->problem, sizeof town->problem, "thread %zu: %s: %s", person->index, what,
            varve_session_error(person->session));
    pthread_mutex_unlock(&town->lock);
    town->is_over = true;
    return false;
}

static bool
is_ok(struct person *person, enum varve_status status, const char *what)
{
    return expect(person, status == VARVE_OK, what);
}

/* -------------------------------------------------------------------- values */

static unsigned
checksum(const char *name, long long version, const char *filling)
{
    unsigned sum = (unsigned)version * 2654435761u;
    for (; *name; name++)
        sum = (sum ^ (unsigned char)*name) * 16777619u;
    for (; *filling; filling++)
        sum = (sum ^ (unsigned char)*filling) * 16777619u;
    return sum;
}

static void
make(struct person *person, struct made *made, bool own, size_t key, int64_t version)
{
    char filling[300];
    size_t size = (size_t)below(person, sizeof filling);
    memset(filling, 'a' + (char)below(person, 26), size);
    filling[size] = '\0';
    snprintf(made->name, sizeof made->name, "%zu:%zu", own ? person->index : THREADS, key);
    snprintf(
        made->text, sizeof made->text, "%u %lld %s",
        checksum(made->name, (long long)version, filling), (long long)version, filling);
    made->record = (struct cache_lab_zstd)CACHE_LAB_ZSTD_INIT;
    made->record.name = made->name;
    made->record.text = made->text;
}

/* The value's version; -1 when it does not add up. */
static int64_t
version_of(const struct cache_lab_zstd *found)
{
    int at = 0;
    unsigned sum;
    long long version;
    if (sscanf(found->text, "%u %lld%n", &sum, &version, &at) != 2 || found->text[at] != ' ')
        return -1;
    return checksum(found->name, version, found->text + at + 1) == sum ? version : -1;
}

/* -------------------------------------------------------------------- what a thread does */

static void
check(struct person *person, const struct made *key, const struct cache_lab_zstd *found, int64_t of)
{
    if (found)
        person->town->found++;
    expect(
        person, !found || (strcmp(found->name, key->name) == 0 && version_of(found) >= 0),
        "a value that does not add up");
    if (of >= 0) /* a key of its own: embedded and Redis here lose none */
        expect(person, of == (found ? version_of(found) : 0), "not what was put last");
}

static void
get(struct person *person, bool own, size_t key)
{
    struct made made;
    struct cache_lab_zstd *found;
    make(person, &made, own, key, 0);
    enum varve_status status = cache_lab_zstd_cache_get(person->session, &made.record, &found);
    if (status == VARVE_NOT_FOUND || is_ok(person, status, "get"))
        check(person, &made, found, own ? person->versions[key] : -1);
    cache_lab_zstd_free(found);
}

static void
put(struct person *person, bool own, size_t key, int64_t version)
{
    struct made made;
    make(person, &made, own, key, version);
    is_ok(person, cache_lab_zstd_cache_put(person->session, &made.record), "put");
    if (own)
        person->versions[key] = version;
}

static void
forget(struct person *person, bool own, size_t key)
{
    struct made made;
    make(person, &made, own, key, 0);
    enum varve_status status = cache_lab_zstd_cache_delete(person->session, &made.record);
    expect(person, status == VARVE_OK || status == VARVE_NOT_FOUND, "delete");
    if (own) {
        bool there = person->versions[key] > 0;
        expect(person, (status == VARVE_OK) == there, "delete of a key of its own");
        person->versions[key] = 0;
    }
}

static void
put_and_get_many(struct person *person, int64_t version)
{
    struct made made[MANY];
    struct cache_lab_zstd records[MANY];
    struct cache_lab_zstd **found;
    for (size_t i = 0; i < MANY; i++) {
        make(person, &made[i], false, (size_t)below(person, SHARED), version);
        records[i] = made[i].record;
    }
    is_ok(person, cache_lab_zstd_cache_put_many(person->session, records, MANY), "put_many");
    enum varve_status status =
        cache_lab_zstd_cache_get_many(person->session, records, MANY, &found);
    for (size_t i = 0; is_ok(person, status, "get_many") && i < MANY; i++)
        check(person, &made[i], found[i], -1);
    cache_lab_zstd_free_many(found);
}

/* Puts that go out with a commit, or are forgotten. */
static void
put_in_transaction(struct person *person, int64_t version)
{
    size_t key = (size_t)below(person, OWN);
    int64_t before = person->versions[key];
    bool keep = below(person, 2) == 0;
    if (!is_ok(person, varve_begin(person->session), "begin"))
        return;
    put(person, true, key, version);
    get(person, true, key);
    if (keep)
        is_ok(person, varve_commit(person->session), "commit");
    else if (is_ok(person, varve_rollback(person->session), "rollback"))
        person->versions[key] = before;
    get(person, true, key);
}

static void
read_recent(struct person *person, int64_t version)
{
    struct varve_cursor *cursor;
    const struct cache_lab_reading *row;
    struct cache_lab_reading reading = CACHE_LAB_READING_INIT;
    int64_t since = version > 50 ? version - 50 : 0;
    int64_t last = INT64_MAX;
    enum varve_status status;
    reading.id = (int64_t)below(person, SHARED);
    reading.taken_at = version;
    is_ok(person, cache_lab_reading_cache_put(person->session, &reading), "put of a reading");
    if (!is_ok(
            person, cache_lab_reading_cache_recent(person->session, since, 5, &cursor), "recent"))
        return;
    while ((status = cache_lab_reading_next(cursor, &row)) == VARVE_ROW) {
        expect(person, row->taken_at >= since, "recent gives an older one");
        if (!person->town->api->server) /* there a value may change behind its place */
            expect(person, row->taken_at <= last, "recent is not in order");
        last = row->taken_at;
    }
    expect(person, status == VARVE_DONE, "next");
    varve_cursor_close(cursor);
}

static void
work(struct person *person, int64_t round)
{
    bool own = below(person, 2) == 0;
    size_t key = (size_t)below(person, own ? OWN : SHARED);
    switch (below(person, 9)) {
    case 0:
        forget(person, own, key);
        break;
    case 1:
        put_and_get_many(person, round);
        break;
    case 2:
        put_in_transaction(person, round);
        break;
    case 3:
        read_recent(person, round);
        break;
    case 4:
    case 5:
        put(person, own, key, round);
        break;
    default:
        get(person, own, key);
    }
}

static void *
live(void *context)
{
    struct person *person = context;
    if (!is_ok(person, varve_session_open(person->town->api->store, &person->session), "open"))
        return NULL;
    for (int64_t round = 1; round <= ROUNDS && !person->town->is_over; round++)
        work(person, round);
    varve_session_close(person->session);
    return NULL;
}

static void
test_eight_threads_find_only_what_was_put(void **state)
{
    pthread_t threads[THREADS];
    struct person people[THREADS];
    struct town town = {.api = *state};
    pthread_mutex_init(&town.lock, NULL);
    for (size_t i = 0; i < THREADS; i++) {
        people[i] = (struct person){.town = &town, .index = i, .random = 7919 * (i + 1)};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &people[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        struct varve_health_report health;
        expect_ok(NULL, varve_health(town.api->store, &health));
        varve_health_free(&health);
        expect_ok(NULL, varve_maintain(town.api->store, NULL));
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    if (*town.problem)
        fail_msg("%s", town.problem);
    assert_true(town.found > THREADS * ROUNDS / 10);
    pthread_mutex_destroy(&town.lock);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(test_eight_threads_find_only_what_was_put),
    };
    return API_RUN("cache_threads", tests);
}
