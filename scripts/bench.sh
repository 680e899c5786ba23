#!/usr/bin/env bash
# Benchmarks against other programs: `make bench`, or `make bench PARTS=haar` for some of them. Each part rewrites its chapter
# of benches/RESULTS.md. Compare ratios within one run, on an idle machine.
#
#   haar      crates/haar against OpenCV's detectMultiScale and haarfacedetect against the opencv plugin's element, on the
#             same frames with the same parameters, in alternation; the cost from small frames to large ones; memory over
#             100,000 frames; which settings find faces. 10 minutes.
#   tilt      faces that lean: how many are found, false detections, cost; against MediaPipe's boxes. 10 minutes.
#   film      faces that `gst-mood process` finds, and that are sharp in its film with hidden faces; against the same. 2 minutes.
#   classify  crates/mini-xception against ONNX Runtime alone; the resting face; emotionclassify in a pipeline. 3 minutes.
#   player    the mood policy against simpler ways; hours of music in lock step. 5 minutes.
#   library   a scan of 1,000 files, and picks out of up to 200,000 tracks. 10 minutes.
#   live      a live session at 720p: from the camera to panel and window, and where the processor's time goes. 2 minutes.
#   publish   what publishing costs a pipeline, a broker that stalls, how soon MPD plays what a mood asks for. 4 minutes.
#   session   gst-mood process on a talking head against decoding alone; memory over two hours, and with the film. 10 minutes.
#
# The frames are those of a real clip (MOOD_TEST_DATA), or of the demo's actor where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${MOOD_TEST_DATA:-../shared/data}
frames=target/bench-frames
export GST_PLUGIN_PATH=$PWD/target/release

find_clip() {
    clip=$data/video/WolfgangLanger_Pexels.mp4
    [ -e "$clip" ] || clip=target/demo/material/actor.mp4
    [ -e "$clip" ] || { echo 'bench: no clip: set MOOD_TEST_DATA, or run make demo first' >&2; exit 1; }
    rm -rf "$frames" && mkdir -p "$frames/curve"
    ffmpeg -v error -i "$clip" -frames:v 240 -vf scale=1280:720 -pix_fmt yuv420p -f rawvideo "$frames/720.yuv"
}

# section TITLE COMMAND...: prints a heading and the output of the command.
section() {
    printf '\n## %s\n\n```\n' "$1"
    shift
    "$@"
    printf '```\n'
}

haar() {
    local venv=target/bench-venv backends=portable,scalar size threads
    if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import cv2, PIL' 2>/dev/null; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install -q --disable-pip-version-check -r benches/requirements.txt
    fi
    cargo build -q --release -p haar --example detect
    cargo build -q --release -p gstfacedetect
    find_clip
    for size in 640x360 1280x720 1920x1080; do
        ffmpeg -v error -i "$clip" -vf "fps=1/4,scale=${size/x/:},format=gray" "$frames/$size-%02d.png"
    done
    for size in 320x240 640x480 960x540 1280x720 1920x1080 2560x1440 3840x2160; do
        ffmpeg -v error -i "$clip" -vf "fps=1/8,scale=${size/x/:},format=gray" "$frames/curve/$size-%02d.png"
    done
    ffmpeg -v error -i "$clip" -vf scale=320:180 -pix_fmt yuv420p -f rawvideo "$frames/180.yuv"
    if grep -qw avx2 /proc/cpuinfo; then backends=avx2,$backends; fi
    if grep -qw avx512vbmi /proc/cpuinfo; then backends=avx512,$backends; fi

    printf '\nFrames of %s. Medians of rounds in alternation.\n' "$(basename "$clip")"
    for threads in 1 2; do
        section "crates/haar and detectMultiScale on $threads thread(s): milliseconds a full search" \
            "$venv/bin/python" benches/haar.py --backends "$backends" --threads "$threads" "$frames"/*.png
    done
    section 'haarfacedetect and the opencv element' python3 benches/elements.py "$frames/720.yuv" 1280 720
    section 'From small frames to large ones' "$venv/bin/python" benches/curve.py "$frames"/curve/*.png
    section 'Memory' python3 benches/memory.py "$frames/180.yuv" 320 180
    if [ -d "$data/fer2013" ]; then
        section 'Which settings find faces' "$venv/bin/python" benches/quality.py --data "$data"
    fi
}

# Sets `venv` to the Python environment with the other detector.
use_reference_detector() {
    venv=target/bench-venv-tilt
    if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import cv2, mediapipe' 2>/dev/null; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install -q --disable-pip-version-check -r benches/requirements-tilt.txt
    fi
}

tilt() {
    local venv
    use_reference_detector
    [ -d "$data/images" ] || { echo 'bench: no photographs: set MOOD_TEST_DATA' >&2; exit 1; }
    cargo build -q --release -p face-search --example find_faces
    section 'The search for faces that lean' "$venv/bin/python" benches/tilt.py --data "$data" 2>/dev/null
}

film() {
    local venv
    use_reference_detector
    [ -d "$data/video" ] || { echo 'bench: no clips: set MOOD_TEST_DATA' >&2; exit 1; }
    cargo build -q --release --workspace
    section 'Faces found, and faces that the film shows' "$venv/bin/python" benches/film.py --data "$data" 2>/dev/null
}

classify() {
    cargo build -q --release -p mini-xception --example time_classify --example time_resting_face
    cargo build -q --release -p gstfacedetect -p gstemotionclassify
    find_clip
    section 'crates/mini-xception and ONNX Runtime alone' target/release/examples/time_classify
    section 'The resting face' target/release/examples/time_resting_face
    # Debian's own Python has the GStreamer bindings.
    section 'emotionclassify in a pipeline' /usr/bin/python3 benches/classify.py "$frames/720.yuv" 1280 720
}

player() {
    echo
    benches/player.sh "${HOURS:-2}"
}

library() {
    cargo build -q --release -p gst-mood
    section 'The music library' benches/library.sh
}

live() {
    cargo build -q --release -p gst-mood
    find_clip
    printf '\n1280x720 at 30 frames a second, frames of %s.\n' "$(basename "$clip")"
    # Debian's own Python has the GStreamer bindings.
    section 'From the camera to panel and window' /usr/bin/python3 benches/live.py "$frames/720.yuv"
}

publish() {
    cargo build -q --release --workspace
    # Debian's own Python has the GStreamer bindings.
    section 'Publishing, and another player' /usr/bin/python3 benches/publish.py
}

session() {
    cargo build -q --release -p gst-mood
    find_clip
    local quick=(-c:v libx264 -preset veryfast -r 30 -vf scale=1280:720 -c:a aac)
    # One minute is encoded and then repeated without encoding.
    ffmpeg -nostdin -v error -stream_loop -1 -i "$clip" -t 60 "${quick[@]}" "$frames/minute.mp4"
    ffmpeg -nostdin -v error -stream_loop 3 -i "$frames/minute.mp4" -c copy "$frames/four-minutes.mp4"
    ffmpeg -nostdin -v error -stream_loop 119 -i "$frames/minute.mp4" -c copy "$frames/two-hours.mp4"
    printf '\n1280x720 at 30 frames a second, made of %s.\n' "$(basename "$clip")"
    section 'All outputs but the annotated video' python3 benches/session.py "$frames/four-minutes.mp4"
    section 'Two hours' python3 benches/session.py --rounds 1 "$frames/two-hours.mp4"
    section 'With the annotated video' python3 benches/session.py --rounds 3 --overlay "$frames/four-minutes.mp4"
}

# chapter NAME: replaces a chapter of the results with standard input.
chapter() {
    python3 -c '
import sys
from pathlib import Path
file, name = Path("benches/RESULTS.md"), sys.argv[1]
order = ["haar", "tilt", "film", "classify", "player", "library", "live", "publish", "session", "notes"]
chapters = {}
for part in ("\n" + file.read_text() if file.exists() else "").split("\n# ")[1:]:
    chapters[part.split(None, 1)[0]] = part
chapters[name] = sys.stdin.read()
file.write_text("\n".join("# " + chapters[part].rstrip("\n") + "\n" for part in order if part in chapters))
' "$1"
}

[ $# -gt 0 ] || set -- haar tilt film classify player library live publish session
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
mkdir -p target/bench
for part in "$@"; do
    case $part in haar | tilt | film | classify | player | library | live | publish | session) ;; *) echo "bench: no part $part" >&2; exit 2 ;; esac
    {
        printf '%s\n\n' "$part"
        printf 'Written by `make bench PARTS=%s` on %s: %s, %s cores, %s.\n' \
            "$part" "$(date -u +%F)" "$cpu" "$(nproc)" "$(rustc --version | cut -d' ' -f1-2)"
        "$part"
    } >"target/bench/$part.md"
    chapter "$part" <"target/bench/$part.md"
    cat "target/bench/$part.md"
done
rm -rf "$frames"
