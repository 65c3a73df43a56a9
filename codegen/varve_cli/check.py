"""varve check: what the build would say of schemas, without a build. protoc does it, with the plugin, in
a temporary folder: the import folders are links in it, so their paths may hold any character."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from varve_cli import place
from varve_cli.arguments import Parser
from varve_cli.failure import Failure
from varve_cli.protoc import find_protoc

USAGE = "varve check [-I DIR] PROTO.."
BRIEF = "says what is wrong in schemas; writes nothing"

_EPILOG = """Imports are looked for in each PROTO's folder, in the current folder and its schema/, in every -I, and
in varve's own. Exit status: 0 no findings, 1 findings, 2 wrong usage or a failure."""

_PLUGIN_FAILED = re.compile(r"^--varve_out: .*\n", re.MULTILINE)  # what protoc adds to the plugin's own words
# varve's references are text in options: protoc cannot see that the import they need is used.
_UNUSED_IMPORT = re.compile(r"^[^\n]*: warning: Import [^\n]* is unused\.\n", re.MULTILINE)
_IMPORT = re.compile(r'^\s*import\s+(?:public\s+|weak\s+)?"([^"\n]+)"\s*;', re.MULTILINE)


def run(arguments):
    parser = Parser(prog="varve check", description="Says what is wrong in schemas; writes nothing.", epilog=_EPILOG)
    parser.add_argument("-I", dest="folders", metavar="DIR", action="append", default=[], help="where imports are")
    parser.add_argument("protos", metavar="PROTO", nargs="+")
    parsed = parser.parse_intermixed_args(arguments)
    _check_files(parsed.protos, parsed.folders)
    protos = {_absolute(p): p for p in parsed.protos}
    folders = _import_folders(protos, parsed.folders)
    names = _names(protos, folders)
    status, text = _run_protoc(names, folders)
    sys.stderr.write(_as_given(text, dict(zip(names, protos.values()))))
    if status == 0:
        print(f"{len(protos)} file{'s' if len(protos) > 1 else ''}, no findings")
        return 0
    if ": File not found." in text:
        searched = ", ".join(map(str, folders))
        print(f"varve: imports were looked for in {searched} (-I adds a folder)", file=sys.stderr)
    return 1


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


def _run_protoc(names, folders):
    """(exit code, what it says)"""
    protoc = find_protoc()
    with tempfile.TemporaryDirectory(prefix="varve-check-") as work:
        os.mkdir(os.path.join(work, "out"))
        for number, folder in enumerate(folders):
            os.symlink(folder, os.path.join(work, str(number)))
        command = [protoc, f"--plugin=protoc-gen-varve={place.PLUGIN}", "--varve_out=out"]
        command += [f"-I{number}" for number in range(len(folders))]
        result = subprocess.run(
            [*command, *names],
            cwd=work,
            env={**os.environ, "VARVE_PYTHON": sys.executable},
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
    return result.returncode, _PLUGIN_FAILED.sub("", _UNUSED_IMPORT.sub("", result.stderr))


def _as_given(text, given):
    """The messages with the files' paths as the user said them."""

    def replace(match):
        return given.get(match[1], match[1]) + ":"

    return re.sub(r"^([^:\n]+\.proto):", replace, text, flags=re.MULTILINE)
