/* libhdf5 as the archive uses it: by one thread of the process at a time, silent, and on a file that we
 * have opened ourselves. A driver of our own does its reading and writing: it knows where each chunk went
 * (asking libhdf5 takes time that grows with the square of their number), which errno a write had, and it
 * never closes or locks the file.
 *
 *     struct varve__hdf5_call call;
 *     if (varve__hdf5_enter(&call)) {
 *         .. H5 calls ..
 *         varve__hdf5_leave(&call);
 *     }
 */
#ifndef VARVE_ARCHIVE_SEGMENT_HDF5_H
#define VARVE_ARCHIVE_SEGMENT_HDF5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hdf5.h>

#include <varve/status.h>

#include "base/fork.h"

/* A file that libhdf5 writes. */
struct varve__hdf5_file {
    const struct varve__fork_file *handle; /* -1 in a forked child: nothing is written there */
    uint64_t end;                          /* of what libhdf5 has written */
    int error; /* errno of the first write that failed: calls of libhdf5 succeed all the same; who makes them
                * looks here. Set it, and nothing is written any more */
    size_t raw_writes;    /* of elements, since this was set to 0 */
    uint64_t raw_address; /* .. and of the last of them */
    size_t raw_size;
};

/* What is put back when the lock is given up. */
struct varve__hdf5_call {
    H5E_auto2_t print;
    void *print_data;
};

/* Takes the lock. False, with nothing taken: the process ends, and libhdf5 with it. */
bool
varve__hdf5_enter(struct varve__hdf5_call *call);

void
varve__hdf5_leave(const struct varve__hdf5_call *call);

/* What went wrong in the call that has just failed, under the lock: VARVE_FULL, VARVE_READ_ONLY, VARVE_IO or
 * VARVE_NO_MEMORY. `what` was tried ("write", "make"). */
enum varve_status
varve__hdf5_fail(
    const struct varve__hdf5_file *file, const char *record, const char *what, const char *path);

/* The failure of a system call on a file of the archive, with that errno. Any thread. */
enum varve_status
varve__archive_fail_errno(int error, const char *record, const char *what, const char *path);

/* libhdf5 cannot be called any more: varve__hdf5_enter() was false. */
enum varve_status
varve__hdf5_fail_ended(const char *record, const char *path);

/* Lets files that are made with this property list be `file`, which must stay where it is until they are
 * closed. Under the lock. */
bool
varve__hdf5_set_driver(hid_t access, struct varve__hdf5_file *file);

/* Writes all bytes, or says with errno why not. */
bool
varve__hdf5_write_all(int descriptor, const void *bytes, size_t size, uint64_t address);

#endif
