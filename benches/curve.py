"""What a search costs from small frames to large ones, and how near that is to reading the frame once.

    cargo build --release -p haar --example detect
    python benches/curve.py PICTURE...

The pictures are grey PNGs, some a size. One thread, frontalface_default, scale factor 1.2: faces from a twelfth of the
shorter side, haarfacedetect's default, and from 30 pixels. Reading is what the machine's memory gives one thread over
512 MiB, far more than its caches hold: no search can be faster than that, once for every pixel.
"""

import statistics
import subprocess
import sys
import time

import cv2
import numpy as np

from haar import DETECT


def bandwidth():
    """Bytes a second, the best of some readings."""
    memory = np.ones(64 << 20, np.uint64)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        memory.max()
        times.append(time.perf_counter() - start)
    return memory.nbytes / min(times)


def search(paths, smallest):
    command = [DETECT, "--scale-factor", 1.2, "--min-size", smallest, "--repeat", 10, *paths]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return statistics.median(float(line) for line in run.stderr.split())


def main():
    sizes = {}
    for path in sys.argv[1:]:
        height, width = cv2.imread(path, cv2.IMREAD_GRAYSCALE).shape
        sizes.setdefault((width, height), []).append(path)
    rate = bandwidth()
    print(f"reading: {rate / 1e9:.1f} GB/s")
    for (width, height), paths in sorted(sizes.items()):
        pixels = width * height
        read = pixels / rate * 1e3
        default, small = search(paths, round(min(width, height) / 12)), search(paths, 30)
        print(
            f"{width:4}x{height:<4}  reading {read:5.3f} ms   from a twelfth {default:6.2f} ms,"
            f" {default * 1e6 / pixels:5.2f} ns a pixel, {default / read:4.0f} times reading"
            f"   from 30 pixels {small:7.2f} ms, {small * 1e6 / pixels:5.2f} ns a pixel"
        )


if __name__ == "__main__":
    main()
