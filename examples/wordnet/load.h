/* WordNet's arrays into a store of package cortex: a synset becomes a Concept, a pointer a
 * ConceptRelationship.
 *
 *     struct load_times times;
 *     if (wordnet_load(session, &wordnet, NULL, &times) != VARVE_OK)
 *         ...                                   varve_session_error(session) says why
 */
#ifndef WORDNET_LOAD_H
#define WORDNET_LOAD_H

#include "cortex/cortex.varve.h"
#include "progress.h"
#include "wordnet.h"

/* Seconds of each step of a load. */
struct load_times {
    double concepts;
    double relationships;
    double commit;
};

/* Stores all synsets and pointers in one transaction: all or nothing. The metadata of a concept are
 * "words", "senses", "lexfile" and "gloss"; it has no embedding. `progress` and `times` may be
 * NULL. */
VARVE_MUST_CHECK enum varve_status
wordnet_load(
    struct varve_session *session,
    const struct wordnet *wordnet,
    struct progress *progress,
    struct load_times *times);

#endif
