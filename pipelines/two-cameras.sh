#!/usr/bin/env bash
# Two cameras and one player: the music follows the mean over the faces in both.
#   pipelines/two-cameras.sh ~/Music
# Other cameras: CAMERA_1='v4l2src device=/dev/video0' CAMERA_2='rtspsrc location=... ! decodebin' pipelines/two-cameras.sh ...
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 1 ] || usage 'MUSIC-FOLDER-OR-PLAYLIST'
must_exist "$1"

exec gst-launch-1.0 -e \
    moodplayer name=player library="$1" subject=mean ! audioconvert ! audioresample ! queue ! \
    ${AUDIO_SINK:-autoaudiosink} \
    ${CAMERA_1:-v4l2src device=/dev/video0} ! videoconvert ! queue leaky=downstream max-size-buffers=2 ! \
    haarfacedetect scan-interval=500000000 ! emotionclassify ! queue ! player.mood_0 \
    ${CAMERA_2:-v4l2src device=/dev/video1} ! videoconvert ! queue leaky=downstream max-size-buffers=2 ! \
    haarfacedetect scan-interval=500000000 ! emotionclassify ! queue ! player.mood_1
