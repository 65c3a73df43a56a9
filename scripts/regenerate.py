#!/usr/bin/env python3
"""Renews generated/, the committed output of plain protoc for schema/cortex.

With --check it changes nothing and fails when generated/ is not current. With --built it also
compares a folder that the build made, one command a file: both ways must give the same.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ROOT / "generated"


def generate(protoc, out):
    protos = sorted((ROOT / "schema" / "cortex").rglob("*.proto"))
    command = [
        protoc,
        f"--plugin=protoc-gen-varve={ROOT / 'codegen' / 'protoc-gen-varve'}",
        f"--varve_out={out}",
        "--varve_opt=migrations=schema/migrations",  # protoc splits at commas, which ROOT may have
        "-Ischema",
        *(str(path.relative_to(ROOT)) for path in protos),
    ]
    environment = {"VARVE_PYTHON": sys.executable, **os.environ}
    result = subprocess.run(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    for line in result.stderr.splitlines(keepends=True):
        # varve's references are text in options: protoc cannot see that the import is used.
        if not line.endswith(" is unused.\n"):
            sys.stderr.write(line)
    if result.returncode != 0:
        sys.exit(1)


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.name.endswith((".varve.c", ".varve.h", ".sql", ".layout.json")) and path.is_file()
    }


def differences(expected, found):
    for path in sorted(expected.keys() | found.keys()):
        if path not in found:
            yield path, "is missing"
        elif path not in expected:
            yield path, "is no longer generated"
        elif expected[path] != found[path]:
            yield path, "differs"


def check(out, built):
    findings = [f"generated/{path} {what}" for path, what in differences(contents(out), contents(GENERATED))]
    if findings:
        findings.append("generated/ is not current: build the target `regenerate` and commit")
    if built:
        findings += [f"{built}/{path} {what}" for path, what in differences(contents(out), contents(built))]
    for line in findings:
        print(line, file=sys.stderr)
    return 1 if findings else 0


def renew(out):
    expected = contents(out)
    for path, _ in differences(expected, contents(GENERATED)):
        print(f"generated/{path}")
        target = GENERATED / path
        if path in expected:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(out / path, target)
        else:
            target.unlink()
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protoc", default="protoc")
    parser.add_argument("--check", action="store_true", help="only say what is not current")
    parser.add_argument("--built", help="a folder of the build to be compared as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generate(arguments.protoc, folder)
        if arguments.check:
            return check(Path(folder), arguments.built)
        return renew(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
