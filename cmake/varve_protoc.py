"""Runs protoc with the varve plugin for one command of varve_generate().

Everything is written to a folder of its own first. When protoc succeeds, the files that differ are
moved to their places, the dependency file is written and the stamp renewed; when it fails, nothing
changes. What protoc and the plugin say goes to stderr as they say it.
"""

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# varve's references are text in options: protoc cannot see that the import they need is used.
UNUSED_IMPORT = re.compile(rb"^[^\n]*: warning: Import [^\n]* is unused\.\r?\n", re.MULTILINE)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protoc", required=True)
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--codegen", required=True, help="the folder of the plugin's own files")
    parser.add_argument("--out", required=True, help="the folder that mirrors the import folders")
    parser.add_argument("--stem", required=True, help="what is to be written, without .varve.h and so on")
    parser.add_argument("--stamp", required=True, help="renewed on success; STAMP.d says what it depends on")
    parser.add_argument("--scan", help="the .proto whose imports the stamp depends on")
    parser.add_argument("--merged", help="where Makefiles keep the merged dependencies of a target")
    parser.add_argument("--options", required=True, help="the plugin's options")
    parser.add_argument("--migrations", help="the folder of the package's migrations")
    parser.add_argument("-I", dest="imports", action="append", default=[])
    parser.add_argument("protos", nargs="+")
    return parser.parse_args()


def run_protoc(arguments, work, output, protos, scan):
    """One call of protoc, inside `work`. Ends the program when it fails."""
    command = [arguments.protoc, *output, *(f"-I{folder}" for folder in arguments.imports)]
    if scan:
        command.append("--dependency_out=dependencies")
    environment = {**os.environ, "VARVE_PYTHON": sys.executable}
    if arguments.migrations:
        # The plugin sees names alone, and what it advises is to be run as it is.
        folders = [folder for folder in arguments.imports if not folder.startswith("varve=")]
        environment["VARVE_IMPORTS"] = "\n".join(folders)
    result = subprocess.run(
        [*command, *protos], cwd=work, env=environment, stderr=subprocess.PIPE, check=False
    )
    sys.stderr.buffer.write(UNUSED_IMPORT.sub(b"", result.stderr))
    sys.stderr.flush()
    if result.returncode != 0:
        sys.exit(1)


def generate(arguments, work):
    (work / "out").mkdir(parents=True)
    one_call = arguments.scan and len(arguments.protos) == 1
    options = arguments.options
    if arguments.migrations:
        # protoc splits options at commas: the folder's path may have some, the link's has none.
        os.symlink(arguments.migrations, work / "migrations")
        options += ",migrations=migrations"
    plugin = [
        f"--plugin=protoc-gen-varve={arguments.plugin}",
        f"--varve_opt={options}",
        "--varve_out=out",
    ]
    run_protoc(arguments, work, plugin, arguments.protos, scan=one_call)
    if arguments.scan and not one_call:
        # protoc writes dependencies for one file a call.
        run_protoc(arguments, work, ["--descriptor_set_out=set"], [arguments.scan], scan=True)


def migration_dependencies(folder):
    """The folder itself, for files that come and go, and the files in it."""
    if not folder or not os.path.isdir(folder):
        return []
    return [folder, *sorted(str(p) for p in Path(folder).iterdir() if p.suffix == ".sql" or p.name == "schema.lock")]


def schema_dependencies(work):
    """The files that protoc read: "output \\", .., "output: file\\", " file\\", .. on a line each."""
    dependencies = work / "dependencies"
    if not dependencies.exists():
        return []
    lines = os.fsdecode(dependencies.read_bytes()).rstrip("\n").split("\\\n")
    files = [line[1:] for line in lines if line.startswith(" ")]
    first = next(line for line in lines if not line.startswith(" ") and not line.endswith(" "))
    return [first.split(": ", 1)[1], *files]


def generator_dependencies(codegen):
    """Modules and templates as they are now, so that new ones count without configuring again."""
    return sorted(
        str(path)
        for folder in ("varve_codegen", "varve_migrate", "templates")
        for path in Path(codegen, folder).rglob("*")
        if path.is_file() and path.suffix in (".py", ".j2")
    )


def write_depfile(stamp, dependencies, merged):
    def escape(path):
        return re.sub(r"([ #\\])", r"\\\1", path).replace("$", "$$")

    text = f"{escape(stamp)}:" + "".join(f" \\\n  {escape(path)}" for path in dependencies) + "\n"
    depfile, content = Path(stamp + ".d"), os.fsencode(text)
    if merged and depfile.exists() and depfile.read_bytes() != content:
        # With Makefiles CMake adds to what it has merged before and never drops a file: one that was
        # deleted would be remade for ever. Without its copy it merges anew.
        Path(merged).unlink(missing_ok=True)
    depfile.write_bytes(content)


def install(work, out, stem):
    """Moves the pair, and a package's SQL and layout, to their places, each file only when it differs from
    the one that is there. A package without tables has no SQL, and one without cached messages no layout, not
    even those of an earlier run."""
    pair, others = (stem + ".varve.h", stem + ".varve.c"), (stem + ".sql", stem + ".layout.json")
    for name in pair:
        if not (work / "out" / name).is_file():
            sys.exit(f"protoc-gen-varve: {name} was not written")
    for name in (*pair, *others):
        new, old = work / "out" / name, Path(out, name)
        if not new.is_file():
            old.unlink(missing_ok=True)
        elif not old.is_file() or not filecmp.cmp(new, old, shallow=False):
            old.parent.mkdir(parents=True, exist_ok=True)
            os.replace(new, old)


def main():
    arguments = parse_arguments()
    work = Path(arguments.stamp + ".work")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        # The stamp is as old as the start of the run: an edit made meanwhile is newer.
        (work / "stamp").touch()
        generate(arguments, work)
        install(work, arguments.out, arguments.stem)
        dependencies = schema_dependencies(work) + migration_dependencies(arguments.migrations)
        dependencies += generator_dependencies(arguments.codegen)
        write_depfile(arguments.stamp, dependencies, arguments.merged)
        os.replace(work / "stamp", arguments.stamp)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
