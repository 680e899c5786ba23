#!/usr/bin/env bash
# Creates an annotated video from a recording, with a soundtrack chosen by its moods.
#   pipelines/annotate.sh session.mp4 ~/Music annotated.mp4
# The same recording and music give the same soundtrack every time; the decisions are logged in annotated.mp4.music.jsonl.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 3 ] || usage 'VIDEO MUSIC-FOLDER-OR-PLAYLIST OUTPUT.mp4'
must_exist "$1"
must_exist "$2"

# The queues in front of the muxer hold the finished data of one branch while the encoder of the other still looks ahead.
exec gst-launch-1.0 \
    filesrc location="$1" ! decodebin ! videoconvert ! videoflip video-direction=auto ! \
    haarfacedetect ! emotionclassify ! emotionoverlay ! tee name=frames \
    frames. ! queue ! videoconvert ! x264enc pass=qual speed-preset=veryfast ! h264parse ! queue ! mux. \
    frames. ! queue ! player.mood \
    moodplayer name=player library="$2" log-location="$3.music.jsonl" ! \
    audioconvert ! avenc_aac ! aacparse ! queue ! mux. \
    mp4mux name=mux faststart=true ! filesink location="$3"
