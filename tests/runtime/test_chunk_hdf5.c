/* Chunks against libhdf5: it reads what we encode, we decode what it writes, and its SZIP writes the very
 * bytes that ours does. Zstandard is no filter of libhdf5: it gets one here that does what the registered
 * one (32015) does. Files are in memory. LZF has its own test, with h5py. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>
#include <zstd.h>

#include "../store/random.h"
#include "archive/grid.h"
#include "codec/chunk.h"

enum {
    ZSTD_FILTER = 32015,
    CASES = 400,
    RANK = 3
};

struct sample {
    struct varve__chunk_filter filter;
    struct varve__grid grid; /* of one chunk */
    uint8_t *raw;            /* test_free() */
    size_t size;
};

static struct varve__chunk_codec *codec;
static hid_t file;

/* ------------------------------------------------------------------ filter 32015 */

static size_t
zstd_filter(
    unsigned flags,
    size_t value_count,
    const unsigned values[],
    size_t size,
    size_t *room,
    void **buffer)
{
    bool reads = flags & H5Z_FLAG_REVERSE;
    unsigned long long raw_size = reads ? ZSTD_getFrameContentSize(*buffer, size) : 0;
    if (value_count < 1 || raw_size > SIZE_MAX / 4) /* no frame, or it does not say */
        return 0;
    size_t most = reads ? (size_t)raw_size : ZSTD_compressBound(size);
    void *made = malloc(most + !most);
    if (!made)
        return 0;
    size_t written = reads ? ZSTD_decompress(made, most, *buffer, size)
                           : ZSTD_compress(made, most, *buffer, size, (int)values[0]);
    if (ZSTD_isError(written)) {
        free(made);
        return 0;
    }
    free(*buffer);
    *buffer = made;
    *room = most;
    return written;
}

static int
set_up(void **state)
{
    static const H5Z_class2_t zstd = {
        .version = H5Z_CLASS_T_VERS,
        .id = ZSTD_FILTER,
        .encoder_present = 1,
        .decoder_present = 1,
        .name = "zstd",
        .filter = zstd_filter,
    };
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    (void)state;
    H5Pset_fapl_core(access, 1 << 20, 0);
    file = H5Fcreate("test_chunk_hdf5.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    codec = varve__chunk_codec_create();
    return file < 0 || !codec || H5Zregister(&zstd) < 0;
}

static int
tear_down(void **state)
{
    (void)state;
    varve__chunk_codec_release(codec);
    return H5Fclose(file) < 0;
}

/* ------------------------------------------------------------------ samples */

static hid_t
type_of(size_t element)
{
    return element == 1   ? H5T_STD_U8LE
           : element == 2 ? H5T_STD_I16LE
           : element == 4 ? H5T_IEEE_F32LE
                          : H5T_IEEE_F64LE;
}

/* Shapes with last axes of all lengths that matter to SZIP: below a block, and above what a scanline may
 * have. */
static void
choose_shape(struct random *random, struct varve__grid *grid)
{
    static const int64_t lengths[] = {1, 7, 15, 16, 17, 33, 100, 1000, 2047, 2048, 2049, 5000};
    grid->rank = RANK;
    grid->dims[0] = 1;
    grid->dims[1] = 1 + (int64_t)random_below(random, 40);
    grid->dims[2] = lengths[random_below(random, 12)];
    grid->axis = 1;
    grid->band = grid->dims[1];
}

static struct sample
make_sample(struct random *random, enum varve_archive_compression compression)
{
    struct sample sample = {
        .filter = {
            .compression = compression,
            .level = 1 + (int)random_below(random, 9),
            .shuffle = random_one_in(random, 2),
            .checksum = random_one_in(random, 2),
            .element = (size_t)1 << random_below(random, 4),
        }};
    size_t every = 1 + random_below(random, 20); /* of noise, sparse, very sparse .. */
    sample.grid.element = sample.filter.element;
    choose_shape(random, &sample.grid);
    assert_true(varve__grid_complete(&sample.grid));
    assert_int_equal(sample.grid.chunk_count, 1);
    sample.size = varve__grid_chunk_size(&sample.grid);
    sample.raw = test_calloc(sample.size, 1);
    for (size_t i = 0; i < sample.size; i++)
        if (random_one_in(random, every))
            sample.raw[i] = (uint8_t)random_bits(random);
    if (compression == VARVE_ARCHIVE_SZIP)
        sample.filter.scanline = varve__grid_scanline(&sample.grid);
    return sample;
}

/* A dataset of one chunk, with the filters that the sample has. < 0: HDF5 refuses it. */
static hid_t
create_dataset(const struct sample *sample)
{
    static unsigned number;
    char name[32];
    hsize_t dims[RANK];
    const unsigned level = (unsigned)sample->filter.level;
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    for (size_t i = 0; i < RANK; i++)
        dims[i] = (hsize_t)sample->grid.dims[i];
    snprintf(name, sizeof name, "sample%u", number++);
    H5Pset_chunk(properties, RANK, dims);
    if (sample->filter.shuffle)
        H5Pset_shuffle(properties);
    if (sample->filter.compression == VARVE_ARCHIVE_DEFLATE)
        H5Pset_deflate(properties, level);
    if (sample->filter.compression == VARVE_ARCHIVE_ZSTD)
        H5Pset_filter(properties, ZSTD_FILTER, H5Z_FLAG_OPTIONAL, 1, &level);
    if (sample->filter.compression == VARVE_ARCHIVE_SZIP)
        H5Pset_szip(properties, VARVE__SZIP_OPTIONS, VARVE__SZIP_BLOCK);
    if (sample->filter.checksum)
        H5Pset_fletcher32(properties);
    hid_t space = H5Screate_simple(RANK, dims, NULL);
    hid_t dataset = H5Dcreate2(
        file, name, type_of(sample->filter.element), space, H5P_DEFAULT, properties, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(properties);
    return dataset;
}

/* ------------------------------------------------------------------ the two directions */

/* libhdf5 1.10 keeps what it knows of the chunk last written, without its mask, for as long as the dataset is
 * open. */
static hid_t
reopen(hid_t dataset)
{
    char name[32];
    assert_true(H5Iget_name(dataset, name, sizeof name) > 0);
    assert_true(H5Dclose(dataset) >= 0);
    return H5Dopen2(file, name, H5P_DEFAULT);
}

static void
assert_hdf5_reads_ours(const struct sample *sample)
{
    const hsize_t offset[RANK] = {0};
    hid_t type = type_of(sample->filter.element), dataset = create_dataset(sample);
    uint8_t *bytes = test_malloc(varve__chunk_bound(&sample->filter, sample->size));
    uint8_t *read = test_malloc(sample->size);
    size_t written;
    uint32_t mask;
    assert_true(dataset >= 0);
    assert_int_equal(
        varve__chunk_encode(
            codec, &sample->filter, sample->raw, sample->size, bytes, &written, &mask),
        VARVE_OK);
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, offset, written, bytes) >= 0);
    dataset = reopen(dataset);
    assert_true(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, read) >= 0);
    assert_memory_equal(read, sample->raw, sample->size);
    H5Dclose(dataset);
    test_free(bytes);
    test_free(read);
}

/* HDF5's bytes, decoded. *mask and the bytes, for test_free(), are handed on. */
static uint8_t *
assert_we_read_hdf5s(const struct sample *sample, uint32_t *mask, hsize_t *size)
{
    const hsize_t offset[RANK] = {0};
    hid_t type = type_of(sample->filter.element), dataset = create_dataset(sample);
    uint8_t *read = test_malloc(sample->size);
    assert_true(dataset >= 0);
    assert_true(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, sample->raw) >= 0);
    assert_true(H5Dflush(dataset) >= 0);
    assert_true(H5Dget_chunk_storage_size(dataset, offset, size) >= 0);
    uint8_t *bytes = test_malloc(*size);
    assert_true(H5Dread_chunk(dataset, H5P_DEFAULT, offset, mask, bytes) >= 0);
    assert_int_equal(
        varve__chunk_decode(codec, &sample->filter, *mask, true, bytes, *size, read, sample->size),
        VARVE_OK);
    assert_memory_equal(read, sample->raw, sample->size);
    H5Dclose(dataset);
    test_free(read);
    return bytes;
}

static void
assert_agreement(enum varve_archive_compression compression, uint64_t seed)
{
    struct random random = {seed};
    for (size_t i = 0; i < CASES; i++) {
        struct sample sample = make_sample(&random, compression);
        uint32_t mask;
        hsize_t size;
        assert_hdf5_reads_ours(&sample);
        test_free(assert_we_read_hdf5s(&sample, &mask, &size));
        test_free(sample.raw);
    }
}

static void
unfiltered_shuffled_and_checked_chunks_agree(void **state)
{
    (void)state;
    assert_agreement(VARVE_ARCHIVE_NONE, 1);
}

static void
deflate_agrees(void **state)
{
    (void)state;
    assert_agreement(VARVE_ARCHIVE_DEFLATE, 2);
}

static void
zstandard_agrees(void **state)
{
    (void)state;
    assert_agreement(VARVE_ARCHIVE_ZSTD, 3);
}

static void
szip_agrees_and_writes_the_same_bytes(void **state)
{
    struct random random = {4};
    size_t same = 0, refused = 0;
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct sample sample = make_sample(&random, VARVE_ARCHIVE_SZIP);
        if (sample.filter.scanline == 0) {
            hid_t dataset;
            H5E_BEGIN_TRY
            {
                dataset = create_dataset(&sample);
            }
            H5E_END_TRY;
            assert_true(dataset < 0); /* neither can HDF5 */
            refused++;
        } else {
            uint8_t *ours = test_malloc(varve__chunk_bound(&sample.filter, sample.size));
            size_t written;
            uint32_t mask, our_mask;
            hsize_t size;
            assert_hdf5_reads_ours(&sample);
            uint8_t *theirs = assert_we_read_hdf5s(&sample, &mask, &size);
            assert_int_equal(
                varve__chunk_encode(
                    codec, &sample.filter, sample.raw, sample.size, ours, &written, &our_mask),
                VARVE_OK);
            if (our_mask == 0 && mask == 0) { /* it became smaller */
                assert_int_equal(written, size);
                assert_memory_equal(ours, theirs, size);
                same++;
            }
            test_free(ours);
            test_free(theirs);
        }
        test_free(sample.raw);
    }
    assert_true(same > CASES / 4 && refused > 0);
}

/* The checksum alone, of all lengths: the last bytes of a chunk that has no other filter. */
static void
the_checksum_is_hdf5s(void **state)
{
    struct random random = {5};
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        struct sample sample = {.filter = {.checksum = true, .element = 1}};
        int64_t length = i < 100 ? (int64_t)i + 1 : 1 + (int64_t)random_below(&random, 20000);
        uint32_t mask;
        hsize_t size;
        assert_true(
            varve__grid_make(&sample.grid, (const int64_t[]){1, 1, length}, RANK, 1, 1 << 20));
        sample.size = (size_t)length;
        sample.raw = test_malloc(sample.size);
        for (size_t k = 0; k < sample.size; k++)
            sample.raw[k] = i % 5 ? (uint8_t)random_bits(&random) : i % 2 ? 0 : 0xff;
        uint8_t *bytes = assert_we_read_hdf5s(&sample, &mask, &size);
        uint32_t sum = varve__fletcher32(sample.raw, sample.size);
        assert_int_equal(size, sample.size + 4);
        for (unsigned k = 0; k < 4; k++)
            assert_int_equal(bytes[sample.size + k], (uint8_t)(sum >> (8 * k)));
        test_free(bytes);
        test_free(sample.raw);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unfiltered_shuffled_and_checked_chunks_agree),
        cmocka_unit_test(deflate_agrees),
        cmocka_unit_test(zstandard_agrees),
        cmocka_unit_test(szip_agrees_and_writes_the_same_bytes),
        cmocka_unit_test(the_checksum_is_hdf5s),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
