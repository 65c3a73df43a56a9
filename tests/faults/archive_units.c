#include "archive_units.h"

#include <string.h>

enum {
    TAPE_MOST = 2500,
    ROWS_MOST = 60,
    COLUMNS_MOST = 40,
    TOGETHER = 5, /* tapes that one call inserts, at most */
    REWRITES = 15 /* of a shape: the lowest bits of item.tensors */
};

uint64_t
next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static bool
is_tape(size_t slot)
{
    return slot >= SHELVES && slot < SHELVES + TAPES;
}

static size_t
shelf_of(uint32_t version)
{
    return version % SHELVES;
}

static int64_t
id_of(size_t slot)
{
    return (int64_t)slot + 1;
}

/* -------------------------------------------------------------------- records */

/* Room for the tensors of one call. */
static int64_t times[TOGETHER][TAPE_MOST];
static float levels[TOGETHER][TAPE_MOST];
static double cells[ROWS_MOST * COLUMNS_MOST];

static struct vault_tape
make_tape(size_t slot, const struct item *item, size_t room)
{
    struct vault_tape tape = VAULT_TAPE_INIT;
    uint64_t shape = slot * 1000003 + item->tensors / (REWRITES + 1);
    uint64_t random = slot * 1000003 + item->tensors;
    uint64_t kind = next_random(&shape);
    tape.id = id_of(slot);
    tape.shelf_id = id_of(shelf_of(item->version));
    tape.version = item->version;
    tape.count = (uint32_t)(next_random(&shape) % 60);
    if (kind % 3 == 0)
        tape.count = TAPE_MOST - tape.count * 30;
    if (kind % 11 == 0)
        tape.count = 0;
    for (size_t i = 0; i < tape.count; i++) {
        times[room][i] = (int64_t)(next_random(&random) >> 40);
        levels[room][i] = (float)(random >> 50);
    }
    tape.times = (struct varve_int64s){tape.count, times[room]};
    if (kind % 2 == 0 && tape.count > 0)
        tape.levels = (struct varve_floats){tape.count, levels[room]};
    return tape;
}

static struct vault_picture
make_picture(size_t slot, const struct item *item)
{
    struct vault_picture picture = VAULT_PICTURE_INIT;
    uint64_t shape = slot * 1000003 + item->tensors / (REWRITES + 1);
    uint64_t random = slot * 1000003 + item->tensors;
    picture.id = id_of(slot);
    picture.shelf_id = id_of(shelf_of(item->version));
    picture.version = item->version;
    picture.rows = 1 + (uint32_t)(next_random(&shape) % ROWS_MOST);
    picture.columns = 1 + (uint32_t)(next_random(&shape) % COLUMNS_MOST);
    size_t count = (size_t)picture.rows * picture.columns;
    for (size_t i = 0; i < count; i++)
        cells[i] = (double)(next_random(&random) >> 45);
    picture.cells = (struct varve_doubles){count, cells};
    return picture;
}

static struct vault_shelf
make_shelf(size_t slot, const struct item *item)
{
    struct vault_shelf shelf = VAULT_SHELF_INIT;
    shelf.id = id_of(slot);
    shelf.version = item->version;
    return shelf;
}

/* -------------------------------------------------------------------- choosing */

/* Tapes that are not there, a few of them. */
static uint32_t
absent_tapes(const struct vault *vault, size_t first)
{
    uint32_t slots = 0;
    int count = 0;
    for (size_t i = first; i < SHELVES + TAPES && count < TOGETHER; i++) {
        bool absent = is_tape(i) && vault->items[i].version == 0;
        slots |= absent ? 1u << i : 0;
        count += absent;
    }
    return slots;
}

/* What to do with a record that is there. */
static enum act
choose_change(size_t slot, uint64_t random)
{
    static const enum act acts[] = {
        ACT_UPDATE, ACT_UPDATE_REST, ACT_UPSERT, ACT_DELETE, ACT_WRITE_ROWS};
    bool is_picture = slot >= SHELVES + TAPES;
    if (slot < SHELVES)
        return random % 4 == 0 ? ACT_DELETE : ACT_UPDATE;
    return acts[random % (is_picture ? 5 : 4)];
}

struct step
step_choose(const struct vault *vault, uint64_t *random, uint32_t *counter)
{
    uint32_t version = ++*counter;
    size_t slot = next_random(random) % SLOTS, shelf = shelf_of(version);
    uint64_t what = next_random(random);
    struct step step = {.item = {version, version * (REWRITES + 1)}};
    if (slot >= SHELVES && vault->items[shelf].version == 0)
        slot = shelf;
    const struct item *old = &vault->items[slot];
    step.slots = 1u << slot;
    step.act = old->version ? choose_change(slot, what) : what % 4 ? ACT_INSERT : ACT_UPSERT;
    if (step.act == ACT_INSERT && is_tape(slot) && what % 3 == 0)
        step.slots = absent_tapes(vault, slot);
    if (step.act == ACT_WRITE_ROWS && old->tensors % (REWRITES + 1) == REWRITES)
        step.act = ACT_UPDATE_REST;
    if (step.act == ACT_UPDATE_REST)
        step.item.tensors = old->tensors;
    if (step.act == ACT_WRITE_ROWS)
        step.item = (struct item){old->version, old->tensors + 1};
    if (step.act == ACT_DELETE)
        step.item = (struct item){0};
    return step;
}

void
step_apply(const struct step *step, struct vault *vault)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (!(step->slots & 1u << i))
            continue;
        vault->items[i] = step->item;
        if (step->act != ACT_DELETE || i >= SHELVES)
            continue;
        for (size_t k = SHELVES; k < SLOTS; k++) {
            if (shelf_of(vault->items[k].version) == i)
                vault->items[k] = (struct item){0};
        }
    }
}

/* -------------------------------------------------------------------- doing */

static enum varve_status
do_shelf(struct varve_session *session, size_t slot, const struct step *step)
{
    struct vault_shelf shelf = make_shelf(slot, &step->item);
    if (step->act == ACT_DELETE)
        return vault_shelf_delete(session, shelf.id);
    if (step->act == ACT_INSERT)
        return vault_shelf_insert(session, &shelf);
    return step->act == ACT_UPSERT ? vault_shelf_upsert(session, &shelf)
                                   : vault_shelf_update(session, &shelf);
}

static enum varve_status
do_tape(struct varve_session *session, size_t slot, const struct step *step)
{
    struct vault_tape tape = make_tape(slot, &step->item, 0);
    if (step->act == ACT_DELETE)
        return vault_tape_delete(session, tape.id);
    if (step->act == ACT_UPDATE_REST)
        tape.times.data = NULL, tape.levels.data = NULL;
    if (step->act == ACT_INSERT)
        return vault_tape_insert(session, &tape);
    return step->act == ACT_UPSERT ? vault_tape_upsert(session, &tape)
                                   : vault_tape_update(session, &tape);
}

static enum varve_status
insert_tapes(struct varve_session *session, const struct step *step)
{
    struct vault_tape tapes[TOGETHER];
    size_t count = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        if (!(step->slots & 1u << i))
            continue;
        tapes[count] = make_tape(i, &step->item, count);
        count++;
    }
    return vault_tape_insert_many(session, tapes, (int64_t)count);
}

static enum varve_status
write_rows(struct varve_session *session, const struct vault_picture *picture)
{
    const int64_t dims[] = {picture->rows, picture->columns};
    struct varve_tensor_writer *writer;
    enum varve_status status = vault_picture_write_cells_begin(session, picture->id, dims, &writer);
    if (status != VARVE_OK)
        return status;
    int64_t half = picture->rows / 2;
    status = vault_picture_write_cells_rows(writer, picture->cells.data, half);
    if (status == VARVE_OK)
        status = vault_picture_write_cells_rows(
            writer, picture->cells.data + half * picture->columns, picture->rows - half);
    if (status == VARVE_OK)
        return vault_picture_write_cells_finish(writer);
    vault_picture_write_cells_cancel(writer);
    return status;
}

static enum varve_status
do_picture(struct varve_session *session, size_t slot, const struct step *step)
{
    struct vault_picture picture = make_picture(slot, &step->item);
    if (step->act == ACT_DELETE)
        return vault_picture_delete(session, picture.id);
    if (step->act == ACT_WRITE_ROWS)
        return write_rows(session, &picture);
    if (step->act == ACT_UPDATE_REST)
        picture.cells.data = NULL;
    if (step->act == ACT_INSERT)
        return vault_picture_insert(session, &picture);
    return step->act == ACT_UPSERT ? vault_picture_upsert(session, &picture)
                                   : vault_picture_update(session, &picture);
}

enum varve_status
step_do(struct varve_session *session, const struct step *step)
{
    size_t slot = (size_t)__builtin_ctz(step->slots);
    if (slot < SHELVES)
        return do_shelf(session, slot, step);
    if (!is_tape(slot))
        return do_picture(session, slot, step);
    bool several = (step->slots & (step->slots - 1)) != 0;
    return several ? insert_tapes(session, step) : do_tape(session, slot, step);
}

/* -------------------------------------------------------------------- looking */

/* Gets a record into `got`: VARVE_OK where there is none too. */
#define GET(message)                                                                               \
    struct vault_##message *got = NULL;                                                            \
    enum varve_status status = vault_##message##_get(session, id_of(slot), &got);                  \
    *equal = item->version == 0;                                                                   \
    if (status == VARVE_NOT_FOUND)                                                                 \
        return VARVE_OK;                                                                           \
    if (status != VARVE_OK)                                                                        \
    return status

static enum varve_status
look_at_shelf(struct varve_session *session, size_t slot, const struct item *item, bool *equal)
{
    GET(shelf);
    struct vault_shelf shelf = make_shelf(slot, item);
    *equal = item->version != 0 && vault_shelf_equal(got, &shelf);
    vault_shelf_free(got);
    return VARVE_OK;
}

static enum varve_status
look_at_tape(struct varve_session *session, size_t slot, const struct item *item, bool *equal)
{
    GET(tape);
    struct vault_tape tape = make_tape(slot, item, 0);
    *equal = item->version != 0 && vault_tape_equal(got, &tape);
    vault_tape_free(got);
    return VARVE_OK;
}

static enum varve_status
look_at_picture(struct varve_session *session, size_t slot, const struct item *item, bool *equal)
{
    GET(picture);
    struct vault_picture picture = make_picture(slot, item);
    *equal = item->version != 0 && vault_picture_equal(got, &picture);
    vault_picture_free(got);
    return VARVE_OK;
}

enum varve_status
slot_look(struct varve_session *session, size_t slot, const struct item *item, bool *equal)
{
    if (slot < SHELVES)
        return look_at_shelf(session, slot, item, equal);
    return is_tape(slot) ? look_at_tape(session, slot, item, equal)
                         : look_at_picture(session, slot, item, equal);
}
