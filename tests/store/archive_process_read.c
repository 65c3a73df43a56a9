/* What a process reads: single records, which the others may write, and old snapshots. */
#include "archive_process.h"

/* What a get of one that any process may write gave, when its entry was so before. */
static void
judge(
    struct process *process,
    struct entry *entry,
    enum state state,
    int64_t version,
    const struct checked *got)
{
    int64_t parent = entry->parent;
    if (got) {
        expect(process, got->version > 0, "a version was seen that was rolled back");
        expect(process, got->version <= entry->begun, "a version was seen that nobody wrote");
        expect(
            process, state != THERE || got->version >= version,
            "a version was seen that is older than what was acknowledged");
        return;
    }
    bool is_there = state == THERE && entry->state == THERE && entry->version == version;
    expect(process, !is_there || is_gone(process, parent), "an acknowledged record is not there");
}

void
look(struct process *process)
{
    const char *wrong;
    struct checked record;
    enum checked_kind kind = any_kind(process);
    int64_t id = 1 + (int64_t)random_below(&process->random, IDS);
    struct entry *entry = &process->ledger->entries[kind][id];
    enum state state = (enum state)entry->state;
    int64_t version = entry->version;
    if (entry->state != (int)state || state == CHANGING)
        state = NONE; /* nothing is sure of it */
    enum varve_status status = checked_get(process->session, kind, id, &record, &wrong);
    if (status != VARVE_NOT_FOUND)
        must(process, status, "get");
    expect(process, !wrong, wrong);
    judge(process, entry, state, version, status == VARVE_OK ? &record : NULL);
    count(process, READS, 1);
}

void
look_at_part(struct process *process)
{
    const char *wrong;
    int64_t id = 1 + (int64_t)random_below(&process->random, IDS);
    enum varve_status status =
        checked_slice(process->session, &process->random, any_kind(process), id, &wrong);
    expect(process, !wrong, wrong);
    if (status != VARVE_NOT_FOUND)
        must(process, status, "read of a part");
    count(process, READS, 1);
}

void
begin_old(struct process *process)
{
    must(process, varve_session_open(process->store, &process->old), "session_open");
    must(process, varve_begin_read(process->old), "begin_read");
    for (int kind = 0; kind < CHECKED_KINDS; kind++)
        must(
            process,
            checked_list(
                process->old, (enum checked_kind)kind, process->listed[kind], COUNTER,
                &process->listed_count[kind]),
            "find");
    size_t most = process->index == 0 ? 200 : 20; /* one of them lags far behind */
    process->old_steps = 2 + (int)random_below(&process->random, most);
}

/* All of a kind, as it was when the snapshot began, one by one and some at once. */
static void
read_old(struct process *process, enum checked_kind kind)
{
    const char *wrong;
    struct checked record;
    void **found;
    int64_t ids[MANY];
    const struct checked *listed = process->listed[kind];
    size_t number = process->listed_count[kind];
    for (size_t i = 0; i < number; i++) {
        enum varve_status status = checked_get(process->old, kind, listed[i].id, &record, &wrong);
        must(process, status, "get in an old snapshot");
        expect(process, !wrong, wrong);
        expect(
            process,
            record.version == listed[i].version && record.remark == listed[i].remark &&
                record.session_id == listed[i].session_id,
            "a snapshot changed");
    }
    number = number < MANY ? number : MANY;
    for (size_t i = 0; i < number; i++)
        ids[i] = listed[random_below(&process->random, process->listed_count[kind])].id;
    enum varve_status status =
        varve_record_get_many(process->old, checked_records[kind], ids, (int64_t)number, &found);
    must(process, status, "get_many in an old snapshot");
    for (size_t i = 0; i < number; i++) {
        expect(process, found[i], "a record is missing in an old snapshot");
        expect(process, !checked_compare(kind, found[i]), "get_many gave a wrong tensor");
    }
    varve_record_free_many(found);
}

void
end_old(struct process *process)
{
    size_t number;
    static struct checked again[COUNTER];
    for (int kind = 0; kind < CHECKED_KINDS; kind++) {
        read_old(process, (enum checked_kind)kind);
        must(
            process, checked_list(process->old, (enum checked_kind)kind, again, COUNTER, &number),
            "find");
        expect(process, number == process->listed_count[kind], "a snapshot has other records");
    }
    must(process, varve_commit(process->old), "commit of a snapshot");
    varve_session_close(process->old);
    process->old = NULL;
    count(process, SNAPSHOTS, 1);
}
