"""Proto types as C types, and as protobuf-c's words for them."""

_SCALARS = {
    "double": "double",
    "float": "float",
    "int32": "int32_t",
    "sint32": "int32_t",
    "sfixed32": "int32_t",
    "uint32": "uint32_t",
    "fixed32": "uint32_t",
    "int64": "int64_t",
    "sint64": "int64_t",
    "sfixed64": "int64_t",
    "uint64": "uint64_t",
    "fixed64": "uint64_t",
    "bool": "protobuf_c_boolean",
    "bytes": "struct varve_bytes",
}
_ARRAYS = {
    "double": "varve_doubles",
    "float": "varve_floats",
    "int32_t": "varve_int32s",
    "uint32_t": "varve_uint32s",
    "int64_t": "varve_int64s",
    "uint64_t": "varve_uint64s",
    "protobuf_c_boolean": "varve_bools",
    "struct varve_bytes": "varve_blobs",
}
_DTYPES = {
    "INT8": "varve_int8s",
    "UINT8": "varve_uint8s",
    "INT16": "varve_int16s",
    "UINT16": "varve_uint16s",
    "FLOAT16": "varve_uint16s",
}
_TENSOR_DTYPES = {
    "double": "FLOAT64",
    "float": "FLOAT32",
    "int32_t": "INT32",
    "uint32_t": "UINT32",
    "int64_t": "INT64",
    "uint64_t": "UINT64",
}
_ELEMENTS = {"INT8": "int8_t", "UINT8": "uint8_t", "INT16": "int16_t", "UINT16": "uint16_t", "FLOAT16": "uint16_t"}
# The families of conditions in a filter, but for the integers that are int64.
_FAMILIES = {
    "fixed64": "fixed64",
    "bool": "bool",
    "enum": "enum",
    "double": "double",
    "float": "float",
    "string": "text",
    "bytes": "bytes",
}


def declaration(schema, field):
    """The lines that declare a field's member, without indentation: ["int64_t id;"]."""
    if field.type == "message":
        tag = f"struct {schema.messages[field.target].c}"
        return _array(f"{tag} **", field) if field.is_repeated else [f"{tag} *{field.c};"]
    if field.type == "enum":
        tag = f"enum {schema.enums[field.target].c}"
        return _array(f"{tag} *", field) if field.is_repeated else [f"{tag} {field.c};"]
    if field.is_dtype:
        return [f"struct {_DTYPES[field.tensor.dtype]} {field.c};"]
    if field.type == "string":
        return [f"struct varve_strings {field.c};" if field.is_repeated else f"const char *{field.c};"]
    scalar = _SCALARS[field.type]
    return [f"struct {_ARRAYS[scalar]} {field.c};" if field.is_repeated else f"{scalar} {field.c};"]


def _array(pointer, field):
    return ["struct {", "    size_t count;", f"    {pointer}data;", f"}} {field.c};"]


def parameter(schema, field, name):
    """A scalar field as a function's parameter."""
    if field.type == "string":
        return f"const char *{name}"
    if field.type == "enum":
        return f"enum {schema.enums[field.target].c} {name}"
    return f"{_SCALARS[field.type]} {name}"


def keys_parameter(schema, message):
    """The keys of get_many: values where the key is one field, else records that have its fields set."""
    if len(message.primary_key) > 1:
        return f"const struct {message.c} *keys"
    one = parameter(schema, message.primary_key[0], "")
    return f"{one}const *ids" if one.endswith("*") else f"const {one}*ids"


def condition(field):
    """The struct of a condition on the field in a filter."""
    if field.is_repeated or field.type == "message":
        family = "null"
    else:
        family = _FAMILIES.get(field.type, "int64")
    return f"struct varve_{family}_condition"


def array_members(field):
    """Names of the count and of the data within the member: bytes have `size`."""
    if field.type == "bytes" and not field.is_repeated and field.tensor is None:
        return "size", "data"
    return "count", "data"


def element(field):
    """The C type of a tensor's elements."""
    return _ELEMENTS[field.tensor.dtype] if field.is_dtype else _SCALARS[field.type]


def dtype(field):
    """The element type of a tensor as varve's constant."""
    name = field.tensor.dtype if field.is_dtype else _TENSOR_DTYPES[_SCALARS[field.type]]
    return f"VARVE_DTYPE_{name}"
