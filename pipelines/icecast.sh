#!/usr/bin/env bash
# Sends the music that fits the mood before a camera to an Icecast server, so that any player in the house can listen:
#   ICECAST_PASSWORD_FILE=~/.icecast pipelines/icecast.sh ~/Music server 8000 /mood.ogg
# The file's first line is the server's source password. Only the music leaves the computer, no picture. Cameras as for live.sh.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# = 4 ] || usage 'MUSIC-FOLDER-OR-PLAYLIST HOST PORT /MOUNT.ogg'
must_exist "$1"
must_exist "${ICECAST_PASSWORD_FILE:?is the file with the source password}"

# The password is no argument, which every user of the computer could read: Python sets it.
# Debian's own Python has GStreamer (python3-gi, python3-gst-1.0).
exec /usr/bin/python3 - "$@" <<'PYTHON'
import os, shlex, signal, sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

music, host, port, mount = sys.argv[1:]
Gst.init(None)
camera = os.environ.get("CAMERA", "autovideosrc")
pipeline = Gst.parse_launch(
    f"{camera} ! videoconvert ! queue leaky=downstream max-size-buffers=2 ! "
    "haarfacedetect scan-interval=500000000 ! emotionclassify ! queue ! player.mood "
    f"moodplayer name=player library={shlex.quote(music)} ! audioconvert ! audioresample ! "
    "audio/x-raw,rate=44100,channels=2 ! queue ! vorbisenc quality=0.5 ! oggmux max-delay=500000000 ! "
    "shout2send name=server protocol=http streamname=mood"
)
server = pipeline.get_by_name("server")
server.set_property("ip", host)
server.set_property("port", int(port))
server.set_property("mount", mount)
with open(os.environ["ICECAST_PASSWORD_FILE"], encoding="utf-8") as file:
    server.set_property("password", file.readline().strip())
loop = GLib.MainLoop()
failed = False


def receive(_bus, message):
    global failed
    if message.type == Gst.MessageType.ERROR:
        print("icecast.sh:", message.parse_error()[0].message, file=sys.stderr)
        failed = True
    if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
        loop.quit()
    elif message.type == Gst.MessageType.WARNING:
        print("icecast.sh: warning:", message.parse_warning()[0].message, file=sys.stderr)


bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message", receive)
for number in (signal.SIGINT, signal.SIGTERM):
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, lambda: pipeline.send_event(Gst.Event.new_eos()))
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
sys.exit(failed)
PYTHON
