#!/usr/bin/env python3
"""Every header compiles alone, and every generated source, without a warning: gcc and clang, C11 and C++17.

    check_headers.py                            runtime/include, generated/, the golden files of tests/codegen
    check_headers.py --generated DIR            another folder of generated files too, such as the build's
    check_headers.py --only concept             paths that hold this text

A header is included twice by a source that holds nothing else. A compiler that is not there is an
error, as is a folder without a header: this test skips nothing.
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wwrite-strings", "-Werror"]
SOURCE_WARNINGS = ["-Wshadow", "-Wstrict-prototypes"]
LANGUAGES = {"c": ("c", "c11"), "c++": ("c++", "c++17")}
COMPILERS = [("gcc", "c"), ("g++", "c++"), ("clang", "c"), ("clang++", "c++")]

# Golden files hold a note where the bytes of the descriptor set are; C wants one byte at least.
LEFT_OUT = re.compile(r"(descriptor_set\[\] = \{\n) *(/\* \d+ bytes, [0-9a-f]+ \*/\n)")

TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Tree:
    """A folder that is an include path, and what of it to compile."""

    folder: Path
    headers: tuple
    sources: tuple


def main():
    arguments = parse_arguments()
    flags = protobuf_c_flags() + [f"-I{ROOT / 'runtime' / 'include'}"]
    trees = [tree(ROOT / "runtime" / "include", "varve/*.h")]
    trees += [generated(folder) for folder in generated_folders(arguments.generated)]
    jobs = [job for each in trees for job in jobs_of(each, flags) if arguments.only in job[0]]
    if not jobs:
        sys.exit(f"nothing to compile has {arguments.only} in its path")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(compile_one, jobs))
    for what, output in filter(None, results):
        print(f"FAILED {what}\n{output.rstrip()}")
    failed = sum(1 for result in results if result)
    print(f"{len(jobs) - failed} compiled, {failed} failed")
    return 1 if failed else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description="Every header compiles alone.")
    parser.add_argument("--generated", action="append", default=[], type=Path,
                        help="a folder of generated files, beside generated/ and the golden ones")
    parser.add_argument("--only", default="", help="paths that hold this text")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    missing = [name for name, _ in COMPILERS if not shutil.which(name)]
    if missing:
        parser.error(f"{', '.join(missing)} not found; run scripts/install-dependencies.sh")
    return arguments


def protobuf_c_flags():
    command = ["pkg-config", "--cflags", "libprotobuf-c"]
    return shlex.split(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def generated_folders(named):
    """Include paths of generated files: those named, the committed ones, one for each golden case."""
    cases = sorted((ROOT / "tests" / "codegen" / "cases").glob("*/expected"))
    cases = [case for case in cases if not is_half(case.parent)]
    if not cases:
        sys.exit("no golden files in tests/codegen/cases/*/expected")
    committed = ROOT / "generated"
    return named + ([committed] if committed.is_dir() else []) + cases


def is_half(case):
    """Whether another run writes what the case's files include: emit=package is an umbrella alone."""
    options = case / "varve_opt.txt"
    return options.is_file() and "emit=package" in options.read_text(encoding="utf-8").split()


def generated(folder):
    return tree(folder, "**/*.varve.h", "**/*.varve.c")


def tree(folder, headers, sources=None):
    found = tuple(sorted(folder.glob(headers)))
    if not found:
        sys.exit(f"{folder} has no {headers}")
    return Tree(folder, found, tuple(sorted(folder.glob(sources))) if sources else ())


def jobs_of(each, flags):
    """(what, command, source text) for each compiler and file."""
    flags = flags + [f"-I{each.folder}"]
    for compiler, language in COMPILERS:
        name, standard = LANGUAGES[language]
        command = [compiler, "-fsyntax-only", f"-std={standard}", *WARNINGS, *flags]
        for header in each.headers:
            what = f"{shown(header)} as {standard} with {compiler}"
            line = f'#include "{header.relative_to(each.folder).as_posix()}"\n'
            text = line + line + "extern int not_empty;\n"
            yield what, [*command, "-x", name, "-"], text
        if language == "c":
            for source in each.sources:
                what = f"{shown(source)} as {standard} with {compiler}"
                text = LEFT_OUT.sub(r"\1    0, \2", source.read_text(encoding="utf-8"))
                text = f'#line 1 "{source}"\n{text}'
                yield what, [*command, *SOURCE_WARNINGS, "-x", name, "-"], text


def shown(path):
    path = path.resolve()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def compile_one(job):
    """None, or (what, the compiler's messages)."""
    what, command, text = job
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        result = subprocess.run(command, input=text, capture_output=True, text=True, env=environment,
                                timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return what, f"not done after {TIMEOUT_SECONDS} seconds"
    return (what, result.stderr or "failed without a message") if result.returncode else None


if __name__ == "__main__":
    sys.exit(main())
