#!/usr/bin/env python3
"""Migrations as the runtime applies them, against replay.py, which `varve migrate verify` proves them by: both
must leave the same database, and refuse the same statements.

PEER_MIGRATE names the program (tests/store/peer_migrate.c); the build sets it. The program knows no records,
so neither side writes JSON copies anew here; all other values are compared, and the copies as they were.
"""

import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

import lab
import walk
from varve_codegen import ddl
from varve_codegen import state as states
from varve_migrate import fill, folder, line, normal, replay, verify

PEER = os.environ["PEER_MIGRATE"]
EDITS = 60
SEEDS = (1, 2)
STARTS = (1, 5, 15, 30, 45, 60)  # versions that are migrated to the last one
SCHEMA = 11  # VARVE_SCHEMA

# What a user may have beside the schema's tables.
USERS = """
CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT);
CREATE INDEX note_text ON note (text);
CREATE VIEW noted AS SELECT text FROM note;
CREATE TRIGGER noting AFTER INSERT ON note BEGIN UPDATE note SET text = upper(text) WHERE id = new.id; END;
INSERT INTO note (text) VALUES ('a');
"""


def peer(data, migrations, count):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VARVE_", "SQLITE_"))}
    return subprocess.run([PEER, data, migrations, str(count)], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, check=False)


def connect(data):
    return closing(sqlite3.connect(Path(data) / "varve.db", isolation_level=None))


def contents(data):
    """All that is in a database but the system tables: {table: (columns, rows)}, with the types of values."""
    with connect(data) as database:
        database.text_factory = bytes
        names = [name.decode() for name, in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: table_of(database, name) for name in names if name not in normal.LEFT_OUT}


def table_of(database, name):
    columns = database.execute(f"SELECT * FROM pragma_table_xinfo({ddl.quote(name)})").fetchall()
    names = [ddl.quote(column[1].decode()) for column in columns]
    wanted = ", ".join([*names, *(f"typeof({name})" for name in names)])
    return columns, sorted(database.execute(f"SELECT {wanted} FROM {ddl.quote(name)}").fetchall(), key=repr)


def objects(data):
    """Normal forms of tables and indexes, and the texts of views and triggers."""
    with connect(data) as database:
        texts = database.execute("SELECT name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')").fetchall()
        return {**normal.of_database(database), **dict(texts)}


class RuntimeTest(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="varve runtime ")
        self.addCleanup(made.cleanup)
        self.path = Path(made.name)

    def assert_applies(self, data, migrations, count):
        """How many statements that took."""
        result = peer(data, migrations, count)
        self.assertEqual(result.returncode, 0, result.stdout)
        return int(result.stdout)

    def copy(self, data, name):
        return Path(shutil.copytree(data, self.path / name))

    def assert_same(self, one, other):
        found, wanted = contents(one), contents(other)
        self.assertEqual(found.keys(), wanted.keys())
        for name in wanted:
            self.assertEqual(found[name], wanted[name], f"table {name}")
        self.assertEqual(normal.differences(objects(one), objects(other)), [])


class WalkTest(RuntimeTest):
    """Random schemas, from several of their versions to the last."""

    @classmethod
    def setUpClass(cls):
        made = tempfile.TemporaryDirectory(prefix="varve walks ")
        cls.addClassCleanup(made.cleanup)
        cls.walks = []
        for seed in SEEDS:
            path = Path(made.name) / str(seed)
            path.mkdir()
            cls.walks.append((seed, path, walk.Walk(seed, EDITS, path).history()))

    def filled(self, seed, path, history, version):
        """A store that the program has made at this version, with rows, and what a user has beside."""
        data = self.path / f"{seed} {version}"
        self.assert_applies(data, path, version)
        known = verify.History(history)
        states, renames = known.states[version - 1:], known.renames[version:]
        lines = {name: line.of_message(states, renames, name) for name in states[0].messages}
        with connect(data) as database:
            written = fill.fill(database, states[0], random.Random(f"{seed} {version}"), 6, lines)
            database.executescript(USERS)
        self.assertGreater(written.count, 0)
        return data

    def test_both_leave_the_same_database(self):
        for seed, path, history in self.walks:
            for version in STARTS:
                with self.subTest(seed=seed, version=version):
                    self.compare(self.filled(seed, path, history, version), path, history, version)

    def compare(self, data, path, history, version):
        theirs, ours = self.copy(data, f"{data.name} runtime"), self.copy(data, f"{data.name} replay")
        pending = [migration for _, migration in history[version:]]
        with connect(ours) as database:
            replay.apply(database, pending, None)
        count = self.assert_applies(theirs, path, len(history))
        self.assertEqual(count, sum(len(replay.statements(migration.sql)) for migration in pending))
        self.assert_same(theirs, ours)
        with connect(theirs) as database:
            state = history[-1][0]
            found = normal.of_database(database, replay.tables_of(state))
            self.assertEqual(normal.differences(replay.expected_objects(state), found), [])
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def test_step_by_step_is_the_same_as_all_at_once(self):
        for seed, path, history in self.walks:
            data = self.filled(seed, path, history, 30)
            at_once, by_steps = self.copy(data, f"{seed} at once"), self.copy(data, f"{seed} by steps")
            self.assert_applies(at_once, path, len(history))
            for count in (31, 37, 45, 46, len(history)):
                self.assert_applies(by_steps, path, count)
            self.assert_same(by_steps, at_once)

    def test_an_older_program_comes_back_as_far_as_the_verdicts_allow(self):
        verdicts = set()
        for seed, path, history in self.walks:
            for old in range(1, len(history) - 1, 5):
                for new in (old + 1, len(history)):
                    verdicts.add(self.alternate(path, history, old, new))
        self.assertEqual(verdicts, {False, True})

    def alternate(self, path, history, old, new):
        data = self.path / f"{path.name} {old} {new}"
        self.assert_applies(data, path, old)
        self.assert_applies(data, path, new)
        before = contents(data)
        result = peer(data, path, old)
        unsuitable = [migration.name for _, migration in history[old:new] if not migration.reads_ok]
        if unsuitable:
            self.assertEqual(result.returncode, SCHEMA, (old, new, result.stdout))
            self.assertIn(f"it has the migration {unsuitable[0]} of package lab", result.stdout)
        else:
            self.assertEqual((result.returncode, result.stdout), (0, "0\n"), (old, new))
        self.assertEqual(contents(data), before)
        self.assert_applies(data, path, new)
        shutil.rmtree(data)
        return not unsuitable


ITEM = """\
message lab.Item table=item
field lab.Item 1 id int64 key=1
field lab.Item 2 name string
"""
HEAD = "-- 0002_step: by hand\n-- package: lab\n-- reads_ok: no\n-- writes_ok: no\n\n"
ALLOWED = (
    "UPDATE item SET name = 'a;b' -- c; d",
    "UPDATE item SET name = upper(\"name\") /* ; \" */ WHERE \"id\" = 1 OR 'a\"b' <> \"name\"",
    "UPDATE item SET name = '\"' || `name` || [name] || '`'",
    "INSERT INTO item (name) VALUES ('\n\n -- no comment\n')",
    "SELECT 1;;\n;SELECT varve_assert(1, 'no')",
    "SAVEPOINT a; DELETE FROM item; ROLLBACK TO a; RELEASE a",
    "WITH one AS (SELECT 1 AS a) INSERT INTO item (name) SELECT a FROM one",
    "CREATE TABLE mine (a, b); CREATE TRIGGER t AFTER INSERT ON mine BEGIN DELETE FROM mine; SELECT 1; END;\n"
    "INSERT INTO mine VALUES (1, 2)",
    "SELECT varve_assert('1', 'no'), varve_assert(0.5, 'no'), varve_assert(x'31', 'no')",
    "UPDATE item SET name = coalesce(varve_unknown_value(varve_unknown, 9, 'string'), name)",
    "",
)
REFUSED = (
    "UPDATE item SET name = \"no column\"",
    "SELECT varve_assert(\"name\", 'no such column')",
    "SELECT varve_assert(0, 'no')",
    "SELECT varve_assert(NULL, 'no')",
    "SELECT varve_assert('a', 'no')",
    "COMMIT",
    "BEGIN",
    "END",
    "ROLLBACK",
    "ATTACH ':memory:' AS other",
    "DETACH main",
    "VACUUM",
    "SELECT 1; UPDATE item SET nothing = 1",
    "UPDATE item SET name = 'no end",
    "UPDATE item SET name = NULL",
    "INSERT INTO item (name) VALUES (x'00')",
    "SELECT varve_unknown_has('text', 1)",
    "SELECT varve_unknown_has(NULL, 0)",
    "SELECT varve_unknown_has(NULL, 'a')",
    "SELECT varve_unknown_has(x'ff', 1)",
    "SELECT varve_unknown_value(x'0801', 1, 'nothing')",
    "SELECT varve_unknown_value(NULL, 1, 'nothing')",
    "SELECT varve_unknown_value(x'0801', 1, 'string')",
    "SELECT varve_unknown_without(x'08', 1)",
    "SELECT varve_rebuild_json(NULL, 1)",
    "SELECT varve_rebuild_json('lab.Item', 0)",
    "CREATE TABLE child (a REFERENCES item (id)); INSERT INTO child VALUES (77)",
    "DROP TABLE item; CREATE TABLE item (id INTEGER PRIMARY KEY); PRAGMA nothing; SELECT name FROM item",
)


class StatementTest(RuntimeTest):
    """Statements that a person adds: what one side takes, the other takes too."""

    def setUp(self):
        super().setUp()
        self.migrations = self.path / "migrations"
        self.migrations.mkdir()
        state = lab.state(ITEM)
        first = folder.text_of("0001_step", "lab", False, False, states.empty("lab"), state, lab.create_sql(state))
        (self.migrations / "0001_step.sql").write_text(first, encoding="utf-8", newline="\n")
        self.base = self.path / "base"
        self.assert_applies(self.base, self.migrations, 1)
        with connect(self.base) as database:
            database.executemany("INSERT INTO item (name, varve_unknown) VALUES (?, ?)",
                                 [("a", None), ("b", b"\x4a\x01c"), ("", b"\x50\x01")])
            database.executescript(USERS)

    def both(self, number, statement):
        """(data, error) of the runtime and of replay.py."""
        (self.migrations / "0002_step.sql").write_text(f"{HEAD}{statement}\n;\n", encoding="utf-8", newline="\n")
        theirs, ours = self.copy(self.base, f"runtime {number}"), self.copy(self.base, f"replay {number}")
        result = peer(theirs, self.migrations, 2)
        error = ""
        with connect(ours) as database:
            try:
                replay.apply(database, folder.read(self.migrations, may_lack_lock=True).migrations[1:], None)
            except (folder.FolderError, replay.ReplayError) as reason:
                error = str(reason)
        return (theirs, result.stdout if result.returncode else ""), (ours, error)

    def test_both_take_the_same_statements(self):
        for number, statement in enumerate(ALLOWED):
            with self.subTest(statement=statement):
                (theirs, their_error), (ours, our_error) = self.both(number, statement)
                self.assertEqual((their_error, our_error), ("", ""))
                self.assert_same(theirs, ours)

    def test_both_refuse_the_same_statements_and_change_nothing(self):
        before = contents(self.base)
        for number, statement in enumerate(REFUSED):
            with self.subTest(statement=statement):
                (theirs, their_error), (ours, our_error) = self.both(number, statement)
                self.assertTrue(their_error and our_error, f"runtime: {their_error}; replay: {our_error}")
                self.assertIn("0002_step.sql" if "child" not in statement else "child", their_error)
                self.assertEqual(contents(theirs), before)
                self.assertEqual(contents(ours), before)


if __name__ == "__main__":
    unittest.main()
