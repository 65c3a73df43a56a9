"""The SQL of a migration, from the changes between two states.

First all tables and columns get the names of now, so that what follows knows one set of names and SQLite has
rewritten the references of other tables. Then each table gets what it lacks: where SQLite can alter it, by
that, else it is written anew (rebuild.py). JSON copies come last.

What SQLite cannot alter is known exactly: a definition that both have, and that differs once names are equal.
"""

from dataclasses import replace

from varve_codegen import ddl
from varve_codegen.state import State
from varve_migrate import rebuild, renames, unknown
from varve_migrate.diff import copies

_INDEXES = ("index_added", "unique_added", "index_dropped", "unique_dropped")
_REBUILT = ("field_added", "field_dropped", "type", "presence", "json_added", "json_dropped", "min", "max", "check",
            "version", "reference_added", "reference_dropped", "reference_changed", "on_delete")
_SHOWN = ("field_added", "field_dropped", "tensor_added", "tensor_dropped", "renamed", "presence", "type")


def sql(old, new, changes):
    """The statements, each with its semicolon, below a comment for each change that they carry out."""
    script = _Script(changes)
    names = {c.message: c.was for c in changes if c.kind == "message_renamed"}
    states = _States(old, new, names)
    _drop_tables(script, old)
    tables = [_Table(states, script, m) for m in ddl.in_order(new) if states.had_table(m)]
    _rename_tables(script, tables)
    for table in tables:
        table.make_way()
    known = {table.after.name: table for table in tables}
    for message in ddl.in_order(new):
        if message.name in known:
            known[message.name].complete()
        else:
            script.say(script.of(message.name, "message_added", "table_added"), ddl.statements(new, message))
    _json_copies(script, states)
    script.say([c for c in changes if not script.is_said(c)], [])
    return script.text()


class _Script:
    def __init__(self, changes):
        self._changes, self._said, self._parts = changes, set(), []
        self._marked = set()

    def of(self, message, *kinds, number=None):
        """The changes of these kinds that are still to be told."""
        return [
            c for c in self._changes
            if c.message == message and c.kind in kinds and number in (None, c.number) and not self.is_said(c)
        ]

    def rest_of(self, message):
        return [c for c in self._changes if c.message == message and not self.is_said(c)]

    def all_of(self, *kinds):
        return [c for c in self._changes if c.kind in kinds]

    def is_said(self, change):
        return id(change) in self._said

    def say(self, changes, statements, otherwise="", why=""):
        """`otherwise` is the comment of statements that belong to no change alone; `why` stands below either."""
        comments = [c.sentence for c in changes] or [otherwise] * bool(otherwise and statements)
        comments += [why] * bool(why)
        self._said.update(map(id, changes))
        lines = [f"-- {comment}" for comment in comments] + [f"{statement};" for statement in statements]
        if lines:
            self._parts.append("\n".join(lines) + "\n")

    def marks(self, entries):
        """The statements that mark JSON copies, (message, number), each once."""
        fresh = [e for e in dict.fromkeys(entries) if e not in self._marked]
        self._marked.update(fresh)
        return [f"SELECT varve_rebuild_json('{message}', {number})" for message, number in fresh]

    def text(self):
        return "\n".join(self._parts)


class _States:
    """Old, new, and the bridge between them: the old state under the names of now, with what is dropped still in
    it."""

    def __init__(self, old, new, names):
        self.old, self.new = old, new
        was = {name: names.get(name, name) for name in new.messages}
        self._was = {name: before for name, before in was.items() if before in old.messages}
        now = {was: name for name, was in self._was.items()}
        messages = (self._bridged(m, new.messages.get(now.get(m.name)), now) for m in old.messages.values())
        self.bridge = State(new.package, {m.name: m for m in messages}, {})

    def before(self, message):
        """The message of the old state; None when it is new."""
        return self.old.messages.get(self._was.get(message.name))

    def had_table(self, message):
        before = self.before(message)
        return before is not None and bool(before.table)

    @staticmethod
    def _bridged(before, after, now):
        names = after.names if after is not None else {}
        fields = tuple(
            replace(
                f,
                name=names.get(f.number, f.name),
                reference=f.reference
                and replace(f.reference, message=now.get(f.reference.message, f.reference.message)),
            )
            for f in before.fields
        )
        table = after.table if after is not None and after.table and before.table else before.table
        return replace(before, name=after.name if after is not None else before.name, table=table, fields=fields)


# -------------------------------------------------------------------- whole tables


def _drop_tables(script, old):
    for change in script.all_of("message_dropped", "table_dropped"):
        before = old.messages[change.was]
        if before.table:
            names = [ddl.staged_name(before)] * bool(before.tensors) + [before.table]
            script.say([change], [f"DROP TABLE {ddl.quote(name)}" for name in names])


def _rename_tables(script, tables):
    wanted = {t.old.table: t.after.table for t in tables}
    steps = renames.order(wanted, wanted, lambda name: f"varve_tmp_{name}")
    staged = {t.old.table for t in tables if t.old.tensors}
    statements = [s for t in tables if t.is_renamed for s in t.drop_all_indexes()]
    for old, new in steps:
        statements.append(f"ALTER TABLE {ddl.quote(old)} RENAME TO {ddl.quote(new)}")
        if old in staged:
            staged = staged - {old} | {new}
            old, new = f"varve_staged_{old}", f"varve_staged_{new}"
            statements.append(f"ALTER TABLE {ddl.quote(old)} RENAME TO {ddl.quote(new)}")
    changed = [c for t in tables if t.is_renamed for c in script.of(t.after.name, "message_renamed", "table_renamed")]
    script.say(changed, statements)


# -------------------------------------------------------------------- one table


class _Table:
    """A table that was there. `old` has the names of before; `before` is the same without what is dropped,
    under the names of now."""

    def __init__(self, states, script, after):
        self._states, self._script = states, script
        self.old, self.after = states.before(after), after
        self.is_renamed = self.old.table != after.table
        numbers = {f.number for f in after.fields}
        bridged = states.bridge.messages[after.name]
        self.before = replace(bridged, fields=tuple(f for f in bridged.fields if f.number in numbers))
        self._dropped = [f for f in self.old.columns if f.number not in numbers]
        self._has = _by_number(states.bridge, self.before)
        self._wants = _by_number(states.new, after)
        self._rebuilds = any(self._wants[key] != text for key, text in self._has.items() if key in self._wants)
        self._copies = []  # numbers of JSON copies that must be written

    # ---------------------------------------------------------------- names

    def drop_all_indexes(self):
        names = [ddl.index_name(self.old.table, numbers, where) for numbers, _, where in ddl.index_keys(self.old)]
        names += [ddl.staged_name(self.old) + ".record,field"] * bool(self.old.tensors)
        return [f"DROP INDEX {ddl.quote(name)}" for name in names]

    def make_way(self):
        """Drops what goes, then renames."""
        if not self._rebuilds:
            self._drop_columns()
        self._rename_columns()

    def _drop_columns(self):
        kept = ddl.index_keys(self.after)
        doomed = [] if self.is_renamed else [k for k in ddl.index_keys(self.old) if k not in kept]
        gone = {f.number for f in self._dropped}
        mixed = [k for k in doomed if not gone >= set(k[0])]
        doomed = [k for k in doomed if k not in mixed]
        changes = self._of("index_dropped") + self._of("unique_dropped")
        self._script.say(changes, self._drops(mixed), f"{self.after.name}: indexes.")
        for field in self._dropped:
            keys = [k for k in doomed if field.number in k[0]]
            doomed = [k for k in doomed if k not in keys]
            columns = [field.name] + [f"{field.name}_json"] * field.json
            self._script.say(self._of("field_dropped", field.number), self._drops(keys) + self._drop(columns))
        for change in self._of("json_dropped"):
            self._script.say([change], self._drop([f"{self.old.field_of(change.number).name}_json"]))

    def _drops(self, keys):
        return [f"DROP INDEX {ddl.quote(ddl.index_name(self.after.table, n, where))}" for n, _, where in keys]

    def _drop(self, columns):
        return [f"ALTER TABLE {ddl.quote(self.after.table)} DROP COLUMN {ddl.quote(name)}" for name in columns]

    def _rename_columns(self):
        """Of a table that is written anew the columns to drop are still there, and step aside where they must."""
        old = _names(self.old)
        new = {key: name for key, name in _names(self.after).items() if key in old}
        wanted = {old[key]: name for key, name in new.items()}
        taken = list(wanted)
        if self._rebuilds:
            claimed = {name.lower() for name in new.values()}
            leaving = {name: _aside(key) for key, name in old.items() if key not in new}
            wanted.update({name: aside for name, aside in leaving.items() if name.lower() in claimed})
            taken += leaving
        keys = {name: key for key, name in old.items()}
        steps = renames.order(wanted, taken, lambda name: _aside(keys[name]))
        table = ddl.quote(self.after.table)
        self._script.say(
            [c for c in self._of("renamed") if self.after.field_of(c.number).tensor is None],
            [f"ALTER TABLE {table} RENAME COLUMN {ddl.quote(old)} TO {ddl.quote(new)}" for old, new in steps],
            f"{self.after.name}: a column that is dropped below makes way.",
        )

    def _of(self, kind, number=None):
        return self._script.of(self.after.name, kind, number=number)

    # ---------------------------------------------------------------- the rest

    def complete(self):
        if self._rebuilds:
            self._rebuild()
        else:
            self._add_columns()
        self._tensors()
        self._indexes()
        self._copies_written()

    def _rebuild(self):
        changes = [c for c in self._script.rest_of(self.after.name) if c.kind in _REBUILT]
        why = f"SQLite cannot alter this in place: the table {self.after.table} is written anew."
        self._script.say(changes, rebuild.statements(self._states, self.before, self.after), why=why)
        for field in self._added():
            self._script.say([], self._promote(field), _promoted(self.after, field))
        self._copies += [f.number for f in self.after.columns if f.json and (f.number, "_json") not in self._has]

    def _promote(self, field, later=()):
        is_kept = field in unknown.dims_that_wait(self.before, self.after)
        return unknown.promote(self.after, field, later, is_kept)

    def _added(self):
        return [f for f in self.after.columns if self.before.field_of(f.number) is None]

    def _add_columns(self):
        table, later = ddl.quote(self.after.table), self._added()
        for field in self.after.columns:
            number = field.number
            keys = [k for k in ((number, ""), (number, "_json")) if k in self._wants and k not in self._has]
            statements = [f"ALTER TABLE {table} ADD COLUMN {self._wants[key]}" for key in keys]
            is_new = (number, "") in keys
            if is_new:
                later.remove(field)
                statements += self._promote(field, later)
            if (number, "_json") in keys:
                self._copies.append(number)
            self._script.say(self._of("field_added" if is_new else "json_added", number), statements)

    def _tensors(self):
        name = ddl.quote(ddl.staged_name(self.after))
        if self.after.tensors and not self.old.tensors:
            self._script.say([], ddl.staged(self.after), f"{self.after.name}: the catalog of its tensors.")
        elif self.after.tensors and self.is_renamed:
            self._script.say([], ddl.staged(self.after)[1:], f"{self.after.name}: the index of its tensors.")
        for change in self._of("tensor_dropped"):
            delete = f'DELETE FROM {name} WHERE "field" = {change.number}'
            self._script.say([change], [delete] * bool(self.after.tensors))
        if self.old.tensors and not self.after.tensors:
            self._script.say([], [f"DROP TABLE {name}"], f"{self.after.name}: it has no tensors any more.")
        self._script.say([], unknown.withdraw_dims(self.before, self.after),
                         f"{self.after.name}: dims stay among the unknown fields where the elements there do not fit.")
        for change in self._of("tensor_added"):
            self._script.say([change], unknown.promote_tensor(self.after, self.after.field_of(change.number)))
        self._script.say([], unknown.settle_dims(self.before, self.after),
                         f"{self.after.name}: dims, where they were among the unknown fields.")

    def _indexes(self):
        keys = ddl.index_keys(self.after)
        if not (self._rebuilds or self.is_renamed):
            keys = [k for k in keys if k not in ddl.index_keys(self.old)]
        changes = [c for kind in _INDEXES for c in self._of(kind)]
        self._script.say(changes, [ddl.create_index(self.after, *key) for key in keys], f"{self.after.name}: indexes.")

    def _copies_written(self):
        marks = self._script.marks((self.after.name, number) for number in self._copies)
        self._script.say([], marks, f"{self.after.name}: JSON copies.")


def _names(message):
    """Names of columns by (number, suffix)."""
    found = {(f.number, ""): f.name for f in message.columns}
    found.update({(f.number, "_json"): f"{f.name}_json" for f in message.columns if f.json})
    return found


def _by_number(state, message):
    """Definitions by the same; that of a primary key of several columns by 0."""
    texts = ddl.definitions(state, message)
    found = {key: texts[name] for key, name in _names(message).items()}
    return {**found, 0: texts[""]} if "" in texts else found


def _aside(key):
    return f"varve_tmp_{key[0]}{key[1]}"


def _promoted(message, field):
    return f"{message.name}: field {field.number} ({field.name}), where it was among the unknown fields."


# -------------------------------------------------------------------- JSON copies


def _json_copies(script, states):
    """Those that show a nested message that changed, and those of a message with another name: what earlier
    migrations of the same run marked is by the name of then."""
    changes = script.all_of(*_SHOWN, "message_renamed")
    for name in dict.fromkeys(c.message for c in changes):
        message, found = states.new.messages[name], []
        for change in (c for c in changes if c.message == name):
            found += copies(states.new, name) if change.kind != "message_renamed" else []
            found += [(message, f) for f in message.fields if f.json and _is_its_own(change, f)]
        marks = script.marks((m.name, f.number) for m, f in found if states.had_table(m))
        if marks:
            script.say(script.of(name, *_SHOWN, "message_renamed"), marks, f"{name}: JSON copies that show it.")


def _is_its_own(change, field):
    return change.kind == "message_renamed" or (change.kind == "type" and change.number == field.number)
