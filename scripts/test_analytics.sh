#!/usr/bin/env bash
# Clippy and the tests of the feature v1_24, the metas of GStreamer's analytics library, which need GStreamer 1.24 or later:
# `make test-analytics` runs this in a root of Debian 13.
set -euo pipefail
cd "$(dirname "$0")/.."

pkg-config --print-errors --exists 'gstreamer-analytics-1.0 >= 1.24'
echo "test_analytics: GStreamer $(pkg-config --modversion gstreamer-1.0)"
# Always the same packages: others would have dependencies with other features, which are built anew.
cargo_on_all() {
    cargo "$1" --release --locked --features v1_24 -p mood-meta -p gstfacedetect -p gstemotionclassify -p gstmoodplayer "${@:2}"
}
cargo_on_all test --lib --test analytics
cargo_on_all clippy --all-targets -- -D warnings
echo 'test_analytics: passed'
