"""The package's migrations, for a run that was given their folder: they must lead to the schema as it is."""

import os
import shlex
import shutil

from varve_codegen.errors import InputError
from varve_migrate import due
from varve_migrate.folder import Folder, FolderError, read

# Who runs protoc elsewhere than where a person would names the import folders here, one a line.
IMPORTS = "VARVE_IMPORTS"

_VARVE = os.path.join(os.path.dirname(__file__), "..", "varve")


def migrations(path, schema, errors):
    """Those of the folder. What is between them and the schema becomes errors; InputError when the folder
    itself is broken."""
    packages = schema.packages()
    if len(packages) > 1:
        _, (file, *_), *_ = packages.values()
        errors.add(file.at, f"a folder of migrations is of one package, and the run is of {' and '.join(packages)}; "
                            "generate each package by a run of its own")
        return ()
    (package,) = packages
    try:
        folder = read(path)
    except FolderError as error:
        raise InputError(_shown(error, path)) from None
    if folder.package not in ("", package):
        errors.add(packages[package][0].at, f"the migrations in {_named(path)} are of package {folder.package}, and "
                                            f"the schema is of {package}; give each package a folder of its own")
        return ()
    _check(folder, schema, package, errors)
    return folder.migrations


def _check(folder: Folder, schema, package, errors):
    result = due.compare(folder, schema, package)
    for error in result.errors:
        errors.add(due.place(schema, package, error.message, error.number), error.text)
    if result.errors or not due.is_due(folder, result):
        return
    run = f"run: {_command(folder.path, schema)}"
    if not folder.migrations:
        errors.add(due.place(schema, package, "", None), f"package {package} has no migrations yet; {run}")
        return
    found = [(due.place(schema, package, c.message, c.number), c.sentence.rstrip(".")) for c in result.changes]
    found = found or [(due.place(schema, package, "", None), f"the state of package {package} is another one")]
    at, sentence = min(found, key=lambda entry: errors.order(entry[0]))
    more = len(found) - 1
    others = f" (and {more} more change{'s' if more > 1 else ''})" if more else ""
    errors.add(at, f"{sentence} since the last migration{others}; {run}")


def _command(path, schema):
    """How a person makes the migration: with paths, where these can be known."""
    folders = os.environ.get(IMPORTS, "").split("\n") if os.environ.get(IMPORTS) else []
    files = [_found(name, folders or ("", "schema")) for name in schema.to_generate]
    varve = "varve" if not folders or shutil.which("varve") else shlex.quote(os.path.abspath(_VARVE))
    imports = "".join(f" -I {shlex.quote(folder)}" for folder in folders)
    return f"{varve} migrate new NAME {_joined(files)}{imports} --migrations {shlex.quote(_named(path))}"


def _found(name, folders):
    paths = (os.path.join(folder, name) for folder in folders)
    return next((path for path in paths if os.path.isfile(path)), name)


def _joined(files):
    """The files in shell's words: as a pattern when they are all that a folder has."""
    folder = os.path.dirname(files[0])
    if len(files) > 1 and os.path.isdir(folder):
        if {os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".proto")} == set(files):
            return f"{shlex.quote(folder)}/*.proto"
    return shlex.join(files)


def _named(path):
    """The folder as a person knows it: the build gives a link."""
    return os.readlink(path) if os.path.islink(path) else path


def _shown(error, path):
    return "\n".join(f"{_named(path)}{str(found).removeprefix(path)}" for found in error.findings)
