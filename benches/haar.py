"""Compares the time of crates/haar and OpenCV's detectMultiScale on the same images, in alternation.

    cargo build --release -p haar --example detect
    ffmpeg -i VIDEO -vf fps=1,scale=1280:720 -frames:v 3 -pix_fmt gray frame_%d.png
    python benches/haar.py [--backends avx512,avx2,portable,scalar] [--rounds N] [--threads N] IMAGE...

Needs opencv-python-headless 4 and Debian's opencv-data. Prints for every image size and backend the median wall and CPU time
of a search by both, the median over the rounds of the ratio of the wall times, and whether both found the same rectangles.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parent.parent
CASCADES = Path("/usr/share/opencv4/haarcascades")
DETECT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/detect"


def run_opencv(detector, images, options, repeat):
    """Median wall time (ms) and mean CPU time (ms) of a search, and the sorted rectangles of each image."""
    times, found = [], []
    before = time.process_time()
    for image in images:
        for _ in range(repeat):
            start = time.perf_counter()
            boxes = detector.detectMultiScale(
                image, options.scale_factor, 3, minSize=(options.min_size, options.min_size)
            )
            times.append((time.perf_counter() - start) * 1e3)
        found.append(sorted(tuple(map(int, box)) for box in boxes))
    cpu = (time.process_time() - before) * 1e3 / len(times)
    return statistics.median(times), cpu, found


def children_cpu_seconds():
    """CPU time of ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_haar(backend, paths, options, repeat):
    """As `run_opencv`, for the example `detect`, whose start and first search are subtracted from the CPU time."""
    command = [
        DETECT, "--cascade", options.cascade, "--backend", backend, "--scale-factor", options.scale_factor,
        "--min-size", options.min_size, "--threads", options.threads, *paths,
    ]  # fmt: skip

    def run(repeat):
        before = children_cpu_seconds()
        arguments = [str(argument) for argument in [*command, "--repeat", repeat]]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        return done, children_cpu_seconds() - before

    (_, startup), (done, total) = run(0), run(repeat)
    found = []
    for line in done.stdout.splitlines():
        fields = line.split()
        if len(fields) == 2:
            found.append([])
        else:
            found[-1].append(tuple(map(int, fields)))
    times = [float(line) for line in done.stderr.split()]
    return statistics.median(times), (total - startup) * 1e3 / len(times), [sorted(boxes) for boxes in found]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--backends", default="avx512,avx2,portable,scalar")
    parser.add_argument("--cascade", default="frontalface_default")
    parser.add_argument("--scale-factor", type=float, default=1.25)
    parser.add_argument("--min-size", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("images", nargs="+")
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    detector = cv2.CascadeClassifier(str(CASCADES / f"haarcascade_{options.cascade}.xml"))
    sizes = {}
    for path in options.images:
        image = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
        sizes.setdefault(image.shape[::-1], []).append((path, image))
    print(f"cv2 {cv2.__version__}, {options.cascade}, {options.threads} thread(s)")
    different = False
    for (width, height), pairs in sorted(sizes.items()):
        paths, images = zip(*pairs)
        for backend in options.backends.split(","):
            rounds = []
            for _ in range(options.rounds):
                opencv_time, opencv_cpu, opencv_boxes = run_opencv(detector, images, options, 2)
                haar_time, haar_cpu, haar_boxes = run_haar(backend, paths, options, 10)
                rounds.append((opencv_time, opencv_cpu, haar_time, haar_cpu, opencv_time / haar_time))
                different |= opencv_boxes != haar_boxes
            cv_wall, cv_cpu, haar_wall, haar_cpu, ratio = (statistics.median(column) for column in zip(*rounds))
            same = "the same" if opencv_boxes == haar_boxes else "DIFFERENT"
            print(
                f"{width}x{height:<4} {backend:8}  cv2 {cv_wall:6.1f} ms (CPU {cv_cpu:6.1f})  haar {haar_wall:6.2f} ms"
                f" (CPU {haar_cpu:6.2f})  {ratio:5.2f} times, {same}"
            )
    sys.exit(different)


if __name__ == "__main__":
    main()
