"""Measures how long a live change of mood takes: from setting `manual-mood` to the message `track-started`, when the first sample
of the new track is mixed. What is buffered behind moodplayer, such as 0.2 s in an audio sink, comes on top.

    python3 benches/mood_change.py TRACK [CHANGES]

Each change leads to a copy of TRACK under a name that was never played, so that it is decoded and listened to for the first
time. Needs PyGObject (python3-gi) and GST_PLUGIN_PATH. Prints the load, the first sound, and median and maximum of the changes in ms.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

MOODS = ("happy", "sad")
TIMEOUT = 20


def make_library(folder, track, changes):
    for number in range(changes + 2):
        # No links, which are one track.
        copy = shutil.copy(track, folder / f"{number}{track.suffix}")
        Path(f"{copy}.mood").write_text(MOODS[number % len(MOODS)])


def wait_for_start(bus, begin):
    """Milliseconds from `begin` to the next message track-started."""
    while time.monotonic() - begin < TIMEOUT:
        message = bus.timed_pop_filtered(Gst.SECOND // 10, Gst.MessageType.ELEMENT | Gst.MessageType.ERROR)
        if message and message.type == Gst.MessageType.ERROR:
            raise SystemExit(message.parse_error()[0].message)
        if message and message.get_structure().get_name() == "track-started":
            return 1000 * (time.monotonic() - begin)
    raise SystemExit(f"nothing began within {TIMEOUT} s")


def measure(folder, video, changes):
    pipeline = Gst.parse_launch(
        f"moodplayer name=player library={folder} no-repeat=1000 crossfade=200000000 manual-mood={MOODS[0]} "
        f"! fakesink sync=true {video}"
    )
    player, bus = pipeline.get_by_name("player"), pipeline.get_bus()
    begin = time.monotonic()
    pipeline.set_state(Gst.State.PLAYING)
    first = wait_for_start(bus, begin)
    times = []
    for change in range(changes):
        time.sleep(1)
        begin = time.monotonic()
        player.set_property("manual-mood", MOODS[(change + 1) % len(MOODS)])
        times.append(wait_for_start(bus, begin))
    pipeline.set_state(Gst.State.NULL)
    return first, times


def main():
    track = Path(sys.argv[1])
    changes = int(sys.argv[2]) if len(sys.argv) > 2 else 24
    Gst.init(None)
    camera = "videotestsrc is-live=true ! video/x-raw,width=64,height=48 ! player.mood"
    for name, video in (("live video", camera), ("no video", "")):
        with tempfile.TemporaryDirectory() as folder:
            make_library(Path(folder), track, changes)
            first, times = measure(folder, video, changes)
        print(
            f"{name}, load {os.getloadavg()[0]:.0f}: first sound {first:.0f} ms, {changes} changes "
            f"{statistics.median(times):.0f} ms, at most {max(times):.0f} ms, {sum(t > 500 for t in times)} over 500 ms"
        )


if __name__ == "__main__":
    main()
