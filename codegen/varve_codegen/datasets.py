"""The names of datasets in a segment, by which programs in other languages find a tensor.

In the layout COLUMN a tensor is a column of a table: N-dimensional where each record has the same shape, else
its elements one after the other, with an index of where each record ends, and where it has several axes a
column of shapes. In OBJECT each record has a group, named by its id.
"""

IDS = "id"  # the column of the records' ids
AXES_MAX = 3  # of one shape: HDMF allows a column four, the records among them


def is_object(message):
    return message.archive is not None and message.archive.layout == "OBJECT"


def is_ragged(field):
    dims = field.tensor.dims
    return field.may_be_absent or len(dims) > AXES_MAX or not all(dim.isdigit() for dim in dims)


def of_tensor(message, field):
    """What its datasets are for, and their names, None where it needs none. In OBJECT {id} is the record's."""
    if is_object(message):
        return {"data": f"{{id}}/{field.name}", "index": None, "shape": None}
    ragged = is_ragged(field)
    return {
        "data": field.name,
        "index": f"{field.name}_index" if ragged else None,
        "shape": f"{field.name}_shape" if ragged and len(field.tensor.dims) > 1 else None,
    }
