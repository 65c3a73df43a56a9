#!/usr/bin/env python3
"""Prints the coverage of runtime/ by lines and by branches, from what the tests left in the given build folder, the
least covered file first. Fails when less than 90% of all lines are covered."""

import collections
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
GCOV = os.environ.get("GCOV", "gcov")
BAR = 0.9

Counts = dict[tuple, int]


def read_counts(folder: pathlib.Path) -> tuple[dict[str, Counts], dict[str, Counts]]:
    """How often each line and each branch of each file was taken: {file: {(line,): count}}, {file: {(line, function,
    index): count}}. A header is compiled many times, so counts are added up; so is a line in several functions, whose
    branches are their own."""
    lines: dict[str, Counts] = collections.defaultdict(lambda: collections.defaultdict(int))
    branches: dict[str, Counts] = collections.defaultdict(lambda: collections.defaultdict(int))
    for notes in sorted(folder.rglob("*.gcno")):
        command = [GCOV, "--json-format", "--branch-probabilities", "--stdout", notes]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        for text in done.stdout.splitlines():
            for file in json.loads(text)["files"]:
                name = os.path.join(folder, file["file"])
                for entry in file["lines"]:
                    line, function = entry["line_number"], entry.get("function_name", "")
                    lines[name][(line,)] += entry["count"]
                    for index, branch in enumerate(entry["branches"]):
                        branches[name][(line, function, index)] += branch["count"]
    return lines, branches


def covered(counts: Counts) -> tuple[int, int]:
    """How many were taken, and how many there are."""
    return sum(count > 0 for count in counts.values()), len(counts)


def show(hit: int, total: int) -> str:
    share = hit / total if total else 1.0
    return f"{share:7.1%} {hit:6} of {total:6}"


def main() -> int:
    folder = pathlib.Path(sys.argv[1]).resolve()
    lines, branches = read_counts(folder)
    rows = []
    for name, counts in lines.items():
        path = pathlib.Path(name).resolve()
        if path.is_relative_to(ROOT / "runtime"):
            rows.append((path.relative_to(ROOT), covered(counts), covered(branches[name])))
    if not any(by_line[0] for _, by_line, _ in rows):
        print(f"{folder}: no test has left counts there; run scripts/coverage.sh", file=sys.stderr)
        return 1
    print(f"{'lines':>24}{'branches':>26}")
    for path, by_line, by_branch in sorted(rows, key=lambda row: row[1][0] / row[1][1]):
        print(f"{show(*by_line)}  {show(*by_branch)}  {path}")
    all_lines = tuple(map(sum, zip(*(row[1] for row in rows))))
    all_branches = tuple(map(sum, zip(*(row[2] for row in rows))))
    print(f"{show(*all_lines)}  {show(*all_branches)}  runtime/")
    below = sum(hit / total < BAR for _, (hit, total), _ in rows)
    print(f"{below} of {len(rows)} files have less than {BAR:.0%} of their lines covered")
    return 0 if all_lines[0] / all_lines[1] >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
