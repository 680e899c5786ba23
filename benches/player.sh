#!/usr/bin/env bash
# What the music does over hours, in numbers: how well the mood policy follows through measured errors beside simpler ways
# (crates/mood), and a day of music in lock step with 2,000 switches (moodplayer). Prints Markdown; the day takes minutes.
#
# Usage: benches/player.sh [HOURS], 24 where not given.
set -euo pipefail
cd "$(dirname "$0")/.."

echo '## The mood policy and simpler ways, 4 hours with the measured confusion matrix, 16 seeds'
echo
cargo run -q --release -p mood --example simulate
echo
echo '## moodplayer: a day in lock step'
echo
echo '```'
cargo run -q --release -p gstmoodplayer --example day -- "${1:-24}"
echo '```'
