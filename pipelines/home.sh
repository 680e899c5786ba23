#!/usr/bin/env bash
# For a living room: scans a music folder into a library database with tempo, key, loudness and an estimate of the mood of each
# track, then plays from it by the mood of the faces before a camera.
#   pipelines/home.sh ~/Music
# Run it again whenever there is new music: only changed files are read. Estimates can be corrected:
#   gst-mood library set ~/Music/song.flac --mood 'calm, warm' --rating 2
#   gst-mood library set ~/Music/march.ogg --exclude
# Another database: LIBRARY=living-room.db. Cameras and sinks are set as for live.sh.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 1 ] || usage 'MUSIC-FOLDER-OR-PLAYLIST'
must_exist "$1"
library=${LIBRARY:-${XDG_DATA_HOME:-$HOME/.local/share}/gst-mood/library.db}

# Exit code 1: some files cannot be played and have been reported; the others are in the library.
mood library scan "$1" --library "$library" || [ $? = 1 ]
must_exist "$library"
exec "$here/live.sh" "$library"
