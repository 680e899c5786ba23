#!/usr/bin/env python3
"""Times `gst-mood process` against decoding alone, in alternation, and watches its memory.

usage: benches/session.py VIDEO... [--rounds N]     after make build

Wall time counts on a machine with nothing else to do; CPU time says the same on a busy one. Memory is the largest resident
set, which should not depend on the video's length: give a short and a long one.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MOOD = Path(__file__).resolve().parent.parent / "target/release/gst-mood"


def timed(command):
    """Wall seconds, CPU seconds and MiB of a process."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))}: {said.decode()}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def seconds(video):
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json", video]
    return float(json.loads(subprocess.check_output(probe))["format"]["duration"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print("medians of", arguments.rounds, "rounds: decoding alone, then everything but the annotated video")
    for video in arguments.videos:
        length = seconds(video)
        decode = ["gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "caps=video/x-raw", "!",
                  "fakesink", "sync=false"]
        rounds = []
        with tempfile.TemporaryDirectory() as folder:
            process = [MOOD, "process", video, "-o", folder, "--force"]
            for _ in range(arguments.rounds):
                rounds.append([timed(decode), timed(process)])
        wall, cpu, memory = ([statistics.median(r[which][i] for r in rounds) for which in (0, 1)] for i in range(3))
        print(f"{Path(video).name}, {length:.0f} s")
        print(f"  wall  {wall[0]:8.1f} s {wall[1]:8.1f} s   {wall[1] / wall[0]:.2f} times decoding, "
              f"{length / wall[1]:.1f} times real time")
        print(f"  CPU   {cpu[0]:8.1f} s {cpu[1]:8.1f} s   {cpu[1] / cpu[0]:.2f} times decoding; on "
              f"{os.cpu_count()} cores at best {length / cpu[1] * os.cpu_count():.1f} times real time")
        print(f"  RSS   {memory[0]:8.0f} MiB {memory[1]:6.0f} MiB")


main()
