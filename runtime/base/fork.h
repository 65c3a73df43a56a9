/* Whether this process was forked since something was made: SQLite's files and locks must not be used
 * on the other side of a fork. Counting in a handler of the child is some hundred times cheaper than
 * asking for the process id in every call. */
#ifndef VARVE_BASE_FORK_H
#define VARVE_BASE_FORK_H

/* Forks between the first process that called varve__fork_watch() and this one. */
extern unsigned varve__fork_count;

/* Begins to count; once is enough, more do no harm. */
void
varve__fork_watch(void);

#endif
