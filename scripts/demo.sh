#!/bin/sh
# Builds varve and runs its first example.
set -eu
cd "$(dirname "$0")/.."

scripts/install-dependencies.sh --for-building
cmake -S . -B build/demo -G Ninja -DCMAKE_BUILD_TYPE=Release -DVARVE_BUILD_TESTS=OFF -DVARVE_BUILD_BENCH=OFF
cmake --build build/demo
build/demo/examples/first_record/first_record
