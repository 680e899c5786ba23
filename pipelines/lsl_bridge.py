#!/usr/bin/env python3
"""Gives a session's moods to LabStreamingLayer: pipelines/lsl_bridge.py SOCKET

First start it, then a publisher that writes to its Unix socket:

    python3 -m pip install pylsl        # in an environment of your own; on some machines liblsl is a package beside it
    pipelines/lsl_bridge.py /tmp/mood.lsl
    gst-mood live --publish unix:///tmp/mood.lsl      # or emotionpublish uri=unix:///tmp/mood.lsl interval=0

Two outlets, which LabRecorder records with everything else in the room:

- `gst-mood`, type `Mood`: ten float channels with irregular rate: the probabilities of angry, disgust, fear, happy, sad, surprise and
  neutral (0-1), valence and arousal (-1 to 1), and the number of faces; of the largest face, NaN where none is classified.
- `gst-mood-markers`, type `Markers`: texts: `mood happy`, `track Title`, `safety`, and what a therapist marks, `marker laughs`.

Times are those of the frames, on the clock of LSL, which corrects for other machines' clocks when it records. A frame's stream
time is mapped to that clock by the fastest arrival so far: what a frame waits for on the way is no jitter of its time, and what all
of them need, from the camera to here, is not taken off. Where stream time jumps, as after a pause, the mapping begins anew.
"""

import argparse
import json
import os
import signal
import socket
import sys

try:
    import pylsl
except (ImportError, RuntimeError) as error:
    sys.exit(f"lsl_bridge.py: {error}: python3 -m pip install pylsl")

EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
CHANNELS = EMOTIONS + ["valence", "arousal", "faces"]
# Clocks of computers differ by up to this share, so that the fastest arrival counts for less the longer it is past.
DRIFT = 1e-4
# A step of the stream time against the clock that is no delay, seconds.
JUMP = 5.0


class Clock:
    """Maps stream time to LSL's clock; seconds."""

    def __init__(self):
        self.offset = None
        self.latest = None

    def map(self, stream_time):
        now = pylsl.local_clock()
        offset = now - stream_time
        if self.offset is None or abs(offset - self.offset) > JUMP:
            self.offset = offset
        else:
            self.offset = min(self.offset + DRIFT * (now - self.latest), offset)
        self.latest = now
        return stream_time + self.offset


def make_outlets(source):
    """The outlets for samples and markers. `source` tells LSL that an outlet that comes again is the same."""
    info = pylsl.StreamInfo("gst-mood", "Mood", len(CHANNELS), pylsl.IRREGULAR_RATE, pylsl.cf_float32, f"{source}-mood")
    channels = info.desc().append_child("channels")
    for name in CHANNELS:
        channel = channels.append_child("channel")
        channel.append_child_value("label", name)
        channel.append_child_value("unit", {"faces": "count", "valence": "-1..1", "arousal": "-1..1"}.get(name, "0..1"))
    markers = pylsl.StreamInfo("gst-mood-markers", "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"{source}-markers")
    return pylsl.StreamOutlet(info), pylsl.StreamOutlet(markers)


def to_sample(state):
    """The channels of a `state` line."""
    nan = float("nan")
    probabilities = state["probabilities"] or [nan] * len(EMOTIONS)
    affect = [nan if state[key] is None else state[key] for key in ("valence", "arousal")]
    return [*probabilities, *affect, float(state["people"])]


def to_marker(line):
    """The text of a line that is an event; None for others."""
    kind = line["type"]
    if kind == "mood":
        return f"mood {line['to']}"
    if kind == "track" and line["event"] == "started":
        return f"track {line['title']}"
    if kind == "marker" and not line.get("removed"):
        return f"marker {line['text']}"
    return "safety" if kind == "safety" else None


def serve(connection, samples, markers):
    """Passes on what a publisher sends until it leaves."""
    clock = Clock()
    for text in connection.makefile("r", encoding="utf-8"):
        try:
            line = json.loads(text)
            if line["type"] == "state":
                samples.push_sample(to_sample(line), clock.map(line["pts"] / 1e9))
            elif (marker := to_marker(line)) is not None:
                # A marker's time is that of the session, which is not stream time: it is when it was given.
                time = pylsl.local_clock() if line["type"] == "marker" else clock.map(line["pts"] / 1e9)
                markers.push_sample([marker], time)
        except (ValueError, KeyError, TypeError) as error:
            print(f"lsl_bridge.py: a line was passed over: {error!r}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("socket", help="path of the Unix socket that a publisher writes to")
    path = parser.parse_args().socket
    # A socket that nobody listens at any more is left by a bridge that was killed.
    probe = socket.socket(socket.AF_UNIX)
    if os.path.exists(path):
        try:
            probe.connect(path)
            sys.exit(f"lsl_bridge.py: somebody listens at {path} already")
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError as error:
            sys.exit(f"lsl_bridge.py: {path}: {error.strerror}")
    listener = socket.socket(socket.AF_UNIX)
    # What is published is about a person.
    os.umask(0o077)
    try:
        listener.bind(path)
    except OSError as error:
        sys.exit(f"lsl_bridge.py: {path}: {error.strerror}")
    listener.listen(1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        samples, markers = make_outlets(f"gst-mood-{socket.gethostname()}-{path}")
        while True:
            connection, _ = listener.accept()
            with connection:
                serve(connection, samples, markers)
    except KeyboardInterrupt:
        pass
    finally:
        os.unlink(path)


if __name__ == "__main__":
    main()
