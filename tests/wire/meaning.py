"""What a message means: a value that is equal for equal messages, NaN equal to NaN, unknown fields
included. What varve loses by design is left out: -0.0 where 0.0 is absence."""

import math

from google.protobuf.descriptor import FieldDescriptor as F

from schemas import PREFIXED, is_map, is_repeated

try:
    from google.protobuf.unknown_fields import UnknownFieldSet
except ImportError:  # older than 4.22
    def UnknownFieldSet(message):
        return message.UnknownFields()


def meaning(message, unknown=True):
    fields = []
    for field, value in message.ListFields():
        value = _of_field(field, value, unknown)
        if value is not None:
            fields.append((field.number, value))
    fields.sort(key=lambda pair: pair[0])
    return tuple(fields), _unknown(UnknownFieldSet(message)) if unknown else ()


def without_signs_of_zero(means):
    """The meaning in which -0.0 is 0.0, as varve_record_equal() has it."""
    if means == ("-0.0", 0):
        return "0.0", 0
    if isinstance(means, (tuple, frozenset)):
        return type(means)(without_signs_of_zero(part) for part in means)
    return means


def _of_field(field, value, unknown):
    if is_map(field):
        of = field.message_type.fields_by_name["value"]
        return frozenset((key, _of_map_value(of, value[key], unknown)) for key in value)
    if is_repeated(field):
        return tuple(_of_value(field, element, unknown) for element in value)
    if not field.has_presence and isinstance(value, float) and value == 0:
        return None  # -0.0
    return _of_value(field, value, unknown)


def _of_map_value(field, value, unknown):
    """An entry's value has implicit presence, and so loses -0.0 as well."""
    value = _of_value(field, value, unknown)
    return ("0.0", 0) if value == ("-0.0", 0) else value


def _of_value(field, value, unknown):
    if field.type == F.TYPE_MESSAGE:
        return meaning(value, unknown)
    if isinstance(value, float):
        return ("nan", 0) if math.isnan(value) else (repr(value), 0) if value == 0 else value
    return (type(value).__name__, value)


def _unknown(fields):
    """By number; those of one number in their order, which means something."""
    found = []
    for i in range(len(fields)):
        field = fields[i]
        data = field.data
        if field.wire_type == 3:
            data = _unknown(data)
        elif field.wire_type == PREFIXED:
            data = bytes(data)
        found.append((field.field_number, field.wire_type, data))
    return tuple(sorted(found, key=lambda entry: entry[0]))
