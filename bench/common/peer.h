/* A counterpart in another process, such as a Python script: it times itself, and its rounds
 * alternate with ours.
 *
 *     const char *const command[] = {"python3", "peer.py", NULL};
 *     struct bench_peer *peer = bench_peer_start(command);
 *     struct bench_peer_work pack = {.peer = peer, .name = "pack"};
 *     struct bench_work work = {.., .theirs = {bench_peer_time, &pack}};
 *     bench_run_compare(&run, &work);
 *     bench_peer_stop(peer);
 *
 * It reads lines from its standard input and answers each with one line on its standard output:
 * "pack 1000" with the nanoseconds that 1000 operations took. It ends at the end of its input. A
 * peer that cannot be started, fails or ends early ends the benchmark with an error.
 */
#ifndef VARVE_BENCH_PEER_H
#define VARVE_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

struct bench_peer;

struct bench_peer_work {
    struct bench_peer *peer;
    const char *name;
};

/* Starts the command, looked for on the PATH. NULL ends its arguments. */
struct bench_peer *
bench_peer_start(const char *const *command);

/* Sends a line and returns the answer without its line end, valid until the next call. */
const char *
bench_peer_ask(struct bench_peer *peer, const char *line);

/* A bench_function: context is a struct bench_peer_work. */
uint64_t
bench_peer_time(void *context, size_t operations);

/* Ends the peer and waits for it. NULL is fine. */
void
bench_peer_stop(struct bench_peer *peer);

#endif
