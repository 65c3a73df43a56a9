"""bench_archive's counterparts in Python: they keep arrays with h5py, and time themselves.

    python_archive.py matrix FILE FOLDER SIDE
    python_archive.py trains FILE FOLDER COUNT

In the manner of the program that varve replaces: gzip 6, shuffle, fletcher32, chunks of at most 1024 a
dimension; for each spike train a group. FILE is one of data.h, with a matrix of SIDE x SIDE floats or with
COUNT trains. Files are made in FOLDER; a write ends when file and folder are synced. Requests are lines on
stdin, each answered with one line on stdout:

    VERB N            do the work VERB so often, or with so many trains; the answer is the time in nanoseconds
    ask_QUESTION N    the answer is a checksum of what was read, or a size in bytes
"""

import os
import sys
import time
import zlib

import h5py
import numpy

CHUNK = 1024
MASK = (1 << 64) - 1


def mix(n):
    """As in data.c."""
    n = (n + 0x9E3779B97F4A7C15) & MASK
    n = ((n ^ (n >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    n = ((n ^ (n >> 27)) * 0x94D049BB133111EB) & MASK
    return n ^ (n >> 31)


def store(group, name, array):
    chunks = tuple(min(CHUNK, length) for length in array.shape)
    group.create_dataset(
        name, data=array, chunks=chunks, compression="gzip", compression_opts=6, shuffle=True, fletcher32=True
    )


class Side:
    """A file that is written anew by each write, and kept open for reads of parts."""

    def __init__(self, folder, name):
        self.folder, self.path = folder, os.path.join(folder, name)
        self.file = None

    def remove(self):
        if self.file:
            self.file.close()
            self.file = None
        if os.path.exists(self.path):
            os.remove(self.path)

    def opened(self):
        if not self.file:
            self.file = h5py.File(self.path, "r")
        return self.file

    def sync(self):
        for path in (self.path, self.folder):
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)

    def ask_size(self, _):
        return os.path.getsize(self.path)


class Matrix(Side):
    def __init__(self, path, folder, side):
        super().__init__(folder, "python.h5")
        self.matrix = numpy.fromfile(path, dtype="<f4").reshape(side, side)
        self.side, self.band = side, side // 64
        self.sliced = 0

    def write(self, count):
        measured = 0
        for _ in range(count):
            self.remove()
            start = time.perf_counter_ns()
            with h5py.File(self.path, "w") as file:
                store(file, "weights", self.matrix)
            self.sync()
            measured += time.perf_counter_ns() - start
        return measured

    def read_all(self):
        with h5py.File(self.path, "r") as file:
            return file["weights"][:]

    def read(self, count):
        start = time.perf_counter_ns()
        for _ in range(count):
            self.read_all()
        return time.perf_counter_ns() - start

    def slice(self, count):
        file = self.opened()
        start = time.perf_counter_ns()
        for _ in range(count):
            first = mix(self.sliced) % (self.side - self.band + 1)
            self.sliced += 1
            file["weights"][first : first + self.band, :]
        return time.perf_counter_ns() - start

    def ask_all(self, _):
        return zlib.crc32(self.read_all())

    def ask_band(self, first):
        return zlib.crc32(self.opened()["weights"][first : first + self.band, :])


class Trains(Side):
    NAMES = ("times", "neurons", "amplitudes")

    def __init__(self, path, folder, count):
        super().__init__(folder, "python_trains.h5")
        counts = numpy.fromfile(path, dtype="<u4", count=count)
        ends, total, offset = numpy.cumsum(counts.astype("i8")), int(counts.sum(dtype="i8")), 4 * count
        columns = []
        for dtype in ("<i8", "<u4", "<f4"):
            column = numpy.fromfile(path, dtype=dtype, count=total, offset=offset)
            offset += column.nbytes
            columns.append(numpy.split(column, ends[:-1]))
        self.trains = list(zip(*columns))
        self.written = self.got = 0

    def insert(self, count):
        self.remove()
        start = time.perf_counter_ns()
        with h5py.File(self.path, "w") as file:
            for i, arrays in enumerate(self.trains[:count]):
                group = file.create_group(str(i))
                for name, array in zip(self.NAMES, arrays):
                    store(group, name, array)
        self.sync()
        self.written = count
        return time.perf_counter_ns() - start

    def read_train(self, n):
        group = self.opened()[str(n)]
        return [group[name][:] for name in self.NAMES]

    def get(self, count):
        self.opened()
        start = time.perf_counter_ns()
        for _ in range(count):
            self.read_train(mix(self.got) % self.written)
            self.got += 1
        return time.perf_counter_ns() - start

    def ask_train(self, n):
        crc = 0
        for array in self.read_train(n):
            crc = zlib.crc32(array, crc)
        return crc


def main():
    kind, path, folder, number = sys.argv[1:]
    side = {"matrix": Matrix, "trains": Trains}[kind](path, folder, int(number))
    for line in sys.stdin:
        verb, count = line.split()
        print(getattr(side, verb)(int(count)), flush=True)
    side.remove()


if __name__ == "__main__":
    main()
