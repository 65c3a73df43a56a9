/* What a process writes. */
#include "archive_process.h"

void
insert(struct process *process, size_t many)
{
    size_t number = 0;
    bool may_conflict = false;
    struct checked records[MANY];
    struct touched *touched[MANY];
    enum checked_kind kind = any_kind(process);
    for (size_t tries = 0; tries < 4 * many && number < many; tries++) {
        int64_t id = own_id(process);
        struct entry *entry = &process->ledger->entries[kind][id];
        if (entry->state != NONE || process->touched_count == TOUCHED_MOST)
            continue;
        touched[number] = touch(process, kind, id);
        records[number] =
            (struct checked){kind, id, any_parent(process), begin_version(process, entry), id};
        number++;
    }
    if (number == 0)
        return;
    enum varve_status status = checked_insert(process->session, records, number);
    for (size_t i = 0; i < number; i++) {
        may_conflict |= is_gone(process, records[i].session_id);
        if (status != VARVE_OK)
            continue;
        touched[i]->state = THERE;
        touched[i]->after = records[i];
    }
    if (status != VARVE_CONFLICT || !may_conflict)
        must(process, status, "insert");
    settle_alone(process);
    count(process, INSERTS, status == VARVE_OK ? (int64_t)number : 0);
}

/* Of a record of its own that was there: only its session's end may take it away. */
static void
end_write(struct process *process, struct touched *touched, enum varve_status status)
{
    if (status == VARVE_NOT_FOUND && is_gone(process, touched->before.session_id))
        touched->state = NONE;
    else if (status == VARVE_CONFLICT && is_gone(process, touched->after.session_id))
        touched->after = touched->before;
    else
        must(process, status, "a write of a record that is there");
    settle_alone(process);
}

static void
update(struct process *process, struct touched *touched)
{
    touched->after.version = begin_version(process, touched->entry);
    touched->after.session_id = any_parent(process);
    end_write(process, touched, checked_update(process->session, &touched->after));
    count(process, UPDATES, 1);
}

static void
update_without(struct process *process, struct touched *touched)
{
    enum varve_status status;
    touched->after.remark++;
    if (random_one_in(&process->random, 2)) {
        touched->after.session_id = any_parent(process);
        status = checked_update_without(process->session, &touched->after);
    } else {
        status = checked_update_remark(process->session, &touched->after);
    }
    end_write(process, touched, status);
    count(process, UPDATES, 1);
}

static void
delete_own(struct process *process, struct touched *touched)
{
    touched->state = NONE;
    end_write(
        process, touched,
        checked_delete(process->session, touched->before.kind, touched->before.id));
    count(process, DELETES, 1);
}

void
write_own(struct process *process)
{
    enum checked_kind kind = any_kind(process);
    int64_t id = own_id(process);
    struct entry *entry = &process->ledger->entries[kind][id];
    if (process->touched_count == TOUCHED_MOST || entry->state == CHANGING)
        return;
    if (entry->state == NONE) {
        insert(process, 1);
        return;
    }
    size_t what = random_below(&process->random, 10);
    struct touched *touched = touch(process, kind, id);
    if (what < 5)
        update(process, touched);
    else if (what < 8)
        update_without(process, touched);
    else
        delete_own(process, touched);
}

void
transact(struct process *process)
{
    size_t calls = 1 + random_below(&process->random, 6);
    must(process, varve_begin(process->session), "begin");
    process->in_transaction = true;
    process->will_roll_back = random_one_in(&process->random, 3);
    for (size_t i = 0; i < calls; i++)
        write_own(process);
    if (process->will_roll_back)
        must(process, varve_rollback(process->session), "rollback");
    else
        must(process, varve_commit(process->session), "commit");
    settle(process, process->will_roll_back);
    count(process, ROLLBACKS, process->will_roll_back);
    process->in_transaction = false;
    process->will_roll_back = false;
}

void
cascade(struct process *process)
{
    size_t mine = PARENTS / PROCESSES;
    size_t slot = process->index * mine + random_below(&process->random, mine);
    struct ledger *ledger = process->ledger;
    struct lab_tensors_session parent = LAB_TENSORS_SESSION_INIT;
    int64_t gone = ledger->parents[slot];
    must(process, lab_tensors_session_insert(process->session, &parent), "insert of a session");
    expect(process, parent.id < GONE_MOST, "the run is too long for its ledger");
    ledger->parents[slot] = parent.id;
    ledger->gone[gone] = true;
    must(process, lab_tensors_session_delete(process->session, gone), "delete of a session");
    count(process, CASCADES, 1);
}

void
count_up(struct process *process)
{
    const char *wrong;
    struct checked record;
    must(process, varve_begin(process->session), "begin");
    enum varve_status status =
        checked_get(process->session, CHECKED_PLATE, COUNTER, &record, &wrong);
    must(process, status, "get of the counter");
    expect(process, !wrong, wrong);
    record.version++;
    must(process, checked_update(process->session, &record), "update of the counter");
    must(process, varve_commit(process->session), "commit of the counter");
    process->ledger->counter++;
}
