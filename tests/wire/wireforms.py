"""Other bytes for the same message, damaged bytes, and why varve may refuse what Python takes."""

import struct

from google.protobuf.descriptor import FieldDescriptor as F

from schemas import (END_GROUP, FIXED32, FIXED64, PREFIXED, START_GROUP, VARINT, is_map, is_packable, is_repeated,
                     real_oneof, wire_type)

_FORMATS = {F.TYPE_DOUBLE: "<d", F.TYPE_FLOAT: "<f", F.TYPE_FIXED64: "<Q", F.TYPE_SFIXED64: "<q",
            F.TYPE_FIXED32: "<I", F.TYPE_SFIXED32: "<i"}
_ZIGZAG = (F.TYPE_SINT32, F.TYPE_SINT64)
_NARROW = (F.TYPE_INT32, F.TYPE_UINT32, F.TYPE_SINT32, F.TYPE_ENUM)
MAX_DEPTH = 100


def varint(value, size=0):
    """A varint of at least `size` bytes."""
    out = bytearray()
    while True:
        out.append(value & 0x7F)
        value >>= 7
        if not value and len(out) >= size:
            return bytes(out)
        out[-1] |= 0x80


def tag(number, kind):
    return varint(number << 3 | kind)


def prefixed(number, data):
    return tag(number, PREFIXED) + varint(len(data)) + data


class Writer:
    """Writes messages as no library does, but as every one must read them.

    A message is a list of slots, one for a field or oneof: the pieces of a slot keep their order, slots
    mix in any way, and a message may be cut between any two pieces and sent in parts."""

    def __init__(self, rng, values, unknown=True, rival_oneofs=True):
        self._rng = rng
        self._values = values  # for what is overwritten later
        self._unknown = unknown
        self._rivals = rival_oneofs  # whether members of a oneof come that are replaced later
        self._wild = rng.choice([0.02, 0.15, 0.5])

    def write(self, message):
        return b"".join(self._pieces(message))

    def _maybe(self):
        return self._rng.random() < self._wild

    def _pieces(self, message):
        slots = {}
        for field, value in message.ListFields():
            oneof = real_oneof(field)
            slot = []
            if is_map(field):
                self._add_map(slot, field, value)
            elif is_repeated(field):
                self._add_repeated(slot, field, value)
            else:
                self._add_singular(slot, field, value, oneof)
            slots[field.number] = slot
        for field in message.DESCRIPTOR.fields:
            if field.number not in slots and self._maybe():
                self._add_empty(slots.setdefault(field.number, []), field)
        pieces = self._mixed(list(slots.values()))
        while self._unknown and self._maybe():
            pieces.insert(self._rng.randint(0, len(pieces)), self._unknown_field(message.DESCRIPTOR))
        return pieces

    def _mixed(self, slots):
        slots = [slot for slot in slots if slot]
        if not self._maybe():
            return [piece for slot in slots for piece in slot]
        order = [i for i, slot in enumerate(slots) for _ in slot]
        self._rng.shuffle(order)
        iterators = [iter(slot) for slot in slots]
        return [next(iterators[i]) for i in order]

    # ---------------------------------------------------------------- fields

    def _tag(self, number, kind):
        return varint(number << 3 | kind, self._rng.randint(1, 5) if self._maybe() else 0)

    def _prefixed(self, number, data):
        return self._tag(number, PREFIXED) + varint(len(data), self._rng.randint(1, 5) if self._maybe() else 0) + data

    def _number(self, field, value):
        if field.type in _FORMATS:
            return struct.pack(_FORMATS[field.type], value)
        value = int(value)
        if field.type in _ZIGZAG:
            value = value << 1 if value >= 0 else (-value << 1) - 1
        value &= 2**64 - 1
        if field.type in _NARROW and self._maybe():  # the upper half does not count
            value = value & 0xFFFFFFFF | self._rng.choice([0, 1, 0xFFFFFFFF, self._rng.getrandbits(32)]) << 32
        elif field.type == F.TYPE_BOOL and value and self._maybe():
            value = self._rng.choice([2, 128, 1 << 32, 1 << 63, 2**64 - 1])
        return varint(value, self._rng.randint(1, 10) if self._maybe() else 0)

    def _scalar(self, field, value):
        """A scalar with its tag."""
        if field.type == F.TYPE_STRING:
            return self._prefixed(field.number, value.encode())
        if field.type == F.TYPE_BYTES:
            return self._prefixed(field.number, value)
        return self._tag(field.number, wire_type(field)) + self._number(field, value)

    def _add_singular(self, slot, field, value, oneof=None):
        if oneof is not None and self._rivals and self._maybe():
            self._add_rivals(slot, field, oneof)
        if field.message_type is None:
            while self._maybe():
                slot.append(self._scalar(field, self._values.scalar(field)))
            slot.append(self._scalar(field, value))
            return
        pieces = self._pieces(value)
        while self._maybe():  # in parts, which the reader merges
            cut = self._rng.randint(0, len(pieces))
            slot.append(self._prefixed(field.number, b"".join(pieces[:cut])))
            pieces = pieces[cut:]
        slot.append(self._prefixed(field.number, b"".join(pieces)))

    def _add_rivals(self, slot, field, oneof):
        """Other members of the oneof; the last is never the one that counts, since messages merge."""
        for _ in range(self._rng.randint(1, 3)):
            slot.append(self._any_single(self._rng.choice(list(oneof.fields))))
        slot.append(self._any_single(self._rng.choice([f for f in oneof.fields if f is not field])))

    def _any_single(self, field):
        if field.message_type is None:
            return self._scalar(field, self._values.scalar(field))
        message = self._values.message(field.message_type, 2)
        return self._prefixed(field.number, message.SerializeToString(deterministic=True))

    def _add_repeated(self, slot, field, values):
        if field.message_type is not None:
            for value in values:
                slot.append(self._prefixed(field.number, b"".join(self._pieces(value))))
        elif not is_packable(field):
            slot.extend(self._scalar(field, value) for value in values)
        else:
            self._add_numbers(slot, field, list(values))

    def _add_numbers(self, slot, field, values):
        packed = field.GetOptions().packed or not field.GetOptions().HasField("packed")
        if self._maybe():
            packed = not packed
        while values or self._maybe():
            count = self._rng.randint(0, len(values)) if self._maybe() else len(values)
            if packed:
                slot.append(self._prefixed(field.number, b"".join(self._number(field, v) for v in values[:count])))
            else:
                slot.extend(self._scalar(field, v) for v in values[:count])
            values = values[count:]
            if self._maybe():
                packed = not packed

    def _add_empty(self, slot, field):
        """What leaves an absent field absent."""
        if is_repeated(field):
            if is_packable(field):
                slot.append(self._prefixed(field.number, b""))
        elif not field.has_presence:
            if self._maybe():
                slot.append(self._scalar(field, self._values.scalar(field)))
            slot.append(self._scalar(field, field.default_value))

    # ---------------------------------------------------------------- maps

    def _add_map(self, slot, field, values):
        key_field = field.message_type.fields_by_name["key"]
        value_field = field.message_type.fields_by_name["value"]
        entries = []
        for key in sorted(values):  # Python's own order changes from run to run
            early = []
            if self._maybe():  # an entry that is replaced
                value = (self._values.message(value_field.message_type, 2) if value_field.message_type is not None
                         else self._values.scalar(value_field))
                early.append(self._entry(field, key_field, key, value_field, value))
            entries.append(early + [self._entry(field, key_field, key, value_field, values[key])])
        slot.extend(self._mixed(entries))

    def _entry(self, field, key_field, key, value_field, value):
        slots = [[], []]
        if key != key_field.default_value or not self._maybe():
            self._add_singular(slots[0], key_field, key)
        if value_field.message_type is not None:
            missing = not value.ListFields()
        else:
            missing = repr(value) == repr(value_field.default_value)
        if not missing or not self._maybe():
            self._add_singular(slots[1], value_field, value)
        if self._maybe():
            slots.reverse()
        pieces = self._mixed(slots)
        while self._unknown and self._maybe():
            pieces.insert(self._rng.randint(0, len(pieces)), self._unknown_field(field.message_type))
        return self._prefixed(field.number, b"".join(pieces))

    # ---------------------------------------------------------------- unknown fields

    def _unknown_field(self, descriptor):
        used = {field.number for field in descriptor.fields}
        number = self._rng.choice([1, 4, 15, 16, 500, 2047, 2048, 18998, 262144, 2**29 - 1, 2**29 - 2, 7000])
        while number in used:
            number = self._rng.randint(1, 2**29 - 1)
        kind = self._rng.choice([VARINT, FIXED64, PREFIXED, FIXED32])
        if kind == PREFIXED:
            return self._prefixed(number, self._rng.randbytes(self._rng.choice([0, 1, 5, 127, 128, 300])))
        if kind == VARINT:
            data = varint(self._rng.getrandbits(self._rng.randint(0, 64)), self._rng.choice([0, 0, 0, 10]))
        else:
            data = self._rng.randbytes(8 if kind == FIXED64 else 4)
        return self._tag(number, kind) + data


# -------------------------------------------------------------------- damage


def mutated(rng, data, other):
    """A few random changes; `other` is a second input to splice from."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        at = rng.randint(0, len(data))
        kind = rng.randrange(8)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at % len(data)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        elif kind == 2:
            del data[at:at + rng.randint(1, 4)]
        elif kind == 3:
            data[at:at] = rng.randbytes(rng.randint(1, 4))
        elif kind == 4:
            data[at:at] = data[at:at + rng.randint(1, 30)]
        elif kind == 5:
            start = rng.randint(0, len(other))
            data[at:at] = other[start:start + rng.randint(1, 30)]
        elif kind == 6:
            del data[at:]
        else:
            value = rng.choice([2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1])
            data[at:at] = varint(value, rng.choice([0, 10, 11]))
    return bytes(data)


# -------------------------------------------------------------------- documented reasons


def reasons(schema, message, data):
    """Why varve may refuse bytes that Python reads as `message`: what its documentation says, found by a
    walk of our own over the bytes."""
    found = set()
    _walk(message.DESCRIPTOR, memoryview(data), 0, found)
    for tensor in schema.tensors(message.DESCRIPTOR):
        if tensor.element_size and len(getattr(message, tensor.field.name)) % tensor.element_size:
            found.add("dtype length")
    _add_dims(schema, message, found)
    return found


def _add_dims(schema, message, found):
    for tensor in schema.tensors(message.DESCRIPTOR):
        count = len(getattr(message, tensor.field.name)) // (tensor.element_size or 1)
        if count != tensor.count(message) and not (tensor.optional and count == 0):
            found.add("dims")
    for field, value in message.ListFields():
        if is_map(field):
            if field.message_type.fields_by_name["value"].message_type is not None:
                for key in value:
                    _add_dims(schema, value[key], found)
        elif field.message_type is not None:
            for sub in value if is_repeated(field) else [value]:
                _add_dims(schema, sub, found)


def _read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value & (2**64 - 1), at


def _walk(descriptor, data, depth, found):
    at = 0
    while at < len(data):
        key, behind = _read_varint(data, at)
        if key >= 2**32 or behind - at > 5 or key < 8:
            found.add("field number")
            return
        at = _walk_field(descriptor.fields_by_number.get(key >> 3), key & 7, data, behind, depth, found)


def _walk_field(field, kind, data, at, depth, found):
    """Steps over a value and returns where it ends."""
    if kind == START_GROUP:
        found.add("group")
        return _skip_value(kind, data, at)
    if field is not None and kind != wire_type(field) and not (kind == PREFIXED and is_packable(field)):
        found.add("wire type")
    if kind != PREFIXED:
        return _skip_value(kind, data, at)
    size, start = _read_varint(data, at)
    content = data[start:start + size]
    if field is not None and field.type == F.TYPE_STRING and 0 in content:
        found.add("NUL")
    if field is not None and field.message_type is not None:
        if depth == MAX_DEPTH:
            found.add("depth")
        else:
            _walk(field.message_type, content, depth + 1, found)
    return start + size


def split(data):
    """The fields of a message: (number, content where it has a length, bytes). None where it is damaged."""
    fields = []
    at = 0
    try:
        while at < len(data):
            key, behind = _read_varint(data, at)
            end = _skip_value(key & 7, data, behind)
            if end > len(data):
                return None
            content = None
            if key & 7 == PREFIXED:
                size, start = _read_varint(data, behind)
                content = data[start:start + size]
            fields.append((key >> 3, content, data[at:end]))
            at = end
    except IndexError:
        return None
    return fields


def _skip_value(kind, data, at):
    if kind == START_GROUP:
        return _skip_group(data, at)
    if kind == VARINT:
        return _read_varint(data, at)[1]
    if kind == PREFIXED:
        size, at = _read_varint(data, at)
        return at + size
    return at + {FIXED64: 8, FIXED32: 4}.get(kind, 0)


def _skip_group(data, at):
    while True:
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == END_GROUP:
            return at
        at = _skip_value(kind, data, at)
