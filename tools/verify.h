/* What the two halves of verify share. */
#ifndef VARVE_TOOLS_VERIFY_H
#define VARVE_TOOLS_VERIFY_H

#include "ctl.h"
#include "json.h"
#include "progress.h"

enum {
    VARVECTL_FINDING_SIZE = 512
};

struct varvectl_verify {
    struct varvectl *ctl;
    struct varvectl_json json;
    struct varvectl_progress progress;
    int64_t findings;
    int64_t records; /* read without a finding */
};

/* Reports one finding. `record` and `key` are NULL when it is about the whole database or table. */
void
varvectl_report(
    struct varvectl_verify *verify, const char *record, const char *key, const char *text);

/* checks.c: integrity_check, with indexes, UNIQUE, NOT NULL and CHECK constraints. */
void
varvectl_check_integrity(struct varvectl_verify *verify);

/* checks.c: references to records that are not there. */
void
varvectl_check_references(struct varvectl_verify *verify);

#endif
