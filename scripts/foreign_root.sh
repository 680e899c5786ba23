#!/usr/bin/env bash
# foreign_root.sh SUITE COMMAND...: runs a command on a copy of this working tree in a root of another distribution (trixie: Debian 13;
# noble: Ubuntu 24.04), in which everything is installed that building and running needs. The root is target/roots/SUITE, made once
# (mmdebstrap, 1.3 GB); the tree is /src there and keeps its target/, so that a second run builds only what has changed. Rust and
# the crates are this machine's (scripts/enter_root.sh). It needs root and the archive.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 2 ] || { echo 'usage: foreign_root.sh SUITE COMMAND...' >&2; exit 2; }
suite=$1
shift
[ "$(id -u)" = 0 ] || { echo 'foreign_root: run it as root: it makes a root folder and enters it' >&2; exit 1; }
root=$PWD/target/roots/$suite

build=(build-essential pkg-config python3 libcairo2-dev libpango1.0-dev
       libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev)
run=(gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
     gstreamer1.0-libav opencv-data fonts-dejavu-core)
if [ ! -e "$root.ready" ]; then
    . scripts/suites.sh "$suite"
    rm -rf --one-file-system "$root"
    mkdir -p target/roots
    echo "foreign_root: making a root of $suite" >&2
    mmdebstrap --quiet --variant=apt "${suite_options[@]}" --include="$(IFS=,; echo "${build[*]},${run[*]}")" "$suite" "$root" \
        ${suite_mirror:+"$suite_mirror"} >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    chroot "$root" apt-get update -qq
    touch "$root.ready"
fi

cargo fetch --locked --quiet
mkdir -p "$root/src/target"
find "$root/src" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
# Also files that are not committed yet; those that are deleted are left out.
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar -c --null -T - | tar -x -C "$root/src"
[ ! -e target/onnxruntime/libonnxruntime.so ] || cp -aT target/onnxruntime "$root/src/target/onnxruntime"

exec scripts/enter_root.sh "$root" "$@"
