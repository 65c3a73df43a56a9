/* What the two sides of C on libhdf5 share. */
#ifndef VARVE_BENCH_ARCHIVE_HDF5_H
#define VARVE_BENCH_ARCHIVE_HDF5_H

#include <hdf5.h>

/* The handle, unless libhdf5 could not make it: its own error stands on stderr then. */
hid_t
hdf5_handle(hid_t handle, const char *what);

/* The same for calls that give none. */
void
hdf5_must(herr_t status, const char *what);

/* Makes a closed file durable, and its name in the folder. */
void
hdf5_sync(const char *path, const char *folder);

#endif
