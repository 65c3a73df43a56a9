"""What every check works with: the schema, where to report, and the paths of options."""

from varve_codegen.model import Source

# Field number of `options` in each kind of descriptor.
_OPTIONS_OF = {"message": 7, "field": 8, "enum": 3, "value": 3, "service": 3, "method": 4}
_KIND_OF = {
    "table": "message",
    "cache": "message",
    "archive": "message",
    "message_c_name": "message",
    "column": "field",
    "tensor": "field",
    "c_name": "field",
    "enum_c_name": "enum",
    "value_c_name": "value",
    "service_c_name": "service",
    "method_c_name": "method",
    "sql": "method",
    "allow_scan": "method",
}

INTEGERS = {
    "int32": (-(2**31), 2**31 - 1),
    "sint32": (-(2**31), 2**31 - 1),
    "sfixed32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "fixed32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "sint64": (-(2**63), 2**63 - 1),
    "sfixed64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**63 - 1),
    "fixed64": (0, 2**64 - 1),
}
FLOATS = ("float", "double")


def is_scalar_column(field):
    """Whether the field is one SQL value in a column of its own."""
    return not field.is_repeated and field.type != "message" and field.tensor is None


class Context:
    def __init__(self, schema, options, errors):
        self.schema = schema
        self.errors = errors
        self._options = options

    def messages(self):
        """The messages to generate, entries of maps left out."""
        return [m for m in self.schema.generated_messages() if not m.is_map_entry]

    def error(self, at, text):
        self.errors.add(at, text)

    def option_error(self, at, option, member, text):
        """Reports at an option of an element, or at the element where the option's place is unknown."""
        path = at.path + (_OPTIONS_OF[_KIND_OF[option]], self._options.number(option))
        if member:
            path += (self._options.number(option, member),)
        self.errors.add(Source(at.file, path), text)

    def name_error(self, at, text):
        """Reports at the name of an element."""
        self.errors.add(Source(at.file, at.path + (1,)), text)
