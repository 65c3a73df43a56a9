"""The text of a state: schema.lock. One line a thing, sorted, fields by number, so that two branches that
add different things merge without a conflict, and two that use one number meet in it.

    message lab.Sample table=sample
    field lab.Sample 1 id int64 key=1
    field lab.Sample 2 name string unique
    field lab.Sample 4 note optional string check="length ( {4} ) < 100"
    field lab.Sample 5 place message lab.Place json
    field lab.Sample 6 weights repeated float tensor=#7,#7
    field lab.Sample 8 counts map string int64
    field lab.Sample 9 subject optional int64 references=lab.Subject#1 on_delete=CASCADE
    index lab.Sample 2,4 where="{4} > 0"
    cache lab.Sample key=sample:{1} ttl_seconds=60
    retired lab.Sample 3 title
    value lab.Mood 0 MOOD_UNSPECIFIED

A line names the whole thing; what is not said is the default. Texts with other characters than those of
names are in JSON's quotes.
"""

import json
import re

from varve_codegen.state import Enum, Field, Index, Message, Options, Reference, State, Tensor

_PLAIN = re.compile(r"[^\s\"=]+\Z")
_WORD = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+')
_LABELS = ("optional", "repeated", "oneof")
_FLAGS = ("unique", "index", "json", "version")


class LockError(ValueError):
    """A sentence about a line."""


# -------------------------------------------------------------------- writing


def lines(state):
    """The state's lines, sorted; without a heading."""
    found = []
    for message in state.messages.values():
        found += [(message.name, *entry) for entry in _message_lines(message)]
    for enum in state.enums.values():
        found += [(enum.name, 1, number, f"value {enum.name} {number} {name}") for number, name in enum.values]
        found += [(enum.name, 5, number, f"retired {enum.name} {number} {name}") for number, name in enum.retired]
    found += [(name, 0, 0, f"gone {name} table={table}") for name, table in state.retired]
    return [entry[-1] for entry in sorted(found)]


def text(state):
    heading = f"# The schema of package {state.package} as the migrations beside this file leave it.\n" \
              "# `varve migrate new` writes it; keep it in version control.\n"
    return heading + "".join(line + "\n" for line in lines(state))


def _message_lines(message):
    """(group, number, line)"""
    yield 0, 0, _line("message", message.name, table=message.table)
    for field in message.fields:
        yield 1, field.number, _field_line(message, field)
    for index in message.indexes:
        numbers = ",".join(map(str, index.numbers))
        yield 2, index.numbers[0], _line("index", message.name, numbers, *_flags(index, ("unique",)), where=index.where)
    for kind, group, options in (("cache", 3, message.cache), ("archive", 4, message.archive)):
        if options is not None:
            yield group, 0, _line(kind, message.name, **dict(options.values))
    for number, name in message.retired:
        yield 5, number, f"retired {message.name} {number} {name}"


def _field_line(message, field):
    words = [str(field.number), field.name]
    if field.label == "map":
        words += ["map", field.key]
    elif field.label == "oneof":
        words += ["oneof", field.oneof]
    elif field.label != "implicit" and field.type != "message" or field.label == "repeated":
        words.append(field.label)
    words.append(field.type)
    if field.target:
        words.append(field.target)
    words += _flags(field, _FLAGS)
    reference, tensor = field.reference, field.tensor
    return _line(
        "field",
        message.name,
        *words,
        key=str(field.primary_key or ""),
        references=f"{reference.message}#{reference.number}" if reference else "",
        on_delete=reference.on_delete if reference and reference.on_delete != "RESTRICT" else "",
        check=field.check,
        min=field.min,
        max=field.max,
        unit=field.unit,
        time=field.time,
        tensor=",".join(tensor.dims) if tensor else "",
        dtype=tensor.dtype if tensor and tensor.dtype != "PROTO" else "",
        may_be_absent="yes" if tensor and tensor.optional and field.label != "optional" else "",
    )


def _flags(thing, names):
    return [name for name in names if getattr(thing, name)]


def _line(*words, **texts):
    return " ".join([*words, *(f"{name}={_quoted(value)}" for name, value in texts.items() if value)])


def _quoted(value):
    return value if _PLAIN.match(value) else json.dumps(value, ensure_ascii=False)


# -------------------------------------------------------------------- reading


def parse(content, package):
    """The state that the lines say; LockError says which one is wrong."""
    entries = {}
    for number, line in enumerate(content.split("\n"), 1):  # texts may have other separators
        if not line.strip() or line.startswith("#"):
            continue
        try:
            kind, name, *words = _WORD.findall(line)
            entries.setdefault(name, []).append((kind, words, line))
            if kind not in _KINDS:
                raise ValueError
        except ValueError:
            raise LockError(_unreadable(number, line)) from None
    return _assemble(entries, package)


def parse_lines(wanted, package):
    return parse("\n".join(wanted), package)


def _unreadable(number, line):
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        return f"line {number} is a merge conflict's; resolve it, as docs/migrations.md says"
    return f'line {number} is not one that varve writes: "{line}"; take the file from version control again'


def _assemble(entries, package):
    messages, enums, gone = {}, {}, []
    for name, found in entries.items():
        try:
            _assemble_one(name, found, messages, enums, gone)
        except LockError:
            raise
        except (ValueError, IndexError):
            raise LockError(f"one of the lines of {name} is not one that varve writes; take the file from version "
                            "control again") from None
    return State(package, messages, enums, tuple(gone))


def _assemble_one(name, found, messages, enums, gone):
    """Adds the message, the enum or what is gone of this name."""
    by_kind = {kind: [(words, line) for k, words, line in found if k == kind] for kind in _KINDS}
    retired = tuple((int(words[0]), words[1]) for words, _ in by_kind["retired"])
    if by_kind["message"]:
        messages[name] = _read_message(name, by_kind, retired)
    elif by_kind["value"]:
        enums[name] = Enum(name, tuple((int(words[0]), words[1]) for words, _ in by_kind["value"]), retired)
    elif by_kind["gone"]:
        gone.append((name, _texts(by_kind["gone"][0][0]).get("table", "")))
    else:
        raise LockError(f'"{found[0][2]}" is of a message that has no line; take the file from version control again')


_KINDS = ("message", "field", "index", "cache", "archive", "retired", "value", "gone")


def _read_message(name, by_kind, retired):
    fields = tuple(_read_field(words, line) for words, line in by_kind["field"])
    numbers = [f.number for f in fields]
    twice = next((n for n in numbers if numbers.count(n) > 1), None)
    if twice is not None:
        raise LockError(f"field {twice} of {name} stands there twice, as after a merge of two branches that both "
                        "added it; give one of them another number in the schema, and remove its line")
    return Message(
        name=name,
        table=_texts(by_kind["message"][0][0]).get("table", ""),
        fields=fields,
        indexes=tuple(_read_index(words) for words, _ in by_kind["index"]),
        cache=_read_options(by_kind["cache"]),
        archive=_read_options(by_kind["archive"]),
        retired=retired,
    )


def _read_field(words, line):
    try:
        plain = [w for w in words if "=" not in w]
        texts = _texts(words)
        number, name, *plain = plain
        label, key, oneof = "implicit", "", ""
        if plain[0] in ("map", "oneof"):
            label, key, *plain = plain
            key, oneof = (key, "") if label == "map" else ("", key)
        elif plain[0] in _LABELS:
            label, *plain = plain
        kind, *plain = plain
        target = plain.pop(0) if kind in ("message", "enum") else ""
        if kind == "message" and label == "implicit":
            label = "optional"
        return Field(
            number=int(number),
            name=name,
            label=label,
            type=kind,
            target=target,
            key=key,
            oneof=oneof,
            primary_key=int(texts.get("key", "0")),
            reference=_read_reference(texts),
            check=texts.get("check", ""),
            min=texts.get("min", ""),
            max=texts.get("max", ""),
            unit=texts.get("unit", ""),
            time=texts.get("time", ""),
            tensor=_read_tensor(texts, label),
            **{flag: flag in plain for flag in _FLAGS},
        )
    except (ValueError, IndexError):
        raise LockError(f'"{line}" is not a line that varve writes; take the file from version control again') from None


def _read_reference(texts):
    if "references" not in texts:
        return None
    message, _, number = texts["references"].rpartition("#")
    return Reference(message, int(number), texts.get("on_delete", "RESTRICT"))


def _read_tensor(texts, label):
    if "tensor" not in texts:
        return None
    optional = "may_be_absent" in texts or label == "optional"
    return Tensor(tuple(texts["tensor"].split(",")), texts.get("dtype", "PROTO"), optional)


def _read_index(words):
    numbers = tuple(map(int, words[0].split(",")))
    return Index(numbers, "unique" in words, _texts(words).get("where", ""))


def _read_options(found):
    return Options(tuple(_texts(found[0][0]).items())) if found else None


def _texts(words):
    """The name=value words."""
    pairs = (word.partition("=") for word in words if "=" in word)
    return {name: json.loads(value) if value.startswith('"') else value for name, _, value in pairs}
