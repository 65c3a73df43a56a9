#!/bin/sh
# Builds varve and runs its first example.
set -eu
cd "$(dirname "$0")/.."

scripts/install-dependencies.sh
cmake --preset release
cmake --build --preset release
build/release/examples/first_record/first_record
