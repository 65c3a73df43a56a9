"""Messages through the versions of a schema: a field is known by its number, a message by its full name, and
where that changed by what became of its table."""

from varve_migrate import normal


class Line:
    """A message from one version to the last one that has it: (state, message) of each."""

    def __init__(self, steps):
        self.steps = steps
        self._fields = None
        self._embedded = {}

    @property
    def first(self):
        return self.steps[0][1]

    def numbers(self):
        """Every field number of any version, in the order of the versions."""
        return list(self._by_number())

    def fields(self, number):
        """(step, field) of the versions that have this number, but for those whose message is the one before;
        a number does not come again."""
        return self._by_number()[number]

    def last_step(self, number):
        """The last version that has this number."""
        there = (i for i in range(len(self.steps) - 1, -1, -1) if self.steps[i][1].field_of(number) is not None)
        return next(there)

    def _by_number(self):
        if self._fields is None:
            self._fields = {}
            for i, message in self.versions():
                for field in message.fields:
                    self._fields.setdefault(field.number, []).append((i, field))
        return self._fields

    def versions(self):
        """(step, message) of each version that is not the one before."""
        before = None
        for i, (_, message) in enumerate(self.steps):
            if message is not before:
                yield i, message
            before = message

    def embedded(self, number):
        """The line of the message that a field holds."""
        if number not in self._embedded:
            steps = []
            for i in range(self.fields(number)[0][0], self.last_step(number) + 1):
                state, message = self.steps[i]
                steps.append((state, state.messages[message.field_of(number).target]))
            self._embedded[number] = Line(tuple(steps))
        return self._embedded[number]

    def retired(self):
        return {number for _, message in self.versions() for number, _ in message.retired}


def of_message(states, renames, name):
    """The line of the first state's message. `renames` are the new names by the old ones of each step: one
    less than states. The line of a message with a table ends with the table."""
    steps = [(states[0], states[0].messages[name])]
    for state, renamed in zip(states[1:], renames):
        name = renamed.get(name, name)
        message = state.messages.get(name)
        if message is None or steps[0][1].table and not message.table:
            break
        steps.append((state, message))
    return Line(tuple(steps))


def renamed(before, after, sql):
    """Names of messages that a migration renames, old to new. States do not tell; the table does: it is the
    one that the statements rename, or make anew under varve_new_<table>."""
    gone = {normal.fold(m.table): m.name for m in before.tables() if m.name not in after.messages}
    added = {normal.fold(m.table): m.name for m in after.tables() if m.name not in before.messages}
    if not gone or not added:
        return {}
    origins = _origins(before, sql)
    pairs = ((gone.get(origins.get(table)), name) for table, name in added.items())
    return {old: new for old, new in pairs if old is not None}


def _origins(before, sql):
    """Which table each table was before the statements, by name."""
    origins = {normal.fold(m.table): normal.fold(m.table) for m in before.tables()}
    words = normal.words(sql)
    for i, word in enumerate(words[:-2]):
        if words[i:i + 2] == ["create", "table"]:
            name = words[i + 2]
            origins[name] = origins.get(name.removeprefix("varve_new_")) if name.startswith("varve_new_") else None
        elif words[i:i + 2] == ["drop", "table"]:
            origins.pop(words[i + 2], None)
        elif word == "alter" and words[i + 3:i + 5] == ["rename", "to"]:
            origins[words[i + 5]] = origins.pop(words[i + 2], None)
    return origins
