"""Stage 1: the CodeGeneratorRequest becomes descriptors whose varve options can be read, with the
positions and comments of the source.

Custom options that are parsed without their definitions come out silently empty, and committed _pb2
modules break with other versions of protobuf. So every file of the request goes into a fresh
descriptor pool, and the files are parsed again with that pool's own FileDescriptorProto.
"""

from dataclasses import fields

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.compiler import plugin_pb2

from varve_codegen.errors import InputError
from varve_codegen.model import ArchiveOptions, CacheOptions, ColumnOptions, Source

OPTIONS_FILE = "varve/options.proto"
DESCRIPTOR_FILE = "google/protobuf/descriptor.proto"

# The options this generator knows: extension name to the message it extends.
EXTENSIONS = {
    "table": "MessageOptions",
    "cache": "MessageOptions",
    "archive": "MessageOptions",
    "message_c_name": "MessageOptions",
    "column": "FieldOptions",
    "tensor": "FieldOptions",
    "c_name": "FieldOptions",
    "enum_c_name": "EnumOptions",
    "value_c_name": "EnumValueOptions",
    "service_c_name": "ServiceOptions",
    "method_c_name": "MethodOptions",
    "sql": "MethodOptions",
    "allow_scan": "MethodOptions",
}


# The members of each option that is a message, as the model has them.
MEMBERS = {
    "table": ("name", "index", "renamed_from"),
    "cache": tuple(f.name for f in fields(CacheOptions)),
    "archive": tuple(f.name for f in fields(ArchiveOptions)),
    "column": tuple(f.name for f in fields(ColumnOptions) if f.name != "given"),
    "tensor": ("dim", "dtype", "optional"),
}


class Request:
    """What protoc asks for. `files` are FileDescriptorProto with readable options, imports first."""

    def __init__(self, data):
        raw = plugin_pb2.CodeGeneratorRequest.FromString(data)
        self.parameter = raw.parameter
        self.to_generate = tuple(raw.file_to_generate)
        self.raw_files = {f.name: f for f in raw.proto_file}
        self.options = OptionReader(raw.proto_file)
        self.files = [self.options.reparse(f) for f in raw.proto_file]

    def descriptor_set(self, protos):
        """The serialized FileDescriptorSet of these files and all they import, without comments.
        descriptor.proto is left out: every protobuf library has its own, and its bytes would differ
        from one protoc to the next."""
        wanted, pending = set(), list(protos)
        while pending:
            name = pending.pop()
            if name not in wanted and name != DESCRIPTOR_FILE:
                wanted.add(name)
                pending.extend(self.raw_files[name].dependency)
        result = descriptor_pb2.FileDescriptorSet()
        for name, file in self.raw_files.items():  # protoc's order: imports first
            if name in wanted:
                copy = result.file.add()
                copy.CopyFrom(file)
                copy.ClearField("source_code_info")
        return result.SerializeToString(deterministic=True)


class OptionReader:
    """Reads varve's options from descriptors of one request."""

    def __init__(self, raw_files):
        self._extensions = {}
        self._numbers = {}
        self._file_class = descriptor_pb2.FileDescriptorProto
        if OPTIONS_FILE not in [f.name for f in raw_files]:
            return
        pool = descriptor_pool.DescriptorPool()
        for file in raw_files:
            pool.AddSerializedFile(file.SerializeToString())
            if file.name == OPTIONS_FILE:
                break  # its imports came before it; what follows defines no options
        self._file_class = _message_class(pool, "google.protobuf.FileDescriptorProto")
        for name in EXTENSIONS:
            try:
                extension = pool.FindExtensionByName(f"varve.{name}")
            except KeyError:
                problem = f"the option (varve.{name}) is not defined in it"
                raise InputError(_other_options(problem)) from None
            self._extensions[name] = extension
            self._numbers[name] = extension.number
            if extension.message_type is not None:
                for field in extension.message_type.fields:
                    self._numbers[name, field.name] = field.number
                for member in MEMBERS[name]:
                    if (name, member) not in self._numbers:
                        raise InputError(_other_options(f"(varve.{name}) has no member {member}"))
        self._check_itself(pool)

    def _check_itself(self, pool):
        """Parses a known option from bytes. When that fails, options would be lost without a word."""
        extension = self._extensions["message_c_name"]
        number = extension.number << 3 | 2
        tag = bytes([number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14])
        options = _message_class(pool, "google.protobuf.MessageOptions").FromString(tag + b"\x02ok")
        try:
            value = options.Extensions[extension]
        except KeyError:  # the message class does not know the extension
            value = None
        if value != "ok":
            raise InputError(
                "protoc-gen-varve: error: this Python's protobuf module does not read custom options; "
                "set VARVE_PYTHON to an interpreter with protobuf 3.21 or newer"
            )

    def reparse(self, raw_file):
        return self._file_class.FromString(raw_file.SerializeToString())

    def get(self, element, name):
        """The option's value, or None where it is not given."""
        if not element.HasField("options"):
            return None
        extension = self._extensions.get(name)
        options = element.options
        if extension is None or not options.HasExtension(extension):
            return None
        return options.Extensions[extension]

    def number(self, name, member=None):
        """Field number of an option, or of a member of it; 0 when options were not imported."""
        return self._numbers.get((name, member) if member else name, 0)


def _other_options(problem):
    return (
        f"{OPTIONS_FILE}: error: {problem}: this is not the file that came with this protoc-gen-varve; put "
        "varve's own folder before others in -I"
    )


def _message_class(pool, name):
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


class Positions:
    """Lines, columns and comments of the source, looked up by descriptor path."""

    def __init__(self, files):
        self._files = {f.name: f for f in files}
        self._locations = {}

    def _of_file(self, name):
        if name not in self._locations:
            info = self._files[name].source_code_info if name in self._files else None
            self._locations[name] = {tuple(at.path): at for at in info.location} if info else {}
        return self._locations[name]

    def of(self, at: Source):
        """(line, column), counted from 1, of the element or of the nearest one around it."""
        locations = self._of_file(at.file)
        path = at.path
        while path not in locations and path:
            path = path[:-1]
        if path not in locations or not path:
            return 1, 1
        span = locations[path].span
        return span[0] + 1, span[1] + 1

    def comment(self, file, path):
        """The comment before the element and the one behind it on its line."""
        at = self._of_file(file).get(path)
        if at is None:
            return ""
        return "\n".join(filter(None, (_clean(at.leading_comments), _clean(at.trailing_comments))))


def _clean(comment):
    """The text of a comment without the space behind // and without blank lines around it."""
    if not comment:
        return ""
    lines = [line[1:] if line.startswith(" ") else line for line in comment.rstrip().split("\n")]
    lines = [line.rstrip() for line in lines]
    while lines and not lines[0].strip():
        lines.pop(0)
    return "\n".join(lines)
