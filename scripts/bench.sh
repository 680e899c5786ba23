#!/usr/bin/env bash
# Side-by-side benchmarks: `make bench`. Times crates/haar against OpenCV's detectMultiScale and haarfacedetect against the
# opencv plugin's element, on the same frames with the same parameters, in alternation; the cost from small frames to large
# ones; memory over 100,000 frames; and which settings find faces. Writes benches/RESULTS.md. Takes a quarter of an hour;
# ratios of one run are what counts.
#
# The frames are those of a real clip (MOOD_TEST_DATA), or of the demo's actor where that is absent.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=target/bench-venv
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import cv2, PIL' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r benches/requirements.txt
fi
cargo build --release -p haar --example detect
cargo build --release -p gstfacedetect
export GST_PLUGIN_PATH=$PWD/target/release

data=${MOOD_TEST_DATA:-../shared/data}
clip=$data/video/WolfgangLanger_Pexels.mp4
[ -e "$clip" ] || clip=target/demo/material/actor.mp4
[ -e "$clip" ] || { echo 'bench: no clip: set MOOD_TEST_DATA, or run make demo first' >&2; exit 1; }
frames=target/bench-frames
rm -rf "$frames" && mkdir -p "$frames/curve"
for size in 640x360 1280x720 1920x1080; do
    ffmpeg -v error -i "$clip" -vf "fps=1/4,scale=${size/x/:},format=gray" "$frames/$size-%02d.png"
done
for size in 320x240 640x480 960x540 1280x720 1920x1080 2560x1440 3840x2160; do
    ffmpeg -v error -i "$clip" -vf "fps=1/8,scale=${size/x/:},format=gray" "$frames/curve/$size-%02d.png"
done
ffmpeg -v error -i "$clip" -frames:v 240 -vf scale=1280:720 -pix_fmt yuv420p -f rawvideo "$frames/720.yuv"
ffmpeg -v error -i "$clip" -vf scale=320:180 -pix_fmt yuv420p -f rawvideo "$frames/180.yuv"

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
backends=portable,scalar
if grep -qw avx2 /proc/cpuinfo; then backends=avx2,$backends; fi
if grep -qw avx512vbmi /proc/cpuinfo; then backends=avx512,$backends; fi
{
    echo '# Benchmark results'
    echo
    echo "Written by \`make bench\` on $(date -u +%F): $cpu, $(nproc) cores, $(rustc --version | cut -d' ' -f1-2)."
    echo "Frames of $(basename "$clip"). Medians of rounds in alternation."
    echo
    echo '## crates/haar and detectMultiScale: milliseconds a full search'
    for threads in 1 2; do
        echo
        echo '```'
        "$venv/bin/python" benches/haar.py --backends "$backends" --threads "$threads" "$frames"/*.png
        echo '```'
    done
    echo
    echo '## haarfacedetect and the opencv element'
    echo
    echo '```'
    python3 benches/elements.py "$frames/720.yuv" 1280 720
    echo '```'
    echo
    echo '## From small frames to large ones'
    echo
    echo '```'
    "$venv/bin/python" benches/curve.py "$frames"/curve/*.png
    echo '```'
    echo
    echo '## Memory'
    echo
    echo '```'
    python3 benches/memory.py "$frames/180.yuv" 320 180
    echo '```'
    if [ -d "$data/fer2013" ]; then
        echo
        echo '## Which settings find faces'
        echo
        echo '```'
        "$venv/bin/python" benches/quality.py --data "$data"
        echo '```'
    fi
} >benches/RESULTS.md.part
mv benches/RESULTS.md.part benches/RESULTS.md
rm -r "$frames"
cat benches/RESULTS.md
