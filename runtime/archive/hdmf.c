/* Attributes. */
#include "archive/hdmf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    UUID_SIZE = 37 /* with the NUL */
};

/* Writes an attribute of this type and space, and closes both. */
static bool
write_attribute(hid_t object, const char *name, hid_t type, hid_t space, const void *value)
{
    hid_t attribute = H5I_INVALID_HID;
    if (type >= 0 && space >= 0)
        attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool good = attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
    if (attribute >= 0 && H5Aclose(attribute) < 0)
        good = false;
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return good;
}

static hid_t
text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        type = H5I_INVALID_HID;
    }
    return type;
}

bool
varve__hdf5_text(hid_t object, const char *name, const char *text)
{
    return write_attribute(object, name, text_type(), H5Screate(H5S_SCALAR), &text);
}

bool
varve__hdf5_texts(hid_t object, const char *name, const char *const *texts, size_t count)
{
    hsize_t dims[1] = {count};
    return write_attribute(object, name, text_type(), H5Screate_simple(1, dims, NULL), texts);
}

bool
varve__hdf5_number(hid_t object, const char *name, uint32_t number)
{
    return write_attribute(
        object, name, H5Tcopy(H5T_NATIVE_UINT32), H5Screate(H5S_SCALAR), &number);
}

/* -------------------------------------------------------------------- HDMF */

/* A random UUID (version 4) in its usual form. */
static bool
make_uuid(char text[UUID_SIZE])
{
    uint8_t b[16];
    ssize_t got;
    do {
        got = getrandom(b, sizeof b, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof b)
        return false;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(
        text, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
        b[14], b[15]);
    return true;
}

bool
varve__hdmf_object(hid_t object, const char *type, const char *description)
{
    char uuid[UUID_SIZE];
    return make_uuid(uuid) && varve__hdf5_text(object, "namespace", "hdmf-common") &&
           varve__hdf5_text(object, "data_type", type) &&
           varve__hdf5_text(object, "object_id", uuid) &&
           (!description || varve__hdf5_text(object, "description", description));
}

bool
varve__hdmf_table(
    hid_t group, const char *description, const char *const *columns, size_t column_count)
{
    return varve__hdmf_object(group, "DynamicTable", description) &&
           varve__hdf5_texts(group, "colnames", columns, column_count);
}

bool
varve__hdmf_index(hid_t index, const char *description, hid_t group, const char *target)
{
    hobj_ref_t reference;
    return varve__hdmf_object(index, "VectorIndex", description) &&
           H5Rcreate(&reference, group, target, H5R_OBJECT, H5I_INVALID_HID) >= 0 &&
           write_attribute(
               index, "target", H5Tcopy(H5T_STD_REF_OBJ), H5Screate(H5S_SCALAR), &reference);
}
