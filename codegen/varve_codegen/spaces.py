"""Where the keys of a cached message begin: "cortex:1a2b3c4d:". The number is made of the message, its template
with the fields by number and how their values are written, its mode, and its order. So a field's new name keeps
what is cached, and another template or order begins anew: a value is never read by a template that did not write its
key, and never stands where another field ordered it.
"""

import zlib

from varve_codegen import keys

_PACKAGE_BYTES = 80  # a longer package is cut: its first bytes, and a hash of the whole
_CUT_BYTES = 63


def mode(message):
    """ONLY or READ_THROUGH."""
    if message.cache.mode != "AUTO":
        return message.cache.mode
    return "READ_THROUGH" if message.table is not None else "ONLY"


def space(message):
    """The number of a message whose template names fields that it has."""
    numbers = {field.name: f"{field.number} {_written(field)}" for field in message.fields}
    if message.cache.hash_tag:
        # Its braces are in the keys. The template's own hold a name each, so two mean nothing else.
        numbers[message.cache.hash_tag] = f"{{{numbers[message.cache.hash_tag]}}}"
    template = keys.by_number(keys.parse(message.cache.key), numbers)
    order = next((str(f.number) for f in message.fields if f.name == message.cache.index_by), "")
    return zlib.crc32(f"{message.full_name} {template} {mode(message)} {order}".encode())


def _written(field):
    """How a value of the field is written in a key."""
    return field.type if field.type in ("string", "bool") else "number"


def digits(message):
    return f"{space(message):08x}"


def beginning(message):
    """What all keys of the message begin with, without the colon: "cortex:1a2b3c4d"."""
    return f"{_package(message.package)}:{digits(message)}"


def _package(package):
    if len(package) <= _PACKAGE_BYTES:
        return package
    return f"{package[:_CUT_BYTES]}~{zlib.crc32(package.encode()):08x}"
