#include "club.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum rule {
    RESTRICT,
    CASCADE,
    SET_NULL,
};

static const struct reference {
    enum club_kind kind;
    size_t column;
    enum club_kind target;
    enum rule rule;
} references[] = {
    {CLUB_MEMBER, CLUB_FIRST_REFERENCE, CLUB_TEAM, CASCADE},
    {CLUB_MEMBER, CLUB_SECOND_REFERENCE, CLUB_MEMBER, SET_NULL},
    {CLUB_TASK, CLUB_FIRST_REFERENCE, CLUB_MEMBER, RESTRICT},
};

enum {
    REFERENCES = sizeof references / sizeof *references,
};

static struct club_answer
done(int64_t changes)
{
    return (struct club_answer){VARVE_OK, VARVE_FAILURE_OTHER, -1, changes};
}

static struct club_answer
failed(enum varve_status status, enum varve_failure_kind kind)
{
    return (struct club_answer){status, kind, -1, 0};
}

/* -------------------------------------------------------------------- records */

const struct varve_record *
club_table(enum club_kind kind)
{
    static const struct varve_record *const tables[] = {
        &club_team_record, &club_member_record, &club_task_record};
    return tables[kind];
}

size_t
club_column_count(enum club_kind kind)
{
    return club_table(kind)->column_count;
}

void *
club_member_of(enum club_kind kind, void *record, size_t column)
{
    return (char *)record + club_table(kind)->columns[column].field->offset;
}

bool *
club_presence_of(enum club_kind kind, void *record, size_t column)
{
    if (column < CLUB_LEVEL)
        return NULL;
    return (bool *)((char *)record + club_table(kind)->columns[column].field->quantifier_offset);
}

int64_t *
club_id(enum club_kind kind, void *record)
{
    return club_member_of(kind, record, CLUB_ID);
}

static const char *
name_of(enum club_kind kind, void *record)
{
    return *(const char **)club_member_of(kind, record, CLUB_NAME);
}

static size_t
size_of(enum club_kind kind)
{
    return club_table(kind)->descriptor->sizeof_message;
}

void *
club_at(struct club *club, enum club_kind kind, size_t index)
{
    if (kind == CLUB_TEAM)
        return &club->teams[index];
    return kind == CLUB_MEMBER ? (void *)&club->members[index] : &club->tasks[index];
}

struct model
club_model(const struct club *club, enum club_kind kind)
{
    const void *records = club->teams;
    if (kind != CLUB_TEAM)
        records = kind == CLUB_MEMBER ? (const void *)club->members : club->tasks;
    return (struct model){club_table(kind), records, club->count[kind]};
}

void *
club_find_id(struct club *club, enum club_kind kind, int64_t id)
{
    for (size_t i = 0; i < club->count[kind]; i++) {
        if (*club_id(kind, club_at(club, kind, i)) == id)
            return club_at(club, kind, i);
    }
    return NULL;
}

void *
club_find_name(struct club *club, enum club_kind kind, const char *name)
{
    for (size_t i = 0; i < club->count[kind]; i++) {
        if (strcmp(name_of(kind, club_at(club, kind, i)), name) == 0)
            return club_at(club, kind, i);
    }
    return NULL;
}

bool
club_name_is_unique(enum club_kind kind)
{
    return kind != CLUB_TASK;
}

/* -------------------------------------------------------------------- rules */

static bool
is_nan(enum club_kind kind, void *record)
{
    return isnan(*(double *)club_member_of(kind, record, CLUB_AMOUNT));
}

static bool
is_below_min(enum club_kind kind, void *record)
{
    return *(double *)club_member_of(kind, record, CLUB_AMOUNT) < 0;
}

/* What the record refers to is there. */
static bool
refers_well(struct club *club, enum club_kind kind, void *record)
{
    for (size_t i = 0; i < REFERENCES; i++) {
        const struct reference *reference = &references[i];
        if (reference->kind != kind || !*club_presence_of(kind, record, reference->column))
            continue;
        int64_t *id = club_member_of(kind, record, reference->column);
        if (!club_find_id(club, reference->target, *id))
            return false;
    }
    return true;
}

/* Adds a record without a look at what it refers to. */
static struct club_answer
add(struct club *club, enum club_kind kind, void *record)
{
    int64_t *id = club_id(kind, record);
    if (is_below_min(kind, record))
        return failed(VARVE_INVALID, VARVE_FAILURE_CHECK);
    if (*id != 0 && club_find_id(club, kind, *id))
        return failed(VARVE_CONFLICT, VARVE_FAILURE_UNIQUE);
    if (club_name_is_unique(kind) && club_find_name(club, kind, name_of(kind, record)))
        return failed(VARVE_CONFLICT, VARVE_FAILURE_UNIQUE);
    if (*id == 0)
        *id = club->greatest[kind] + 1;
    if (*id > club->greatest[kind])
        club->greatest[kind] = *id;
    memcpy(club_at(club, kind, club->count[kind]++), record, size_of(kind));
    return done(1);
}

struct club_answer
club_insert_many(struct club *club, enum club_kind kind, void *records, size_t count)
{
    struct club *before = malloc(sizeof *before);
    struct club_answer answer = done((int64_t)count);
    *before = *club;
    for (size_t i = 0; i < count && answer.status == VARVE_OK; i++) {
        void *record = (char *)records + i * size_of(kind);
        answer = is_nan(kind, record) ? failed(VARVE_INVALID, VARVE_FAILURE_NAN)
                                      : add(club, kind, record);
        if (answer.status != VARVE_OK)
            answer.index = (int64_t)i;
    }
    for (size_t i = 0; i < count && answer.status == VARVE_OK; i++) {
        if (refers_well(club, kind, (char *)records + i * size_of(kind)))
            continue;
        answer = failed(VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY);
        answer.index = (int64_t)i;
    }
    if (answer.status == VARVE_OK)
        answer.changes = (int64_t)count;
    else
        *club = *before;
    free(before);
    return answer;
}

struct club_answer
club_insert(struct club *club, enum club_kind kind, void *record)
{
    struct club_answer answer = club_insert_many(club, kind, record, 1);
    answer.index = -1;
    return answer;
}

/* -------------------------------------------------------------------- update and upsert */

/* Replaces the record at `place`, whose key stays. */
static struct club_answer
replace(struct club *club, enum club_kind kind, void *place, void *record)
{
    union club_any before;
    memcpy(&before, place, size_of(kind));
    if (is_below_min(kind, record))
        return failed(VARVE_INVALID, VARVE_FAILURE_CHECK);
    void *named = club_find_name(club, kind, name_of(kind, record));
    if (club_name_is_unique(kind) && named && named != place)
        return failed(VARVE_CONFLICT, VARVE_FAILURE_UNIQUE);
    memcpy(place, record, size_of(kind));
    *club_id(kind, place) = *club_id(kind, &before);
    if (refers_well(club, kind, place))
        return done(1);
    memcpy(place, &before, size_of(kind));
    return failed(VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY);
}

struct club_answer
club_update(struct club *club, enum club_kind kind, void *record)
{
    void *place = club_find_id(club, kind, *club_id(kind, record));
    if (is_nan(kind, record))
        return failed(VARVE_INVALID, VARVE_FAILURE_NAN);
    return place ? replace(club, kind, place, record)
                 : failed(VARVE_NOT_FOUND, VARVE_FAILURE_OTHER);
}

struct club_answer
club_update_fields(
    struct club *club, enum club_kind kind, void *record, const uint32_t *fields, size_t count)
{
    union club_any merged;
    void *place = club_find_id(club, kind, *club_id(kind, record));
    memcpy(&merged, place ? place : record, size_of(kind));
    for (size_t i = 0; i < count; i++) {
        size_t column = fields[i] - 1;
        size_t size = column == CLUB_NAME ? sizeof(char *) : sizeof(int64_t);
        if (column == CLUB_AMOUNT && is_nan(kind, record))
            return failed(VARVE_INVALID, VARVE_FAILURE_NAN);
        memcpy(club_member_of(kind, &merged, column), club_member_of(kind, record, column), size);
        if (club_presence_of(kind, record, column))
            *club_presence_of(kind, &merged, column) = *club_presence_of(kind, record, column);
    }
    return place ? replace(club, kind, place, &merged)
                 : failed(VARVE_NOT_FOUND, VARVE_FAILURE_OTHER);
}

struct club_answer
club_upsert(struct club *club, enum club_kind kind, void *record, uint32_t field)
{
    int64_t *id = club_id(kind, record);
    int64_t greatest = club->greatest[kind];
    bool by_name = field == CLUB_NAME + 1 || (field == 0 && *id == 0 && club_name_is_unique(kind));
    void *place = by_name    ? club_find_name(club, kind, name_of(kind, record))
                  : *id != 0 ? club_find_id(club, kind, *id)
                             : NULL;
    if (is_nan(kind, record))
        return failed(VARVE_INVALID, VARVE_FAILURE_NAN);
    if (!place)
        return club_insert(club, kind, record);
    struct club_answer answer = replace(club, kind, place, record);
    if (answer.status != VARVE_OK)
        return answer;
    /* SQLite assigns a key before it sees that none is needed. */
    int64_t tried = *id == 0 ? greatest + 1 : *id;
    club->greatest[kind] = tried > greatest ? tried : greatest;
    *id = *club_id(kind, place);
    return answer;
}

/* -------------------------------------------------------------------- delete */

static void
remove_at(struct club *club, enum club_kind kind, size_t index)
{
    size_t last = --club->count[kind];
    if (index != last)
        memcpy(club_at(club, kind, index), club_at(club, kind, last), size_of(kind));
}

static bool
refers_to(struct club *club, const struct reference *reference, size_t index, int64_t id)
{
    void *record = club_at(club, reference->kind, index);
    return *club_presence_of(reference->kind, record, reference->column) &&
           *(int64_t *)club_member_of(reference->kind, record, reference->column) == id;
}

static bool
remove_id(struct club *club, enum club_kind kind, int64_t id);

/* Does what a reference says when the record it means has gone. */
static bool
follow(struct club *club, const struct reference *reference, int64_t id)
{
    for (size_t i = club->count[reference->kind]; i-- > 0;) {
        if (i >= club->count[reference->kind] || !refers_to(club, reference, i, id))
            continue;
        void *record = club_at(club, reference->kind, i);
        if (reference->rule == RESTRICT)
            return false;
        if (reference->rule == SET_NULL) {
            *club_presence_of(reference->kind, record, reference->column) = false;
            *(int64_t *)club_member_of(reference->kind, record, reference->column) = 0;
        } else if (!remove_id(club, reference->kind, *club_id(reference->kind, record))) {
            return false;
        }
    }
    return true;
}

/* False: a record that stays refers to it. */
static bool
remove_id(struct club *club, enum club_kind kind, int64_t id)
{
    for (size_t i = 0; i < club->count[kind]; i++) {
        if (*club_id(kind, club_at(club, kind, i)) == id) {
            remove_at(club, kind, i);
            break;
        }
    }
    for (size_t i = 0; i < REFERENCES; i++) {
        if (references[i].target == kind && !follow(club, &references[i], id))
            return false;
    }
    return true;
}

static struct club_answer
remove_all(struct club *club, enum club_kind kind, const int64_t *ids, size_t count)
{
    struct club *before = malloc(sizeof *before);
    bool removed = true;
    *before = *club;
    for (size_t i = 0; i < count && removed; i++)
        removed = remove_id(club, kind, ids[i]);
    if (!removed)
        *club = *before;
    free(before);
    return removed ? done((int64_t)count) : failed(VARVE_CONFLICT, VARVE_FAILURE_FOREIGN_KEY);
}

struct club_answer
club_delete(struct club *club, enum club_kind kind, int64_t id)
{
    if (!club_find_id(club, kind, id))
        return failed(VARVE_NOT_FOUND, VARVE_FAILURE_OTHER);
    return remove_all(club, kind, &id, 1);
}

struct club_answer
club_delete_where(struct club *club, enum club_kind kind, void *filter)
{
    struct model model = club_model(club, kind);
    size_t found[CLUB_MOST];
    int64_t ids[CLUB_MOST];
    size_t count = model_find(&model, filter, found);
    for (size_t i = 0; i < count; i++)
        ids[i] = *club_id(kind, club_at(club, kind, found[i]));
    return remove_all(club, kind, ids, count);
}
