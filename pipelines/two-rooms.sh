#!/usr/bin/env bash
# Two rooms, each with a camera, music and loudspeakers of its own, in one process; each also publishes its mood.
#   pipelines/two-rooms.sh ~/Music
# Cameras: CAMERA_1='v4l2src device=/dev/video0', CAMERA_2='rtspsrc location=... ! decodebin'. Loudspeakers: AUDIO_SINK_1='alsasink
# device=hw:0', AUDIO_SINK_2. Another folder for the second room: MUSIC_2=~/Lullabies. Moods go where PUBLISH_1 and PUBLISH_2 say, for example
# mqtt://mood@localhost/kitchen (docs/publishing.md); without them nowhere.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 1 ] || usage 'MUSIC-FOLDER-OR-PLAYLIST'
must_exist "$1"
must_exist "${MUSIC_2:-$1}"
publish_1=identity publish_2=identity
[ -z "${PUBLISH_1:-}" ] || publish_1="emotionpublish changes-only=true uri=$PUBLISH_1"
[ -z "${PUBLISH_2:-}" ] || publish_2="emotionpublish changes-only=true uri=$PUBLISH_2"

exec gst-launch-1.0 -e \
    ${CAMERA_1:-v4l2src device=/dev/video0} ! videoconvert ! queue leaky=downstream max-size-buffers=2 ! \
    haarfacedetect scan-interval=500000000 ! emotionclassify ! $publish_1 ! queue ! first.mood \
    moodplayer name=first library="$1" ! audioconvert ! audioresample ! queue ! ${AUDIO_SINK_1:-autoaudiosink} \
    ${CAMERA_2:-v4l2src device=/dev/video1} ! videoconvert ! queue leaky=downstream max-size-buffers=2 ! \
    haarfacedetect scan-interval=500000000 ! emotionclassify ! $publish_2 ! queue ! second.mood \
    moodplayer name=second library="${MUSIC_2:-$1}" ! audioconvert ! audioresample ! queue ! ${AUDIO_SINK_2:-autoaudiosink}
