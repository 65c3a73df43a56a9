"""A table written anew, where SQLite cannot alter it. Foreign keys are off while it runs, or the old table's
end would delete its children; the counts say that it did not."""

from varve_codegen import ddl
from varve_migrate import compatible

_COUNTS = "varve_counts"


def statements(states, before, after):
    """`before` and `after` have the same names; the table stands under them."""
    table, new = ddl.quote(after.table), f"varve_new_{after.table}"
    children = _children(states, after)
    found = [ddl.create_table(states.new, after, new)]
    if children:
        counts = ", ".join(f"(SELECT count(*) FROM {ddl.quote(c)}) AS {ddl.quote(c)}" for c in children)
        found.append(f"CREATE TABLE {_COUNTS} AS SELECT {counts}")
    found += [
        _copy(before, after, new),
        _assert(f"(SELECT count(*) FROM {ddl.quote(new)}) = (SELECT count(*) FROM {table})",
                f"{after.name}: not every record of the table {after.table} was taken over; nothing is changed"),
        *_sequence(before, after, new),
        f"DROP TABLE {table}",
        f"ALTER TABLE {ddl.quote(new)} RENAME TO {table}",
    ]
    found += [
        _assert(f"(SELECT count(*) FROM {ddl.quote(c)}) = (SELECT {ddl.quote(c)} FROM {_COUNTS})",
                f"{after.name}: records of the table {c} went with the old table {after.table}; nothing is changed")
        for c in children
    ]
    return found + [f"DROP TABLE {_COUNTS}"] * bool(children)


def _children(states, after):
    """The tables whose rows a cascade from this one could delete: those of the old state that are still there."""
    bridge = states.bridge.messages[after.name]
    found = [ddl.staged_name(after)] * bool(bridge.tensors)
    for message, _ in states.bridge.children(bridge):
        now = states.new.messages.get(message.name)
        if message.name != after.name and now is not None and now.table:
            found.append(now.table)
    return list(dict.fromkeys(found))


def _assert(condition, text):
    return f"SELECT varve_assert({condition},\n  '{text}')"


def _copy(before, after, new):
    """In the order of the key, so that the new table grows at its end."""
    values = {}
    for field in after.columns:
        was = before.field_of(field.number)
        if was is None:
            continue
        values[field.name] = _value(was, field)
        if was.json and field.json:
            values[f"{field.name}_json"] = ddl.quote(f"{field.name}_json")
    values[ddl.UNKNOWN] = ddl.quote(ddl.UNKNOWN)
    return (
        f"INSERT INTO {ddl.quote(new)} ({', '.join(map(ddl.quote, values))})\n"
        f"  SELECT {', '.join(values.values())}\n"
        f"  FROM {ddl.quote(after.table)} ORDER BY {', '.join(ddl.quote(f.name) for f in after.primary_key)}"
    )


def _value(was, field):
    text = compatible.converted(was, field, ddl.quote(field.name))
    return f"coalesce({text}, {ddl.zero(field)})" if was.is_nullable and not field.is_nullable else text


def _sequence(before, after, new):
    """The highest id that ever was, which no later record may have: of an empty table too."""
    if not (before.has_generated_key and after.has_generated_key):
        return []
    return [
        f"DELETE FROM sqlite_sequence WHERE name = '{new}'",
        f"INSERT INTO sqlite_sequence (name, seq)\n"
        f"  SELECT '{new}', seq FROM sqlite_sequence WHERE name = '{after.table}'",
    ]
