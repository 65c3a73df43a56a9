"""Which message and enum of the old state is which of the new one.

A name is kept, or it is told: (varve.table).renamed_from names the table of before, and a table that
stays while its message goes is the same one. What is nested has no option for it: it is known by the field
that holds it, when all that it held before still fits.
"""

from varve_migrate import compatible

_SINGLE = ("implicit", "optional", "oneof")


class Match:
    def __init__(self, old, new, drops=()):
        self.old, self.new = old, new
        self.messages = {name: name for name in new.messages if name in old.messages}  # new name: old name
        self.enums = {name: name for name in new.enums if name in old.enums}
        self._match_tables(drops)
        self._match_nested()

    def _match_tables(self, drops):
        gone = {m.table: m.name for m in self.old.tables() if m.name not in self.new.messages}
        for given in (lambda m: m.renamed_from, lambda m: m.table):
            for message in self.new.tables():
                name = gone.get(given(message))
                if message.name not in self.messages and name is not None and name not in drops:
                    self.messages[message.name] = name
                    del gone[given(message)]

    def _match_nested(self):
        pending = list(self.messages)
        while pending:
            name = pending.pop()
            before, after = self.old.messages[self.messages[name]], self.new.messages[name]
            for was, now in pairs(before, after):
                if was.type == now.type == "message" and self._is_renamed(was.target, now.target):
                    self.messages[now.target] = was.target
                    pending.append(now.target)
                elif was.type == now.type == "enum" and self._is_renamed_enum(was.target, now.target):
                    self.enums[now.target] = was.target

    def _is_renamed(self, old, new):
        is_free = old not in self.new.messages and new not in self.old.messages
        taken = new in self.messages or old in self.messages.values()
        has_table = is_free and (self.old.messages[old].table or self.new.messages[new].table)
        return is_free and not taken and not has_table and self.fits(old, new)

    def _is_renamed_enum(self, old, new):
        is_free = old not in self.new.enums and new not in self.old.enums
        taken = new in self.enums or old in self.enums.values()
        return is_free and not taken and self.fits_enum(old, new)

    def is_same(self, was, now):
        """Whether a field's message or enum is the one of before, by whatever name."""
        names = self.messages if now.type == "message" else self.enums
        return was.target == now.target or names.get(now.target) == was.target

    def now(self, name):
        """The name now of a message of the old state; None when it is gone."""
        return next((new for new, old in self.messages.items() if old == name), None)

    # ---------------------------------------------------------------- structure

    def fits(self, old, new, seen=frozenset()):
        """Whether the bytes of a message of the old state are read as the same values by this new one."""
        if (old, new) in seen or self.messages.get(new) == old:
            return True
        before, after = self.old.messages[old], self.new.messages[new]
        seen = seen | {(old, new)}
        return all(self._keeps(field, after, seen) for field in before.fields)

    def _keeps(self, was, after, seen):
        now = after.field_of(was.number)
        if now is None:
            return is_reserved(after, was.number)
        label = was.label == now.label or (was.label in _SINGLE[:2] and now.label in _SINGLE[:2])
        if not label or not compatible.on_wire(was, now):
            return False
        if was.type == now.type == "message":
            return self.fits(was.target, now.target, seen)
        return was.type != now.type or was.type != "enum" or self.fits_enum(was.target, now.target)

    def fits_enum(self, old, new):
        after = self.new.enums[new]
        known = dict(after.values)
        return all(number in known or is_reserved(after, number) for number, _ in self.old.enums[old].values)


def pairs(before, after):
    """(field, field) of each number that both have, in the order of the new message."""
    fields = {f.number: f for f in before.fields}
    return [(fields[f.number], f) for f in after.fields if f.number in fields]


def is_reserved(thing, number):
    return any(first <= number <= last for first, last in thing.reserved)
