"""The proof that migrations lose nothing: every version of the schema is made anew, filled with synthetic
rows, and migrated to the newest one; then every value that must have survived is compared with what it was,
by field number.

    report = verify([(state after 0001, migration 0001), ...])

What must come out of a migration is computed here from the rows before it, one version after the other:
values.convert() for changes of type and presence, zero or NULL for new fields, or what stood among the
unknown fields under their number. Compared are rows by primary key, values by number, tensors with
their bytes or where in the archive they are, the unknown fields that are left, JSON copies, the number of children of every parent, the ids
that were given away, and the tables and indexes themselves. A proof that compared nothing is a failure.
"""

import math
import random
import sqlite3
from dataclasses import dataclass, field, replace

from varve_codegen import ddl
from varve_migrate import diff, fill, json_text, line, normal, replay, samples, sql_functions, values
from varve_migrate.by_hand import ByHand

_FAILURES_MAX = 50  # that are said for one version
_LONG = 10_000_000  # statements times columns squared: about a second
_DAMAGES_MAX = 100000  # that SQLite says; rows that break a CHECK on purpose are among them


@dataclass
class Report:
    versions: int = 0
    rows: int = 0
    values: int = 0
    children: int = 0  # counts of children that were compared
    copies: int = 0
    failures: list = field(default_factory=list)  # sentences
    notes: list = field(default_factory=list)  # sentences: what is not proven, or was accepted, and why
    hints: set = field(default_factory=set)  # what the failures may come from: "changes", "branch"
    unfilled: dict = field(default_factory=dict)  # {table through its versions: why it got no rows, None: it got some}

    @property
    def ok(self):
        return not self.failures

    def fail(self, text):
        if text not in self.failures:
            self.failures.append(text)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)


def verify(history, seeds=(1, 2), rows=12, large=2, versions=None):
    """`history` has (state, migration) of every version, the first one first; `versions` are the numbers of
    those to start from (all). A migration with `changes`, pairs of (full name, number) after it, changes
    these values on purpose: they are not compared."""
    proof = History(history)
    report = Report()
    proof.judge(report)
    base = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for number, (state, migration) in enumerate(history, 1):
            if not _replayed(report, base, state, migration, number):
                break
            if versions is None or number in versions:
                report.versions += 1
                turns = proof.turns(number, list(seeds))
                for seed in turns:
                    proof.version(report, base, number, random.Random(f"{seed} {number}"),
                                  rows * len(seeds) // len(turns), large)
    finally:
        base.close()
    if not report.failures:
        _check_filled(report, any(m.fields for state, _ in history for m in state.tables()))
    report.hints -= {"branch"} if len(history) < 2 else set()
    return report


def _check_filled(report, has_fields):
    """Whether there was something to compare, of every table."""
    report.failures += [f"{name} got no rows in any version, so nothing is proven for its table: {why}"
                        for (_, name), why in report.unfilled.items() if why is not None]
    if report.values == 0 and has_fields:
        report.failures.append("no value was compared, so nothing is proven: no table of any version could be filled"
                               + "".join(f"; {note}" for note in report.notes[:3]))


def _replayed(report, base, state, migration, number):
    """Brings the empty database to the next version, which is the start of its proofs. Its tables must be
    those of its own schema: a migration of another branch may lose a column that it does not know."""
    try:
        replay.apply(base, [migration], state)
    except replay.ReplayError as error:
        report.failures.append(f"version {number} cannot be made from nothing: {error}")
        report.hints |= _hints(error)
        return False
    return True


_OTHER_BRANCH = ("no such table", "no such column", "no such index", "duplicate column name", "already exists",
                 "has no column named")


def _hints(error):
    """What a ReplayError may come from: statements that do not know what another branch did before them."""
    of_branch = not error.file or any(words in str(error) for words in _OTHER_BRANCH)
    return {"branch"} if of_branch else set()


class History:
    def __init__(self, history):
        states, known = [], {}
        for state, _ in history:
            states.append(_shared(state, known))
        self.states = states
        self.migrations = [migration for _, migration in history]
        self.renames = [{}] + [line.renamed(a, b, m.sql) for a, b, m in
                                zip(states, states[1:], self.migrations[1:])]

    def turns(self, number, seeds):
        """The seeds; the first one where the migrations alone take long, with the rows of all of them. SQLite reads
        the text of a table anew, in quadratic time, for each column that is renamed."""
        statements = sum(len(replay.statements(m.sql)) for m in self.migrations[number:])
        widest = max((len(m.fields) for m in self.states[number - 1].tables()), default=0)
        return seeds if statements * widest**2 < _LONG else seeds[:1]

    def judge(self, report):
        """Notes heads that allow programs of the version before more than the difference of the schemas does."""
        for before, after, migration, renamed in zip(self.states, self.states[1:], self.migrations[1:],
                                                     self.renames[1:]):
            changes = diff.compare(before, _with_origins(before, after, renamed), _gone(before, after, renamed)).changes
            for verdict in ("reads_ok", "writes_ok"):
                why = next((c.sentence for c in changes if not getattr(c, verdict)), None)
                if getattr(migration, verdict, False) and why is not None:
                    report.note(f"{migration.name} says {verdict}: yes, and computed is no: {why}")

    def version(self, report, base, number, source, rows, large):
        """Fills version `number`, migrates to the newest one, and compares."""
        database = copy_of(base)
        try:
            self._prove(report, database, number, source, rows, large)
        except replay.ReplayError as error:
            report.fail(f"version {number}: its migration to version {len(self.states)} fails: {error}")
            report.hints |= _hints(error)
        except (fill.FillError, sqlite3.Error) as error:
            report.fail(f"version {number}: {error}")
        except ValueError as error:
            report.fail(f"version {number}: a row holds what no program could read: {error}")
        finally:
            database.close()

    def _prove(self, report, database, number, source, rows, large):
        states, renames, migrations = self.states[number - 1:], self.renames[number:], self.migrations[number:]
        lines = {name: line.of_message(states, renames, name) for name in states[0].messages}
        by_hand = ByHand(lines, migrations)
        written = fill.fill(database, states[0], source, rows, lines, large, None, by_hand)
        report.rows += written.count
        for note in [*by_hand.notes, *(f"version {number}: {note}" for note in written.notes)]:
            report.note(note)
        for name in written.rows:
            last = number + len(lines[name].steps), lines[name].steps[-1][1].name
            report.unfilled[last] = written.empty.get(name) and report.unfilled.get(last, written.empty[name])
        before = {name: values.read(database, states[0].messages[name]) for name in written.rows}
        sequences = sequences_of(database)
        replay.apply(database, migrations, states[-1], not written.forced)
        check = Check(report, database, states, lines, number, migrations, by_hand.adders, written.forced)
        check.run(before, written.rows, sequences)


def _with_origins(before, after, renamed):
    """The later state with what only the schema knows: which table a message had before."""
    origins = {new: before.messages[old].table for old, new in renamed.items()}
    messages = {name: replace(m, renamed_from=origins[name]) if name in origins else m
                for name, m in after.messages.items()}
    return replace(after, messages=messages)


def _gone(before, after, renamed):
    """The messages whose tables are dropped."""
    kept = {m.name for m in after.tables()}
    return frozenset(m.name for m in before.tables() if renamed.get(m.name, m.name) not in kept)


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

    def __init__(self, report, database, states, lines, number, migrations, adders=None, forced=()):
        self._report = report
        self._database = database
        self.states = states
        self._lines = lines
        self._number = number
        self.migrations = migrations
        self._adders = adders or {}
        self._may_break = {f"CHECK constraint failed in {lines[name].steps[-1][1].table}" for name in forced}
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
        found = self._database.execute(f"PRAGMA integrity_check({_DAMAGES_MAX})").fetchall()
        for sentence in dict.fromkeys(sentence for sentence, in found if sentence not in self._may_break):
            if sentence != "ok":
                self._fail(f"the database is damaged: {sentence}")

    def _fail(self, text, *hints):
        self._failed += 1
        self._report.hints.update(("branch", *hints))
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
        if name in self._adders:
            self._accept(name, expected, found)
        for key in found.keys() - expected.keys():
            self._fail(f"{message.name} {values.shown(key)}: the row was not there before, and is in table "
                       f"{message.table}")
        excepted = self._excepted(name)
        for key in sorted(expected.keys() & found.keys(), key=repr):
            self._row(message, key, expected[key], found[key], excepted)
        self._copies(state, message, found)

    def _accept(self, name, expected, found):
        """Rows that statements by hand insert are as they should be."""
        added = {key: row for key, row in found.items() if key not in expected}
        expected.update(added)
        if added:
            self._report.note(f"{' and '.join(self._adders[name])} adds {len(added)} row{'s' * (len(added) > 1)} to "
                              f"{self._lines[name].steps[-1][1].table}")

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
                           f"{values.shown(before)}, and is {values.shown(after)}", "changes")

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
    taken = set()  # numbers that are no unknown fields any more
    for f in new.fields:
        before = known.get(f.number)
        if before is not None:
            result[f.number] = values.convert(row[f.number], before, f)
        elif f.tensor is None:
            found = sql_functions.unknown_value(unknown, f.number, values.type_words(f))
            result[f.number] = _added(f, found)
            taken.add(f.number)
    tensors = [f for f in new.tensors if f.number not in known]
    for f in tensors:
        if not f.tensor.optional and not _fits(f, result, unknown):
            for number in _dims(f) & taken:
                taken -= {number} if result[number] else set()
                result[number] = 0
    for f in tensors:
        result[f.number] = _added_tensor(f, result, unknown)
        taken |= {f.number} if result[f.number] is not None else set()
    for number in taken:
        unknown = sql_functions.unknown_without(unknown, number)
    result[values.UNKNOWN] = unknown
    return result


def _added(f, found):
    if found is not None:
        return fill.kept(json_text.read(f, found) if f.is_json else found)
    return None if f.is_nullable else values.zero(f)


def _added_tensor(f, row, unknown):
    """Elements that are not as many as the dims ask for stay where they are."""
    data = _elements(f, unknown)
    if data is None or not _fits(f, row, unknown) or not data and f.label != "optional":
        return None
    return values.staged(",".join(map(str, _sizes(f, row))), data)


def _elements(f, unknown):
    return sql_functions.unknown_value(unknown, f.number, "bytes" if f.type == "bytes" else f"tensor {f.type}")


def _sizes(f, row):
    return [(row[int(d[1:])] or 0) if d.startswith("#") else int(d) for d in f.tensor.dims]


def _fits(f, row, unknown):
    return len(_elements(f, unknown) or b"") == math.prod(_sizes(f, row)) * samples.element_size(f)


def _dims(f):
    return {int(d[1:]) for d in f.tensor.dims if d.startswith("#")}
