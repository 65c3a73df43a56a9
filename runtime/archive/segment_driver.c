/* The driver by which libhdf5 reads and writes a file that we have open. Like its own sec2 driver, but for
 * what segment_hdf5.h says, and that a write never fails: libhdf5 1.10 keeps a file that it could not
 * close half released, and crashes on it at exit(). So the error is noted, nothing more is written, and
 * who calls libhdf5 looks at the note. */
#include "archive/segment_hdf5.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    MAX_ADDRESS_BITS = 63
};

/* What the property list carries: libhdf5 copies it. */
struct access {
    struct varve__hdf5_file *file;
};

/* libhdf5's handle; its part comes first. */
struct opened {
    H5FD_t base;
    struct varve__hdf5_file *file;
    haddr_t allocated; /* end of what libhdf5 uses */
};

static struct opened *
opened_of(H5FD_t *base)
{
    return (struct opened *)(void *)base;
}

static const struct opened *
const_opened_of(const H5FD_t *base)
{
    return (const struct opened *)(const void *)base;
}

static H5FD_t *
open_file(const char *name, unsigned flags, hid_t access_list, haddr_t max_address)
{
    const struct access *access = H5Pget_driver_info(access_list);
    struct opened *opened = access ? varve__allocate(sizeof *opened) : NULL;
    (void)name;
    (void)flags;
    (void)max_address;
    if (!opened)
        return NULL;
    memset(opened, 0, sizeof *opened);
    opened->file = access->file;
    return &opened->base;
}

static herr_t
close_file(H5FD_t *base)
{
    varve__release(opened_of(base));
    return 0;
}

static herr_t
query(const H5FD_t *base, unsigned long *features)
{
    (void)base;
    *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
                H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
                H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t
get_allocated(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return const_opened_of(base)->allocated;
}

static herr_t
set_allocated(H5FD_t *base, H5FD_mem_t type, haddr_t address)
{
    (void)type;
    opened_of(base)->allocated = address;
    return 0;
}

static haddr_t
get_end(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return const_opened_of(base)->file->end;
}

/* What is behind the end of the file are zeros. */
static herr_t
read_file(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *buffer)
{
    struct varve__hdf5_file *file = opened_of(base)->file;
    char *to = buffer;
    (void)type;
    (void)transfer;
    while (size > 0) {
        ssize_t got = pread(file->handle->file, to, size, (off_t)address);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            file->error = file->error ? file->error : errno;
            return -1;
        }
        if (got == 0) {
            memset(to, 0, size);
            return 0;
        }
        to += got;
        size -= (size_t)got;
        address += (haddr_t)got;
    }
    return 0;
}

bool
varve__hdf5_write_all(int descriptor, const void *bytes, size_t size, uint64_t address)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t put = pwrite(descriptor, from, size, (off_t)address);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            errno = put == 0 ? EIO : errno;
            return false;
        }
        from += put;
        size -= (size_t)put;
        address += (uint64_t)put;
    }
    return true;
}

static herr_t
write_file(
    H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, const void *buffer)
{
    struct varve__hdf5_file *file = opened_of(base)->file;
    (void)transfer;
    /* In a forked child, where exit() ends libhdf5 too, the file is its parent's. */
    if (file->error || file->handle->file < 0)
        return 0;
    if (!varve__hdf5_write_all(file->handle->file, buffer, size, address)) {
        file->error = errno;
        return 0;
    }
    if (address + size > file->end)
        file->end = address + size;
    if (type == H5FD_MEM_DRAW) {
        file->raw_writes++;
        file->raw_address = address;
        file->raw_size = size;
    }
    return 0;
}

/* Elements that we write ourselves may stand behind `end`, never behind what is allocated. */
static herr_t
truncate_file(H5FD_t *base, hid_t transfer, hbool_t closing)
{
    struct opened *opened = opened_of(base);
    struct varve__hdf5_file *file = opened->file;
    int code;
    (void)transfer;
    (void)closing;
    if (file->error || opened->allocated == file->end || file->handle->file < 0)
        return 0;
    do {
        code = ftruncate(file->handle->file, (off_t)opened->allocated);
    } while (code != 0 && errno == EINTR);
    if (code != 0)
        file->error = errno;
    file->end = opened->allocated;
    return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION /* 1.14 */
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)511, /* of those for drivers that nobody else sees: 256 to 511 */
#endif
    .name = "varve",
    .maxaddr = ((haddr_t)1 << MAX_ADDRESS_BITS) - 1,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(struct access),
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_allocated,
    .set_eoa = set_allocated,
    .get_eof = get_end,
    .read = read_file,
    .write = write_file,
    .truncate = truncate_file,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

bool
varve__hdf5_set_driver(hid_t access_list, struct varve__hdf5_file *file)
{
    static hid_t id = H5I_INVALID_HID;
    const struct access access = {.file = file};
    if (id < 0 || H5Iget_type(id) != H5I_VFL) /* the program may call H5close() */
        id = H5FDregister(&driver);
    return id >= 0 && H5Pset_driver(access_list, id, &access) >= 0;
}
