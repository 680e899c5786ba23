#!/usr/bin/env bash
# Creates a playlist for any player from a few seconds of camera video.
#   pipelines/once.sh ~/Music evening.m3u8
# MUSIC is a folder, a playlist, or a database created by home.sh or `gst-mood library scan`.
# Another camera: CAMERA='v4l2src device=/dev/video2 num-buffers=90'. Number of tracks: COUNT=20
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 2 ] || usage 'MUSIC OUTPUT.m3u8'
must_exist "$1"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# Some seconds rather than one frame: cameras need time to adapt to the light, and faces move.
gst-launch-1.0 -q -e ${CAMERA:-autovideosrc num-buffers=90} ! videoconvert ! jpegenc ! matroskamux ! \
    filesink location="$folder/clip.mkv"
mood recommend "$folder/clip.mkv" --library "$1" --count "${COUNT:-10}" --m3u8 >"$folder/list.m3u8"
mv "$folder/list.m3u8" "$2"
