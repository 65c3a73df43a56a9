#!/bin/sh
# Installs the Debian packages that building and testing varve needs, those that are missing.
# Says nothing and needs no rights when all are there. With --for-building those for tests and
# benchmarks are left out.
set -eu
export DEBIAN_FRONTEND=noninteractive

build="gcc cmake ninja-build pkg-config libc6-dev libprotobuf-c-dev libsqlite3-dev libhiredis-dev libzstd-dev liblz4-dev libdeflate-dev liblzf-dev libxxhash-dev libaec-dev libhdf5-dev libssl-dev"
data="wordnet-base" # what the demo loads
generator="protobuf-compiler libprotobuf-dev python3 python3-protobuf python3-jinja2"
tests="g++ make libcmocka-dev clang libclang-rt-14-dev clang-format locales redis-server python3-zstandard python3-lz4 python3-h5py python3-hdmf hdf5-tools"
bench="protobuf-c-compiler python3-redis python3-h5py"

wanted="$build $generator $data"
[ "${1:-}" = "--for-building" ] || wanted="$wanted $tests $bench"

missing=""
for package in $wanted; do
    # shellcheck disable=SC2016
    state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    case $state in
    ii*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null; then
    as_root="sudo env DEBIAN_FRONTEND=$DEBIAN_FRONTEND"
else
    echo "Missing packages:$missing" >&2
    echo "Neither root nor sudo is here. Run as root: apt-get install$missing" >&2
    exit 1
fi

echo "Installing:$missing"
# shellcheck disable=SC2086
$as_root apt-get -qq update
# shellcheck disable=SC2086
$as_root apt-get -qq install --yes --no-install-recommends $missing
