#include "find_check.h"

#include <stdio.h>
#include <string.h>

#include "find_random.h"

static char sentence[400];

#define DIFFER(...) (snprintf(sentence, sizeof sentence, __VA_ARGS__), sentence)

const char *
check_cursor(
    struct varve_cursor *cursor, const struct model *model, const size_t *expected, size_t count)
{
    const char *difference = NULL;
    const void *row;
    for (size_t i = 0; i < count && !difference; i++) {
        enum varve_status status = varve_cursor_next(cursor, model->table, &row);
        if (status != VARVE_ROW)
            difference =
                DIFFER("%s instead of row %zu of %zu", varve_status_name(status), i, count);
        else if (!model_same_key(model, row, model_record(model, expected[i])))
            difference = DIFFER("another record in row %zu", i);
    }
    if (!difference && varve_cursor_next(cursor, model->table, &row) != VARVE_DONE)
        difference = DIFFER("more than %zu rows", count);
    varve_cursor_close(cursor);
    return difference;
}

const char *
check_rows(
    struct varve_session *session,
    const struct model *model,
    const void *filter,
    const size_t *expected,
    size_t count)
{
    struct varve_cursor *cursor;
    if (varve_record_find(session, model->table, filter, &cursor) != VARVE_OK)
        return DIFFER("find: %s", varve_session_error(session));
    return check_cursor(cursor, model, expected, count);
}

static const char *
check_count(
    struct varve_session *session, const struct model *model, const void *filter, size_t expected)
{
    int64_t count;
    if (varve_record_count(session, model->table, filter, &count) != VARVE_OK)
        return DIFFER("count: %s", varve_session_error(session));
    if (count != (int64_t)expected)
        return DIFFER("counted %lld instead of %zu", (long long)count, expected);
    return NULL;
}

static const char *
check_one(
    struct varve_session *session,
    const struct model *model,
    const void *filter,
    const size_t *expected,
    size_t count)
{
    void *record;
    const char *difference = NULL;
    enum varve_status status = varve_record_find_one(session, model->table, filter, &record);
    if (status != (count > 0 ? VARVE_OK : VARVE_NOT_FOUND))
        return DIFFER("find_one gives %s", varve_status_name(status));
    if (count > 0 && !model_same_key(model, record, model_record(model, expected[0])))
        difference = DIFFER("find_one gives another record");
    varve_record_free(record);
    return difference;
}

const char *
check_found(struct varve_session *session, const struct model *model, void *filter)
{
    size_t expected[FOUND_MAX];
    size_t count = model_find(model, filter, expected);
    const char *difference = check_rows(session, model, filter, expected, count);
    if (!difference)
        difference = check_count(session, model, filter, count);
    if (!difference)
        difference = check_one(session, model, filter, expected, count);
    return difference;
}

/* The records that the filter does not find, by primary key. */
static size_t
find_others(const struct model *model, const size_t *found, size_t count, size_t *others)
{
    bool is_found[FOUND_MAX] = {false};
    size_t every[FOUND_MAX];
    size_t other_count = 0;
    struct some_filter all;
    memset(&all, 0, sizeof all);
    for (size_t i = 0; i < count; i++)
        is_found[found[i]] = true;
    size_t total = model_find(model, &all, every);
    for (size_t i = 0; i < total; i++) {
        if (!is_found[every[i]])
            others[other_count++] = every[i];
    }
    return other_count;
}

static const char *
check_left(struct varve_session *session, const struct model *model, void *filter)
{
    size_t found[FOUND_MAX];
    size_t left[FOUND_MAX];
    size_t count = model_find(model, filter, found);
    size_t left_count = find_others(model, found, count, left);
    if (varve_record_delete_where(session, model->table, filter) != VARVE_OK)
        return DIFFER("delete_where: %s", varve_session_error(session));
    if (varve_changes(session) != (int64_t)count)
        return DIFFER("deleted %lld instead of %zu", (long long)varve_changes(session), count);
    return check_rows(session, model, NULL, left, left_count);
}

const char *
check_deleted(struct varve_session *session, const struct model *model, void *filter)
{
    if (varve_begin(session) != VARVE_OK)
        return DIFFER("begin: %s", varve_session_error(session));
    const char *difference = check_left(session, model, filter);
    if (varve_rollback(session) != VARVE_OK && !difference)
        difference = DIFFER("rollback: %s", varve_session_error(session));
    return difference;
}
