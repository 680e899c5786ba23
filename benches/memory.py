"""Measures whether memory stays constant: the resident set size of a process that searches 100,000 frames of a repeated clip.

    python benches/memory.py [--frames N] FRAMES.yuv WIDTH HEIGHT

FRAMES.yuv is decoded I420. GST_PLUGIN_PATH must contain our plugins. Prints the size in MiB after a tenth of the time, the
maximum from then on, and the size at the end.
"""

import argparse
import subprocess
import time
from pathlib import Path


def resident_mib(process):
    """Resident set size of a process in MiB; None after it has ended."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("clip", type=Path)
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    options = parser.parse_args()
    frame_size = options.width * options.height * 3 // 2
    rounds = -(-options.frames * frame_size // options.clip.stat().st_size)
    pipeline = (
        f"multifilesrc location={options.clip} loop=true num-buffers={rounds} ! rawvideoparse format=i420 "
        f"width={options.width} height={options.height} framerate=24/1 ! "
        "haarfacedetect eyes-cascade=eye threads=2 messages=every-frame ! fakesink"
    )
    process = subprocess.Popen(["gst-launch-1.0", "-q", *pipeline.split()], stdout=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        if (size := resident_mib(process)) is not None:
            samples.append(size)
        time.sleep(0.2)
    if process.returncode != 0:
        raise SystemExit(f"gst-launch-1.0 ended with {process.returncode}")
    frames = rounds * options.clip.stat().st_size // frame_size
    later = samples[len(samples) // 10 :]
    print(f"{frames} frames: {later[0]:.1f} MB after a tenth, {max(later):.1f} MB at most, {later[-1]:.1f} MB at the end")


if __name__ == "__main__":
    main()
