#!/usr/bin/env bash
# Measures the time of scanning a library and of choosing a track: benches/library.sh [FOLDER]
# Creates 1,000 files of 45 s in six formats in FOLDER (default: a temporary one, removed afterwards) from the demo's music
# with ffmpeg, scans them twice, and chooses from libraries of up to 200,000 tracks. Needs the results of `make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
gst_mood=${GST_MOOD:-target/release/gst-mood}
source=${MUSIC:-target/demo/material/music}
[ -x "$gst_mood" ] && [ -d "$source" ] || { echo 'library.sh: run make demo first' >&2; exit 1; }

if [ $# -gt 0 ]; then
    folder=$1
    mkdir -p "$folder"
else
    folder=$(mktemp -d)
    trap 'rm -r "$folder"' EXIT
fi

# Sixty excerpts of one long recording, and copies of them with different titles: no two files have the same content, so each
# is decoded and analysed.
if [ ! -e "$folder/made" ]; then
    for piece in "$source"/*.flac; do
        printf "file '%s'\n" "$(realpath "$piece")"
    done >"$folder/pieces.txt"
    ffmpeg -v error -y -f concat -safe 0 -i "$folder/pieces.txt" -ar 44100 "$folder/all.wav"
    formats=(flac ogg mp3 m4a wav opus)
    mkdir -p "$folder/excerpts"
    for number in $(seq 0 59); do
        ffmpeg -v error -y -ss $((2 * number)) -t 45 -i "$folder/all.wav" \
            "$folder/excerpts/$number.${formats[$((number % 6))]}"
    done
    for number in $(seq 0 999); do
        format=${formats[$((number % 6))]}
        mkdir -p "$folder/music/$((number % 20))"
        ffmpeg -v error -y -i "$folder/excerpts/$((number % 60)).$format" -c copy -metadata title="Number $number" \
            "$folder/music/$((number % 20))/$number.$format"
    done
    rm -r "$folder/excerpts" "$folder/all.wav" "$folder/pieces.txt"
    touch "$folder/made"
fi

rm -f "$folder/library.db"*
nproc | sed 's/$/ cores/'
for _ in first second; do
    { time "$gst_mood" library scan "$folder/music" --library "$folder/library.db"; } 2>&1
done
cargo run -q --release -p music-library --example pick
