#!/usr/bin/env bash
# A camera drives music from a folder: the picture in a window, the sound in the loudspeakers.
#   pipelines/live.sh ~/Music
# The music's moods come from its tags (MOOD, TMOO) or from a file song.flac.mood beside song.flac.
# Another camera: CAMERA='v4l2src device=/dev/video2' pipelines/live.sh ~/Music
# To try it without one: CAMERA='filesrc location=clip.mp4 ! decodebin ! identity sync=true' pipelines/live.sh ~/Music
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 1 ] || usage 'MUSIC-FOLDER, PLAYLIST OR LIBRARY DATABASE'
must_exist "$1"

# scan-interval spares the processor: a full search twice a second, and in between only around the faces.
# leaky queues: a picture that comes too late is dropped rather than delaying everything behind it.
exec gst-launch-1.0 -e \
    ${CAMERA:-autovideosrc} ! videoconvert ! queue leaky=downstream max-size-buffers=2 ! \
    haarfacedetect scan-interval=500000000 ! emotionclassify ! emotionoverlay ! tee name=frames \
    frames. ! queue leaky=downstream max-size-buffers=2 ! videoconvert ! ${VIDEO_SINK:-autovideosink} \
    frames. ! queue ! player.mood \
    moodplayer name=player library="$1" ! audioconvert ! audioresample ! queue ! ${AUDIO_SINK:-autoaudiosink}
