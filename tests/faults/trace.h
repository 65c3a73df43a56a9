/* A file of what calls have done to files, in their order, from which power.py makes the states that
 * a loss of power may leave. An entry is a line "CALL NUMBER SIZE PATH" and SIZE bytes behind it:
 *
 *     write OFFSET SIZE PATH    the bytes     make 0 0 PATH       the file is new
 *     truncate SIZE 0 PATH                    mkdir 0 0 PATH
 *     sync 0 0 PATH                           unlink 0 0 PATH
 *     mark 0 0                                rename 0 SIZE PATH  the bytes are the new path
 */
#ifndef VARVE_TESTS_FAULTS_TRACE_H
#define VARVE_TESTS_FAULTS_TRACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* NULL: nothing is traced. */
void
trace_begin(const char *path);

void
trace_end(void);

void
trace_add(const char *call, const char *path, long long number, const void *data, size_t size);

/* The path of an open file or folder. */
bool
trace_path(int file, char path[PATH_MAX]);

/* The same of an open file or folder. */
void
trace_add_file(const char *call, int file, long long number, const void *data, size_t size);

#endif
