#!/usr/bin/env bash
# Simulates hours of playback: how well the mood policy follows under measured classifier errors compared with simpler methods
# (crates/mood), and a day of music in lock step with 2,000 track changes (moodplayer). Prints Markdown; the day takes minutes.
#
# Usage: benches/player.sh [HOURS]    default: 24
set -euo pipefail
cd "$(dirname "$0")/.."

echo '## The mood policy and simpler ways, 4 hours with the measured confusion matrix, 16 seeds'
echo
cargo run -q --release -p mood --example simulate
echo
echo '## moodplayer: a day in lock step'
echo
echo '```'
cargo run -q --release -p gstmoodplayer --example soak_test -- "${1:-24}"
echo '```'
