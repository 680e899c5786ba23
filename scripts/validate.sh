#!/usr/bin/env bash
# Runs scenarios of GstValidate (seeks, pauses, trick modes) on pipelines with all elements and lists what it reports. Debian 12 and
# Ubuntu have no package with gst-validate-1.0 (GStreamer's gst-devtools): without it, the script says so and does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v gst-validate-1.0 >/dev/null; then
    echo "skipped: gst-validate-1.0 is not installed; it is built from gst-devtools of GStreamer's sources"
    exit 0
fi
export GST_PLUGIN_PATH=$PWD/target/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gst-launch-1.0 -q audiotestsrc num-buffers=1000 ! flacenc ! filesink location="$work/happy.flac"
echo happy >"$work/happy.flac.mood"
gst-launch-1.0 -q videotestsrc num-buffers=250 ! video/x-raw,width=320,height=240,framerate=25/1 ! x264enc ! mp4mux \
    ! filesink location="$work/clip.mp4"
video="filesrc location=$work/clip.mp4 ! decodebin ! videoconvert ! haarfacedetect ! emotionclassify"
player="moodplayer name=player library=$work manual-mood=happy ! audioconvert ! fakesink sync=true"
failed=0
for scenario in play_15s simple_seeks scrub_forward_seeking seek_with_stop seek_forward pause_resume change_state_intensive; do
    for pipeline in "$video ! emotionoverlay ! emotionlog location=$work/log.jsonl ! fakesink sync=true" \
        "$video ! player.mood $player"; do
        echo "$scenario: ${pipeline##*emotionclassify ! }"
        # shellcheck disable=SC2086 # words are elements
        timeout 120 gst-validate-1.0 --set-scenario "$scenario" $pipeline || failed=1
    done
done
exit $failed
