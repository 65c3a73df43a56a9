#include "units.h"

#include <stdio.h>
#include <string.h>

#include "judge.h"

enum {
    NOTE_SIZE = 700,
    LARGE_NOTE = 150000,
    WAVE_SIZE = 300,
    LARGE_WAVE = 60000,
    MARKS = 10,
};

/* -------------------------------------------------------------------- records */

/* Contents of one record: the functions below fill one at a time. */
static uint8_t note[LARGE_NOTE];
static float wave[LARGE_WAVE];
static int64_t marks[MARKS];

static void
fill_account(struct bank_account *account, char name[32], int64_t unit, const struct row *row)
{
    *account = (struct bank_account)BANK_ACCOUNT_INIT;
    account->id = unit + row->offset;
    snprintf(name, 32, "name %lld", (long long)account->id);
    account->name = name;
    account->balance = row->value;
    account->unit = unit;
    account->note.size = row->offset > LARGE ? LARGE_NOTE : NOTE_SIZE;
    account->note.data = note;
    for (size_t i = 0; i < account->note.size; i++)
        note[i] = (uint8_t)((size_t)account->id * 7 + (size_t)row->value * 3 + i);
    account->has_parent = row->parent != 0;
    account->parent = row->parent ? unit + row->parent : 0;
}

static void
fill_signal(struct bank_signal *signal, char name[32], int64_t unit, const struct row *row)
{
    *signal = (struct bank_signal)BANK_SIGNAL_INIT;
    signal->id = unit + row->offset;
    snprintf(name, 32, "name %d", row->value);
    signal->label = name;
    signal->unit = unit;
    signal->wave_size = (uint32_t)(row->offset > LARGE ? LARGE_WAVE : WAVE_SIZE + row->value);
    signal->wave.count = signal->wave_size;
    signal->wave.data = wave;
    for (size_t i = 0; i < signal->wave_size; i++)
        wave[i] = (float)(signal->id + row->value) + (float)i * 0.5f;
    signal->mark_count = MARKS;
    signal->marks.count = MARKS;
    signal->marks.data = marks;
    for (size_t i = 0; i < MARKS; i++)
        marks[i] = signal->id * 100 + row->value * 10 + (int64_t)i;
}

static enum varve_status
insert_row(struct varve_session *session, int64_t unit, const struct row *row)
{
    char name[32];
    struct bank_account account;
    struct bank_signal signal;
    if (row->kind == ACCOUNT) {
        fill_account(&account, name, unit, row);
        return bank_account_insert(session, &account);
    }
    fill_signal(&signal, name, unit, row);
    return bank_signal_insert(session, &signal);
}

static enum varve_status
insert_rows(struct varve_session *session, int64_t unit, const struct row *rows)
{
    enum varve_status status = VARVE_OK;
    for (size_t i = 0; rows[i].kind != 0 && status == VARVE_OK; i++)
        status = insert_row(session, unit, &rows[i]);
    return status;
}

/* Ends a transaction whose work has this status. */
static enum varve_status
end(struct varve_session *session, enum varve_status status)
{
    if (status == VARVE_OK)
        return varve_commit(session);
    if (varve_rollback(session) == VARVE_MISUSE)
        wrong("rollback", varve_session_error(session));
    return status;
}

enum varve_status
unit_prepare(struct varve_session *session, const struct unit *unit, int64_t id)
{
    enum varve_status status = varve_begin(session);
    return status == VARVE_OK ? end(session, insert_rows(session, id, unit->before)) : status;
}

/* -------------------------------------------------------------------- looking */

static bool
is_account(const struct bank_account *account, int64_t unit, const struct row *row)
{
    char name[32];
    struct bank_account expected;
    if (row->kind != ACCOUNT || account->id != unit + row->offset)
        return false;
    fill_account(&expected, name, unit, row);
    return bank_account_equal(account, &expected);
}

static bool
is_signal(const struct bank_signal *signal, int64_t unit, const struct row *row)
{
    char name[32];
    struct bank_signal expected;
    if (row->kind != SIGNAL || signal->id != unit + row->offset)
        return false;
    fill_signal(&expected, name, unit, row);
    return bank_signal_equal(signal, &expected);
}

/* The rows that a unit may have, and how many of each have been found. */
struct look {
    const struct row *rows[3];
    size_t matched[3];
    bool is_wrong[3];
};

static void
see(struct look *look, const void *record, enum row_kind kind, int64_t unit)
{
    for (size_t i = 0; i < 3; i++) {
        bool found = false;
        for (const struct row *row = look->rows[i]; row->kind != 0 && !found; row++)
            found = kind == ACCOUNT ? is_account(record, unit, row) : is_signal(record, unit, row);
        look->matched[i] += found;
        look->is_wrong[i] |= !found;
    }
}

static enum varve_status
see_accounts(struct varve_session *session, int64_t unit, struct look *look)
{
    struct varve_cursor *cursor;
    const struct bank_account *account;
    const struct bank_account_filter filter = {.unit = varve_int64_equals(unit)};
    enum varve_status status = bank_account_find(session, &filter, &cursor);
    if (status != VARVE_OK)
        return status;
    while ((status = bank_account_next(cursor, &account)) == VARVE_ROW)
        see(look, account, ACCOUNT, unit);
    varve_cursor_close(cursor);
    return status == VARVE_DONE ? VARVE_OK : status;
}

/* Cursors load no tensors: each signal is got by its id. */
static enum varve_status
see_signals(struct varve_session *session, int64_t unit, struct look *look)
{
    int64_t ids[ROWS_MOST];
    struct bank_signal **signals;
    for (int i = 0; i < ROWS_MOST; i++)
        ids[i] = unit + (i < ROWS_MOST / 2 ? i : LARGE + i);
    enum varve_status status = bank_signal_get_many(session, ids, ROWS_MOST, &signals);
    if (status != VARVE_OK)
        return status;
    for (size_t i = 0; i < ROWS_MOST; i++) {
        if (signals[i])
            see(look, signals[i], SIGNAL, unit);
    }
    bank_signal_free_many(signals);
    return VARVE_OK;
}

enum varve_status
unit_look(struct varve_session *session, const struct unit *unit, int64_t id, unsigned *states)
{
    static const struct row none[1];
    struct look look = {.rows = {none, unit->before, unit->after}};
    *states = 0;
    enum varve_status status = see_accounts(session, id, &look);
    if (status == VARVE_OK)
        status = see_signals(session, id, &look);
    for (size_t i = 0; i < 3 && status == VARVE_OK; i++) {
        size_t count = 0;
        while (look.rows[i][count].kind != 0)
            count++;
        if (!look.is_wrong[i] && look.matched[i] == count)
            *states |= 1u << i;
    }
    return status;
}

/* -------------------------------------------------------------------- what units do */

static enum varve_status
insert(struct varve_session *session, const struct unit *unit, int64_t id)
{
    return insert_row(session, id, &unit->after[0]);
}

static enum varve_status
insert_many(struct varve_session *session, const struct unit *unit, int64_t id)
{
    struct bank_account accounts[ROWS_MOST];
    char names[ROWS_MOST][32];
    static uint8_t notes[ROWS_MOST][NOTE_SIZE];
    int64_t count = 0;
    for (; unit->after[count].kind != 0; count++) {
        fill_account(&accounts[count], names[count], id, &unit->after[count]);
        accounts[count].note.data = memcpy(notes[count], note, NOTE_SIZE);
    }
    return bank_account_insert_many(session, accounts, count);
}

static enum varve_status
insert_many_signals(struct varve_session *session, const struct unit *unit, int64_t id)
{
    enum {
        COUNT = 2
    };
    static float waves[COUNT][WAVE_SIZE + 10];
    static int64_t all_marks[COUNT][MARKS];
    struct bank_signal signals[COUNT];
    char names[COUNT][32];
    for (size_t i = 0; i < COUNT; i++) {
        fill_signal(&signals[i], names[i], id, &unit->after[i]);
        signals[i].wave.data = memcpy(waves[i], wave, signals[i].wave_size * sizeof *wave);
        signals[i].marks.data = memcpy(all_marks[i], marks, sizeof marks);
    }
    return bank_signal_insert_many(session, signals, COUNT);
}

static enum varve_status
update(struct varve_session *session, const struct unit *unit, int64_t id)
{
    char name[32];
    struct bank_account account;
    struct bank_signal signal;
    if (unit->after[0].kind == ACCOUNT) {
        fill_account(&account, name, id, &unit->after[0]);
        return bank_account_update(session, &account);
    }
    fill_signal(&signal, name, id, &unit->after[0]);
    return bank_signal_update(session, &signal);
}

static enum varve_status
update_fields(struct varve_session *session, const struct unit *unit, int64_t id)
{
    static const enum bank_account_field account_fields[] = {
        BANK_ACCOUNT_FIELD_BALANCE, BANK_ACCOUNT_FIELD_NOTE};
    static const enum bank_signal_field signal_fields[] = {
        BANK_SIGNAL_FIELD_LABEL, BANK_SIGNAL_FIELD_WAVE_SIZE, BANK_SIGNAL_FIELD_WAVE,
        BANK_SIGNAL_FIELD_MARKS};
    char name[32];
    struct bank_account account;
    struct bank_signal signal;
    if (unit->after[0].kind == ACCOUNT) {
        fill_account(&account, name, id, &unit->after[0]);
        return bank_account_update_fields(session, &account, account_fields, 2);
    }
    fill_signal(&signal, name, id, &unit->after[0]);
    return bank_signal_update_fields(session, &signal, signal_fields, 4);
}

static enum varve_status
upsert(struct varve_session *session, const struct unit *unit, int64_t id)
{
    char name[32];
    struct bank_account account;
    struct bank_signal signal;
    if (unit->after[0].kind == ACCOUNT) {
        fill_account(&account, name, id, &unit->after[0]);
        return bank_account_upsert_by(session, &account, BANK_ACCOUNT_FIELD_NAME);
    }
    fill_signal(&signal, name, id, &unit->after[0]);
    return bank_signal_upsert(session, &signal);
}

static enum varve_status
delete_first(struct varve_session *session, const struct unit *unit, int64_t id)
{
    const struct row *row = &unit->before[0];
    return row->kind == ACCOUNT ? bank_account_delete(session, id + row->offset)
                                : bank_signal_delete(session, id + row->offset);
}

static enum varve_status
delete_below_5(struct varve_session *session, const struct unit *unit, int64_t id)
{
    (void)unit;
    const struct bank_account_filter filter = {
        .unit = varve_int64_equals(id), .balance = varve_int64_less_than(5)};
    return bank_account_delete_where(session, &filter);
}

static enum varve_status
move(struct varve_session *session, const struct unit *unit, int64_t id)
{
    char name[32];
    struct bank_account account;
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK)
        return status;
    for (size_t i = 0; i < 2 && status == VARVE_OK; i++) {
        fill_account(&account, name, id, &unit->after[i]);
        status = bank_account_update(session, &account);
    }
    return end(session, status == VARVE_OK ? insert_rows(session, id, unit->after + 2) : status);
}

/* Inserts the first row, then one more that a nested rollback takes back, then the second. */
static enum varve_status
nest(struct varve_session *session, const struct unit *unit, int64_t id)
{
    static const struct row gone[] = {{ACCOUNT, 8, 8, 0}, {SIGNAL, 8, 8, 0}, {0}};
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK)
        return status;
    status = insert_row(session, id, &unit->after[0]);
    if (status == VARVE_OK && (status = varve_begin(session)) == VARVE_OK) {
        status = insert_rows(session, id, gone);
        enum varve_status undone = varve_rollback(session);
        status = status == VARVE_OK ? undone : status;
    }
    if (status == VARVE_OK && (status = varve_begin(session)) == VARVE_OK)
        status = end(session, insert_row(session, id, &unit->after[1]));
    return end(session, status);
}

/* Does it in a transaction, and once more when it fails: a call that fails has changed nothing, as
 * long as the transaction goes on. */
static enum varve_status
repeat(
    struct varve_session *session,
    const struct unit *unit,
    int64_t id,
    enum varve_status (*act)(struct varve_session *, const struct unit *, int64_t))
{
    unsigned states;
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK)
        return status;
    status = act(session, unit, id);
    if (status != VARVE_OK && unit_look(session, unit, id, &states) == VARVE_OK &&
        !(states & STATE_BEFORE))
        wrong(unit->name, "a call that failed has changed something");
    if (status != VARVE_OK)
        status = act(session, unit, id);
    if (status == VARVE_MISUSE) /* the transaction is undone: its end says why */
        return varve_commit(session);
    return end(session, status);
}

static enum varve_status
repeat_insert(struct varve_session *session, const struct unit *unit, int64_t id)
{
    return repeat(session, unit, id, insert);
}

static enum varve_status
repeat_insert_many(struct varve_session *session, const struct unit *unit, int64_t id)
{
    return repeat(session, unit, id, insert_many_signals);
}

static enum varve_status
repeat_update(struct varve_session *session, const struct unit *unit, int64_t id)
{
    return repeat(session, unit, id, update);
}

static enum varve_status
repeat_upsert(struct varve_session *session, const struct unit *unit, int64_t id)
{
    return repeat(session, unit, id, upsert);
}

static enum varve_status
take_back(struct varve_session *session, const struct unit *unit, int64_t id)
{
    static const struct row more[] = {{ACCOUNT, 7, 7, 0}, {SIGNAL, 7, 7, 0}, {0}};
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK)
        return status;
    status = insert_rows(session, id, more);
    if (status == VARVE_OK)
        status = delete_first(session, unit, id);
    enum varve_status undone = varve_rollback(session);
    return status == VARVE_OK ? undone : status;
}

/* Adds 1 to every balance, under the cursor that reads them. */
static enum varve_status
update_while_finding(struct varve_session *session, const struct unit *unit, int64_t id)
{
    (void)unit;
    char name[32];
    struct varve_cursor *cursor = NULL;
    const struct bank_account *row;
    const struct bank_account_filter filter = {.unit = varve_int64_equals(id)};
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK)
        return status;
    status = bank_account_find(session, &filter, &cursor);
    while (status == VARVE_OK && (status = bank_account_next(cursor, &row)) == VARVE_ROW) {
        struct bank_account account;
        const struct row changed = {ACCOUNT, (int)(row->id - id), (int)row->balance + 1, 0};
        fill_account(&account, name, id, &changed);
        status = bank_account_update(session, &account);
    }
    varve_cursor_close(cursor);
    return end(session, status == VARVE_DONE ? VARVE_OK : status);
}

/* Reads in every way; what is read must be right. */
static enum varve_status
read_all(struct varve_session *session, const struct unit *unit, int64_t id)
{
    char name[32];
    struct bank_account *account = NULL;
    int64_t count = 0;
    unsigned states = 0;
    const struct bank_account_filter filter = {.unit = varve_int64_equals(id)};
    snprintf(name, sizeof name, "name %lld", (long long)id + 1);
    enum varve_status status = varve_begin_read(session);
    if (status != VARVE_OK)
        return status;
    status = unit_look(session, unit, id, &states);
    if (status == VARVE_OK && !(states & STATE_BEFORE))
        wrong(unit->name, "reads other records than were written");
    if (status == VARVE_OK &&
        (status = bank_account_get_by_name(session, name, &account)) == VARVE_OK)
        bank_account_free(account);
    if (status == VARVE_OK &&
        (status = bank_account_find_one(session, &filter, &account)) == VARVE_OK)
        bank_account_free(account);
    if (status == VARVE_OK)
        status = bank_account_count(session, &filter, &count);
    if (status == VARVE_OK && count != 2)
        wrong(unit->name, "counts wrongly");
    return end(session, status);
}

/* -------------------------------------------------------------------- the units */

#define A(offset, value)                                                                           \
    {                                                                                              \
        ACCOUNT, offset, value, 0                                                                  \
    }
#define CHILD(offset, parent)                                                                      \
    {                                                                                              \
        ACCOUNT, offset, 1, parent                                                                 \
    }
#define S(offset, value)                                                                           \
    {                                                                                              \
        SIGNAL, offset, value, 0                                                                   \
    }
#define TEN                                                                                        \
    A(1, 1), A(2, 2), A(3, 3), A(4, 4), A(5, 5), A(6, 6), A(7, 7), A(8, 8), A(9, 9), A(10, 10)

const struct unit units[] = {
    {"insert", insert, {{0}}, {A(1, 1)}},
    {"insert a tensor", insert, {{0}}, {S(1, 1)}},
    {"insert_many", insert_many, {{0}}, {TEN}},
    {"insert_many with tensors", insert_many_signals, {{0}}, {S(1, 1), S(2, 2)}},
    {"update", update, {A(1, 1)}, {A(1, 2)}},
    {"update a tensor", update, {S(1, 1)}, {S(1, 2)}},
    {"update_fields", update_fields, {A(1, 1)}, {A(1, 2)}},
    {"update_fields of a tensor", update_fields, {S(1, 1)}, {S(1, 2)}},
    {"upsert a new one", upsert, {{0}}, {A(1, 1)}},
    {"upsert", upsert, {A(1, 1)}, {A(1, 2)}},
    {"upsert a tensor", upsert, {S(1, 1)}, {S(1, 2)}},
    {"delete", delete_first, {A(1, 1), CHILD(2, 1), CHILD(3, 2), A(4, 4)}, {A(4, 4)}},
    {"delete a tensor", delete_first, {S(1, 1), S(2, 2)}, {S(2, 2)}},
    {"delete_where",
     delete_below_5,
     {TEN},
     {A(5, 5), A(6, 6), A(7, 7), A(8, 8), A(9, 9), A(10, 10)}},
    {"transaction", move, {A(1, 50), A(2, 50)}, {A(1, 40), A(2, 60), S(1, 1), A(3, 3)}},
    {"nested transactions", nest, {{0}}, {A(1, 1), S(2, 2)}},
    {"insert in a transaction", repeat_insert, {A(1, 1)}, {S(2, 2), A(1, 1)}},
    {"insert_many in a transaction", repeat_insert_many, {A(5, 5)}, {S(1, 1), S(2, 2), A(5, 5)}},
    {"update in a transaction", repeat_update, {S(1, 1)}, {S(1, 2)}},
    {"upsert in a transaction", repeat_upsert, {S(1, 1)}, {S(1, 2)}},
    {"rollback", take_back, {A(1, 1), S(1, 1)}, {A(1, 1), S(1, 1)}},
    {"update while finding", update_while_finding, {A(1, 1), A(2, 2)}, {A(1, 2), A(2, 3)}},
    {"read", read_all, {A(1, 1), A(2, 2), S(1, 1)}, {A(1, 1), A(2, 2), S(1, 1)}},
    {"insert a large one", insert, {{0}}, {A(LARGE + 20, 1)}},
    {"update a large tensor", update, {S(LARGE + 20, 1)}, {S(LARGE + 20, 2)}},
};

const size_t unit_count = sizeof units / sizeof *units;
