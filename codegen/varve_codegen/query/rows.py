"""Synthetic rows of tables, and values of parameters that find them."""

from varve_codegen import ddl, sqlite
from varve_codegen.query.types import RANGES

TYPICAL, NUMBERS, TEXTS = "typical", "numbers", "texts"  # the last two: of these, extremes

_COUNT = 5  # rows of a table
_LARGE = 2**60  # of 64-bit integers: some of them may be added up
_EXTREMES = {
    "double": (1e300, 1e300, -1e300, -0.5, 0.0),
    "float": (3.0e38, 3.0e38, -3.0e38, -0.5, 0.0),
    "string": ("", "\U0001f9e0 'quoted' \"and\" %_", "0", "a"),
    "bytes": (b"", b"\x00\xff", b"a", b"\x00"),
}
_PLAIN = {"double": 0.5, "float": 0.5, "string": "a", "bytes": b"a"}
_OTHERS = {
    "double": (0.0, 1.0, -1.0, 100.0),
    "float": (0.0, 1.0, -1.0, 100.0),
    "string": ("ab", "A", "1", "aaaaaaaa", "a@b.cd", "2020-01-01", ""),
    "bytes": (b"", b"aaaaaaaaaaaaaaaa", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
}


class Rows:
    """Rows of the tables of one state of the schema, worked out once each."""

    def __init__(self, database, state):
        self._database, self._state = database, state
        self._tables = {m.table: m for m in state.tables()}
        self._made = {}
        self._allowed = {}

    def fill(self, tables, kind):
        """Inserts rows into these tables; those that a constraint refuses are left out."""
        for table in tables:
            if table not in self._made:
                self._made[table] = self._insert_of(self._tables[table])
            names, insert = self._made[table]
            message = self._tables[table]
            for i in range(_COUNT):
                row = [self._value(message, name, kind, i) for name in names]
                try:
                    list(insert.run(row))
                except sqlite.Failure:
                    continue

    def _insert_of(self, message):
        names = [f.name for f in message.columns] + [f"{f.name}_json" for f in message.columns if f.json]
        columns = ", ".join(ddl.quote(n) for n in names)
        marks = ", ".join("?" * len(names))
        return names, self._database.prepare(f"INSERT INTO {ddl.quote(message.table)} ({columns}) VALUES ({marks})")

    def _value(self, message, name, kind, i):
        field = next((f for f in message.columns if f.name == name), None)
        if field is None:  # a JSON copy
            copied = next(f for f in message.columns if f"{f.name}_json" == name)
            return {"repeated": "[]", "map": "{}"}.get(copied.label)
        is_last = i == _COUNT - 1
        if field.is_nullable and (is_last or field.type == "message"):
            return None
        if field.is_json:
            return _json(field, i)
        if field.type == "message":
            return b""
        values = self._choices(message, field, kind)
        return values[i % len(values)] if values else None

    def _choices(self, message, field, kind):
        """The values of a column, row by row, of which its checks let each through."""
        at = (message.table, field.number, kind)
        if at not in self._allowed:
            self._allowed[at] = self._filtered(message, field, self._wanted(message, field, kind))
        return self._allowed[at]

    def _wanted(self, message, field, kind):
        is_distinct = field.primary_key or field.unique or any(
            index.unique and field.number in index.numbers for index in message.indexes
        )
        if field.reference is not None:
            target = self._state.messages.get(field.reference.message)
            key = target.field_of(field.reference.number) if target and target.table else field
            values = _typical(self._state, key, True)
            return values if is_distinct else values[:1]
        is_number = field.type in RANGES or field.type in ("double", "float")
        if kind != (NUMBERS if is_number else TEXTS) or is_distinct:
            return _typical(self._state, field, is_distinct)
        return _extreme(field)

    def _filtered(self, message, field, values):
        if not (field.min or field.max or field.check):
            return values
        found = self._passing(message, field, values)
        return found or self._passing(message, field, _candidates(field))

    def _passing(self, message, field, values):
        """Those values that the column's own constraints let through, tried on a table of this column."""
        definition = ddl.definitions(self._state, message)[field.name]
        for word in (" PRIMARY KEY AUTOINCREMENT", " PRIMARY KEY"):
            definition = definition.replace(word, "")
        found = []
        try:
            self._database.execute(f"CREATE TEMP TABLE varve_probe ({definition})")
            insert = self._database.prepare("INSERT INTO temp.varve_probe VALUES (?)")
        except sqlite.Failure:
            return found
        for value in values:
            try:
                list(insert.run((value,)))
                found.append(value)
            except sqlite.Failure:
                continue
        insert.close()
        self._database.execute("DROP TABLE temp.varve_probe")
        return found


def _typical(state, field, is_distinct):
    kind = field.type
    if kind == "enum" and not is_distinct:
        numbers = [n for n, _ in state.enums[field.target].values] if field.target in state.enums else [0]
        return ([n for n in numbers if n] or numbers)[:_COUNT]
    if kind in RANGES:
        return [1, 2, 3, 4, 5] if is_distinct and kind != "bool" else [1, 0] if kind == "bool" else [1]
    plain = _PLAIN[kind]
    if not is_distinct:
        return [plain]
    return {"string": ["a", "b", "c", "d", "e"], "bytes": [b"a", b"b", b"c", b"d", b"e"]}.get(kind) or [plain + i for i in range(_COUNT)]


def _extreme(field):
    if field.type not in RANGES:
        return list(_EXTREMES[field.type])
    low, high = RANGES[field.type]
    high = min(high, _LARGE)
    return [high, high, high, max(low, -_LARGE), 0]  # the sum is out of range


def _candidates(field):
    """Values to look for one that a check lets through: its bounds and what stands in checks most often."""
    found = list(_OTHERS.get(field.type, ()))
    if field.type in RANGES:
        found = [0, 1, -1, 2, 10, 100, 1000, 1_000_000, 2_000_000_000]
    for bound in filter(None, (field.min, field.max)):
        found.append(float(bound) if field.type in ("double", "float") else int(float(bound)))
    return found


def _json(field, i):
    """The text of a JSON column: without elements, then with some."""
    element = {"string": '"a"', "bool": "true", "double": "0.5", "float": "0.5"}.get(field.type, "1")
    if field.type in ("int64", "sint64", "sfixed64", "uint64", "fixed64"):
        element = '"1"'
    if field.label == "map":
        key = {"string": '"a"', "bool": '"true"'}.get(field.key, '"1"')
        return ("{}", f"{{{key}:{element}}}")[(i + 1) % 2]
    return (f"[{element},{element}]", "[]")[i % 2]


# -------------------------------------------------------------------- parameters


def parameters(fields, limits):
    """Values of the parameters to run a query with, set by set. `fields` are of the request, in the order of the
    parameters; `limits` says which bound the rows."""
    return [[_parameter(field, limits.get(field.name), kind) for field in fields] for kind in range(3)]


def _parameter(field, limit, kind):
    """Of kind 0: what finds typical rows. 1: absent, empty. 2: other rows."""
    if limit is not None:
        return 0 if limit else 100
    if field.label == "repeated":
        return ("[]" if kind == 1 else _list(field))
    if field.is_nullable and kind == 1:
        return None
    if field.type in RANGES:
        return {0: 1, 1: 0, 2: 0 if field.type == "bool" else 2}[kind]
    plain = _PLAIN[field.type]
    other = {"string": "b", "bytes": b"b"}.get(field.type, 1.5)
    return {0: plain, 1: type(plain)(), 2: other}[kind]


def _list(field):
    if field.type == "string":
        return '["a","b","c"]'
    return "[0.5,1.5]" if field.type in ("double", "float") else "[1,2,3]" if field.type != "bool" else "[1,0]"
