#!/usr/bin/env python3
"""Prints the line coverage of runtime/, from what the tests left in the given build folder."""

import collections
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
GCOV = os.environ.get("GCOV", "gcov")


def read_counts(folder: pathlib.Path) -> dict[str, dict[int, int]]:
    """How often each line of each file was run: {file: {line: count}}."""
    counts: dict[str, dict[int, int]] = collections.defaultdict(lambda: collections.defaultdict(int))
    for notes in sorted(folder.rglob("*.gcno")):
        command = [GCOV, "--json-format", "--stdout", notes]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            for file in json.loads(line)["files"]:
                for entry in file["lines"]:
                    counts[os.path.join(folder, file["file"])][entry["line_number"]] += entry["count"]
    return counts


def main() -> int:
    folder = pathlib.Path(sys.argv[1]).resolve()
    rows = []
    for name, lines in read_counts(folder).items():
        path = pathlib.Path(name).resolve()
        if path.is_relative_to(ROOT / "runtime"):
            hit = sum(count > 0 for count in lines.values())
            rows.append((hit / len(lines), hit, len(lines), path.relative_to(ROOT)))
    if not any(hit for _, hit, _, _ in rows):
        print(f"{folder}: no test has left counts there; run scripts/coverage.sh", file=sys.stderr)
        return 1
    hit, total = sum(row[1] for row in rows), sum(row[2] for row in rows)
    for share, file_hit, file_total, path in sorted(rows, key=lambda row: row[0]):
        print(f"{share:7.1%}  {file_hit:5} of {file_total:5}  {path}")
    print(f"{hit / total:7.1%}  {hit:5} of {total:5}  runtime/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
