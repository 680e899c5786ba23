"""Times crates/haar against OpenCV's detectMultiScale on the same pictures, in alternation.

    cargo build --release -p haar --example detect
    ffmpeg -i VIDEO -vf fps=1,scale=1280:720 -frames:v 3 -pix_fmt gray frame_%d.png
    python benches/haar.py [--backends avx512,avx2,portable,scalar] [--rounds N] [--threads N] PICTURE...

needs opencv-python-headless 4 and Debian's opencv-data. Prints for every size of picture and backend the median
milliseconds a search of both, by the clock and of all processors together, the median over the rounds of the clock's
ratio, and whether both found the same rectangles.
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


def theirs(detector, images, options, repeat):
    """Median milliseconds by the clock, mean milliseconds of processors, rectangles."""
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
    spent = (time.process_time() - before) * 1e3 / len(times)
    return statistics.median(times), spent, found


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ours(backend, paths, options, repeat):
    """The same of the example, whose start and first search are taken off the processors' time."""
    command = [
        DETECT, "--cascade", options.cascade, "--backend", backend, "--scale-factor", options.scale_factor,
        "--min-size", options.min_size, "--threads", options.threads, *paths,
    ]  # fmt: skip

    def run(repeat):
        before = children()
        words = [str(word) for word in [*command, "--repeat", repeat]]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return done, children() - before

    (_, start), (done, all_) = run(0), run(repeat)
    found = []
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 2:
            found.append([])
        else:
            found[-1].append(tuple(map(int, words)))
    times = [float(line) for line in done.stderr.split()]
    return statistics.median(times), (all_ - start) * 1e3 / len(times), [sorted(boxes) for boxes in found]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--backends", default="avx512,avx2,portable,scalar")
    parser.add_argument("--cascade", default="frontalface_default")
    parser.add_argument("--scale-factor", type=float, default=1.25)
    parser.add_argument("--min-size", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("pictures", nargs="+")
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    detector = cv2.CascadeClassifier(str(CASCADES / f"haarcascade_{options.cascade}.xml"))
    sizes = {}
    for path in options.pictures:
        image = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
        sizes.setdefault(image.shape[::-1], []).append((path, image))
    print(f"cv2 {cv2.__version__}, {options.cascade}, {options.threads} thread(s)")
    different = False
    for (width, height), pairs in sorted(sizes.items()):
        paths, images = zip(*pairs)
        for backend in options.backends.split(","):
            rounds = []
            for _ in range(options.rounds):
                their_time, their_spent, their_boxes = theirs(detector, images, options, 2)
                our_time, our_spent, our_boxes = ours(backend, paths, options, 10)
                rounds.append((their_time, their_spent, our_time, our_spent, their_time / our_time))
                different |= their_boxes != our_boxes
            cv, cv_spent, mine, mine_spent, ratio = (statistics.median(column) for column in zip(*rounds))
            same = "the same" if their_boxes == our_boxes else "DIFFERENT"
            print(
                f"{width}x{height:<4} {backend:8}  cv2 {cv:6.1f} ms (CPU {cv_spent:6.1f})  haar {mine:6.2f} ms"
                f" (CPU {mine_spent:6.2f})  {ratio:5.2f} times, {same}"
            )
    sys.exit(different)


if __name__ == "__main__":
    main()
