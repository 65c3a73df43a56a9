"""Stage 2: descriptors become the frozen model. Decides names; judges nothing."""

from google.protobuf import descriptor_pb2

from varve_codegen import names
from varve_codegen.model import (
    ArchiveOptions,
    CacheOptions,
    ColumnOptions,
    Enum,
    EnumValue,
    Field,
    File,
    Index,
    Message,
    Method,
    Oneof,
    Schema,
    Service,
    Source,
    TableOptions,
    TensorOptions,
)

# Field numbers of descriptor.proto, of which paths are made.
FILE_MESSAGE, FILE_ENUM, FILE_SERVICE, FILE_PACKAGE = 4, 5, 6, 2
MESSAGE_FIELD, MESSAGE_NESTED, MESSAGE_ENUM, MESSAGE_ONEOF = 2, 3, 4, 8
ENUM_VALUE, SERVICE_METHOD = 2, 2

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    number: name[len("TYPE_") :].lower()
    for name, number in _FIELD.Type.items()
}
_UNPACKABLE = ("string", "bytes", "message", "group")
_NO_COLUMN = ColumnOptions()


def build(request, positions):
    builder = _Builder(request.options, positions)
    for file in request.files:
        builder.name_types(file)
    for file in request.files:
        builder.add_file(file)
    return Schema(builder.files, builder.messages, builder.enums, request.to_generate)


class _Builder:
    def __init__(self, options, positions):
        self._options = options
        self._positions = positions
        self._c_names = {}  # full name of a message or enum: (C name, without the package)
        self.files, self.messages, self.enums = {}, {}, {}

    # ---------------------------------------------------------------- names of all types, first

    def name_types(self, file):
        prefix = names.package_prefix(file.package)
        for message in file.message_type:
            self._name_message(message, file.package, prefix, "")
        for enum in file.enum_type:
            self._name_enum(enum, file.package, prefix, "")

    def _name_message(self, message, scope, prefix, outer):
        full = _join(scope, message.name)
        own = self._options.get(message, "message_c_name") or names.snake(message.name)
        short = f"{outer}_{own}" if outer else own
        self._c_names[full] = (f"{prefix}_{short}", short)
        fields = {f.type_name[1:]: f for f in message.field}
        for nested in message.nested_type:
            if nested.options.map_entry:
                field = fields[_join(full, nested.name)]
                entry = f"{short}_{self._field_c_name(field)}_entry"
                self._c_names[_join(full, nested.name)] = (f"{prefix}_{entry}", entry)
            else:
                self._name_message(nested, full, prefix, short)
        for enum in message.enum_type:
            self._name_enum(enum, full, prefix, short)

    def _name_enum(self, enum, scope, prefix, outer):
        own = self._options.get(enum, "enum_c_name") or names.snake(enum.name)
        short = f"{outer}_{own}" if outer else own
        self._c_names[_join(scope, enum.name)] = (f"{prefix}_{short}", short)

    def _field_c_name(self, field):
        return self._options.get(field, "c_name") or names.snake(field.name)

    # ---------------------------------------------------------------- files

    def add_file(self, file):
        own = []
        for i, message in enumerate(file.message_type):
            self._add_message(file, message, file.package, (FILE_MESSAGE, i), "", own)
        enums = [
            self._add_enum(file, enum, file.package, (FILE_ENUM, i), names.package_prefix(file.package))
            for i, enum in enumerate(file.enum_type)
        ]
        services = tuple(
            self._service(file, service, (FILE_SERVICE, i)) for i, service in enumerate(file.service)
        )
        messages = tuple(name for name, _ in own)
        nested_enums = [name for _, names_ in own for name in names_]
        self.files[file.name] = File(
            name=file.name,
            package=file.package,
            syntax=file.syntax or "proto2",
            imports=tuple(file.dependency),
            public_imports=tuple(file.dependency[i] for i in file.public_dependency),
            messages=messages,
            enums=tuple(enums + nested_enums),
            services=services,
            comment=self._positions.comment(file.name, (12,)),
            at=Source(file.name, (FILE_PACKAGE,)),
        )

    def _add_enum(self, file, enum, scope, path, value_prefix):
        full = _join(scope, enum.name)
        values = []
        for i, value in enumerate(enum.value):
            option = self._options.get(value, "value_c_name")
            at = path + (ENUM_VALUE, i)
            values.append(
                EnumValue(
                    name=value.name,
                    c=f"{value_prefix}_{option or names.snake(value.name)}".upper(),
                    number=value.number,
                    c_name_option=option,
                    comment=self._positions.comment(file.name, at),
                    at=Source(file.name, at),
                )
            )
        self.enums[full] = Enum(
            name=enum.name,
            full_name=full,
            file=file.name,
            package=file.package,
            c=self._c_names[full][0],
            values=tuple(values),
            reserved=tuple((r.start, r.end) for r in enum.reserved_range),
            c_name_option=self._options.get(enum, "enum_c_name"),
            comment=self._positions.comment(file.name, path),
            at=Source(file.name, path),
        )
        return full

    # ---------------------------------------------------------------- messages

    def _add_message(self, file, message, scope, path, parent, own):
        """Appends (full name, its enums) to `own`, the message before those nested in it."""
        full = _join(scope, message.name)
        c, short = self._c_names[full]
        entry_index = len(own)
        own.append(None)
        self.messages[full] = Message(
            name=message.name,
            full_name=full,
            file=file.name,
            package=file.package,
            c=c,
            short=short,
            fields=self._fields(file, message, full, path),
            oneofs=self._oneofs(file, message, path),
            reserved=tuple((r.start, r.end - 1) for r in message.reserved_range),
            is_map_entry=message.options.map_entry,
            parent=parent,
            table=_table_options(self._options.get(message, "table")),
            cache=_cache_options(self._options.get(message, "cache")),
            archive=_archive_options(self._options.get(message, "archive")),
            c_name_option=self._options.get(message, "message_c_name"),
            comment=self._positions.comment(file.name, path),
            at=Source(file.name, path),
        )
        enums = [
            self._add_enum(file, enum, full, path + (MESSAGE_ENUM, i), c)
            for i, enum in enumerate(message.enum_type)
        ]
        own[entry_index] = (full, enums)
        for i, nested in enumerate(message.nested_type):
            self._add_message(file, nested, full, path + (MESSAGE_NESTED, i), full, own)

    def _fields(self, file, message, full, path):
        entries = {_join(full, n.name) for n in message.nested_type if n.options.map_entry}
        oneofs = [o.name for o in message.oneof_decl]
        return tuple(
            self._field(file, field, path + (MESSAGE_FIELD, i), entries, oneofs)
            for i, field in enumerate(message.field)
        )

    def _field(self, file, field, at, entries, oneofs):
        type_name = _TYPES[field.type]
        target = field.type_name[1:]
        if field.label == _FIELD.LABEL_REPEATED:
            label = "repeated"
        elif field.proto3_optional:
            label = "optional"
        else:
            label = "implicit"
        packed = label == "repeated" and type_name not in _UNPACKABLE
        if field.options.HasField("packed"):
            packed = packed and field.options.packed
        in_oneof = field.HasField("oneof_index") and not field.proto3_optional
        return Field(
            name=field.name,
            c=self._field_c_name(field),
            number=field.number,
            type=type_name,
            label=label,
            packed=packed,
            is_map=target in entries,
            target=target,
            oneof=oneofs[field.oneof_index] if in_oneof else "",
            column=_column_options(self._options.get(field, "column")),
            tensor=_tensor_options(self._options.get(field, "tensor")),
            c_name_option=self._options.get(field, "c_name"),
            comment=self._positions.comment(file.name, at),
            at=Source(file.name, at),
        )

    def _oneofs(self, file, message, path):
        found = []
        for i, oneof in enumerate(message.oneof_decl):
            members = tuple(
                f.name
                for f in message.field
                if f.HasField("oneof_index") and f.oneof_index == i and not f.proto3_optional
            )
            if members:
                at = path + (MESSAGE_ONEOF, i)
                comment = self._positions.comment(file.name, at)
                source = Source(file.name, at)
                found.append(Oneof(oneof.name, names.snake(oneof.name), members, comment, source))
        return tuple(found)

    # ---------------------------------------------------------------- services

    def _service(self, file, service, path):
        own = self._options.get(service, "service_c_name")
        c = f"{names.package_prefix(file.package)}_{own or names.snake(service.name)}"
        methods = tuple(
            self._method(file, method, path + (SERVICE_METHOD, i), c)
            for i, method in enumerate(service.method)
        )
        return Service(
            name=service.name,
            full_name=_join(file.package, service.name),
            file=file.name,
            c=c,
            methods=methods,
            c_name_option=own,
            comment=self._positions.comment(file.name, path),
            at=Source(file.name, path),
        )

    def _method(self, file, method, at, service_c):
        option = self._options.get(method, "method_c_name")
        return Method(
            name=method.name,
            c=f"{service_c}_{option or names.snake(method.name)}",
            request=method.input_type[1:],
            response=method.output_type[1:],
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
            sql=self._options.get(method, "sql"),
            allow_scan=bool(self._options.get(method, "allow_scan")),
            c_name_option=option,
            comment=self._positions.comment(file.name, at),
            at=Source(file.name, at),
        )


def _join(scope, name):
    return f"{scope}.{name}" if scope else name


def _enum_text(options, member):
    """The name of an enum member's value: "ZSTD"."""
    number = getattr(options, member)
    value = options.DESCRIPTOR.fields_by_name[member].enum_type.values_by_number.get(number)
    return value.name if value else str(number)


def _optional(options, member):
    return getattr(options, member) if options.HasField(member) else None


def _table_options(options):
    if options is None:
        return None
    indexes = tuple(Index(tuple(i.field), i.unique, i.where) for i in options.index)
    return TableOptions(options.name, indexes, options.renamed_from)


def _cache_options(options):
    if options is None:
        return None
    return CacheOptions(
        key=options.key,
        ttl_seconds=options.ttl_seconds,
        compress_above_bytes=_optional(options, "compress_above_bytes"),
        compression=_enum_text(options, "compression"),
        index_by=options.index_by,
        mode=_enum_text(options, "mode"),
        hash_tag=options.hash_tag,
    )


def _archive_options(options):
    if options is None:
        return None
    return ArchiveOptions(
        compression=_enum_text(options, "compression"),
        level=_optional(options, "level"),
        shuffle=_optional(options, "shuffle"),
        checksum=_optional(options, "checksum"),
        chunk_bytes=options.chunk_bytes,
        segment_bytes=options.segment_bytes,
        retention_days=options.retention_days,
        layout=_enum_text(options, "layout"),
        retention_by=options.retention_by,
    )


def _column_options(options):
    if options is None:
        return _NO_COLUMN
    return ColumnOptions(
        primary_key=options.primary_key,
        unique=options.unique,
        index=options.index,
        references=options.references,
        on_delete=_enum_text(options, "on_delete"),
        check=options.check,
        json=options.json,
        unit=options.unit,
        time=_enum_text(options, "time"),
        min=options.min,
        max=options.max,
        version=options.version,
        given=frozenset(member.name for member, _ in options.ListFields()),
    )


def _tensor_options(options):
    if options is None:
        return None
    return TensorOptions(tuple(options.dim), _enum_text(options, "dtype"), options.optional)
