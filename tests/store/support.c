#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

void
reopen(struct fixture *fixture)
{
    struct varve_config config = {.data_dir = fixture->folder};
    struct varve_error error;
    varve_session_close(fixture->session);
    varve_close(fixture->store);
    if (varve_open(&lab_schema, &config, &fixture->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(fixture->store, &fixture->session), VARVE_OK);
}

int
set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/varve-test-XXXXXX");
    if (!mkdtemp(fixture->folder))
        return -1;
    reopen(fixture);
    *state = fixture;
    return 0;
}

int
tear_down(void **state)
{
    static const char *const names[] = {
        "/varve.db", "/varve.db-wal", "/varve.db-shm", "/varve.lock", ""};
    struct fixture *fixture = *state;
    varve_session_close(fixture->session);
    varve_close(fixture->store);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", fixture->folder, names[i]);
        remove(path);
    }
    free(fixture);
    return 0;
}

void
expect_error(const struct varve_session *session, const char *part)
{
    if (!strstr(varve_session_error(session), part))
        fail_msg("\"%s\" does not say \"%s\"", varve_session_error(session), part);
}

void
execute(const struct fixture *fixture, const char *sql)
{
    char path[96];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/varve.db", fixture->folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

int64_t
insert_named(struct varve_session *session, const char *name)
{
    struct lab_sample sample = LAB_SAMPLE_INIT;
    sample.name = name;
    if (lab_sample_insert(session, &sample) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    return sample.id;
}

int64_t
count_samples(struct varve_session *session)
{
    int64_t count = -1;
    if (lab_sample_count(session, NULL, &count) != VARVE_OK)
        fail_msg("%s", varve_session_error(session));
    return count;
}

struct varve_session *
second_session(const struct fixture *fixture)
{
    struct varve_session *session;
    assert_int_equal(varve_session_open(fixture->store, &session), VARVE_OK);
    return session;
}

void
open_with(struct fixture *fixture, struct varve_config config)
{
    struct varve_error error;
    varve_session_close(fixture->session);
    varve_close(fixture->store);
    config.data_dir = fixture->folder;
    if (varve_open(&lab_schema, &config, &fixture->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(fixture->store, &fixture->session), VARVE_OK);
}
