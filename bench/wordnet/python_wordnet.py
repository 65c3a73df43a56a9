"""bench_wordnet's counterpart in Python: loads WordNet with sqlite3, and times itself.

    python_wordnet.py DATABASE CONCEPTS RELATIONSHIPS FOREIGN_KEYS DDL..

CONCEPTS and RELATIONSHIPS are the parsed arrays as bench_wordnet writes them, read before anything
is timed. FOREIGN_KEYS is ON or OFF. Requests are lines on stdin, each answered with one line on
stdout:

    load N            load N times, each into a new database; the answer is the time in nanoseconds
"""

import gc
import json
import os
import sqlite3
import sys
import time

CONCEPT = (
    "INSERT INTO concept"
    " (id, name, embedding_size, created_at, last_used_at, access_count, metadata)"
    " VALUES (?, ?, 0, ?, 0, 0, ?)"
)
RELATIONSHIP = (
    "INSERT INTO concept_relationship (source_id, target_id, type, strength) VALUES (?, ?, ?, ?)"
)


def read_concepts(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return [tuple(line.rstrip("\n").split("\t")) for line in file]


def read_relationships(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    return [(int(line[0]), int(line[1]), line[2], float(line[3])) for line in lines]


def make(path, foreign_keys, ddl):
    for name in (path, path + "-wal", path + "-shm"):
        if os.path.exists(name):
            os.remove(name)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA foreign_keys = {foreign_keys}")
    connection.executescript("".join(ddl))
    return connection


def concept_rows(concepts):
    """A concept's metadata are JSON, as varve stores them; its id is its place, from 1."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    now = time.time_ns()
    for id, (name, words, senses, lexfile, gloss) in enumerate(concepts, 1):
        metadata = {"words": words, "senses": senses, "lexfile": lexfile, "gloss": gloss}
        yield id, name, now, encode(metadata)


def relationship_rows(relationships):
    for source, target, type, strength in relationships:
        yield source + 1, target + 1, type, strength


def load(connection, concepts, relationships):
    start = time.perf_counter_ns()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(CONCEPT, concept_rows(concepts))
    connection.executemany(RELATIONSHIP, relationship_rows(relationships))
    connection.execute("COMMIT")
    return time.perf_counter_ns() - start


def main():
    path, concepts_file, relationships_file, foreign_keys, *ddl = sys.argv[1:]
    concepts = read_concepts(concepts_file)
    relationships = read_relationships(relationships_file)
    gc.disable()  # nothing here makes cycles
    for line in sys.stdin:
        verb, count = line.split()
        if verb != "load":
            sys.exit(f"python_wordnet.py: error: no such request: {verb}")
        measured = 0
        for _ in range(int(count)):
            connection = make(path, foreign_keys, ddl)
            measured += load(connection, concepts, relationships)
            connection.close()
        print(measured, flush=True)


if __name__ == "__main__":
    main()
