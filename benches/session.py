#!/usr/bin/env python3
"""Measures time and memory of `gst-mood process` compared with decoding alone, in alternation; with --overlay, compared with
decoding and encoding alone, by the encoder and the settings of the annotated video, both without sound.

usage: benches/session.py VIDEO... [--rounds N] [--overlay]     after make build

Wall time is meaningful on an otherwise idle machine only; CPU time also on a busy one. Memory is the resident set size: the
maximum, and the sizes after a tenth, half and nine tenths of the run, which should be about equal.
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

GST_MOOD = Path(__file__).resolve().parent.parent / "target/release/gst-mood"
# Of cli/src/process/film.rs.
ENCODER = "x264enc pass=qual quantizer=21 bframes=0 speed-preset=veryfast ! h264parse ! queue ! mp4mux faststart=true".split()


def resident_mib(process):
    """Resident set size of a running process in MiB; 0 after it has ended."""
    try:
        return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0


def measure(command):
    """Wall time (s), CPU time (s) and maximum resident set size (MiB) of a command, and the sizes at 10, 50 and 90 % of it."""
    start, sizes = time.monotonic(), []
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            sizes.append(resident_mib(process))
            time.sleep(0.02)
        _, status, usage = ended
        if status:
            stderr.seek(0)
            sys.exit(f"{' '.join(map(str, command))}: {stderr.read().decode()}")
    samples = [sizes[len(sizes) * part // 10] for part in (1, 5, 9)]
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, samples


def duration(video):
    """Duration of a video in seconds."""
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json", video]
    return float(json.loads(subprocess.check_output(probe))["format"]["duration"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--overlay", action="store_true")
    arguments = parser.parse_args()
    alone = "decoding and encoding" if arguments.overlay else "decoding"
    outputs = "with the annotated video" if arguments.overlay else "everything but the annotated video"
    print(f"medians of {arguments.rounds} round(s): {alone} alone, then {outputs}")
    for video in arguments.videos:
        length = duration(video)
        rounds = []
        with tempfile.TemporaryDirectory() as folder:
            process = [GST_MOOD, "process", video, "-o", folder, "--force"]
            sink = ["fakesink", "sync=false"]
            if arguments.overlay:
                process += ["--overlay", "--audio", "drop"]
                sink = ["queue", "!", *ENCODER, "!", "filesink", f"location={folder}/encoded.mp4"]
            reference = ["gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "caps=video/x-raw", "!", *sink]
            for _ in range(arguments.rounds):
                rounds.append([measure(reference), measure(process)])
        wall, cpu, memory = (
            [statistics.median(results[command][i] for results in rounds) for command in (0, 1)] for i in range(3)
        )
        print(f"{Path(video).name}, {length:.0f} s")
        print(f"  wall  {wall[0]:8.1f} s {wall[1]:8.1f} s   {wall[1] / wall[0]:.2f} times {alone}, "
              f"{length / wall[1]:.1f} times real time")
        print(f"  CPU   {cpu[0]:8.1f} s {cpu[1]:8.1f} s   {cpu[1] / cpu[0]:.2f} times {alone}; on "
              f"{os.cpu_count()} cores at best {length / cpu[1] * os.cpu_count():.1f} times real time")
        way = ", ".join(f"{size:.0f}" for size in rounds[-1][1][3])
        print(f"  RSS   {memory[0]:8.0f} MiB {memory[1]:6.0f} MiB   on the way {way}")


main()
