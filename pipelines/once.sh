#!/usr/bin/env bash
# One look into the camera becomes a playlist for any player.
#   pipelines/once.sh ~/Music evening.m3u8
# The music is a folder, a playlist, or a database that home.sh or `gst-mood library scan` made.
# Another camera: CAMERA='v4l2src device=/dev/video2 num-buffers=90'; how many tracks: COUNT=20
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 2 ] || usage 'MUSIC OUTPUT.m3u8'
must_exist "$1"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# Some seconds rather than one picture: cameras begin dark, and faces move.
gst-launch-1.0 -q -e ${CAMERA:-autovideosrc num-buffers=90} ! videoconvert ! jpegenc ! matroskamux ! \
    filesink location="$folder/look.mkv"
mood recommend "$folder/look.mkv" --library "$1" --count "${COUNT:-10}" --m3u8 >"$folder/list.m3u8"
mv "$folder/list.m3u8" "$2"
