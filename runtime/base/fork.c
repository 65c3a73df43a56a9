/* Counting forks, and the list of open files. */
#include "base/fork.h"

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "base/memory.h"

/* A file that this process has open, or inherited so. */
struct open_file {
    dev_t device;
    ino_t inode;
    unsigned fork_count; /* when it was opened */
    size_t count;
    struct open_file *next;
};

unsigned varve__fork_count;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list; free across a fork */
static struct open_file *files;
static struct varve__fork_file *closing; /* in forked children */

static void
lock_list(void)
{
    pthread_mutex_lock(&lock);
}

static void
unlock_list(void)
{
    pthread_mutex_unlock(&lock);
}

static void
enter_child(void)
{
    varve__fork_count++; /* there is but this thread */
    for (struct varve__fork_file *file = closing; file; file = file->next) {
        close(file->file);
        file->file = -1;
    }
    closing = NULL;
    unlock_list();
}

static void
install(void)
{
    pthread_atfork(lock_list, unlock_list, enter_child);
}

void
varve__fork_watch(void)
{
    pthread_once(&once, install);
}

static struct open_file **
find(dev_t device, ino_t inode)
{
    struct open_file **link = &files;
    while (*link && ((*link)->device != device || (*link)->inode != inode))
        link = &(*link)->next;
    return link;
}

static bool
add(dev_t device, ino_t inode)
{
    struct open_file *file = varve__allocate(sizeof *file);
    if (!file)
        return false;
    *file = (struct open_file){device, inode, varve__fork_count, 1, files};
    files = file;
    return true;
}

bool
varve__fork_note_open(dev_t device, ino_t inode, bool *inherited)
{
    lock_list();
    struct open_file *file = *find(device, inode);
    *inherited = file && file->fork_count != varve__fork_count;
    bool noted = !*inherited;
    if (noted && file)
        file->count++;
    else if (noted)
        noted = add(device, inode);
    unlock_list();
    return noted;
}

void
varve__fork_note_closed(dev_t device, ino_t inode)
{
    lock_list();
    struct open_file **link = find(device, inode);
    struct open_file *file = *link;
    if (file && --file->count == 0) {
        *link = file->next;
        varve__release(file);
    }
    unlock_list();
}

void
varve__fork_add_file(struct varve__fork_file *file)
{
    lock_list();
    file->next = closing;
    closing = file;
    unlock_list();
}

void
varve__fork_drop_file(struct varve__fork_file *file)
{
    lock_list();
    struct varve__fork_file **link = &closing;
    while (*link && *link != file)
        link = &(*link)->next;
    if (*link)
        *link = file->next;
    unlock_list();
}
