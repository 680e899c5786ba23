#!/usr/bin/env python3
"""Times `gst-mood process` against decoding alone, in alternation, and watches its memory.

usage: benches/session.py VIDEO... [--rounds N] [--overlay]     after make build

Wall time counts on a machine with nothing else to do; CPU time says the same on a busy one. Memory is the resident set: the
largest, and on the way after a tenth, in the middle and at nine tenths, which should be much the same.
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


def resident(process):
    """MiB of a process that runs, 0 of one that has ended."""
    try:
        return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0


def timed(command):
    """Wall seconds, CPU seconds and most MiB of a process, and its MiB on the way."""
    begun, sizes = time.monotonic(), []
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            sizes.append(resident(process))
            time.sleep(0.02)
        _, status, usage = ended
        if status:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, command))}: {said.read().decode()}")
    way = [sizes[len(sizes) * part // 10] for part in (1, 5, 9)]
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, way


def seconds(video):
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json", video]
    return float(json.loads(subprocess.check_output(probe))["format"]["duration"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--overlay", action="store_true")
    arguments = parser.parse_args()
    what = "with the annotated video" if arguments.overlay else "everything but the annotated video"
    print(f"medians of {arguments.rounds} round(s): decoding alone, then {what}")
    for video in arguments.videos:
        length = seconds(video)
        decode = ["gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "caps=video/x-raw", "!",
                  "fakesink", "sync=false"]
        rounds = []
        with tempfile.TemporaryDirectory() as folder:
            process = [MOOD, "process", video, "-o", folder, "--force"] + ["--overlay"] * arguments.overlay
            for _ in range(arguments.rounds):
                rounds.append([timed(decode), timed(process)])
        wall, cpu, memory = ([statistics.median(r[which][i] for r in rounds) for which in (0, 1)] for i in range(3))
        print(f"{Path(video).name}, {length:.0f} s")
        print(f"  wall  {wall[0]:8.1f} s {wall[1]:8.1f} s   {wall[1] / wall[0]:.2f} times decoding, "
              f"{length / wall[1]:.1f} times real time")
        print(f"  CPU   {cpu[0]:8.1f} s {cpu[1]:8.1f} s   {cpu[1] / cpu[0]:.2f} times decoding; on "
              f"{os.cpu_count()} cores at best {length / cpu[1] * os.cpu_count():.1f} times real time")
        way = ", ".join(f"{size:.0f}" for size in rounds[-1][1][3])
        print(f"  RSS   {memory[0]:8.0f} MiB {memory[1]:6.0f} MiB   on the way {way}")


main()
