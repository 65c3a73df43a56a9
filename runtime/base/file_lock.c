/* flock() is of the open file, not of the process: two stores of one process exclude each other too. */
#define _DEFAULT_SOURCE /* flock, major, minor */

#include "base/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"

void
varve__file_lock_init(struct varve__file_lock *lock)
{
    *lock = (struct varve__file_lock){.handle = {.file = -1}};
}

static enum varve_status
fail(const char *what, const char *path)
{
    int error = errno;
    bool forbidden = error == EACCES || error == EROFS || error == EPERM;
    enum varve_status status = varve__fail(
        forbidden ? VARVE_READ_ONLY : VARVE_IO, VARVE_FAILURE_OTHER, VARVE_TIER_NONE, NULL,
        "cannot %s %s: %s; %s", what, path, strerror(error),
        forbidden ? "name a folder in data_dir that this user may write"
                  : "put data_dir on a local disk that has room");
    varve__failure_set_errno(error);
    return status;
}

enum varve_status
varve__file_lock_open(struct varve__file_lock *lock, const char *path, bool optional)
{
    int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) /* another user's, or a file system that is read-only */
        file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return optional ? VARVE_OK : fail("open", path);
    lock->handle.file = file;
    varve__fork_add_file(&lock->handle);
    return VARVE_OK;
}

enum varve_status
varve__file_lock_try(struct varve__file_lock *lock, bool exclusive)
{
    if (lock->handle.file < 0 || (lock->held && lock->exclusive == exclusive))
        return VARVE_OK;
    /* Changing the kind would give up the lock first as well, and then maybe not tell. */
    varve__file_lock_release(lock);
    int code;
    do {
        code = flock(lock->handle.file, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
    } while (code != 0 && errno == EINTR);
    if (code != 0)
        return errno == EWOULDBLOCK ? VARVE_BUSY : fail("lock", "the store's varve.lock");
    lock->held = true;
    lock->exclusive = exclusive;
    return VARVE_OK;
}

void
varve__file_lock_release(struct varve__file_lock *lock)
{
    if (lock->held)
        flock(lock->handle.file, LOCK_UN);
    lock->held = false;
}

/* Adds the process, unless it is there already. */
static void
add_process(char *text, size_t size, long process)
{
    char word[40];
    size_t length = strlen(text);
    int needed = snprintf(word, sizeof word, "process %ld", process);
    const char *found = strstr(text, word);
    if (found && (found[needed] == ',' || found[needed] == '\0'))
        return;
    if (needed > 0 && length + (size_t)needed + 3 <= size)
        snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", word);
}

void
varve__file_lock_holders(const struct varve__file_lock *lock, char *text, size_t size)
{
    struct stat file;
    char line[256];
    text[0] = '\0';
    FILE *locks = fstat(lock->handle.file, &file) == 0 ? fopen("/proc/locks", "re") : NULL;
    /* "1: FLOCK  ADVISORY  READ 4711 08:01:5242 0 EOF"; a line with "->" is of one that waits */
    while (locks && fgets(line, sizeof line, locks)) {
        long process;
        unsigned major_number;
        unsigned minor_number;
        unsigned long long inode;
        int found = sscanf(
            line, "%*d: FLOCK %*s %*s %ld %x:%x:%llu", &process, &major_number, &minor_number,
            &inode);
        if (found == 4 && process > 0 && inode == file.st_ino &&
            major_number == major(file.st_dev) && minor_number == minor(file.st_dev))
            add_process(text, size, process);
    }
    if (locks)
        fclose(locks);
}

void
varve__file_lock_close(struct varve__file_lock *lock)
{
    if (lock->handle.file < 0)
        return;
    varve__fork_drop_file(&lock->handle);
    close(lock->handle.file);
    varve__file_lock_init(lock);
}
