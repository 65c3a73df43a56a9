#!/usr/bin/env python3
"""Measures protoc-gen-varve: time to generate, what comes out, and what that costs to compile.

    bench_codegen.py [--json FILE] [--rounds N] [--sizes 10,100,200,1000] [--profile]

The schemas have that many messages of 20 fields of mixed types, each with a table, comments, a
reference, a map and a tensor. The counterpart is protoc-c on the same messages without options. Both
run alternately, in random order; a time is that of the whole command. A ratio above 1 says that
varve is better: faster, or smaller.

--profile adds where the time of a generation goes.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from schemas import FIELDS, schema, schema_c, schema_with_queries

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "codegen" / "protoc-gen-varve"
INCLUDES = [ROOT / "runtime" / "include"]
STAGES = Path(__file__).resolve().parent / "stages.py"
BAR_MESSAGES, BAR_SECONDS = 200, 1.5
QUERIES, QUERIES_OVER, BAR_QUERIES_SECONDS = 100, 10, 5.0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each measurement (default 7)")
    parser.add_argument("--sizes", default="10,100,200,1000", help="numbers of messages, with commas")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    parser.add_argument("--protoc", default="protoc")
    parser.add_argument("--protoc-c", default="protoc-c")
    parser.add_argument("--python", help="the plugin's interpreter (default: its launcher looks for one)")
    parser.add_argument("--cc", default="cc")
    arguments = parser.parse_args()
    arguments.sizes = [int(size) for size in arguments.sizes.split(",")]
    if arguments.rounds < 1 or min(arguments.sizes) < 1:
        parser.error("rounds and sizes are 1 or more")
    if arguments.python:
        os.environ["VARVE_PYTHON"] = arguments.python
    return arguments


def run(command):
    """Runs a command, which must succeed, and returns its seconds."""
    start = time.perf_counter()
    try:
        result = subprocess.run([str(part) for part in command], stderr=subprocess.PIPE, check=False)
    except OSError as error:
        sys.exit(f"error: cannot run {command[0]}: {error.strerror}")
    seconds = time.perf_counter() - start
    if result.returncode != 0:
        sys.exit(f"error: {command[0]} failed:\n{result.stderr.decode(errors='replace')}")
    return seconds


def processor_time(command):
    """The seconds of processor time that a command took, with all that it started and waited for."""
    process = os.posix_spawnp(str(command[0]), [str(part) for part in command], os.environ)
    _, status, usage = os.wait4(process, 0)
    if status != 0:
        sys.exit(f"error: {command[0]} failed")
    return usage.ru_utime + usage.ru_stime


def alternate(rounds, ours, theirs):
    """Lists of times of two commands, run alternately after one run each to warm up."""
    times = {"ours": [], "theirs": []}
    sides = [("ours", ours), ("theirs", theirs)]
    for i in range(rounds + 1):
        random.shuffle(sides)
        for name, command in sides:
            seconds = run(command)
            if i > 0:
                times[name].append(seconds)
    return times["ours"], times["theirs"]


class Results:
    def __init__(self):
        self.rows = []
        print(f"{'work':34} {'ours':>16} {'theirs':>16} {'ratio':>7}  counterpart", flush=True)

    def add(self, work, ours, theirs, unit, runs, ratio=None, counterpart="protoc-c"):
        if ratio is None:
            ratio = theirs / ours
        digits = 0 if unit in ("lines", "bytes") else 1
        print(
            f"{work:34} {f'{ours:.{digits}f} {unit}':>16} {f'{theirs:.{digits}f} {unit}':>16}"
            f" {ratio:6.2f}x  {counterpart}",
            flush=True,
        )
        self.rows.append(
            {
                "work": work,
                "ours": round(ours, digits),
                "theirs": round(theirs, digits),
                "counterpart": counterpart,
                "unit": unit,
                "ratio": round(ratio, 3),
                "runs": runs,
            }
        )

    def add_times(self, work, ours, theirs, counterpart="protoc-c"):
        ratio = statistics.median(b / a for a, b in zip(ours, theirs))
        self.add(
            work, statistics.median(ours) * 1e3, statistics.median(theirs) * 1e3, "ms", len(ours), ratio, counterpart
        )


def lines_of(*paths):
    return sum(path.read_bytes().count(b"\n") for path in paths)


def object_bytes(path):
    """Bytes of code and data (without .bss), as size(1) counts them."""
    output = subprocess.run(["size", str(path)], stdout=subprocess.PIPE, check=True, text=True).stdout
    text, data = output.splitlines()[1].split()[:2]
    return int(text) + int(data)


class Bench:
    """One size: its two schemas in a folder, and the commands on them."""

    def __init__(self, arguments, folder, messages):
        self.arguments = arguments
        self.messages = messages
        self.folder = folder
        self.name = f"bench_{messages}"
        (folder / f"{self.name}.proto").write_text(schema(messages))
        (folder / f"{self.name}_c.proto").write_text(schema_c(messages))

    def ours(self, output="varve", *more):
        return [
            self.arguments.protoc, *more, f"--{output}_out={self.folder}", f"-I{self.folder}",
            f"-I{ROOT / 'schema'}", f"{self.name}.proto",
        ]  # fmt: skip

    def generate_ours(self):
        return self.ours("varve", f"--plugin=protoc-gen-varve={PLUGIN}")

    def generate_theirs(self):
        return [
            self.arguments.protoc_c, f"--c_out={self.folder}", f"-I{self.folder}", f"{self.name}_c.proto"
        ]  # fmt: skip

    def compile(self, source, target):
        includes = [f"-I{folder}" for folder in [self.folder, *INCLUDES]]
        return [self.arguments.cc, "-O2", "-c", *includes, source, "-o", target]

    def measure(self, results):
        n, rounds = self.messages, self.arguments.rounds
        times = alternate(rounds, self.generate_ours(), self.generate_theirs())
        results.add_times(f"generate {n} messages", *times)
        ours = self.folder / f"{self.name}.varve.c"
        theirs = self.folder / f"{self.name}_c.pb-c.c"
        both = [lines_of(path, path.with_suffix(".h")) for path in (ours, theirs)]
        results.add(f"lines of {n} messages", *both, "lines", 1)

        objects = [self.folder / "ours.o", self.folder / "theirs.o"]
        rounds = min(rounds, 5) if n <= 200 else min(rounds, 3)
        commands = [self.compile(*pair) for pair in zip((ours, theirs), objects)]
        results.add_times(f"compile {n} messages, -O2", *alternate(rounds, *commands))
        both = [object_bytes(path) / n for path in objects]
        results.add(f"object of {n}, per message", *both, "bytes", 1)
        return statistics.median(times[0])


def measure_queries(arguments, folder, results):
    """Typed queries: what trying them on SQLite adds to the same schema without them."""
    commands = []
    for name, text in (
        ("queries", schema_with_queries(QUERIES_OVER, QUERIES)),
        ("plain", schema(QUERIES_OVER)),
    ):
        (folder / f"{name}.proto").write_text(text)
        commands.append(
            [arguments.protoc, f"--plugin=protoc-gen-varve={PLUGIN}", f"--varve_out={folder}", f"-I{folder}",
             f"-I{ROOT / 'schema'}", f"{name}.proto"]
        )  # fmt: skip
    times = alternate(arguments.rounds, *commands)
    results.add_times(f"generate {QUERIES} queries", *times, "without them")
    return statistics.median(times[0])


# ---------------------------------------------------------------------------- profile


def profile(bench):
    """Medians of the stages of one generation, each time in a new process, as protoc starts it. In
    processor time, which other programs disturb less."""
    request = bench.folder / "request.bin"
    dump = bench.folder / "protoc-gen-dump"
    # The answer says FEATURE_PROTO3_OPTIONAL, else protoc refuses the schema.
    dump.write_text(f'#!/bin/sh\ncat > "{request}" && printf "\\020\\001"\n')
    dump.chmod(0o755)
    python = bench.arguments.python or sys.executable
    runs = {}
    for _ in range(bench.arguments.rounds):
        stages = {}
        hand_over = bench.ours("dump", f"--plugin=protoc-gen-dump={dump}")
        stages["protoc parses, hands over"] = processor_time(hand_over)
        stages["Python starts"] = processor_time([python, "-c", "pass"])
        output = subprocess.run(
            [python, STAGES, ROOT / "codegen", request], stdout=subprocess.PIPE, check=True
        ).stdout
        stages.update(json.loads(output))
        stages["the whole command"] = processor_time(bench.generate_ours())
        for name, seconds in stages.items():
            runs.setdefault(name, []).append(seconds)
    medians = {name: statistics.median(times) for name, times in runs.items()}
    whole = medians.pop("the whole command")
    print(f"\nGenerating {bench.messages} messages takes {whole * 1e3:.0f} ms of processor time:")
    medians["rest (launcher, writing files, exit)"] = whole - sum(medians.values())
    for name, seconds in medians.items():
        print(f"  {name:36} {seconds * 1e3:7.1f} ms {seconds / whole:5.0%}")


def main():
    arguments = parse_arguments()
    seconds = {}
    with tempfile.TemporaryDirectory(prefix="varve-bench-") as folder:
        results = Results()
        benches = [Bench(arguments, Path(folder), messages) for messages in arguments.sizes]
        for bench in benches:
            seconds[bench.messages] = bench.measure(results)
        asked = measure_queries(arguments, Path(folder), results)
        verdict = "met" if asked < BAR_QUERIES_SECONDS else "MISSED"
        print(f"bar: {QUERIES} typed queries in under {BAR_QUERIES_SECONDS} s: {verdict}")
        if BAR_MESSAGES in seconds:
            verdict = "met" if seconds[BAR_MESSAGES] < BAR_SECONDS else "MISSED"
            bench = next(bench for bench in benches if bench.messages == BAR_MESSAGES)
            busy = min(processor_time(bench.generate_ours()) for _ in range(3))
            print(
                f"bar: {BAR_MESSAGES} messages of {FIELDS} fields in under {BAR_SECONDS} s: {verdict}"
                f" ({busy:.2f} s of processor time; when the machine is busy the rest is waiting)"
            )
        if arguments.profile:
            for bench in benches:
                profile(bench)
    if arguments.json:
        rows = ",\n".join("  " + json.dumps(row) for row in results.rows)
        arguments.json.write_text(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main()
