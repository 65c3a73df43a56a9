"""Collects every error of a run, so that all of them are reported together."""


class Errors:
    def __init__(self, positions):
        self._positions = positions
        self._found = set()

    def add(self, at, text):
        """Notes an error at a model.Source. `text` says what is wrong; how to mend it."""
        line, column = self._positions.of(at)
        text = "".join(c if c.isprintable() else f"\\{ord(c):03o}" for c in text)
        self._found.add((at.file, line, column, text))

    def where(self, at):
        """`file.proto:12`, for sentences that name a second place."""
        return f"{at.file}:{self._positions.of(at)[0]}"

    def order(self, at):
        """What sorts places as a reader meets them."""
        return (at.file, *self._positions.of(at))

    def __bool__(self):
        return bool(self._found)

    def lines(self, order):
        """The report, files in the order given, then by position."""
        rank = {name: i for i, name in enumerate(order)}
        found = sorted(self._found, key=lambda e: (rank.get(e[0], len(rank)), e))
        return [f"{file}:{line}:{col}: error: {text}" for file, line, col, text in found]


class InputError(Exception):
    """A run that cannot go on: the text is printed as it is."""
