"""The SQL functions that migrations may use, for Python's sqlite3; the runtime has the same in C.

    varve_assert(condition, text)             1, or the error `text` unless the condition is true
    varve_unknown_has(blob, number)           1 when the unknown fields have one of this number, else 0
    varve_unknown_value(blob, number, type)   its value as a column of this type holds it, NULL when absent
    varve_unknown_without(blob, number)       the unknown fields without it, NULL when nothing is left
    varve_rebuild_json(message, number)       notes that the JSON copies of this field are to be written anew

`type` is in the lock's words: "int64", "repeated string", "map string int64", "message". Or "tensor int32": the
elements of a repeated number as the staged table holds them, packed or not.
"""

import math
import sqlite3

from varve_migrate import json_text, wire


class FunctionError(ValueError):
    """A sentence of a function that failed."""


class Functions:
    """The functions of one connection: what they noted, and why one failed. sqlite3 does not hand on the
    text of an exception in a function, so it is kept here."""

    def __init__(self, connection):
        self.marks = []  # (message, number) of JSON copies to rebuild, each once
        self.error = ""  # of the last function that failed
        for name, count, function in (
            ("varve_assert", 2, require),
            ("varve_unknown_has", 2, unknown_has),
            ("varve_unknown_value", 3, unknown_value),
            ("varve_unknown_without", 2, unknown_without),
            ("varve_rebuild_json", 2, self._rebuild_json),
        ):
            connection.create_function(name, count, self._noting(function), deterministic=False)

    def words_of(self, error):
        """What an sqlite3.Error means: SQLite's words, or those of the function that failed."""
        return self.error if self.error and "user-defined function" in str(error) else str(error)

    def _noting(self, function):
        def call(*arguments):
            try:
                return function(*arguments)
            except (FunctionError, wire.WireError) as error:
                self.error = str(error)
                raise
        return call

    def _rebuild_json(self, message, number):
        _check_number(number)
        if not isinstance(message, str):
            raise FunctionError("the message is its full name, such as 'lab.Sample'")
        if (message, number) not in self.marks:
            self.marks.append((message, number))
        return 1


def register(connection):
    return Functions(connection)


# -------------------------------------------------------------------- the functions


def require(condition, text):
    """As SQLite's WHERE sees it: NULL and 0 are not true."""
    if not _is_true(condition):
        raise FunctionError(text if isinstance(text, str) else "an assertion of a migration does not hold")
    return 1


def _is_true(condition):
    if isinstance(condition, (str, bytes)):
        text = condition.decode("utf-8", "replace") if isinstance(condition, bytes) else condition
        database = sqlite3.connect(":memory:")
        try:
            return bool(database.execute("SELECT CAST(? AS NUMERIC) <> 0", (text,)).fetchone()[0])
        finally:
            database.close()
    return condition is not None and condition != 0


def unknown_has(blob, number):
    _check_number(number)
    return int(any(field[0] == number for field in _fields(blob)))


def unknown_without(blob, number):
    _check_number(number)
    kept = b"".join(field[3] for field in _fields(blob) if field[0] != number)
    return kept or None


def unknown_value(blob, number, kind):
    _check_number(number)
    if not _is_type(kind):
        raise FunctionError("the type of a field is said as schema.lock does, such as 'repeated string'")
    given = [field for field in _fields(blob) if field[0] == number]
    if not given:
        return None
    try:
        return _value(given, kind.split())
    except wire.WireError as error:
        raise FunctionError(f"the unknown field {number} is no {kind}: {error}") from None


def _check_number(number):
    if not isinstance(number, int) or not 1 <= number < 2**29:
        raise FunctionError("the number of a field is an integer from 1 on")


def _is_type(kind):
    """Whether it ends as a type does; the rest is seen where there is a value."""
    words = kind.split() if isinstance(kind, str) else []
    return bool(words) and words[-1] in wire.WIRE_TYPES


def _fields(blob):
    if isinstance(blob, str):
        raise FunctionError("unknown fields are a BLOB, and this is a TEXT")
    try:
        return wire.fields(blob or b"")
    except wire.WireError as error:
        raise FunctionError(f"varve_unknown holds bytes that are no fields: {error}") from None


def _value(given, words):
    if words[0] == "tensor":
        return _elements(given, words[1:])
    if "message" in words:
        return _messages(given)
    if words[0] == "map":
        return _map(given, words[1], words[2])
    if words[0] == "repeated":
        values = [v for _, kind, content, _ in given for v in wire.scalars(words[1], kind, content)]
        return json_text.array(words[1], [_without_nan(v) for v in values])
    if words[0] in ("optional", "oneof"):
        words = words[1 if words[0] == "optional" else 2:]
    return column_value(words[0], wire.scalar(words[0], *given[-1][1:3]))


def _messages(given):
    """The fields as they stand there, once they are known to hold messages."""
    for _, kind, content, _ in given:
        if kind != wire.BYTES:
            raise wire.WireError(f"a message has wire type {wire.BYTES}, and this field has {kind}")
        wire.fields(content)
    return b"".join(whole for *_, whole in given)


def _elements(given, words):
    if len(words) != 1 or not wire.is_element(words[0]):
        raise FunctionError(f"a tensor has elements of a number's type, and none of {' '.join(words) or 'nothing'}")
    return b"".join(wire.elements(words[0], kind, content) for _, kind, content, _ in given)


def _map(given, key, kind):
    pairs = []
    for _, wire_type, content, _ in given:
        entry = {n: (t, v) for n, t, v, _ in wire.fields(wire.scalar("message", wire_type, content))}
        pairs.append((
            wire.scalar(key, *entry[1]) if 1 in entry else json_text.zero(key),
            _without_nan(wire.scalar(kind, *entry[2]) if 2 in entry else json_text.zero(kind)),
        ))
    return json_text.entries(key, kind, pairs)


def _without_nan(value):
    if isinstance(value, float) and math.isnan(value):
        raise wire.WireError("it is NaN, which a column cannot hold")
    return value


def column_value(kind, value):
    """A value as a column holds it."""
    if kind == "fixed64":
        return value - 2**64 if value >= 2**63 else value
    if kind == "uint64" and value >= 2**63:
        raise wire.WireError("it is over 9223372036854775807, which a column cannot hold")
    return _without_nan(value)
