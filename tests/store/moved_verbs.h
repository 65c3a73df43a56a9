/* Every verb on the records of moved.proto, as a call that may be made again and again: what it reads is
 * asserted to be right, what it writes is. */
#ifndef VARVE_TESTS_STORE_MOVED_VERBS_H
#define VARVE_TESTS_STORE_MOVED_VERBS_H

#include "moved_support.h"

enum {
    MOVED_VERBS = 19
};

extern const struct moved_verb {
    const char *name;
    enum varve_status (*run)(struct varve_session *session);
    bool writes;
} moved_verbs[MOVED_VERBS];

/* Runs the verb of this name. */
enum varve_status
moved_run(struct varve_session *session, const char *name);

#endif
