#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include "shop_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

void
shop_close(struct shop *shop)
{
    varve_session_close(shop->session);
    varve_close(shop->store);
    shop->session = NULL;
    shop->store = NULL;
}

void
shop_reopen(struct shop *shop)
{
    struct varve_config config = {.data_dir = shop->folder};
    struct varve_error error;
    shop_close(shop);
    if (varve_open(&shop_schema, &config, &shop->store, &error) != VARVE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(varve_session_open(shop->store, &shop->session), VARVE_OK);
}

int
shop_set_up(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    snprintf(shop->folder, sizeof shop->folder, "/tmp/varve-test-XXXXXX");
    if (!mkdtemp(shop->folder))
        return -1;
    shop_reopen(shop);
    *state = shop;
    return 0;
}

int
shop_tear_down(void **state)
{
    static const char *const names[] = {
        "/varve.db", "/varve.db-wal", "/varve.db-shm", "/varve.lock", ""};
    struct shop *shop = *state;
    shop_close(shop);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", shop->folder, names[i]);
        remove(path);
    }
    free(shop);
    return 0;
}

/* -------------------------------------------------------------------- expectations */

void
expect_ok(struct varve_session *session, enum varve_status status)
{
    if (status != VARVE_OK)
        fail_msg("%s: %s", varve_status_name(status), varve_session_error(session));
}

void
expect_failure(
    struct varve_session *session, enum varve_failure_kind kind, uint32_t field, const char *part)
{
    const struct varve_failure *failure = varve_session_failure(session);
    const char *text = varve_session_error(session);
    assert_non_null(failure);
    if (failure->kind != kind)
        fail_msg("%s: %s", varve_failure_kind_name(failure->kind), text);
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
    if (failure->field_count != (field != 0) || failure->fields[0] != field)
        fail_msg(
            "%zu fields, the first is %u and not %u: %s", failure->field_count,
            (unsigned)failure->fields[0], (unsigned)field, text);
}

static sqlite3_stmt *
query(struct varve_session *session, const char *sql)
{
    sqlite3 *database = varve_session_sqlite(session);
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    if (sqlite3_step(statement) != SQLITE_ROW)
        fail_msg("%s gives no row: %s", sql, sqlite3_errmsg(database));
    return statement;
}

int64_t
query_int64(struct varve_session *session, const char *sql)
{
    sqlite3_stmt *statement = query(session, sql);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

const char *
query_text(struct varve_session *session, const char *sql)
{
    static char text[1000];
    sqlite3_stmt *statement = query(session, sql);
    const char *value = (const char *)sqlite3_column_text(statement, 0);
    snprintf(text, sizeof text, "%s", value ? value : "NULL");
    sqlite3_finalize(statement);
    return text;
}

void
expect_sound(struct varve_session *session)
{
    assert_string_equal(query_text(session, "PRAGMA integrity_check"), "ok");
    assert_int_equal(query_int64(session, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/* -------------------------------------------------------------------- records */

int64_t
add_maker(struct varve_session *session, const char *name)
{
    struct shop_maker maker = SHOP_MAKER_INIT;
    maker.name = name;
    expect_ok(session, shop_maker_insert(session, &maker));
    return maker.id;
}

int64_t
add_shelf(struct varve_session *session, const char *place)
{
    struct shop_shelf shelf = SHOP_SHELF_INIT;
    shelf.place = place;
    expect_ok(session, shop_shelf_insert(session, &shelf));
    return shelf.id;
}

int64_t
add_item(struct varve_session *session, const char *code)
{
    struct shop_item item = SHOP_ITEM_INIT;
    item.code = code;
    expect_ok(session, shop_item_insert(session, &item));
    return item.id;
}

void
expect_working(struct varve_session *session, int64_t makers)
{
    assert_int_equal(query_int64(session, "SELECT count(*) FROM maker"), makers);
    expect_sound(session);
    expect_ok(session, shop_maker_delete(session, add_maker(session, "does it work?")));
}
