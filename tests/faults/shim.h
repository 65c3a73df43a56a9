/* What the shim does for the worker. */
#ifndef VARVE_TESTS_FAULTS_SHIM_H
#define VARVE_TESTS_FAULTS_SHIM_H

/* From here on calls count, and fail as the environment says. */
void
fault_arm(void);

/* No call fails any more. Returns how many have been counted. */
long
fault_disarm(void);

/* Puts a line "mark" into the trace. */
void
fault_mark(void);

#endif
