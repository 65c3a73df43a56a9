"""bench_table's counterparts in Python: they keep episodes in SQLite, and time themselves.

    python_table.py KIND DATABASE SYNCHRONOUS ROWS COUNT,BATCH,SCAN GOOD DDL

KIND is "module", Python's sqlite3 used with care, or "class", the way of the program that varve
replaces: a connection per thread, a statement and a commit per call, arrays as pickles, JSON
from dicts. ROWS is the file of rows.h, and COUNT, BATCH and SCAN are its numbers. Requests are
lines on stdin, each answered with one line on stdout:

    VERB N            do the work VERB N times; the answer is the time in nanoseconds
    ask_QUESTION N    the answer is a checksum of what was read, and the number of rows
    fill N            insert N batches; the answer is 0
"""

import array
import gc
import json
import os
import pickle
import sqlite3
import struct
import sys
import threading
import time
import zlib

try:
    import numpy
except ImportError:
    numpy = None

FIRST_TIME = 1700000000000000000
TIME_STEP = 1000000
COLUMNS = "id, occurred_at, experience, performance_score, context_hash, metadata"
INSERT = (
    "INSERT INTO episode (occurred_at, experience, performance_score, context_hash, metadata)"
    " VALUES (?, ?, ?, ?, ?)"
)
UPDATE = (
    "UPDATE episode SET occurred_at = ?, experience = ?, performance_score = ?, context_hash = ?,"
    " metadata = ? WHERE id = ?"
)
UPDATE_FIELDS = "UPDATE episode SET performance_score = ?, metadata = ? WHERE id = ?"
GET = f"SELECT {COLUMNS} FROM episode WHERE id = ?"
SCAN = f"SELECT {COLUMNS} FROM episode WHERE occurred_at BETWEEN ? AND ? ORDER BY occurred_at"
FIND = f"SELECT {COLUMNS} FROM episode WHERE context_hash = ? ORDER BY id"
COUNT = "SELECT count(*) FROM episode WHERE performance_score >= ?"
ALL = f"SELECT {COLUMNS} FROM episode ORDER BY id"


# ------------------------------------------------------------------------------ rows, as in rows.c

MASK = (1 << 64) - 1


def mix(n):
    n = (n + 0x9E3779B97F4A7C15) & MASK
    n = ((n ^ (n >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    n = ((n ^ (n >> 27)) * 0x94D049BB133111EB) & MASK
    return n ^ (n >> 31)


class Rows:
    """Rows by index, each (time, experience, score, context, metadata), and picks among them."""

    def __init__(self, path, count, batch, scan):
        self.count, self.batch, self.scan = count, batch, scan
        with open(path, "rb") as file:
            data = file.read()
        self.rows = [
            (experience, score, text(context), text(metadata))
            for score, experience, context, metadata in struct.iter_unpack("=d256s40s72s", data)
        ]

    def row(self, n):
        return (FIRST_TIME + n * TIME_STEP, *self.rows[n % self.count])

    def pick(self, n):
        return mix(n) % self.count

    def pick_scan(self, n):
        return mix(n) % (self.count - self.scan)

    def updated(self, n):
        target = self.pick(2 * n)
        return (FIRST_TIME + target * TIME_STEP, *self.rows[self.pick(2 * n + 1)], target + 1)

    def range(self, first):
        return (FIRST_TIME + first * TIME_STEP, FIRST_TIME + (first + self.scan - 1) * TIME_STEP)

    def context(self, row):
        return self.rows[row][2]


def text(padded):
    return padded.rstrip(b"\0").decode()


def checksum(rows):
    crc = count = 0
    for id, occurred_at, experience, score, context, metadata in rows:
        crc = zlib.crc32(struct.pack("=qqd", id, occurred_at, score), crc)
        crc = zlib.crc32(experience, crc)
        crc = zlib.crc32(context.encode(), crc)
        crc = zlib.crc32(metadata.encode(), crc)
        count += 1
    return f"{crc} {count}"


# ------------------------------------------------------------------------------ the module


class Module:
    """sqlite3 without its implicit transactions: statements and their values, nothing else."""

    def __init__(self, path, synchronous, ddl):
        self.path, self.synchronous, self.ddl = path, synchronous, ddl
        self.connection = None

    def make(self):
        if self.connection:
            self.connection.close()
        if os.path.exists(self.path):
            os.remove(self.path)
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        self.connection.executescript(self.ddl)

    def begin(self):
        self.connection.execute("BEGIN IMMEDIATE")

    def begin_read(self):
        self.connection.execute("BEGIN")

    def commit(self):
        self.connection.execute("COMMIT")

    def insert_many(self, rows):
        self.begin()
        self.connection.executemany(INSERT, rows)
        self.commit()

    def insert(self, row):
        return self.connection.execute(INSERT, row).lastrowid

    def update(self, row):
        self.connection.execute(UPDATE, row)

    def update_fields(self, row):
        self.connection.execute(UPDATE_FIELDS, (row[2], row[4], row[5]))

    def get(self, id):
        return self.connection.execute(GET, (id,)).fetchone()

    def scan(self, times):
        return self.connection.execute(SCAN, times)

    def find(self, context):
        return self.connection.execute(FIND, (context,))

    def count(self, score):
        return self.connection.execute(COUNT, (score,)).fetchone()[0]

    def all(self):
        return self.connection.execute(ALL)

    def plain(self, row):
        return row

    def given(self, row):
        return row


# ------------------------------------------------------------------------------ the reference class


class Class:
    """One connection per thread, a statement and a commit per call, records as dicts."""

    def __init__(self, path, synchronous, ddl):
        self.path, self.synchronous, self.ddl = path, synchronous, ddl
        self.local = threading.local()

    def make(self):
        if hasattr(self.local, "connection"):
            self.local.connection.close()
            del self.local.connection
        if os.path.exists(self.path):
            os.remove(self.path)
        self.connection().executescript(self.ddl)

    def connection(self):
        if not hasattr(self.local, "connection"):
            self.local.connection = sqlite3.connect(self.path)
            self.local.connection.row_factory = sqlite3.Row
            self.local.connection.execute("PRAGMA journal_mode = WAL")
            self.local.connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        return self.local.connection

    def insert_many(self, rows):
        """For the fill, which nobody times: the class has no such call."""
        self.connection().executemany(INSERT, [self.values(self.given(row)) for row in rows])
        self.connection().commit()

    def values(self, record):
        return (
            record["occurred_at"],
            pickle.dumps(record["experience"]),
            record["performance_score"],
            record["context_hash"],
            json.dumps(record["metadata"]),
        )

    def record(self, row):
        return {
            "id": row["id"],
            "occurred_at": row["occurred_at"],
            "experience": pickle.loads(row["experience"]),
            "performance_score": row["performance_score"],
            "context_hash": row["context_hash"],
            "metadata": json.loads(row["metadata"]),
        }

    def insert(self, record):
        connection = self.connection()
        cursor = connection.cursor()
        cursor.execute(INSERT, self.values(record))
        connection.commit()
        return cursor.lastrowid

    def update(self, record):
        connection = self.connection()
        cursor = connection.cursor()
        cursor.execute(UPDATE, (*self.values(record), record["id"]))
        connection.commit()

    def update_fields(self, record):
        connection = self.connection()
        cursor = connection.cursor()
        values = (record["performance_score"], json.dumps(record["metadata"]), record["id"])
        cursor.execute(UPDATE_FIELDS, values)
        connection.commit()

    def get(self, id):
        cursor = self.connection().cursor()
        cursor.execute(GET, (id,))
        row = cursor.fetchone()
        return self.record(row) if row else None

    def scan(self, times):
        cursor = self.connection().cursor()
        cursor.execute(SCAN, times)
        return [self.record(row) for row in cursor.fetchall()]

    def find(self, context):
        cursor = self.connection().cursor()
        cursor.execute(FIND, (context,))
        return [self.record(row) for row in cursor.fetchall()]

    def count(self, score):
        cursor = self.connection().cursor()
        cursor.execute(COUNT, (score,))
        return cursor.fetchone()[0]

    def all(self):
        return (self.record(row) for row in self.connection().execute(ALL))

    def plain(self, record):
        """The record as the values of a row, for the checksum."""
        return (
            record["id"],
            record["occurred_at"],
            record["experience"].tobytes(),
            record["performance_score"],
            record["context_hash"],
            json.dumps(record["metadata"]),
        )

    def given(self, row):
        """A row of Rows as the program has it before it calls the class."""
        experience = numpy.frombuffer(row[1], numpy.uint8) if numpy else array.array("B", row[1])
        return {
            "occurred_at": row[0],
            "experience": experience,
            "performance_score": row[2],
            "context_hash": row[3],
            "metadata": json.loads(row[4]),
            "id": row[5] if len(row) > 5 else None,
        }


# ------------------------------------------------------------------------------ works


def timed(call, arguments):
    start = time.perf_counter_ns()
    for argument in arguments:
        call(argument)
    return time.perf_counter_ns() - start


def timed_rows(call, arguments):
    start = time.perf_counter_ns()
    for argument in arguments:
        for row in call(argument):
            pass
    return time.perf_counter_ns() - start


class Works:
    """The works of sides.h. Arguments are made before the time is taken."""

    def __init__(self, store, rows, good):
        self.store, self.rows, self.good = store, rows, good
        self.make()

    def make(self):
        self.store.make()
        self.inserted = self.updated = self.picked = 0

    def new(self, count):
        first, self.inserted = self.inserted, self.inserted + count
        return [self.rows.row(n) for n in range(first, first + count)]

    def changed(self, count):
        first, self.updated = self.updated, self.updated + count
        return [self.store.given(self.rows.updated(n)) for n in range(first, first + count)]

    def picks(self, count, pick):
        first, self.picked = self.picked, self.picked + count
        return [pick(n) for n in range(first, first + count)]

    def in_transaction(self, begin, work, count):
        start = time.perf_counter_ns()
        begin()
        begun = time.perf_counter_ns() - start
        measured = work(count)
        start = time.perf_counter_ns()
        self.store.commit()
        return begun + measured + time.perf_counter_ns() - start

    def insert_many(self, count):
        measured = 0
        for _ in range(count):
            if self.inserted >= self.rows.count:
                self.make()
            measured += timed(self.store.insert_many, [self.new(self.rows.batch)])
        return measured

    def insert(self, count):
        return timed(self.store.insert, [self.store.given(row) for row in self.new(count)])

    def insert_in_begin(self, count):
        return self.in_transaction(self.store.begin, self.insert, count)

    def update(self, count):
        return timed(self.store.update, self.changed(count))

    def update_fields(self, count):
        return timed(self.store.update_fields, self.changed(count))

    def update_in_begin(self, count):
        return self.in_transaction(self.store.begin, self.update, count)

    def get(self, count):
        return timed(self.store.get, self.picks(count, lambda n: self.rows.pick(n) + 1))

    def get_in_read(self, count):
        return self.in_transaction(self.store.begin_read, self.get, count)

    def scan(self, count):
        pick = self.rows.pick_scan
        return timed_rows(self.store.scan, self.picks(count, lambda n: self.rows.range(pick(n))))

    def find(self, count):
        pick = self.rows.pick
        return timed_rows(self.store.find, self.picks(count, lambda n: self.rows.context(pick(n))))

    def count(self, count):
        return timed(self.store.count, [self.good] * count)

    def fill(self, count):
        for _ in range(count):
            self.store.insert_many(self.new(self.rows.batch))
        return 0

    def answer(self, rows):
        return checksum(self.store.plain(row) for row in rows)

    def ask_all(self, _):
        return self.answer(self.store.all())

    def ask_get(self, n):
        return self.answer([self.store.get(n + 1)])

    def ask_scan(self, n):
        return self.answer(self.store.scan(self.rows.range(n)))

    def ask_find(self, n):
        return self.answer(self.store.find(self.rows.context(n)))

    def ask_count(self, _):
        return f"0 {self.store.count(self.good)}"


def main():
    kind, path, synchronous, file, counts, good, ddl = sys.argv[1:]
    rows = Rows(file, *(int(number) for number in counts.split(",")))
    store = (Module if kind == "module" else Class)(path, synchronous, ddl)
    works = Works(store, rows, float(good))
    gc.disable()  # slices are short, and nothing here makes cycles
    for line in sys.stdin:
        verb, number = line.split()
        print(getattr(works, verb)(int(number)), flush=True)


if __name__ == "__main__":
    main()
