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
    """Values, times on this program's clock, and how long ago each was."""
    correction = inlet.time_correction(TIMEOUT)
    received = []
    for _ in range(count):
        value, time = inlet.pull_sample(TIMEOUT)
        assert value is not None, f"{len(received)} of {count}"
        received.append({"value": value, "time": time + correction, "age": pylsl.local_clock() - time - correction})
    return received


mood, events = open_inlet("Mood"), open_inlet("Markers")
mood.open_stream(TIMEOUT)
events.open_stream(TIMEOUT)
print("ready", flush=True)
channel = mood.info(TIMEOUT).desc().child("channels").child("channel")
labels = []
while not channel.empty():
    labels.append(channel.child_value("label"))
    channel = channel.next_sibling()
print(json.dumps({"labels": labels, "samples": receive(mood, samples), "markers": receive(events, markers)}))
