"""The schema as Python's protobuf sees it: classes made from descriptors, without any _pb2 file, and a
newer version of it, in which every message has more fields."""

import subprocess
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

VARINT, FIXED64, PREFIXED, START_GROUP, END_GROUP, FIXED32 = range(6)

DTYPE_SIZES = {"INT8": 1, "UINT8": 1, "INT16": 2, "UINT16": 2, "FLOAT16": 2}

_WIRE_TYPES = {
    FieldDescriptor.TYPE_DOUBLE: FIXED64,
    FieldDescriptor.TYPE_FIXED64: FIXED64,
    FieldDescriptor.TYPE_SFIXED64: FIXED64,
    FieldDescriptor.TYPE_FLOAT: FIXED32,
    FieldDescriptor.TYPE_FIXED32: FIXED32,
    FieldDescriptor.TYPE_SFIXED32: FIXED32,
    FieldDescriptor.TYPE_STRING: PREFIXED,
    FieldDescriptor.TYPE_BYTES: PREFIXED,
    FieldDescriptor.TYPE_MESSAGE: PREFIXED,
}


def compile_schema(protoc):
    """The FileDescriptorSet of everything.proto, imports included."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        subprocess.run(
            [protoc, "--include_imports", f"--descriptor_set_out={out}", f"-I{HERE}", f"-I{ROOT / 'schema'}",
             "everything.proto"],
            check=True,
        )
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


class Schema:
    """The messages of a descriptor set, in a pool of their own."""

    def __init__(self, descriptor_set):
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptor_set.file:
            self._pool.AddSerializedFile(file.SerializeToString())
        self._get_class = getattr(message_factory, "GetMessageClass", None)
        if self._get_class is None:
            self._get_class = message_factory.MessageFactory(self._pool).GetPrototype
        self._tensors = {}

    def message(self, name):
        return self._pool.FindMessageTypeByName(name)

    def cls(self, descriptor):
        return self._get_class(descriptor)

    def new(self, descriptor):
        return self._get_class(descriptor)()

    def tensor(self, field):
        """The option (varve.tensor) of a field, None where it has none."""
        if field.full_name not in self._tensors:
            options = self.cls(self.message("google.protobuf.FieldOptions")).FromString(
                field.GetOptions().SerializeToString())
            extension = self._pool.FindExtensionByName("varve.tensor")
            has = options.HasExtension(extension)
            self._tensors[field.full_name] = Tensor(field, options.Extensions[extension]) if has else None
        return self._tensors[field.full_name]

    def tensors(self, descriptor):
        found = [self.tensor(field) for field in descriptor.fields]
        return [tensor for tensor in found if tensor is not None]


class Tensor:
    def __init__(self, field, option):
        dtype = option.DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_number[option.dtype].name
        self.field = field
        self.dims = list(option.dim)
        self.optional = option.optional
        self.element_size = DTYPE_SIZES.get(dtype)  # in a bytes field, else None

    def count(self, message):
        """The number of elements that the dims of the message ask for; None where one is negative."""
        product = 1
        sizes = [int(dim) if dim.isdigit() else getattr(message, dim) for dim in self.dims]
        if any(size < 0 for size in sizes):
            return None
        for size in sizes:
            product *= size
        return product


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def is_repeated(field):
    return field.label == FieldDescriptor.LABEL_REPEATED


def is_packable(field):
    return is_repeated(field) and wire_type(field) != PREFIXED


def wire_type(field):
    """The wire type of a single value."""
    return _WIRE_TYPES.get(field.type, VARINT)


def real_oneof(field):
    """The oneof that the schema's author wrote, None for that of an optional field."""
    oneof = field.containing_oneof
    return oneof if oneof is not None and len(oneof.fields) > 1 else None


# -------------------------------------------------------------------- the newer schema


def newer(descriptor_set):
    """A copy in which every message of everything.proto has more fields: before, between and behind those
    it has, in its oneofs too, of every type."""
    copy = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.SerializeToString())
    file = next(f for f in copy.file if f.name == "everything.proto")
    maker = _Newer()
    for message in file.message_type:
        maker.extend(message)
    return copy


class _Newer:
    _TYPES = [number for number in range(1, 19) if number != descriptor_pb2.FieldDescriptorProto.TYPE_GROUP]
    _PER_MESSAGE = 7

    def __init__(self):
        self._made = 0

    def extend(self, message):
        if message.options.map_entry:
            return
        for nested in message.nested_type:
            self.extend(nested)
        self._free = self._free_numbers(message)
        for oneof in range(sum(1 for o in message.oneof_decl if not o.name.startswith("_"))):
            self._add(message).oneof_index = oneof
        for _ in range(self._PER_MESSAGE):
            field = self._add(message)
            if self._made % 3 == 0:
                field.label = field.LABEL_REPEATED
            elif self._made % 3 == 1 and field.type != field.TYPE_MESSAGE:
                field.proto3_optional = True
        self._add_map(message)
        self._join_oneofs(message)
        self._add_presence(message)

    @staticmethod
    def _free_numbers(message):
        """Numbers that nobody has, the lowest and the highest in turn."""
        used = {f.number for f in message.field}
        low = (n for n in range(1, 19000) if n not in used)
        high = (n for n in range(2**29 - 1, 20000, -1) if n not in used)
        while True:
            yield next(low)
            yield next(high)

    def _add(self, message):
        self._made += 1
        field = message.field.add(label=1, number=next(self._free))
        field.name = f"newer_{field.number}"
        field.json_name = f"newer{field.number}"
        field.type = self._TYPES[self._made % len(self._TYPES)]
        if field.type == field.TYPE_ENUM:
            field.type_name = ".wiretest.Color"
        elif field.type == field.TYPE_MESSAGE:
            field.type_name = (".wiretest.Point", ".wiretest.Tree", ".wiretest.Choice")[self._made // 17 % 3]
        return field

    def _add_map(self, message):
        entry = message.nested_type.add(name="NewerMapEntry")
        entry.options.map_entry = True
        for number, name, kind in ((1, "key", "TYPE_STRING"), (2, "value", "TYPE_MESSAGE")):
            entry.field.add(name=name, number=number, label=1, json_name=name).type = getattr(
                FieldDescriptor, kind)
        entry.field[1].type_name = ".wiretest.Point"
        field = self._add(message)
        field.name, field.json_name = "newer_map", "newerMap"
        field.label, field.type = field.LABEL_REPEATED, field.TYPE_MESSAGE
        field.type_name = "NewerMapEntry"

    @staticmethod
    def _join_oneofs(message):
        """The members of a oneof must stand together."""
        fields = list(message.field)
        first = {}
        for i, field in enumerate(fields):
            if field.HasField("oneof_index"):
                first.setdefault(field.oneof_index, i)
        order = sorted(range(len(fields)), key=lambda i: (
            first[fields[i].oneof_index] if fields[i].HasField("oneof_index") else i, i))
        copies = [descriptor_pb2.FieldDescriptorProto.FromString(fields[i].SerializeToString()) for i in order]
        del message.field[:]
        message.field.extend(copies)

    @staticmethod
    def _add_presence(message):
        """The oneofs that proto3 makes for optional fields, which stand behind all others."""
        for field in message.field:
            if field.proto3_optional and not field.HasField("oneof_index"):
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field.name}")
