#!/bin/sh
# Builds with --coverage, runs all tests that run code of runtime/ (the preset's labels), and prints the coverage
# of each file of runtime/ and of all, by lines and by branches. What a process did that was killed does not count.
# Needs gcc and its gcov. GCOV names another gcov, such as gcov-13.
set -eu
cd "$(dirname "$0")/.."
cmake --preset coverage
cmake --build --preset coverage --parallel 2
find build/coverage -name '*.gcda' -delete
status=0
ctest --preset coverage || status=$?
python3 scripts/coverage.py build/coverage/runtime || status=$?
exit "$status"
