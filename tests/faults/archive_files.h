/* What must be so of a store that has been repaired by nothing but opening it and varve_maintain(). */
#ifndef VARVE_TESTS_FAULTS_ARCHIVE_FILES_H
#define VARVE_TESTS_FAULTS_ARCHIVE_FILES_H

#include <sqlite3.h>

/* The catalog has the dataset of each tensor. */
void
expect_datasets(sqlite3 *database);

/* The catalog names every file of the archive, of its size, and no other; nothing waits to be deleted. */
void
expect_files(sqlite3 *database, const char *folder);

#endif
