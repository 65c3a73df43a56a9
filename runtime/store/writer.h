/* What the files of the writer share: the records on their way. */
#ifndef VARVE_STORE_WRITER_H
#define VARVE_STORE_WRITER_H

#include <pthread.h>
#include <stdbool.h>

#include <varve/writer.h>

#include "store/handles.h"

/* A record on its way, in the order of handing in. Of a write it lies on the caller's stack. */
struct varve__handed {
    struct varve__handed *next;
    enum varve_writer_verb verb;
    const struct varve_record *table;
    void *record;            /* the caller's; of a submit the copy */
    varve_writer_done *done; /* of a submit; may be NULL */
    void *context;
    bool submitted;
    pthread_cond_t ready; /* of a write: its result is there */
    bool finished;        /* so it is; under the writer's lock */

    enum varve_status status;
    struct varve__kept_failure failure; /* unless the status is VARVE_OK */
    bool settled;                       /* the status is its last: it is not to be tried again */
    int64_t id, version;                /* as they were handed in */
};

struct varve__batch {
    struct varve__handed *first;
    int64_t count;
    int64_t failed;  /* set by running it */
    int64_t commits; /* the same */
};

/* Writes the records of a batch in its order: each gets its status. */
void
varve__batch_run(struct varve_session *session, struct varve__batch *batch);

#endif
