"""Compares two states of a schema: what a migration from one to the other changes, what it means for each
tier and for programs of the version before, or why there can be none.

Everything is compared by number. What changed is told apart by kind; statements are steps.py's.
"""

from dataclasses import dataclass, replace

from varve_codegen.state import State
from varve_migrate.change import NO, YES, Findings
from varve_migrate.fields import Fields
from varve_migrate.match import Match, is_reserved


@dataclass(frozen=True)
class Comparison:
    changes: list  # of Change
    errors: list  # of Problem; when there is one, there is no migration
    state: State  # the new state, with all that ever was

    @property
    def reads_ok(self):
        return all(change.reads_ok for change in self.changes)

    @property
    def writes_ok(self):
        return all(change.writes_ok for change in self.changes)


def compare(old, new, drops=frozenset()):
    """`drops` are full names of messages whose tables may go, with all that is in them."""
    match = Match(old, new, drops)
    findings = Findings()
    _check_drops(findings, match, drops)
    _messages_gone(findings, match, drops)
    for message in new.messages.values():
        if message.name in match.messages:
            _message(findings, match, old.messages[match.messages[message.name]], message, drops)
        else:
            _message_added(findings, match, message)
    for enum in new.enums.values():
        if enum.name in match.enums:
            _enum(findings, old.enums[match.enums[enum.name]], enum)
    return Comparison(findings.changes, findings.errors, _remembering(match))


# -------------------------------------------------------------------- messages that come and go


def _check_drops(findings, match, drops):
    for name in sorted(drops):
        before = match.old.messages.get(name)
        after = match.new.messages.get(match.now(name)) if before is not None else None
        if before is None:
            findings.problem(name, 0, f"--drop {name}: the schema of before has no such message; correct the name")
        elif not before.table or after is not None and after.table:
            findings.problem(name, 0, f"--drop {name}: it has no table that is gone; leave this --drop out")


def _messages_gone(findings, match, drops):
    for before in match.old.messages.values():
        if match.now(before.name) is None and before.table:
            _table_gone(findings, before, before.name, "message_dropped", drops)
        elif match.now(before.name) is None and before.cache is not None:
            findings.change("message_dropped", before.name, 0, "the message is gone", NO, before.name,
                            cache="its values are no longer read, and expire", c="the struct is gone")


def _table_gone(findings, before, name, kind, drops):
    if before.name not in drops:
        findings.problem(
            name, 0,
            f"the table {before.table} of {before.name} is gone with all its records; put it back, say its new name "
            f"with renamed_from, or allow it with --drop {before.name}",
        )
        return
    findings.change(
        kind, name, 0, f"the table {before.table} is dropped, with all its records", NO, before.name,
        table=f'table "{before.table}" is dropped',
        cache="copies of before are no longer read, and expire" if before.cache is not None else "",
        archive="segments of before are dropped" if before.tensors else "",
        c="the struct is gone" if kind == "message_dropped" else "its functions on the table are gone",
    )


def _message_added(findings, match, message):
    wanted = message.renamed_from
    if match.old.messages and wanted:
        findings.problem(
            message.name, 0,
            f'renamed_from is "{wanted}", and no message that is gone had a table of that name; correct it, or remove '
            "it",
        )
    elif message.table or message.cache is not None:
        findings.change("message_added", message.name, 0, "the message is new", YES,
                        table=f'table "{message.table}" is made' if message.table else "", c="there is a struct for it")


# -------------------------------------------------------------------- one message


def _message(findings, match, before, after, drops):
    if before.name != after.name:
        findings.change("message_renamed", after.name, 0, f"the message is renamed from {before.name}",
                        NO if after.table else YES, before.name, c="the struct and its functions have another name")
    if before.table and not after.table:
        _table_gone(findings, before, after.name, "table_dropped", drops)
    elif after.table and not before.table:
        findings.change("table_added", after.name, 0, f"the message has a table now, {after.table}", YES,
                        table=f'table "{after.table}" is made', c="there are functions on the table")
    elif before.table != after.table:
        findings.change("table_renamed", after.name, 0, f"the table {before.table} is now {after.table}", NO,
                        before.table, table=f'table "{before.table}" is renamed to "{after.table}"')
    if before.table and after.table:
        _primary_key(findings, before, after)
        _indexes(findings, before, after)
    shown, on_wire = copies(match.new, after.name), _is_on_wire(match.old, before)
    Fields(findings, match, before, after, shown, on_wire).compare()
    _cache(findings, before, after)
    _archive(findings, before, after)


def _primary_key(findings, before, after):
    old, new = ([f.number for f in m.primary_key] for m in (before, after))
    if old == new:
        return
    names = ", ".join(f"{f.name} ({f.number})" for f in before.primary_key)
    findings.problem(after.name, 0, f"the primary key was {names}, and is another; a table keeps its key: put it back "
                                    "as it was, or add a message")


def _indexes(findings, before, after):
    for index in before.indexes:
        if index not in after.indexes:
            _index(findings, before, after, index, "dropped")
    known = {f.number for f in before.fields}
    for index in after.indexes:
        if index in before.indexes:
            continue
        fields = [after.field_of(n) for n in index.numbers]
        if index.unique and not index.where and all(f.number not in known and not f.is_nullable for f in fields):
            findings.problem(
                after.name, fields[0].number,
                f"the unique index over {', '.join(f.name for f in fields)} is over new fields alone, and the records "
                "that exist would all have the same values: make one of them optional",
            )
        else:
            _index(findings, before, after, index, "added")


def _index(findings, before, after, index, what):
    names = {**before.names, **after.names}
    kind = "unique" if index.unique else "index"
    text = f"the {'unique ' if index.unique else ''}index over {', '.join(names[n] for n in index.numbers)}"
    text += " of some records" if index.where else ""
    findings.change(f"{kind}_{what}", after.name, 0, f"{text} is {'new' if what == 'added' else 'dropped'}",
                    NO if kind == "unique" and what == "dropped" else YES,
                    table=f"the index is {'made' if what == 'added' else 'dropped'}")


_CACHE = {
    "key": "values under keys of before are no longer found, and expire",
    "mode": "values of before are no longer found, and expire",
    "index_by": "the order holds what is put from now on",
    "hash_tag": "values of before may be in another slot, where they expire",
}


def _cache(findings, before, after):
    if before.cache is None or after.cache is None:
        if before.cache is not after.cache:
            _cache_as_a_whole(findings, after, after.cache is not None)
        return
    for name, old, new in _differences(before.cache, after.cache):
        kind = f"cache_{name}" if name in _CACHE else "cache"
        findings.change(kind, after.name, 0,
                        f"{name} of the cache is {_named(new, after)} now, and was {_named(old, before)}",
                        NO if name in _CACHE else YES, cache=_CACHE.get(name, "it holds for what is put from now on"))


def _cache_as_a_whole(findings, after, comes):
    findings.change(
        "cache_added" if comes else "cache_dropped", after.name, 0,
        "it is cached now" if comes else "it is cached no more",
        NO, cache="it is empty" if comes else "values of before are no longer found, and expire",
        c=f"its functions on the cache {'come' if comes else 'are gone'}",
    )


def _archive(findings, before, after):
    """The option alone: no option is all defaults."""
    for name, old, new in _differences(before.archive, after.archive):
        findings.change("archive", after.name, 0,
                        f"{name} of the archive is {_named(new, after)} now, and was {_named(old, before)}", YES,
                        archive="segments of before keep theirs until they are compacted")


def _differences(before, after):
    old, new = (dict(o.values) if o is not None else {} for o in (before, after))
    return [(n, old.get(n, ""), new.get(n, "")) for n in sorted(old.keys() | new.keys()) if old.get(n) != new.get(n)]


def _named(value, message):
    """An option's value with names where the state has numbers."""
    for number, name in message.names.items():
        value = value.replace(f"{{{number}}}", f"{{{name}}}")
        value = name if value == f"#{number}" else value
    return value or "the default"


def _is_on_wire(state, message):
    """Whether values of the message are kept as wire bytes: embedded, or in the cache alone."""
    is_only = message.cache is not None and ("mode", "ONLY") in message.cache.values
    embedded = any(f.target == message.name for m in state.messages.values() for f in m.fields if f.type == "message")
    return not message.table or is_only or embedded


def copies(state, name):
    """(message, field) of the JSON copies that show values of this message."""
    holders, pending = {name}, [name]
    while pending:
        held = pending.pop()
        for message in state.messages.values():
            if message.name not in holders and any(f.type == "message" and f.target == held for f in message.fields):
                holders.add(message.name)
                pending.append(message.name)
    return [(m, f) for m in state.tables() for f in m.fields if f.json and f.target in holders]


# -------------------------------------------------------------------- enums


def _enum(findings, before, after):
    old, new, retired = dict(before.values), dict(after.values), dict(before.retired)
    if before.name != after.name:
        findings.change("enum_renamed", after.name, 0, f"the enum is renamed from {before.name}", YES, before.name,
                        c="the enum and its values have other names")
    for number, name in before.values:
        if number not in new and not is_reserved(after, number):
            findings.problem(
                after.name, number,
                f"the value {number} ({name}) is gone, and its number is not reserved; write `reserved {number}; "
                f'reserved "{name}";` in the enum, or put the value back',
            )
        elif number not in new:
            findings.change("value_removed", after.name, number, f"the value {number} ({name}) is removed", YES, name,
                            table="columns that have it keep the number", c=f"the constant of {name} is gone")
    for number, name in after.values:
        if number in retired:
            findings.problem(after.name, number, f"the value {number} ({name}) has the number of {retired[number]}, "
                                                 "which was removed; a number is never used again: take another one")
        elif number not in old:
            findings.change("value_added", after.name, number, f"the value {number} ({name}) is new", YES,
                            c=f"there is a constant of {name}")
        elif old[number] != name:
            findings.change("value_renamed", after.name, number,
                            f"the value {number} is renamed from {old[number]} to {name}", YES, old[number],
                            c=f"the constant of {old[number]} is now that of {name}")


# -------------------------------------------------------------------- what the lock remembers


def _remembering(match):
    messages, enums = {}, {}
    for message in match.new.messages.values():
        before = match.old.messages.get(match.messages.get(message.name))
        had = before.names if before is not None else {}
        retired = _retired(before, had, message.names)
        messages[message.name] = replace(message, retired=retired, renamed_from="", reserved=())
    for enum in match.new.enums.values():
        before = match.old.enums.get(match.enums.get(enum.name))
        had = dict(before.values) if before is not None else {}
        enums[enum.name] = replace(enum, retired=_retired(before, had, dict(enum.values)), reserved=())
    gone = {(m.name, m.table) for m in match.old.tables() if match.now(m.name) is None}
    gone |= {entry for entry in match.old.retired if entry[0] not in messages}
    return State(match.new.package, messages, enums, tuple(sorted(gone)))


def _retired(before, had, there):
    """(number, name) of all that ever was and is no more."""
    known = dict(before.retired) if before is not None else {}
    known.update({number: name for number, name in had.items() if number not in there})
    return tuple(sorted(known.items()))
