/* Forks, and the database files that a forked child must not touch. SQLite keeps what it knows of locks
 * in the process's memory: after a fork the child believes to hold locks that are its parent's alone,
 * in every connection to the same file, also in new ones. */
#ifndef VARVE_BASE_FORK_H
#define VARVE_BASE_FORK_H

#include <stdbool.h>
#include <sys/types.h>

/* Forks between the first process that called varve__fork_watch() and this one. Counted in a handler of
 * the child: asking for the process id in every call would cost some hundred times more. */
extern unsigned varve__fork_count;

/* Begins to count; once is enough, more do no harm. */
void
varve__fork_watch(void);

/* Notes that the file is open, until it is closed as often as it was opened. False: an ancestor had it open when it forked, or there is no memory
 * (*inherited tells). */
bool
varve__fork_note_open(dev_t device, ino_t inode, bool *inherited);

/* Notes that it was closed. */
void
varve__fork_note_closed(dev_t device, ino_t inode);

/* A file that a forked child must not keep open: the child's copy would hold its parent's lock. */
struct varve__fork_file {
    int file; /* -1: closed, in the child too */
    struct varve__fork_file *next;
};

/* From now on the file is closed in forked children, until varve__fork_drop_file(). */
void
varve__fork_add_file(struct varve__fork_file *file);

void
varve__fork_drop_file(struct varve__fork_file *file);

#endif
