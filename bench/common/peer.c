/* Starting a counterpart process and talking to it over two pipes. */
#include "common/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/bench.h"

struct bench_peer {
    pid_t process;
    FILE *requests;
    FILE *answers;
    char *line; /* the last answer */
    size_t line_size;
};

static _Noreturn void
become(const char *const *command, const int *requests, const int *answers)
{
    dup2(requests[0], STDIN_FILENO);
    dup2(answers[1], STDOUT_FILENO);
    close(requests[0]);
    close(requests[1]);
    close(answers[0]);
    close(answers[1]);
    execvp(command[0], (char *const *)(uintptr_t)command);
    fprintf(stderr, "error: cannot start %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

struct bench_peer *
bench_peer_start(const char *const *command)
{
    int requests[2], answers[2];
    struct bench_peer *peer = calloc(1, sizeof *peer);
    if (!peer || pipe(requests) != 0 || pipe(answers) != 0)
        bench_fail("cannot start %s: %s", command[0], strerror(errno));
    signal(SIGPIPE, SIG_IGN); /* a peer that has ended shows as an error of the next call */
    fflush(NULL);
    peer->process = fork();
    if (peer->process == 0)
        become(command, requests, answers);
    close(requests[0]);
    close(answers[1]);
    peer->requests = fdopen(requests[1], "w");
    peer->answers = fdopen(answers[0], "r");
    if (peer->process < 0 || !peer->requests || !peer->answers)
        bench_fail("cannot start %s: %s", command[0], strerror(errno));
    return peer;
}

const char *
bench_peer_ask(struct bench_peer *peer, const char *line)
{
    bool sent = fprintf(peer->requests, "%s\n", line) > 0 && fflush(peer->requests) == 0;
    ssize_t size = sent ? getline(&peer->line, &peer->line_size, peer->answers) : -1;
    if (size < 0)
        bench_fail("the counterpart process ended at \"%.40s\"", line);
    if (size > 0 && peer->line[size - 1] == '\n')
        peer->line[size - 1] = '\0';
    return peer->line;
}

uint64_t
bench_peer_time(void *context, size_t operations)
{
    const struct bench_peer_work *work = context;
    char line[128], *end;
    snprintf(line, sizeof line, "%s %zu", work->name, operations);
    const char *answer = bench_peer_ask(work->peer, line);
    uint64_t time = strtoumax(answer, &end, 10);
    if (end == answer || *end != '\0')
        bench_fail("the counterpart process answered \"%s\" to \"%s\"", answer, line);
    return time;
}

void
bench_peer_stop(struct bench_peer *peer)
{
    int status = 0;
    if (!peer)
        return;
    fclose(peer->requests);
    fclose(peer->answers);
    if (waitpid(peer->process, &status, 0) < 0 || status != 0)
        bench_fail("the counterpart process failed");
    free(peer->line);
    free(peer);
}
