"""Random values of proto's types, the extremes often among them, and random nested messages as wire bytes."""

import math
import struct

from varve_migrate import json_text, wire

INTEGERS = {
    **dict.fromkeys(("int32", "sint32", "sfixed32", "enum"), (-(2**31), 2**31 - 1)),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), (-(2**63), 2**63 - 1)),
    **dict.fromkeys(("uint32", "fixed32"), (0, 2**32 - 1)),
    "uint64": (0, 2**63 - 1),
    "fixed64": (0, 2**64 - 1),
    "bool": (0, 1),
}
_TEXTS = (
    "", "a", " ", "0", "NULL", "It's \"quoted\" \\ and\tcut\nin two\r", "naïve Ärger", "漢字かな",
    "\U0001f9e0\U0001f469\u200d\U0001f52c",
    "e\u0301\u0327", "\u2028\ufeff\uffff", "\x01\x1f\x7f", "%_';--", "{\"a\": [1, 2]}", "\U0010ffff", "z" * 300,
)
_BLOBS = (b"", b"\0", b"\xff" * 8, bytes(range(256)), b"plain", b"\x0a\x00", b"\0" * 100)
_DTYPES = {"INT8": 1, "UINT8": 1, "INT16": 2, "UINT16": 2, "FLOAT16": 2}
_DEPTH_MAX = 3


def extremes(kind):
    """The values of a type that most often break something."""
    if kind in INTEGERS:
        low, high = INTEGERS[kind]
        return [low, high] if kind == "bool" else sorted({low, low + 1, -1 if low else 0, 0, 1, high - 1, high})
    if kind == "double":
        return [0.0, -0.0, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, math.inf,
                -math.inf, 0.1, 1e22, 2.0**53 + 2]
    if kind == "float":
        return [0.0, -0.0, 3.4028234663852886e38, -3.4028234663852886e38, 1.401298464324817e-45, math.inf, -math.inf,
                _rounded(0.1), 16777216.0]
    return list(_TEXTS if kind == "string" else _BLOBS)


def _rounded(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def element_size(field):
    """Bytes of a tensor's element."""
    if field.tensor.dtype != "PROTO":
        return _DTYPES[field.tensor.dtype]
    return 4 if field.type in ("int32", "sint32", "sfixed32", "uint32", "fixed32", "float") else 8


class Samples:
    """A source of values. `large` says how many texts and blobs of 10 to 100 kB it may give."""

    def __init__(self, random, large=0):
        self.random = random
        self._large = large

    def scalar(self, state, field):
        """Any value of the field's type, a fixed64 without sign."""
        return self._enum(state, field) if field.type == "enum" else self.of_type(field.type)

    def _enum(self, state, field):
        known = [number for number, _ in state.enums[field.target].values]
        return self.random.choice(known) if self.random.random() < 0.7 else self.of_type("enum")

    def of_type(self, kind):
        if self.random.random() < 0.4:
            return self.random.choice(extremes(kind))
        return self._any(kind)

    def long(self, kind):
        """Now and then a text or blob of 10 to 100 kB, None else."""
        if not self._large or kind not in ("string", "bytes") or self.random.random() > 0.1:
            return None
        self._large -= 1
        size = self.random.randint(10_000, 100_000)
        return self.random.randbytes(size) if kind == "bytes" else "".join(self.random.choices("abcé漢\n", k=size))

    def _any(self, kind):
        random = self.random
        if kind in INTEGERS:
            low, high = INTEGERS[kind]
            return random.randint(low, high) if random.random() < 0.5 else random.randint(max(low, -100),
                                                                                          min(high, 1000))
        if kind == "bytes":
            return random.randbytes(random.randint(0, 20))
        if kind == "string":
            return "".join(random.choices("abcdefgh 0123456789éß漢\U0001f600", k=random.randint(0, 12)))
        value = random.uniform(-1000, 1000) if random.random() < 0.5 else random.lognormvariate(0, 20)
        return _rounded(value) if kind == "float" else value

    def numbers(self, taken):
        """A field number that is none of these."""
        while True:
            number = self.random.choice((self.random.randint(1, 2**29 - 1), self.random.randint(100, 5000)))
            if number not in taken and not 19000 <= number <= 19999:
                return number

    # ---------------------------------------------------------------- repeated scalars and maps

    def repeated(self, state, field):
        return [self.scalar(state, field) for _ in range(self.random.choice((0, 0, 1, 2, 3, 20)))]

    def map(self, state, field):
        count = self.random.choice((0, 0, 1, 2, 5))
        return {self.of_type(field.key): self.scalar(state, field) for _ in range(count)}

    # ---------------------------------------------------------------- wire bytes

    def unknown(self, taken):
        """Wire bytes of one or two fields that nobody knows."""
        found = b""
        for _ in range(self.random.randint(1, 2)):
            kind = self.random.choice(("int64", "fixed64", "double", "string", "bytes", "fixed32"))
            found += wire.record(self.numbers(taken), kind, self.of_type(kind))
        return found

    def field(self, line, number, depth=0):
        """The wire bytes of a field as its first version has it: singular ones are there."""
        state, field = self._first(line, number)
        if field.type == "message":
            return self._messages(line, field, depth)
        if field.label == "map":
            return map_bytes(field, self.map(state, field))
        if field.label == "repeated":
            return list_bytes(field, self.repeated(state, field))
        return wire.record(number, field.type, self.scalar(state, field))

    @staticmethod
    def _first(line, number):
        step, field = line.fields(number)[0]
        return line.steps[step][0], field

    def _messages(self, line, field, depth):
        inner = line.embedded(field.number)
        if field.label not in ("repeated", "map"):
            return wire.record(field.number, "message", self.message(inner, depth + 1))
        found = b""
        keys = {}
        for _ in range(self.random.choice((0, 1, 2, 3))):
            content = self.message(inner, depth + 1)
            if field.label == "map":
                key = self.of_type(field.key)
                if keys.setdefault(key, content) is not content:
                    continue
                content = _entry(field, key, "message", content)
            found += wire.record(field.number, "message", content)
        return found

    def message(self, line, depth=0):
        """The bytes of a nested message: fields of all its versions, each as its first version has it, and now
        and then some that none has."""
        sizes = self._dims(line)
        chosen = self._oneofs(line)
        parts = []
        for number in line.numbers():
            _, field = self._first(line, number)
            if field.tensor is not None:
                parts.append(self._tensor(field, sizes))
            elif number in sizes:
                parts.append(wire.record(number, field.type, sizes[number]) if sizes[number] else b"")
            elif field.oneof and chosen[field.oneof] != number:
                continue
            elif self.random.random() < 0.7 and not (field.type == "message" and depth >= _DEPTH_MAX):
                parts.append(self.field(line, number, depth))
        if self.random.random() < 0.3:
            parts.append(self.unknown(set(line.numbers()) | line.retired()))
        return b"".join(parts)

    def _dims(self, line):
        dims = {int(d[1:]) for _, m in line.versions() for f in m.tensors for d in f.tensor.dims if d.startswith("#")}
        return {number: self.random.randint(0, 3) for number in dims}

    def _oneofs(self, line):
        members = {}
        for number in line.numbers():
            _, field = self._first(line, number)
            if field.oneof:
                members.setdefault(field.oneof, [0]).append(number)
        return {name: self.random.choice(numbers) for name, numbers in members.items()}

    def elements(self, field, count):
        """A tensor of so many elements: the first ones unpacked, the others packed."""
        if field.type == "bytes":
            return wire.record(field.number, "bytes", self.random.randbytes(count * element_size(field)))
        found, kind = [self._element(field) for _ in range(count)], wire.WIRE_TYPES[field.type]
        cut = self.random.choice((0, 0, count, self.random.randint(0, count)))
        rest = b"".join(found[cut:])
        return (b"".join(wire.tag(field.number, kind) + element for element in found[:cut])
                + (wire.record(field.number, "bytes", rest) if rest else b""))

    def _element(self, field):
        if wire.WIRE_TYPES[field.type] == wire.VARINT:
            return wire.payload(field.type, self.of_type(field.type))
        return self.random.randbytes(element_size(field))

    def _tensor(self, field, sizes):
        count = math.prod(sizes[int(d[1:])] if d.startswith("#") else int(d) for d in field.tensor.dims)
        if field.tensor.optional and self.random.random() < 0.4:
            return b""
        return wire.packed(field.number, field.type, [self.of_type(field.type) for _ in range(count)])


def list_bytes(field, values):
    if field.type in ("string", "bytes"):
        return b"".join(wire.record(field.number, field.type, v) for v in values)
    return wire.packed(field.number, field.type, values)


def map_bytes(field, pairs):
    return b"".join(wire.record(field.number, "message", _entry(field, k, field.type, v)) for k, v in pairs.items())


def _entry(field, key, kind, value):
    return wire.record(1, field.key, key) + wire.record(2, kind, value)


def json_column(field, value):
    """The text of a JSON column."""
    if field.label == "map":
        return json_text.entries(field.key, field.type, list(value.items()))
    return json_text.array(field.type, value)
