"""What a schema has that its migrations have not: the same question of `varve migrate` and of the build."""

from varve_codegen import lock, state
from varve_codegen.model import Source
from varve_migrate import diff


def compare(folder, schema, package, drops=()):
    """From the state that the migrations lead to, to that of a checked schema."""
    return diff.compare(folder.state(package), state.capture(schema, package), frozenset(drops))


def is_due(folder, result):
    """Whether a migration is due, by what compare() found."""
    return bool(result.changes) or lock.lines(folder.state()) != lock.lines(result.state)


def place(schema, package, name, number):
    """Where the schema says the field or value; of what is gone, where that was around it."""
    while name:
        found = schema.messages.get(name) or schema.enums.get(name)
        if found is not None and found.package == package:
            parts = getattr(found, "fields", None) or getattr(found, "values", ())
            return next((part.at for part in parts if number is not None and part.number == number), found.at)
        name = name.rpartition(".")[0]
    file = next(f for f in schema.generated_files() if f.package == package)
    return Source(file.name, file.at.path)
