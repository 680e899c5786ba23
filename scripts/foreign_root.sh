#!/usr/bin/env bash
# foreign_root.sh SUITE COMMAND...: runs a command on a copy of this working tree in a root of another distribution (trixie: Debian 13;
# noble: Ubuntu 24.04), in which everything is installed that building and running needs. The root is target/roots/SUITE, made once
# (mmdebstrap, 1.3 GB); the tree is /src there and keeps its target/, so that a second run builds only what has changed. Rust and
# the crates are this machine's: the toolchain that rustup has installed, and the registry in Cargo's folder (without its bin/, whose
# cargo-clippy would ask for rustup). It needs root and the archive.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 2 ] || { echo 'usage: foreign_root.sh SUITE COMMAND...' >&2; exit 2; }
suite=$1
shift
[ "$(id -u)" = 0 ] || { echo 'foreign_root: run it as root: it makes a root folder and enters it' >&2; exit 1; }
toolchain=$(rustc --print sysroot)
[ "$toolchain" != /usr ] || { echo 'foreign_root: Rust of rustup is needed: that of this distribution runs nowhere else' >&2; exit 1; }
cargo_home=${CARGO_HOME:-$HOME/.cargo}
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
mkdir -p "$root/src/target" "$root/rust" "$root/cargo/registry"
find "$root/src" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
# Also files that are not committed yet; those that are deleted are left out.
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar -c --null -T - | tar -x -C "$root/src"
[ ! -e target/onnxruntime/libonnxruntime.so ] || cp -aT target/onnxruntime "$root/src/target/onnxruntime"

# In a mount namespace of its own: nothing of this machine stays mounted below target/, which may be deleted, however this ends.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
exec unshare --mount --propagation private sh -c '
    set -e
    root=$1 toolchain=$2 cargo_home=$3
    shift 3
    mount -t proc proc "$root/proc"
    [ -c "$root/dev/null" ] || mount --bind /dev "$root/dev"
    for folder in "$toolchain:$root/rust" "$cargo_home/registry:$root/cargo/registry"; do
        mount --bind "${folder%%:*}" "${folder#*:}"
        mount -o remount,bind,ro "${folder#*:}"
    done
    exec chroot "$root" env -i SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" CARGO_INCREMENTAL=0 CARGO_HOME=/cargo CARGO_NET_OFFLINE=true \
        PATH=/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        sh -c "cd /src && exec \"\$@\"" sh "$@"
' sh "$root" "$toolchain" "$cargo_home" "$@"
