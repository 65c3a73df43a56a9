/* A batch of records becomes one transaction, in which each is a write of its own: one that fails undoes
 * itself alone. Where its failure has undone the whole transaction (the disk is full), the others are written
 * again without it. */
#include <varve/table.h>

#include "store/writer.h"
#include "table/row.h"

/* -------------------------------------------------------------------- what a failure leaves */

static int64_t *
id_of(const struct varve__plan *plan, void *record)
{
    return plan->generated_key ? varve__slot_member(&plan->slots[plan->keys[0]], record) : NULL;
}

static int64_t *
version_of(const struct varve__plan *plan, void *record)
{
    bool has = plan->version != VARVE__NO_SLOT;
    return has ? varve__slot_member(&plan->slots[plan->version], record) : NULL;
}

static void
remember(struct varve__handed *handed, const struct varve__plan *plan)
{
    const int64_t *id = id_of(plan, handed->record);
    const int64_t *version = version_of(plan, handed->record);
    handed->id = id ? *id : 0;
    handed->version = version ? *version : 0;
}

/* What was written into the record is not true: it is as it was handed in. */
static void
forget(struct varve__handed *handed, const struct varve__plan *plan)
{
    int64_t *id = id_of(plan, handed->record);
    int64_t *version = version_of(plan, handed->record);
    if (id)
        *id = handed->id;
    if (version)
        *version = handed->version;
}

static void
settle(struct varve__handed *handed, enum varve_status status)
{
    handed->status = status;
    handed->settled = true;
    if (status != VARVE_OK)
        varve__failure_keep(&handed->failure);
}

/* -------------------------------------------------------------------- writing */

static enum varve_status
write_record(
    struct varve_session *session, struct varve__handed *handed, const struct varve__plan *plan)
{
    const void *key[VARVE__KEY_MAX];
    switch (handed->verb) {
    case VARVE_WRITER_INSERT:
        return varve_record_insert(session, handed->table, handed->record);
    case VARVE_WRITER_UPDATE:
        return varve_record_update(session, handed->table, handed->record);
    case VARVE_WRITER_UPSERT:
        return varve_record_upsert(session, handed->table, handed->record);
    default:
        varve__row_key(plan, handed->record, key);
        return varve_record_delete(session, handed->table, key);
    }
}

static bool
is_undone(const struct varve_session *session)
{
    return session->connection->undone != VARVE_OK;
}

/* Writes those that are not settled, up to the first whose failure undoes the transaction. */
static void
write_all(struct varve_session *session, const struct varve__batch *batch)
{
    for (struct varve__handed *handed = batch->first; handed && !is_undone(session);
         handed = handed->next) {
        if (handed->settled)
            continue;
        const struct varve__plan *plan = varve__plan_of(session->store->plans, handed->table);
        handed->status = write_record(session, handed, plan);
        if (handed->status == VARVE_OK && is_undone(session))
            handed->status = varve__fail(
                session->connection->undone, VARVE_FAILURE_OTHER, VARVE_TIER_TABLE,
                handed->table->descriptor->name,
                "the transaction was undone while this record was written; write it again");
        if (handed->status == VARVE_OK)
            continue;
        settle(handed, handed->status);
        handed->settled = is_undone(session); /* others may fail of what is undone by another */
        forget(handed, plan);
    }
}

/* The end of all that were written: VARVE_OK, or why the commit failed, which is then also the answer to those
 * that conflicted with what was not committed. */
static void
settle_all(
    const struct varve_session *session, struct varve__batch *batch, enum varve_status status)
{
    for (struct varve__handed *handed = batch->first; handed; handed = handed->next) {
        bool met = handed->status == VARVE_CONFLICT || handed->status == VARVE_NOT_FOUND;
        if (handed->settled || (handed->status != VARVE_OK && (status == VARVE_OK || !met)))
            continue;
        settle(handed, status);
        if (status != VARVE_OK)
            forget(handed, varve__plan_of(session->store->plans, handed->table));
    }
}

/* Takes back what the undone transaction had written. */
static void
forget_all(const struct varve_session *session, struct varve__batch *batch)
{
    for (struct varve__handed *handed = batch->first; handed; handed = handed->next) {
        if (!handed->settled)
            forget(handed, varve__plan_of(session->store->plans, handed->table));
    }
}

/* One transaction. False: a record has undone it, and those that are not settled are to be tried again. */
static bool
run_once(struct varve_session *session, struct varve__batch *batch)
{
    enum varve_status status = varve_begin(session);
    if (status != VARVE_OK) {
        for (struct varve__handed *handed = batch->first; handed; handed = handed->next) {
            if (!handed->settled)
                settle(handed, status);
        }
        return true;
    }
    write_all(session, batch);
    if (is_undone(session)) {
        enum varve_status ignored = varve_rollback(session);
        (void)ignored; /* the transaction is over, whatever the status */
        forget_all(session, batch);
        return false;
    }
    status = varve_commit(session);
    batch->commits += status == VARVE_OK;
    settle_all(session, batch, status);
    return true;
}

void
varve__batch_run(struct varve_session *session, struct varve__batch *batch)
{
    bool done = false;
    for (struct varve__handed *handed = batch->first; handed; handed = handed->next)
        remember(handed, varve__plan_of(session->store->plans, handed->table));
    while (!done)
        done = run_once(session, batch);
    for (struct varve__handed *handed = batch->first; handed; handed = handed->next)
        batch->failed += handed->status != VARVE_OK;
}
