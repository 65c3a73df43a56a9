/* Folders for a benchmark's files: made anew, and removed when the program ends.
 *
 *     const char *folder = bench_folder_make("/var/tmp");     // "/var/tmp/bench-x4Zk1q"
 *     char *path = bench_folder_path(folder, "theirs.db");
 *     free(path);
 */
#ifndef VARVE_BENCH_FOLDER_H
#define VARVE_BENCH_FOLDER_H

/* Makes an empty folder in this one. One in a program; it is removed with all it holds at the
 * program's exit, also by bench_fail(). */
const char *
bench_folder_make(const char *parent);

/* "folder/name". New memory: release it with free(). */
char *
bench_folder_path(const char *folder, const char *name);

/* Removes the file or folder with all it holds. It may be absent. */
void
bench_folder_remove(const char *path);

#endif
