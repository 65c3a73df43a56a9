"""The schemas that a command is given: under which names protoc reads them, and what they say.

protoc runs in a temporary folder: the import folders are links in it, so their paths may hold any
character.
"""

import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

from varve_cli import place
from varve_cli.failure import Failure
from varve_cli.protoc import find_protoc
from varve_codegen.build import build
from varve_codegen.check import check
from varve_codegen.errors import Errors, InputError
from varve_codegen.model import Schema
from varve_codegen.read import Positions, Request

IMPORTS = """Imports are looked for in each PROTO's folder, in the current folder and its schema/, in every -I, and
in varve's own."""

# varve's references are text in options: protoc cannot see that the import they need is used.
_UNUSED_IMPORT = re.compile(r"^[^\n]*: warning: Import [^\n]* is unused\.\n", re.MULTILINE)
_IMPORT = re.compile(r'^\s*import\s+(?:public\s+|weak\s+)?"([^"\n]+)"\s*;', re.MULTILINE)


class SchemaError(Exception):
    """What is wrong in the schemas: lines as protoc writes them, with the paths that the user gave."""


def add_arguments(parser):
    parser.add_argument("-I", dest="folders", metavar="DIR", action="append", default=[], help="where imports are")
    parser.add_argument("protos", metavar="PROTO", nargs="+")


class Sources:
    """The files of a call, and the folders of their imports."""

    def __init__(self, protos, folders):
        _check_files(protos, folders)
        given = {_absolute(p): p for p in protos}
        self.folders = _import_folders(given, folders)
        self.names = _names(given, self.folders)
        self._given = dict(zip(self.names, given.values()))

    def as_given(self, text):
        """Messages with the files' paths as the user said them, and without those that mean nothing."""

        def replace(match):
            return self._given.get(match[1], match[1]) + ":"

        text = _UNUSED_IMPORT.sub("", text)
        text = re.sub(r"^([^:\n]+\.proto):", replace, text, flags=re.MULTILINE)
        if ": File not found." in text:
            searched = ", ".join(map(str, self.folders))
            text += f"varve: imports were looked for in {searched} (-I adds a folder)\n"
        return text

    @contextmanager
    def protoc(self, *options, **environment):
        """Runs protoc over the files; gives (exit code, what it says, the folder that it ran in)."""
        command = [find_protoc(), *options, *(f"-I{number}" for number in range(len(self.folders)))]
        with tempfile.TemporaryDirectory(prefix="varve-") as work:
            os.mkdir(os.path.join(work, "out"))
            for number, folder in enumerate(self.folders):
                os.symlink(folder, os.path.join(work, str(number)))
            result = subprocess.run(
                [*command, *self.names],
                cwd=work,
                env={**os.environ, **environment},
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                check=False,
            )
            yield result.returncode, result.stderr, Path(work)


@dataclass(frozen=True)
class Loaded:
    """Schemas without errors."""

    schema: Schema
    positions: Positions
    sources: Sources


def load(protos, folders):
    """The schemas, read and checked; SchemaError with all that is wrong in them."""
    sources = Sources(protos, folders)
    options = ("--include_imports", "--include_source_info", "--descriptor_set_out=out/set")
    with sources.protoc(*options) as (status, said, work):
        if status != 0:
            raise SchemaError(sources.as_given(said))
        described = descriptor_pb2.FileDescriptorSet.FromString((work / "out" / "set").read_bytes())
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=sources.names, proto_file=described.file)
    try:
        return _checked(Request(request.SerializeToString()), sources)
    except InputError as error:
        raise SchemaError(sources.as_given(f"{error}\n")) from None


def _checked(request, sources):
    positions = Positions(request.raw_files.values())
    schema = build(request, positions)
    errors = Errors(positions)
    check(schema, request.options, errors)
    if errors:
        raise InputError("\n".join(errors.lines(request.to_generate)))
    return Loaded(schema, positions, sources)


# -------------------------------------------------------------------- names and folders


def _check_files(protos, folders):
    for proto in protos:
        if not os.path.isfile(proto) or not os.access(proto, os.R_OK):
            raise Failure(f"{proto} is not there, or is no file that can be read")
    for folder in folders:
        if not os.path.isdir(folder):
            raise Failure(f"-I {folder}: there is no such folder")


def _absolute(path):
    return Path(os.path.abspath(path))  # through links, not behind them: their neighbours are meant


def _import_folders(protos, named):
    folders = [p.parent for p in protos] + [Path.cwd(), Path.cwd() / "schema"]
    folders += [_absolute(folder) for folder in named] + [place.SCHEMA]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _names(protos, folders):
    """What protoc is to call the files: as others import them, since a file that is read under two names
    is two files with the same messages. Else by the folder that is farthest up among those that have it,
    so that the name says the most."""
    imported, pending = {}, list(protos)  # the names by the files' true paths
    while pending:
        text = pending.pop().read_text(encoding="utf-8", errors="replace")
        for name in _IMPORT.findall(text):
            found = next((f / name for f in folders if (f / name).is_file()), None)
            if found and found.resolve() not in imported:
                imported[found.resolve()] = name
                pending.append(found)
    return [imported.get(proto.resolve()) or _longest_name(proto, folders) for proto in protos]


def _longest_name(proto, folders):
    return max((str(proto.relative_to(f)) for f in folders if proto.is_relative_to(f)), key=len)
