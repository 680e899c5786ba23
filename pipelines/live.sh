#!/usr/bin/env bash
# Plays music from a folder by the mood of the faces before a camera; shows the annotated video in a window.
#   pipelines/live.sh ~/Music
# The music's moods come from its tags (MOOD, TMOO) or from a file song.flac.mood beside song.flac.
# Another camera: CAMERA='v4l2src device=/dev/video2' pipelines/live.sh ~/Music
# To try it without a camera: CAMERA='filesrc location=clip.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! identity sync=true' pipelines/live.sh ~/Music
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 1 ] || usage 'MUSIC-FOLDER, PLAYLIST OR LIBRARY DATABASE'
must_exist "$1"

# scan-interval reduces the CPU load: a full search twice a second, and in between only around tracked faces.
# Leaky queues drop late frames instead of delaying those after them.
exec gst-launch-1.0 -e \
    ${CAMERA:-autovideosrc} ! videoconvert ! queue leaky=downstream max-size-buffers=2 ! \
    haarfacedetect scan-interval=500000000 ! emotionclassify ! emotionoverlay ! tee name=frames \
    frames. ! queue leaky=downstream max-size-buffers=2 ! videoconvert ! ${VIDEO_SINK:-autovideosink} \
    frames. ! queue ! player.mood \
    moodplayer name=player library="$1" ! audioconvert ! audioresample ! queue ! ${AUDIO_SINK:-autoaudiosink}
