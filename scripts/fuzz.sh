#!/usr/bin/env bash
# Runs the fuzz targets one after the other: `make fuzz MINUTES=60`, or scripts/fuzz.sh 60 timeline tags for some of them. New
# inputs are kept in target/fuzz for the next run (with 0 minutes, seeds only); an input that fails is written to fuzz/artifacts, and the next target runs.
# The corpus in fuzz/corpus is not changed. Targets without a corpus begin with seeds that this script makes.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=${1:-1}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(cascade detect container notes photo playlist table tags timeline metadata frames)
export PATH=$PWD/target/fuzz-tools/bin:$PATH
command -v cargo-fuzz >/dev/null || cargo install -q --locked --root target/fuzz-tools cargo-fuzz
# Sanitizers need a nightly compiler, or this variable with a stable one.
export RUSTC_BOOTSTRAP=1
# What GLib and fontconfig keep until the process ends counts as a leak.
export ASAN_OPTIONS=detect_leaks=0

# seed TARGET NAME [PREFIX]: a seed from standard input; PREFIX, in printf's notation, is what the target reads first.
seed() {
    mkdir -p "target/fuzz/$1"
    { printf "${3:-}"; cat; } >"target/fuzz/$1/seed-$2"
}

make_seeds() {
    printf '%s\n' '#EXTM3U' '#EXTINF:5,Nobody - Song' 'song.mp3' 'http://example.org/a.ogg' | seed playlist m3u8 '\001'
    printf '%s\n' '[playlist]' 'File1=song.mp3' 'Title1=Song' 'NumberOfEntries=1' | seed playlist pls '\003'
    printf '%s\n' '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/" xml:base="music/"><trackList>' \
        '<track><location>song%20a.mp3</location><title>Song</title></track></trackList></playlist>' | seed playlist xspf '\002'
    printf '%s\n' 'uri,title,mood,mood_from,loudness,bpm,key,rating,excluded' \
        'file:///a.mp3,A,"happy, calm",user,-14.5,120,Am,2,0' | seed table table
    printf '%s' '{"type":"session","schema":1,"generator":"g","settings":{}}
{"type":"frame","frame":0,"pts":0,"faces":[{"id":1,"box":[0.1,0.2,0.3,0.3],"label":"happy","confidence":0.9,' \
        '"probabilities":[0,0,0,1,0,0,0],"valence":0.8,"arousal":0.2,"quality":0.7}]}
{"type":"mood","pts":0,"from":"absent","to":"happy","confidence":0.7,"evidence":[0,1]}
{"type":"track","pts":1,"event":"started","uri":"file:///a.wav","title":"a","mood":"happy"}
{"type":"end","pts":40000000,"frames":1}
' | seed timeline timeline
    printf '%s\n' 'subject = "client"' 'client = "A"' 'consent = "signed"' '[people.client]' 'name = "Ada"' 'ids = [1, 4]' \
        '[people.other]' 'ids = [2]' | seed notes people
    echo 'people = 2' | seed notes count
    local formats=(mp3 flac ogg opus m4a wav wma ape aiff wv) index path
    for index in "${!formats[@]}"; do
        path=target/fuzz/seed.${formats[index]}
        # Formats that this ffmpeg cannot write have no seed.
        ffmpeg -nostdin -v quiet -y -f lavfi -i sine=frequency=440:duration=0.05 -metadata title=T -metadata mood=happy \
            -metadata TMOO=happy -metadata replaygain_track_gain='-7 dB' "$path" || continue
        { printf 'happy'; cat "$path"; } | seed tags "${formats[index]}" "\\$(printf %03o "$index")\\005"
        for prefix in '\000' '\001' '\002'; do seed container "${formats[index]}${prefix#?}" "$prefix" <"$path"; done
    done
    for path in mp4 mkv webm ts avi; do
        ffmpeg -nostdin -v quiet -y -f lavfi -i testsrc=size=16x16:rate=5:duration=0.4 "target/fuzz/seed.$path" || continue
        seed container "$path" '\000' <"target/fuzz/seed.$path"
    done
    for path in jpg png bmp tiff webp; do
        ffmpeg -nostdin -v quiet -y -f lavfi -i testsrc=size=16x12 -frames:v 1 "target/fuzz/seed.$path" || continue
        seed photo "$path" <"target/fuzz/seed.$path"
    done
    # The page in which the comments of Ogg end, with the second of them.
    printf 'OggS\000\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\001\013\007\000\000\000TITLE=a' |
        seed container ogg-comments '\003'
    # EXIF, orientation 6, in its place behind the first marker.
    tail -c +3 target/fuzz/seed.jpg | seed photo exif \
        '\377\330\377\341\000\042Exif\000\000II*\000\010\000\000\000\001\000\022\001\003\000\001\000\000\000\006\000\000\000\000\000\000\000'
}

make_seeds
[ "$minutes" != 0 ] || exit 0
[ ! -e target/onnxruntime/libonnxruntime.so ] || export ORT_DYLIB_PATH=$PWD/target/onnxruntime/libonnxruntime.so
cd fuzz
failed=0
for target in "${targets[@]}"; do
    features=()
    case $target in metadata | frames) features=(--features elements) ;; esac
    mkdir -p "../target/fuzz/$target" "corpus/$target"
    # Leak detection is off: it reports threads whose destructors the C library has not freed yet.
    options=(-max_total_time=$((60 * minutes)) -timeout=120 -rss_limit_mb=2048 -max_len=40000 -detect_leaks=0)
    [ ! -e "$target.dict" ] || options+=("-dict=$target.dict")
    if ! cargo fuzz run --release "${features[@]}" "$target" "../target/fuzz/$target" "corpus/$target" -- "${options[@]}" \
        >"../target/fuzz/$target.log" 2>&1; then
        echo "$target: failed, see target/fuzz/$target.log and fuzz/artifacts/$target" >&2
        failed=1
    fi
    rmdir "corpus/$target" 2>/dev/null || true
    printf '%s: %s\n' "$target" "$(tail -n 1 "../target/fuzz/$target.log")"
done
rm -rf /dev/shm/gst-mood-fuzz-*
exit $failed
