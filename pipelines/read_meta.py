#!/usr/bin/env python3
"""Reads the classification from Python with GStreamer's own bindings only: pipelines/read_meta.py VIDEO

Prints a line per face and frame: stream time in seconds, id, label, confidence, valence, arousal. The values are in the
buffer's custom meta GstMoodFrame, which GStreamer's Python overrides can read (Debian: python3-gi, python3-gst-1.0).
"""

import os
import sys
from pathlib import Path

build_folder = Path(__file__).resolve().parent.parent / "target" / "release"
if (build_folder / "libgstfacedetect.so").exists():
    os.environ["GST_PLUGIN_PATH"] = os.pathsep.join(filter(None, [str(build_folder), os.environ.get("GST_PLUGIN_PATH")]))

try:
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
except (ImportError, ValueError) as error:
    sys.exit(f"{error}: install python3-gi and python3-gst-1.0, and run this with the system's /usr/bin/python3")


def on_buffer(_pad, info):
    """Prints the faces of a buffer."""
    buffer = info.get_buffer()
    meta = buffer.get_custom_meta("GstMoodFrame")
    if meta is None:
        return Gst.PadProbeReturn.OK
    for face in meta.get_structure().get_value("faces"):
        # A face that has not been classified has no label.
        label = face.get_string("label") or "unclassified"
        values = [face.get_value(name) or 0.0 for name in ("confidence", "valence", "arousal")]
        print(f"{buffer.pts / Gst.SECOND:9.3f} {face.get_value('id'):4} {label:10}", *(f"{v:6.2f}" for v in values))
    return Gst.PadProbeReturn.OK


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: read_meta.py VIDEO")
    Gst.init(None)
    pipeline = Gst.parse_launch(
        "filesrc name=source ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect ! emotionclassify ! fakesink name=sink"
    )
    pipeline.get_by_name("source").set_property("location", sys.argv[1])
    pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, on_buffer)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        sys.exit(f"{error.message} {debug}")


if __name__ == "__main__":
    main()
