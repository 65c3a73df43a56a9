"""Random messages with the values at which programs break: ends of ranges, -0.0, NaN, denormals, empty
and long text, characters of four bytes."""

import math
import struct

from google.protobuf.descriptor import FieldDescriptor as F

from schemas import is_map, is_repeated, real_oneof

_INT_BITS = {
    F.TYPE_INT32: (32, True), F.TYPE_SINT32: (32, True), F.TYPE_SFIXED32: (32, True),
    F.TYPE_UINT32: (32, False), F.TYPE_FIXED32: (32, False),
    F.TYPE_INT64: (64, True), F.TYPE_SINT64: (64, True), F.TYPE_SFIXED64: (64, True),
    F.TYPE_UINT64: (64, False), F.TYPE_FIXED64: (64, False),
}
_DOUBLES = [0.0, -0.0, 1.0, -1.5, 0.1, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 2.2250738585072014e-308,
            1.7976931348623157e308, 1e15, 1e16, 123456.789, 1 / 3]
_FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, math.inf, -math.inf, math.nan, 1e-45, 1.1754943508222875e-38,
           3.4028234663852886e38, 16777217.0, 1 / 3]
_TEXTS = ["", "a", "Grüße", "€", "🧠", "\U0010ffff", "é", '"quoted" \\ \'single\'', "line\nline\r\n\ttab",
          "\x01\x1f\x7f", "\ufeffbom", "\ud7ff\ue000", "??=", "x" * 127, "y" * 128]


def edges(field):
    """All values worth trying alone in a scalar or enum field."""
    if field.type in _INT_BITS:
        bits, signed = _INT_BITS[field.type]
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        small = [0, 1, 2, 127, 128, 16383, 16384, 2**21 - 1, 2**21, 2**28 - 1, 2**28, 2**31 - 1, 2**31,
                 2**32 - 1, 2**32, 2**35, 2**42, 2**49, 2**56, 2**63 - 1, 2**63, -1, -2, -64, -65, -(2**31),
                 -(2**31) - 1]
        return sorted({low, low + (1 if low else 0), high, high - 1, *(v for v in small if low <= v <= high)})
    return {
        F.TYPE_DOUBLE: _DOUBLES,
        F.TYPE_FLOAT: _FLOATS,
        F.TYPE_BOOL: [False, True],
        F.TYPE_STRING: _TEXTS + ["z" * 20000],
        F.TYPE_BYTES: [b"", b"\0", b"\xff\xfe", b"\0" * 127, bytes(range(256)), b"b" * 20000],
        F.TYPE_ENUM: [v.number for v in field.enum_type.values] + [3, -7, 2**31 - 2] if field.enum_type else [],
    }[field.type]


class Values:
    """Draws values and messages from one random.Random."""

    def __init__(self, rng, schema):
        self.rng = rng
        self.schema = schema
        self._budget = 0

    def scalar(self, field):
        rng = self.rng
        if rng.random() < 0.6:
            value = rng.choice(edges(field))
            if not isinstance(value, (str, bytes)) or len(value) < 1000 or rng.random() < 0.05:
                return value
        if field.type in _INT_BITS:
            bits, signed = _INT_BITS[field.type]
            value = rng.getrandbits(rng.randint(1, bits))
            return value - 2**bits if signed and value >= 2 ** (bits - 1) else value
        if field.type == F.TYPE_DOUBLE:
            return struct.unpack("<d", rng.randbytes(8))[0]
        if field.type == F.TYPE_FLOAT:
            return struct.unpack("<f", rng.randbytes(4))[0]
        if field.type == F.TYPE_STRING:
            return "".join(rng.choice("ab \u00e9\u20ac\U0001f9e0") for _ in range(rng.randint(0, 40)))
        if field.type == F.TYPE_BYTES:
            return rng.randbytes(rng.randint(0, 30))
        return rng.choice(edges(field))

    def message(self, descriptor, budget=None):
        """A message of at most `budget` messages, itself included."""
        self._budget = budget or self.rng.choice([3, 10, 40])
        message = self.schema.new(descriptor)
        self._fill(message, self.rng.choice([0.1, 0.4, 0.8]), 0)
        return message

    def _fill(self, message, density, depth):
        self._budget -= 1
        chosen = {}
        for field in message.DESCRIPTOR.fields:
            oneof = real_oneof(field)
            if oneof is not None:
                chosen.setdefault(oneof.name, self.rng.choice([*oneof.fields, None]))
            wanted = chosen[oneof.name] is field if oneof is not None else self.rng.random() < density
            if wanted and (field.message_type is None or self._may_nest(field, depth)):
                self._set(message, field, density, depth)
        self._make_tensors(message)

    def _may_nest(self, field, depth):
        if is_map(field) and field.message_type.fields_by_name["value"].message_type is None:
            return True
        return self._budget > 0 and depth < 12

    def _set(self, message, field, density, depth):
        if is_map(field):
            self._set_map(getattr(message, field.name), field, density, depth)
        elif is_repeated(field):
            values = getattr(message, field.name)
            for _ in range(self._count(field)):
                if field.message_type is not None:
                    self._fill(values.add(), density * 0.7, depth + 1)
                else:
                    values.append(self.scalar(field))
        elif field.message_type is not None:
            sub = getattr(message, field.name)
            sub.SetInParent()
            self._fill(sub, density * 0.7, depth + 1)
        else:
            setattr(message, field.name, self.scalar(field))

    def _count(self, field):
        if field.message_type is not None:
            return self.rng.randint(0, min(4, max(self._budget, 0)))
        return self.rng.choice([0, 1, 2, 3, 5, 130 if self.rng.random() < 0.2 else 8])

    def _set_map(self, values, field, density, depth):
        key = field.message_type.fields_by_name["key"]
        value = field.message_type.fields_by_name["value"]
        for _ in range(self.rng.choice([0, 1, 2, 4, 40 if self.rng.random() < 0.1 else 3])):
            if value.message_type is not None:
                if self._budget > 0:
                    self._fill(values[self.scalar(key)], density * 0.7, depth + 1)
            else:
                values[self.scalar(key)] = self.scalar(value)

    def _make_tensors(self, message):
        """Counts that agree with dims."""
        tensors = self.schema.tensors(message.DESCRIPTOR)
        for name in sorted({dim for tensor in tensors for dim in tensor.dims if not dim.isdigit()}):
            setattr(message, name, self.rng.randint(0, 5))
        for tensor in tensors:
            absent = tensor.optional and self.rng.random() < 0.5
            count = 0 if absent else tensor.count(message)
            message.ClearField(tensor.field.name)
            if tensor.element_size:
                setattr(message, tensor.field.name, self.rng.randbytes(count * tensor.element_size))
            else:
                getattr(message, tensor.field.name).extend(self.scalar(tensor.field) for _ in range(count))
