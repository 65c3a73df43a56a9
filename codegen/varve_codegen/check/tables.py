"""Rules of (varve.table) and (varve.archive): names, primary keys, what a table can hold."""

import re

from varve_codegen.check.context import INTEGERS, is_scalar_column

_SQL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_COLUMNS_MAX = 1900  # SQLite's limit is 2000
_KEY_MAX = 16  # VARVE__KEY_MAX of the runtime
_SEGMENT_MAX = 2**40
_RETENTION_MAX = 36525  # days in a hundred years: in nanoseconds an int64 has room for 292
_LEVELS = {"DEFLATE": 9, "ZSTD": 22}


def check(context):
    for message in context.messages():
        if message.table is not None:
            _check_table_name(context, message)
            _check_primary_key(context, message)
            _check_columns(context, message)
            _check_indexes(context, message)
            _check_recursion(context, message)
        if message.archive is not None:
            _check_archive(context, message)
    _check_names_differ(context)
    _check_circles(context)


def _check_table_name(context, message):
    for member, name in (("name", message.table_name), ("renamed_from", message.table.renamed_from)):
        if not name:
            continue
        if not _SQL_NAME.match(name):
            context.option_error(
                message.at,
                "table",
                member,
                f'"{name}" is no table name; use letters, digits and underscores, not beginning with a digit',
            )
        elif name.lower().startswith(("sqlite_", "varve_")):
            context.option_error(
                message.at,
                "table",
                member,
                f'the table "{name}" begins with {name.split("_")[0]}_, which is kept for the engine; give it '
                "another name",
            )
    if message.table.renamed_from and message.table.renamed_from == message.table_name:
        context.option_error(
            message.at,
            "table",
            "renamed_from",
            f'renamed_from is the table\'s own name "{message.table_name}"; remove it, or say the old name',
        )


def _check_names_differ(context):
    """Table names, and the staging tables beside them, whatever their case."""
    taken = {}
    tables = [m for m in context.schema.messages.values() if m.table is not None]
    own = {m.full_name for m in context.messages()}
    for message in tables:
        entries = [(message.table_name, f"the table of {message.full_name}")]
        if message.tensors:
            entries.append(
                (f"staged_{message.table_name}", f"the staging table of {message.full_name}'s tensors")
            )
        for name, what in entries:
            key = (message.package, name.lower())
            other = taken.setdefault(key, (message, what))
            if other[0] is message:
                continue
            first, first_what = other
            if message.full_name not in own:
                if first.full_name not in own:
                    continue
                message, first, what, first_what = first, message, first_what, what
            context.name_error(
                message.at,
                f'{what} and {first_what} ({context.errors.where(first.at)}) are both "{name}"; give one '
                "another name with (varve.table).name",
            )


def _check_primary_key(context, message):
    if not message.primary_key:
        context.name_error(
            message.at,
            f"{message.name} has a table and no primary key; mark a field with (varve.column).primary_key = "
            "true, such as `int64 id = 1 [(varve.column).primary_key = true];`",
        )
    if len(message.primary_key) > _KEY_MAX:
        context.name_error(
            message.at,
            f"{message.name} has a primary key of {len(message.primary_key)} fields, and at most {_KEY_MAX} are "
            "possible; use an int64 key, and make the fields a unique index",
        )
    for field in message.primary_key:
        problem = _key_problem(field)
        if problem:
            context.option_error(
                field.at,
                "column",
                "primary_key",
                f"{field.name} cannot be a primary key: {problem}; use a plain integer, enum or string field",
            )
    if message.tensors and not message.has_int64_key:
        context.name_error(
            message.at,
            f"{message.name} has tensors ({message.tensors[0].name}), and the archive finds them by one int64 "
            "primary key; make its key a single int64, and the other fields a unique index",
        )


def _key_problem(field):
    if field.label == "optional":
        return "it is optional"
    if field.oneof:
        return f"it is in the oneof {field.oneof}"
    if field.is_repeated:
        return "it is repeated"
    if field.type not in INTEGERS and field.type not in ("string", "enum"):
        return f"it is of the type {field.type}"
    return ""


def _check_columns(context, message):
    taken = {}
    for field in message.fields:
        if field.name.lower().startswith(("varve_", "sqlite_")):
            context.name_error(
                field.at,
                f'the column "{field.name}" begins with {field.name.split("_")[0]}_, which is kept for the '
                "engine; rename the field",
            )
        columns = [field.name]
        if field.column.json and field.type == "message":
            columns.append(f"{field.name}_json")
        for name in columns:
            other = taken.setdefault(name.lower(), (field, name))
            if other[0] is not field:
                how = "are one" if other[1] == name else "differ only in case, which SQL ignores"
                context.name_error(
                    field.at,
                    f'the column "{name}" of {field.name} and the column "{other[1]}" of {other[0].name} '
                    f"({context.errors.where(other[0].at)}) {how}; rename one",
                )
        _check_element(context, field)
    if len(taken) > _COLUMNS_MAX:
        context.name_error(
            message.at,
            f"{message.name} has {len(taken)} columns, and a table holds {_COLUMNS_MAX}; put some into a nested "
            "message",
        )


def _check_element(context, field):
    """Repeated and map fields become JSON, which has no bytes."""
    if field.is_map:
        value = context.schema.messages[field.target].field_named("value")
        if value.type == "bytes":
            context.error(
                field.at,
                f"{field.name} is a map to bytes, and maps in a table are kept as JSON, which has none; use a "
                "map to a message with a bytes field",
            )
    elif field.is_repeated and field.type == "bytes":
        context.error(
            field.at,
            f"{field.name} is repeated bytes, and repeated fields in a table are kept as JSON, which has none; "
            "use a repeated message with a bytes field",
        )


def _check_indexes(context, message):
    seen = {((f.name,), "") for f in message.fields if f.column.unique}
    key = tuple(f.name for f in message.primary_key)
    for index in message.table.indexes:
        problem = _index_problem(message, index)
        if not problem and (index.fields, index.where) == (key, ""):
            problem = f"the index over {', '.join(key)} is the primary key's already; remove it"
        elif not problem and (index.fields, index.where) in seen:
            problem = f"there is an index over {', '.join(index.fields)} already; remove one"
        seen.add((index.fields, index.where))
        if problem:
            context.option_error(message.at, "table", "index", problem)


def _index_problem(message, index):
    if not index.fields:
        return 'an index names no field; write index { field: "occurred_at" }'
    for name in index.fields:
        field = message.field_named(name)
        if field is None:
            return f'an index names "{name}", and {message.name} has no such field; correct the name'
        if not is_scalar_column(field):
            return f'an index names "{name}", which is no column of its own; index scalar fields only'
        if index.unique and field.column.version:
            return f'a unique index names "{name}", which is the version: every update changes it; leave it out'
    if len(set(index.fields)) < len(index.fields):
        return f"the index over {', '.join(index.fields)} names a field twice; remove one"
    return ""


def _check_recursion(context, message):
    for field in message.fields:
        if field.type != "message" or field.target not in context.schema.messages:
            continue
        if message.full_name in _reachable(context.schema, field.target):
            context.error(
                field.at,
                f"{message.name} contains itself through {field.name}, and a table has no place for a row inside "
                f'a row; keep the parent\'s key in a field with (varve.column).references = "{message.name}'
                f'.{message.primary_key[0].name if message.primary_key else "id"}"',
            )


def _reachable(schema, start):
    found, pending = set(), [start]
    while pending:
        name = pending.pop()
        if name not in found and name in schema.messages:
            found.add(name)
            pending.extend(schema.embeds(schema.messages[name]))
    return found


def _check_circles(context):
    """References that are always enforced, in a circle: no record of them could be the first. (In one
    table a record may refer to itself.)"""
    required = {
        message.full_name: {
            target.full_name: field
            for field, target in context.schema.referred_tables(message)
            if field.label != "optional" and not field.oneof and target is not message
        }
        for message in context.messages()
        if message.table is not None
    }
    reported = set()
    for name in required:
        circle = [] if name in reported else _way_back(required, name)
        if not circle:
            continue
        reported.update(circle)
        steps = [(a, required[a][b]) for a, b in zip(circle, circle[1:] + circle[:1])]
        fields = ", ".join(f"{context.schema.messages[a].name}.{field.name}" for a, field in steps)
        first = steps[0][1]
        context.option_error(
            first.at,
            "column",
            "references",
            f"{first.name}: the references {fields} make a circle and are always enforced, so that no record could "
            "be the first; make one of them optional",
        )


def _way_back(edges, start):
    """The shortest way from a node to itself, beginning with it; [] where there is none."""
    before, pending = {}, [start]
    for name in pending:
        for target in edges.get(name, ()):
            if target == start:
                way = [name]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if target not in before:
                before[target] = name
                pending.append(target)
    return []


# -------------------------------------------------------------------- (varve.archive)


def _check_archive(context, message):
    archive = message.archive

    def refuse(member, text):
        context.option_error(message.at, "archive", member, text)

    if message.table is None:
        refuse(None, f"{message.name} has (varve.archive) and no table that would find its arrays; add option "
                     "(varve.table) = {}")
    elif not message.tensors:
        refuse(None, f"{message.name} has (varve.archive) and no tensor to keep there; mark a field with "
                     "(varve.tensor), or remove the option")
    _check_archive_level(archive, refuse)
    if archive.shuffle and archive.compression in ("SZIP", "NONE"):
        refuse("shuffle", f"shuffle does nothing with {archive.compression}; remove it")
    if archive.chunk_bytes and not 4096 <= archive.chunk_bytes <= 2**30:
        refuse("chunk_bytes", f"chunk_bytes is {archive.chunk_bytes}; use 4096 (4 KiB) to 1073741824 (1 GiB)")
    if archive.segment_bytes > _SEGMENT_MAX:
        refuse("segment_bytes", f"segment_bytes is {archive.segment_bytes}; use at most {_SEGMENT_MAX} (1 TiB)")
    elif archive.segment_bytes and archive.segment_bytes < max(archive.chunk_bytes, 4096):
        refuse("segment_bytes", f"segment_bytes is {archive.segment_bytes}, less than one chunk; use at least "
                                f"{max(archive.chunk_bytes, 4096)}")
    _check_retention(message, refuse)


def _check_archive_level(archive, refuse):
    if archive.level is None:
        return
    highest = _LEVELS.get(archive.compression)
    if highest is None:
        refuse("level", f"{archive.compression} has no level; remove it")
    elif not 1 <= archive.level <= highest:
        refuse("level", f"level is {archive.level}; {archive.compression} has 1 to {highest}")


def _check_retention(message, refuse):
    archive = message.archive
    if archive.retention_days and not archive.retention_by:
        refuse("retention_days", "retention_days needs to know a record's age; name a time field in retention_by")
    if archive.retention_days > _RETENTION_MAX:
        refuse("retention_days", f"retention_days is {archive.retention_days}; use at most {_RETENTION_MAX}, a "
                                 "hundred years, or 0 for ever")
    if not archive.retention_by:
        return
    field = message.field_named(archive.retention_by)
    if field is None:
        refuse("retention_by", f'retention_by names "{archive.retention_by}", and {message.name} has no such '
                               "field; correct the name")
    elif field.column.time != "UNIX_NANOSECONDS" or not is_scalar_column(field):
        refuse("retention_by", f"retention_by names {field.name}, which is no time; add (varve.column).time = "
                               "UNIX_NANOSECONDS to an int64 field, or name another")
