"""Protobuf's wire format, as little of it as the columns of nested messages and of unknown fields need:
runs of fields, and single values by proto's word for their type."""

import struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

WIRE_TYPES = {
    **dict.fromkeys(("int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool", "enum"), VARINT),
    **dict.fromkeys(("fixed64", "sfixed64", "double"), FIXED64),
    **dict.fromkeys(("string", "bytes", "message"), BYTES),
    **dict.fromkeys(("fixed32", "sfixed32", "float"), FIXED32),
}
_FORMATS = {"fixed64": "<Q", "sfixed64": "<q", "double": "<d", "fixed32": "<I", "sfixed32": "<i", "float": "<f"}
_SIZES = {FIXED64: 8, FIXED32: 4}
# Of the elements of tensors, as they lie in memory.
_ELEMENTS = {**_FORMATS, "int32": "<i", "sint32": "<i", "uint32": "<I", "int64": "<q", "sint64": "<q", "uint64": "<Q"}
_NUMBER_MAX = 2**29 - 1


class WireError(ValueError):
    """What is wrong with bytes."""


# -------------------------------------------------------------------- reading


def fields(data):
    """(number, wire type, value, bytes of the whole field) of each field, in order. The value is an integer
    of 64 bits for a varint, else bytes."""
    found, at = [], 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at, 5)
        number, kind = tag >> 3, tag & 7
        if not 1 <= number <= _NUMBER_MAX:
            raise WireError(f"there is no field at byte {start}")
        if kind == VARINT:
            value, at = _varint(data, at, 10)
        else:
            size = _SIZES.get(kind)
            if kind == BYTES:
                size, at = _varint(data, at, 5)
            if size is None:
                raise WireError(f"the field at byte {start} is a group, or of no wire type there is")
            value, at = data[at:at + size], at + size
        if at > len(data):
            raise WireError(f"the field at byte {start} goes beyond the end")
        found.append((number, kind, value, data[start:at]))
    return found


def _varint(data, at, most):
    result = 0
    for i in range(most):
        if at + i >= len(data):
            raise WireError(f"the number at byte {at} is cut")
        result |= (data[at + i] & 0x7F) << (7 * i)
        if data[at + i] < 0x80:
            if most == 5 and result >= 2**32:
                break
            return result & (2**64 - 1), at + i + 1
    raise WireError(f"the number at byte {at} is too long")


def scalar(kind, wire_type, value):
    """The value of a type out of a field; a fixed64 is without sign."""
    if wire_type != WIRE_TYPES[kind]:
        raise WireError(f"a {kind} has wire type {WIRE_TYPES[kind]}, and this field has {wire_type}")
    if wire_type == VARINT:
        return _from_varint(kind, value)
    if kind in _FORMATS:
        return struct.unpack(_FORMATS[kind], value)[0]
    if kind == "string":
        if b"\0" in value:
            raise WireError(f"a string holds a NUL at byte {value.index(0)}")
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise WireError(f"a string is no UTF-8 at byte {error.start}") from None
    return value


def _from_varint(kind, value):
    if kind == "bool":
        return int(value != 0)
    if kind in ("sint32", "sint64"):
        value &= 2**32 - 1 if kind == "sint32" else 2**64 - 1
        return (value >> 1) ^ -(value & 1)
    bits = 64 if kind in ("int64", "uint64") else 32
    value &= 2**bits - 1
    return value - 2**bits if kind in ("int32", "int64", "enum") and value >> (bits - 1) else value


def scalars(kind, wire_type, value):
    """The elements in one field of a repeated one: packed, or one."""
    packed = WIRE_TYPES[kind] != BYTES and wire_type == BYTES
    if not packed:
        return [scalar(kind, wire_type, value)]
    found, at = [], 0
    if WIRE_TYPES[kind] == VARINT:
        while at < len(value):
            element, at = _varint(value, at, 10)
            found.append(_from_varint(kind, element))
        return found
    size = _fixed_size(kind, value)
    return [scalar(kind, WIRE_TYPES[kind], value[i:i + size]) for i in range(0, len(value), size)]


def _fixed_size(kind, packed):
    """Of one of these, of which they are whole ones."""
    size = _SIZES[WIRE_TYPES[kind]]
    if len(packed) % size:
        raise WireError(f"packed {kind} are {size} bytes each, and there are {len(packed)}")
    return size


def is_element(kind):
    """Whether tensors have elements of this type, without a dtype."""
    return kind in _ELEMENTS


def elements(kind, wire_type, value):
    """The same as the bytes of a tensor in memory, which are little-endian. Floats keep every bit of a NaN."""
    if WIRE_TYPES[kind] == VARINT:
        return pack(kind, scalars(kind, wire_type, value))
    if wire_type == BYTES:
        _fixed_size(kind, value)
    else:
        scalar(kind, wire_type, value)
    return value


def pack(kind, numbers):
    """The elements of a tensor in memory."""
    return struct.pack(f"<{len(numbers)}{_ELEMENTS[kind][1]}", *numbers)


def unpack(kind, data):
    """The numbers of a tensor's bytes."""
    size = struct.calcsize(_ELEMENTS[kind])
    return list(struct.unpack(f"<{len(data) // size}{_ELEMENTS[kind][1]}", data))


# -------------------------------------------------------------------- writing


def varint(value):
    value &= 2**64 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def payload(kind, value):
    """The bytes of a value behind its tag, those of strings and messages without their length."""
    if kind in ("sint32", "sint64"):
        return varint(value << 1 ^ value >> 63)
    if WIRE_TYPES[kind] == VARINT:
        return varint(value)
    if kind in _FORMATS:
        return struct.pack(_FORMATS[kind], value)
    return value.encode("utf-8") if isinstance(value, str) else bytes(value)


def record(number, kind, value):
    """A whole field."""
    data = payload(kind, value)
    size = varint(len(data)) if WIRE_TYPES[kind] == BYTES else b""
    return tag(number, WIRE_TYPES[kind]) + size + data


def packed(number, kind, values):
    """A repeated number as proto3 writes it; nothing for none."""
    data = b"".join(payload(kind, value) for value in values)
    return tag(number, BYTES) + varint(len(data)) + data if values else b""
