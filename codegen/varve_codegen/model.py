"""The frozen model between reading and rendering: every name, type and order decided.

Messages and enums refer to others by full name; Schema looks them up. Nothing here knows protobuf's
descriptors or Jinja.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from varve_codegen import names


@dataclass(frozen=True)
class Source:
    """A place in a .proto: the file, and the path of descriptor field numbers that protoc uses."""

    file: str
    path: tuple


@dataclass(frozen=True)
class Index:
    fields: tuple
    unique: bool
    where: str


@dataclass(frozen=True)
class TableOptions:
    name: str
    indexes: tuple
    renamed_from: str


@dataclass(frozen=True)
class CacheOptions:
    key: str
    ttl_seconds: int
    compress_above_bytes: Optional[int]
    compression: str
    index_by: str
    mode: str
    hash_tag: str


@dataclass(frozen=True)
class ArchiveOptions:
    compression: str
    level: Optional[int]
    shuffle: Optional[bool]
    checksum: Optional[bool]
    chunk_bytes: int
    segment_bytes: int
    retention_days: int
    layout: str
    retention_by: str


@dataclass(frozen=True)
class ColumnOptions:
    primary_key: bool = False
    unique: bool = False
    index: bool = False
    references: str = ""
    on_delete: str = "RESTRICT"
    check: str = ""
    json: bool = False
    unit: str = ""
    time: str = "NO_TIME"
    min: str = ""
    max: str = ""
    version: bool = False
    given: frozenset = frozenset()  # the options that were written down, by name


@dataclass(frozen=True)
class TensorOptions:
    dims: tuple  # as written: "3" or "neuron_count"
    dtype: str
    optional: bool


@dataclass(frozen=True)
class EnumValue:
    name: str
    c: str
    number: int
    c_name_option: Optional[str]
    comment: str
    at: Source


@dataclass(frozen=True)
class Enum:
    name: str
    full_name: str
    file: str
    package: str
    c: str  # cortex_rule, the tag and the start of its functions
    values: tuple
    reserved: tuple  # (first, last) numbers, both included
    c_name_option: Optional[str]
    comment: str
    at: Source


@dataclass(frozen=True)
class Field:
    name: str
    c: str
    number: int
    type: str  # proto's own word: "int64", "string", "message", "enum", ..
    label: str  # "implicit", "optional" or "repeated"
    packed: bool
    is_map: bool
    target: str  # full name of the message or enum, else ""
    oneof: str  # name of the oneof, else ""
    column: ColumnOptions
    tensor: Optional[TensorOptions]
    c_name_option: Optional[str]
    comment: str
    at: Source

    @property
    def is_repeated(self):
        return self.label == "repeated"

    @property
    def has_flag(self):
        """Whether a member has_F tells its presence."""
        return self.label == "optional" and self.type not in ("string", "message")

    @property
    def is_dtype(self):
        """A tensor whose elements proto lacks, carried as bytes."""
        return self.tensor is not None and self.type == "bytes" and not self.is_repeated

    @property
    def may_be_absent(self):
        """Of a tensor: whether a record need not have it."""
        return self.tensor.optional or self.label == "optional"


@dataclass(frozen=True)
class Oneof:
    name: str
    c: str
    fields: tuple  # of field names
    comment: str
    at: Source


@dataclass(frozen=True)
class Message:
    name: str
    full_name: str
    file: str
    package: str
    c: str  # cortex_learning_event, the struct's tag and the start of its functions
    short: str  # learning_event, for file-local tables and the table's default name
    fields: tuple
    oneofs: tuple
    reserved: tuple  # (first, last) numbers, both included
    is_map_entry: bool
    parent: str  # full name of the enclosing message, else ""
    table: Optional[TableOptions]
    cache: Optional[CacheOptions]
    archive: Optional[ArchiveOptions]
    c_name_option: Optional[str]
    comment: str
    at: Source

    def field_named(self, name):
        return next((f for f in self.fields if f.name == name), None)

    def index_of(self, name):
        return next(i for i, f in enumerate(self.fields) if f.name == name)

    @property
    def primary_key(self):
        return tuple(f for f in self.fields if f.column.primary_key)

    @property
    def has_int64_key(self):
        key = self.primary_key
        return len(key) == 1 and key[0].type in ("int64", "sint64", "sfixed64")

    @property
    def has_generated_key(self):
        """One int64 key that the database assigns when it is 0. One that is a reference is another
        record's: an assigned one would refer to whatever has that number."""
        return self.has_int64_key and not self.primary_key[0].column.references

    @property
    def unique_fields(self):
        """Those that are unique alone, by an index of their own; the whole primary key needs none."""
        return tuple(f for f in self.fields if f.column.unique and self.primary_key != (f,))

    @property
    def uniques(self):
        """(field names, where) of what is unique beside the primary key: fields alone, then indexes."""
        alone = tuple(((f.name,), "") for f in self.unique_fields)
        return alone + tuple((i.fields, i.where) for i in self.table.indexes if i.unique)

    @property
    def tensors(self):
        return tuple(f for f in self.fields if f.tensor is not None)

    @property
    def is_archived(self):
        """Whether the archive keeps something of it."""
        return self.table is not None and bool(self.tensors)

    @property
    def table_name(self):
        if self.table is None:
            return ""
        own = self.full_name[len(self.package) + 1 :].split(".")  # c_name options are for C alone
        return self.table.name or "_".join(names.snake(part) for part in own)


@dataclass(frozen=True)
class Method:
    name: str
    c: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    sql: Optional[str]
    allow_scan: bool
    c_name_option: Optional[str]
    comment: str
    at: Source


@dataclass(frozen=True)
class Service:
    name: str
    full_name: str
    file: str
    c: str
    methods: tuple
    c_name_option: Optional[str]
    comment: str
    at: Source


@dataclass(frozen=True)
class File:
    name: str  # as protoc names it: "cortex/episode.proto"
    package: str
    syntax: str
    imports: tuple
    public_imports: tuple
    messages: tuple  # full names, outer before nested, in schema order; map entries after their message
    enums: tuple
    services: tuple
    comment: str
    at: Source


@dataclass(frozen=True)
class Schema:
    """All files of a run. Only those in `to_generate` are checked and rendered."""

    files: dict = field(repr=False)
    messages: dict = field(repr=False)
    enums: dict = field(repr=False)
    to_generate: tuple = ()
    _embedded: dict = field(default_factory=dict, repr=False)

    def generated_files(self):
        return [self.files[name] for name in self.to_generate]

    def generated_messages(self):
        return [self.messages[n] for f in self.generated_files() for n in f.messages]

    def packages(self):
        """Package name: its files, in the order given."""
        found = {}
        for file in self.generated_files():
            found.setdefault(file.package, []).append(file)
        return found

    def referred_tables(self, message):
        """(field, message) of each reference that has a target with a table."""
        for field in message.fields:
            if field.column.references:
                target, _ = self.resolve_reference(message, field.column.references)
                if target is not None and target.table is not None:
                    yield field, target

    def resolve_reference(self, message, text):
        """(message, field) that `references: "Concept.id"` means, each None when it is not there.
        The message's name is looked for from the innermost scope outwards, in the message's file and
        in what that imports, as protoc does."""
        target, _, name = text.rpartition(".")
        scope = message.full_name.split(".")
        visible = self.visible_files(message.file)
        while target:
            found = self.messages.get(".".join(scope + [target]))
            if found is not None and found.file in visible and not found.is_map_entry:
                return found, found.field_named(name)
            if not scope:
                break
            scope.pop()
        return None, None

    def visible_files(self, name):
        """The file, its imports, and what those import publicly."""
        visible, pending = {name}, list(self.files[name].imports)
        while pending:
            imported = pending.pop()
            if imported not in visible:
                visible.add(imported)
                pending.extend(self.files[imported].public_imports)
        return visible

    def embeds(self, message):
        """Full names of the messages that stand directly inside this one (map values included)."""
        found = self._embedded.get(message.full_name)
        if found is None:
            found = [f.target for f in message.fields if f.type == "message" and f.target in self.messages]
            self._embedded[message.full_name] = found
        return found
