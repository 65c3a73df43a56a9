"""The order of renames: a name is taken only when it is free. Where names go round in a circle, one steps
aside to a temporary name first."""


def order(wanted, taken, temporary):
    """(from, to) in the order in which they can be done. `wanted` is {name: new name}, `taken` all names there are,
    `temporary` gives the name to step aside to. SQLite's names are the same in any case."""
    pending = {old: new for old, new in wanted.items() if old != new}
    present = {name.lower() for name in taken}
    steps = []
    while pending:
        old = next((o for o, n in pending.items() if n.lower() not in present), None)
        if old is None:
            old = next(iter(pending))
            new = temporary(old)
            pending[new] = pending.pop(old)
        else:
            new = pending.pop(old)
        steps.append((old, new))
        present.discard(old.lower())
        present.add(new.lower())
    return steps
