"""What statements that people add to migrations ask of the synthetic rows before them: room for the ids of rows that
they insert, and values that arithmetic does not take out of an int64's range."""

from varve_migrate import normal, replay


class ByHand:
    """Of the messages of one version, by their `lines`, and of the migrations behind it."""

    def __init__(self, lines, migrations):
        self.modest = {}  # {full name: numbers of fields that `changes` names}
        self.adders = {}  # {full name: names of the migrations that insert into the table}
        self.notes = []
        inserts = [inserted(migration.sql) for migration in migrations]
        for name, line in lines.items():
            for step, migration in enumerate(migrations[:len(line.steps) - 1], 1):
                before, after = (line.steps[i][1] for i in (step - 1, step))
                if inserts[step - 1] & {normal.fold(m.table) for m in (before, after) if m.table}:
                    self._add(name, line, migration)
                self._change(name, line, step, migration)

    def _add(self, name, line, migration):
        self.adders.setdefault(name, []).append(migration.name)
        if line.first.has_generated_key:
            self.notes.append(f"{migration.name} inserts into the table of {name}: ids before it leave room")

    def _change(self, name, line, step, migration):
        message = line.steps[step][1]
        for number in (n for given, n in getattr(migration, "changes", ()) if given == message.name):
            if number in line.numbers():
                self.modest.setdefault(name, set()).add(number)
                self.notes.append(f"{migration.name} changes field {number} of {message.name} on purpose: it is not "
                                  "compared, and whole numbers before it are less than 2^31")


def inserted(sql):
    """The tables that statements insert into, as they call them: varve_new_sample, when sample is made anew."""
    found = set()
    for statement in replay.statements(sql):
        words = normal.words(statement)
        if words[0] in ("insert", "replace", "with") and "into" in words:
            name = words[words.index("into") + 1:][:3]
            found.add(name[2] if name[1:2] == ["."] else name[0])
    return frozenset(found)
