"""Rules of (varve.tensor): element types, dims, where a dtype may be, and names of datasets in the archive."""

import math
import re

from varve_codegen import datasets
from varve_codegen.check.context import FLOATS, INTEGERS

_DIMS_MAX = 8
_ELEMENTS_MAX = 2**40
_CONSTANT = re.compile(r"-?[0-9]+\Z")


def check(context):
    for message in context.messages():
        for field in message.tensors:
            _check_element(context, message, field)
            _check_dims(context, message, field)
        if message.is_archived and not datasets.is_object(message):
            _check_datasets(context, message)


def _refuse(context, field, member, text):
    context.option_error(field.at, "tensor", member, f"{field.name}: {text}")


def _check_element(context, message, field):
    dtype = field.tensor.dtype
    if field.type == "bytes" and not field.is_repeated:
        if dtype == "PROTO":
            _refuse(context, field, None, "a tensor in a bytes field needs to know its elements; add dtype: UINT8 "
                                          "(or INT8, INT16, UINT16, FLOAT16)")
        else:
            _check_dtype_place(context, message, field)
        return
    if dtype != "PROTO":
        _refuse(context, field, "dtype", f"dtype {dtype} is carried in bytes, and the field is "
                                         f"{_described(field)}; make it bytes, or remove dtype")
    elif not field.is_repeated:
        _refuse(context, field, None, f"a tensor has many elements, and the field is {_described(field)}; make it "
                                      "repeated")
    elif field.type not in INTEGERS and field.type not in FLOATS:
        _refuse(context, field, None, f"a tensor is of numbers, and the field is {_described(field)}; use a "
                                      "repeated number, or bytes with a dtype")


def _described(field):
    if field.is_map:
        return "a map"
    return f"repeated {field.type}" if field.is_repeated else f"a single {field.type}"


def _check_dtype_place(context, message, field):
    if field.oneof:
        _refuse(context, field, "dtype", f"a dtype tensor cannot be in a oneof ({field.oneof}); take it out of it")
    if message.table is None and message.cache is None:
        _refuse(context, field, "dtype", f"a dtype tensor needs a message with a table or a cache, and "
                                         f"{message.name} has neither; add one, or use plain bytes")
    for other in context.schema.messages.values():
        for outer in other.fields:
            if outer.target == message.full_name:
                by = other.parent if other.is_map_entry else other.full_name
                _refuse(context, field, "dtype", f"a dtype tensor cannot be in a message that another embeds, and "
                                                 f"{by} embeds {message.name} "
                                                 f"({context.errors.where(outer.at)}); use plain bytes, or a "
                                                 "reference")
                return


def _check_dims(context, message, field):
    dims = field.tensor.dims
    if not dims:
        _refuse(context, field, "dim", 'the tensor has no dims; add one for each axis, such as dim: "count"')
    if len(dims) > _DIMS_MAX:
        _refuse(context, field, "dim", f"the tensor has {len(dims)} dims, and at most {_DIMS_MAX} are possible; "
                                       "join some")
    for dim in dims:
        problem = _dim_problem(message, dim)
        if problem:
            _refuse(context, field, "dim", f'dim "{dim}" {problem}')
    product = math.prod(int(dim) for dim in dims if _CONSTANT.match(dim))
    if product > _ELEMENTS_MAX:
        _refuse(context, field, "dim", f"the constant dims make {product} elements, and a tensor has at most "
                                       f"{_ELEMENTS_MAX}; correct them")


def _dim_problem(message, dim):
    if _CONSTANT.match(dim):
        if int(dim) <= 0:
            return "is no size; use a number above 0"
        return ""
    field = message.field_named(dim)
    if field is None:
        return f"is neither a number nor a field of {message.name}; correct the name"
    if field.type not in INTEGERS or field.is_repeated:
        return f"is {_described(field)}; use a plain integer field"
    if field.label == "optional" or field.oneof:
        return "is a field that can be absent; make it a plain integer field"
    if field.column.version:
        return "is the version, which every update changes; use a field of its own"
    return ""


def _check_datasets(context, message):
    """In a table of the archive each column is a dataset: a tensor's own name is one, and what makes it ragged."""
    taken = {datasets.IDS: ("the one of the records' ids", "")}
    for field in message.tensors:
        for name in filter(None, datasets.of_tensor(message, field).values()):
            other, where = taken.setdefault(name, (f"one of {field.name}", f" ({context.errors.where(field.at)})"))
            if other != f"one of {field.name}":
                context.name_error(
                    field.at,
                    f'{field.name} would have the dataset "{name}" in the archive, and that is {other}{where}; '
                    "rename a field, or give the message (varve.archive).layout = OBJECT",
                )
