/* See peer.h. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, nanosleep */

#include "peer.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct peer {
    char folder[32];
    char path[48];
    int listener;
    atomic_bool stopped;
    pthread_t thread;
    peer_part *part;
};

static void *
play(void *context)
{
    struct peer *peer = context;
    struct pollfd ready = {.fd = peer->listener, .events = POLLIN};
    while (!atomic_load(&peer->stopped) && poll(&ready, 1, 10) == 0)
        ;
    int socket = ready.revents ? accept(peer->listener, NULL, NULL) : -1;
    if (socket >= 0) {
        peer->part(peer, socket);
        close(socket);
    }
    return NULL;
}

struct peer *
peer_start(peer_part *part)
{
    struct peer *peer = calloc(1, sizeof *peer);
    assert_non_null(peer);
    strcpy(peer->folder, "/tmp/varve-peer-XXXXXX");
    assert_non_null(mkdtemp(peer->folder));
    snprintf(peer->path, sizeof peer->path, "%s/socket", peer->folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, peer->path);
    peer->part = part;
    peer->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(peer->listener, 4), 0);
    assert_int_equal(pthread_create(&peer->thread, NULL, play, peer), 0);
    return peer;
}

const char *
peer_socket(const struct peer *peer)
{
    return peer->path;
}

void
peer_send(int socket, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = send(socket, bytes, size, MSG_NOSIGNAL);
        if (count <= 0)
            return; /* the client has gone: its test says why */
        bytes += count;
        size -= (size_t)count;
    }
}

void
peer_expect(int socket, const char *words)
{
    char bytes[4096];
    size_t size = 0, wanted = strlen(words);
    while (size < wanted || memcmp(bytes + size - wanted, words, wanted) != 0) {
        ssize_t count = size < sizeof bytes ? recv(socket, bytes + size, 1, 0) : -1;
        if (count <= 0)
            return;
        size += (size_t)count;
    }
}

void
peer_wait_for_stop(struct peer *peer)
{
    while (!atomic_load(&peer->stopped))
        peer_pause(2);
}

bool
peer_is_stopped(struct peer *peer)
{
    return atomic_load(&peer->stopped);
}

void
peer_pause(int milliseconds)
{
    struct timespec pause = {.tv_nsec = milliseconds * 1000000L};
    nanosleep(&pause, NULL);
}

void
peer_stop(struct peer *peer)
{
    if (!peer)
        return;
    atomic_store(&peer->stopped, true);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
    unlink(peer->path);
    rmdir(peer->folder);
    free(peer);
}
