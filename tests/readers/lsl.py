"""Receives from LabStreamingLayer what pipelines/lsl_bridge.py gives it, and prints it as JSON.

usage: lsl.py SAMPLES MARKERS       the numbers of samples and markers to wait for
"""

import json
import sys

import pylsl

samples, markers = map(int, sys.argv[1:])
TIMEOUT = 60


def open_inlet(kind):
    found = pylsl.resolve_byprop("type", kind, 1, TIMEOUT)
    assert found, f"no stream of the type {kind}"
    return pylsl.StreamInlet(found[0])


def receive(inlet, count):
    """Values, and their times on this program's clock."""
    correction = inlet.time_correction(TIMEOUT)
    values, times = [], []
    for _ in range(count):
        value, time = inlet.pull_sample(TIMEOUT)
        assert value is not None, f"{len(times)} of {count}"
        values.append([None if part != part else part for part in value])
        times.append(time + correction)
    return {"values": values, "times": times}


mood, events = open_inlet("Mood"), open_inlet("Markers")
mood.open_stream(TIMEOUT)
events.open_stream(TIMEOUT)
print("ready", flush=True)
found = {"gst-mood": receive(mood, samples), "gst-mood-markers": receive(events, markers)}
print(json.dumps({**found, "now": pylsl.local_clock()}))
