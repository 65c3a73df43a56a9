#!/bin/sh
# Builds the release preset and compares a table of ten million rows with one of a million. Some five minutes and
# 5 GB of disk, in bench_growth's --dir (default: in the build tree). Arguments go to bench_growth.
set -eu
cd "$(dirname "$0")/.."
cmake --preset release >/dev/null
cmake --build build/release --target bench_growth
build/release/bench/growth/bench_growth --json bench/results/growth.json "$@"
