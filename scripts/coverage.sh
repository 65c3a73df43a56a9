#!/bin/sh
# Builds with --coverage, runs the tests with label runtime, and prints the line coverage of each file
# of runtime/ and of all. Needs gcc and its gcov. GCOV names another gcov, such as gcov-13.
set -eu
cd "$(dirname "$0")/.."
cmake --preset coverage
cmake --build --preset coverage --parallel 2
find build/coverage -name '*.gcda' -delete
status=0
ctest --preset coverage || status=$?
python3 scripts/coverage.py build/coverage/runtime
exit "$status"
