"""LZF chunks against h5py, whose filter 32000 it is: h5py reads what we encode, we decode what h5py wrote."""

import argparse
import itertools
import os
import random
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

PEER = None
DTYPES = ["u1", "<i2", "<f4", "<f8"]
COUNTS = [1, 3, 100, 4099, 30000]


def contents(dtype, count):
    """Noise, which LZF cannot make smaller, sparse noise, and zeros."""
    size = numpy.dtype(dtype).itemsize * count
    source = random.Random(count)
    noise = source.randbytes(size)
    sparse = bytes(b if source.random() < 0.1 else 0 for b in noise)
    return [numpy.frombuffer(b, dtype) for b in (noise, sparse, bytes(size))]


def peer(verb, data, *arguments):
    run = subprocess.run([PEER, verb, *map(str, arguments)], input=data, stdout=subprocess.PIPE, check=False)
    assert run.returncode == 0, f"chunk_peer {verb} {arguments} ended with {run.returncode}"
    return run.stdout


class Lzf(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "chunks.h5")

    def samples(self):
        """Each sample with each pipeline, and how the peer is told of it."""
        for dtype, count, shuffle, checksum in itertools.product(DTYPES, COUNTS, (False, True), (False, True)):
            for data in contents(dtype, count):
                yield data, shuffle, checksum, (data.itemsize, int(shuffle), int(checksum), data.nbytes)

    @staticmethod
    def create(file, number, data, shuffle, checksum):
        return file.create_dataset(f"d{number}", data.shape, data.dtype, chunks=data.shape, compression="lzf",
                                   shuffle=shuffle, fletcher32=checksum)

    def test_h5py_reads_what_we_encode(self):
        samples = list(self.samples())
        masks = set()
        with h5py.File(self.path, "w") as file:
            for number, (data, shuffle, checksum, arguments) in enumerate(samples):
                encoded = peer("encode", data.tobytes(), *arguments)
                mask = int.from_bytes(encoded[:4], "little")
                masks.add(mask)
                self.create(file, number, data, shuffle, checksum).id.write_direct_chunk((0,), encoded[4:], mask)
        with h5py.File(self.path, "r") as file:
            for number, (data, *_) in enumerate(samples):
                self.assertEqual(file[f"d{number}"][...].tobytes(), data.tobytes(), samples[number][1:])
        self.assertEqual(masks, {0, 1, 2})

    def test_we_decode_what_h5py_wrote(self):
        samples = list(self.samples())
        with h5py.File(self.path, "w") as file:
            for number, (data, shuffle, checksum, _) in enumerate(samples):
                self.create(file, number, data, shuffle, checksum)[...] = data
        with h5py.File(self.path, "r") as file:
            for number, (data, _, _, arguments) in enumerate(samples):
                mask, chunk = file[f"d{number}"].id.read_direct_chunk((0,))
                self.assertEqual(peer("decode", chunk, *arguments, mask), data.tobytes(), arguments)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True)
    options, rest = parser.parse_known_args()
    PEER = options.peer
    unittest.main(argv=[sys.argv[0], *rest])
