#!/usr/bin/env python3
"""Odd packages and sizes: schemas that are generated, compiled with warnings as errors, and run.

    run.py --library build/dev/runtime/libvarve.so    the cases of this folder, and the large schema
    run.py --library .. packages umbrella             these

A case is a folder of schemas, all of them generated in one run of protoc, with a main.c that is
compiled with what comes out and must exit with 0. main.c is also compiled as C++, unless it uses what
C++ lacks: then it says "C only" in its first line. The large schema is written here.
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HEADERS = HERE.parent / "headers"  # check_tables.h, which every program may call

WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wwrite-strings -Werror".split()
C = ["gcc", "-std=c11", "-O0", "-Wstrict-prototypes", *WARNINGS]
CXX = ["g++", "-std=c++17", "-O0", "-fsyntax-only", *WARNINGS]

MESSAGES = 1000
FIELDS = 20
MESSAGES_PER_FILE = 100

TIMEOUT_SECONDS = 120
OUTPUT_LINES = 25  # of a failing command: one mistake of a header makes hundreds


class Failure(Exception):
    """Why a case fails."""


def main():
    arguments = parse_arguments()
    cases = sorted(path.name for path in HERE.iterdir() if (path / "main.c").is_file())
    cases.append("large")
    unknown = set(arguments.case) - set(cases)
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
    failed = 0
    for name in arguments.case or cases:
        start = time.monotonic()
        text = run_case(name, arguments)
        failed += text is not None
        print(f"{'FAILED' if text is not None else 'ok'} {name} ({time.monotonic() - start:.1f} s)")
        if text is not None:
            print("\n".join("    " + line for line in text.rstrip().split("\n")))
    return 1 if failed else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description="Odd packages and sizes.")
    parser.add_argument("--library", required=True, type=Path, help="libvarve.so")
    parser.add_argument("--protoc", default=os.environ.get("VARVE_PROTOC", "protoc"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("case", nargs="*")
    arguments = parser.parse_args()
    for tool in (arguments.protoc, "gcc", "g++", "pkg-config"):
        if not shutil.which(tool):
            parser.error(f"no {tool}; run scripts/install-dependencies.sh")
    if not arguments.library.is_file():
        parser.error(f"no library {arguments.library}; build it first")
    return arguments


def run_case(name, arguments):
    """None, or why the case fails."""
    with tempfile.TemporaryDirectory(prefix="varve-schemas-") as folder:
        try:
            source = HERE / name
            if name == "large":
                source = Path(folder) / "schema"
                write_large(source)
            out = Path(folder) / "out"
            generate(source, out, arguments)
            run_program(compile_case(source, out, arguments))
        except Failure as failure:
            return str(failure)
    return None


# -------------------------------------------------------------------- steps


def run(command, what, **options):
    """stdout of a command that must succeed."""
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                                timeout=TIMEOUT_SECONDS, **options)
    except subprocess.TimeoutExpired:
        raise Failure(f"{what}: not done after {TIMEOUT_SECONDS} seconds") from None
    if result.returncode:
        raise Failure(f"{what}: exit status {result.returncode}\n{shortened(result.stdout + result.stderr)}")
    if result.stderr:
        raise Failure(f"{what}: says on stderr\n{result.stderr}")
    return result.stdout


def shortened(text):
    lines = text.splitlines()
    if len(lines) > OUTPUT_LINES:
        lines[OUTPUT_LINES:] = [f".. {len(lines) - OUTPUT_LINES} more lines"]
    return "\n".join(lines)


def generate(source, out, arguments):
    out.mkdir()
    protos = sorted(path.relative_to(source).as_posix() for path in source.rglob("*.proto"))
    if not protos:
        raise Failure(f"{source} has no .proto")
    plugin = ROOT / "codegen" / "protoc-gen-varve"
    command = [arguments.protoc, f"--plugin=protoc-gen-varve={plugin}", f"--varve_out={out}",
               f"-I{source}", f"-I{ROOT / 'schema'}", *protos]
    run(command, "protoc")


def compile_case(source, out, arguments):
    """Compiles what was generated and main.c; the path of the program."""
    packages = shlex.split(run(["pkg-config", "--cflags", "--libs", "libprotobuf-c", "cmocka"], "pkg-config"))
    includes = [f"-I{out}", f"-I{ROOT / 'runtime' / 'include'}", f"-I{HEADERS}"]
    main_c = source / "main.c"
    sources = sorted(out.rglob("*.varve.c"))
    sources += [main_c, *(HEADERS / f"{name}.c" for name in ("check_tables", "check_registry", "descriptor_set"))]
    objects = [out / f"{i}.o" for i in range(len(sources))]
    jobs = [[*C, *includes, "-c", s, "-o", o] for s, o in zip(sources, objects)]
    if "C only" not in main_c.read_text(encoding="utf-8").split("\n", 1)[0]:
        jobs.append([*CXX, *includes, "-x", "c++", main_c])
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(lambda job: run(job, f"{job[0]} of a source"), jobs))
    program = out / "program"
    folder = arguments.library.resolve().parent
    run(["gcc", *objects, arguments.library.resolve(), f"-Wl,-rpath,{folder}", *packages, "-o", program], "linking")
    return program


def run_program(program):
    environment = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "STDOUT"}
    result = subprocess.run([program], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
                            env=environment)
    if result.returncode:
        raise Failure(f"the program exits with {result.returncode}\n{result.stdout}{result.stderr}")
    if not re.search(r"\[  PASSED  \] [1-9]", result.stdout + result.stderr):
        raise Failure(f"the program ran no test\n{result.stdout}{result.stderr}")


# -------------------------------------------------------------------- the large schema

# Types by turns, so that a message has most of them. {n} is the number of an earlier message.
TYPES = ["int32", "string", "optional double", "repeated float", "bytes", "bool", "optional string", "sint64",
         "Kind", "repeated Kind", "M{n}", "repeated M{n}", "map<string, int64>", "fixed32", "optional uint64",
         "repeated string", "map<int32, M{n}>"]

LARGE_MAIN = """\
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check_tables.h"
#include "large/large.varve.h"

static void
registry_is_walked(void **state)
{{
    (void)state;
    assert_int_equal(large_schema.record_count, {messages});
    check_registry(&large_schema);
    for_each_record(&large_schema, check_fields);
    for_each_record(&large_schema, check_layout);
    for_each_record(&large_schema, check_columns);
    for (size_t i = 0; i < large_schema.record_count; i++)
        assert_int_equal(large_schema.records[i]->column_count, {fields});
}}

int
main(void)
{{
    const struct CMUnitTest tests[] = {{cmocka_unit_test(registry_is_walked)}};
    return cmocka_run_group_tests(tests, NULL, NULL);
}}
"""


def write_large(folder):
    """MESSAGES messages of FIELDS fields in files of MESSAGES_PER_FILE. Message n embeds message n/2."""
    (folder / "large").mkdir(parents=True)
    for first in range(0, MESSAGES, MESSAGES_PER_FILE):
        number = first // MESSAGES_PER_FILE
        lines = ['syntax = "proto3";', "package large;"]
        imported = sorted({0, number // 2} - {number})
        lines += [f'import "large/part{i}.proto";' for i in imported]
        if not imported:
            lines.append("enum Kind { NO_KIND = 0; SOME = 1; }")
        lines += [large_message(i) for i in range(first, first + MESSAGES_PER_FILE)]
        (folder / "large" / f"part{number}.proto").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = LARGE_MAIN.format(messages=MESSAGES, fields=FIELDS)
    (folder / "main.c").write_text(text, encoding="utf-8")


def large_message(number):
    lines = [f"// Message {number}.", f"message M{number} {{"]
    for i in range(FIELDS):
        kind = TYPES[(number + i) % len(TYPES)].format(n=number // 2)
        field_number = (i * 37 + number) % 1000 + 1  # in no order, with gaps
        lines.append(f"  {kind} field_{i}_of_{number} = {field_number};")
    return "\n".join(lines + ["}"])


if __name__ == "__main__":
    sys.exit(main())
