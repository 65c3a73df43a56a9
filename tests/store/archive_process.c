#include "archive_process.h"

#include <stdio.h>
#include <unistd.h>

void
expect(struct process *process, bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "process %zu: %s: %s\n", process->index, what, varve_session_error(NULL));
    process->ledger->is_over = true;
    _exit(1);
}

void
must(struct process *process, enum varve_status status, const char *what)
{
    char text[200];
    snprintf(text, sizeof text, "%s is %s", what, varve_status_name(status));
    expect(process, status == VARVE_OK, text);
}

void
count(struct process *process, enum count which, int64_t number)
{
    process->ledger->counts[which] += number;
}

/* -------------------------------------------------------------------- the store */

static void
log_problem(void *context, enum varve_log_level level, enum varve_tier tier, const char *message)
{
    (void)context;
    (void)tier;
    if (level == VARVE_LOG_ERROR)
        fprintf(stderr, "process %d: %s\n", (int)getpid(), message);
}

void
open_store(struct process *process)
{
    struct varve_error error;
    const struct varve_config config = {
        .data_dir = process->folder,
        .durability = VARVE_DURABILITY_NORMAL,
        .busy_timeout_ms = 120000,
        .checkpoint_pages = 200,
        .stage_max_bytes = 4096,
        .segment_bytes = 1 << 16,
        .chunk_cache_bytes = 1 << 18,
        .archive_threads = process->index % 2 == 0 ? 1 : -1,
        .log = log_problem};
    if (varve_open(&lab_tensors_schema, &config, &process->store, &error) != VARVE_OK)
        expect(process, false, error.message);
    must(process, varve_session_open(process->store, &process->session), "session_open");
}

void
close_store(struct process *process)
{
    varve_session_close(process->old);
    varve_session_close(process->session);
    varve_close(process->store);
    process->old = NULL;
    process->session = NULL;
}

/* -------------------------------------------------------------------- what a process knows of its records */

enum checked_kind
any_kind(struct process *process)
{
    return (enum checked_kind)random_below(&process->random, CHECKED_KINDS);
}

int64_t
own_id(struct process *process)
{
    return (
        int64_t)(1 + process->index + PROCESSES * random_below(&process->random, IDS / PROCESSES));
}

int64_t
any_parent(struct process *process)
{
    return process->ledger->parents[random_below(&process->random, PARENTS)];
}

bool
is_gone(struct process *process, int64_t parent)
{
    return process->ledger->gone[parent];
}

static struct checked
record_of(enum checked_kind kind, int64_t id, struct entry *entry)
{
    return (struct checked){kind, id, entry->parent, entry->version, entry->remark};
}

int64_t
begin_version(struct process *process, struct entry *entry)
{
    int64_t version = entry->begun + 1;
    entry->begun = version;
    return process->will_roll_back ? -version : version;
}

struct touched *
touch(struct process *process, enum checked_kind kind, int64_t id)
{
    struct touched *touched = &process->touched[process->touched_count++];
    touched->entry = &process->ledger->entries[kind][id];
    touched->state_before = (enum state)touched->entry->state;
    touched->state = touched->state_before;
    touched->before = touched->after = record_of(kind, id, touched->entry);
    touched->entry->state = CHANGING;
    return touched;
}

void
settle(struct process *process, bool is_undone)
{
    for (size_t i = process->touched_count; i-- > 0;) {
        struct touched *touched = &process->touched[i];
        const struct checked *known = is_undone ? &touched->before : &touched->after;
        touched->entry->version = known->version;
        touched->entry->parent = known->session_id;
        touched->entry->remark = known->remark;
        touched->entry->state = (int)(is_undone ? touched->state_before : touched->state);
    }
    process->touched_count = 0;
}

void
settle_alone(struct process *process)
{
    if (!process->in_transaction)
        settle(process, false);
}
