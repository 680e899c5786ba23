#!/usr/bin/env bash
# Runs tests under sanitizers: `make sanitize`, or scripts/sanitize.sh address haar for one sanitizer and some packages. The builds
# are kept in target/sanitize.
set -euo pipefail
cd "$(dirname "$0")/.."

platform=$(rustc -vV | sed -n 's/^host: //p')
# Sanitizers need a nightly compiler, or this variable with a stable one.
export RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0

# run SANITIZER FLAGS PACKAGE...
run() {
    local packages=() package
    for package in "${@:3}"; do packages+=(-p "$package"); done
    RUSTFLAGS="-Zsanitizer=$1 $2" cargo test --target "$platform" --target-dir "target/sanitize/$1" --no-fail-fast --lib --tests \
        "${packages[@]}"
}

# AddressSanitizer: the only crate with `unsafe`, and the plugins, which pass memory to and from C.
address() {
    # What GLib and fontconfig keep until the process ends counts as a leak; tests/tests/faults.rs measures growth instead.
    # GLib's own allocator would hide accesses beside its blocks.
    ASAN_OPTIONS=detect_leaks=0 G_SLICE=always-malloc run address '' "$@"
}

# ThreadSanitizer: crates with threads, without code in C, whose locks it does not know.
thread() {
    TSAN_OPTIONS="suppressions=$PWD/scripts/tsan.txt" run thread -Cunsafe-allow-abi-mismatch=sanitizer "$@"
}

case ${1:-all} in
address) shift && address "$@" ;;
thread) shift && thread "$@" ;;
all)
    address haar mood-meta gstfacedetect gstemotionclassify gstmoodplayer
    thread haar panel
    ;;
*)
    echo "sanitize.sh [address|thread PACKAGE...]" >&2
    exit 2
    ;;
esac
