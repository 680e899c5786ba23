#!/usr/bin/env bash
# Runs the fuzz targets side by side: `make fuzz MINUTES=60`. What they find new is kept in target/fuzz and tried first the
# next time; a finding ends the run and lies in fuzz/artifacts. The corpus in fuzz/corpus stays as small as it is.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=${1:-1}
export PATH=$PWD/target/fuzz-tools/bin:$PATH
command -v cargo-fuzz >/dev/null || cargo install -q --locked --root target/fuzz-tools cargo-fuzz
# Sanitizers are for nightly compilers; this lets the stable one have them too.
export RUSTC_BOOTSTRAP=1
cd fuzz
cargo fuzz build --release
runs=()
for target in cascade detect; do
    mkdir -p "../target/fuzz/$target"
    # A thread that ends counts as a leak while the C library still frees its list of destructors: no search for leaks.
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
