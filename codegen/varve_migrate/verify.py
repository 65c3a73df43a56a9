"""The proof that migrations lose nothing: every version of the schema is made anew, filled with synthetic
rows, and migrated to the newest one; then every value that must have survived is compared with what it was,
by field number.

    report = verify([(state after 0001, migration 0001), ...])

What must come out of a migration is computed here from the rows before it, one version after the other:
values.convert() for changes of type and presence, zero or NULL for new fields, or what stood among the
unknown fields under their number. Compared are rows by primary key, values by number, staged tensors with
their bytes, the unknown fields that are left, JSON copies, the number of children of every parent, the ids
that were given away, and the tables and indexes themselves. A proof that compared nothing is a failure.
"""

import math
import random
import sqlite3
from dataclasses import dataclass, field

from varve_codegen import ddl
from varve_migrate import fill, json_text, line, normal, replay, samples, sql_functions, values, wire

_FAILURES_MAX = 50  # that are said for one version


@dataclass
class Report:
    versions: int = 0
    rows: int = 0
    values: int = 0
    children: int = 0  # counts of children that were compared
    copies: int = 0
    failures: list = field(default_factory=list)  # sentences
    notes: list = field(default_factory=list)  # sentences: tables that could not be filled, and why

    @property
    def ok(self):
        return not self.failures


def verify(history, seeds=(1, 2), rows=12, large=2, versions=None):
    """`history` has (state, migration) of every version, the first one first; `versions` are the numbers of
    those to start from (all). A migration with `changes`, pairs of (full name, number) after it, changes
    these values on purpose: they are not compared."""
    proof = History(history)
    report = Report()
    base = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for number, (state, migration) in enumerate(history, 1):
            if not _replayed(report, base, state, migration, number):
                break
            if versions is None or number in versions:
                report.versions += 1
                for seed in seeds:
                    proof.version(report, base, number, random.Random(f"{seed} {number}"), rows, large)
    finally:
        base.close()
    if report.values == 0 and not report.failures and any(m.fields for s, _ in history for m in s.tables()):
        report.failures.append("no value was compared, so nothing is proven: no table of any version could be filled"
                               + "".join(f"; {note}" for note in report.notes[:3]))
    return report


def _replayed(report, base, state, migration, number):
    """Brings the empty database to the next version, which is the start of its proofs. Its tables must be
    those of its own schema: a migration of another branch may lose a column that it does not know."""
    try:
        replay.apply(base, [migration], state)
    except replay.ReplayError as error:
        report.failures.append(f"version {number} cannot be made from nothing: {error}")
        return False
    return True


class History:
    def __init__(self, history):
        states, known = [], {}
        for state, _ in history:
            states.append(_shared(state, known))
        self.states = states
        self.migrations = [migration for _, migration in history]
        self.renames = [{}] + [line.renamed(a, b, m.sql) for a, b, m in
                                zip(states, states[1:], self.migrations[1:])]

    def version(self, report, base, number, source, rows, large):
        """Fills version `number`, migrates to the newest one, and compares."""
        states, renames = self.states[number - 1:], self.renames[number:]
        lines = {name: line.of_message(states, renames, name) for name in states[0].messages}
        database = copy_of(base)
        try:
            written = fill.fill(database, states[0], source, rows, lines, large)
            report.rows += written.count
            notes = (f"version {number}: {note}" for note in written.notes)
            report.notes += [note for note in notes if note not in report.notes]
            before = {name: values.read(database, states[0].messages[name]) for name in written.rows}
            sequences = sequences_of(database)
            try:
                replay.apply(database, self.migrations[number:], states[-1])
            except replay.ReplayError as error:
                report.failures.append(f"version {number}: its migration to version {len(self.states)} fails: {error}")
                return
            check = Check(report, database, states, lines, number, self.migrations[number:])
            check.run(before, written.rows, sequences)
        finally:
            database.close()


def sequences_of(database):
    """The last id of each table that counts them."""
    there = database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone()
    return dict(database.execute("SELECT name, seq FROM sqlite_sequence")) if there else {}


def copy_of(base):
    database = sqlite3.connect(":memory:", isolation_level=None)
    base.backup(database)
    return database


def _shared(state, known):
    """The state with the same objects for equal messages of all states, so that comparing them is quick."""
    messages = {name: known.setdefault((name, repr(m)), m) for name, m in state.messages.items()}
    return type(state)(state.package, messages, state.enums, state.retired)


class Check:
    """One filled version against what became of it."""

    def __init__(self, report, database, states, lines, number, migrations):
        self._report = report
        self._database = database
        self.states = states
        self._lines = lines
        self._number = number
        self.migrations = migrations
        self._failed = 0

    def run(self, before, written, sequences):
        self._same_as_written(before, written)
        self.compare({name: self._expected(self._lines[name], rows) for name, rows in before.items()
                      if self._survives(name)})
        self.sequences(sequences)

    def compare(self, expected):
        """The database with the rows that it must have, by the names of the first version."""
        for name, rows in expected.items():
            self._table(name, rows)
        self._children(expected)
        self._objects()
        for sentence in self._database.execute("PRAGMA integrity_check").fetchall():
            if sentence[0] != "ok":
                self._fail(f"the database is damaged: {sentence[0]}")

    def _fail(self, text):
        self._failed += 1
        if self._failed <= _FAILURES_MAX:
            self._report.failures.append(f"version {self._number} to {self._number + len(self.states) - 1}: {text}")

    def _survives(self, name):
        return len(self._lines[name].steps) == len(self.states)

    def _same_as_written(self, before, written):
        """Whether the rows that are there to begin with are those that were meant."""
        for name, rows in written.items():
            if values.canonical(rows) != values.canonical(before[name]):
                where = next(((key, n) for key, row in rows.items() for n in row
                              if values.canonical(row[n]) != values.canonical(before[name].get(key, {}).get(n))), "")
                self._fail(f"{name}: the synthetic rows are not in the table as they were written {where}")

    # ---------------------------------------------------------------- what is expected

    def _expected(self, the_line, rows):
        """The rows of the first version as they must be in the last."""
        result = {}
        for row in rows.values():
            for (_, old), (_, new) in zip(the_line.steps, the_line.steps[1:]):
                row = advance(row, old, new) if old is not new else row
            result[values.key_of(the_line.steps[-1][1], row)] = row
        return result

    # ---------------------------------------------------------------- tables

    def _table(self, name, expected):
        state, message = self._lines[name].steps[-1]
        found = values.read(self._database, message)
        for key in expected.keys() - found.keys():
            self._fail(f"{message.name} {values.shown(key)}: the row is gone from table {message.table}")
        for key in found.keys() - expected.keys():
            self._fail(f"{message.name} {values.shown(key)}: the row was not there before, and is in table "
                       f"{message.table}")
        excepted = self._excepted(name)
        for key in sorted(expected.keys() & found.keys(), key=repr):
            self._row(message, key, expected[key], found[key], excepted)
        self._copies(state, message, found)

    def _excepted(self, name):
        """Numbers that migrations change on purpose."""
        steps = zip(self._lines[name].steps[1:], self.migrations)
        return {number for (_, message), migration in steps for given, number in getattr(migration, "changes", ())
                if given == message.name}

    def _row(self, message, key, expected, found, excepted):
        names = {**message.names, values.UNKNOWN: "the unknown fields"}
        for number in sorted(expected.keys() | found.keys()):
            before, after = expected.get(number), found.get(number)
            if number in excepted:
                continue
            self._report.values += 1
            if values.canonical(before) != values.canonical(after):
                what = f"field {number} ({names[number]})" if number and number in names else names.get(number, "")
                what = what or f"staged bytes of field {number}, which is none"
                self._fail(f"{message.name} {values.shown(key)}, table {message.table}: {what} should be "
                           f"{values.shown(before)}, and is {values.shown(after)}")

    def _copies(self, state, message, found):
        """Copies are what the wire bytes and the names of the newest version make."""
        for key, texts in values.read_copies(self._database, message).items():
            for number, text in texts.items():
                of = message.field_of(number)
                wanted = json_text.copy(state, of, found[key][number])
                self._report.copies += 1
                if values.canonical(json_text.parsed(wanted)) != values.canonical(json_text.parsed(text)):
                    self._fail(f"{message.name} {values.shown(key)}, table {message.table}: the JSON copy of field "
                               f"{number} ({of.name}) should be {values.shown(wanted)}, and is {values.shown(text)}")

    # ---------------------------------------------------------------- links

    def _children(self, expected):
        """How many rows refer to each one, by every reference that has been there all along."""
        for name in expected:
            message = self._lines[name].steps[-1][1]
            for of in message.fields:
                first = self._lines[name].first.field_of(of.number)
                if of.reference is not None and first is not None and first.reference is not None:
                    self._count(message, of, expected[name])
            if message.tensors:
                self._count_staged(message, expected[name])

    def _count(self, message, of, rows):
        wanted = {}
        for row in rows.values():
            if row[of.number] is not None:
                wanted[row[of.number]] = wanted.get(row[of.number], 0) + 1
        column = ddl.quote(of.name)
        found = dict(self._database.execute(
            f"SELECT {column}, count(*) FROM {ddl.quote(message.table)} WHERE {column} IS NOT NULL GROUP BY 1"))
        self._compare_counts(f"{message.name} by {of.name} (field {of.number})", of.reference.message, wanted, found)

    def _count_staged(self, message, rows):
        numbers = {f.number for f in message.tensors}
        wanted = {key[0]: sum(row[n] is not None for n in numbers) for key, row in rows.items()}
        found = dict(self._database.execute(
            f'SELECT "record", count(*) FROM {ddl.quote(ddl.staged_name(message))} GROUP BY 1'))
        self._compare_counts(f"staged tensors of {message.name}", message.name, {k: n for k, n in wanted.items() if n},
                             found)

    def _compare_counts(self, what, parent, wanted, found):
        for key in wanted.keys() | found.keys():
            self._report.children += 1
            if wanted.get(key, 0) != found.get(key, 0):
                self._fail(f"{parent} {values.shown(key)} should have {wanted.get(key, 0)} children, {what}, and has "
                           f"{found.get(key, 0)}")

    # ---------------------------------------------------------------- the database

    def sequences(self, before):
        """An id that was given away never comes again."""
        found = sequences_of(self._database)
        for name in self._lines:
            first, last = self._lines[name].first, self._lines[name].steps[-1][1]
            if not first.table or not self._survives(name):
                continue
            number = before.get(first.table)
            if number is not None and last.has_generated_key and (found.get(last.table) or 0) < number:
                self._fail(f"{last.name}: {number} was the last id of table {first.table}, and is "
                           f"{found.get(last.table)} of table {last.table}, so that ids come again")

    def _objects(self):
        """Nothing but the schema's tables and indexes, and these as a fresh database has them."""
        for sentence in normal.differences(replay.expected_objects(self.states[-1]),
                                           normal.of_database(self._database)):
            self._fail(sentence)


def advance(row, old, new):
    """The row of a message as the next version of the message must have it."""
    result, unknown, known = {}, row[values.UNKNOWN], {f.number: f for f in old.fields}
    for f in sorted(new.fields, key=lambda f: f.tensor is not None):  # tensors behind their dims
        before = known.get(f.number)
        if before is not None:
            result[f.number] = values.convert(row[f.number], before, f)
        elif f.tensor is not None:
            result[f.number], unknown = _added_tensor(new, f, result, unknown)
        else:
            found = sql_functions.unknown_value(unknown, f.number, values.type_words(f))
            result[f.number] = _added(f, found)
            unknown = sql_functions.unknown_without(unknown, f.number)
    result[values.UNKNOWN] = unknown
    return result


def _added(f, found):
    if found is not None:
        return fill.kept(json_text.read(f, found) if f.is_json else found)
    return None if f.is_nullable else values.zero(f)


def _added_tensor(message, f, row, unknown):
    """(the tensor, the unknown fields that are left). Bytes that are not the elements which the dims ask for, and
    elements that are varints, stay where they are."""
    if f.type != "bytes" and wire.WIRE_TYPES[f.type] == wire.VARINT or not sql_functions.unknown_has(unknown, f.number):
        return None, unknown
    data = sql_functions.unknown_value(unknown, f.number, "bytes")
    dims = [(row[int(d[1:])] or 0) if d.startswith("#") else int(d) for d in f.tensor.dims]
    if len(data) != math.prod(dims) * samples.element_size(f) or not data and f.label != "optional":
        return None, unknown
    return (",".join(map(str, dims)), data), sql_functions.unknown_without(unknown, f.number)
