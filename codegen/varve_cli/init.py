"""varve init: a new project, which builds and runs as it is."""

import os
import re
import shlex
import shutil
from pathlib import Path

from varve_cli import place
from varve_cli.arguments import Parser
from varve_cli.failure import Failure

USAGE = "varve init NAME"
BRIEF = "makes the folder NAME: a schema, a program that uses it, their build"

_SKELETON = Path(__file__).resolve().parent / "skeleton"
_PLACEHOLDER = "skeleton"  # the skeleton's own name, a project like any other
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
# Names that mean something else: to C, as the name of the program's own target, to varve.
_TAKEN = frozenset(
    "all clean edit_cache help install list_install_components main package package_source rebuild_cache "
    "test varve".split()
)


def run(arguments):
    parser = Parser(
        prog="varve init", description="Makes a project in the new folder NAME, which builds and runs as it is."
    )
    parser.add_argument("name", metavar="NAME", help="of project, program and package, such as lab or maze_runner")
    name = parser.parse_args(arguments).name
    _check_name(name)
    _check_place(name)
    _make(name)
    print(_report(name))
    return 0


def _check_name(name):
    if not _NAME.match(name) or len(name) > 60:
        raise Failure(
            f'"{name}" cannot be the name of a package; use lower-case letters, digits and single underscores, '
            "a letter first, such as maze_runner"
        )
    if name in _TAKEN:
        raise Failure(f'"{name}" means something else already; choose another name')


def _check_place(name):
    try:
        if os.path.lexists(name) and (not os.path.isdir(name) or os.path.islink(name) or os.listdir(name)):
            raise Failure(f"{name} is there already; choose another name, or another folder to run this in")
    except OSError as error:
        raise Failure(f"{name} cannot be looked into: {error.strerror}") from error


def _make(name):
    """Everything is written to a folder beside, which takes its place at the end."""
    work = Path(f".{name}-{os.getpid()}")
    try:
        for source in sorted(_SKELETON.rglob("*")):
            if source.is_file():
                target = work / _named(str(source.relative_to(_SKELETON)), name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(_named(source.read_text(encoding="utf-8"), name), encoding="utf-8")
        os.rename(work, name)
    except OSError as error:
        raise Failure(f"{name} could not be made: {error.strerror}; nothing was left behind") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _named(text, name):
    return text.replace(_PLACEHOLDER, name).replace(_PLACEHOLDER.upper(), name.upper())


def _report(name):
    preparation, option = _how_cmake_finds_varve()
    return "\n".join(
        [
            f"Made {name}/: a schema, a program that uses it, and their build. Now:",
            "",
            *preparation,
            f"    cd {name}",
            f"    cmake -B build{option}",
            "    cmake --build build",
            f"    build/{name}",
            "",
            f"Then edit schema/{name}/note.proto and build again; README.md says more.",
        ]
    )


def _how_cmake_finds_varve():
    """(commands to be run before, option for cmake)"""
    prefix = place.prefix()
    if prefix:
        found = place.is_found_by_cmake(prefix)
        return [], "" if found else f" -DCMAKE_PREFIX_PATH={shlex.quote(str(prefix))}"
    build = place.build_of_source_tree()
    if build:
        return [], f" -Dvarve_DIR={shlex.quote(str(build))}"
    source, build = place.CODEGEN.parent, place.CODEGEN.parent / "build" / "release"
    return [
        f"    cmake -S {shlex.quote(str(source))} -B {shlex.quote(str(build))} -DVARVE_BUILD_TESTS=OFF",
        f"    cmake --build {shlex.quote(str(build))}",
    ], f" -Dvarve_DIR={shlex.quote(str(build))}"
