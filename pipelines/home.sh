#!/usr/bin/env bash
# A living room: the music in a folder becomes a library that knows tempo, key, loudness and a guess at every mood, and
# a camera drives it.
#   pipelines/home.sh ~/Music
# Run it again whenever there is new music: only what changed is read. Corrections are the household's:
#   gst-mood library set ~/Music/song.flac --mood 'calm, warm' --rating 2
#   gst-mood library set ~/Music/march.ogg --exclude
# Another database: LIBRARY=living-room.db; cameras and sinks are as in live.sh.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 1 ] || usage 'MUSIC-FOLDER-OR-PLAYLIST'
must_exist "$1"
library=${LIBRARY:-${XDG_DATA_HOME:-$HOME/.local/share}/gst-mood/library.db}

# Exit code 1: some files cannot be played, and have been named; the others can.
mood library scan "$1" --library "$library" || [ $? = 1 ]
must_exist "$library"
exec "$here/live.sh" "$library"
