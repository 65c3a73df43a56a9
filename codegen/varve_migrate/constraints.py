"""Whether values may stand in a table, asked of SQLite itself: single columns with their CHECKs, and rows with
their unique keys; in every version of the table that is to take them."""

import bisect
import sqlite3
from dataclasses import replace

from varve_codegen import ddl, expression
from varve_codegen.state import Message
from varve_migrate import values

_INDEX_ROOM = 3000  # of a number's magnitude that hints stay near to


def stored(field, value):
    """The value as a column of the field holds it."""
    if field.type == "fixed64" and isinstance(value, int) and value >= 2**63:
        return value - 2**64
    return value


class Scratch:
    """A database of its own, for tables that stand for others."""

    def __init__(self):
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self._count = 0

    def close(self):
        self.connection.close()

    def name(self):
        self._count += 1
        return f"scratch_{self._count}"


class Column:
    """A field through the versions: which values all of them take."""

    def __init__(self, scratch, line, number):
        self._scratch = scratch
        self.number = number
        self.fields = line.fields(number)
        self._last_step = line.last_step(number)
        self.chain = _without_repeats(self.fields)
        self._starts = [step for step, _ in self.chain]
        self._tables = self._probes()

    def _probes(self):
        """(place in the chain, INSERT) for each version whose column has a condition."""
        found = []
        for i, (_, field) in enumerate(self.chain):
            if not (field.min or field.max or field.check):
                continue
            name = self._scratch.name()
            alone = replace(field, primary_key=0, reference=None, json=False)
            table = ddl.create_table(None, Message("", name, (alone,)), name)
            self._scratch.connection.execute(table)
            found.append((i, f"INSERT INTO {name} ({ddl.quote(field.name)}) VALUES (?)"))
        return found

    @property
    def first(self):
        return self.chain[0][1]

    @property
    def is_limited(self):
        return bool(self._tables)

    @property
    def can_be_absent(self):
        return all(field.is_nullable for _, field in self.chain)

    def at(self, value, place):
        """The value in the field's version `place` of the chain."""
        if value is None and not self.first.is_nullable:
            value = values.zero(self.first)  # of a field that is added later
        for i in range(place):
            value = values.convert(value, self.chain[i][1], self.chain[i + 1][1])
        return value

    def at_step(self, value, step):
        """The value in a version of the message, None where that has no such field."""
        if not self.chain[0][0] <= step <= self._last_step:
            return None
        return self.at(value, bisect.bisect_right(self._starts, step) - 1)

    def holds(self, value):
        for place, sql in self._tables:
            try:
                self._scratch.connection.execute(sql, (self.at(value, place),))
            except sqlite3.IntegrityError:
                return False
        return True

    def hints(self):
        """Values near to those that the conditions name."""
        found = []
        for _, field in self.chain:
            texts = [field.min, field.max] + [text for kind, text in expression.tokens(field.check) if kind in
                                              ("number", "string")]
            for text in filter(None, texts):
                found += _near(self.first.type, text)
        return found


def _without_repeats(fields):
    found = fields[:1]
    for entry in fields[1:]:
        if entry[1] is not found[-1][1] and entry[1] != found[-1][1]:
            found.append(entry)
    return found


def _near(kind, text):
    """Candidates of a type that a literal suggests."""
    if text.startswith("'"):
        content = text[1:-1].replace("''", "'")
        return [content] if kind == "string" else [content.encode()] if kind == "bytes" else []
    try:
        number = float(text)
    except ValueError:
        return []
    if kind in ("string", "bytes"):
        sizes = [int(number) + d for d in (-1, 0, 1) if 0 <= number + d < _INDEX_ROOM]
        return [("x" * size) if kind == "string" else b"x" * size for size in sizes]
    if kind in ("double", "float"):
        return [number, number / 2, number * 2, number + 1, number - 1]
    exact = int(text) if text.lstrip("-").isdigit() else int(number)
    return [exact, exact + 1, exact - 1, -exact]


class Keys:
    """The unique keys of a message in all its versions, with the rows that were taken."""

    def __init__(self, scratch, line):
        self._scratch = scratch
        self._tables = self._shadows(line)

    def _shadows(self, line):
        """[versions that have these keys, numbers, INSERT] of each set of keys; versions as (first, last)."""
        found = {}
        versions = list(line.versions())
        ends = [i - 1 for i, _ in versions[1:]] + [len(line.steps) - 1]
        for (step, message), end in zip(versions, ends):
            keys = unique_keys(message)
            numbers = sorted({n for names, where in keys for n in (*names, *expression.columns(where))})
            signature = (tuple(keys), tuple((n, message.field_of(n).type, message.field_of(n).label) for n in numbers))
            if signature not in found:
                found[signature] = ([], numbers, self._table(message, keys, numbers))
            found[signature][0].append((step, end))
        return list(found.values())

    def _table(self, message, keys, numbers):
        """Makes a table that has these keys alone; its INSERT."""
        name = self._scratch.name()
        fields = tuple(replace(message.field_of(n), name=f"c{n}", reference=None, min="", max="", check="", json=False,
                               primary_key=0, label="optional") for n in numbers)
        table = Message("", name, fields)
        self._scratch.connection.execute(ddl.create_table(None, table, name))
        for names, where in keys:
            self._scratch.connection.execute(ddl.create_index(table, names, True, where))
        return f"INSERT INTO {name} ({', '.join(f'c{n}' for n in numbers)}) VALUES ({', '.join('?' * len(numbers))})"

    def numbers(self):
        """The fields that some unique key names."""
        return {n for _, numbers, _ in self._tables for n in numbers}

    def take(self, row, columns, version=0):
        """Notes the row of this version, whose columns these are; False, and nothing is noted, when another row
        has one of its keys in this version or a later one."""
        database = self._scratch.connection
        database.execute("BEGIN")
        try:
            for spans, numbers, sql in self._tables:
                step = next((max(first, version) for first, last in spans if last >= version), None)
                if step is not None:
                    database.execute(sql, [columns[n].at_step(row.get(n), step - version) for n in numbers])
        except sqlite3.IntegrityError:
            database.execute("ROLLBACK")
            return False
        database.execute("COMMIT")
        return True


def unique_keys(message):
    """(numbers, where) of the primary key and of every unique index."""
    key = tuple(f.number for f in message.primary_key)
    return [(key, "")] + [(numbers, where) for numbers, unique, where in ddl.index_keys(message) if unique]
