"""Recall and false detections of the search for tilted faces, against the boxes of another detector, and its cost.

    cargo build --release -p face-search --example find_faces
    python benches/tilt.py --data ../shared/data [--roll-range 0,45]

Needs mediapipe 0.10.14 and opencv-python-headless 4. The reference is MediaPipe's full-range face detector: its faces of 40
pixels and more must be found, at an intersection over union of 0.25; a detection is false where MediaPipe has no face of any
size. The photographs of DATA/images are turned by 0, 15, 30 and 45 degrees, to either side, into a frame that holds all of the
photograph; the reference boxes turn with them. In clips both detectors see the same frame; `follow` is in milliseconds.
"""

import argparse
import math
import statistics
import subprocess
import tempfile
from pathlib import Path

import cv2
import mediapipe
import numpy

ROOT = Path(__file__).resolve().parent.parent
FIND_FACES = ROOT / "target/release/examples/find_faces"
# Longer sides than this are reduced to it, as a camera would show the scene.
LONGEST_SIDE = 1280
MIN_REFERENCE_SIDE = 40
MIN_OVERLAP = 0.25


def reference_boxes(detector, image):
    """The boxes (centre x, centre y, width, height) of MediaPipe's faces, pixels."""
    height, width = image.shape[:2]
    boxes = []
    for detection in detector.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).detections or []:
        box = detection.location_data.relative_bounding_box
        w, h = box.width * width, box.height * height
        boxes.append((box.xmin * width + w / 2, box.ymin * height + h / 2, w, h))
    return boxes


def overlap(a, b):
    """Intersection over union."""
    width, height = (
        min(a[i] + a[i + 2] / 2, b[i] + b[i + 2] / 2) - max(a[i] - a[i + 2] / 2, b[i] - b[i + 2] / 2) for i in (0, 1)
    )
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def turn(image, boxes, degrees):
    """The image turned clockwise in a frame that holds all of it, and its boxes."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (math.ceil(width * cos + height * sin), math.ceil(width * sin + height * cos))
    matrix[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
    turned = [(*(matrix @ (x, y, 1)), w, h) for x, y, w, h in boxes]
    return cv2.warpAffine(image, matrix, size), turned


def find_faces(paths, *options):
    """The boxes in each image, with roll, and the CPU time of each search where it is repeated, microseconds."""
    command = [FIND_FACES, *options, *paths]
    output = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    found, times = [], []
    for line in output.splitlines():
        fields = line.split()
        if fields[-1] == "us":
            times.append(int(fields[0]))
        elif len(fields) == 2:
            found.append([])
        else:
            identity, x, y, w, h, _, roll = (float(field) for field in fields)
            found[-1].append((x + w / 2, y + h / 2, w, h, identity, roll))
    return found, times


def count(found, references):
    """How many reference faces there are and are found, and how many detections are false."""
    faces = hits = false = 0
    for boxes, reference in zip(found, references, strict=True):
        large = [face for face in reference if min(face[2:4]) >= MIN_REFERENCE_SIDE]
        faces += len(large)
        hits += sum(any(overlap(box, face) >= MIN_OVERLAP for box in boxes) for face in large)
        false += sum(all(overlap(box, face) < MIN_OVERLAP for face in reference) for box in boxes)
    return faces, hits, false


def photographs(detector, data, ranges, folder):
    print("Photographs: share of the faces found; false detections")
    originals = []
    for path in sorted([*data.glob("images/dlib/*.jpg"), *data.glob("images/opencv/*.png")]):
        image = cv2.imread(str(path))
        scale = LONGEST_SIDE / max(image.shape)
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        originals.append((image, reference_boxes(detector, image)))
    table = {roll_range: [] for roll_range in ranges}
    for tilt in (0, 15, 30, 45):
        totals = {roll_range: numpy.zeros(3, int) for roll_range in ranges}
        errors = {roll_range: [] for roll_range in ranges}
        for degrees in {tilt, -tilt}:
            paths, references, sizes = [], [], []
            for index, (image, boxes) in enumerate(originals):
                turned, boxes = turn(image, boxes, degrees)
                path = folder / f"{degrees}-{index}.png"
                cv2.imwrite(str(path), cv2.cvtColor(turned, cv2.COLOR_BGR2GRAY))
                paths.append(path)
                references.append(boxes)
                sizes.append(min(image.shape[:2]) // 12)
            for roll_range in ranges:
                found = []
                for path, size in zip(paths, sizes):
                    found += find_faces([path], "--roll-range", roll_range, "--min-size", size)[0]
                totals[roll_range] += count(found, references)
                for boxes, reference in zip(found, references):
                    errors[roll_range] += [
                        abs(box[5] - degrees) for box in boxes if any(overlap(box, face) > 0.4 for face in reference)
                    ]
        for roll_range in ranges:
            faces, hits, false = totals[roll_range]
            turns = 2 if tilt else 1
            error = statistics.median(errors[roll_range] or [math.nan])
            table[roll_range].append(
                f"{tilt:2} degrees {hits / faces:4.0%} of {faces // turns}, {false / turns:4.1f} false, roll off by {error:4.1f}"
            )
    for roll_range, cells in table.items():
        print(*(f"roll-range {roll_range:>2}: {cell}" for cell in cells), sep="\n")


def clips(detector, data, ranges, folder):
    print("\nClips: faces found, boxes that are no face, those in frames where MediaPipe has nobody, ids")
    names = ("two_people.mp4", "walk.mkv", "face_noface.mov", "single_face.mp4", "book.mkv", "yes.mkv", "no_face.mp4")
    for name in names:
        video = cv2.VideoCapture(str(data / "video" / name))
        period = 1000 / video.get(cv2.CAP_PROP_FPS)
        paths, references = [], []
        while len(paths) < 300:
            is_read, frame = video.read()
            if not is_read:
                break
            paths.append(folder / f"{name}-{len(paths):04}.png")
            cv2.imwrite(str(paths[-1]), cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
            references.append(reference_boxes(detector, frame))
        # Without following and tilted faces: as it was before these were searched for.
        for roll_range, follow in [("0", 0), *((roll_range, 5000) for roll_range in ranges if roll_range != "0")]:
            for interval in (0, 500, 1000):
                options = ("--roll-range", roll_range, "--follow", follow, "--scan-interval", interval)
                found, _ = find_faces(paths, *options, "--video", round(period))
                faces, hits, false = count(found, references)
                lonely = sum(len(boxes) for boxes, reference in zip(found, references) if not reference)
                identities = {int(box[4]) for boxes in found for box in boxes}
                print(
                    f"{name:15} roll-range {roll_range:>2}, follow {follow:4}, scan-interval {interval:4} ms: {hits:3} of "
                    f"{faces:3} faces, {false:2} boxes no face, {lonely:2} alone, {len(identities)} ids"
                )


def cost(data, ranges, folder):
    print("\nFull search of 1280x720 on one thread, CPU milliseconds, medians")
    video = cv2.VideoCapture(str(data / "video/WolfgangLanger_Pexels.mp4"))
    paths = []
    for index in range(4):
        video.set(cv2.CAP_PROP_POS_FRAMES, 100 * index)
        paths.append(folder / f"cost-{index}.png")
        frame = cv2.resize(video.read()[1], (1280, 720), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(paths[-1]), cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
    times = {roll_range: [] for roll_range in ranges}
    for _ in range(9):
        for roll_range in ranges:
            times[roll_range] += find_faces(paths, "--roll-range", roll_range, "--repeat", 10)[1]
    # In pairs, so that what disturbs the machine for a while disturbs both.
    for roll_range in ranges:
        ratio = statistics.median(a / b for a, b in zip(times[roll_range], times[ranges[0]]))
        print(
            f"roll-range {roll_range:>2}: {statistics.median(times[roll_range]) / 1000:5.2f} ms, {ratio:4.2f} times roll-range {ranges[0]}"
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--roll-range", default="0,45")
    parser.add_argument("--parts", default="photographs,clips,cost")
    options = parser.parse_args()
    ranges = options.roll_range.split(",")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        # 1: the full-range model.
        with mediapipe.solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.5) as detector:
            if "photographs" in options.parts:
                photographs(detector, options.data, ranges, folder)
            if "clips" in options.parts:
                clips(detector, options.data, ranges, folder)
        if "cost" in options.parts:
            cost(options.data, ranges, folder)


if __name__ == "__main__":
    main()
