#!/usr/bin/env bash
# Runs the fuzz targets in parallel: `make fuzz MINUTES=60`. New inputs are kept in target/fuzz for the next run; an input that
# fails ends the run and is written to fuzz/artifacts. The corpus in fuzz/corpus is not changed.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=${1:-1}
export PATH=$PWD/target/fuzz-tools/bin:$PATH
command -v cargo-fuzz >/dev/null || cargo install -q --locked --root target/fuzz-tools cargo-fuzz
# Sanitizers need a nightly compiler, or this variable with a stable one.
export RUSTC_BOOTSTRAP=1
cd fuzz
cargo fuzz build --release
runs=()
for target in cascade detect; do
    mkdir -p "../target/fuzz/$target"
    # Leak detection is off: it reports threads whose destructors the C library has not freed yet.
    options=(-max_total_time=$((60 * minutes)) -timeout=120 -rss_limit_mb=2048 -max_len=40000 -detect_leaks=0)
    [ $target = detect ] || options+=("-dict=$target.dict")
    cargo fuzz run --release $target "../target/fuzz/$target" "corpus/$target" -- "${options[@]}" \
        >"../target/fuzz/$target.log" 2>&1 &
    runs+=($!)
done
failed=0
for run in "${runs[@]}"; do wait "$run" || failed=1; done
tail -n 1 ../target/fuzz/*.log
exit $failed
