#!/usr/bin/env bash
# Detection only: prints a message `faces` whenever the faces in a recording change; SHOW=1 also draws their boxes.
#   pipelines/detect.sh session.mp4
#   SHOW=1 pipelines/detect.sh session.mp4
# Another cascade: CASCADE=profileface, or a path. With eyes: EYES=eye
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 1 ] || usage 'VIDEO'
must_exist "$1"
sink=fakesink
[ -z "${SHOW:-}" ] || sink='emotionoverlay ! videoconvert ! autovideosink'

exec gst-launch-1.0 -m \
    filesrc location="$1" ! decodebin ! videoconvert ! videoflip video-direction=auto ! \
    haarfacedetect cascade="${CASCADE:-frontalface_default}" ${EYES:+eyes-cascade="$EYES"} messages=on-change ! $sink
