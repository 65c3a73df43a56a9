#include "model_run.h"

#include <math.h>
#include <string.h>

const char *const some_names[NAMES] = {
    "",  "a",  "A", "ab",  "a%b", "b' OR 1=1 --", "\xc3\xa4", "\xf4\x8f\xbf\xbf",
    "z", "zz", "0", "a b",
};

static const double amounts[] = {0, -0.0, 0.1, 1, 1e300, 5e-324, HUGE_VAL, 3, -1, NAN};

struct club *
now(struct run *run)
{
    return &run->clubs[run->depth];
}

/* -------------------------------------------------------------------- random records */

int64_t
some_id(struct run *run, enum club_kind kind)
{
    struct club *club = now(run);
    if (random_one_in(&run->random, 8))
        return club->greatest[kind] + 100;
    if (club->count[kind] == 0 || random_one_in(&run->random, 8))
        return club->greatest[kind] == 0
                   ? 200
                   : 1 + (int64_t)random_below(&run->random, (size_t)club->greatest[kind]);
    return *club_id(kind, club_at(club, kind, random_below(&run->random, club->count[kind])));
}

enum club_kind
some_kind(struct run *run)
{
    return (enum club_kind)random_below(&run->random, CLUB_KINDS);
}

static void
fill_optional(struct run *run, enum club_kind kind, void *record, size_t column)
{
    int64_t *member = club_member_of(kind, record, column);
    bool *is_there = club_presence_of(kind, record, column);
    *is_there = !random_one_in(&run->random, 3);
    if (!*is_there)
        return;
    if (column == CLUB_LEVEL)
        *member = (int64_t)random_below(&run->random, 5) - 2;
    else
        *member = some_id(
            run, kind == CLUB_MEMBER && column == CLUB_FIRST_REFERENCE ? CLUB_TEAM : CLUB_MEMBER);
}

void
fill(struct run *run, enum club_kind kind, void *record, int64_t id)
{
    varve_record_init(club_table(kind), record);
    *club_id(kind, record) = id;
    *(const char **)club_member_of(kind, record, CLUB_NAME) =
        some_names[random_below(&run->random, NAMES)];
    size_t amount = random_below(&run->random, random_one_in(&run->random, 5) ? 10 : 8);
    *(double *)club_member_of(kind, record, CLUB_AMOUNT) = amounts[amount];
    for (size_t column = CLUB_LEVEL; column < club_column_count(kind); column++)
        fill_optional(run, kind, record, column);
}

/* -------------------------------------------------------------------- random filters */

static void
fill_integer_condition(struct run *run, struct filter *filter, struct varve_condition *condition)
{
    static const enum varve_operator operators[] = {
        VARVE_EQUALS,  VARVE_NOT_EQUALS, VARVE_LESS_THAN, VARVE_AT_LEAST,
        VARVE_BETWEEN, VARVE_IN,         VARVE_IS_NULL,   VARVE_IS_NOT_NULL,
    };
    for (size_t i = 0; i < 3; i++)
        filter->integers[i] = (int64_t)random_below(&run->random, 12) - 2;
    condition->op = operators[random_below(&run->random, 8)];
    condition->value.integer = filter->integers[0];
    condition->high.integer = filter->integers[1];
    if (condition->op == VARVE_IN) {
        condition->value.values = filter->integers;
        condition->count = 3;
    }
}

static void
fill_condition(
    struct run *run, struct filter *filter, size_t column, struct varve_condition *condition)
{
    static const enum varve_operator operators[] = {
        VARVE_EQUALS, VARVE_LESS_THAN, VARVE_AT_MOST, VARVE_GREATER_THAN};
    if (column != CLUB_NAME && column != CLUB_AMOUNT) {
        fill_integer_condition(run, filter, condition);
        return;
    }
    condition->op = operators[random_below(&run->random, 4)];
    if (column == CLUB_NAME)
        condition->value.text = some_names[random_below(&run->random, NAMES)];
    else
        condition->value.real = amounts[random_below(&run->random, 9)];
}

void
fill_filter(struct run *run, enum club_kind kind, struct filter *filter)
{
    struct varve_condition *conditions = filter_conditions(&filter->any);
    struct varve_filter_tail *tail = filter_tail(club_table(kind), &filter->any);
    memset(filter, 0, sizeof *filter);
    size_t column = random_below(&run->random, 2 * club_column_count(kind));
    if (column < club_column_count(kind))
        fill_condition(run, filter, column, &conditions[column]);
    tail->order_by = (int)random_below(&run->random, club_column_count(kind) + 1);
    tail->descending = random_one_in(&run->random, 2);
    tail->limit = (int64_t)random_below(&run->random, 6);
    tail->offset = (int64_t)random_below(&run->random, 3);
}
