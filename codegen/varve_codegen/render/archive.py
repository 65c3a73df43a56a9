"""What templates look up of the archive: how a message's tensors are kept, what their functions need, and the
datasets of a package as data."""

from varve_codegen import datasets
from varve_codegen.model import ArchiveOptions
from varve_codegen.render import types

FORMAT = 1  # how a segment is laid out: the rules of docs/format.md

_DEFAULTS = ArchiveOptions(
    compression="DEFLATE",
    level=None,
    shuffle=None,
    checksum=None,
    chunk_bytes=0,
    segment_bytes=0,
    retention_days=0,
    layout="COLUMN",
    retention_by="",
)
_LEVELS = {"DEFLATE": 1, "ZSTD": 3}
_UNSHUFFLED = ("SZIP", "NONE")  # SZIP has a way of its own; without compression it makes nothing smaller


class ArchiveView:
    """The options of a message that has a table and tensors, with all defaults resolved."""

    def __init__(self, message, position=None):
        options = message.archive or _DEFAULTS
        self.compression = options.compression
        self.level = _LEVELS.get(options.compression, 0) if options.level is None else options.level
        self.shuffle = options.shuffle is not False and options.compression not in _UNSHUFFLED
        self.checksum = options.checksum is not False
        self.layout = options.layout
        self.chunk_bytes = options.chunk_bytes
        self.segment_bytes = options.segment_bytes
        self.retention_days = options.retention_days
        self.retention_by = options.retention_by
        self.retention_field = ""
        if position is not None and options.retention_by:
            self.retention_field = f"&{message.short}_fields[{position[options.retention_by]}]"


class TensorView:
    """What P_M_read_F and P_M_write_F need to know of their field."""

    def __init__(self, message, field):
        self.c = field.c
        self.name = field.name
        self.number = f"{message.c}_field_{field.c}".upper()
        self.element = types.element(field)
        self.rank = len(field.tensor.dims)
        dims = [dim if dim.isdigit() else message.field_named(dim).c for dim in field.tensor.dims]
        self.shape = " x ".join(dims)
        self.row = " x ".join(dims[1:])
        self.unit = f", in {field.column.unit}" if field.column.unit else ""
        self.bits = "bits of float16" if field.tensor.dtype == "FLOAT16" else "elements"


# -------------------------------------------------------------------- for other languages


def described(messages):
    """The segments of these messages; None where none has tensors in a table."""
    kept = sorted((m for m in messages if m.is_archived), key=lambda m: m.full_name)
    return {"format": FORMAT, "messages": [_message(m) for m in kept]} if kept else None


def _message(message):
    view = ArchiveView(message)
    retention = {"days": view.retention_days, "by": view.retention_by} if view.retention_days else None
    return {
        "message": message.full_name,
        "table": message.table_name,
        "layout": view.layout,
        "compression": view.compression,
        "level": view.level or None,
        "shuffle": view.shuffle,
        "checksum": view.checksum,
        "chunk_bytes": view.chunk_bytes or None,
        "segment_bytes": view.segment_bytes or None,
        "retention": retention,
        "tensors": [_tensor(message, f) for f in message.tensors],
    }


def _tensor(message, field):
    return {
        "field": field.number,
        "name": field.name,
        "dtype": types.dtype(field).rpartition("_")[2].lower(),
        "dims": [int(dim) if dim.isdigit() else dim for dim in field.tensor.dims],
        "unit": field.column.unit or None,
        "optional": field.may_be_absent,
        "datasets": datasets.of_tensor(message, field),
    }
