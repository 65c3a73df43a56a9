"""What templates look up: the model's messages, enums and files with their lines laid out."""

from varve_codegen import ddl, names
from varve_codegen.render import layout, types
from varve_codegen.render.archive import ArchiveView, TensorView
from varve_codegen.render.cache import CacheView
from varve_codegen.render.layout import Member


class EnumView:
    def __init__(self, enum):
        self.c = enum.c
        self.full_name = enum.full_name
        self.name = enum.name
        self.package = enum.package
        self.short = enum.c[len(names.package_prefix(enum.package)) + 1 :]
        self.doc = layout.comment(_titled(enum.comment, enum.full_name))
        self.lines = layout.aligned(
            [_enumerator(v.c, v.number, v.comment) for v in enum.values]
        )
        by_number = {}
        for value in enum.values:
            by_number.setdefault(value.number, value)  # of aliases the first has the name
        distinct = [by_number[n] for n in sorted(by_number)]
        position = {v.number: i for i, v in enumerate(distinct)}
        by_name = sorted(enum.values, key=lambda v: v.name.encode())
        self.values = layout.table(
            [
                (f".name = {layout.quoted(v.name)}", f".c_name = {layout.quoted(v.c)}", f".value = {_int(v.number)}")
                for v in distinct
            ]
        )
        self.by_name = layout.table(
            [(f".name = {layout.quoted(v.name)}", f".index = {position[v.number]}") for v in by_name]
        )
        self.value_count = len(distinct)
        self.name_count = len(by_name)
        self.ranges, self.range_count = _ranges([v.number for v in distinct])


class OneofView:
    def __init__(self, message, oneof):
        self.c = f"{message.c}_{oneof.c}_case"
        self.name = f"{message.full_name}.{oneof.name}"
        fields = [message.field_named(name) for name in oneof.fields]
        cases = [(f"{self.c}_not_set".upper(), 0)]
        cases += [(f"{self.c}_{f.c}".upper(), f.number) for f in fields]
        self.lines = layout.aligned([Member(f"{name} = {number},") for name, number in cases])


class MessageView:
    def __init__(self, schema, message, state):
        self.c = message.c
        self.short = message.short
        self.upper = message.c.upper()
        self.name = message.name
        self.full_name = message.full_name
        self.package = message.package
        self.is_entry = message.is_map_entry
        self.field_count = len(message.fields)
        self.oneofs = [OneofView(message, o) for o in message.oneofs]
        self.doc = layout.comment(_message_title(schema, message))
        self.members = _members(schema, message)
        self.init = _initialiser(schema, message)
        by_number = sorted(message.fields, key=lambda f: f.number)
        self.numbers = layout.aligned(
            [Member(f"{message.c}_field_{f.c}".upper() + f" = {f.number},") for f in message.fields]
        )
        self.field_rows = layout.table([_descriptor_row(schema, message, f) for f in by_number])
        self.by_name = layout.numbers(
            [i for _, i in sorted((f.name.encode(), i) for i, f in enumerate(by_number))]
        )
        self.ranges, self.range_count = _ranges([f.number for f in by_number])
        position = {f.name: i for i, f in enumerate(by_number)}
        self.storage = StorageView(schema, message, position)
        self.flags = " | ".join(_record_flags(schema, message))
        self.table = TableView(schema, message, state) if message.table is not None else None
        self.cache = CacheView(message, position) if message.cache is not None else None
        self.archive = ArchiveView(message, position) if message.is_archived else None
        self.tensors = [TensorView(message, f) for f in message.tensors] if message.is_archived else []


class StorageView:
    """The record's columns, with the tensors, dims and references they point at."""

    def __init__(self, schema, message, position):
        self.dims, self.tensors, self.references, rows = [], [], [], []
        for field in message.fields:
            row = [
                f".field = &{message.short}_fields[{position[field.name]}]",
                f".kind = {_kind(schema, field)}",
                _prefixed(".flags = ", " | ".join(_column_flags(schema, message, field))),
                _held_record(schema, field),
                "",
                "",
            ]
            if field.tensor is not None:
                row[4] = f".tensor = &{message.short}_tensors[{len(self.tensors)}]"
                self._add_tensor(message, field, position)
            if field.column.references and message.table is not None:
                row[5] = f".reference = &{message.short}_references[{len(self.references)}]"
                self._add_reference(schema, message, field)
            rows.append(row)
        self.columns = layout.table(rows)
        self.dims = layout.table(self.dims)
        self.tensors = layout.table(self.tensors)
        self.references = layout.table(self.references)

    def _add_tensor(self, message, field, position):
        first = len(self.dims)
        for dim in field.tensor.dims:
            is_number = dim.isdigit()
            self.dims.append(
                (
                    f".size = {int(dim)}" if is_number else "",
                    "" if is_number else f".field = &{message.short}_fields[{position[dim]}]",
                )
            )
        self.tensors.append(
            (
                f".dtype = {types.dtype(field)}",
                ".optional = true" if field.may_be_absent else "",
                f".dims = &{message.short}_dims[{first}]",
                f".dim_count = {len(field.tensor.dims)}",
                f".unit = {layout.quoted(field.column.unit)}" if field.column.unit else "",
            )
        )

    def _add_reference(self, schema, message, field):
        target, key = schema.resolve_reference(message, field.column.references)
        self.references.append(
            (
                f".record = &{target.c}_record",
                f".column = {target.index_of(key.name)}",
                f".on_delete = VARVE_ON_DELETE_{field.column.on_delete}",
            )
        )


class TableView:
    def __init__(self, schema, message, state):
        self.name = layout.quoted(message.table_name)
        statements = ddl.statements(state, state.messages[message.full_name])
        text = "".join(s + ";\n" for s in statements)
        self.ddl = ["    " + layout.quoted(line) for line in text.splitlines(keepends=True)]
        self.is_long = len(text) > 4000
        self.condition_count = sum(f.tensor is None for f in message.fields)
        self.filter_members = _filter_members(message)
        self.uniques, self.unique_keys, self.unique_count = _uniques(message)
        key = message.primary_key
        self.key = ", ".join(str(message.index_of(f.name)) for f in key)
        self.key_count = len(key)
        self.key_is_generated = message.has_generated_key
        self.key_parameters, pointers = _parameters(schema, message, key)
        self.key_pointers = ", ".join(pointers)
        self.keys_parameter = types.keys_parameter(schema, message)
        self.keys = self.keys_parameter.rpartition("*")[2]
        self.lookups = [LookupView(schema, message, f) for f in message.fields if f.column.unique]
        self.has_tensors = bool(message.tensors)
        self.has_version = any(f.column.version for f in message.fields)
        self.upserted = _upserted(message)


class MigrationView:
    """A migration of the package, line by line: no literal is longer than compilers must take (4095 bytes);
    a longer line becomes an array of characters."""

    def __init__(self, migration):
        self.number = migration.number
        self.file = layout.plain(migration.file)
        self.name = layout.quoted(migration.name)
        self.checksum = layout.quoted(migration.checksum)
        self.reads_ok = str(migration.reads_ok).lower()
        self.writes_ok = str(migration.writes_ok).lower()
        self.sql = f"migration_{migration.number}"
        self.long_lines, self.lines = [], []
        for number, line in enumerate(migration.sql.rstrip("\n").split("\n"), 1):
            is_long = len(line.encode("utf-8")) > 4000
            name = f"{self.sql}_line_{number}"
            if is_long:
                self.long_lines.append((name, layout.character_rows(line)))
            self.lines.append(f"    {name if is_long else layout.quoted(line)},")


class LookupView:
    """What P_M_get_by_F needs to know of its field."""

    def __init__(self, schema, message, field):
        self.c = field.c
        self.name = field.name
        self.number = f"{message.c}_field_{field.c}".upper()
        (self.parameter,), (self.pointer,) = _parameters(schema, message, (field,))


def _filter_members(message):
    members = [Member(f"{types.condition(f)} {f.c};") for f in message.fields if f.tensor is None]
    return layout.aligned(members) + layout.aligned(
        [
            Member(f"enum {message.c}_field order_by;", "then by primary key; 0: by primary key alone"),
            Member("bool descending;"),
            Member("int64_t limit;", "0: all"),
            Member("int64_t offset;", "rows to leave out"),
            Member(f"const struct {message.c} *after;", "continue behind this record"),
        ]
    )


def _uniques(message):
    """Rows of struct varve_unique, the columns that they point at, and how many rows."""
    rows, columns = [], []
    for fields, where in message.uniques:
        rows.append(
            (
                f".columns = &{message.short}_unique_keys[{len(columns)}]",
                f".column_count = {len(fields)}",
                _prefixed(".where = ", layout.quoted(where) if where else ""),
            )
        )
        columns += [message.index_of(name) for name in fields]
    return layout.table(rows), layout.numbers(columns), len(rows)


def _upserted(message):
    """Which stored record an upsert updates, as the end of a sentence."""
    if not message.has_generated_key:
        return "that has its key."
    if not message.uniques:
        return "that has its key. A key that is 0 is assigned."
    if len(message.uniques) > 1:
        return f"that has its key. VARVE_MISUSE when that is 0: {message.c}_upsert_by() takes what to go by."
    fields, _ = message.uniques[0]
    return f"that has its key or, where that is 0, its {_listed(fields)}; the key is stored in the record."


def _listed(words):
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _parameters(schema, message, fields):
    """The fields as parameters, apart from the names that the wrappers have themselves, and pointers to
    them as parts of a key."""
    taken = {"session", "record", "key", "found", "status", f"{message.c}_record"}
    chosen, parameters, pointers = [], [], []
    for field in fields:
        name = field.c
        others = {*chosen, *(f.c for f in fields if f is not field)}
        while name in taken or name in others:
            name += "_key"
        chosen.append(name)
        parameters.append(types.parameter(schema, field, name))
        pointers.append(name if field.type == "string" else f"&{name}")
    return parameters, pointers


def _prefixed(prefix, text):
    return prefix + text if text else ""


def _int(number):
    """A C literal: INT_MIN cannot be written as one."""
    return "-2147483647 - 1" if number == -(2**31) else str(number)


def _titled(comment, full_name):
    if not comment:
        return full_name
    return f"{comment}\n({full_name})" if "\n" in comment else f"{comment}  ({full_name})"


def _message_title(schema, message):
    if not message.is_map_entry:
        return _titled(message.comment, message.full_name)
    parent = schema.messages[message.parent]
    field = next(f for f in parent.fields if f.target == message.full_name)
    return f"An entry of the map {field.c} of struct {parent.c}."


def _enumerator(c, number, comment):
    return Member(f"{c} = {_int(number)},", comment)


# -------------------------------------------------------------------- the struct


def _members(schema, message):
    set_by = f"{message.c}_init".upper()
    members = [Member("ProtobufCMessage base;", f"set by {set_by}, holds unknown fields")]
    done = set()
    for field in message.fields:
        if not field.oneof:
            members += _member(schema, message, field)
        elif field.oneof not in done:
            done.add(field.oneof)
            oneof = next(o for o in message.oneofs if o.name == field.oneof)
            members += _oneof_members(schema, message, oneof)
    return layout.aligned(members)


def _oneof_members(schema, message, oneof):
    case = f"enum {message.c}_{oneof.c}_case {oneof.c}_case;"
    members = [Member(case, oneof.comment, "the member that is set; 0: none"), Member("union {")]
    for name in oneof.fields:
        for member in _member(schema, message, message.field_named(name)):
            member.code = "    " + member.code
            members.append(member)
    return members + [Member("};")]


def _member(schema, message, field):
    members = [Member(f"protobuf_c_boolean has_{field.c};", f"whether {field.c} is set")] if field.has_flag else []
    facts = "; ".join(_facts(schema, message, field))
    lines = types.declaration(schema, field)
    if len(lines) == 1:
        return members + [Member(lines[0], field.comment, facts)]
    opening = Member(lines[0])
    opening.above = field.comment
    return members + [opening] + [Member(line) for line in lines[1:-1]] + [Member(lines[-1], "", facts)]


def _facts(schema, message, field):
    column = field.column
    facts = []
    if column.primary_key:
        assigned = "; 0 = assigned on insert" if message.has_generated_key else ""
        part = "part of the primary key" if len(message.primary_key) > 1 else "primary key"
        facts.append(part + assigned)
    if column.unique:
        facts.append("unique")
    if column.references:
        fate = {"CASCADE": ", deleted with it", "SET_NULL": ", absent when that is deleted"}
        facts.append(f"references {column.references}{fate.get(column.on_delete, '')}")
    if column.version:
        facts.append("counts the record's updates, from 1")
    if field.tensor is not None:
        kept = ", archived" if message.table is not None else ""
        absent = ", may be absent" if field.may_be_absent else ""
        bits = " of float16 bits" if field.tensor.dtype == "FLOAT16" else ""
        dims = [dim if dim.isdigit() else message.field_named(dim).c for dim in field.tensor.dims]
        facts.append(f"tensor{bits} [{' x '.join(dims)}]{kept}{absent}")
    if column.unit:
        facts.append(f"in {column.unit}")
    if column.time == "UNIX_NANOSECONDS":
        facts.append("ns since 1970-01-01T00:00:00Z")
    if column.min and column.max:
        facts.append(f"{column.min} to {column.max}")
    elif column.min or column.max:
        facts.append(f"at least {column.min}" if column.min else f"at most {column.max}")
    if column.check:
        facts.append(f"checked: {column.check}")
    if field.is_map:
        facts.append("map: each key once, in any order")
    if not field.is_repeated and field.type in ("string", "message"):
        if message.is_map_entry and field.type == "message":
            facts.append("NULL: empty")
        elif field.label == "optional" or field.type == "message" and not field.oneof:
            facts.append("NULL: absent")
    return facts


def _initialiser(schema, message):
    lines = [f".base = PROTOBUF_C_MESSAGE_INIT(&{message.c}_descriptor),"]
    for field in message.fields:
        if field.type == "string" and field.label == "implicit" and not field.oneof:
            lines.append(f'.{field.c} = "",')
    return lines


# -------------------------------------------------------------------- descriptors


def _ranges(ordered):
    """protobuf-c's runs of consecutive numbers, with the entry that ends them."""
    starts = [i for i, n in enumerate(ordered) if i == 0 or n != ordered[i - 1] + 1]
    rows = [(_int(ordered[i]), str(i)) for i in starts] + [("0", str(len(ordered)))]
    return layout.table([(f".start_value = {n}", f".orig_index = {i}") for n, i in rows]), len(starts)


def _descriptor_row(schema, message, field):
    struct = f"struct {message.c}"
    count, data = types.array_members(field)
    quantifier, offset = "", field.c
    if field.is_repeated:
        quantifier, offset = f"{field.c}.{count}", f"{field.c}.{data}"
    elif field.oneof:
        oneof = next(o for o in message.oneofs if o.name == field.oneof)
        quantifier = f"{oneof.c}_case"
    elif field.has_flag:
        quantifier = f"has_{field.c}"
    descriptor = ""
    if field.type == "message":
        descriptor = f".descriptor = &{schema.messages[field.target].c}_descriptor"
    elif field.type == "enum":
        descriptor = f".descriptor = &{schema.enums[field.target].c}_descriptor"
    flags = []
    if field.packed:
        flags.append("PROTOBUF_C_FIELD_FLAG_PACKED")
    if field.oneof:
        flags.append("PROTOBUF_C_FIELD_FLAG_ONEOF")
    is_plain_string = field.type == "string" and field.label == "implicit" and not field.oneof
    return (
        f".name = {layout.quoted(field.name)}",
        f".id = {field.number}",
        f".label = PROTOBUF_C_LABEL_{_label(message, field)}",
        f".type = PROTOBUF_C_TYPE_{field.type.upper()}",
        f".offset = offsetof({struct}, {offset})",
        _prefixed(".quantifier_offset = ", f"offsetof({struct}, {quantifier})" if quantifier else ""),
        descriptor,
        '.default_value = ""' if is_plain_string else "",
        _prefixed(".flags = ", " | ".join(flags)),
    )


def _label(message, field):
    if field.is_repeated:
        return "REPEATED"
    # libprotobuf-c takes an absent message by its NULL pointer under OPTIONAL.
    if field.label == "optional" or field.type == "message" and not field.oneof:
        return "OPTIONAL"
    # Entries of maps are sent with key and value even where these are zero, as in other languages.
    return "REQUIRED" if message.is_map_entry else "NONE"


# -------------------------------------------------------------------- storage


def _kind(schema, field):
    if field.tensor is not None:
        return "VARVE_COLUMN_TENSOR"
    if field.is_map:
        value = schema.messages[field.target].field_named("value")
        return "VARVE_COLUMN_WIRE" if value.type == "message" else "VARVE_COLUMN_JSON"
    if field.type == "message":
        return "VARVE_COLUMN_WIRE"
    return "VARVE_COLUMN_JSON" if field.is_repeated else "VARVE_COLUMN_SCALAR"


def _column_flags(schema, message, field):
    flags = []
    if message.table is not None:
        column = field.column
        if column.primary_key:
            flags.append("VARVE_PRIMARY_KEY")
            if message.has_generated_key:
                flags.append("VARVE_GENERATED_KEY")
        if column.unique and field in message.unique_fields:
            flags.append("VARVE_UNIQUE")
        if column.version:
            flags.append("VARVE_ROW_VERSION")
        if column.json:
            flags.append("VARVE_JSON_COPY")
    if field.is_map:
        flags.append("VARVE_MAP")
    return flags


def _held_record(schema, field):
    return f".record = &{schema.messages[field.target].c}_record" if field.type == "message" else ""


def _record_flags(schema, message):
    within = _within(schema, message)
    flags = []
    if message.is_map_entry:
        flags.append("VARVE_RECORD_MAP_ENTRY")
    if any(f.is_dtype for f in message.fields):
        flags.append("VARVE_RECORD_SCALED")
    if any(f.is_map for m in within for f in m.fields):
        flags.append("VARVE_RECORD_MAPS")
    return flags or ["0"]


def _within(schema, message):
    """The message and all that it can contain."""
    found, pending = {}, [message.full_name]
    while pending:
        name = pending.pop()
        if name not in found and name in schema.messages:
            found[name] = schema.messages[name]
            pending += [n for n in schema.embeds(found[name]) if n not in found]
    return list(found.values())
