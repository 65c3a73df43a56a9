/* What the example asks of the store, each through the generated functions alone. All print on
 * stdout, and are to be called in a transaction, so that they see one state. */
#ifndef WORDNET_ANSWER_H
#define WORDNET_ANSWER_H

#include "cortex/cortex.varve.h"

/* The concepts that have this word, and where the relationships of each lead to. *found is how many
 * concepts those are. */
VARVE_MUST_CHECK enum varve_status
answer_neighbours(struct varve_session *session, const char *word, int64_t *found);

/* The ten concepts with the most relationships, from them and to them. */
VARVE_MUST_CHECK enum varve_status
answer_most_connected(struct varve_session *session);

/* The concepts whose names begin with this word: two pages of ten, by name. */
VARVE_MUST_CHECK enum varve_status
answer_pages(struct varve_session *session, const char *word);

/* The value of this key in a concept's metadata; "" when it has none. */
const char *
concept_note(const struct cortex_concept *concept, const char *key);

#endif
