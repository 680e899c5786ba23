"""Receives from LabStreamingLayer what `emotionpublish uri=lsl:?name=lab` gives it, and prints it as JSON.

usage: lsl.py SAMPLES MARKERS       the numbers of samples and markers to wait for
"""

import json
import sys

import pylsl

samples, markers = map(int, sys.argv[1:])
TIMEOUT = 60


def open_inlet(name):
    found = pylsl.resolve_byprop("name", name, 1, TIMEOUT)
    assert found, f"no stream {name}"
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


mood, events = open_inlet("lab"), open_inlet("lab-markers")
mood.open_stream(TIMEOUT)
events.open_stream(TIMEOUT)
print("ready", flush=True)
found = {"lab": receive(mood, samples), "lab-markers": receive(events, markers)}
print(json.dumps({**found, "now": pylsl.local_clock()}))
