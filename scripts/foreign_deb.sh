#!/usr/bin/env bash
# Builds the Debian packages in a root of scripts/foreign_root.sh, in which everything is installed that `make deb` needs.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked --workspace
scripts/third_party.py notices target/third-party-notices.txt
scripts/deb.sh
