#!/usr/bin/env python3
"""C files are a fixed point of .clang-format, generated ones are, and those say nothing about when and
where they were made.

    check_format.py                    everything
    check_format.py --generated DIR    a folder of generated files too, such as the build's

The generator runs twice over schema/cortex, in other folders, with another hash seed, another time
and its inputs in another order: what it writes must be the same, byte for byte. Golden files are
compared with what the generator writes by tests/codegen; here they are only looked at.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

OWN_FOLDERS = ("runtime", "tests", "examples", "bench", "tools")
OWN_SUFFIXES = (".c", ".h", ".cc")

# What a generated file must not hold. Each is tried on SAMPLES before it is trusted.
TRACES = {
    "a date": re.compile(r"\b(19|20)\d\d-\d\d-\d\d\b(?!T00:00:00Z)"),
    "a time of day": re.compile(r"\b\d\d:\d\d:\d\d\b(?<!00:00:00)"),
    "a version": re.compile(r"\bv?\d+\.\d+\.\d+\b"),
    "an absolute path": re.compile(r"(?<![\w.*/:)])/(?:home|root|tmp|usr|opt|work|var|build|Users)\b"),
}
SAMPLES = {
    "a date": "made on 2024-02-29",
    "a time of day": "at 12:34:56",
    "a version": "protoc-gen-varve 0.1.0",
    "an absolute path": "from /home/ada/lab/x.proto",
}
ALLOWED = "ns since 1970-01-01T00:00:00Z"  # what doc comments say of times

TIMEOUT_SECONDS = 120


def main():
    arguments = parse_arguments()
    findings = list(self_test())
    with tempfile.TemporaryDirectory(prefix="varve-format-") as folder:
        findings += compare_runs(arguments, Path(folder))
        trees = [Path(folder) / "first"] + generated_folders(arguments.generated)
        made = [path for each in trees for path in c_files(each)]
        own = own_files(set(made))
        findings += formatting(arguments, own + made)
        others = [path for each in trees for ext in (".sql", ".layout.json") for path in sorted(each.rglob(f"*{ext}"))]
        findings += [finding for path in made + others for finding in traces(path)]
    for finding in findings:
        print(finding)
    print(f"{len(own)} written and {len(made)} generated files, {len(findings)} findings")
    return 1 if findings else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description="Formatting of C files, and reproducible output.")
    parser.add_argument("--generated", action="append", default=[], type=Path,
                        help="a folder of generated files, beside generated/ and the golden ones")
    parser.add_argument("--protoc", default=os.environ.get("VARVE_PROTOC", "protoc"))
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    for tool in ("clang-format", arguments.protoc):
        if not shutil.which(tool):
            parser.error(f"no {tool}; run scripts/install-dependencies.sh")
    return arguments


def self_test():
    """The patterns find what they are for."""
    for what, pattern in TRACES.items():
        if not pattern.search(SAMPLES[what]):
            yield f"check_format.py does not notice {what} in: {SAMPLES[what]}"
        if pattern.search(ALLOWED):
            yield f"check_format.py takes this for {what}: {ALLOWED}"


# -------------------------------------------------------------------- files


def generated_folders(named):
    golden = sorted((ROOT / "tests" / "codegen" / "cases").glob("*/expected"))
    if not golden:
        sys.exit("no golden files in tests/codegen/cases/*/expected")
    committed = ROOT / "generated"
    return named + ([committed] if committed.is_dir() else []) + golden


def c_files(folder):
    found = sorted(folder.rglob("*.varve.[ch]"))
    if not found:
        sys.exit(f"{folder} has no generated files")
    return found


def own_files(made):
    found = []
    for name in OWN_FOLDERS:
        files = (ROOT / name).rglob("*")
        found += sorted(p for p in files if p.suffix in OWN_SUFFIXES and p.is_file() and p not in made)
    if not found:
        sys.exit(f"no C files in {', '.join(OWN_FOLDERS)}")
    return found


# -------------------------------------------------------------------- checks


def formatting(arguments, paths):
    """The first line of each file that clang-format would change."""
    chunks = [paths[i :: arguments.jobs] for i in range(arguments.jobs)]
    command = ["clang-format", "--dry-run", "-Werror", f"--style=file:{ROOT / '.clang-format'}"]
    running = [
        subprocess.Popen([*command, *chunk], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for chunk in chunks if chunk
    ]
    findings = []
    for process in running:
        _, text = process.communicate(timeout=TIMEOUT_SECONDS)
        firsts = {}
        for line in text.splitlines():
            match = re.match(r"(/.+?):(\d+):\d+: error: code should be clang-formatted", line)
            if match:
                firsts.setdefault(match[1], match[2])
        findings += [f"{shown(path)}:{line}: clang-format would change this" for path, line in firsts.items()]
        if process.returncode and not firsts:
            findings.append(f"clang-format fails\n{text}")
    return sorted(findings)


def traces(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for what, pattern in TRACES.items():
            if pattern.search(line):
                yield f"{shown(path)}:{number}: holds {what}: {line.strip()}"


def compare_runs(arguments, folder):
    """Two runs over cortex that must not differ. The umbrella depends on the order; see the golden cases."""
    protos = sorted(p.relative_to(ROOT / "schema").as_posix() for p in (ROOT / "schema" / "cortex").glob("*.proto"))
    if len(protos) < 2:
        sys.exit("schema/cortex has no two files to give in another order")
    first = run_generator(arguments, folder / "first", "0", protos)
    time.sleep(1.1)  # so that a time would show
    again = run_generator(arguments, folder / "again", "1", protos)
    turned = run_generator(arguments, folder / "turned", "424242", protos[::-1], "emit=file")
    if first != again:
        yield f"two runs differ in {', '.join(differences(first, again))}"
    if not turned:
        yield "emit=file writes nothing"
    per_file = {name: first.get(name) for name in turned}
    if per_file != turned:
        yield f"inputs in another order make other {', '.join(differences(per_file, turned))}"


def run_generator(arguments, out, seed, protos, options=""):
    """{path: bytes} of what the plugin writes."""
    out.mkdir(parents=True)
    command = [
        arguments.protoc,
        f"--plugin=protoc-gen-varve={ROOT / 'codegen' / 'protoc-gen-varve'}",
        f"--varve_out={options}:{out}" if options else f"--varve_out={out}",
        f"-I{ROOT / 'schema'}",
        *protos,
    ]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    result = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True,
                            timeout=TIMEOUT_SECONDS, check=False)
    if result.returncode or result.stderr:
        sys.exit(f"the generator fails on schema/cortex\n{result.stderr}")
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def differences(a, b):
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def shown(path):
    path = Path(path).resolve()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


if __name__ == "__main__":
    sys.exit(main())
