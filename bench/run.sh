#!/bin/sh
# Builds the release preset, runs all benchmarks one after the other and writes bench/results/*.json.
# The machine should be idle; about half an hour.
set -eu
cd "$(dirname "$0")/.."
build=build/release
results=bench/results

cmake --preset release >/dev/null
cmake --build "$build" --target bench_wire bench_table bench_wordnet bench_migrate bench_cache bench_archive bench_query
mkdir -p "$results"

# What the build uses: the names and values of its cache.
cached() {
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

echo "load average: $(cut -d ' ' -f 1-3 /proc/loadavg 2>/dev/null || echo unknown)"
"$build/bench/wire/bench_wire" --json "$results/wire.json"
echo
"$build/bench/table/bench_table" --json "$results/table.json"
echo
"$build/bench/wordnet/bench_wordnet" --json "$results/wordnet.json"
echo
"$build/bench/migrate/bench_migrate" --json "$results/migrate.json"
echo
"$build/bench/cache/bench_cache" --json "$results/cache.json"
echo
"$build/bench/archive/bench_archive" --json "$results/archive.json"
echo
"$build/bench/query/bench_query" --json "$results/query.json"
echo
python=$(cached VARVE_PYTHON)
"$python" bench/codegen/bench_codegen.py --profile --json "$results/codegen.json" --python "$python" \
    --protoc "$(cached VARVE_PROTOC)" --protoc-c "$(cached VARVE_PROTOC_C)" --cc "$(cached CMAKE_C_COMPILER)"
