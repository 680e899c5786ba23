#!/usr/bin/env bash
# Plays music from a folder by the mood of the faces before a network camera (RTSP), and shows the annotated video in a window.
#   pipelines/rtsp-camera.sh rtsp://192.168.1.20:554/stream1 ~/Music
# Cameras with ONVIF show this address in their settings. One with a password takes rtsp://USER:PASSWORD@...; every user of this
# computer can then read it in the list of processes, so give the camera a user of its own who may only look.
# Over TCP, because lost packets damage faces. LATENCY=500 (milliseconds) for a camera behind a slow network. Sinks as for live.sh.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 2 ] || usage 'rtsp://CAMERA MUSIC-FOLDER-OR-PLAYLIST'
must_exist "$2"

# Some cameras send sound as well, and others analysis (ONVIF metadata): only the picture is taken.
export CAMERA="rtspsrc location=$1 protocols=tcp latency=${LATENCY:-200} ! application/x-rtp,media=video ! decodebin"
exec "$here/live.sh" "$2"
