/* The benchmark's redis-server. */
#define _GNU_SOURCE /* sched_setaffinity */
#include "cache/server.h"

#include <hiredis/hiredis.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/bench.h"
#include "common/folder.h"

struct server {
    pid_t process;
    char *socket;
};

static void
run(const char *folder, const char *socket)
{
    if (!freopen("/dev/null", "w", stdout))
        _exit(127);
    execlp(
        "redis-server", "redis-server", "--port", "0", "--unixsocket", socket, "--save", "",
        "--dir", folder, (char *)NULL);
    _exit(127);
}

static void
wait_until_it_answers(const struct server *server)
{
    for (int i = 0; i < 500; i++) {
        redisContext *context = redisConnectUnix(server->socket);
        redisReply *reply = context && !context->err ? redisCommand(context, "PING") : NULL;
        bool answers = reply && reply->type == REDIS_REPLY_STATUS;
        if (reply)
            freeReplyObject(reply);
        redisFree(context);
        if (answers)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    bench_fail("redis-server does not answer; is it installed? (Debian: redis-server)");
}

struct server *
server_start(const char *folder)
{
    struct server *server = malloc(sizeof *server);
    if (!server)
        bench_fail("out of memory");
    server->socket = bench_folder_path(folder, "redis.sock");
    server->process = fork();
    if (server->process < 0)
        bench_fail("cannot start redis-server");
    if (server->process == 0)
        run(folder, server->socket);
    wait_until_it_answers(server);
    return server;
}

const char *
server_socket(const struct server *server)
{
    return server->socket;
}

void
server_place(const struct server *server, bool together)
{
    cpu_set_t first, others;
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 2)
        return;
    CPU_ZERO(&first);
    CPU_ZERO(&others);
    CPU_SET(0, &first);
    for (int i = 1; i < count; i++)
        CPU_SET((size_t)i, &others);
    sched_setaffinity(server->process, sizeof first, &first);
    sched_setaffinity(0, sizeof first, together ? &first : &others);
}

void
server_stop(struct server *server)
{
    kill(server->process, SIGTERM);
    waitpid(server->process, NULL, 0);
    free(server->socket);
    free(server);
}
