#!/usr/bin/env python3
"""Golden tests of the generator: every folder under cases/ is one test.

    run.py                     all cases
    run.py scalars bad_proto2  these
    run.py --regen [CASE..]    write what the plugin does now as what is expected: read it

A case holds its schema (in.proto, or several files and protos.txt, which lists the inputs in the
order of the command line), parameters of the plugin if it needs some (varve_opt.txt, one a line;
{case} is the case's folder), and what is expected:

    expected/     the generated files, byte for byte. The plugin runs twice, in different folders
                  and with different hash seeds, must write the same, and nothing on stderr.
    stderr.txt    the messages of a run that fails and writes nothing. These cases are named bad_*.

A package's descriptor set is embedded in its .c as bytes, options.proto included: a thousand lines
that nobody reads. Golden files have their count and hash in their place. Keep the schema of a case
small, one feature each.
"""
import argparse
import concurrent.futures
import difflib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# protoc adds this to what the plugin says. Another status is a crash, and stays visible.
PROTOC_LINE = "--varve_out: protoc-gen-varve: Plugin failed with status code 1.\n"

MESSAGE = re.compile(r"([^\s:]+\.proto):([1-9]\d*):([1-9]\d*): error: \S.*; \S.*")

DESCRIPTOR_SET = re.compile(rb"(descriptor_set\[\] = \{\n)((?: *0x[^\n]*\n)+)")

TIMEOUT_SECONDS = 120
DIFF_LINES = 60  # of one file, so that a change of every case stays readable


class Failure(Exception):
    """Why a case fails; the text is shown below its name."""


def main():
    arguments = parse_arguments()
    cases = find_cases(arguments.case)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(lambda case: run_case(case, arguments), cases))
    failures = [(case, text) for case, text in zip(cases, results) if text is not None]
    for case, text in failures:
        print(f"FAILED {case.name}\n{indent(text)}")
    print(f"{len(cases) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description="Golden tests of the generator.")
    parser.add_argument("--regen", action="store_true", help="rewrite expected/ and stderr.txt")
    parser.add_argument("--protoc", default=os.environ.get("PROTOC", "protoc"))
    parser.add_argument("--plugin", default=os.environ.get("PROTOC_GEN_VARVE",
                                                           ROOT / "codegen" / "protoc-gen-varve"))
    parser.add_argument("--schema", default=os.environ.get("VARVE_SCHEMA_DIR", ROOT / "schema"),
                        help="the folder that holds varve/options.proto")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("case", nargs="*")
    arguments = parser.parse_args()
    arguments.protoc = shutil.which(arguments.protoc) or parser.error(
        f"no protoc at {arguments.protoc}; install protobuf-compiler or set PROTOC")
    if not os.access(arguments.plugin, os.X_OK):
        parser.error(f"no plugin at {arguments.plugin}; give --plugin or set PROTOC_GEN_VARVE")
    if not (Path(arguments.schema) / "varve" / "options.proto").is_file():
        parser.error(f"no varve/options.proto in {arguments.schema}; give --schema")
    return arguments


def find_cases(names):
    folder = HERE / "cases"
    cases = sorted(path for path in folder.iterdir() if path.is_dir())
    unknown = set(names) - {case.name for case in cases}
    if unknown:
        sys.exit(f"no such case in {folder}: {', '.join(sorted(unknown))}")
    cases = [case for case in cases if not names or case.name in names]
    if not cases:
        sys.exit(f"no cases in {folder}")
    return cases


def run_case(case, arguments):
    """Returns None, or the text that says why the case fails."""
    try:
        check_folder(case, arguments.regen)
        if case.name.startswith("bad_"):
            run_bad(case, arguments)
        else:
            run_good(case, arguments)
    except Failure as failure:
        return str(failure)
    return None


def check_folder(case, regen):
    bad = case.name.startswith("bad_")
    expected, unexpected = ("stderr.txt", "expected") if bad else ("expected", "stderr.txt")
    if (case / unexpected).exists():
        raise Failure(f"has {unexpected}, but bad_* have stderr.txt and the others expected/")
    if not regen and not (case / expected).exists():
        raise Failure(f"has no {expected} yet: run run.py --regen {case.name} and read the result")


def run_good(case, arguments):
    first = generate(case, arguments, seed=0)
    second = generate(case, arguments, seed=1)
    if first != second:
        raise Failure("two runs differ\n" + compare(first, second, "first", "second"))
    folder = case / "expected"
    if arguments.regen:
        write_tree(folder, first)
    else:
        wanted = read_tree(folder)
        if wanted != first:
            raise Failure(compare(wanted, first, "expected", "generated"))


def generate(case, arguments, seed):
    """What the plugin writes for the case, as {path: bytes}."""
    status, text, files = run_protoc(case, arguments, seed)
    if status != 0:
        raise Failure(f"should generate, but exits with {status}\n{text}")
    if text:
        raise Failure(f"generates, but says on stderr\n{text}")
    if not files:
        raise Failure("succeeds, but writes nothing")
    return files


def run_bad(case, arguments):
    status, text, files = run_protoc(case, arguments, seed=0)
    if status == 0:
        raise Failure("should fail, but the plugin accepts it")
    if files:
        raise Failure("fails, but writes " + ", ".join(sorted(files)))
    check_messages(text, inputs(case))
    path = case / "stderr.txt"
    if arguments.regen:
        path.write_text(text, encoding="utf-8")
        return
    wanted = path.read_text(encoding="utf-8")
    if wanted != text:
        raise Failure(diff(wanted, text, "expected", "stderr"))


def check_messages(text, files):
    """What a message looks like is part of the contract, so --regen cannot write anything else."""
    if not text:
        raise Failure("fails without a message")
    places = []
    for line in text.splitlines():
        match = MESSAGE.fullmatch(line)
        if not match:
            raise Failure("not of the form FILE:LINE:COL: error: what is wrong; how to mend it\n"
                          + text)
        if match[1] not in files:
            raise Failure(f"is about {match[1]}, which is not of this case\n{text}")
        places.append((files.index(match[1]), int(match[2]), int(match[3]), line))
    if places != sorted(places):
        raise Failure("messages are not in the order of the files and their lines\n" + text)
    if len(set(places)) != len(places):
        raise Failure("says the same twice\n" + text)


def run_protoc(case, arguments, seed):
    """Runs protoc with the plugin: exit status, stderr and {path: bytes} of what it wrote."""
    with tempfile.TemporaryDirectory(prefix="varve-codegen-") as folder:
        out = Path(folder) / f"out{seed}"
        out.mkdir()
        command = [
            arguments.protoc,
            f"--plugin=protoc-gen-varve={Path(arguments.plugin).resolve()}",
            f"--varve_out={out}",
            f"-I{Path(arguments.schema).resolve()}",
            f"-I{case}",
            *parameters(case),
            *inputs(case),
        ]
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        try:
            result = subprocess.run(command, cwd=folder, env=environment, capture_output=True,
                                    timeout=TIMEOUT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f"is not done after {TIMEOUT_SECONDS} seconds") from None
        text = result.stderr.decode("utf-8", "backslashreplace").replace(str(case), "{case}")
        files = {path: shorten(content) for path, content in read_tree(out).items()}
        return result.returncode, text.replace(PROTOC_LINE, ""), files


def shorten(content):
    """Generated text with its descriptor set as count and hash."""
    def summary(match):
        digest = hashlib.sha256(match[2]).hexdigest()
        return match[1] + f"    /* {match[2].count(b'0x')} bytes, {digest[:16]} */\n".encode()

    return DESCRIPTOR_SET.sub(summary, content)


def inputs(case):
    listing = case / "protos.txt"
    if not listing.exists():
        return ["in.proto"]
    return listing.read_text(encoding="utf-8").split()


def parameters(case):
    listing = case / "varve_opt.txt"
    if not listing.exists():
        return []
    texts = listing.read_text(encoding="utf-8").replace("{case}", str(case)).split()
    return [f"--varve_opt={text}" for text in texts]


def read_tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def write_tree(folder, files):
    if folder.exists():
        shutil.rmtree(folder)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def compare(old, new, old_name, new_name):
    """Says how two trees differ."""
    parts = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            parts.append(f"{name}: {old_name}, but not {new_name}")
        elif name not in old:
            parts.append(f"{name}: {new_name}, but not {old_name}")
        elif old[name] != new[name]:
            texts = [tree[name].decode("utf-8", "backslashreplace") for tree in (old, new)]
            parts.append(diff(*texts, f"{old_name}/{name}", f"{new_name}/{name}"))
    return "\n".join(parts)


def diff(old, new, old_name, new_name):
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name,
                                      n=2, lineterm=""))
    if not lines:
        return f"{old_name} and {new_name} differ only in line ends"
    if len(lines) > DIFF_LINES:
        lines[DIFF_LINES:] = [f".. {len(lines) - DIFF_LINES} more lines"]
    return "\n".join(lines)


def indent(text):
    return "\n".join("    " + line for line in text.rstrip("\n").split("\n"))


if __name__ == "__main__":
    sys.exit(main())
