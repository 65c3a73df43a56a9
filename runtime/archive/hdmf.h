/* Attributes of HDF5 objects, and those that make a group an HDMF DynamicTable (hdmf-common schema 1.5): what
 * python3-hdmf and its validator read. All under the lock of segment_hdf5.h; false: libhdf5 says why. */
#ifndef VARVE_ARCHIVE_HDMF_H
#define VARVE_ARCHIVE_HDMF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hdf5.h>

/* Text: UTF-8 of variable length, as h5py writes and HDMF wants it. */
bool
varve__hdf5_text(hid_t object, const char *name, const char *text);

bool
varve__hdf5_texts(hid_t object, const char *name, const char *const *texts, size_t count);

bool
varve__hdf5_number(hid_t object, const char *name, uint32_t number);

/* The attributes of every HDMF object: its type, the namespace of that, an id of its own, what it is. NULL
 * description: none. */
bool
varve__hdmf_object(hid_t object, const char *type, const char *description);

/* A DynamicTable with these columns; an index is no column. */
bool
varve__hdmf_table(
    hid_t group, const char *description, const char *const *columns, size_t column_count);

/* A VectorIndex: where each row of the dataset `target`, a path in `group`, ends. */
bool
varve__hdmf_index(hid_t index, const char *description, hid_t group, const char *target);

#endif
