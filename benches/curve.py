"""Measures the time of a search for frames of different sizes, relative to the time of reading the frame once.

    cargo build --release -p haar --example detect
    python benches/curve.py IMAGE...

The images are grey PNGs, several of each size. One thread, frontalface_default, scale factor 1.2, with faces from a twelfth of
the shorter side (haarfacedetect's default) and from 30 pixels. The reading time follows from the memory bandwidth of one
thread over 512 MiB, far more than the caches hold; it is a lower bound for any search.
"""

import statistics
import subprocess
import sys
import time

import cv2
import numpy as np

from haar import DETECT


def memory_bandwidth():
    """Bytes per second, the best of seven passes."""
    memory = np.ones(64 << 20, np.uint64)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        memory.max()
        times.append(time.perf_counter() - start)
    return memory.nbytes / min(times)


def search_ms(paths, min_size):
    """Median time of a search, ms."""
    command = [DETECT, "--scale-factor", 1.2, "--min-size", min_size, "--repeat", 10, *paths]
    run = subprocess.run([str(argument) for argument in command], capture_output=True, text=True, check=True)
    return statistics.median(float(line) for line in run.stderr.split())


def main():
    sizes = {}
    for path in sys.argv[1:]:
        height, width = cv2.imread(path, cv2.IMREAD_GRAYSCALE).shape
        sizes.setdefault((width, height), []).append(path)
    bandwidth = memory_bandwidth()
    print(f"reading: {bandwidth / 1e9:.1f} GB/s")
    for (width, height), paths in sorted(sizes.items()):
        pixels = width * height
        read = pixels / bandwidth * 1e3
        default, small = search_ms(paths, round(min(width, height) / 12)), search_ms(paths, 30)
        print(
            f"{width:4}x{height:<4}  reading {read:5.3f} ms   from a twelfth {default:6.2f} ms,"
            f" {default * 1e6 / pixels:5.2f} ns a pixel, {default / read:4.0f} times reading"
            f"   from 30 pixels {small:7.2f} ms, {small * 1e6 / pixels:5.2f} ns a pixel"
        )


if __name__ == "__main__":
    main()
