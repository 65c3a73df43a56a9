/* A redis-server of the test's own: on a Unix socket in a folder of its own, without TCP and without
 * snapshots, ended with the test program at the latest. Every function fails the test when it cannot do what
 * it says; that redis-server is not installed is a failure too.
 *
 *     struct test_server *server = server_start((const char *const[]){"--maxmemory", "2mb", NULL});
 *     options.unix_socket = server_socket(server);
 *     server_command(server, "CONFIG SET maxmemory %s", "1mb");
 *     server_kill(server, SIGKILL);
 *     server_restart(server);
 *     server_stop(server);
 */
#ifndef VARVE_TESTS_CACHE_SERVER_H
#define VARVE_TESTS_CACHE_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct test_server;

/* Returns when the server answers. `extra_arguments` end with NULL, are used again by a restart, and may be
 * NULL; --enable-debug-command is left out where the server is older than that. Called by the program's first
 * thread: the server ends with the thread that started it. */
struct test_server *
server_start(const char *const *extra_arguments);

/* The socket's path, until server_stop(). It stays the same after a restart. */
const char *
server_socket(const struct test_server *server);

pid_t
server_process(const struct test_server *server);

/* Whether it reads its data and refuses calls meanwhile. Any thread. */
bool
server_is_loading(const struct test_server *server);

/* Sends the signal; after one that ends the server it returns when the server is gone. */
void
server_kill(struct test_server *server, int signal);

/* Starts the server again in the same folder, with what it wrote there; ends it first, by SIGTERM, if it
 * runs. */
void
server_restart(struct test_server *server);

/* Ends the server, if it runs, and removes the folder. NULL is fine. */
void
server_stop(struct test_server *server);

/* Runs a command on a connection of its own, with the password of --requirepass if there is one; `format` is
 * hiredis's: words between blanks, %s, %b (bytes, then their size_t). The reply as text, valid until the next
 * call: integers in decimal, an array's elements in lines, "" for nil. An error of the server fails the
 * test. */
const char *
server_command(const struct test_server *server, const char *format, ...);

#endif
