#!/usr/bin/env bash
# Writes the timeline of a recording: the faces, emotions, valence and arousal of every frame, as JSON Lines or CSV.
#   pipelines/timeline.sh session.mp4 timeline.jsonl
#   pipelines/timeline.sh session.mp4 timeline.csv
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 2 ] || usage 'VIDEO OUTPUT.jsonl|OUTPUT.csv'
must_exist "$1"
case $2 in
*.csv) format=csv ;;
*) format=jsonl ;;
esac

exec gst-launch-1.0 \
    filesrc location="$1" ! decodebin ! videoconvert ! videoflip video-direction=auto ! \
    haarfacedetect ! emotionclassify ! emotionlog location="$2" format="$format" ! fakesink
