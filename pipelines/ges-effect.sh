#!/usr/bin/env bash
# Renders a recording with the annotation as an effect of GStreamer Editing Services, as Pitivi uses them (package ges1.0-tools).
#   pipelines/ges-effect.sh session.mp4 annotated.webm
# In Pitivi and in programs of your own the effect is the same text: GESEffect with this bin description.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 2 ] || usage 'VIDEO OUTPUT.webm'
must_exist "$1"

exec ges-launch-1.0 +clip "$1" +effect "haarfacedetect ! emotionclassify ! emotionoverlay" \
    --outputuri "file://$(realpath -m "$2")" --format 'video/webm:video/x-vp8:audio/x-vorbis'
