/* The records that bench_wire packs and unpacks, as varve's structs and as protobuf-c's, with equal
 * values. Each is static: it owns nothing and stays valid.
 *
 *     struct sample episode;
 *     sample_episode(&episode);
 *     sample_verify(&episode);
 */
#ifndef VARVE_BENCH_SAMPLES_H
#define VARVE_BENCH_SAMPLES_H

#include <protobuf-c/protobuf-c.h>
#include <varve/varve.h>

struct sample {
    const char *name;
    const struct varve_record *table; /* varve's */
    const void *record;
    const ProtobufCMessage *message; /* protobuf-c's */
    struct varve_bytes wire;         /* packed; made by sample_verify() */
};

/* About 376 bytes packed: 256 bytes of experience, a hash, a map of three texts. */
void
sample_episode(struct sample *sample);

/* About 80 bytes packed: two short strings and a map of two numbers. */
void
sample_learning_event(struct sample *sample);

/* About 3.2 kB packed: an embedding of 768 floats. */
void
sample_concept(struct sample *sample);

/* Packs the record with both and ends the program when the bytes differ, or when either does not
 * read them back as they were. Keeps the bytes in sample->wire: varve_bytes_free(). */
void
sample_verify(struct sample *sample);

#endif
