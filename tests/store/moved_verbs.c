#include "moved_verbs.h"

#include <string.h>

static enum varve_status
insert(struct varve_session *session)
{
    struct moved_item item = moved_new_item();
    return moved_item_insert(session, &item);
}

static enum varve_status
insert_many(struct varve_session *session)
{
    struct moved_part parts[2] = {MOVED_PART_INIT, MOVED_PART_INIT};
    parts[0].item = parts[1].item = 1;
    parts[0].odd = parts[1].odd = 1;
    return moved_part_insert_many(session, parts, 2);
}

static enum varve_status
insert_tensor(struct varve_session *session)
{
    static float data[] = {4, 5};
    struct moved_wave wave = MOVED_WAVE_INIT;
    wave.odd = 1;
    wave.count = 2;
    wave.data = (struct varve_floats){2, data};
    return moved_wave_insert(session, &wave);
}

static enum varve_status
update(struct varve_session *session)
{
    struct moved_item item = moved_new_item();
    item.id = 1;
    return moved_item_update(session, &item);
}

static enum varve_status
update_missing(struct varve_session *session)
{
    struct moved_item item = moved_new_item();
    item.id = 1000000;
    enum varve_status status = moved_item_update(session, &item);
    return status == VARVE_NOT_FOUND ? VARVE_OK : status;
}

static enum varve_status
update_fields(struct varve_session *session)
{
    enum moved_item_field fields[] = {MOVED_ITEM_FIELD_EVEN, MOVED_ITEM_FIELD_TITLE};
    struct moved_item item = moved_new_item();
    item.id = 2;
    return moved_item_update_fields(session, &item, fields, 2);
}

static enum varve_status
upsert(struct varve_session *session)
{
    struct moved_item item = moved_new_item();
    item.id = 3;
    return moved_item_upsert(session, &item);
}

static enum varve_status
upsert_by(struct varve_session *session)
{
    struct moved_item item = moved_new_item();
    item.code = "code 4";
    enum varve_status status = moved_item_upsert_by(session, &item, MOVED_ITEM_FIELD_CODE);
    assert_true(status != VARVE_OK || item.id == 4);
    return status;
}

/* One that the session has not deleted yet; parts go with it. */
static enum varve_status
delete_one(struct varve_session *session)
{
    static int64_t next = 0;
    int64_t id = 20 + next++ % 20;
    enum varve_status status = moved_item_delete(session, id);
    return status == VARVE_NOT_FOUND ? VARVE_OK : status;
}

static enum varve_status
delete_where(struct varve_session *session)
{
    struct moved_part_filter filter = {.odd = varve_int64_equals(13)};
    return moved_part_delete_where(session, &filter);
}

static enum varve_status
get(struct varve_session *session)
{
    struct moved_item *item;
    enum varve_status status = moved_item_get(session, 5, &item);
    assert_true(status != VARVE_OK || moved_item_is_right(item));
    moved_item_free(item);
    return status;
}

static enum varve_status
get_by(struct varve_session *session)
{
    struct moved_item *item;
    enum varve_status status = moved_item_get_by_code(session, "code 6", &item);
    assert_true(status != VARVE_OK || (moved_item_is_right(item) && item->id == 6));
    moved_item_free(item);
    return status;
}

static enum varve_status
get_by_missing(struct varve_session *session)
{
    struct moved_item *item;
    enum varve_status status = moved_item_get_by_code(session, "title 6", &item);
    assert_int_not_equal(status, VARVE_OK);
    return status == VARVE_NOT_FOUND ? VARVE_OK : status;
}

static enum varve_status
get_tensor(struct varve_session *session)
{
    struct moved_wave *wave;
    enum varve_status status = moved_wave_get(session, 5, &wave);
    assert_true(status != VARVE_OK || (wave->even == 10 && wave->odd == 11));
    assert_true(status != VARVE_OK || (wave->data.count == 3 && wave->data.data[2] == 3));
    moved_wave_free(wave);
    return status;
}

static enum varve_status
get_many(struct varve_session *session)
{
    int64_t ids[] = {7, 1000000, 8};
    struct moved_item **items;
    enum varve_status status = moved_item_get_many(session, ids, 3, &items);
    if (status == VARVE_OK) {
        assert_true(moved_item_is_right(items[0]) && moved_item_is_right(items[2]));
        assert_null(items[1]);
    }
    moved_item_free_many(items);
    return status;
}

static enum varve_status
find(struct varve_session *session)
{
    struct varve_cursor *cursor;
    const struct moved_item *item;
    enum varve_status status = moved_item_find(session, NULL, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = moved_item_next(cursor, &item)) == VARVE_ROW)
        assert_true(moved_item_is_right(item));
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* No item has an even number in odd: it would in the other column. */
static enum varve_status
find_none(struct varve_session *session)
{
    struct moved_item_filter filter = {.odd = varve_int64_equals(12)};
    struct varve_cursor *cursor;
    const struct moved_item *item;
    enum varve_status status = moved_item_find(session, &filter, &cursor);
    if (status != VARVE_OK)
        return status;
    status = moved_item_next(cursor, &item);
    assert_int_not_equal(status, VARVE_ROW);
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

static enum varve_status
find_one(struct varve_session *session)
{
    struct moved_item *item;
    struct moved_item_filter filter = {.even = varve_int64_equals(18)};
    enum varve_status status = moved_item_find_one(session, &filter, &item);
    assert_true(status != VARVE_OK || (moved_item_is_right(item) && item->id == 9));
    moved_item_free(item);
    return status;
}

static enum varve_status
count(struct varve_session *session)
{
    int64_t found;
    struct moved_item_filter filter = {.even = varve_int64_equals(18)};
    enum varve_status status = moved_item_count(session, &filter, &found);
    assert_true(status != VARVE_OK || found == 1);
    return status;
}

const struct moved_verb moved_verbs[MOVED_VERBS] = {
    {"insert", insert, true},
    {"insert_many", insert_many, true},
    {"insert of a tensor", insert_tensor, true},
    {"update", update, true},
    {"update of none", update_missing, true},
    {"update_fields", update_fields, true},
    {"upsert", upsert, true},
    {"upsert_by", upsert_by, true},
    {"delete", delete_one, true},
    {"delete_where", delete_where, true},
    {"get", get, false},
    {"get_by", get_by, false},
    {"get_by of none", get_by_missing, false},
    {"get of a tensor", get_tensor, false},
    {"get_many", get_many, false},
    {"find", find, false},
    {"find of none", find_none, false},
    {"find_one", find_one, false},
    {"count", count, false},
};

enum varve_status
moved_run(struct varve_session *session, const char *name)
{
    for (size_t i = 0; i < MOVED_VERBS; i++) {
        if (strcmp(moved_verbs[i].name, name) == 0)
            return moved_verbs[i].run(session);
    }
    fail_msg("there is no %s", name);
    return VARVE_MISUSE;
}
