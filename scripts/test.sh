#!/bin/sh
# Builds and tests everything, once plain and once with sanitizers. Arguments go to ctest:
#
#     scripts/test.sh -R codegen
set -eu
cd "$(dirname "$0")/.."

scripts/install-dependencies.sh

for preset in dev asan; do
    echo "== $preset"
    cmake --preset "$preset"
    cmake --build --preset "$preset"
    ctest --preset "$preset" "$@"
done
