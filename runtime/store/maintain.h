/* What varve_flush() and varve_maintain() do in the archive. */
#ifndef VARVE_STORE_MAINTAIN_H
#define VARVE_STORE_MAINTAIN_H

#include <varve/health.h>

#include "store/handles.h"

/* Retention, flush, compaction, and what is left over of segments. In a call of the session. VARVE_BUSY: another
 * program of this folder is at it. */
enum varve_status
varve__maintain_archive(struct varve_session *session, struct varve_maintenance_report *report);

/* VARVE_MISUSE in a thread that has the writer's place, for which `call` would wait. */
enum varve_status
varve__maintain_refuse_writer(struct varve_store *store, const char *call);

#endif
