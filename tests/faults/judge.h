/* What the workers ask of a store whose calls fail. */
#ifndef VARVE_TESTS_FAULTS_JUDGE_H
#define VARVE_TESTS_FAULTS_JUDGE_H

#include <sqlite3.h>

#include <varve/status.h>

/* Ends the process with 1 and a line on stderr, past the shim. */
_Noreturn void
wrong(const char *what, const char *detail);

/* From here on varve's memory is counted; before its first call. */
void
count_memory(void);

/* When all is closed. */
void
expect_no_leak(void);

/* Faults may only be told as what they are, each in a sentence. FAULT_VERBOSE shows it. */
void
expect_told(const char *what, enum varve_status status, const char *message);

/* SQLite finds nothing wrong. */
void
expect_sound_database(sqlite3 *database);

#endif
