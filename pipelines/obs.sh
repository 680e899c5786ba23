#!/usr/bin/env bash
# Gives OBS Studio and other programs the annotated picture of a camera.
#   pipelines/obs.sh                      # in OBS: Sources > Media Source, not a local file, input udp://127.0.0.1:5000
#   SHM=/tmp/mood pipelines/obs.sh        # by shared memory, without loss: shmsrc socket-path=/tmp/mood ! video/x-raw,... in obs-gstreamer
# The picture is 1280x720 at 30 frames a second (SIZE='width=640,height=480'), another port: PORT=5001. BLUR=1 hides faces. Cameras as for
# live.sh.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 0 ] || usage ''
overlay=emotionoverlay
[ -z "${BLUR:-}" ] || overlay='emotionoverlay blur-faces=true'
if [ -n "${SHM:-}" ]; then
    rm -f "$SHM"
    sink="shmsink socket-path=$SHM wait-for-connection=false sync=false"
else
    sink="x264enc tune=zerolatency speed-preset=veryfast key-int-max=30 bitrate=6000 ! h264parse config-interval=-1 ! mpegtsmux alignment=7 ! udpsink host=127.0.0.1 port=${PORT:-5000}"
fi

exec gst-launch-1.0 -e \
    ${CAMERA:-autovideosrc} ! videoconvert ! videoscale add-borders=true ! videorate ! \
    "video/x-raw,format=I420,${SIZE:-width=1280,height=720},framerate=30/1" ! \
    queue leaky=downstream max-size-buffers=2 ! haarfacedetect scan-interval=500000000 ! emotionclassify ! \
    $overlay ! videoconvert ! video/x-raw,format=I420 ! queue leaky=downstream max-size-buffers=2 ! $sink
