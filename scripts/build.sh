#!/usr/bin/env bash
# Installs what is missing and compiles the plugins and the command line: `build.sh`; all tests too: `build.sh tests`.
# Compilers and headers come first. All other packages and wheels, which are most of what a fresh machine lacks, are
# downloaded and unpacked while the crates are compiled.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build
# A shell's background processes ignore interrupts; an interrupt has to end this one too.
env --default-signal=INT,QUIT scripts/setup.sh &
setup=$!
status=0
cargo build --release --workspace || status=$?
if [ "$status" = 0 ] && [ "${1:-}" = tests ]; then
    cargo test --release --workspace --no-run --quiet || status=$?
fi
if ! wait "$setup"; then
    echo 'build: not everything is installed that running and testing need: see the lines of setup above' >&2
    [ "$status" != 0 ] || status=1
fi
exit "$status"
