"""The state of a schema: all that storage depends on, and nothing else. Two schemas of one state keep
data alike; how states differ is what a migration does.

Everything is known by its number: references, indexes, checks, dims and cache keys name fields so. A
rename therefore changes one name and nothing beside it. A state comes from the schema (capture()) or from
a lock file (lock.parse()).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Optional

from varve_codegen import expression, keys


@dataclass(frozen=True)
class Reference:
    message: str
    number: int
    on_delete: str  # "RESTRICT", "CASCADE" or "SET_NULL"


@dataclass(frozen=True)
class Tensor:
    dims: tuple  # "3", or "#6" for the value of field 6
    dtype: str  # "PROTO" or as the option says
    optional: bool


@dataclass(frozen=True)
class Field:
    number: int
    name: str
    label: str  # "implicit", "optional", "repeated", "map" or "oneof"; a single message is "optional"
    type: str  # proto's word: "int64", "string", "message", "enum"; of a map its values'
    target: str = ""  # full name of the message or enum
    key: str = ""  # type of a map's keys
    oneof: str = ""  # name of the oneof
    primary_key: int = 0  # which part of the primary key, from 1 on; 0: none
    unique: bool = False
    index: bool = False
    reference: Optional[Reference] = None
    check: str = ""  # columns by number
    min: str = ""
    max: str = ""
    json: bool = False
    version: bool = False
    unit: str = ""
    time: str = ""  # "UNIX_NANOSECONDS" or ""
    tensor: Optional[Tensor] = None

    @property
    def is_json(self):
        """Kept as JSON text: repeated scalars and maps of scalars."""
        return self.tensor is None and self.label in ("repeated", "map") and self.type != "message"

    @property
    def is_nullable(self):
        """Whether its column is NULL when the field is absent."""
        return self.label in ("optional", "oneof")


@dataclass(frozen=True)
class Index:
    numbers: tuple
    unique: bool
    where: str  # columns by number


@dataclass(frozen=True)
class Options:
    """(varve.cache) or (varve.archive): (name, value) pairs of what differs from the default, fields by
    number."""

    values: tuple = ()


@dataclass(frozen=True)
class Message:
    name: str  # full
    table: str  # "" without a table
    fields: tuple  # as declared; by number when they come from a lock
    indexes: tuple = ()  # of (varve.table).index; those of single fields are in the fields
    cache: Optional[Options] = None
    archive: Optional[Options] = None
    retired: tuple = ()  # (number, name) of fields that are no more, by number
    # What only the schema knows, and only while it changes.
    renamed_from: str = field(default="", compare=False)
    reserved: tuple = field(default=(), compare=False)  # (first, last) numbers

    def field_of(self, number):
        return self._by_number.get(number)

    @cached_property
    def _by_number(self):
        return {f.number: f for f in reversed(self.fields)}  # of two, the first

    @property
    def names(self):
        return {f.number: f.name for f in self.fields}

    @property
    def columns(self):
        return tuple(f for f in self.fields if f.tensor is None)

    @property
    def tensors(self):
        return tuple(f for f in self.fields if f.tensor is not None)

    @property
    def primary_key(self):
        return tuple(sorted((f for f in self.fields if f.primary_key), key=lambda f: f.primary_key))

    @property
    def has_generated_key(self):
        key = self.primary_key
        return len(key) == 1 and key[0].type in ("int64", "sint64", "sfixed64") and key[0].reference is None


@dataclass(frozen=True)
class Enum:
    name: str  # full
    values: tuple  # (number, name), by number; of aliases the first
    retired: tuple = ()
    reserved: tuple = field(default=(), compare=False)


@dataclass(frozen=True)
class State:
    package: str
    messages: dict  # by full name: those that are stored, and what they embed
    enums: dict  # by full name: those that these use
    retired: tuple = ()  # (full name, table) of messages that are no more, by name

    def tables(self):
        return [m for m in self.messages.values() if m.table]

    def children(self, message):
        """(message, field) of every reference to this message."""
        return [
            (m, f)
            for m in self.tables()
            for f in m.fields
            if f.reference is not None and f.reference.message == message.name
        ]


def empty(package):
    return State(package, {}, {})


# -------------------------------------------------------------------- from the schema


def capture(schema, package):
    """The state of a checked schema's package. Messages without table and cache that none of these embeds
    are not stored, and left out."""
    stored = [
        m
        for m in schema.messages.values()
        if m.package == package and (m.table is not None or m.cache is not None)
    ]
    wanted, pending = {}, list(reversed(stored))
    while pending:
        message = pending.pop()
        if message.full_name in wanted:
            continue
        wanted[message.full_name] = message
        pending += [schema.messages[name] for name in reversed(schema.embeds(message))]
    messages = {name: _message(schema, m) for name, m in wanted.items() if not m.is_map_entry}
    targets = {f.target for m in messages.values() for f in m.fields if f.type == "enum"}
    enums = {name: _enum(schema.enums[name]) for name in sorted(targets)}
    return State(package, messages, enums)


def _message(schema, message):
    numbers = {f.name: f.number for f in message.fields}
    parts = {f.number: i + 1 for i, f in enumerate(message.primary_key)}
    indexes = ()
    if message.table is not None:
        indexes = tuple(
            Index(tuple(numbers[n] for n in i.fields), i.unique, expression.by_number(i.where, numbers))
            for i in message.table.indexes
        )
    return Message(
        name=message.full_name,
        table=message.table_name,
        fields=tuple(_field(schema, message, f, numbers, parts) for f in message.fields),
        indexes=indexes,
        cache=_cache(message.cache, numbers),
        archive=_archive(message.archive, numbers),
        renamed_from=message.table.renamed_from if message.table is not None else "",
        reserved=message.reserved,
    )


def shape(schema, given):
    """The field of a schema without its options."""
    label, kind, target, key = given.label, given.type, given.target, ""
    if given.is_map:
        entry = schema.messages[given.target]
        value = entry.field_named("value")
        label, kind, target, key = "map", value.type, value.target, entry.field_named("key").type
    elif given.oneof:
        label = "oneof"
    elif given.type == "message" and label == "implicit":
        label = "optional"
    return Field(given.number, given.name, label, kind, target, key, given.oneof)


def _field(schema, message, given, numbers, parts):
    column = given.column
    return replace(
        shape(schema, given),
        primary_key=parts.get(given.number, 0) if message.table is not None else 0,
        unique=column.unique,
        index=column.index,
        reference=_reference(schema, message, column),
        check=expression.by_number(column.check, numbers),
        min=column.min,
        max=column.max,
        json=column.json,
        version=column.version,
        unit=column.unit,
        time=column.time if column.time != "NO_TIME" else "",
        tensor=_tensor(given, numbers),
    )


def _reference(schema, message, column):
    if not column.references or message.table is None:
        return None
    target, key = schema.resolve_reference(message, column.references)
    return Reference(target.full_name, key.number, column.on_delete)


def _tensor(given, numbers):
    if given.tensor is None:
        return None
    dims = tuple(d if d.isdigit() else f"#{numbers[d]}" for d in given.tensor.dims)
    return Tensor(dims, given.tensor.dtype, given.tensor.optional or given.label == "optional")


def _cache(cache, numbers):
    if cache is None:
        return None
    return _options(
        key=keys.by_number(keys.parse(cache.key), numbers),
        ttl_seconds=cache.ttl_seconds,
        compress_above_bytes=cache.compress_above_bytes,
        compression="" if cache.compression == "ZSTD" else cache.compression,
        index_by=f"#{numbers[cache.index_by]}" if cache.index_by else "",
        mode="" if cache.mode == "AUTO" else cache.mode,
        hash_tag=f"#{numbers[cache.hash_tag]}" if cache.hash_tag else "",
    )


def _archive(archive, numbers):
    if archive is None:
        return None
    options = _options(
        compression="" if archive.compression == "DEFLATE" else archive.compression,
        level=archive.level,
        shuffle=None if archive.shuffle is not False else "off",
        checksum=None if archive.checksum is not False else "off",
        chunk_bytes=archive.chunk_bytes,
        segment_bytes=archive.segment_bytes,
        retention_days=archive.retention_days,
        layout="" if archive.layout == "COLUMN" else archive.layout,
        retention_by=f"#{numbers[archive.retention_by]}" if archive.retention_by else "",
    )
    return options if options.values else None  # all defaults are as no option


def _options(**values):
    """What is given; 0 is a default but for compress_above_bytes, where it means always."""
    given = {n: v for n, v in values.items() if v not in (None, "", 0) or (n == "compress_above_bytes" and v == 0)}
    return Options(tuple((name, str(value)) for name, value in given.items()))


def _enum(enum):
    values = {}
    for value in enum.values:
        values.setdefault(value.number, value.name)
    return Enum(enum.full_name, tuple(sorted(values.items())), reserved=enum.reserved)
