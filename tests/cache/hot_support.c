#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include "hot_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

static struct varve_store *
open_store(const struct hot *hot, bool server)
{
    struct varve_store *store;
    struct varve_error error;
    struct varve_config config = {
        .data_dir = hot->folder,
        .redis_unix_socket = server ? server_socket(hot->server) : NULL,
        .redis_retries = -1,
        .redis_breaker_failures = -1,
        .redis_connect_timeout_ms = 500,
        .redis_timeout_ms = 500,
    };
    if (varve_open(&hot_schema, &config, &store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    return store;
}

static struct varve_session *
open_session(struct varve_store *store)
{
    struct varve_session *session;
    assert_int_equal(varve_session_open(store, &session), VARVE_OK);
    return session;
}

int
hot_set_up(void **state)
{
    struct hot *hot = calloc(1, sizeof *hot);
    snprintf(hot->folder, sizeof hot->folder, "/tmp/varve-test-XXXXXX");
    if (!mkdtemp(hot->folder))
        return -1;
    hot->server = server_start(NULL);
    hot->store = open_store(hot, true);
    hot->session = open_session(hot->store);
    *state = hot;
    return 0;
}

int
hot_tear_down(void **state)
{
    static const char *const names[] = {
        "/varve.db", "/varve.db-wal", "/varve.db-shm", "/varve.lock", ""};
    struct hot *hot = *state;
    varve_session_close(hot->session);
    varve_close(hot->store);
    varve_session_close(hot->other_session);
    varve_close(hot->other);
    server_stop(hot->server);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", hot->folder, names[i]);
        remove(path);
    }
    free(hot);
    return 0;
}

void
hot_open_other(struct hot *hot, bool server)
{
    hot->other = open_store(hot, server);
    hot->other_session = open_session(hot->other);
}

void
hot_reopen(struct hot *hot)
{
    varve_session_close(hot->session);
    varve_close(hot->store);
    hot->store = open_store(hot, true);
    hot->session = open_session(hot->store);
}

void
hot_expect(
    const struct varve_session *session, enum varve_status expected, enum varve_status status)
{
    if (status != expected)
        fail_msg(
            "%s, not %s: %s", varve_status_name(status), varve_status_name(expected),
            varve_session_error(session));
}

static sqlite3 *
open_database(const struct hot *hot)
{
    char path[96];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/varve.db", hot->folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    return database;
}

void
hot_execute(const struct hot *hot, const char *sql)
{
    sqlite3 *database = open_database(hot);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    sqlite3_close(database);
}

const char *
hot_query(const struct hot *hot, const char *sql)
{
    static char text[4096];
    sqlite3_stmt *statement;
    sqlite3 *database = open_database(hot);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    text[0] = '\0';
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0))
        snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return text;
}

const char *
hot_waiting(const struct hot *hot)
{
    /* "hot:" and eight digits with their colon go before a key */
    return hot_query(
        hot, "SELECT group_concat(substr(key, 14), ' ') FROM "
             "(SELECT key FROM varve_invalidation ORDER BY key)");
}

int64_t
hot_epoch(const struct hot *hot)
{
    return atoll(hot_query(hot, "SELECT epoch FROM varve_copies"));
}

int64_t
hot_insert_item(const struct hot *hot, int64_t value, int64_t owner)
{
    struct hot_item item = HOT_ITEM_INIT;
    item.value = value;
    item.has_owner_id = owner != 0;
    item.owner_id = owner;
    hot_expect(hot->session, VARVE_OK, hot_item_insert(hot->session, &item));
    return item.id;
}

int64_t
hot_value(struct varve_session *session, int64_t id)
{
    struct hot_item key = HOT_ITEM_INIT;
    struct hot_item *item;
    key.id = id;
    enum varve_status status = hot_item_cache_get(session, &key, &item);
    if (status == VARVE_NOT_FOUND)
        return -1;
    hot_expect(session, VARVE_OK, status);
    assert_int_equal(item->id, id);
    int64_t value = item->value;
    hot_item_free(item);
    return value;
}

int64_t
hot_hits(const struct hot *hot)
{
    struct varve_health_report health;
    assert_int_equal(varve_health(hot->store, &health), VARVE_OK);
    int64_t hits = health.cache.hits;
    varve_health_free(&health);
    return hits;
}
