#!/bin/sh
# Builds varve and runs two examples. A spiking network learns for twelve episodes, which go into a store in
# build/demo/learning-data and come out of it as a figure; each further run goes on learning. Then WordNet's
# 117,659 concepts and 364,552 relationships go into a store in build/demo/wordnet-data, and what surrounds a
# word comes out of it.
#
#     scripts/demo.sh             the neighbours of "dog"
#     scripts/demo.sh "hot dog"   of another word; what is loaded stays loaded
set -eu
cd "$(dirname "$0")/.."

scripts/install-dependencies.sh --for-building
cmake -S . -B build/demo -G Ninja -DCMAKE_BUILD_TYPE=Release -DVARVE_BUILD_TESTS=OFF -DVARVE_BUILD_BENCH=OFF
cmake --build build/demo
echo
build/demo/examples/learning_episode/learning_episode --data-dir build/demo/learning-data
echo
build/demo/examples/wordnet/wordnet --data-dir build/demo/wordnet-data "$@"
