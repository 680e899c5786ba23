"""Measures precision and recall of crates/haar with different settings: our defaults, OpenCV's, and others.

    cargo build --release -p haar --example detect
    python benches/quality.py [--data ../shared/data]

The rectangles equal OpenCV's for the same settings, so this compares settings, not implementations. Three kinds of images:

- photos with annotated boxes (dlib's, from PASCAL VOC), mostly of small faces;
- scenes: frames without people into which faces of FER-2013's PublicTest are pasted, 32 to 320 pixels wide in 1280x720;
- clips: every tenth frame of videos of one person. These have no annotated boxes, so one detection per frame counts as correct,
  any further one as false, whatever their positions.

A detection is correct where its intersection over union with a box is at least 0.4; each box matches one detection at most. F1
is the harmonic mean of precision and recall. "Large" is the recall of faces whose side is at least a twelfth of the image's
shorter side. Times are of one thread and need an otherwise idle machine.
"""

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np

from haar import DETECT

# Scale factor, minimum neighbours, minimum face size: below 1 a share of the shorter side (0: the cascade's window), else pixels.
SETTINGS = {
    "OpenCV's defaults": (1.1, 3, 0),
    "1.1, 5 neighbours, from 30 pixels": (1.1, 5, 30),
    "1.1, from a twelfth": (1.1, 3, 1 / 12),
    "1.1, 5 neighbours, from a twelfth": (1.1, 5, 1 / 12),
    "1.15, from a twelfth": (1.15, 3, 1 / 12),
    "our defaults: 1.2, from a twelfth": (1.2, 3, 1 / 12),
    "1.2, 2 neighbours, from a twelfth": (1.2, 2, 1 / 12),
    "1.2, 4 neighbours, from a twelfth": (1.2, 4, 1 / 12),
    "1.2, from a twentieth": (1.2, 3, 1 / 20),
    "1.25, from a twelfth": (1.25, 3, 1 / 12),
    "1.3, 2 neighbours, from a twelfth": (1.3, 2, 1 / 12),
}
MIN_IOU = 0.4
ONE_PERSON_VIDEOS = ["WolfgangLanger_Pexels.mp4", "single_face.mp4", "book.mkv", "walk.mkv", "yes.mkv"]


def read_photos(data):
    """Yields (grey image, boxes) of dlib's photos."""
    folder = data / "images/dlib"
    for listing in ["testing.xml", "training.xml"]:
        for image in ET.parse(folder / listing).iter("image"):
            boxes = [tuple(int(box.get(key)) for key in ("left", "top", "width", "height")) for box in image.iter("box")]
            yield cv2.imread(str(folder / image.get("file")), cv2.IMREAD_GRAYSCALE), boxes


def read_frames(path, step):
    """Yields every `step`th frame of a video, in grey."""
    video, index = cv2.VideoCapture(str(path)), 0
    while True:
        ok, frame = video.read()
        if not ok:
            return
        if index % step == 0:
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        index += 1


def make_scenes(data, count):
    """Yields (grey image, boxes) of frames without people with faces pasted in."""
    spec = importlib.util.spec_from_file_location("fer2013_load", data / "fer2013/load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    fer = module.load()
    faces = fer["pixels"][(fer["usage"] == 1) & (fer["ferplus_votes"].argmax(1) != 9)]
    empty = list(read_frames(data / "video/no_face.mp4", 8)) + list(read_frames(data / "video/one-by-one-person-detection.mp4", 200))
    rng = np.random.default_rng(7)
    for index in range(count):
        scene = cv2.resize(empty[index % len(empty)], (1280, 720), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        boxes = []
        for _ in range(rng.integers(1, 5)):
            side = int(32 * 10 ** rng.random())
            x, y = int(rng.integers(0, 1280 - side)), int(rng.integers(0, 720 - side))
            if any(x < bx + bw and bx < x + side and y < by + bh and by < y + side for bx, by, bw, bh in boxes):
                continue
            face = cv2.resize(faces[rng.integers(len(faces))], (side, side), interpolation=cv2.INTER_CUBIC)
            # Blended at the corners, so that the edges of the square are not detected as features.
            grid = np.linspace(-1, 1, side)
            mask = np.clip((1.25 - np.hypot(grid[None, :], grid[:, None])) * 4, 0, 1)
            region = scene[y : y + side, x : x + side]
            region[:] = mask * face + (1 - mask) * region
            boxes.append((x, y, side, side))
        yield np.clip(scene + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8), boxes


def read_clips(data):
    """Yields (grey frame, number of faces)."""
    for name in ONE_PERSON_VIDEOS:
        for frame in read_frames(data / "video" / name, 10):
            yield frame, 1
    for frame in read_frames(data / "video/no_face.mp4", 10):
        yield frame, 0


def intersection_over_union(one, other):
    """The intersection over union (0-1) of two boxes, each (left, top, width, height)."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    intersection = max(width, 0) * max(height, 0)
    return intersection / (one[2] * one[3] + other[2] * other[3] - intersection)


def match_boxes(found, truth):
    """Indices of the annotated boxes that a detection matches; the best overlaps are matched first. `truth` is the annotated
    boxes, or only their number."""
    if isinstance(truth, int):
        return range(min(len(found), truth))
    pairs = [(intersection_over_union(f, t), i, j) for i, f in enumerate(found) for j, t in enumerate(truth)]
    pairs.sort(reverse=True)
    used_found, used_truth = set(), set()
    for iou, i, j in pairs:
        if iou >= MIN_IOU and i not in used_found and j not in used_truth:
            used_found.add(i)
            used_truth.add(j)
    return used_truth


def detect(paths, heights, setting):
    """The rectangles found in each image, and the median time of a search in ms."""
    scale_factor, min_neighbors, min_size = setting
    times = []
    # One run for all images with the same minimum size.
    sizes = [round(height * min_size) if min_size < 1 else min_size for height in heights]
    indices_by_size = {}
    for index, size in enumerate(sizes):
        indices_by_size.setdefault(size, []).append(index)
    found = [[] for _ in paths]
    for size, indices in indices_by_size.items():
        command = [DETECT, "--scale-factor", scale_factor, "--min-neighbors", min_neighbors, "--min-size", size, "--repeat", 1]
        command += [paths[index] for index in indices]
        run = subprocess.run([str(argument) for argument in command], capture_output=True, text=True, check=True)
        lines = iter(run.stdout.splitlines())
        for index in indices:
            count = int(next(lines).rsplit(" ", 1)[1])
            found[index] = [tuple(map(int, next(lines).split())) for _ in range(count)]
        times += [float(line) for line in run.stderr.split()]
    return found, statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--scenes", type=int, default=100)
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"no test media in {options.data}: name their folder with --data")
    kinds = {
        "photos": list(read_photos(options.data)),
        "scenes": list(make_scenes(options.data, options.scenes)),
        "clips": list(read_clips(options.data)),
    }
    for kind, images in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{index}.png" for index in range(len(images))]
            for path, (image, _) in zip(paths, images):
                cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
            truths = [truth for _, truth in images]
            total = sum(truth if isinstance(truth, int) else len(truth) for truth in truths)

            def is_large(index, box):
                return isinstance(truths[index], int) or truths[index][box][3] * 12 >= min(images[index][0].shape)

            total_large = sum(
                is_large(index, box)
                for index, truth in enumerate(truths)
                for box in range(truth if isinstance(truth, int) else len(truth))
            )
            print(f"{kind}: {len(images)} images, {total} faces")
            for name, setting in SETTINGS.items():
                found, time = detect(paths, [min(image.shape) for image, _ in images], setting)
                matched = [(index, box) for index, boxes in enumerate(found) for box in match_boxes(boxes, truths[index])]
                matches, matches_large = len(matched), sum(is_large(index, box) for index, box in matched)
                count = sum(map(len, found))
                precision, recall = matches / max(count, 1), matches / total
                f1 = 2 * precision * recall / max(precision + recall, 1e-9)
                print(
                    f"  {name:34} precision {precision:6.1%}  recall {recall:6.1%}, large {matches_large / total_large:6.1%}"
                    f"  F1 {f1:6.1%}  {time:6.2f} ms"
                )


if __name__ == "__main__":
    main()
