"""Synthetic rows for any schema: linked, random, with the values among them that most often break something.

    fill(connection, state, random, 20)

fills the tables of the state, which are there and empty, with rows that satisfy every constraint, and says
what it wrote. With `lines` (line.of_message of each message) the rows also satisfy what later versions of
the schema ask for, and their unknown fields are those that later versions know: such rows must survive a
migration to any of them.

How a row is made: values of single columns are tried until SQLite says that their conditions hold in every
version; references take values of rows that are there; whole rows are tried until no unique key of any
version is taken twice. References in a circle are set by a second pass, where they are optional.
"""

import math
import sqlite3
from dataclasses import dataclass, field

from varve_codegen import ddl
from varve_migrate import json_text, samples, values, wire
from varve_migrate.by_hand import ByHand
from varve_migrate.constraints import Column, Keys, Scratch, stored
from varve_migrate.line import Line

_VALUE_TRIES = 300
_ROW_TRIES = 40
_ELEMENTS_MAX = 50_000


@dataclass
class Written:
    rows: dict = field(default_factory=dict)  # {full name: {key: {number: value}}}, as values.read() says it
    later: dict = field(default_factory=dict)  # the same with the values that later versions find for their fields
    notes: list = field(default_factory=list)  # sentences: which table could not be filled, and why
    empty: dict = field(default_factory=dict)  # {full name: why its table got no rows}
    forced: set = field(default_factory=set)  # names of tables whose rows break a CHECK: no others were found
    keys: dict = field(default_factory=dict)  # {full name: (Keys, the version among theirs)}
    scratch: Scratch = field(default_factory=Scratch)  # of the keys

    @property
    def count(self):
        return sum(len(rows) for rows in self.rows.values())


class _GiveUp(Exception):
    """No value satisfies a column: a sentence."""


class FillError(Exception):
    """SQLite refuses a row that should satisfy everything: a sentence."""


def fill(connection, state, random, rows_per_table, lines=None, large=2, there=None, by_hand=None):
    """`large` texts and blobs of 10 to 100 kB are among the values. `there` is what was Written before, with what
    later versions find in it; other rows that are there are taken as they are. Both are part of the result.
    `by_hand` is a ByHand: what later statements ask of the values."""
    if lines is None:
        lines = {name: Line(((state, message),)) for name, message in state.messages.items()}
    enforced = connection.execute("PRAGMA foreign_keys").fetchone()[0]
    isolation, connection.isolation_level = connection.isolation_level, None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN")
    scratch = Scratch()
    try:
        written = Written(keys=there.keys, scratch=there.scratch) if there is not None else Written()
        filler = _Filler(connection, state, samples.Samples(random, large), lines, scratch, written)
        filler.by_hand = by_hand or filler.by_hand
        filler.run(rows_per_table, there)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        scratch.close()
        connection.execute("PRAGMA ignore_check_constraints = OFF")
        connection.execute(f"PRAGMA foreign_keys = {enforced}")
        connection.isolation_level = isolation
    return written


class _Filler:
    def __init__(self, connection, state, source, lines, scratch, written):
        self.connection = connection
        self.state = state
        self.source = source
        self.scratch = scratch
        self.written = written
        self.by_hand = ByHand({}, ())
        self._tables = {m.name: lines[m.name] for m in state.tables()}
        self._names = [_names_before(lines, step) for step in range(max(len(li.steps) for li in lines.values()))] \
            if lines else []

    def run(self, rows_per_table, there):
        done = {}
        while len(done) < len(self._tables):
            name = self._next(done)
            table = _Table(self, name, self._tables[name], done)
            done[name] = table
            if there is not None:
                table.take_over(there.rows.get(name, {}), there.later.get(name, {}))
            else:
                table.take_given(values.read(self.connection, self.state.messages[name]))
            table.fill(self.source.random.choice((rows_per_table, rows_per_table, rows_per_table + 2)))
            self.written.rows[name], self.written.later[name] = table.rows, table.later
        for table in done.values():
            table.link(done)
            table.count_on()

    def _next(self, done):
        """A message whose targets are filled; else one that can wait for them."""
        waiting = [name for name in self._tables if name not in done]
        for required_only in (False, True):
            for name in waiting:
                targets = self.targets(self._tables[name], required_only)
                if targets <= done.keys() | {name}:
                    return name
        return waiting[0]

    def targets(self, line, required_only):
        found = set()
        for number in line.numbers():
            for target, _ in self.references(line, number):
                nullable = all(f.is_nullable for _, f in line.fields(number))  # always
                if target is not None and not (required_only and nullable):
                    found.add(target)
        return found

    def references(self, line, number):
        """(message of this state, number) that the field refers to in any version; (None, 0) for a target that
        is not there yet."""
        found = set()
        for step, f in line.fields(number):
            if f.reference is not None:
                name = self._names[step].get(f.reference.message)
                known = name is not None and self.state.messages[name].field_of(f.reference.number) is not None
                found.add((name, f.reference.number) if known else (None, 0))
        return found

    def keys_of(self, name, line):
        if name not in self.written.keys:
            self.written.keys[name] = Keys(self.written.scratch, line), 0
        return self.written.keys[name]

    def force(self, name, column):
        """From now on rows may break CHECKs. Real rows of this table satisfy what no value here does."""
        self.connection.execute("PRAGMA ignore_check_constraints = ON")
        if name not in self.written.forced:
            self.written.forced.add(name)
            self.written.notes.append(
                f"after {_VALUE_TRIES} tries no value of {name}, field {column.number} ({column.first.name}), "
                "satisfies its conditions: its rows break them, and are proven all the same")


def _names_before(lines, step):
    """The names in the first state by those of a later one."""
    return {line.steps[step][1].name: name for name, line in lines.items() if len(line.steps) > step}


class _Table:
    """One message's table on its way to rows."""

    def __init__(self, filler, name, line, done):
        self._filler = filler
        self._name = name
        self._line = line
        self._message = line.first
        self._random = filler.source.random
        self._columns = {n: Column(filler.scratch, line, n) for n in line.numbers()}
        self._keys, self._version = filler.keys_of(name, line)
        self._references = {n: filler.references(line, n) for n in line.numbers()}
        self._done = done
        self._dims = set().union(*(_dims_of(message) for _, message in line.versions()))
        self.rows = {}
        self.later = {}
        self._there = set()  # keys of rows that were there before
        self._modest = filler.by_hand.modest.get(name, ())
        self._leaves_room = name in filler.by_hand.adders and self._message.has_generated_key

    def take_over(self, rows, later):
        self.rows.update(rows)
        self.later.update(later)
        self._there = set(rows)

    def take_given(self, rows):
        """Rows that migrations have made. What is later among their unknown fields is the migration's alone."""
        self.take_over(rows, {key: dict(row) for key, row in rows.items()})
        for row in self.later.values():
            self._keys.take(row, self._columns, self._version)

    def fill(self, count):
        try:
            for _ in range(count):
                row = self._new_row()
                if row is None:
                    break
                self._insert(row)
        except _GiveUp as reason:
            self._filler.written.notes.append(f"{self._name} got {len(self.rows)} rows: {reason}")
            if not self.rows:
                self._filler.written.empty[self._name] = str(reason)
        except (sqlite3.Error, OverflowError) as error:
            raise FillError(f"a synthetic row of {self._name} is refused by its table: {error}") from error

    def _new_row(self):
        """A row whose keys are free; None when there seems to be no more."""
        for _ in range(_ROW_TRIES):
            row = self._candidate()
            if self._keys.take(row, self._columns, self._version):
                return row
        if not self.rows:
            raise _GiveUp("no row was found that satisfies all of its unique keys")
        return None

    # ---------------------------------------------------------------- values

    def _candidate(self):
        """Values by number: of this version's columns, and of later ones that stand in the unknown fields."""
        chosen, row = self._chosen_members(), {}
        for f in sorted(self._message.columns, key=lambda f: bool(self._references[f.number])):
            if f.oneof and chosen[f.oneof] != f.number:
                row[f.number] = None
            else:
                row[f.number] = self._value(f, row)
        for number, column in self._columns.items():
            if self._message.field_of(number) is None:
                row[number] = self._later_value(column)
        return row

    def _chosen_members(self):
        members = {}
        for f in self._message.fields:
            if f.oneof:
                members.setdefault(f.oneof, [0]).append(f.number)
        return {name: self._random.choice(numbers) for name, numbers in members.items()}

    def _value(self, f, row):
        column = self._columns[f.number]
        if self._references[f.number]:
            return self._reference(f, row)
        if f.is_nullable and self._random.random() < 0.25 and not f.oneof and column.holds(None):
            return None
        if f.version:
            return self._tried(column, lambda: self._random.choice((1, 1, 2, 7, 2**40)))
        if f.number in self._dims:
            return self._dim(column)
        return self._free(column)

    def _free(self, column):
        f, state, source = column.first, self._state_of(column), self._filler.source
        if f.type == "message":
            return source.field(self._line, column.number)
        if f.is_json:
            return source.map(state, f) if f.label == "map" else source.repeated(state, f)
        if not column.is_limited:
            long = source.long(f.type) if f.number not in self._keys.numbers() else None
            return self._scalar(column) if long is None else long
        return self._tried(column, lambda: self._guess(column))

    def _guess(self, column):
        hints = [h for h in column.hints() if _fits(column.first, h)]
        if hints and self._random.random() < 0.4:
            return self._random.choice(hints)
        numbers = [h for h in hints if isinstance(h, (int, float)) and math.isfinite(h)]
        if numbers and self._random.random() < 0.5:
            value = self._random.uniform(min(numbers), max(numbers) + 1)
            value = value if column.first.type in ("float", "double") else int(value)
            if _fits(column.first, value):
                return _rounded(column.first, value)
        return self._scalar(column)

    def _scalar(self, column):
        """Any value of the type, but for what statements by hand ask for."""
        if self._leaves_room and column.first.primary_key:
            return self._random.randint(2**20, 2**31 - 1)  # not those that people write either
        value = stored(column.first, self._filler.source.scalar(self._state_of(column), column.first))
        if column.number in self._modest and isinstance(value, int) and abs(value) >= 2**31:
            return value % 2**31 if value > 0 else -(-value % 2**31)
        return value

    def _state_of(self, column):
        """The first version that has the field."""
        return self._line.steps[column.fields[0][0]][0]

    def _tried(self, column, guess):
        for _ in range(_VALUE_TRIES):
            value = guess()
            if _fits(column.first, value) and column.holds(_rounded(column.first, value)):
                return _rounded(column.first, value)
        if column.first.is_nullable and column.holds(None) and self._random.random() < 0.5:
            return None
        self._filler.force(self._name, column)
        while not _fits(column.first, value := guess()):
            pass
        return _rounded(column.first, value)

    def _dim(self, column):
        sizes = [n for n in (0, 1, 2, 3, 4) if column.holds(n)]
        if column.first.primary_key:
            sizes = list(range(1, 200))
        return self._random.choice(sizes) if sizes else self._tried(column, lambda: self._guess(column))

    def _later_value(self, column):
        """A value for a field that only later versions have; None for none, where they take that."""
        f, number = column.first, column.number
        if f.tensor is not None or f.oneof or f.primary_key or f.version:
            return None
        can_lack = column.holds(None) and all(
            column.at(None, place) is None for place, (_, of) in enumerate(column.chain) if of.reference is not None)
        if can_lack and self._random.random() < 0.5:
            return None
        if self._references[number]:
            found = self._reference_values(number, {})
        else:
            found = [self._later_free(column)]
        if not can_lack and found in ([], [None]):
            raise _GiveUp(f"field {number} ({f.name}), which a later version adds, cannot be what it is where nobody "
                          "wrote it, and no other value was found")
        return self._random.choice(found) if found else None

    def _later_free(self, column):
        try:
            return self._dim(column) if column.number in self._dims else self._free(column)
        except _GiveUp:
            return None

    # ---------------------------------------------------------------- references

    def _reference(self, f, row):
        """A value of a row referred to, or none; one that is not there yet is for the second pass."""
        found, column = self._reference_values(f.number, row), self._columns[f.number]
        if f.is_nullable and column.can_be_absent and (not found or self._random.random() < 0.2) and column.holds(None):
            return None
        if not found:
            raise _GiveUp(f"field {f.number} ({f.name}) refers to rows that are not there yet")
        return self._random.choice(found[:3] if self._random.random() < 0.7 else found)

    def _reference_values(self, number, row):
        """The values that all versions of the field and of the reference allow."""
        column, sets = self._columns[number], []
        for name, target in self._references[number]:
            if name is None:
                return []
            rows = self.rows if name == self._name else self._done[name].rows if name in self._done else {}
            found = [r[target] for r in rows.values() if r[target] is not None]
            if name == self._name and row.get(target) is not None:
                found.append(row[target])  # itself
            sets.append(found)
        shared = (value for value in dict.fromkeys(sets[0]) if all(value in other for other in sets[1:]))
        fitting = [value for value in shared if _fits(column.first, value)]
        found = [value for value in fitting if column.holds(value)]
        if fitting and not found and self._filler.written.forced & {name for name, _ in self._references[number]}:
            self._filler.force(self._name, column)  # what it refers to breaks the same conditions
            return fitting
        return found

    def link(self, done):
        """The second pass: references that had to wait. One that is part of a unique key stays absent."""
        numbers = [f.number for f in self._message.columns if self._references[f.number] and f.is_nullable
                   and f.number not in self._keys.numbers() and not f.oneof
                   and any(name not in (None, self._name) for name, _ in self._references[f.number])]
        for number in numbers:
            self._done = done
            found = self._reference_values(number, {})
            for key, row in self.rows.items():
                if row[number] is None and found and key not in self._there and self._random.random() < 0.7:
                    row[number] = self.later[key][number] = self._random.choice(found)
                    self._update(key, number, row[number])

    def _update(self, key, number, value):
        where = " AND ".join(f"{ddl.quote(f.name)} IS ?" for f in self._message.primary_key)
        name = ddl.quote(self._message.names[number])
        self._filler.connection.execute(
            f"UPDATE {ddl.quote(self._message.table)} SET {name} = ? WHERE {where}", (value, *key))

    # ---------------------------------------------------------------- writing

    def _insert(self, row):
        unknown = self._unknown(row)
        given = {f.name: _column_text(f, row[f.number]) for f in self._message.columns}
        given.update({f"{f.name}_json": json_text.copy(self._filler.state, f, row[f.number])
                      for f in self._message.columns if f.json})
        given[ddl.UNKNOWN] = unknown
        names = ", ".join(map(ddl.quote, given))
        self._filler.connection.execute(
            f"INSERT INTO {ddl.quote(self._message.table)} ({names}) VALUES ({', '.join('?' * len(given))})",
            list(given.values()))
        entry = {f.number: kept(row[f.number]) for f in self._message.columns}
        entry.update(self._stage(row))
        entry[values.UNKNOWN] = unknown
        key = values.key_of(self._message, entry)
        self.rows[key], self.later[key] = entry, row

    def _unknown(self, row):
        """The blob: what later versions know, and now and then what none does."""
        parts = []
        for number, column in self._columns.items():
            if self._message.field_of(number) is None and row[number] is not None:
                parts.append(_wire(column.first, row[number]))
            elif self._message.field_of(number) is None and column.first.tensor is not None:
                parts.append(self._later_tensor(column.first, row))
        if self._random.random() < 0.3:
            parts.append(self._filler.source.unknown(set(self._columns) | self._line.retired()))
        self._random.shuffle(parts)
        return b"".join(parts) or None

    def _later_tensor(self, f, row):
        """A tensor that only later versions have, packed or not. Now and then its elements are not those that the
        dims ask for, as where an older program changed a dim that it knew."""
        dims = [row[int(d[1:])] or 0 if d.startswith("#") else int(d) for d in f.tensor.dims]
        count = math.prod(dims)
        if min(dims) < 0 or count > 1000 or self._random.random() < (0.5 if f.tensor.optional else 0.1):
            return b""
        if self._random.random() < 0.2:
            count = max(0, count + self._random.choice((-1, 1)))
        return self._filler.source.elements(f, count)

    def _stage(self, row):
        """Writes the tensors; their values by number."""
        found = {}
        for f in self._message.tensors:
            dims = [row[int(d[1:])] if d.startswith("#") else int(d) for d in f.tensor.dims]
            count = math.prod(dims)
            absent = f.tensor.optional and self._random.random() < 0.3 or not 0 <= count <= _ELEMENTS_MAX
            found[f.number] = None
            if absent or min(dims) < 0 or count == 0 and f.label != "optional":
                continue
            found[f.number] = self._tensor(",".join(map(str, dims)), count * samples.element_size(f))
            self._filler.connection.execute(
                f'INSERT INTO {ddl.quote(ddl.staged_name(self._message))} ("record", "field", {values.TENSOR}) '
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (row[self._message.primary_key[0].number], f.number, *found[f.number]))
        return found

    def _tensor(self, dims, size):
        """One that is staged, or stands in the archive: its bytes are not in the row then."""
        number = self._random.getrandbits(63)
        if not size or self._random.random() < 0.5:
            return dims, self._random.randbytes(size), 0, 0, self._random.choice((None, number, -number))
        return dims, b"", 1 + number % 1000, self._random.getrandbits(40), -number

    def count_on(self):
        """Ids that were given away and deleted, which must not come again."""
        if not self._message.has_generated_key or self._random.random() < 0.3:
            return
        given = self._filler.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?",
                                                (self._message.table,))
        last = max([0, *(key[0] for key in self.rows), *(number for number, in given)])
        number = min(last + self._random.randint(1, 1000), 2**63 - 1)
        self._filler.connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (self._message.table,))
        self._filler.connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (self._message.table, number))


def _dims_of(message):
    return {int(d[1:]) for f in message.tensors for d in f.tensor.dims if d.startswith("#")}


def _fits(f, value):
    """Whether a value is one of the field's type at all."""
    if f.type in ("string", "bytes"):
        return isinstance(value, str if f.type == "string" else bytes)
    if f.type in ("float", "double"):
        return isinstance(value, (int, float)) and (f.type == "double" or abs(value) < 3.4e38 or math.isinf(value))
    limits = samples.extremes(f.type)
    low, high = (-(2**63), 2**63 - 1) if f.type == "fixed64" else (limits[0], limits[-1])
    return isinstance(value, int) and low <= value <= high


def _rounded(f, value):
    if f.type == "float":
        return wire.scalar("float", wire.FIXED32, wire.payload("float", value))
    return float(value) if f.type == "double" else value


def _column_text(f, value):
    return samples.json_column(f, value) if f.is_json else value


def kept(value):
    """SQLite keeps 0.0 for -0.0."""
    return 0.0 if isinstance(value, float) and value == 0 else value


def _wire(f, value):
    """A column's value as an unknown field."""
    if f.type == "message":
        return value
    if f.label == "map":
        return samples.map_bytes(f, value)
    if f.label == "repeated":
        return samples.list_bytes(f, value)
    return wire.record(f.number, f.type, value + 2**64 if f.type == "fixed64" and value < 0 else value)
